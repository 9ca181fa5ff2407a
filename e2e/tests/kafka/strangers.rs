//! Records that others wrote are in the view, and what Tandem writes others read: by schemas of
//! each one's own registry client, on a registry that isn't ours and on the one that is.

use serde_json::{Value, json};
use tandem_e2e::{
    eventually::eventually,
    process::Process,
    services::{Services, Urls},
    told::told,
    wire::{customer, customer_as_of, order},
};
use tandem_eventlog::partition_for;
use tonic::Code;

use crate::{
    foreign::{Foreign, Language},
    kcat::{Kcat, Record},
    pair::{Pair, Servers},
    servers::{Cluster, Registry},
};

const SHARDS: u32 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn through_a_registry_that_is_not_ours() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let pair = Pair::start(&Servers::at(&cluster, registry.url()), "a", home.path()).await;
    both_directions(&cluster, &pair).await;
    pair.stop(&["not ready"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn through_the_registry_that_is_ours() {
    let home = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(1).await;
    let log = format!("kafka://{}", cluster.bootstrap());
    let any = "127.0.0.1:0";
    let flags = [
        ["--log", &log, "--data-dir", home.path().to_str().unwrap(), "--command-addr", any],
        ["--query-addr", any, "--registry-addr", any, "--replica-set", "a"],
    ];
    let tandem = Process::start("tandem", &flags.concat());
    let services = Services::at(Urls {
        command: tandem.announced("command").await,
        query: tandem.announced("query").await,
        registry: tandem.announced("registry").await,
    });
    services.serving().await;
    both_directions(&cluster, &services).await;
    tandem.stop(&["not ready"]).await;
}

async fn both_directions(cluster: &Cluster, services: &Services) {
    services.create(customer("ada", "Ada")).await;
    services.place(order("ada", "o-1", "Engine")).await;
    services.greet("g-1", "Hello, wörld").await;
    // So many records are on each topic by then.
    for (written, language) in (1..).zip([Language::Python, Language::Java]) {
        let foreign =
            Foreign { language, bootstrap: cluster.bootstrap(), registry: &services.urls.registry };
        they_read_what_we_wrote(&foreign, written).await;
        we_show_what_they_wrote(&foreign, services).await;
    }
    kcat_reads_and_writes(&Kcat::at(cluster.bootstrap()), services).await;
}

async fn they_read_what_we_wrote(foreign: &Foreign<'_>, written: usize) {
    let ours = [
        ("customer", "ada", "tandem.v1.CustomerRegistered", json!({"firstName": "Ada"})),
        ("order", "ada", "tandem.v1.OrderPlaced", json!({"orderId": "o-1", "customerId": "ada"})),
        ("greetings", "g-1", "tandem.v1.GreetingSent", json!({"message": "Hello, wörld"})),
    ];
    for (topic, key, schema, fields) in ours {
        let read = foreign.consume(topic, written).await.unwrap();
        let record = read.iter().find(|record| record["key"] == key).unwrap();
        assert_eq!(record["schema"], schema);
        assert_eq!(record["partition"], partition_for(key.as_bytes(), SHARDS).0);
        assert_eq!(record["headers"]["ce_type"], schema);
        for (name, value) in fields.as_object().unwrap() {
            assert_eq!(&record["value"][name], value, "{record}");
        }
    }
}

async fn we_show_what_they_wrote(foreign: &Foreign<'_>, services: &Services) {
    let id = format!("{:?}", foreign.language);
    let registered = json!({"key": id, "value": {
        "customerId": id, "firstName": "Grace", "lastName": "Höpper", "email": "", "phone": "1906",
    }});
    let placed = json!({"key": id, "value": {
        "orderId": "o", "customerId": id, "orderItemName": "Compiler", "orderPlace": "Yale",
        "orderPurchaseTime": 1_700_000_000_123_i64,
    }});
    let greeting = format!("g-{id}");
    let greeted = json!({"key": greeting, "value": {
        "greetingId": greeting, "message": "A0", "timestamp": 1_700_000_000_123_i64,
    }});
    for (topic, record) in [("customer", &registered), ("order", &placed), ("greetings", &greeted)]
    {
        let [place] = foreign
            .produce(topic, &[], std::slice::from_ref(record))
            .await
            .unwrap()
            .try_into()
            .unwrap();
        let key = record["key"].as_str().unwrap();
        assert_eq!(place["partition"], partition_for(key.as_bytes(), SHARDS).0, "{place}");
    }
    let (customer, order) = eventually("what they wrote is shown", async || {
        let mut answer = services.orders_now(&id).await;
        Some((answer.customer?, answer.orders.pop()?))
    })
    .await;
    assert!(services.orders_now(&id).await.registered);
    assert_eq!((&*customer.last_name, &*customer.phone), ("Höpper", "1906"));
    assert_eq!((&*order.order_item_name, &*order.order_place), ("Compiler", "Yale"));
    let at = order.order_purchase_time.unwrap();
    assert_eq!((at.seconds, at.nanos), (1_700_000_000, 123_000_000));
    eventually("the greeting is shown", async || {
        let all = services.all_greetings(10, &None).await;
        all.into_iter().find(|shown| shown.greeting_id == greeting && shown.message == "A0")
    })
    .await;
}

/// Keys, headers and tombstones as a client sees them that knows nothing of Avro.
async fn kcat_reads_and_writes(kcat: &Kcat, services: &Services) {
    let receipt = services.remove("ada").await;
    let gone = services.queries().get_customer(customer_as_of("ada", &receipt)).await;
    told(gone).is(Code::NotFound, "CUSTOMER_NOT_FOUND");
    let records = kcat.consume("customer").await.unwrap();
    let ours: Vec<_> = records.iter().filter(|record| record.key == "ada").collect();
    let [registered, removed] = ours.try_into().unwrap();
    for (record, kind) in [(registered, "CustomerRegistered"), (removed, "CustomerRemoved")] {
        assert!(record.value.is_some(), "events are never tombstones");
        let header = |name| record.headers.iter().find(|(n, _)| n == name).map(|(_, v)| &**v);
        assert_eq!(header("ce_specversion"), Some("1.0"));
        assert_eq!(header("ce_type"), Some(&*format!("tandem.v1.{kind}")));
        uuid::Uuid::parse_str(header("ce_id").unwrap()).unwrap();
    }

    let tombstone = Record { key: "Java".into(), ..Record::default() };
    let partition = partition_for(b"Java", SHARDS).0;
    kcat.produce("customer", partition, &tombstone).await.unwrap();
    eventually("a tombstone removes", async || {
        (!services.orders_now("Java").await.registered).then_some(())
    })
    .await;
    let values = kcat.consume("customer").await.unwrap();
    assert_eq!(values.iter().filter(|record| record.value.is_none()).count(), 1);
    assert_eq!(services.all_rejects(10, &None).await.len(), 0);
}

/// A record's place as `produce` says it: partition and offset.
pub(crate) fn place(said: &Value) -> (u32, u64) {
    let number = |name: &str| said[name].as_u64().unwrap();
    (number("partition").try_into().unwrap(), number("offset"))
}
