//! Reads partitions in order: what is there in runs from the store, then waits to be told of more.

use super::{
    keys::Key,
    refused,
    store::{Store, reading_from},
    stored,
    topics::Place,
};
use crate::{Batch, LogError, Offset, Position, Reader, Record};
use async_trait::async_trait;
use bytes::BytesMut;
use rocksdb::{DB, Error as Failed};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

/// A batch is bounded so that folding one stays a short piece of work; the port names it.
const BATCH_BYTES: usize = 1 << 20;
/// A guess at a stored record's size, to make an arena of about the right size at once.
const TYPICAL_RECORD_BYTES: usize = 256;

/// So many records are looked up one by one, in a microsecond each while they are in the write
/// buffer, where the newest are. A run costs fifty to begin, as it looks into every file whose
/// keys lie around the position, and files hold all partitions.
const FEW_RECORDS: usize = 32;

/// Reads some partitions. It reads from the store inline, in the caller's task: a batch is some
/// milliseconds at most, and mostly comes from memory.
pub(super) struct StoreReader {
    store: Arc<Store>,
    inputs: Vec<Input>,
    /// Which input comes first in the next batch.
    turn: usize,
    /// Whether the last batch left something behind, so that the next needs no wait.
    is_behind: bool,
    more: Arc<Notify>,
}

struct Input {
    place: Place,
    next: Offset,
}

/// What one input has for a batch. Its records lie one after the other in one piece of memory,
/// which the records of the batch then share; who keeps a record for long has to copy it.
struct Run {
    stored: BytesMut,
    /// Of each record, its offset and where it ends in `stored`.
    records: Vec<(Offset, usize)>,
    next: Offset,
    end: Offset,
}

/// How much a run may take of a batch, in bytes.
#[derive(Clone, Copy)]
struct Bounds {
    /// Its fair share.
    share: usize,
    /// What is left of the whole batch.
    room: usize,
}

impl StoreReader {
    pub(super) fn new(store: Arc<Store>, from: Vec<(Place, Offset)>) -> Self {
        let more = Arc::new(Notify::new());
        for (place, _) in &from {
            place.tail().tell(&more);
        }
        let inputs = from.into_iter().map(|(place, next)| Input { place, next }).collect();
        Self { store, inputs, turn: 0, is_behind: false, more }
    }

    /// Waits until there are records.
    async fn some(&mut self) -> Result<Batch, LogError> {
        // A reader with a long backlog would never wait, and its task would hold the thread until
        // it is through. The mark goes first: a call dropped here is not put off again.
        if std::mem::take(&mut self.is_behind) {
            tokio::task::yield_now().await;
        }
        loop {
            let batch = self.take()?;
            if !batch.records.is_empty() {
                return Ok(batch);
            }
            self.more.notified().await;
        }
    }

    /// What there is now. Positions move only when all is read, so an error loses nothing.
    fn take(&mut self) -> Result<Batch, LogError> {
        self.store.check_open()?;
        let ends_at = Instant::now();
        let runs = self.runs()?;
        let mut records = Vec::with_capacity(runs.iter().map(|run| run.records.len()).sum());
        let ends: Vec<Offset> = runs.iter().map(|run| run.end).collect();
        let next: Vec<Offset> = runs.iter().map(|run| run.next).collect();
        for (n, run) in runs.into_iter().enumerate() {
            run.decode(n, &self.inputs[n].place, &mut records)?;
        }
        for (input, next) in self.inputs.iter_mut().zip(&next) {
            input.next = *next;
        }
        self.turn = (self.turn + 1) % self.inputs.len().max(1);
        self.is_behind = next != ends;
        Ok(Batch { records, next, ends, ends_at })
    }

    /// A run of each input. What room there is gets shared among the inputs that are behind,
    /// beginning with another one each time, so that large records in one can't shut out others.
    fn runs(&self) -> Result<Vec<Run>, LogError> {
        let mut runs: Vec<Run> = self.inputs.iter().map(Input::nothing).collect();
        let count = runs.len();
        let in_turn = (0..count).map(|n| (self.turn + n) % count);
        let behind: Vec<usize> = in_turn.filter(|&n| runs[n].next < runs[n].end).collect();
        if behind.is_empty() {
            return Ok(runs);
        }
        self.store.with(|db| {
            let mut room = BATCH_BYTES;
            for (done, &n) in behind.iter().enumerate() {
                let share = room / (behind.len() - done);
                runs[n].fill(db, &self.inputs[n].place, share, room)?;
                room = room.saturating_sub(runs[n].stored.len());
            }
            Ok(())
        })?;
        Ok(runs)
    }
}

#[async_trait]
impl Reader for StoreReader {
    async fn next(&mut self, max_wait: Duration) -> Result<Batch, LogError> {
        match timeout(max_wait, self.some()).await {
            Ok(batch) => batch,
            Err(_) => self.take(),
        }
    }
}

impl Input {
    fn nothing(&self) -> Run {
        let end = self.place.tail().end();
        Run { stored: BytesMut::new(), records: Vec::new(), next: self.next, end }
    }
}

impl Run {
    /// Reads up to `share` bytes of records; the first one may take all of `room`, or more when
    /// nothing else is in the batch.
    fn fill(&mut self, db: &DB, place: &Place, share: usize, room: usize) -> Result<(), Failed> {
        let behind = usize::try_from(self.end.0 - self.next.0).unwrap_or(usize::MAX);
        let bounds = Bounds { share, room };
        self.stored.reserve(behind.saturating_mul(TYPICAL_RECORD_BYTES).min(share));
        if behind <= FEW_RECORDS && !place.is_compacted() {
            self.look_up(db, place, bounds)
        } else {
            self.scan(db, place, bounds)
        }
    }

    /// Reads records one by one. Their offsets are known, as a topic that is kept for ever has no
    /// gaps; should there be one all the same, a run gets past it.
    fn look_up(&mut self, db: &DB, place: &Place, bounds: Bounds) -> Result<(), Failed> {
        while self.next < self.end {
            let Some(value) = db.get_pinned(place.lane().key(self.next))? else {
                return self.scan(db, place, bounds);
            };
            if !self.push(self.next, &value, bounds) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads records in a run.
    fn scan(&mut self, db: &DB, place: &Place, bounds: Bounds) -> Result<(), Failed> {
        let lane = place.lane();
        let first = lane.key(self.next);
        let mut records = db.raw_iterator_opt(reading_from(&first, &self.until(place)));
        records.seek(first);
        while let Some((key, value)) = records.item() {
            if let Some(offset) = lane.offset(key)
                && !self.push(offset, value, bounds)
            {
                return Ok(());
            }
            records.next();
        }
        records.status()?;
        self.next = self.next.max(self.end);
        Ok(())
    }

    /// Before which key to stop. Readers are shown what lies before the published end.
    ///
    /// Not so in a compacted topic: an append behind that end may just have removed a record
    /// before it, and who then is told "this was all" would take its key for gone. So there the
    /// run takes in what the store has already, which is durable too: the store makes a write
    /// visible after it has synced it.
    fn until(&self, place: &Place) -> Key {
        let lane = place.lane();
        if place.is_compacted() { lane.after() } else { lane.key(self.end) }
    }

    /// Takes a record unless it is too much.
    fn push(&mut self, offset: Offset, value: &[u8], bounds: Bounds) -> bool {
        let is_first = self.records.is_empty();
        let is_only_one = is_first && bounds.room == BATCH_BYTES;
        let allowed = if is_first { bounds.room } else { bounds.share };
        if self.stored.len() + value.len() > allowed && !is_only_one {
            return false;
        }
        self.stored.extend_from_slice(value);
        self.records.push((offset, self.stored.len()));
        self.next = offset.next();
        self.end = self.end.max(self.next);
        true
    }

    fn decode(self, input: usize, place: &Place, into: &mut Vec<Record>) -> Result<(), LogError> {
        let mut stored = self.stored.freeze();
        let mut start = 0;
        for (offset, end) in self.records {
            let record = stored::decode(stored.split_to(end - start), input, offset);
            let at = || Position { at: place.name(), offset };
            into.push(record.ok_or_else(|| refused::unknown_bytes(&at()))?);
            start = end;
        }
        Ok(())
    }
}
