//! Services for tests, reached through memory: no ports, and time may stand still, since nothing waits
//! for the operating system.

use crate::calls::Call;
use crate::client::{Client, Core};
use crate::line::{Line, Token};
use crate::policy::POLICY;
use crate::routing::Routing;
use crate::turns::{Address, Turns};
use axum::Router;
use axum::routing::post;
use futures::stream::BoxStream;
use hyper_util::rt::TokioIo;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc::unbounded_channel;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::server::Grpc;
use tonic::service::Routes;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// Answers calls of one method.
pub(crate) fn answering<C: Call, A>(
    router: Router,
    answer: impl Fn(Request<C>) -> A + Clone + Send + Sync + 'static,
) -> Router
where
    A: Future<Output = Result<C::Response, Status>> + Send + 'static,
{
    let serve = move |request: axum::extract::Request| {
        let answer = answer.clone();
        let call = tower::service_fn(move |request| {
            let answer = answer(request);
            async { answer.await.map(Response::new) }
        });
        async { Grpc::new(ProstCodec::<C::Response, C>::default()).unary(call, request).await }
    };
    router.route(C::PATH, post(serve))
}

/// Answers calls of one method with streams.
pub(crate) fn streaming<C: Call>(
    router: Router,
    answer: impl Fn(C) -> BoxStream<'static, Result<C::Response, Status>>
    + Clone
    + Send
    + Sync
    + 'static,
) -> Router {
    let serve = move |request: axum::extract::Request| {
        let answer = answer.clone();
        let call = tower::service_fn(move |request: Request<C>| {
            let stream = answer(request.into_inner());
            async { Ok(Response::new(stream)) }
        });
        let mut grpc = Grpc::new(ProstCodec::<C::Response, C>::default());
        async move { grpc.server_streaming(call, request).await }
    };
    router.route(C::PATH, post(serve))
}

/// A line to what the router serves.
pub(crate) fn line(router: Router, token: Option<Token>) -> Line {
    let (connections, incoming) = unbounded_channel::<io::Result<_>>();
    let incoming = UnboundedReceiverStream::new(incoming);
    tokio::spawn(Server::builder().add_routes(Routes::from(router)).serve_with_incoming(incoming));
    let connector = tower::service_fn(move |_| {
        let (here, there) = tokio::io::duplex(64 * 1024);
        let sent = connections.send(Ok(there));
        async move {
            sent.map_err(io::Error::other)?;
            Ok::<_, io::Error>(TokioIo::new(here))
        }
    });
    let endpoint = Endpoint::from_static("http://in.memory:1");
    Line::new(endpoint.connect_with_connector_lazy(connector), token)
}

/// A client of what the router serves, both services in one.
pub(crate) fn client(router: Router) -> Client {
    client_of(vec![line(router, None)])
}

/// A client of several, each both services in one.
pub(crate) fn client_of(lines: Vec<Line>) -> Client {
    Client::new(core(lines, None))
}

/// What a client of several is made of; commands go to the first.
pub(crate) fn core(lines: Vec<Line>, routing: Option<Routing>) -> Core {
    let address = |(nth, line)| Arc::new(Address::new(format!("in.memory:{nth}"), line));
    let all: Vec<_> = lines.into_iter().enumerate().map(address).collect();
    let (commands, queries) = (Turns::new(vec![Arc::clone(&all[0])]), Turns::new(all));
    let (timeout, tries) = (POLICY.timeout, POLICY.tries);
    Core { commands, queries, timeout, tries, routing }
}
