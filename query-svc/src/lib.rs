//! Answers queries over gRPC from the view that this process holds.
//!
//! One question's path: `api` takes it, `parse` turns it into a typed question or names every
//! fault, `list` or the processor's reads answer it, `render` puts the answer on the wire.
//! `status` is the table from what can go wrong to what the caller is told.
//!
//! [`start`] is the service in any process, [`process`] the ones that hold a view of their own;
//! [`settings`] is what those that hold one have in common.

mod api;
mod list;
mod page;
mod parse;
pub mod process;
mod render;
pub mod settings;
mod status;

pub use settings::Settings;

use std::{net::SocketAddr, time::Duration};
use tandem_processor::{Codec, Log, Reads, ShardState};
use tandem_proto::v1::query_service_server::QueryServiceServer;
use tandem_service::{
    bounded,
    grpc::{Serving, Shell, ShellError},
    health::Health,
};
use tokio::{net::TcpListener, runtime::Handle};
use tokio_util::sync::CancellationToken;

/// How often the shards are looked at to tell the process's health.
const HEALTH_EVERY: Duration = Duration::from_millis(100);

/// A running query service.
pub struct Running {
    serving: Serving,
    processor: tandem_processor::Running,
    reads: Reads,
}

impl Running {
    /// Where it answers.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.serving.local_addr()
    }

    /// What it can answer, for those in the same process.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Waits until it was told to stop and has answered what was asked; then closes the view.
    pub async fn drained(self) {
        self.serving.drained().await;
        self.processor.stop().await;
    }
}

/// Starts the processor on `fold` and serves what it holds on `listener` until `shutdown`.
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
    let shell = Shell::new(settings.limits)?;
    let address = listener.local_addr()?;
    let instance_id = settings.processor.instance_id.clone();
    let (processor, reads) = tandem_processor::start(settings.processor, log, codec, fold);
    let api = api::Api::new(reads.clone(), instance_id, address.to_string());
    let shell = shell.add(bounded!(QueryServiceServer::new(api))).await;
    tokio::spawn(tell_health(reads.clone(), shell.health(), shutdown.clone()));
    let serving = shell.serve(listener, shutdown)?;
    Ok(Running { serving, processor, reads })
}

/// SERVING while every shard of the view can be read here.
async fn tell_health(reads: Reads, health: Health, shutdown: CancellationToken) {
    let mut told = false;
    while !shutdown.is_cancelled() {
        let status = reads.status();
        let all = status.len() == reads.shards().count()
            && status.iter().all(|s| s.state == ShardState::Serving);
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
}
