//! What makes a compacted topic small: a record goes when a later one of its key is appended.
//!
//! That is done in the same write as the append, so there is no moment at which a key has no
//! record, and nothing runs in the background.

use super::{
    keys::Lane,
    store::{Store, reading_from},
    stored,
    topics::Place,
};
use crate::{LogError, Offset};
use rocksdb::{DB, WriteBatch};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long a tombstone can still be read, as Kafka's `delete.retention.ms`: a reader that was
/// away for less than that learns that the key is gone.
const TOMBSTONE_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the last record of each key lies in one partition. Held in memory whole: compacted
/// topics are small by their purpose (one record per instance).
#[derive(Default)]
pub(super) struct LastOfKey(HashMap<Box<[u8]>, Offset>);

impl LastOfKey {
    /// Learns it from what is stored.
    pub(super) fn load(db: &DB, lane: Lane) -> Result<Self, rocksdb::Error> {
        let mut last = Self::default();
        each(db, lane, |offset, value| {
            if let Some((Some(key), ..)) = stored::peek(value) {
                last.0.insert(key.into(), offset);
            }
        })?;
        Ok(last)
    }

    /// Notes that `key` is at `offset` now; gives where it was before.
    pub(super) fn supersede(&mut self, key: &[u8], offset: Offset) -> Option<Offset> {
        if let Some(known) = self.0.get_mut(key) {
            return Some(std::mem::replace(known, offset));
        }
        self.0.insert(key.into(), offset);
        None
    }
}

/// Removes tombstones that nobody needs any more, so that keys that come and go for ever (each
/// start of an instance makes one) don't pile up. Done when the log is opened. The last record
/// of a partition stays even so: it tells where the partition ends.
pub(super) fn forget_old_tombstones(store: &Store, place: &Place) -> Result<(), LogError> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let kept_from = since_epoch.saturating_sub(TOMBSTONE_KEPT).as_millis();
    let lane = place.lane();
    let batch = store.with(|db| {
        let mut batch = WriteBatch::default();
        each(db, lane, |offset, value| {
            let is_last = offset.next() == place.tail().end();
            let is_old = |time: i64| u128::try_from(time).map_or(true, |time| time < kept_from);
            if let Some((_, time, true)) = stored::peek(value)
                && is_old(time)
                && !is_last
            {
                batch.delete(lane.key(offset));
            }
        })?;
        Ok(batch)
    })?;
    if batch.is_empty() {
        return Ok(());
    }
    tracing::debug!(topic = %place.name(), tombstones = batch.len(), "old tombstones removed");
    store.write_durably(batch)
}

fn each(db: &DB, lane: Lane, mut f: impl FnMut(Offset, &[u8])) -> Result<(), rocksdb::Error> {
    let mut records = db.raw_iterator_opt(reading_from(&lane.key(Offset(0)), &lane.after()));
    records.seek_to_first();
    while let Some((key, value)) = records.item() {
        if let Some(offset) = lane.offset(key) {
            f(offset, value);
        }
        records.next();
    }
    records.status()
}
