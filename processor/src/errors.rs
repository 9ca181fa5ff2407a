//! Why a shard stops, and who has to act: always the operator, so each text says what to do.

use tandem_eventlog::TopicId;

/// The store could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// RocksDB said no: the disk, its space, its permissions, or a folder in use.
    #[error("the store failed: {0}; check the disk and the folder's owner, then start again")]
    Io(String),
    /// What is in the store can't be read.
    #[error(
        "the store holds what can't be read: {0}; move its folder away, it is rebuilt from the log"
    )]
    Corrupt(String),
    /// The store was written by another version of Tandem.
    #[error(
        "the store has layout {0:?}, this version has another; move its folder away, it is rebuilt from the log"
    )]
    OtherLayout(Option<u8>),
}

impl StoreError {
    pub(crate) fn corrupt(e: impl std::fmt::Display) -> Self {
        Self::Corrupt(e.to_string())
    }
}

impl From<rocksdb::Error> for StoreError {
    fn from(e: rocksdb::Error) -> Self {
        match e.kind() {
            rocksdb::ErrorKind::Corruption => Self::Corrupt(e.into_string()),
            _ => Self::Io(e.into_string()),
        }
    }
}

/// Why a shard has failed. It stays failed until the process is started again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The view was made with another number of shards.
    #[error(
        "the view was made with {was} shards, {is} were asked for: ask for {was}, or move the view's folder away, it is rebuilt from the log"
    )]
    OtherShards {
        /// The number it was made with.
        was: u32,
        /// The number asked for.
        is: u32,
    },
    /// The view was made from another log, or the topic was made again since.
    #[error(
        "the view was made from another {topic} topic (id {was}; the log has {is}): point it at the log it was made from, or move the view's folder away, it is rebuilt from the log"
    )]
    OtherLog {
        /// Which topic.
        topic: &'static str,
        /// The topic that the view was made from.
        was: TopicId,
        /// The topic that the log has.
        is: TopicId,
    },
    /// The log lacks what the view has folded, or has lost what it must fold next.
    #[error(
        "the view goes on at offset {position} of {topic}, but the log has {start} to {end}: the log was cut or replaced; restore it, or move the view's folder away, it is rebuilt from the log"
    )]
    OffTheLog {
        /// Which topic.
        topic: &'static str,
        /// The view's position.
        position: u64,
        /// The log's first offset.
        start: u64,
        /// The log's end.
        end: u64,
    },
    /// The log refuses to be read.
    #[error("the log can't be read: {0}")]
    Log(String),
}
