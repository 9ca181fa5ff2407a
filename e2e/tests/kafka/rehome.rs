//! Records in the wrong partition are listed with the setting to change, and `tandem-rehome`
//! brings them home, once each.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_e2e::{eventually::eventually, process::Process, services::Services};
use tandem_eventlog::partition_for;
use tandem_proto::v1::RejectCode;

use crate::{
    foreign::{Foreign, Language},
    kcat::Kcat,
    pair::{Pair, Servers},
    servers::{Cluster, Registry},
    strangers::place,
};

#[tokio::test(flavor = "multi_thread")]
async fn misplaced_records_are_brought_home_once() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let servers = Servers::at(&cluster, registry.url());
    let pair = Pair::start(&servers, "a", home.path()).await;
    let foreign = Foreign {
        language: Language::Python,
        bootstrap: cluster.bootstrap(),
        registry: registry.url(),
    };
    let records: Vec<Value> = (0..12)
        .map(|n| format!("c-{n}"))
        .map(|id| {
            json!({"key": id, "value": {
                "customerId": id, "firstName": "Ada", "lastName": "", "email": "", "phone": "",
            }})
        })
        .collect();
    let librdkafkas = ["--partitioner", "consistent_random"];
    let places = foreign.produce("customer", &librdkafkas, &records).await.unwrap();
    let is_misplaced = |said: &&Value| {
        place(said).0 != partition_for(said["key"].as_str().unwrap().as_bytes(), 4).0
    };
    let misplaced: BTreeSet<_> = places.iter().filter(is_misplaced).map(place).collect();
    let count = misplaced.len();
    assert!((1..12).contains(&count), "librdkafka's default places some otherwise: {places:?}");

    let rejects = eventually("all misplaced are listed", async || {
        let rejects = pair.all_rejects(100, &None).await;
        (rejects.len() == count).then_some(rejects)
    })
    .await;
    assert_eq!(rejects.iter().map(|r| (r.partition, r.offset)).collect::<BTreeSet<_>>(), misplaced);
    for reject in &rejects {
        assert_eq!(reject.code(), RejectCode::WrongPartition);
        assert!(reject.reason.contains("partitioner=murmur2_random"), "{reject:?}");
    }
    assert_eq!(pair.all_customers(100, &None).await.len(), 12 - count);

    let dry = rehome(&servers, &pair, &["--dry-run"]).await;
    assert_eq!(dry, (Some(0), said("would be re-published", count, 0), String::new()));
    let kcat = Kcat::at(cluster.bootstrap());
    assert_eq!(kcat.consume("customer").await.unwrap().len(), 12);

    let done = rehome(&servers, &pair, &[]).await;
    assert_eq!(done, (Some(0), said("re-published", count, 0), String::new()));
    eventually("everybody is there", async || {
        (pair.all_customers(100, &None).await.len() == 12).then_some(())
    })
    .await;
    assert_eq!(rehome(&servers, &pair, &[]).await.1, said("re-published", 0, count));
    assert_eq!(kcat.consume("customer").await.unwrap().len(), 12 + count);
    assert_eq!(pair.all_rejects(100, &None).await.len(), count, "what was written stays written");
    pair.stop(&["not ready"]).await;
}

fn said(done: &str, now: usize, before: usize) -> String {
    format!("{now} {done}\n{before} had been re-published before\n0 can't be folded yet\n")
}

/// Its exit code, and what it said.
pub(crate) async fn rehome(
    servers: &Servers,
    services: &Services,
    more: &[&str],
) -> (Option<i32>, String, String) {
    let flags = [&["--query", &*services.urls.query], more].concat();
    let process: Process = servers.start("tandem-rehome", &flags);
    let status = process.ended().await;
    (status.code(), process.stdout(), process.stderr())
}
