//! Fills a log with TPC-H events, as the command service would write them.

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use std::{error::Error, future::IntoFuture, path::Path, time::Instant};
use tandem_codec::{Codec, RegistrySettings};
use tandem_domain::{
    Customer, CustomerEvent, CustomerId, Event, Millis, Order, OrderEvent, OrderId,
};
use tandem_eventlog::{Headers, NewRecord, TopicName, TopicPartition, partition_for};
use tandem_load::tpch::{self, Tables};

use crate::{Settings, ground::Ground};

/// Appends in flight: enough that the log's groups fill up.
const AT_ONCE: usize = 4096;

/// A day of events, so that every event id has to be remembered.
const START_MS: i64 = 1_700_000_000_000;

/// What was filled in.
pub(crate) struct Filled {
    pub(crate) customers: u64,
    pub(crate) orders: u64,
    pub(crate) line: Value,
}

/// The tables of TPC-H at the settings' scale.
pub(crate) async fn fill(ground: &Ground, settings: &Settings) -> Result<Filled, Box<dyn Error>> {
    let tables = Tables::new(settings.scale.to_string().parse()?);
    let customers = tables.customers().map(customer).map(CustomerEvent::Registered);
    let orders = tables.orders().map(order).map(OrderEvent::Placed);
    let events = customers.map(Event::Customer).chain(orders.map(Event::Order));
    append(ground, settings, events, (tables.customer_count(), tables.order_count())).await
}

/// So many customers, each with so many orders.
pub(crate) async fn fill_evenly(
    ground: &Ground,
    settings: &Settings,
    (customers, orders): (u64, u64),
) -> Result<Filled, Box<dyn Error>> {
    let ids = (0..customers).map(|n| format!("c-{n:08}"));
    let registered = ids.clone().map(|customer_id| {
        customer(tpch::Customer {
            number: 0,
            email: format!("{customer_id}@example.org"),
            customer_id,
            first_name: "Augusta Ada".into(),
            last_name: "King-Noel".into(),
            phone: "25-989-741-2988".into(),
        })
    });
    let placed = ids.flat_map(|customer_id| (0..orders).map(move |n| (customer_id.clone(), n)));
    let placed = placed.map(|(customer_id, n)| {
        order(tpch::Order {
            number: 0,
            customer_number: 0,
            order_id: format!("o-{n:08}"),
            customer_id,
            item_name: "Analytical Engine, brass".into(),
            place: "St James's Square".into(),
        })
    });
    let events = registered.map(CustomerEvent::Registered).map(Event::Customer);
    let events = events.chain(placed.map(OrderEvent::Placed).map(Event::Order));
    append(ground, settings, events, (customers, customers * orders)).await
}

async fn append(
    ground: &Ground,
    settings: &Settings,
    events: impl Iterator<Item = Event>,
    (customers, orders): (u64, u64),
) -> Result<Filled, Box<dyn Error>> {
    let started = Instant::now();
    let opened = ground.open()?;
    let log = opened.log.clone();
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", socket.local_addr()?);
    let registry = ground.registry(&log).await?;
    let serving = tokio::spawn(axum::serve(socket, registry.router()).into_future());
    let codec =
        Codec::connect(&RegistrySettings { urls: vec![url], basic_auth: None, timeout_ms: 5_000 })?;
    codec.register_all().await?;
    log.ensure_topics(&tandem_processor::input_topics(settings.shards)).await?;

    let records = (0i64..).zip(events).map(|(n, e)| record(&codec, settings.shards, n, &e));
    stream::iter(records)
        .map(|record| async { Ok::<_, Box<dyn Error>>(log.append(record?).await?) })
        .buffer_unordered(AT_ONCE)
        .try_for_each(|_| async { Ok(()) })
        .await?;

    serving.abort();
    opened.close().await;
    let seconds = started.elapsed().as_secs_f64();
    let line = json!({
        "bench": "fill", "customers": customers, "orders": orders, "seconds": seconds,
        "log_bytes": ground.log_bytes()?,
    });
    Ok(Filled { customers, orders, line })
}

fn record(codec: &Codec, shards: u32, n: i64, event: &Event) -> Result<NewRecord, Box<dyn Error>> {
    let key = Bytes::copy_from_slice(event.key().as_bytes());
    let id = uuid::Uuid::new_v4().to_string();
    let ce_type = format!("tandem.v1.{}", event.type_name());
    let pairs = [
        ("ce_specversion", "1.0"),
        ("ce_id", &*id),
        ("ce_type", &*ce_type),
        ("ce_source", "tandem/command-svc"),
        ("ce_time", "2023-11-14T22:13:20.123Z"),
        ("content-type", "application/vnd.confluent.avro"),
    ];
    Ok(NewRecord {
        to: TopicPartition {
            topic: TopicName::from(event.topic().name()),
            partition: partition_for(&key, shards),
        },
        timestamp_ms: START_MS + n / 20,
        key: Some(key),
        value: Some(codec.encode(event)?),
        headers: Headers::from_pairs(pairs.iter().map(|(n, v)| (*n, v.as_bytes()))),
    })
}

#[allow(clippy::expect_used)] // the tables are ours: their ids are short and plain
fn customer(c: tpch::Customer) -> Customer {
    Customer {
        customer_id: CustomerId::new(c.customer_id).expect("a plain id"),
        first_name: c.first_name,
        last_name: c.last_name,
        email: c.email,
        phone: c.phone,
    }
}

#[allow(clippy::expect_used)] // as above
fn order(o: tpch::Order) -> Order {
    Order {
        order_id: OrderId::new(o.order_id).expect("a plain id"),
        customer_id: CustomerId::new(o.customer_id).expect("a plain id"),
        order_item_name: o.item_name,
        order_place: o.place,
        order_purchase_time: Millis(START_MS),
    }
}

/// The bytes of all files under `dir`.
pub(crate) fn folder_bytes(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() { folder_bytes(&entry.path())? } else { meta.len() };
    }
    Ok(bytes)
}
