//! What every log has to do, done by Kafka: on one node, and on three that replicate.

use tandem_eventlog::{
    Log,
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
