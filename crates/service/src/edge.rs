//! What every gRPC call passes on its way in and out: who may send it, a bound on the calls in hand,
//! the caller's deadline, and the promise that no error goes out without details.

use crate::{deadline, machinery, origins::Origins, status::Fault};
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, Uri, header::CONTENT_TYPE};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::Status;

/// Probes are never turned away for load: an orchestrator would kill a process that is only busy.
const ALWAYS: &str = "/grpc.health.v1.Health/";

/// How many calls are in hand, and which pages may call; shared by all connections.
#[derive(Clone)]
pub(crate) struct Edge {
    in_flight: Arc<Semaphore>,
    origins: Arc<Origins>,
}

impl Edge {
    pub(crate) fn new(in_flight: usize, origins: Origins) -> Self {
        Self { in_flight: Arc::new(Semaphore::new(in_flight)), origins: Arc::new(origins) }
    }

    /// Refuses what a page of another origin sends.
    pub(crate) fn check(&self, request: &Request) -> Result<(), Fault> {
        self.origins.check(request)
    }

    pub(crate) fn admit(&self, path: &str) -> Result<Option<SemaphorePermit<'_>>, Fault> {
        if path.starts_with(ALWAYS) {
            return Ok(None);
        }
        self.in_flight.try_acquire().map(Some).map_err(|_| machinery::overloaded())
    }
}

/// The edge, as axum middleware around the gRPC routes. A call counts as in hand until its
/// response begins; the rest of a stream is bounded by the connection's streams.
pub(crate) async fn pass(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    if let Err(fault) = edge.check(&request) {
        return refuse(fault);
    }
    let uri = request.uri().clone();
    let _slot = match edge.admit(uri.path()) {
        Ok(slot) => slot,
        Err(fault) => return refuse(fault),
    };
    let left = deadline::last_call(request.headers());
    if left.is_zero() {
        return refuse(machinery::expired());
    }
    let Ok(response) = tokio::time::timeout(left, next.run(request)).await else {
        return refuse(machinery::expired());
    };
    explain(uri, response)
}

fn refuse(fault: Fault) -> Response {
    Status::from(fault).into_http()
}

/// Gives details to an error that has none, whether it stands in the headers or comes in the
/// trailers after the messages.
fn explain(uri: Uri, mut response: Response) -> Response {
    if response.headers().contains_key(Status::GRPC_STATUS) {
        explain_headers(uri.path(), response.headers_mut());
        return response;
    }
    let grpc = HeaderValue::from_static("application/grpc");
    if response.headers().get(CONTENT_TYPE) != Some(&grpc) {
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(move |mut frame| {
            if let Some(trailers) = frame.trailers_mut() {
                explain_headers(uri.path(), trailers);
            }
            frame
        }))
    })
}

fn explain_headers(path: &str, headers: &mut HeaderMap) {
    if headers.contains_key(Status::GRPC_STATUS_DETAILS) {
        return;
    }
    let Some(bare) = Status::from_header_map(headers).filter(|s| s.code() != tonic::Code::Ok)
    else {
        return;
    };
    let fault = machinery::explain(path, &bare);
    // Only a message that can't be a header value is refused, and messages are percent-encoded.
    if Status::from(fault).add_header(headers).is_err() {
        tracing::warn!(path, "an error went out without its details");
    }
}
