//! The command service: takes commands over gRPC and plain HTTP, writes events, answers with receipts.
//!
//! One order, one direction: `api` -> `parse` (all faults at once) -> `accept` (decide, encode,
//! pick the partition, append) -> receipt; `plain` has the HTTP paths, which call the methods of `api`,
//! and the page. The service keeps no state of its own: any number of
//! instances may run side by side, and a retry may meet another one than the first try did.
//! [`start`] is the service in any process, [`process`] the one that has it alone.
//!
//! Deliberately absent: whether a customer or an order exists. Commands are last-writer-wins by
//! id; what makes no sense becomes a reject where it is folded.

mod accept;
mod api;
mod clock;
mod cloud_event;
mod command;
mod ids;
mod parse;
mod plain;
pub mod process;
mod ready;
mod render;
mod settings;
mod status;
mod trace;

pub use clock::Clock;
pub use plain::QueryUrl;
pub use settings::{Listen, Page, Settings};

use accept::Acceptor;
use std::{net::SocketAddr, sync::Arc};
use tandem_codec::Codec;
use tandem_eventlog::Log;
use tandem_proto::v1::command_service_server::CommandServiceServer;
use tandem_service::{
    bounded,
    grpc::{Serving, Shell, ShellError},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Starts the service on `listener`, until `shutdown` is cancelled.
///
/// It answers at once. Until the log's topics are there and the schemas are registered, health
/// says NOT_SERVING and commands are UNAVAILABLE; what is waited for stands in the log.
///
/// # Errors
/// [`ShellError`], which only a broken build or socket can cause.
pub async fn start(
    settings: Settings,
    log: Log,
    codec: Codec,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<Running, ShellError> {
    let acceptor = Arc::new(Acceptor::new(settings.shards, settings.clock, log, codec));
    let api = Arc::new(api::Api::new(acceptor.clone()));
    let http = plain::routes(api.clone(), settings.query_urls);
    let service = CommandServiceServer::from_arc(api);
    let shell = Shell::new(settings.limits)?.add(bounded!(service)).await;
    let shell = shell.http(http, settings.origins);
    let health = shell.health();
    let serving = shell.serve(listener, shutdown.clone())?;
    let ready = CancellationToken::new();
    let told = ready.clone();
    let preparing = tokio::spawn(shutdown.run_until_cancelled_owned(async move {
        ready::prepare(&acceptor).await;
        health.serving::<CommandServiceServer<api::Api>>().await;
        tracing::info!("commands are taken");
        told.cancel();
    }));
    Ok(Running { serving, preparing, ready })
}

/// The service as it runs.
#[derive(Debug)]
pub struct Running {
    serving: Serving,
    preparing: JoinHandle<Option<()>>,
    /// Cancelled once commands are taken.
    ready: CancellationToken,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.serving.local_addr()
    }

    /// Waits until commands are taken.
    pub async fn ready(&self) {
        self.ready.cancelled().await;
    }

    /// Waits until the service has shut down and calls that were under way have been answered.
    pub async fn drained(self) {
        self.serving.drained().await;
        if let Err(error) = self.preparing.await {
            tracing::error!(%error, "the preparation did not end in order");
        }
    }
}
