//! The ground that the other tests of this tier stand on: servers do what they are told, and
//! nothing of them stays behind.

use serde_json::{Value, json};

use tandem_e2e::eventually::eventually;

use crate::{
    kcat::{Kcat, Record},
    servers::{Cluster, Registry, shared},
};

/// Clients have to say who they are; so does the broker to itself.
const PASSWORDS: &str = "
listeners=SASL_PLAINTEXT://127.0.0.1:@PORT@,CONTROLLER://127.0.0.1:@CONTROLLER_PORT@
advertised.listeners=SASL_PLAINTEXT://127.0.0.1:@PORT@
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=\\
  org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username=broker password=b user_broker=b user_ada=lovelace;
";

#[tokio::test]
async fn keys_headers_and_tombstones_come_back() {
    let cluster = &shared().await.cluster;
    let topic = unique("round-trip");
    cluster.create_topic(&topic, 2).await;
    let headers = vec![("ce_id".to_owned(), "1".to_owned()), ("empty".to_owned(), String::new())];
    let records = [
        Record { key: "ada".into(), value: Some("Lovelace".into()), headers },
        Record { key: "ada".into(), ..Record::default() },
    ];
    let kcat = Kcat::at(cluster.bootstrap());
    for record in &records {
        kcat.produce(&topic, 1, record).await.unwrap();
    }
    assert_eq!(kcat.consume(&topic).await.unwrap(), records);
    assert_eq!(cluster.leader_of(&topic, 1).await, Some(1));
    assert_eq!(cluster.leader_of(&topic, 2).await, None, "there is no such partition");
}

#[tokio::test]
async fn a_topic_is_not_made_by_writing_to_it() {
    let cluster = &shared().await.cluster;
    let topic = unique("nobody-made");
    let kcat = Kcat::at(cluster.bootstrap()).with("message.timeout.ms", "2000");
    assert!(kcat.produce(&topic, 0, &said("anything")).await.is_err());
    assert_eq!(cluster.leader_of(&topic, 0).await, None);
}

#[tokio::test]
async fn three_nodes_get_over_the_loss_of_any() {
    let mut cluster = Cluster::start(3).await;
    cluster.create_topic("t", 1).await;
    let kcat = Kcat::at(cluster.bootstrap());
    kcat.produce("t", 0, &said("before")).await.unwrap();

    let leader = cluster.leader_of("t", 0).await.unwrap();
    cluster.kill9(leader).await;
    kcat.produce("t", 0, &said("one was killed")).await.unwrap();
    let successor = cluster.leader_of("t", 0).await.unwrap();
    assert_ne!(successor, leader);
    cluster.start_node(leader).await;
    all_in_sync(&cluster).await;

    cluster.stop_node(successor).await;
    kcat.produce("t", 0, &said("another was stopped")).await.unwrap();
    cluster.start_node(successor).await;
    all_in_sync(&cluster).await;

    cluster.kill9_all().await;
    cluster.start_all().await;
    kcat.produce("t", 0, &said("all were killed")).await.unwrap();
    let kept = kcat.consume("t").await.unwrap();
    let expected = ["before", "one was killed", "another was stopped", "all were killed"];
    assert_eq!(kept, expected.map(said));
}

#[tokio::test]
async fn a_cluster_can_be_set_up_otherwise() {
    let cluster = Cluster::with(1, PASSWORDS).await;
    let known_as = |password| {
        Kcat::at(cluster.bootstrap())
            .with("security.protocol", "SASL_PLAINTEXT")
            .with("sasl.mechanism", "PLAIN")
            .with("sasl.username", "ada")
            .with("sasl.password", password)
    };
    known_as("lovelace").metadata("none").await.map(drop).unwrap();
    assert!(known_as("byron").metadata("none").await.is_err());
}

#[tokio::test]
async fn the_registry_refuses_what_is_incompatible() {
    let url = shared().await.registry.url();
    let subject = unique("subject");
    let (_, registered) = post(url, &format!("subjects/{subject}/versions"), &text_field()).await;
    assert!(registered["id"].is_u64(), "{registered}");
    let (_, found) = post(url, &format!("subjects/{subject}"), &text_field()).await;
    assert_eq!((&found["id"], &found["version"]), (&registered["id"], &json!(1)));
    let by_id = format!("{url}/schemas/ids/{}", registered["id"]);
    let by_id: Value = reqwest::get(by_id).await.unwrap().json().await.unwrap();
    assert_eq!(by_id["schema"].as_str(), Some(&*text_field()));

    let asked = format!("compatibility/subjects/{subject}/versions/latest");
    let (_, answer) = post(url, &asked, &number_field()).await;
    assert_eq!(answer["is_compatible"], false);
    let (status, refused) =
        post(url, &format!("subjects/{subject}/versions"), &number_field()).await;
    assert_eq!(status, 409, "{refused}");
}

#[tokio::test]
async fn a_registry_that_was_killed_knows_its_schemas() {
    let mut registry = Registry::start().await;
    let (_, before) = post(registry.url(), "subjects/s/versions", &text_field()).await;
    registry.kill9().await;
    registry.start_again().await;
    let (_, after) = post(registry.url(), "subjects/s", &text_field()).await;
    assert_eq!((&after["id"], &after["version"]), (&before["id"], &json!(1)));
    let (status, refused) = post(registry.url(), "subjects/s/versions", &number_field()).await;
    assert_eq!(status, 409, "{refused}");
}

#[tokio::test]
async fn nothing_stays_behind() {
    let (mut cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let pids = [cluster.pids(), registry.pids()].concat();
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| runs(*pid)));
    cluster.kill9(1).await;
    assert_eq!((cluster.pids(), runs(pids[0])), (vec![], false));
    cluster.start_node(1).await;
    let pids = [pids, cluster.pids()].concat();
    drop((cluster, registry));
    assert!(!pids.iter().any(|pid| runs(*pid)));
}

async fn all_in_sync(cluster: &Cluster) {
    eventually("all three nodes have everything", async || {
        (cluster.in_sync("t", 0).await? == [1, 2, 3]).then_some(())
    })
    .await;
}

fn said(value: &str) -> Record {
    Record { key: "k".into(), value: Some(value.into()), headers: Vec::new() }
}

/// A name that no other test has.
fn unique(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::new_v4())
}

fn text_field() -> String {
    r#"{"type":"record","name":"R","fields":[{"name":"f","type":"string"}]}"#.to_owned()
}

fn number_field() -> String {
    text_field().replace("string", "long")
}

/// What the registry answers to that schema.
async fn post(url: &str, path: &str, schema: &str) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("{url}/{path}"));
    let answer = request.json(&json!({ "schema": schema })).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Whether there is such a process, and not just its exit status.
fn runs(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| !words.is_empty())
}
