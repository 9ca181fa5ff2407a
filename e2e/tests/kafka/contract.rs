//! What every log has to do, done by Kafka: on one node, and on three that replicate.

use tandem_eventlog::{
    Log, contract,
    kafka::{Kafka, KafkaSettings},
};

use crate::servers::{Cluster, shared, shared_three_nodes};

fn log_on(cluster: &Cluster) -> (Log, ()) {
    (Kafka::connect(KafkaSettings::new(cluster.bootstrap())).unwrap(), ())
}

async fn one_node() -> (Log, ()) {
    log_on(&shared().await.cluster)
}

async fn three_nodes() -> (Log, ()) {
    log_on(shared_three_nodes().await)
}

mod on_one_node {
    tandem_eventlog::contract_tests!(tokio::test(flavor = "multi_thread"), super::one_node());
}

mod on_three_nodes {
    tandem_eventlog::contract_tests!(tokio::test(flavor = "multi_thread"), super::three_nodes());
}

/// The protocol in which brokers assign (KIP-848), where an operator asks for it.
mod with_the_newer_group_protocol {
    use super::*;

    async fn log() -> Log {
        let mut settings = KafkaSettings::new(shared().await.cluster.bootstrap());
        settings.properties.push(("group.protocol".into(), "consumer".into()));
        Kafka::connect(settings).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_single_member_gets_all() {
        contract::a_single_member_gets_all(&log().await, &contract::unique_prefix()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn two_members_share() {
        contract::two_members_share(&log().await, &contract::unique_prefix()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_leaver_gives_its_share_back() {
        contract::a_leaver_gives_its_share_back(&log().await, &contract::unique_prefix()).await;
    }
}
