//! Tandem in one process: the embedded log, the embedded schema registry, the command service
//! and the query service, wired in [`start`] from top to bottom.

pub mod registry;
mod settings;
mod welcome;

pub use settings::Settings;
pub use welcome::welcome;

use std::{
    future::IntoFuture, io, net::SocketAddr, sync::Arc, thread::available_parallelism,
    time::Duration,
};
use tandem_codec::{Codec, RegistryError, RegistrySettings};
use tandem_eventlog::{EventLog, LogError, embedded::Embedded};
use tandem_processor::{ShardState, ShardStatus};
use tandem_service::{
    bind::{BindError, bind, local_addr},
    grpc::{Limits, ShellError},
};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Handle, Runtime},
    task::JoinHandle,
};
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
    /// The command service can't start.
    #[error(transparent)]
    Command(#[from] ShellError),
    /// The query service can't start.
    #[error(transparent)]
    Query(#[from] tandem_query_svc::StartError),
}

/// Where everything listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The command service.
    pub command: SocketAddr,
    /// The query service.
    pub query: SocketAddr,
    /// The schema registry.
    pub registry: SocketAddr,
}

/// Everything, running.
pub struct Running {
    addresses: Addresses,
    shards: usize,
    log: Arc<Embedded>,
    registry: (CancellationToken, JoinHandle<io::Result<()>>),
    command: (CancellationToken, tandem_command_svc::Running),
    query: (CancellationToken, tandem_query_svc::Running),
}

/// Starts everything; the view is folded on `fold`.
///
/// # Errors
/// [`StartError`]; nothing is left running, and a data folder in use is not touched.
pub async fn start(settings: Settings, fold: Handle) -> Result<Running, StartError> {
    // Sockets first: a taken port must not leave traces in the data folder.
    let command_socket = bind(&settings.command_addr, "--command-addr").await?;
    let query_socket = bind(&settings.query_addr, "--query-addr").await?;
    let registry_socket = bind(&settings.registry_addr, "--registry-addr").await?;
    let addresses = Addresses {
        command: local_addr(&command_socket, "--command-addr")?,
        query: local_addr(&query_socket, "--query-addr")?,
        registry: local_addr(&registry_socket, "--registry-addr")?,
    };

    let log = Embedded::open(&settings.data_dir.join("log"))?;
    // Asked first, and once: another number of shards is refused before anything waits for it.
    log.ensure_topics(&tandem_processor::input_topics(settings.shards)).await?;
    let registry = serve_registry(registry_socket, log.clone()).await?;
    let codec = Codec::connect(&RegistrySettings {
        urls: vec![format!("http://{}", addresses.registry)],
        basic_auth: None,
        timeout_ms: REGISTRY_TIMEOUT_MS,
    })?;

    let stop = CancellationToken::new();
    let command = tandem_command_svc::start(
        tandem_command_svc::Settings::new(settings.shards),
        log.clone(),
        codec.clone(),
        command_socket,
        stop.clone(),
    )
    .await?;
    let command = (stop, command);

    let stop = CancellationToken::new();
    let query_settings = query_settings(&settings, addresses.query);
    let query = tandem_query_svc::start(
        query_settings,
        log.clone(),
        codec,
        fold,
        query_socket,
        stop.clone(),
    )
    .await?;
    let query = (stop, query);
    let shards = settings.shards as usize;
    Ok(Running { addresses, shards, log, registry, command, query })
}

fn query_settings(settings: &Settings, address: SocketAddr) -> tandem_query_svc::Settings {
    tandem_query_svc::Settings {
        processor: tandem_processor::Settings {
            dir: settings.data_dir.join("view"),
            shards: settings.shards,
            replica_set: "standalone".into(),
            instance_id: format!("standalone-{}", address.port()),
            cache_bytes: settings.cache_mib << 20,
            write_buffer_bytes: settings.write_buffer_mib << 20,
        },
        limits: Limits::default(),
    }
}

async fn serve_registry(
    socket: TcpListener,
    log: Arc<Embedded>,
) -> Result<(CancellationToken, JoinHandle<io::Result<()>>), StartError> {
    let router = registry::open(log).await?.router();
    let stop = CancellationToken::new();
    let serving =
        axum::serve(socket, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    Ok((stop, tokio::spawn(serving.into_future())))
}

impl Running {
    /// Where everything listens, with the ports that were picked for port 0.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Waits until commands are taken and every shard has been opened and has caught up, or has
    /// failed; a view that takes longer than [`SETTLE`] goes on by itself.
    pub async fn settled(&self) {
        let settled = async {
            self.command.1.ready().await;
            while self.reads().status().iter().filter(|s| is_settled(s)).count() < self.shards {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        if tokio::time::timeout(SETTLE, settled).await.is_err() {
            tracing::info!("still reading the log; queries are answered shard by shard");
        }
    }

    /// What the view holds, for those in the same process.
    #[must_use]
    pub fn reads(&self) -> &tandem_processor::Reads {
        self.query.1.reads()
    }

    /// The log, for those in the same process.
    #[must_use]
    pub fn log(&self) -> Arc<Embedded> {
        self.log.clone()
    }

    /// Drains and stops everything, those who write before those who read what was written. No
    /// acknowledged command is lost.
    pub async fn stop(self) {
        self.command.0.cancel();
        self.command.1.drained().await;
        self.query.0.cancel();
        self.query.1.drained().await;
        self.registry.0.cancel();
        // The codec keeps its connection open; nothing is asked over it any more.
        self.registry.1.abort();
        self.log.close().await;
    }
}

fn is_settled(shard: &ShardStatus) -> bool {
    !matches!(shard.state, ShardState::Opening | ShardState::Restoring)
}

/// The runtime that the view is folded on: as many threads as can be busy at once.
///
/// # Errors
/// The system's, when there are no threads to be had.
pub fn fold_runtime(shards: u32) -> io::Result<Runtime> {
    let cores = available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores.min(shards as usize))
        .thread_name("fold")
        .enable_all()
        .build()
}
