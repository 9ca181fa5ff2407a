//! The port: what the rest of Tandem asks of a log, whichever log it is.

use crate::{
    Batch, Bounds, Member, NewRecord, Offset, Partition, Position, TopicId, TopicName,
    TopicPartition, TopicSpec,
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// A log, shared by everything in the process.
pub type Log = Arc<dyn EventLog>;

/// What went wrong with the log, by who has to act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// It can't be reached or can't answer just now. Trying again is safe and may help; for an
    /// append it is not known whether the record is there.
    #[error("the log is not available: {0}")]
    Unavailable(String),
    /// The record is larger than the log takes. The caller has to send less.
    #[error("the record has {bytes} bytes; the log takes at most {max}")]
    TooLarge {
        /// The record's size.
        bytes: usize,
        /// The largest size that is taken.
        max: usize,
    },
    /// A position that the log doesn't have (any more, or yet). The operator has to act.
    #[error("{position} is not on the log, which has offsets {start} to {end} there")]
    OutOfRange {
        /// What was asked for.
        position: Position,
        /// The first offset there is.
        start: Offset,
        /// The end.
        end: Offset,
    },
    /// What exists is not what is needed; the text says the difference and what to do. The
    /// operator has to act.
    #[error("{0}")]
    Unsuitable(String),
}

/// A log of topics, each of numbered partitions of records.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Creates the topics that are missing and checks those that are there. Gives each topic's
    /// id, in the order asked.
    ///
    /// # Errors
    /// [`LogError::Unsuitable`] with the exact difference when a topic doesn't fit (nothing is
    /// changed then), [`LogError::Unavailable`].
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicId>, LogError>;

    /// Appends a record and answers once it is durable, with the record's own offset. Many
    /// appends at once share the cost of making them durable. Appends to one partition that are
    /// started one after the other (in program order of the first poll) keep that order.
    ///
    /// # Errors
    /// [`LogError::TooLarge`]; [`LogError::Unavailable`]; [`LogError::Unsuitable`] when there is
    /// no such partition.
    async fn append(&self, record: NewRecord) -> Result<Offset, LogError>;

    /// Opens a reader over `from`, each partition from its own position.
    ///
    /// # Errors
    /// [`LogError::OutOfRange`] for a position before the start or past the end;
    /// [`LogError::Unsuitable`] when there is no such partition; [`LogError::Unavailable`].
    async fn read(&self, from: &[Position]) -> Result<Box<dyn Reader>, LogError>;

    /// Where the given partitions start and end now, in the order asked.
    ///
    /// # Errors
    /// [`LogError::Unsuitable`] when there is no such partition; [`LogError::Unavailable`].
    async fn bounds(&self, of: &[TopicPartition]) -> Result<Vec<Bounds>, LogError>;

    /// Joins `group` as `member` to share the partitions of `topic` with its other members.
    /// Dropping the membership leaves the group at once, unless the member is static.
    ///
    /// # Errors
    /// [`LogError::Unsuitable`] when there is no such topic, or where the log can tell that this
    /// member is in the group already; [`LogError::Unavailable`].
    async fn join(
        &self,
        group: &str,
        member: &Member,
        topic: &TopicName,
    ) -> Result<Box<dyn Membership>, LogError>;
}

/// Reads some partitions in order.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The next records, as soon as there are any, else an empty batch after `max_wait`. A batch
    /// is bounded in bytes (about 1 MiB, or one record if that is larger), and takes from each
    /// input in turn so that none starves. Cancel safe: a dropped call loses no record.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] (call again), [`LogError::OutOfRange`] when the log was cut
    /// under the reader, [`LogError::Unsuitable`] when a topic was deleted or made again under it.
    async fn next(&mut self, max_wait: Duration) -> Result<Batch, LogError>;
}

/// A place in a group.
#[async_trait]
pub trait Membership: Send {
    /// Leaves as dropping it does, and returns once the group knows, or can't be told soon.
    async fn leave(self: Box<Self>);

    /// Waits for a change and gives all partitions that are assigned now, ascending. The first
    /// call gives the first assignment. Cancel safe.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] (call again).
    async fn next(&mut self) -> Result<Vec<Partition>, LogError>;
}
