//! The clause about compacted topics.

use super::tools::{PATIENCE, at, eventually, position, record, spec};
use crate::{Batch, Kept, Log, Offset, TopicName};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Read from its start, a compacted topic gives at least the last record of each key, in order,
/// and never an older one after it; a key with a tombstone has that last, or nothing.
pub async fn the_last_record_of_each_key_stays(log: &Log, prefix: &str) {
    let topic = TopicName::from(format!("{prefix}-compacted").as_str());
    log.ensure_topics(&[spec(&topic, 1, Kept::Compacted)]).await.unwrap();
    let mut wanted = BTreeMap::new();
    for round in 0..4 {
        for key in ["a", "b", "c", "d"] {
            let mut record = record(at(&topic, 0), key, format!("{key} in round {round}"));
            if (key, round) == ("b", 3) {
                record.value = None;
            }
            wanted.insert(record.key.clone(), record.value.clone());
            eventually("an append", log.append(record)).await.unwrap();
        }
        assert_eq!(read_whole(log, &topic).await, living(wanted.clone()), "round {round}");
    }
}

type Table = BTreeMap<Option<Bytes>, Option<Bytes>>;

/// What a follower of the topic holds once it has seen all.
async fn read_whole(log: &Log, topic: &TopicName) -> Table {
    let end = log.bounds(&[at(topic, 0)]).await.unwrap()[0].end;
    let mut reader = log.read(&[position(topic, 0, Offset(0))]).await.unwrap();
    let (mut table, mut last) = (Table::new(), None);
    let mut fold = |batch: Batch| {
        for record in batch.records {
            assert!(last < Some(record.offset), "offsets ascend");
            last = Some(record.offset);
            table.insert(record.key, record.value);
        }
        batch.next == [end]
    };
    let reading = async { while !fold(reader.next(PATIENCE / 600).await.unwrap()) {} };
    eventually("all is read", reading).await;
    living(table)
}

fn living(mut table: Table) -> Table {
    table.retain(|_, value| value.is_some());
    table
}
