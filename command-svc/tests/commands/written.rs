//! What each command leaves on the log, and what it answers.

use crate::support::{NOW, SHARDS, System, event, eventually, header};
use crate::{scripted::Scripted, support::SERVICE};
use tandem_codec::Codec;
use tandem_domain::{
    Customer, CustomerEvent, CustomerId, Event, Greeting, GreetingId, Millis, Order, OrderEvent,
    OrderId, Topic,
};
use tandem_eventlog::{Record, embedded::Embedded, partition_for};
use tandem_proto::{receipt, v1};
use tonic::Request;
use tonic_health::pb::health_check_response::ServingStatus;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn ada(id: &str) -> Customer {
    Customer {
        customer_id: CustomerId::new(id).unwrap(),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        email: "ada@example.com".into(),
        phone: String::new(),
    }
}

fn tea(order: &str, customer: &str) -> Order {
    Order {
        order_id: OrderId::new(order).unwrap(),
        customer_id: CustomerId::new(customer).unwrap(),
        order_item_name: "tea".into(),
        order_place: "Bonn".into(),
        order_purchase_time: Millis(NOW),
    }
}

fn create(customer_id: &str) -> v1::CreateCustomerRequest {
    v1::CreateCustomerRequest {
        customer_id: customer_id.into(),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        email: "ada@example.com".into(),
        ..Default::default()
    }
}

/// That the record lies where its key says, with the metadata of its event, and that the receipt
/// proves exactly it.
fn check(topic: Topic, (partition, record): &(u32, Record), key: &str, name: &str, proof: &str) {
    assert_eq!(record.key.as_deref(), Some(key.as_bytes()));
    assert_eq!(*partition, partition_for(key.as_bytes(), SHARDS).0);
    assert_eq!(record.timestamp_ms, NOW);
    assert_eq!(header(record, "ce_specversion"), "1.0");
    assert_eq!(header(record, "ce_type"), format!("tandem.v1.{name}"));
    assert_eq!(header(record, "ce_source"), "tandem/command-svc");
    assert_eq!(header(record, "ce_time"), "2023-11-14T22:13:20.123Z");
    assert_eq!(header(record, "content-type"), "application/vnd.confluent.avro");
    assert_eq!(header(record, "ce_id").len(), 36);
    let [proof] = receipt::decode(proof).unwrap().try_into().unwrap();
    let (at, position) = ((&*proof.topic, proof.partition), proof.position);
    assert_eq!((at, position), ((topic.name(), *partition), record.offset.0 + 1));
}

#[tokio::test]
async fn customers() {
    let system = System::ready().await;
    let mut client = system.client().await;
    let created = client.create_customer(create("c")).await.unwrap().into_inner();
    let update = v1::UpdateCustomerRequest {
        customer_id: "c".into(),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        email: "ada@example.com".into(),
        ..Default::default()
    };
    let updated = client.update_customer(update).await.unwrap().into_inner();
    let remove = v1::RemoveCustomerRequest { customer_id: "c".into(), ..Default::default() };
    let removed = client.remove_customer(remove).await.unwrap().into_inner();
    assert_eq!(created.customer, updated.customer);
    assert_eq!(created.customer.unwrap().email, "ada@example.com");

    let records = system.records(Topic::Customer).await;
    let expected = [
        ("CustomerRegistered", CustomerEvent::Registered(ada("c")), created.receipt),
        ("CustomerUpdated", CustomerEvent::Updated(ada("c")), updated.receipt),
        ("CustomerRemoved", CustomerEvent::Removed(ada("c").customer_id), removed.receipt),
    ];
    assert_eq!(records.len(), expected.len());
    for (found, (name, expected, receipt)) in records.iter().zip(expected) {
        check(Topic::Customer, found, "c", name, &receipt);
        assert_eq!(event(Topic::Customer, &found.1), Event::Customer(expected));
    }
}

#[tokio::test]
async fn orders_lie_with_their_customer() {
    let system = System::ready().await;
    let mut client = system.client().await;
    let place = v1::PlaceOrderRequest {
        order_id: "o".into(),
        customer_id: "c".into(),
        order_item_name: "tea".into(),
        order_place: "Bonn".into(),
        ..Default::default()
    };
    let placed = client.place_order(place).await.unwrap().into_inner();
    let update = v1::UpdateOrderRequest {
        order_id: "o".into(),
        customer_id: "c".into(),
        order_item_name: "tea".into(),
        order_place: "Bonn".into(),
        ..Default::default()
    };
    let updated = client.update_order(update).await.unwrap().into_inner();
    let cancel = v1::CancelOrderRequest {
        order_id: "o".into(),
        customer_id: "c".into(),
        ..Default::default()
    };
    let cancelled = client.cancel_order(cancel).await.unwrap().into_inner();
    let time = placed.order.unwrap().order_purchase_time.unwrap();
    assert_eq!((time.seconds, time.nanos), (NOW / 1000, 123_000_000));
    assert_eq!(updated.order.unwrap().order_purchase_time, None);

    let records = system.records(Topic::Order).await;
    let Order { customer_id, order_id, .. } = tea("o", "c");
    let expected = [
        ("OrderPlaced", OrderEvent::Placed(tea("o", "c")), placed.receipt),
        ("OrderUpdated", OrderEvent::Updated(tea("o", "c")), updated.receipt),
        ("OrderCancelled", OrderEvent::Cancelled { customer_id, order_id }, cancelled.receipt),
    ];
    assert_eq!(records.len(), expected.len());
    for (found, (name, expected, receipt)) in records.iter().zip(expected) {
        check(Topic::Order, found, "c", name, &receipt);
        assert_eq!(event(Topic::Order, &found.1), Event::Order(expected));
    }
}

#[tokio::test]
async fn greetings_and_the_callers_trace() {
    let system = System::ready().await;
    let mut client = system.client().await;
    let mut request = Request::new(v1::SendGreetingRequest {
        greeting_id: "g".into(),
        message: "hi".into(),
        ..Default::default()
    });
    request.metadata_mut().insert("traceparent", TRACEPARENT.parse().unwrap());
    let sent = client.send_greeting(request).await.unwrap().into_inner();
    let found = system.record(Topic::Greetings).await;
    check(Topic::Greetings, &found, "g", "GreetingSent", &sent.receipt);
    assert_eq!(header(&found.1, "traceparent"), TRACEPARENT);
    let timestamp = Millis(NOW);
    let greeting_id = GreetingId::new("g").unwrap();
    let expected = Greeting { greeting_id, message: "hi".into(), timestamp };
    assert_eq!(event(Topic::Greetings, &found.1), Event::Greeting(expected));
    assert_eq!(sent.greeting.unwrap().timestamp.unwrap().nanos, 123_000_000);
}

#[tokio::test]
async fn what_is_answered_is_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Embedded::open(dir.path()).unwrap();
    let system = System::on(Scripted::new(disk.clone()), Codec::with_fixed_ids()).await;
    eventually(async || system.health(SERVICE).await == ServingStatus::Serving).await;
    let created = system.client().await.create_customer(create("")).await.unwrap().into_inner();
    system.shutdown.cancel();
    system.running.drained().await;
    disk.close().await;

    let disk = Embedded::open(dir.path()).unwrap();
    let again = System::on(Scripted::new(disk.clone()), Codec::with_fixed_ids()).await;
    let found = again.record(Topic::Customer).await;
    let id = created.customer.unwrap().customer_id;
    check(Topic::Customer, &found, &id, "CustomerRegistered", &created.receipt);
    disk.close().await;
}
