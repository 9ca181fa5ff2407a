//! What the embedded log says when it refuses, in one place, so that each text says what to do.

use crate::{LogError, Partition, Position, TopicName, TopicPartition, TopicSpec};
use rocksdb::ErrorKind;
use std::path::Path;

/// The folder can't be used.
pub(super) fn unusable(dir: &Path, error: &rocksdb::Error) -> LogError {
    let dir = dir.display();
    let text = error.as_ref();
    // RocksDB gives no code for a lock that is held, only these words.
    let held = text.contains("lock hold by current process") || text.contains("While lock file");
    LogError::Unsuitable(if held {
        format!(
            "the folder {dir} is in use by another process: stop that one, or start with \
             another --data-dir"
        )
    } else if error.kind() == ErrorKind::Corruption {
        format!(
            "the log in the folder {dir} is damaged ({text}): restore the folder from a copy, \
             or start with another --data-dir"
        )
    } else {
        format!(
            "the folder {dir} can't be opened ({text}): make it one that this user can write, \
             or start with another --data-dir"
        )
    })
}

/// The store failed under a read or a write.
pub(super) fn unavailable(error: &rocksdb::Error) -> LogError {
    LogError::Unavailable(format!(
        "the disk under the log failed: {}; check that it has space left and is healthy, then \
         try again (start the process again if it stays so)",
        error.as_ref()
    ))
}

/// The log was closed in this process.
pub(super) fn closed() -> LogError {
    LogError::Unavailable("it was closed, this process is shutting down".into())
}

/// A record whose bytes this version does not know.
pub(super) fn unknown_bytes(at: &Position) -> LogError {
    LogError::Unsuitable(format!(
        "the record at {at} was stored by another version: start with that version, or with \
         another --data-dir"
    ))
}

/// A compacted topic keeps the last record of each key, so a record needs one.
pub(super) fn no_key(topic: &TopicName) -> LogError {
    LogError::Unsuitable(format!("topic {topic} is compacted: its records need a key"))
}

/// There is no topic of that name.
pub(super) fn no_topic(name: &TopicName) -> LogError {
    LogError::Unsuitable(format!("there is no topic {name}: create it first"))
}

/// The topic has fewer partitions.
pub(super) fn no_partition(at: &TopicPartition, partitions: u32) -> LogError {
    let TopicPartition { topic, partition: Partition(asked) } = at;
    LogError::Unsuitable(format!(
        "topic {topic} has {partitions} partitions, from 0; there is no partition {asked}"
    ))
}

/// A topic has to have a partition.
pub(super) fn no_partitions(name: &TopicName) -> LogError {
    LogError::Unsuitable(format!("topic {name} was asked for with 0 partitions: ask for 1 or more"))
}

/// The topic exists with another number of partitions.
pub(super) fn other_count(have: &TopicSpec, asked: &TopicSpec) -> LogError {
    LogError::Unsuitable(format!(
        "topic {} has {} partitions, {} were asked for: start with --shards {}, or with another \
         --data-dir",
        have.name, have.partitions, asked.partitions, have.partitions
    ))
}

/// The topic exists and is kept in another way.
pub(super) fn other_kept(have: &TopicSpec, asked: &TopicSpec) -> LogError {
    LogError::Unsuitable(format!(
        "topic {} is {}, it was asked for {}: start with another --data-dir",
        have.name, have.kept, asked.kept
    ))
}
