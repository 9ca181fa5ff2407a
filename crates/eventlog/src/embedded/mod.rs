//! A log on the local disk, in this process: for a start with one command, for tests and for
//! simulations.
//!
//! - What is acknowledged survives the process and a loss of power. Appends that come together
//!   share one sync (`queue`, `commit`).
//! - Records lie in RocksDB, one sorted run of keys per partition (`keys`, `stored`, `store`).
//! - Readers are told of new records, nobody polls (`tail`, `reader`).
//! - Groups are of members in this process (`groups`, `share`).
//!
//! Absent on purpose: other processes (RocksDB's lock on the folder keeps them out), and removal
//! of records of a topic that is kept for ever.

mod commit;
mod compaction;
mod groups;
mod keys;
mod queue;
mod reader;
mod refused;
mod share;
mod store;
mod stored;
mod tail;
mod topics;

use crate::{
    Bounds, EventLog, LogError, Member, Membership, NewRecord, Offset, Position, Reader, TopicId,
    TopicName, TopicPartition, TopicSpec,
};
use async_trait::async_trait;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use {commit::Committer, groups::Groups, queue::Queue, store::Store, topics::Topics};

/// The largest record that is taken, key, value and headers together: Kafka's default, so that
/// what works here works there.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// The embedded log.
///
/// [`Embedded::close`] ends it in order. When it is only dropped, queued appends are still
/// committed, but the folder is held until its last reader is dropped too.
pub struct Embedded {
    store: Arc<Store>,
    topics: Topics,
    queue: Queue,
    groups: Arc<Groups>,
    groups_committed: Arc<AtomicU64>,
}

impl Embedded {
    /// Opens the log in the folder `dir`, which is created when it is missing. Blocks while what
    /// a crash left in the WAL is replayed, which is bounded to well under a second.
    ///
    /// Appends are committed by a thread, so this kind needs real time: under tokio's paused
    /// time use [`Embedded::open_in_memory`].
    ///
    /// # Errors
    /// [`LogError::Unsuitable`] when the folder is in use, can't be written or holds something
    /// else; [`LogError::Unavailable`] when the disk fails.
    pub fn open(dir: &Path) -> Result<Arc<Self>, LogError> {
        Self::on(Store::open(dir)?, Queue::grouped)
    }

    /// Opens an empty log that lives in memory and ends with this value. It does everything
    /// within the calls made to it: no threads, no clock but tokio's.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when there is no memory for it.
    pub fn open_in_memory() -> Result<Arc<Self>, LogError> {
        Self::on(Store::open_in_memory()?, |committer| Ok(Queue::inline(committer)))
    }

    fn on(
        store: Store,
        queue: impl FnOnce(Committer) -> Result<Queue, LogError>,
    ) -> Result<Arc<Self>, LogError> {
        let store = Arc::new(store);
        let topics = Topics::load(&store)?;
        for place in topics.places().iter().filter(|place| place.is_compacted()) {
            compaction::forget_old_tombstones(&store, place)?;
        }
        let groups_committed = Arc::new(AtomicU64::new(0));
        let queue = queue(Committer::new(store.clone(), groups_committed.clone()))?;
        Ok(Arc::new(Self { store, topics, queue, groups: Arc::default(), groups_committed }))
    }

    /// Closes the log: appends already taken are committed and answered, later ones are refused,
    /// and so are readers. The folder is free when this returns.
    pub async fn close(&self) {
        self.queue.close().await;
        self.store.close();
    }

    /// How many groups of appends were made durable since the log was opened; each was one sync.
    #[must_use]
    pub fn groups_committed(&self) -> u64 {
        self.groups_committed.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventLog for Embedded {
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicId>, LogError> {
        self.topics.ensure(&self.store, topics)
    }

    async fn append(&self, record: NewRecord) -> Result<Offset, LogError> {
        let place = self.topics.find(&record.to)?;
        let bytes = stored::size(&record);
        if bytes > MAX_RECORD_BYTES {
            return Err(LogError::TooLarge { bytes, max: MAX_RECORD_BYTES });
        }
        if place.is_compacted() && record.key.is_none() {
            return Err(refused::no_key(&record.to.topic));
        }
        self.queue.append(place, record).await
    }

    async fn read(&self, from: &[Position]) -> Result<Box<dyn Reader>, LogError> {
        let mut inputs = Vec::with_capacity(from.len());
        for position in from {
            let place = self.topics.find(&position.at)?;
            let end = place.tail().end();
            if position.offset > end {
                let position = position.clone();
                return Err(LogError::OutOfRange { position, start: Offset(0), end });
            }
            inputs.push((place, position.offset));
        }
        Ok(Box::new(reader::StoreReader::new(self.store.clone(), inputs)))
    }

    async fn bounds(&self, of: &[TopicPartition]) -> Result<Vec<Bounds>, LogError> {
        let bounds = |at| {
            let place = self.topics.find(at)?;
            let topic_id = place.topic_id().clone();
            Ok(Bounds { topic_id, start: Offset(0), end: place.tail().end() })
        };
        of.iter().map(bounds).collect()
    }

    async fn join(
        &self,
        group: &str,
        member: &Member,
        topic: &TopicName,
    ) -> Result<Box<dyn Membership>, LogError> {
        self.groups.join(group, &member.id, self.topics.spec(topic)?)
    }
}
