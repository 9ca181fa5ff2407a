//! Health, as load balancers and supervisors ask for it.

use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use tandem_e2e::{
    launch::Launch,
    services::{COMMAND, QUERY, health},
};

#[tokio::test]
async fn each_port_tells_the_health_of_its_own_service() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let [(_, command), (_, query)] = tandem.channels();
    for (channel, own, other) in [(command, COMMAND, QUERY), (query, QUERY, COMMAND)] {
        for service in [own, ""] {
            assert_eq!(health(&channel, service).await, Some(ServingStatus::Serving), "{own}");
        }
        let asked = HealthCheckRequest { service: other.into() };
        let unknown = HealthClient::new(channel).check(asked).await.unwrap_err();
        assert_eq!(tandem_e2e::told::of(&unknown).code, Code::NotFound);
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_watch_hears_of_the_end_and_does_not_hold_it_up() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let mut watches = Vec::new();
    for (service, channel) in tandem.channels() {
        let asked = HealthCheckRequest { service: service.into() };
        let answer = HealthClient::new(channel).watch(asked).await.unwrap();
        let mut watch = answer.into_inner();
        let first = watch.message().await.unwrap().unwrap();
        assert_eq!(first.status(), ServingStatus::Serving);
        watches.push(watch);
    }
    tandem.ask_to_end();
    for mut watch in watches {
        // Said, or the stream ends; a status that is no longer SERVING is never taken back.
        while let Ok(Some(told)) = watch.message().await {
            assert_eq!(told.status(), ServingStatus::NotServing);
        }
    }
    tandem.ended_well(&[]).await;
}
