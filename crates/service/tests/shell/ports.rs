//! What answers on the one port: health, both reflections, gRPC-Web and plain HTTP.

use crate::support::{Server, greeting, start};
use std::collections::BTreeSet;
use tandem_proto::v1::command_service_server::CommandServiceServer;
use tandem_service::grpc::Limits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Status;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::{v1, v1alpha};

type Command = CommandServiceServer<crate::support::Example>;

async fn health(server: &Server, service: &str) -> ServingStatus {
    let mut client = HealthClient::new(server.channel().await);
    let request = HealthCheckRequest { service: service.into() };
    client.check(request).await.unwrap().into_inner().status()
}

#[tokio::test]
async fn a_service_serves_when_it_says_so() {
    let server = start(Limits::default()).await;
    let name = "tandem.v1.CommandService";
    assert_eq!(health(&server, name).await, ServingStatus::NotServing);
    assert_eq!(health(&server, "").await, ServingStatus::NotServing);
    server.health.serving::<Command>().await;
    assert_eq!(health(&server, name).await, ServingStatus::Serving);
    assert_eq!(health(&server, "").await, ServingStatus::Serving);
    server.health.not_serving::<Command>().await;
    assert_eq!(health(&server, "").await, ServingStatus::NotServing);
}

pub(crate) async fn ask_reflection(server: &Server, symbol: &str) -> Result<usize, Status> {
    use v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let mut client = ServerReflectionClient::new(server.channel().await);
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::FileContainingSymbol(symbol.into())),
        ..Default::default()
    };
    let stream = client.server_reflection_info(tokio_stream::once(request)).await?;
    match stream.into_inner().message().await?.unwrap().message_response.unwrap() {
        MessageResponse::FileDescriptorResponse(files) => Ok(files.file_descriptor_proto.len()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn reflection_v1_and_v1alpha_know_what_is_served() {
    let server = start(Limits::default()).await;
    let symbols = ["tandem.v1.CommandService", "tandem.v1.Order", "google.rpc.BadRequest"];
    for symbol in symbols {
        assert_eq!(ask_reflection(&server, symbol).await.unwrap(), 1, "{symbol}");
    }
    use v1alpha::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let mut client = ServerReflectionClient::new(server.channel().await);
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let stream = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
    let answer = stream.into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}");
    };
    let names: BTreeSet<_> = list.service.into_iter().map(|s| s.name).collect();
    let served = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "tandem.v1.CommandService",
    ];
    assert!(names.iter().eq(served), "{names:?}");
}

/// A message as it stands in a gRPC body.
pub(crate) fn framed(message: &impl prost::Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    let mut body = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
    body.extend_from_slice(&message);
    body
}

/// One request over HTTP/1; gives the whole answer in small letters.
pub(crate) async fn http1(server: &Server, head: &str, body: &[u8]) -> String {
    let mut tcp = TcpStream::connect(server.addr).await.unwrap();
    let length = body.len();
    let head =
        format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    tcp.write_all(head.as_bytes()).await.unwrap();
    tcp.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).to_lowercase()
}

#[tokio::test]
async fn grpc_web_over_http_1() {
    let server = start(Limits::default()).await;
    let body = framed(&greeting("x"));
    let head = "POST /tandem.v1.CommandService/SendGreeting HTTP/1.1\r\n\
                content-type: application/grpc-web+proto";
    let answer = http1(&server, head, &body).await;
    assert!(answer.starts_with("http/1.1 200 ok\r\n"), "{answer}");
    assert!(answer.contains("content-type: application/grpc-web+proto\r\n"), "{answer}");
    assert!(answer.contains("grpc-status:0"), "{answer}");

    let head = "POST /tandem.v1.CommandService/Nope HTTP/1.1\r\n\
                content-type: application/grpc-web+proto";
    let answer = http1(&server, head, &body).await;
    assert!(answer.contains("grpc-status: 12\r\n"), "{answer}");
    assert!(answer.contains("grpc-status-details-bin: "), "{answer}");
}

#[tokio::test]
async fn plain_http_on_the_same_port() {
    let server = start(Limits::default()).await;
    let answer = http1(&server, "GET /plain HTTP/1.1", b"").await;
    assert!(answer.starts_with("http/1.1 200 ok\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nplain\n"), "{answer}");
}
