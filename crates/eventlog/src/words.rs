//! The words of the log, as types: two integers can't be swapped.

use crate::Headers;
use bytes::Bytes;
use std::{fmt, sync::Arc};
use tandem_partition::Partition;
use tokio::time::Instant;

/// Where in a partition. As a *position* it names the next record to read, so it equals the
/// count of records already taken when a partition starts at 0 and has no gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub u64);

impl Offset {
    /// The offset after this one.
    #[must_use]
    pub const fn next(self) -> Offset {
        Offset(self.0 + 1)
    }
}

/// A topic's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Arc<str>);

impl TopicName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for TopicName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

/// Tells one making of a topic from another of the same name: a topic deleted and made again, or
/// the same topic on another log, has another id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TopicId(pub Arc<str>);

/// One partition of one topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicName,
    /// Its partition.
    pub partition: Partition,
}

/// A place on the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Which partition.
    pub at: TopicPartition,
    /// The next offset to read there.
    pub offset: Offset,
}

/// Where a partition starts and ends now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Which making of the topic this is.
    pub topic_id: TopicId,
    /// The first offset that can still be read.
    pub start: Offset,
    /// The offset that the next record will get.
    pub end: Offset,
}

/// How long a topic's records are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All of them, for ever.
    Forever,
    /// At least the last one of each key.
    Compacted,
}

/// What a topic has to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: TopicName,
    /// How many partitions it has.
    pub partitions: u32,
    /// How long its records are kept.
    pub kept: Kept,
}

/// Who joins a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name, one of its own in the group.
    pub id: String,
    /// Whether it is expected back under that name when it is away for a moment, and keeps its
    /// partitions until the group has missed it for its session time; where the log can do that.
    pub is_static: bool,
}

impl From<&str> for Member {
    /// A member that comes and goes.
    fn from(id: &str) -> Self {
        Self { id: id.into(), is_static: false }
    }
}

/// A record to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Where it goes; [`crate::partition_for`] says which partition.
    pub to: TopicPartition,
    /// Its time, milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// Its headers.
    pub headers: Headers,
}

/// A record read from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which of the reader's partitions it came from: an index into the list that the reader was
    /// opened with.
    pub input: usize,
    /// Where it lies there.
    pub offset: Offset,
    /// Its time, milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// Its headers.
    pub headers: Headers,
}

/// What one poll of a reader gave: for each input, records in offset order without omission
/// (save for what compaction or a transaction marker left out).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The records; empty when nothing came in time.
    pub records: Vec<Record>,
    /// Per input, the position to go on from after this batch.
    pub next: Vec<Offset>,
    /// Per input, the end of the partition as known when the batch was read. `next == ends` says
    /// that the reader has seen everything that was there at that moment.
    pub ends: Vec<Offset>,
    /// When the log last said where its ends are: nothing is known of what came later.
    pub ends_at: Instant,
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kept::Forever => "kept for ever",
            Kept::Compacted => "compacted",
        })
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.topic, self.partition)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.at, self.offset)
    }
}
