//! Calls that go straight to the instance that has the customer, against instances made here.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop where it is")]

use futures::stream::{self, StreamExt as _};
use std::time::{Duration, Instant};
use tandem_client::{Client, Session, v1};
use tandem_partition::partition_for;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::server::Grpc;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const SHARDS: u32 = 6;

/// Instance `nth` of those announced has every third shard.
fn has(nth: usize, shard: u32) -> bool {
    shard as usize % 3 == nth
}

fn announced(addresses: &[String]) -> v1::WatchRoutingResponse {
    let instance = |(nth, address): (usize, &String)| {
        let shards = (0..SHARDS).filter(|shard| has(nth, *shard)).map(|shard| v1::Shard {
            shard,
            state: v1::ShardState::Serving.into(),
            ..Default::default()
        });
        let (address, shards) = (address.clone(), shards.collect());
        v1::Instance { instance_id: nth.to_string(), address, shards, ..Default::default() }
    };
    let instances = addresses.iter().enumerate().map(instance).collect();
    v1::WatchRoutingResponse { instances, shard_count: SHARDS, ..Default::default() }
}

/// Answers as an instance that has its shards, and would have to pass on what it hasn't.
fn serve(nth: usize, listener: TcpListener, announced: v1::WatchRoutingResponse) {
    let get = move |request| async move {
        let call = tower::service_fn(move |request: Request<v1::GetCustomerRequest>| {
            let customer_id = request.into_inner().customer_id;
            let forwarded = !has(nth, partition_for(customer_id.as_bytes(), SHARDS).0);
            let served = v1::Served { forwarded, ..Default::default() };
            let customer = v1::Customer { customer_id, ..Default::default() };
            let answer = v1::GetCustomerResponse { customer: Some(customer), served: Some(served) };
            std::future::ready(Ok::<_, Status>(Response::new(answer)))
        });
        Grpc::new(ProstCodec::default()).unary(call, request).await
    };
    let watch = move |request| async move {
        let call = tower::service_fn(move |_: Request<v1::WatchRoutingRequest>| {
            let first = stream::iter([Ok::<_, Status>(announced.clone())]);
            std::future::ready(Ok::<_, Status>(Response::new(first.chain(stream::pending()))))
        });
        Grpc::new(ProstCodec::default()).server_streaming(call, request).await
    };
    let router = axum::Router::new()
        .route("/tandem.v1.QueryService/GetCustomer", axum::routing::post(get))
        .route("/tandem.v1.QueryService/WatchRouting", axum::routing::post(watch));
    let incoming = TcpListenerStream::new(listener);
    let server = Server::builder().add_routes(Routes::from(router));
    tokio::spawn(server.serve_with_incoming(incoming));
}

async fn forwarded(session: &Session, customer_id: &str) -> bool {
    let request =
        v1::GetCustomerRequest { customer_id: customer_id.to_owned(), ..Default::default() };
    session.get_customer(request).await.unwrap().served.unwrap().forwarded
}

/// Whether none of the customers' reads had to be passed on, in the end.
async fn comes_direct(session: &Session, ids: &[String]) {
    let until = Instant::now() + Duration::from_secs(10);
    for id in ids {
        while forwarded(session, id).await {
            assert!(Instant::now() < until, "{id} is passed on all the time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    for id in ids {
        assert!(!forwarded(session, id).await, "{id}");
    }
}

async fn listeners(number: usize) -> (Vec<TcpListener>, Vec<String>) {
    let (mut listeners, mut addresses) = (Vec::new(), Vec::new());
    for _ in 0..number {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap().to_string());
        listeners.push(listener);
    }
    (listeners, addresses)
}

fn ids() -> Vec<String> {
    (0..60).map(|n| format!("customer-{n}")).collect()
}

#[tokio::test]
async fn reads_of_one_customer_go_to_whoever_has_it() {
    let (listeners, addresses) = listeners(3).await;
    for (nth, listener) in listeners.into_iter().enumerate() {
        serve(nth, listener, announced(&addresses));
    }
    let client = |on| {
        let builder = Client::builder(&addresses[0], [&addresses[0]]).route_directly(on);
        builder.build().unwrap().session()
    };
    comes_direct(&client(true), &ids()).await;
    let usual = client(false);
    let passed_on = stream::iter(ids()).filter(|id| {
        let (usual, id) = (usual.clone(), id.clone());
        async move { forwarded(&usual, &id).await }
    });
    assert!(passed_on.count().await > 20);
}

#[tokio::test]
async fn a_holder_that_cannot_be_reached_is_passed_over() {
    let (mut listeners, addresses) = listeners(3).await;
    // Connections are taken by the operating system, and nothing is ever said on them.
    let hung = listeners.pop().unwrap();
    for (nth, listener) in listeners.into_iter().enumerate() {
        serve(nth, listener, announced(&addresses));
    }
    let client = Client::builder(&addresses[0], [&addresses[0]]).route_directly(true);
    let session = client.build().unwrap().session();
    let of = |nth| {
        let its = |id: &String| has(nth, partition_for(id.as_bytes(), SHARDS).0);
        ids().into_iter().filter(its).collect::<Vec<_>>()
    };
    comes_direct(&session, &of(1)).await;
    for id in of(2) {
        assert!(forwarded(&session, &id).await);
    }
    drop(hung);
}
