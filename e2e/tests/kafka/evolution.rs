//! Schemas change: by the rules of the registry nobody notices, and against them nothing is lost.

use serde_json::{Value, json};
use tandem_e2e::{eventually::eventually, services::Services, wire::customer};
use tandem_eventlog::{
    Headers, Log, NewRecord, TopicPartition,
    kafka::{Kafka, KafkaSettings},
    partition_for,
};
use tandem_proto::v1::{Order, Reject, RejectCode};

use crate::{
    foreign::{Foreign, Language, schema},
    pair::{Pair, Servers},
    rehome::rehome,
    servers::{Cluster, Registry},
};

#[tokio::test(flavor = "multi_thread")]
async fn newer_and_older_writers_are_read() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let pair = Pair::start(&Servers::at(&cluster, registry.url()), "a", home.path()).await;
    let foreign = Foreign {
        language: Language::Python,
        bootstrap: cluster.bootstrap(),
        registry: registry.url(),
    };
    pair.create(customer("ada", "Ada")).await;

    let mut newer = order("newer");
    newer["value"]["giftNote"] = json!("To Charles");
    foreign.produce("order", &["--schema", &schema("newer")], &[newer]).await.unwrap();
    assert_eq!(shown(&pair, "newer").await.order_place, "London");

    let mut older = order("older");
    older["value"].as_object_mut().unwrap().remove("orderPlace");
    foreign.produce("order", &["--schema", &schema("older")], &[older]).await.unwrap();
    assert_eq!(shown(&pair, "older").await.order_place, "");

    // The other way round: who is newer than the service reads what the service writes.
    pair.place(tandem_e2e::wire::order("ada", "ours", "Engine")).await;
    let read = foreign.consume("order", 3).await.unwrap();
    let ours = read.iter().find(|record| record["value"]["orderId"] == "ours").unwrap();
    assert_eq!(ours["value"].get("giftNote"), None, "{ours}");

    let mut incompatible = order("incompatible");
    incompatible["value"]["currency"] = json!("GBP");
    let flags = ["--schema", &schema("incompatible")];
    let refused = foreign.produce("order", &flags, &[incompatible]).await.unwrap_err();
    assert!(refused.contains("the registry refuses OrderPlaced"), "{refused}");
    assert_eq!(pair.all_rejects(10, &None).await, []);
    pair.stop(&["not ready"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_schema_explains_is_folded_once_one_does() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let servers = Servers::at(&cluster, registry.url());
    let pair = Pair::start(&servers, "a", home.path()).await;
    pair.create(customer("ada", "Ada")).await;

    // A writer whose schema is not in the registry, as after a restore from an old backup.
    let (url, subject) = (registry.url(), "order-tandem.v1.OrderPlaced");
    let last = register(url, "probe", r#"{"type":"record","name":"Probe","fields":[]}"#).await;
    let missing = last + 1;
    let kafka: Log = Kafka::connect(KafkaSettings::new(cluster.bootstrap())).unwrap();
    append(&kafka, missing, "lost").await;
    let reject = rejected(&pair).await;
    assert_eq!(reject.code(), RejectCode::Schema);
    assert!(reject.reason.contains(&format!("schema {missing}")), "{reject:?}");
    let (code, said, _) = rehome(&servers, &pair, &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("1 can't be folded yet\n  order["), "{said}");

    let older = std::fs::read_to_string(schema("older")).unwrap();
    assert_eq!(register(url, subject, &older).await, missing, "ids are counted");
    let (code, said, faults) = rehome(&servers, &pair, &[]).await;
    assert_eq!((code, &*faults), (Some(0), ""), "{said}");
    assert!(said.starts_with("1 re-published\n"), "{said}");
    assert_eq!(shown(&pair, "lost").await.order_item_name, "Engine");
    pair.stop(&["not ready"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_by_our_schema_is_a_reject() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let servers = Servers::at(&cluster, registry.url());
    let pair = Pair::start(&servers, "a", home.path()).await;
    pair.create(customer("ada", "Ada")).await;
    let url = format!("{}/config", registry.url());
    let put = reqwest::Client::new().put(url).json(&json!({"compatibility": "NONE"}));
    assert_eq!(put.send().await.unwrap().status(), 200);

    let mut unresolvable = order("unresolvable");
    unresolvable["value"]["orderItemName"] = json!(7);
    let foreign = Foreign {
        language: Language::Java,
        bootstrap: cluster.bootstrap(),
        registry: registry.url(),
    };
    let flags = ["--schema", &schema("unresolvable")];
    foreign.produce("order", &flags, &[unresolvable]).await.unwrap();
    let reject = rejected(&pair).await;
    assert_eq!(reject.code(), RejectCode::Schema);
    assert!(reject.reason.contains("orderItemName"), "{reject:?}");
    let (code, said, _) = rehome(&servers, &pair, &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("orderItemName"), "{said}");
    // It stops nobody.
    pair.place(tandem_e2e::wire::order("ada", "o-1", "Engine")).await;
    assert_eq!(shown(&pair, "o-1").await.order_item_name, "Engine");
    pair.stop(&["not ready"]).await;
}

fn order(id: &str) -> Value {
    json!({"key": "ada", "value": {
        "orderId": id, "customerId": "ada", "orderItemName": "Engine", "orderPlace": "London",
        "orderPurchaseTime": 1_700_000_000_000_i64,
    }})
}

async fn shown(services: &Services, order_id: &str) -> Order {
    eventually("the order is shown", async || {
        let orders = services.orders_now("ada").await.orders;
        orders.into_iter().find(|order| order.order_id == order_id)
    })
    .await
}

async fn rejected(services: &Services) -> Reject {
    eventually("it is rejected", async || services.all_rejects(10, &None).await.pop()).await
}

/// Gives the schema's id.
async fn register(url: &str, subject: &str, schema: &str) -> u32 {
    let url = format!("{url}/subjects/{subject}/versions");
    let answer = reqwest::Client::new().post(url).json(&json!({"schema": schema})).send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    answer["id"].as_u64().unwrap_or_else(|| panic!("{answer}")).try_into().unwrap()
}

/// An order of ada's by the schema of `older.avsc`, which is said to have that id.
async fn append(log: &Log, id: u32, order_id: &str) {
    let mut value = [&[0], &id.to_be_bytes()[..]].concat();
    for text in [order_id, "ada", "Engine"] {
        value.push(u8::try_from(text.len() * 2).unwrap()); // zigzag
        value.extend(text.as_bytes());
    }
    value.push(2); // the first millisecond of 1970
    let partition = partition_for(b"ada", 4);
    let record = NewRecord {
        to: TopicPartition { topic: "order".into(), partition },
        timestamp_ms: 1_700_000_000_000,
        key: Some("ada".into()),
        value: Some(value.into()),
        headers: Headers::default(),
    };
    log.append(record).await.unwrap();
}
