//! What else a port takes or refuses: gRPC-Web as browsers send it, messages that are too large,
//! methods that don't exist; and the registry, which speaks plain HTTP.

use prost::Message;
use reqwest::{StatusCode, Version};
use serde_json::Value;
use tandem_proto::v1::{GetCustomerRequest, GetCustomerResponse};
use tonic::{Code, Request, Status, codegen::http::uri::PathAndQuery, transport::Channel};
use tonic_prost::ProstCodec;

use tandem_e2e::{
    eventually::eventually,
    launch::Launch,
    tandem::Tandem,
    told::{of, told},
    wire::{customer, customer_as_of},
};

const IS_TRAILERS: u8 = 0x80;

/// The message, if there is one, and the trailers of a gRPC-Web answer to `GetCustomer`.
async fn over_grpc_web(
    tandem: &Tandem,
    asked: &GetCustomerRequest,
) -> (Option<GetCustomerResponse>, String) {
    let message = asked.encode_to_vec();
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend(message);
    let url = format!("{}/tandem.v1.QueryService/GetCustomer", tandem.urls.query);
    let request = reqwest::Client::new().post(url).body(body);
    let request = request.header("content-type", "application/grpc-web+proto");
    let answer = request.header("x-grpc-web", "1").send().await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_11));
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/grpc-web"), "{kind}");
    let said = answer.headers().iter();
    let mut trailers: String =
        said.map(|(name, value)| format!("{name}:{}\r\n", value.to_str().unwrap())).collect();

    let body = answer.bytes().await.unwrap();
    let (mut message, mut rest) = (None, &body[..]);
    while let Some((head, after)) = rest.split_first_chunk::<5>() {
        let [kind, length @ ..] = *head;
        let (frame, after) = after.split_at(u32::from_be_bytes(length) as usize);
        match kind {
            IS_TRAILERS => trailers.push_str(std::str::from_utf8(frame).unwrap()),
            _ => message = Some(GetCustomerResponse::decode(frame).unwrap()),
        }
        rest = after;
    }
    assert!(rest.is_empty(), "frames end where the answer ends");
    (message, trailers)
}

#[tokio::test]
async fn grpc_web_over_http_1_is_answered_in_kind() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let created = tandem.create(customer("ada", "Ada")).await;
    let asked = customer_as_of("ada", &created.receipt);
    let (message, trailers) = over_grpc_web(&tandem, &asked).await;
    assert_eq!(message.unwrap().customer, created.customer);
    assert!(trailers.contains("grpc-status:0"), "{trailers}");

    let (message, trailers) =
        over_grpc_web(&tandem, &customer_as_of("bob", &created.receipt)).await;
    assert_eq!(message, None);
    assert!(trailers.contains("grpc-status:5"), "{trailers}");
    assert!(trailers.contains("grpc-status-details-bin:"), "{trailers}");
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_with_details() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let large = "x".repeat(2 << 20);
    let refused = told(tandem.commands().create_customer(customer("ada", &large)).await);
    refused.is(Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    let asked = GetCustomerRequest { customer_id: large, freshness: None };
    let refused = told(tandem.queries().get_customer(asked).await);
    refused.is(Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    tandem.create(customer("ada", "Ada")).await;
    tandem.stop(&[]).await;
}

async fn call(channel: Channel, path: &'static str) -> Status {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let codec: ProstCodec<GetCustomerRequest, GetCustomerResponse> = ProstCodec::default();
    let path = PathAndQuery::from_static(path);
    grpc.unary(Request::new(GetCustomerRequest::default()), path, codec).await.unwrap_err()
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_unimplemented_with_details() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    for (_, channel) in tandem.channels() {
        for path in
            ["/tandem.v1.CommandService/NoSuch", "/tandem.v1.QueryService/NoSuch", "/no.Such/Thing"]
        {
            let refused = of(&call(channel.clone(), path).await);
            refused.is(Code::Unimplemented, "METHOD_UNKNOWN");
        }
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn the_registry_lists_the_subjects_of_everything_on_the_log() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let ask = async |path: &str| -> Value {
        let answer = reqwest::get(format!("{}{path}", tandem.urls.registry)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    };
    // What instances tell each other has its schema once they do.
    let subjects = eventually("all are registered", async || {
        let subjects = ask("/subjects").await;
        let subjects = subjects.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned());
        Some(subjects.collect::<Vec<_>>()).filter(|subjects| subjects.len() > 7)
    })
    .await;
    assert_eq!(
        subjects,
        [
            "customer-tandem.v1.CustomerRegistered",
            "customer-tandem.v1.CustomerRemoved",
            "customer-tandem.v1.CustomerUpdated",
            "greetings-tandem.v1.GreetingSent",
            "order-tandem.v1.OrderCancelled",
            "order-tandem.v1.OrderPlaced",
            "order-tandem.v1.OrderUpdated",
            "tandem-instances-tandem.v1.InstanceAnnounced",
        ]
    );
    for subject in subjects {
        let latest = ask(&format!("/subjects/{subject}/versions/latest")).await;
        assert_eq!(
            (latest["version"].as_u64(), latest["subject"].as_str()),
            (Some(1), Some(&*subject))
        );
    }
    tandem.stop(&[]).await;
}
