//! The whole system on three nodes, in processes of their own: two command services, and two
//! replica sets that each hold the whole view.

use tandem_e2e::{load::Load, services::Urls};

use crate::{
    kcat::Kcat,
    pair::{Pair, Servers},
    servers::{Registry, shared_three_nodes},
};

const SCALE: &str = "0.02";

#[tokio::test]
async fn what_is_loaded_is_in_every_replica_set_and_stays() {
    let home = tempfile::tempdir().unwrap();
    let (a, b, journal) =
        (home.path().join("a"), home.path().join("b"), home.path().join("journal"));
    let (cluster, registry) = tokio::join!(shared_three_nodes(), Registry::start());
    let servers = Servers::at(cluster, registry.url());
    let servers = servers.with("--replication-factor", "3").with("--min-insync-replicas", "2");
    // Side by side: both make the topics and register the schemas, and neither minds the other.
    let (one, other) = tokio::join!(Pair::start(&servers, "a", &a), Pair::start(&servers, "b", &b));

    Load::start(&one.urls, &journal, SCALE).passes().await;
    Load::check(&other.urls, &journal, SCALE).await;
    let crossed = Urls { query: other.urls.query.clone(), ..one.urls.clone() };
    Load::start(&crossed, &journal, SCALE).passes().await;

    let one = one.kill_query(&servers, "a", &a).await;
    Load::check(&one.urls, &journal, SCALE).await;

    for topic in ["customer", "order", "greetings"] {
        let topic = Kcat::at(cluster.bootstrap()).metadata(topic).await.unwrap();
        for partition in 0..4 {
            let replicas = topic.partition(partition).unwrap()["replicas"].as_array().unwrap();
            assert_eq!(replicas.len(), 3);
        }
    }
    // A group whose member was killed waits until Kafka has noticed.
    one.stop(&["waiting for the group", "not ready"]).await;
    other.stop(&["not ready", "an instance is not heard any more"]).await;
}
