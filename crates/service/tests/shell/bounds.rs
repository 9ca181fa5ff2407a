//! What happens at the bounds: too many calls, too many connections, the end of the process.

use crate::support::{eventually, greeting, start, told};
use std::time::{Duration, Instant};
use tandem_proto::v1::command_service_server::CommandServiceServer;
use tandem_service::grpc::{Limits, OVERLOADED};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

#[tokio::test]
async fn calls_over_the_bound_are_turned_away_but_probes_are_not() {
    let server = start(Limits { in_flight: 1, ..Limits::default() }).await;
    let mut first = server.client().await;
    let held = tokio::spawn(async move { first.send_greeting(greeting("gate")).await });
    let mut client = server.client().await;
    eventually(async || client.send_greeting(greeting("x")).await.is_err()).await;
    let status = client.send_greeting(greeting("x")).await.unwrap_err();
    assert_eq!(told(&status), (Code::Unavailable, OVERLOADED.into()));
    for (tries, timeout, expected) in
        [(0, 9_000, 250..=350), (2, 9_000, 1_000..=1_400), (0, 200, -1..=-1)]
    {
        let mut request = tonic::Request::new(greeting("x"));
        request.set_timeout(Duration::from_millis(timeout));
        request.metadata_mut().insert("grpc-previous-rpc-attempts", tries.into());
        let status = client.send_greeting(request).await.unwrap_err();
        let pushback = status.metadata().get("grpc-retry-pushback-ms").unwrap();
        let pushback: i64 = pushback.to_str().unwrap().parse().unwrap();
        assert!(expected.contains(&pushback), "{pushback} after {tries} tries");
    }
    let mut health = HealthClient::new(server.channel().await);
    health.check(HealthCheckRequest::default()).await.unwrap();
    server.gate.add_permits(1);
    held.await.unwrap().unwrap();
    client.send_greeting(greeting("x")).await.unwrap();
}

#[tokio::test]
async fn a_connection_over_the_bound_waits_for_another_to_end() {
    let server = start(Limits { connections: 1, ..Limits::default() }).await;
    let first = TcpStream::connect(server.addr).await.unwrap();
    let mut second = server.client_lazy();
    let mut request = tonic::Request::new(greeting("x"));
    request.set_timeout(Duration::from_millis(300));
    second.send_greeting(request).await.unwrap_err();
    drop(first);
    eventually(async || second.send_greeting(greeting("x")).await.is_ok()).await;
}

#[tokio::test]
async fn the_drain_lets_calls_end_and_ends_watches() {
    let server = start(Limits::default()).await;
    server.health.serving::<CommandServiceServer<crate::support::Example>>().await;
    let mut client = server.client().await;
    client.send_greeting(greeting("x")).await.unwrap();
    let held = tokio::spawn(async move { client.send_greeting(greeting("gate")).await });
    let mut health = HealthClient::new(server.channel().await);
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.shutdown.cancel();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(watch.message().await.unwrap().is_none());
    eventually(async || TcpStream::connect(server.addr).await.is_err()).await;
    server.gate.add_permits(1);
    held.await.unwrap().unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.serving.drained()).await.unwrap();
}

#[tokio::test]
async fn the_drain_has_an_end_and_takes_connections_with_it() {
    let drain = Duration::from_millis(200);
    let server = start(Limits { drain, ..Limits::default() }).await;
    let mut client = server.client().await;
    client.send_greeting(greeting("x")).await.unwrap();
    let held = tokio::spawn(async move { client.send_greeting(greeting("hang")).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = Instant::now();
    server.shutdown.cancel();
    server.serving.drained().await;
    assert!(before.elapsed() >= drain);
    let cut = tokio::time::timeout(Duration::from_secs(5), held).await.unwrap().unwrap();
    assert!(cut.is_err());
}
