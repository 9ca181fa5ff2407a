//! The one place that gives out offsets: makes a group of appends durable with one write.

use super::{
    compaction::LastOfKey,
    keys::Lane,
    store::Store,
    stored,
    topics::{Place, end_in},
};
use crate::{LogError, NewRecord, Offset};
use rocksdb::WriteBatch;
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// An append on its way. Who asked may be gone by the time it is answered; it is done even so.
pub(super) struct Append {
    pub(super) place: Place,
    pub(super) record: NewRecord,
    pub(super) answer: oneshot::Sender<Result<Offset, LogError>>,
    /// Its share of the queue, given back when this is dropped after the answer.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// Commits groups of appends, one after the other. There is one per log.
pub(super) struct Committer {
    store: Arc<Store>,
    /// Where each partition goes on, for those that were appended to.
    cursors: HashMap<Lane, Cursor>,
    /// The stored form of the record at hand, kept so that it is allocated once.
    stored: Vec<u8>,
    groups: Arc<AtomicU64>,
}

/// Where a partition goes on.
struct Cursor {
    place: Place,
    next: Offset,
    /// Only for a compacted topic.
    last_of_key: Option<LastOfKey>,
    /// Whether the group at hand has a record for it.
    in_group: bool,
}

impl Committer {
    /// `groups` counts the groups that were made durable.
    pub(super) fn new(store: Arc<Store>, groups: Arc<AtomicU64>) -> Self {
        Self { store, cursors: HashMap::new(), stored: Vec::new(), groups }
    }

    /// Commits `group` and answers each of its appends.
    ///
    /// 1. Each record gets its offset and goes into one batch.
    /// 2. The batch is written and synced.
    /// 3. Ends move, so readers see the records. Before this nothing is visible.
    /// 4. The appends are answered; who has the answer finds the record.
    ///
    /// When 1 or 2 fails, all of the group fail, and the partitions they touched are forgotten:
    /// the next append there learns from the store where to go on, so that no offset is given
    /// twice and none is left out.
    pub(super) fn commit(&mut self, group: Vec<Append>) {
        let mut batch = WriteBatch::default();
        let offsets: Result<Vec<Offset>, LogError> =
            group.iter().map(|append| self.stage(append, &mut batch)).collect();
        let done = offsets.and_then(|all| self.store.write_durably(batch).map(|()| all));
        match done {
            Ok(offsets) => {
                self.groups.fetch_add(1, Ordering::Relaxed);
                self.publish();
                for (append, offset) in group.into_iter().zip(offsets) {
                    append.answer(Ok(offset));
                }
            }
            Err(error) => {
                tracing::error!(%error, appends = group.len(), "a group of appends failed");
                self.cursors.retain(|_, cursor| !cursor.in_group);
                for append in group {
                    append.answer(Err(error.clone()));
                }
            }
        }
    }

    /// Gives `append` its offset and puts its record into `batch`.
    fn stage(&mut self, append: &Append, batch: &mut WriteBatch) -> Result<Offset, LogError> {
        let lane = append.place.lane();
        let cursor = match self.cursors.entry(lane) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(Cursor::load(&self.store, &append.place)?),
        };
        let offset = cursor.next;
        cursor.next = offset.next();
        cursor.in_group = true;
        self.stored.clear();
        stored::encode(&append.record, &mut self.stored);
        batch.put(lane.key(offset), &self.stored);
        if let (Some(last), Some(key)) = (&mut cursor.last_of_key, &append.record.key)
            && let Some(superseded) = last.supersede(key, offset)
        {
            batch.delete(lane.key(superseded));
        }
        Ok(offset)
    }

    fn publish(&mut self) {
        for cursor in self.cursors.values_mut() {
            if std::mem::take(&mut cursor.in_group) {
                cursor.place.tail().publish(cursor.next);
            }
        }
    }
}

impl Cursor {
    fn load(store: &Store, place: &Place) -> Result<Self, LogError> {
        let lane = place.lane();
        let compacted = place.is_compacted();
        let (next, last_of_key) = store.with(|db| {
            let last = compacted.then(|| LastOfKey::load(db, lane)).transpose()?;
            Ok((end_in(db, lane)?, last))
        })?;
        Ok(Self { place: place.clone(), next, last_of_key, in_group: false })
    }
}

impl Append {
    fn answer(self, answer: Result<Offset, LogError>) {
        // The asker may have given up; the record is there all the same, as the port allows.
        let _ = self.answer.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Headers, Kept, Partition, TopicPartition, TopicSpec,
        embedded::{keys::Key, topics::Topics},
    };

    fn commit(committer: &mut Committer, place: &Place, keys: &[&'static str]) -> Vec<Option<u64>> {
        let (group, answers): (Vec<_>, Vec<_>) = keys
            .iter()
            .map(|key| {
                let (answer, answered) = oneshot::channel();
                let record = NewRecord {
                    to: place.name(),
                    timestamp_ms: 0,
                    key: Some((*key).into()),
                    value: Some("value".into()),
                    headers: Headers::default(),
                };
                (Append { place: place.clone(), record, answer, room: None }, answered)
            })
            .unzip();
        committer.commit(group);
        let offset = |mut answer: oneshot::Receiver<Result<Offset, LogError>>| {
            answer.try_recv().unwrap().ok().map(|offset| offset.0)
        };
        answers.into_iter().map(offset).collect()
    }

    fn stored(store: &Store, place: &Place) -> Vec<u64> {
        let lane = place.lane();
        let is_there = |n: &u64| {
            let key: Key = lane.key(Offset(*n));
            store.with(|db| db.get(key)).unwrap().is_some()
        };
        (0..20).filter(is_there).collect()
    }

    #[test]
    fn a_failed_group_takes_no_offsets_and_supersedes_nothing() {
        let store = Arc::new(Store::open_in_memory().unwrap());
        let topics = Topics::load(&store).unwrap();
        let spec = TopicSpec { name: "t".into(), partitions: 1, kept: Kept::Compacted };
        topics.ensure(&store, &[spec]).unwrap();
        let at = TopicPartition { topic: "t".into(), partition: Partition(0) };
        let place = topics.find(&at).unwrap();
        let groups = Arc::default();
        let mut committer = Committer::new(store.clone(), Arc::clone(&groups));

        assert_eq!(commit(&mut committer, &place, &["a", "b"]), [Some(0), Some(1)]);
        store.fails_next.store(true, Ordering::Relaxed);
        assert_eq!(commit(&mut committer, &place, &["a", "c", "d"]), [None, None, None]);
        assert_eq!((place.tail().end(), stored(&store, &place)), (Offset(2), vec![0, 1]));
        // "a" is superseded where it lies, not where the failed group would have put it.
        assert_eq!(commit(&mut committer, &place, &["a", "c"]), [Some(2), Some(3)]);
        assert_eq!((place.tail().end(), stored(&store, &place)), (Offset(4), vec![1, 2, 3]));
        assert_eq!(groups.load(Ordering::Relaxed), 2);
    }
}
