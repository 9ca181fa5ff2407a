//! Every error that the machinery makes goes out with details and a code that blames the right
//! side.

use crate::{
    ports::{ask_reflection, framed, http1},
    support::{greeting, start, told},
};
use std::time::Duration;
use tandem_proto::v1;
use tandem_service::grpc::{
    DEADLINE_EXCEEDED, ENCODING_UNSUPPORTED, Limits, MAX_REQUEST_BYTES, MESSAGE_TOO_LARGE,
    METHOD_UNKNOWN, REQUEST_UNDECODABLE,
};
use tonic::{
    Code, Request, Status, client::Grpc, codec::CompressionEncoding,
    codegen::http::uri::PathAndQuery, transport::Channel,
};
use tonic_prost::ProstCodec;

/// A message that no method takes: field 1 of every request is a text.
#[derive(Clone, PartialEq, prost::Message)]
struct Odd {
    #[prost(uint64, tag = "1")]
    number: u64,
}

async fn call(channel: Channel, path: &'static str, odd: Odd) -> Status {
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let codec = ProstCodec::<Odd, Odd>::default();
    let path = PathAndQuery::from_static(path);
    client.unary(Request::new(odd), path, codec).await.unwrap_err()
}

#[tokio::test]
async fn an_unknown_method_or_service() {
    let server = start(Limits::default()).await;
    for path in ["/tandem.v1.CommandService/Nope", "/no.such.Service/Nope", "/Nope"] {
        let status = call(server.channel().await, path, Odd::default()).await;
        assert_eq!(told(&status), (Code::Unimplemented, METHOD_UNKNOWN.into()));
        assert_eq!(status.message(), format!("this server has no method {path}"));
    }
}

#[tokio::test]
async fn bytes_that_are_no_such_message() {
    let server = start(Limits::default()).await;
    let path = "/tandem.v1.CommandService/SendGreeting";
    let status = call(server.channel().await, path, Odd { number: 7 }).await;
    assert_eq!(told(&status), (Code::InvalidArgument, REQUEST_UNDECODABLE.into()));
}

#[tokio::test]
async fn a_message_that_is_too_large_plain_or_compressed() {
    let server = start(Limits::default()).await;
    let large = greeting(&"x".repeat(MAX_REQUEST_BYTES));
    let plain = server.client().await;
    let gzip = server.client().await.send_compressed(CompressionEncoding::Gzip);
    let zstd = server.client().await.send_compressed(CompressionEncoding::Zstd);
    for mut client in [plain, gzip, zstd] {
        let status = client.send_greeting(large.clone()).await.unwrap_err();
        assert_eq!(told(&status), (Code::ResourceExhausted, MESSAGE_TOO_LARGE.into()));
        client.send_greeting(greeting(&"x".repeat(1000))).await.unwrap();
    }
}

#[tokio::test]
async fn a_compression_that_is_not_read() {
    let server = start(Limits::default()).await;
    let mut request = Request::new(greeting("x"));
    request.metadata_mut().insert("grpc-encoding", "br".parse().unwrap());
    let status = server.client().await.send_greeting(request).await.unwrap_err();
    assert_eq!(told(&status), (Code::Unimplemented, ENCODING_UNSUPPORTED.into()));
    assert!(status.metadata().contains_key("grpc-accept-encoding"));
}

#[tokio::test]
async fn a_deadline_that_passes_is_told_by_the_server() {
    let server = start(Limits::default()).await;
    // Without a gRPC client, whose own timer might be first.
    for timeout in ["0n", "1u", "1m", "2m", "3m", "20m", "200m"] {
        let head = format!(
            "POST /tandem.v1.CommandService/SendGreeting HTTP/1.1\r\n\
             content-type: application/grpc-web+proto\r\ngrpc-timeout: {timeout}"
        );
        let answer = http1(&server, &head, &framed(&greeting("hang"))).await;
        assert!(answer.contains("grpc-status: 4\r\n"), "{timeout}: {answer}");
        assert!(answer.contains("grpc-status-details-bin: "), "{timeout}: {answer}");
    }
}

#[tokio::test]
async fn a_deadline_that_passes_is_told_before_the_caller_gives_up() {
    let server = start(Limits::default()).await;
    let mut client = server.client().await;
    let mut call = async |message| {
        let mut request = Request::new(greeting(message));
        request.set_timeout(Duration::from_millis(500));
        told(&client.send_greeting(request).await.unwrap_err())
    };
    let late = Code::DeadlineExceeded;
    assert_eq!(call("until the deadline").await, (late, "RICH".into()));
    assert_eq!(call("hang").await, (late, DEADLINE_EXCEEDED.into()));
}

#[tokio::test]
async fn a_bare_status_of_a_handler_or_of_health_and_reflection() {
    let server = start(Limits::default()).await;
    let status = server.client().await.create_customer(v1::CreateCustomerRequest::default()).await;
    assert_eq!(told(&status.unwrap_err()), (Code::Aborted, "ABORTED".into()));

    let mut health = tonic_health::pb::health_client::HealthClient::new(server.channel().await);
    let request = tonic_health::pb::HealthCheckRequest { service: "no.such.Service".into() };
    let status = health.check(request).await.unwrap_err();
    assert_eq!(told(&status), (Code::NotFound, "NOT_FOUND".into()));

    let status = ask_reflection(&server, "no.such.Symbol").await.unwrap_err();
    assert_eq!(told(&status), (Code::NotFound, "NOT_FOUND".into()));
}
