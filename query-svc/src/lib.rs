//! Answers queries over gRPC and plain HTTP, from the view that this process holds or from its peers'.
//!
//! One question's path: `api` takes it, `parse` turns it into a typed question or names every
//! fault, `route` says who answers, `ask` asks them (`gather` all at once): the processor's reads,
//! or over `peers` another instance; `list` merges what many shards gave, `watch` follows one
//! customer; `render` puts the answer on the wire; `plain` has the HTTP paths, which call the methods
//! of `api`. `status` is the table from what can go wrong to
//! what the caller is told.
//!
//! [`start`] is the service in any process, [`process`] the ones that hold a view of their own;
//! [`settings`] is what those that hold one have in common.

mod api;
mod ask;
mod gather;
mod list;
mod page;
mod parse;
mod peers;
mod plain;
pub mod process;
mod render;
mod route;
pub mod settings;
mod status;
mod watch;

pub use peers::{Connect, Connection, over_network};
pub use settings::Settings;

use std::{net::SocketAddr, sync::Arc, time::Duration};
use tandem_processor::{Codec, Log, Presence, Reads};
use tandem_proto::v1::{
    self,
    query_service_server::{QueryService, QueryServiceServer},
};
use tandem_service::{
    bounded,
    grpc::{Serving, Shell, ShellError},
    health::Health,
};
use tokio::{net::TcpListener, runtime::Handle};
use tokio_util::sync::CancellationToken;

use ask::{Instances, Me};

/// How often the shards are looked at to tell the process's health.
const HEALTH_EVERY: Duration = Duration::from_millis(100);

/// How long this instance may take to answer itself, and how long it waits at most before it
/// tries again.
const REACH_WITHIN: Duration = Duration::from_secs(2);
const REACH_EVERY: Duration = Duration::from_secs(5);

/// A running query service.
pub struct Running {
    serving: Serving,
    hosted: Hosted,
    shutdown: CancellationToken,
}

impl Running {
    /// Where it answers.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.serving.local_addr()
    }

    /// What this instance itself holds, for those in the same process.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        self.hosted.reads()
    }

    /// Whether every shard of the view can be answered for, or has failed here.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.hosted.instances.is_settled()
    }

    /// Waits until it is told to stop; hands its shards over, goes on answering meanwhile, answers
    /// what was asked, and closes the view.
    pub async fn drained(self) {
        let Self { serving, hosted, shutdown } = self;
        let ended = async {
            shutdown.cancelled().await;
            hosted.leave().await;
        };
        tokio::join!(ended, serving.drained());
        hosted.stop().await;
    }
}

/// Starts the processor on `fold` and serves the view on `listener` until `shutdown`.
///
/// It answers at once. Until the log has been reached, health says NOT_SERVING and queries are
/// UNAVAILABLE; what is waited for stands in the log lines.
///
/// # Errors
/// [`ShellError`], which only a broken build or socket can cause.
pub async fn start(
    settings: Settings,
    log: Log,
    codec: Codec,
    fold: Handle,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<Running, ShellError> {
    let shell = Shell::new(settings.limits.clone())?;
    let address = match settings.advertise.clone() {
        Some(address) => address,
        None => settings::reached_at(listener.local_addr()?),
    };
    let origins = settings.origins.clone();
    let hosted = Hosted::start(settings, address, log, codec, fold);
    let shell =
        shell.add(bounded!(hosted.server())).await.http(plain::routes(hosted.api.clone()), origins);
    tokio::spawn(tell_health(hosted.instances.clone(), shell.health(), shutdown.clone()));
    let serving = shell.serve(listener, hosted.close.clone())?;
    hosted.announce();
    Ok(Running { serving, hosted, shutdown })
}

/// The query service without a socket: for whoever brings the calls to it.
pub struct Hosted {
    processor: tandem_processor::Running,
    instances: Arc<Instances>,
    api: api::Api,
    /// Tells the server to end, once the shards are handed over.
    close: CancellationToken,
}

impl Hosted {
    /// Starts the processor on `fold`. Its peers are told that it answers at `address`, once it
    /// does: see [`Self::announce`].
    #[must_use]
    pub fn start(
        settings: Settings,
        address: String,
        log: Log,
        codec: Codec,
        fold: Handle,
    ) -> Self {
        let Settings { mut processor, zone, connect, .. } = settings;
        let presence = Presence::new(address, zone, env!("CARGO_PKG_VERSION"));
        let me = Me {
            instance_id: processor.instance_id.clone(),
            replica_set: processor.replica_set.clone(),
            zone: presence.zone.clone(),
            address: presence.address.clone(),
            run: presence.run.clone(),
            load: presence.load.clone(),
        };
        processor.presence = Some(presence);
        let (processor, reads, cluster) = tandem_processor::start(processor, log, codec, fold);
        let instances = Arc::new(Instances::new(reads, cluster, me, connect));
        let close = CancellationToken::new();
        let api = api::Api::new(instances.clone(), close.clone());
        Self { processor, instances, api, close }
    }

    /// What answers the calls.
    #[must_use]
    pub fn server(&self) -> QueryServiceServer<impl QueryService + use<>> {
        QueryServiceServer::new(self.api.clone())
    }

    /// Lets its peers know of it as soon as it answers at its address.
    pub fn announce(&self) {
        self.processor.announce_when(reached(self.instances.clone()));
    }

    /// What this instance itself holds.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.instances.reads
    }

    /// Tells whether every shard of the view can be answered for, as its health does.
    pub fn covers_all(&self) -> impl Fn() -> bool + use<> {
        let instances = self.instances.clone();
        move || instances.covers_all()
    }

    /// Hands its shards over, and then ends the streams that it serves.
    pub async fn leave(&self) {
        self.processor.leave().await;
        self.close.cancel();
    }

    /// Closes the view.
    pub async fn stop(self) {
        self.close.cancel();
        self.processor.stop().await;
    }
}

/// SERVING while every shard of the view can be answered for, here or by a peer.
async fn tell_health(instances: Arc<Instances>, health: Health, shutdown: CancellationToken) {
    let mut told = false;
    while !shutdown.is_cancelled() {
        let all = instances.covers_all();
        if all != told {
            told = all;
            tracing::info!(serving = all, "query service");
            match all {
                true => health.serving::<QueryServiceServer<api::Api>>().await,
                false => health.not_serving::<QueryServiceServer<api::Api>>().await,
            }
        }
        tokio::time::sleep(HEALTH_EVERY).await;
    }
    // Whoever sends calls here shall send them elsewhere while shards are handed over.
    health.not_serving::<QueryServiceServer<api::Api>>().await;
}

/// Ends once this instance answers where it says that it does.
async fn reached(instances: Arc<Instances>) {
    let me = &instances.me;
    let mut wait = HEALTH_EVERY;
    loop {
        let error = match reach(&instances).await {
            Ok(()) => return,
            Err(error) => error,
        };
        let (address, wait_ms) = (&me.address, wait.as_millis());
        tracing::warn!(
            address,
            error,
            wait_ms,
            "this instance does not answer at the address it is to be reached at, so no other \
             instance is told of it; mend --advertise"
        );
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(REACH_EVERY);
    }
}

async fn reach(instances: &Instances) -> Result<(), String> {
    let me = &instances.me;
    let another = || "another instance answers there".to_owned();
    let said = |status: tonic::Status| {
        let reason = tandem_service::status::reason(&status);
        match (status.code(), reason.as_deref()) {
            // A mark that isn't known there.
            (tonic::Code::PermissionDenied, _) | (_, Some(status::OTHER_RUN)) => another(),
            _ => status.message().to_owned(),
        }
    };
    let (mut client, envelope) =
        instances.peers.call_self(&me.address, REACH_WITHIN).map_err(said)?;
    let request = envelope.with(v1::ListInstancesRequest {});
    let answered = tokio::time::timeout(REACH_WITHIN, client.list_instances(request)).await;
    let answered = answered.map_err(|_| "no answer in time".to_owned())?.map_err(said)?;
    match answered.into_inner().instances.first() {
        Some(first) if first.instance_id == me.instance_id => Ok(()),
        _ => Err(another()),
    }
}
