//! Tandem in one process: the log, embedded or on Kafka, the embedded schema registry unless
//! another one is named, the command service and the query service, wired in [`start`] from top
//! to bottom.

mod ground;
pub mod registry;
mod settings;
mod welcome;

pub use settings::Settings;
pub use welcome::welcome;

use ground::{FIRST_LOOK, Ground};
use std::{future::IntoFuture, io, net::SocketAddr, time::Duration};
use tandem_codec::{Codec, RegistryError, RegistrySettings};
use tandem_command_svc::{Listen as ListenCommand, QueryUrl};
use tandem_eventlog::{Log, LogError};
use tandem_query_svc::settings::{Listen as ListenQuery, Place};
use tandem_service::{
    bind::{BindError, bind, local_addr},
    grpc::ShellError,
    origins::Origins,
    ready::until_done,
};
use tokio::{net::TcpListener, runtime::Handle, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How long a question to the registry, which is in this process, may take.
const REGISTRY_TIMEOUT_MS: u64 = 5_000;

/// How long a start waits for the view before it says that everything is running.
const SETTLE: Duration = Duration::from_secs(10);

/// How often it looks meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Why Tandem can't start. Each says in one line what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address can't be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The log can't be opened, or doesn't fit.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The embedded registry can't be started.
    #[error(transparent)]
    Registry(#[from] registry::OpenError),
    /// The codec can't be set up.
    #[error(transparent)]
    Codec(#[from] RegistryError),
    /// A service can't start.
    #[error(transparent)]
    Service(#[from] ShellError),
}

/// Where everything listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The command service.
    pub command: SocketAddr,
    /// The query services.
    pub queries: Vec<SocketAddr>,
    /// The embedded schema registry, where there is one.
    pub registry: Option<SocketAddr>,
}

/// The flag that says where the embedded registry listens.
const REGISTRY_FLAG: &str = "--registry-addr";

/// Everything, running.
pub struct Running {
    addresses: Addresses,
    ground: Ground,
    registry: Option<EmbeddedRegistry>,
    command: (CancellationToken, tandem_command_svc::Running),
    queries: Vec<(CancellationToken, tandem_query_svc::Running)>,
}

/// The embedded registry, running.
struct EmbeddedRegistry {
    stop: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
}

/// Starts everything; the view is folded on `fold`. A log or registry elsewhere is waited for in
/// the background: everything answers meanwhile that it isn't ready.
///
/// # Errors
/// [`StartError`]; nothing is left running, and a data folder in use is not touched.
pub async fn start(settings: Settings, fold: Handle) -> Result<Running, StartError> {
    // Sockets first: a taken port must not leave traces in the data folder.
    let command_socket = bind(&settings.command.command_addr, ListenCommand::FLAG).await?;
    let query_sockets = bind_queries(&settings).await?;
    let registry_socket = match settings.registry.is_set() {
        true => None,
        false => Some(bind(&settings.registry_addr, REGISTRY_FLAG).await?),
    };
    let at_registry = registry_socket.as_ref().map(|socket| local_addr(socket, REGISTRY_FLAG));
    let addresses = Addresses {
        command: local_addr(&command_socket, ListenCommand::FLAG)?,
        queries: query_sockets
            .iter()
            .map(|socket| local_addr(socket, ListenQuery::FLAG))
            .collect::<Result<_, _>>()?,
        registry: at_registry.transpose()?,
    };

    let ground = Ground::open(&settings)?;
    let shards = settings.view.shards.shards;
    let is_there = ground.check(shards).await?;
    let registry = match registry_socket {
        Some(socket) => Some(serve_registry(socket, &ground, is_there).await?),
        None => None,
    };
    let codec = Codec::connect(&registry_settings(&settings, &addresses)?)?;

    let stop = CancellationToken::new();
    let command = tandem_command_svc::start(
        command_settings(&settings, &addresses),
        ground.log(),
        codec.clone(),
        command_socket,
        stop.clone(),
    )
    .await?;
    let command = (stop, command);

    // The page is the command service's, and calls the query services too.
    let page = settings.allow.origins(Some(addresses.command.port()));
    let mut queries = Vec::new();
    for (at, (socket, address)) in query_sockets.into_iter().zip(&addresses.queries).enumerate() {
        let stop = CancellationToken::new();
        let settings = query_settings(&settings, at, address.port(), page.clone());
        let (log, codec, fold) = (ground.log(), codec.clone(), fold.clone());
        let query = tandem_query_svc::start(settings, log, codec, fold, socket, stop.clone());
        queries.push((stop, query.await?));
    }
    Ok(Running { addresses, ground, registry, command, queries })
}

/// Sockets for all query services, on consecutive ports.
async fn bind_queries(settings: &Settings) -> Result<Vec<TcpListener>, BindError> {
    let first = &settings.query.query_addr;
    let parts =
        first.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let mut sockets = vec![bind(first, ListenQuery::FLAG).await?];
    for nth in 1..settings.query_instances {
        let address = match parts {
            Some((host, 0)) => format!("{host}:0"),
            Some((host, port)) => format!("{host}:{}", u64::from(port) + u64::from(nth)),
            None => first.clone(),
        };
        sockets.push(bind(&address, ListenQuery::FLAG).await?);
    }
    Ok(sockets)
}

/// What the command service is told; its page calls the query services of this process.
fn command_settings(settings: &Settings, addresses: &Addresses) -> tandem_command_svc::Settings {
    let beside = addresses.queries.iter().map(|query| QueryUrl::Beside(query.port())).collect();
    tandem_command_svc::Settings {
        origins: settings.allow.origins(None),
        query_urls: settings.page.query_urls(beside),
        ..tandem_command_svc::Settings::new(settings.view.shards.shards)
    }
}

/// What the query service at place `at` among those of this process is told. Each has a view of
/// its own; the first one's is where the only one's would be.
fn query_settings(
    settings: &Settings,
    at: usize,
    port: u16,
    origins: Origins,
) -> tandem_query_svc::Settings {
    let mut identity = settings.identity.clone();
    let mut view = settings.view.clone();
    if at > 0 {
        let nth = at + 1;
        let given = identity.instance_id.filter(|id| !id.is_empty());
        identity.instance_id = given.map(|id| format!("{id}-{nth}"));
        identity.advertise = None;
        view.data_dir = view.data_dir.join(format!("query-{nth}"));
    }
    let processor = view.processor(&identity, &Place::Port(port));
    tandem_query_svc::Settings::of(processor, &identity, origins)
}

/// How to ask the registry that is named, else the embedded one.
fn registry_settings(
    settings: &Settings,
    addresses: &Addresses,
) -> Result<RegistrySettings, RegistryError> {
    let embedded = addresses.registry.map(|address| RegistrySettings {
        urls: vec![format!("http://{address}")],
        basic_auth: None,
        timeout_ms: REGISTRY_TIMEOUT_MS,
    });
    let none = || RegistryError::Settings("say where the schema registry is".into());
    settings.registry.settings().or(embedded).ok_or_else(none)
}

/// Serves the registry. It is open when this returns if the log is there; else it opens once the
/// log is.
async fn serve_registry(
    socket: TcpListener,
    ground: &Ground,
    is_there: bool,
) -> Result<EmbeddedRegistry, StartError> {
    let (late, log, topic) = (registry::Late::default(), ground.log(), ground.schemas());
    let stop = CancellationToken::new();
    let serving = axum::serve(socket, late.router())
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    match ground {
        Ground::Embedded(_) => late.opened(&registry::open(log, topic).await?),
        Ground::Kafka(_) => {
            let opening = async move {
                let open = || registry::open(log.clone(), topic);
                late.opened(&until_done("the log, for the schemas", open).await);
            };
            let opening = tokio::spawn(stop.clone().run_until_cancelled_owned(opening));
            if is_there && tokio::time::timeout(FIRST_LOOK, opening).await.is_err() {
                tracing::info!("the schemas are not read yet; starting without them");
            }
        }
    }
    Ok(EmbeddedRegistry { stop, serving: tokio::spawn(serving) })
}

impl Running {
    /// Where everything listens, with the ports that were picked for port 0.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Waits until commands are taken and every shard has been opened and has caught up, or has
    /// failed, or until `shutdown`; what takes longer than [`SETTLE`] goes on by itself.
    pub async fn settled(&self, shutdown: &CancellationToken) {
        let settled = async {
            self.command.1.ready().await;
            while !self.queries.iter().all(|(_, query)| query.is_settled()) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let settled = tokio::time::timeout(SETTLE, settled);
        if let Some(Err(_)) = shutdown.run_until_cancelled(settled).await {
            tracing::info!("not all is ready yet; what is answers, the rest follows");
        }
    }

    /// What the first query service holds, for those in the same process.
    #[must_use]
    pub fn reads(&self) -> &tandem_processor::Reads {
        self.queries[0].1.reads()
    }

    /// The log, for those in the same process.
    #[must_use]
    pub fn log(&self) -> Log {
        self.ground.log()
    }

    /// Drains and stops everything, those who write before those who read what was written. No
    /// acknowledged command is lost.
    pub async fn stop(self) {
        self.command.0.cancel();
        self.command.1.drained().await;
        // All at once: none of them has to hand its shards over to another.
        let stopping = self.queries.into_iter().map(|(stop, query)| {
            stop.cancel();
            query.drained()
        });
        futures::future::join_all(stopping).await;
        if let Some(registry) = self.registry {
            registry.stop.cancel();
            // The codec keeps its connection open; nothing is asked over it any more.
            registry.serving.abort();
        }
        self.ground.close().await;
    }
}
