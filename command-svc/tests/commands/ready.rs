//! From NOT_SERVING to SERVING: what is waited for, and what callers hear meanwhile.

use crate::{
    scripted::{Mood, Scripted},
    support::{SERVICE, System, eventually, told},
};
use axum::{Router, routing::post};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tandem_codec::{Codec, RegistrySettings};
use tandem_eventlog::{LogError, embedded::Embedded};
use tandem_proto::v1;
use tokio::net::{TcpListener, TcpSocket};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_reflection::pb::v1 as reflection;

fn greet() -> v1::SendGreetingRequest {
    v1::SendGreetingRequest { message: "hi".into(), ..Default::default() }
}

fn log() -> std::sync::Arc<Scripted> {
    Scripted::new(Embedded::open_in_memory().unwrap())
}

async fn is_waiting(system: &System) {
    assert_eq!(system.health(SERVICE).await, ServingStatus::NotServing);
    assert_eq!(system.health("").await, ServingStatus::NotServing);
    let mut client = system.client().await;
    let status = client.send_greeting(greet()).await.unwrap_err();
    assert_eq!(told(&status), (Code::Unavailable, "NOT_READY".into()));
    // What the caller has to mend is told even now.
    let status = client.send_greeting(v1::SendGreetingRequest::default()).await.unwrap_err();
    assert_eq!(told(&status), (Code::InvalidArgument, "INVALID_REQUEST".into()));
}

async fn comes_to_serve(system: &System) {
    eventually(async || system.health(SERVICE).await == ServingStatus::Serving).await;
    assert_eq!(system.health("").await, ServingStatus::Serving);
    system.client().await.send_greeting(greet()).await.unwrap();
}

/// As much of a registry as registering needs: each schema gets the next id.
fn registry() -> Router {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let register = post(async || {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        // The text of the answer, since this crate has no other use for a JSON library.
        ([("content-type", "application/json")], format!("{{\"id\":{id}}}"))
    });
    Router::new().route("/subjects/{subject}/versions", register)
}

#[tokio::test]
async fn waits_for_the_registry() {
    // Bound and not listening: connections are refused, and the port stays ours.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let urls = vec![format!("http://{}", socket.local_addr().unwrap())];
    let settings = RegistrySettings { urls, basic_auth: None, timeout_ms: 1000 };
    let system = System::on(log(), Codec::connect(&settings).unwrap()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    is_waiting(&system).await;
    let listener: TcpListener = socket.listen(16).unwrap();
    tokio::spawn(async move { axum::serve(listener, registry()).await });
    comes_to_serve(&system).await;
}

#[tokio::test]
async fn waits_for_the_log() {
    let log = log();
    log.is(Mood::Refuses(LogError::Unavailable("no broker".into())));
    let system = System::on(log.clone(), Codec::with_fixed_ids()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    is_waiting(&system).await;
    log.is(Mood::Works);
    comes_to_serve(&system).await;
}

#[tokio::test]
async fn can_be_shut_down_while_it_waits() {
    let log = log();
    log.is(Mood::Refuses(LogError::Unsuitable("4 partitions, not 3".into())));
    let system = System::on(log, Codec::with_fixed_ids()).await;
    is_waiting(&system).await;
    system.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(5), system.running.drained()).await.unwrap();
}

#[tokio::test]
async fn reflection_knows_the_service() {
    use reflection::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let system = System::ready().await;
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::FileContainingSymbol(SERVICE.into())),
        ..Default::default()
    };
    let mut client = ServerReflectionClient::new(system.channel().await);
    let answer = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
    let answer = answer.into_inner().message().await.unwrap().unwrap().message_response;
    assert!(matches!(answer, Some(MessageResponse::FileDescriptorResponse(_))), "{answer:?}");
}
