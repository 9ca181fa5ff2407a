//! A shard's store: a RocksDB database of its own, written in one atomic batch a commit.
//!
//! The WAL is off: what a crash takes is folded again from the log. `atomic_flush` makes the rows
//! and the position they belong to reach the disk together, so a store is always whole.

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompactionStyle,
    DBCompressionType, FlushOptions, Options, WriteBatch, WriteBufferManager, WriteOptions,
    compaction_filter::Decision,
};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use crate::{
    StoreError, rows,
    shelf::{Documents, Shelf},
    simulation::{Disk, Step},
    state::{REMEMBERED_MS, State},
};

/// Where each kind of row lives: a column family each. See [`crate::keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    View,
    OrderIndex,
    OrderTimes,
    Greetings,
    EventIds,
    Rejects,
}

impl Family {
    pub(crate) const ALL: [Family; 6] = [
        Family::View,
        Family::OrderIndex,
        Family::OrderTimes,
        Family::Greetings,
        Family::EventIds,
        Family::Rejects,
    ];

    const fn name(self) -> &'static str {
        match self {
            Family::View => "view",
            Family::OrderIndex => "order_index",
            Family::OrderTimes => "order_times",
            Family::Greetings => "greetings",
            Family::EventIds => "event_ids",
            Family::Rejects => "rejects",
        }
    }
}

pub(crate) const STATE_KEY: &[u8] = b"state";

/// What all stores of a process share: memory, so that it doesn't grow with the shards, and the
/// disk.
pub(crate) struct Memory {
    cache: Cache,
    write_buffers: WriteBufferManager,
    documents: Documents,
    disk: Disk,
}

impl Memory {
    /// `cache_bytes` for blocks read, `document_cache_bytes` for documents, and as much as
    /// `write_buffer_bytes` for what is not flushed.
    pub(crate) fn new(
        cache_bytes: usize,
        document_cache_bytes: usize,
        write_buffer_bytes: usize,
        disk: Disk,
    ) -> Self {
        Self {
            disk,
            cache: Cache::new_lru_cache(cache_bytes),
            documents: Documents::new(document_cache_bytes),
            write_buffers: WriteBufferManager::new_write_buffer_manager(write_buffer_bytes, false),
        }
    }
}

/// One shard's database. Closed when the last holder lets go.
pub(crate) struct Store {
    db: DB,
    dir: PathBuf,
    disk: Disk,
    /// Up to which record time, per topic, event ids on disk may be dropped.
    forgotten: Arc<Forgotten>,
    /// How many writes were begun.
    writes: AtomicU64,
    /// What was made of its rows and is kept.
    documents: Shelf,
}

type Forgotten = [AtomicI64; 3];

impl Store {
    /// Opens the store in `dir`, making it if it isn't there.
    pub(crate) fn open(dir: &Path, memory: &Memory) -> Result<Self, StoreError> {
        let forgotten: Arc<Forgotten> = Arc::new([const { AtomicI64::new(i64::MIN) }; 3]);
        let families = Family::ALL
            .map(|f| ColumnFamilyDescriptor::new(f.name(), options(f, memory, &forgotten)));
        let options = database(memory.disk.open(dir)?, memory);
        // A store in memory is one by itself; the place it is given only has to be there.
        let place = if memory.disk.is_memory() { std::env::temp_dir() } else { dir.to_owned() };
        let db = DB::open_cf_descriptors(&options, place, families)?;
        let store = Self {
            db,
            dir: dir.to_owned(),
            disk: memory.disk.clone(),
            forgotten,
            writes: AtomicU64::new(0),
            documents: memory.documents.shelf(),
        };
        if let Some(state) = store.state()? {
            store.forget(&state);
        }
        Ok(store)
    }

    /// Where the store lies.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The state as of the last commit; `None` in a new store.
    pub(crate) fn state(&self) -> Result<Option<State>, StoreError> {
        self.db.get_pinned(STATE_KEY)?.map(|row| rows::decode(&row)).transpose()
    }

    /// A row as of the last commit.
    pub(crate) fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get_cf(self.family(family)?, key)?)
    }

    /// Writes everything in `batch` and `state`, or nothing. What is written is visible at once
    /// and on disk at the next flush.
    pub(crate) fn write(&self, mut batch: WriteBatch, state: &State) -> Result<(), StoreError> {
        batch.put(STATE_KEY, rows::encode(state)?);
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.writes.fetch_add(1, Ordering::SeqCst);
        Ok(self.db.write_opt(batch, &options)?)
    }

    /// How many writes were begun so far. Whoever takes a snapshot first and then finds the number of
    /// a write here that had ended before, has a snapshot of just what that write made.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// What was made of its rows and is kept.
    pub(crate) fn documents(&self) -> &Shelf {
        &self.documents
    }

    /// Brings all commits so far to the disk. Blocks for some tens of milliseconds: not for a
    /// thread that has others waiting.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        let Some(state) = self.state()? else { return Ok(()) };
        if self.disk.is_off() {
            return Ok(());
        }
        let mut options = FlushOptions::default();
        options.set_wait(true);
        let names = Family::ALL.map(Family::name).into_iter().chain(["default"]);
        let families: Result<Vec<_>, _> = names.map(|name| self.named(name)).collect();
        self.db.flush_cfs_opt(&families?, &options)?;
        self.disk.reaches(Step::Flushed)?;
        self.forget(&state);
        Ok(())
    }

    /// The disk that it lies on.
    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    pub(crate) fn db(&self) -> &DB {
        &self.db
    }

    pub(crate) fn family(&self, family: Family) -> Result<&ColumnFamily, StoreError> {
        self.named(family.name())
    }

    fn named(&self, name: &str) -> Result<&ColumnFamily, StoreError> {
        self.db
            .cf_handle(name)
            .ok_or_else(|| StoreError::Corrupt(format!("column family {name} is missing")))
    }

    /// Lets event ids go that were too old at `state`. Only a state that is on disk may be given:
    /// a crash goes back to that, and must then still know every id that counted there.
    fn forget(&self, state: &State) {
        for (forgotten, input) in self.forgotten.iter().zip(&state.inputs) {
            forgotten.store(input.clock_ms.saturating_sub(REMEMBERED_MS), Ordering::Relaxed);
        }
    }
}

/// An event id's value: when it was folded, in record time.
pub(crate) fn encode_time(ms: i64) -> [u8; 8] {
    ms.to_le_bytes()
}

/// Reads what [`encode_time`] wrote.
pub(crate) fn decode_time(value: &[u8]) -> Option<i64> {
    Some(i64::from_le_bytes(value.try_into().ok()?))
}

fn database(mut o: Options, memory: &Memory) -> Options {
    o.create_if_missing(true);
    o.create_missing_column_families(true);
    o.set_atomic_flush(true);
    o.set_write_buffer_manager(&memory.write_buffers);
    o.set_max_background_jobs(2);
    o.set_max_open_files(256); // a few per family and level; beyond that they are reopened
    o.set_keep_log_file_num(2);
    o.set_stats_dump_period_sec(0);
    o
}

fn options(family: Family, memory: &Memory, forgotten: &Arc<Forgotten>) -> Options {
    let mut o = Options::default();
    // What has just been flushed is soon rewritten; compressing it twice would be wasted.
    let (raw, lz4) = (DBCompressionType::None, DBCompressionType::Lz4);
    o.set_compression_per_level(&[raw, raw, lz4, lz4, lz4, lz4, lz4]);
    o.set_write_buffer_size(16 << 20);
    // Twice the default: a backlog is merged half as often; a point read looks into a few files
    // more, which their key ranges or the filter mostly rule out.
    o.set_level_zero_file_num_compaction_trigger(8);
    if matches!(family, Family::OrderIndex | Family::OrderTimes | Family::EventIds) {
        // Written with every order and seldom read: merged when runs have become many, not into all
        // that there is.
        o.set_compaction_style(DBCompactionStyle::Universal);
    }
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&memory.cache);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_block_size(8 << 10);
    if family == Family::EventIds {
        // Nearly every look-up is for an id that isn't there; the filter answers it.
        table.set_bloom_filter(10.0, false);
        o.set_memtable_whole_key_filtering(true);
        o.set_memtable_prefix_bloom_ratio(0.05);
        o.set_periodic_compaction_seconds(24 * 60 * 60);
        let forgotten = forgotten.clone();
        o.set_compaction_filter("forget-event-ids", move |_, key, value| {
            let limit = key.first().and_then(|topic| forgotten.get(usize::from(*topic)));
            match (limit, decode_time(value)) {
                (Some(limit), Some(time)) if time <= limit.load(Ordering::Relaxed) => {
                    Decision::Remove
                }
                _ => Decision::Keep,
            }
        });
    }
    o.set_block_based_table_factory(&table);
    o
}
