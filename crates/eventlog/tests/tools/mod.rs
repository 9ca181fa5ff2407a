//! What the tests of the embedded log share.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses some of it, in tests")]

use bytes::Bytes;
use std::{path::Path, sync::Arc, time::Duration};
use tandem_eventlog::{
    EventLog, Headers, Kept, NewRecord, Offset, Partition, Position, Record, TopicPartition,
    TopicSpec, embedded::Embedded,
};

pub(crate) fn open(dir: &Path) -> Arc<Embedded> {
    Embedded::open(dir).unwrap()
}

pub(crate) fn spec(name: &str, partitions: u32, kept: Kept) -> TopicSpec {
    TopicSpec { name: name.into(), partitions, kept }
}

pub(crate) fn at(topic: &str, partition: u32) -> TopicPartition {
    TopicPartition { topic: topic.into(), partition: Partition(partition) }
}

/// A record of now; an empty value is a tombstone.
pub(crate) fn record(to: TopicPartition, key: &str, value: impl Into<Bytes>) -> NewRecord {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    NewRecord {
        to,
        timestamp_ms: i64::try_from(now.as_millis()).unwrap(),
        key: Some(key.to_owned().into()),
        value: Some(value.into()).filter(|value| !value.is_empty()),
        headers: Headers::default(),
    }
}

/// All records of a partition that are there now, and where they end.
pub(crate) async fn read_all(log: &Embedded, at: TopicPartition) -> (Vec<Record>, Offset) {
    let mut reader = log.read(&[Position { at, offset: Offset(0) }]).await.unwrap();
    let mut all = Vec::new();
    loop {
        let batch = reader.next(Duration::ZERO).await.unwrap();
        all.extend(batch.records);
        if batch.next == batch.ends {
            return (all, batch.ends[0]);
        }
    }
}

/// Key and value as text.
pub(crate) fn texts(records: &[Record]) -> Vec<(&str, &str)> {
    records
        .iter()
        .map(|record| {
            let key = record.key.as_deref().unwrap_or_default();
            let value = record.value.as_deref().unwrap_or_default();
            (std::str::from_utf8(key).unwrap(), std::str::from_utf8(value).unwrap())
        })
        .collect()
}
