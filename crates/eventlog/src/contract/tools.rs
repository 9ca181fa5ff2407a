//! What the clauses are written with.

use crate::{
    Headers, Kept, Log, NewRecord, Offset, Partition, Position, Reader, Record, TopicName,
    TopicPartition, TopicSpec,
};
use bytes::Bytes;
use std::{future::Future, time::Duration};

/// Longer than any working log takes for what a clause does.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A prefix that no other run has.
#[must_use]
pub fn unique_prefix() -> String {
    format!("contract-{}", uuid::Uuid::new_v4().simple())
}

/// Waits for what has to happen.
pub(super) async fn eventually<T>(what: &str, f: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, f).await.unwrap_or_else(|_| panic!("did not happen: {what}"))
}

pub(super) fn spec(name: &TopicName, partitions: u32, kept: Kept) -> TopicSpec {
    TopicSpec { name: name.clone(), partitions, kept }
}

/// A new topic that is kept for ever.
pub(super) async fn new_topic(log: &Log, prefix: &str, name: &str, partitions: u32) -> TopicName {
    let topic = TopicName::from(format!("{prefix}-{name}").as_str());
    log.ensure_topics(&[spec(&topic, partitions, Kept::Forever)]).await.unwrap();
    topic
}

pub(super) fn at(topic: &TopicName, partition: u32) -> TopicPartition {
    TopicPartition { topic: topic.clone(), partition: Partition(partition) }
}

pub(super) fn position(topic: &TopicName, partition: u32, offset: Offset) -> Position {
    Position { at: at(topic, partition), offset }
}

/// A record without headers.
pub(super) fn record(to: TopicPartition, key: &str, value: impl Into<Bytes>) -> NewRecord {
    NewRecord {
        to,
        timestamp_ms: 1_700_000_000_000,
        key: Some(Bytes::copy_from_slice(key.as_bytes())),
        value: Some(value.into()),
        headers: Headers::default(),
    }
}

/// Appends one record to partition 0 per value, one after the other.
pub(super) async fn append_all(log: &Log, topic: &TopicName, values: &[&str]) -> Vec<Offset> {
    let mut offsets = Vec::new();
    for value in values {
        let record = record(at(topic, 0), "key", (*value).to_owned());
        offsets.push(eventually("an append", log.append(record)).await.unwrap());
    }
    offsets
}

/// The value as text.
pub(super) fn text(record: &Record) -> &str {
    record.value.as_deref().map_or("(none)", |value| std::str::from_utf8(value).unwrap())
}

/// Reads until `count` records came, and asks that no more came.
pub(super) async fn read(reader: &mut dyn Reader, count: usize) -> Vec<Record> {
    let mut all = Vec::new();
    eventually("the records are read", async {
        while all.len() < count {
            all.extend(reader.next(PATIENCE).await.unwrap().records);
        }
    })
    .await;
    assert_eq!(all.len(), count, "more records than were appended");
    all
}

/// Reads `count` records of some partitions of `topic` from their starts.
pub(super) async fn read_topic(
    log: &Log,
    topic: &TopicName,
    partitions: u32,
    count: usize,
) -> Vec<Record> {
    let from: Vec<_> = (0..partitions).map(|p| position(topic, p, Offset(0))).collect();
    read(&mut *log.read(&from).await.unwrap(), count).await
}
