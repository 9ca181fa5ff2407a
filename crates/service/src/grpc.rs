//! The shell around gRPC services: one port for gRPC, gRPC-Web and plain HTTP, with reflection,
//! health, bounds, and an end that waits for what is under way, but not for ever.
//!
//! Layers of a gRPC call, from the outside: HTTP/1 or 2, what pages of other origins may do,
//! gRPC-Web made into gRPC, when to try again, the edge (calls in hand, deadline, details of
//! errors), the route, the service.

pub use crate::machinery::{
    DEADLINE_EXCEEDED, ENCODING_UNSUPPORTED, MESSAGE_TOO_LARGE, METHOD_UNKNOWN, OVERLOADED,
    REQUEST_UNDECODABLE,
};
use crate::{
    edge::{self, Edge},
    health::Health,
    incoming::incoming,
    origins::Origins,
    plain, pushback, reflection,
};
use axum::{Router, handler::Handler as _, response::IntoResponse};
use http::Request;
use std::{convert::Infallible, net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::codegen::Service;
use tonic::{body::Body, server::NamedService, service::Routes, transport::Server};
use tonic_web::GrpcWebLayer;

/// The largest request message that [`bounded!`](crate::bounded) services take. The largest
/// command there is has five texts of 4 KiB; a query may carry receipts of many shards.
pub const MAX_REQUEST_BYTES: usize = 1 << 20;

/// How often an idle HTTP/2 connection is asked whether its other end is still there. Without
/// that, a peer that vanished keeps its connection, and its slot, for ever.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long the other end may take to say so.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// The bounds of a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time. More wait in the system's backlog. A connection takes a file
    /// descriptor and, when it stalls with everything full, about 1 MiB of HTTP/2 window.
    pub connections: usize,
    /// Calls at a time on one connection; HTTP/2 makes the caller hold back the rest.
    pub streams: u32,
    /// Calls in hand at a time, over all connections; the rest are turned away with UNAVAILABLE.
    /// With [`MAX_REQUEST_BYTES`] this bounds the memory that requests take.
    pub in_flight: usize,
    /// How long to wait at the end for calls that are under way. Streams may stay open for ever,
    /// so they are cut off then.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 4096, streams: 256, in_flight: 1024, drain: Duration::from_secs(10) }
    }
}

/// The contract's descriptors can't be served. Only a broken build can cause that.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The descriptor set is not one.
    #[error("the contract's descriptors can't be served by reflection: {0}")]
    Descriptors(#[from] tonic_reflection::server::Error),
    /// The socket's address can't be told.
    #[error("the bound socket has no address: {0}")]
    Socket(#[from] std::io::Error),
}

/// Services being put together for one port.
pub struct Shell {
    limits: Limits,
    grpc: Routes,
    names: Vec<&'static str>,
    http: Router,
    origins: Origins,
    health: Health,
}

impl Shell {
    /// A shell with health and no services yet. That reflection can serve the contract is checked
    /// here, so that a broken build is noticed before anything is started.
    ///
    /// # Errors
    /// [`ShellError::Descriptors`].
    pub fn new(limits: Limits) -> Result<Self, ShellError> {
        reflection::add_to(Routes::default(), &[])?;
        let (reporter, health_server) = tonic_health::server::health_reporter();
        let (grpc, health) = (Routes::new(health_server), Health::new(reporter));
        let (http, origins) = (Router::new(), Origins::default());
        Ok(Self { limits, grpc, names: Vec::new(), http, origins, health })
    }

    /// Adds a service, NOT_SERVING until [`Health::serving`] is told otherwise. Wrap it in
    /// [`bounded!`](crate::bounded).
    #[must_use]
    pub async fn add<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible, Response: IntoResponse, Future: Send>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.health.set(S::NAME, false).await;
        self.grpc = self.grpc.add_service(service);
        self.names.push(S::NAME);
        self
    }

    /// Adds plain HTTP routes beside the services, and says which pages in the web may call all of
    /// it from a browser. The routes pass no gRPC layer.
    #[must_use]
    pub fn http(mut self, routes: Router, origins: Origins) -> Self {
        self.http = self.http.merge(routes);
        self.origins = origins;
        self
    }

    /// The handle that services tell their health with.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Serves on `listener` until `shutdown` is cancelled, then drains.
    ///
    /// # Errors
    /// [`ShellError::Socket`], [`ShellError::Descriptors`].
    pub fn serve(
        mut self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> Result<Serving, ShellError> {
        let local_addr = listener.local_addr()?;
        self.grpc = reflection::add_to(self.grpc, &self.names)?;
        let task = tokio::spawn(self.run(listener, shutdown));
        Ok(Serving { local_addr, task })
    }

    async fn run(self, listener: TcpListener, shutdown: CancellationToken) {
        let Self { limits, grpc, names: _, http, origins, health } = self;
        let cors = origins.cors();
        let edge = Edge::new(limits.in_flight, origins);
        let pass = axum::middleware::from_fn_with_state(edge.clone(), edge::pass);
        let pushback = axum::middleware::from_fn(pushback::pass);
        let grpc = grpc.into_axum_router().layer(pass).layer(pushback).layer(GrpcWebLayer::new());
        let routes =
            plain::routes(http, edge).fallback_service(plain::other.with_state(grpc)).layer(cors);
        let abort = CancellationToken::new();
        let connections = incoming(listener, limits.connections, abort.clone());
        let serving = Server::builder()
            .accept_http1(true)
            .max_concurrent_streams(limits.streams)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .serve_with_incoming_shutdown(
                Routes::from(routes),
                connections,
                shutdown.clone().cancelled_owned(),
            );
        tokio::select! {
            ended = serving => if let Err(error) = ended {
                tracing::error!(%error, "the server ended by itself");
            },
            () = drained(&limits, &health, &shutdown) => {
                tracing::warn!(drain = ?limits.drain, "calls were still under way; cut off");
            }
        }
        abort.cancel();
    }
}

/// Ends when the drain has taken as long as it may.
async fn drained(limits: &Limits, health: &Health, shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    health.close().await;
    tokio::time::sleep(limits.drain).await;
}

/// A shell that serves.
#[derive(Debug)]
pub struct Serving {
    local_addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Serving {
    /// Where it listens, with the port that the system picked for port 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Waits until it has shut down and drained.
    pub async fn drained(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server did not end in order");
        }
    }
}

/// Gives a generated server its bounds: requests of at most
/// [`MAX_REQUEST_BYTES`], or of as many bytes as the second
/// argument says, and requests compressed with gzip or zstd. Answers are not compressed: they are
/// small, and many clients offer gzip without having been asked whether they want to wait for it.
///
/// A macro, because the methods that set these share no trait.
#[macro_export]
macro_rules! bounded {
    ($server:expr) => {
        $crate::bounded!($server, $crate::grpc::MAX_REQUEST_BYTES)
    };
    ($server:expr, $max_request_bytes:expr) => {
        $server
            .max_decoding_message_size($max_request_bytes)
            .accept_compressed(::tonic::codec::CompressionEncoding::Gzip)
            .accept_compressed(::tonic::codec::CompressionEncoding::Zstd)
    };
}
