//! Reflection, with which tools like grpcurl learn what a port offers.

use futures::stream;
use tonic::transport::Channel;

use tandem_e2e::launch::Launch;

macro_rules! lists {
    ($name:ident, $version:ident) => {
        async fn $name(channel: Channel) -> Vec<String> {
            use tonic_reflection::pb::$version::{
                ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
                server_reflection_request::MessageRequest as Ask,
                server_reflection_response::MessageResponse as Told,
            };
            let mut reflection = ServerReflectionClient::new(channel);
            let asks = [
                Ask::ListServices(String::new()),
                Ask::FileContainingSymbol("tandem.v1.PlaceOrderRequest".into()),
                Ask::FileContainingSymbol("google.rpc.BadRequest".into()),
            ];
            let asks = asks.map(|ask| ServerReflectionRequest {
                host: String::new(),
                message_request: Some(ask),
            });
            let answer = reflection.server_reflection_info(stream::iter(asks)).await.unwrap();
            let mut answers = answer.into_inner();
            let mut next = async || answers.message().await.unwrap().unwrap().message_response;
            let Some(Told::ListServicesResponse(list)) = next().await else { panic!("no list") };
            for _ in 0..2 {
                let Some(Told::FileDescriptorResponse(_)) = next().await else {
                    panic!("a type that callers see is not described")
                };
            }
            list.service.into_iter().map(|service| service.name).collect()
        }
    };
}

lists!(listed_by_v1, v1);
lists!(listed_by_v1alpha, v1alpha);

#[tokio::test]
async fn both_versions_list_what_the_port_has() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    for (service, channel) in tandem.channels() {
        let everywhere = [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
        ];
        let expected: Vec<_> = everywhere.into_iter().chain([service]).collect();
        for mut listed in
            [listed_by_v1(channel.clone()).await, listed_by_v1alpha(channel.clone()).await]
        {
            listed.sort();
            assert_eq!(listed, expected);
        }
    }
    tandem.stop(&[]).await;
}
