//! A log in memory, a view in a temporary folder, and words to script them with.

use bytes::Bytes;
use std::{path::Path, time::Duration};
use tandem_codec::Codec;
use tandem_domain::{
    Customer, CustomerEvent, CustomerId, Event, Millis, Order, OrderEvent, OrderId, Topic,
};
use tandem_eventlog::{
    Headers, Log, NewRecord, Partition, TopicName, TopicPartition, embedded::Embedded,
    partition_for,
};
use tandem_processor::{
    JoinedOrder, Need, Reads, Reject, Running, Settings, ShardState, StoreError, Unserved, View,
    input_topics, start,
};
use tokio::{runtime::Handle, time::Instant};

pub(crate) const SHARDS: u32 = 2;
const SOON: Duration = Duration::from_secs(20);

/// A log with the input topics.
pub(crate) async fn log() -> Log {
    let log: Log = Embedded::open_in_memory().unwrap();
    log.ensure_topics(&input_topics(SHARDS)).await.unwrap();
    log
}

/// A processor on `log` with its stores in `dir`.
pub(crate) async fn processor(dir: &Path, log: &Log) -> (Running, Reads) {
    let settings = Settings {
        cache_bytes: 8 << 20,
        write_buffer_bytes: 8 << 20,
        ..Settings::new(dir.to_owned(), SHARDS, "test", "one")
    };
    let (running, reads, _) =
        start(settings, log.clone(), Codec::with_fixed_ids(), Handle::current());
    (running, reads)
}

pub(crate) fn customer(id: &str, first_name: &str) -> Customer {
    Customer {
        customer_id: CustomerId::new(id).unwrap(),
        first_name: first_name.into(),
        last_name: "L".into(),
        email: "e@x".into(),
        phone: "1".into(),
    }
}

pub(crate) fn order(of: &str, id: &str, item: &str) -> Order {
    Order {
        order_id: OrderId::new(id).unwrap(),
        customer_id: CustomerId::new(of).unwrap(),
        order_item_name: item.into(),
        order_place: "P".into(),
        order_purchase_time: Millis(77),
    }
}

pub(crate) fn registered(id: &str, first_name: &str) -> Event {
    Event::Customer(CustomerEvent::Registered(customer(id, first_name)))
}

pub(crate) fn placed(of: &str, id: &str, item: &str) -> Event {
    Event::Order(OrderEvent::Placed(order(of, id, item)))
}

pub(crate) fn cancelled(of: &str, id: &str) -> Event {
    let o = order(of, id, "");
    Event::Order(OrderEvent::Cancelled { customer_id: o.customer_id, order_id: o.order_id })
}

/// A record of `event` as the command service would write it.
pub(crate) fn record(event: &Event, event_id: &str, timestamp_ms: i64) -> NewRecord {
    let value = Codec::with_fixed_ids().encode(event).unwrap();
    let key = Bytes::copy_from_slice(event.key().as_bytes());
    NewRecord {
        to: at(event.topic(), partition_for(&key, SHARDS)),
        timestamp_ms,
        key: Some(key),
        value: Some(value),
        headers: Headers::from_pairs([("ce_id", event_id.as_bytes())]),
    }
}

pub(crate) fn at(topic: Topic, partition: Partition) -> TopicPartition {
    TopicPartition { topic: TopicName::from(topic.name()), partition }
}

/// Appends an event with an id of its own, and gives what an answer needs to reflect it.
pub(crate) async fn append(log: &Log, event: &Event) -> Need {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    append_record(log, record(event, &format!("event {n}"), 1)).await
}

pub(crate) async fn append_record(log: &Log, record: NewRecord) -> Need {
    let topic = Topic::from_name(record.to.topic.as_str()).unwrap();
    let partition = record.to.partition;
    let offset = log.append(record).await.unwrap();
    Need { positions: vec![(topic, partition, offset.next().0)], max_staleness: None }
}

/// Reads from the shard of `key` once it is serving and reflects `need`.
pub(crate) async fn read<T>(
    reads: &Reads,
    key: &str,
    need: &Need,
    ask: impl Fn(&View<'_>) -> Result<T, StoreError>,
) -> T {
    serving(reads).await;
    let shard = reads.shard_of(key.as_bytes());
    reads.read(shard, need, Instant::now() + SOON, ask).await.unwrap().0
}

/// Waits until every shard serves.
pub(crate) async fn serving(reads: &Reads) {
    settled(reads, ShardState::Serving).await;
}

/// Waits until every shard is in `state`, and gives their details.
pub(crate) async fn settled(reads: &Reads, state: ShardState) -> Vec<Option<String>> {
    let all = async {
        loop {
            let status = reads.status();
            if status.len() == SHARDS as usize && status.iter().all(|s| s.state == state) {
                return status.into_iter().map(|s| s.detail).collect();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(SOON, all).await;
    waited.unwrap_or_else(|_| panic!("not {state:?} in time: {:?}", reads.status()))
}

/// The joined rows of a customer, as (first name, order id, item).
pub(crate) async fn joined(reads: &Reads, id: &str, need: &Need) -> Vec<(String, String, String)> {
    let rows = read(reads, id, need, |view| view.joined_orders(None, 1000)).await.rows;
    let of = |j: &JoinedOrder| j.order.customer_id.as_str() == id;
    rows.into_iter()
        .filter(of)
        .map(|j| {
            let name = j.customer.map(|c| c.first_name).unwrap_or_default();
            (name, j.order.order_id.as_str().into(), j.order.order_item_name)
        })
        .collect()
}

/// All rejects of the shard of `key`.
pub(crate) async fn rejects(reads: &Reads, key: &str, need: &Need) -> Vec<Reject> {
    read(reads, key, need, |view| view.rejects(None, 1000)).await.rows
}

/// What a read says that can't be answered by `wait`.
pub(crate) async fn refused(reads: &Reads, key: &str, need: &Need, wait: Duration) -> Unserved {
    let shard = reads.shard_of(key.as_bytes());
    reads.read(shard, need, Instant::now() + wait, |_| Ok(())).await.unwrap_err()
}
