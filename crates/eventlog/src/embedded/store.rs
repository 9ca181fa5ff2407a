//! The RocksDB database under the embedded log: how it is opened, tuned, shared and closed, and
//! what its errors mean to a caller.

use super::refused;
use crate::LogError;
use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompactionStyle, DBCompressionType, DBRecoveryMode, Env,
    InfoLogger, LogLevel, Options, ReadOptions, UniversalCompactOptions, WriteBatch, WriteOptions,
};
use std::{
    path::Path,
    sync::{PoisonError, RwLock},
};

/// Two write buffers of this size are what the log holds in memory, and what the WAL holds on
/// disk, which is what a start after a crash replays (well under a second).
const WRITE_BUFFER_BYTES: usize = 16 << 20;
/// The WAL may be this long before the oldest buffer is written out.
const WAL_BYTES: u64 = 64 << 20;
/// Readers pass the cache by, so it only serves look-ups while the log is opened.
const CACHE_BYTES: usize = 8 << 20;
/// Large blocks compress well, and records are read in runs.
const BLOCK_BYTES: usize = 32 << 10;
/// Data lies in files of 64 MiB and more, so this is enough for tens of gigabytes without
/// reopening files; a process often may have 1024 in all.
const OPEN_FILES: i32 = 256;
/// So many sorted runs are merged at once. Runs of an append-only partition do not overlap, so
/// more of them cost a reader little, and fewer merges cost the writer less.
const RUNS_TO_MERGE: i32 = 8;
/// Records are not superseded (save in small compacted topics), so newer runs are no garbage in
/// older ones and the default bound on garbage (200 %) would only rewrite the log over and over.
const GARBAGE_PERCENT: i32 = 10_000;

/// An open database. It can be closed while readers still hold it; they are refused from then on.
pub(super) struct Store {
    db: RwLock<Option<DB>>,
    /// Whether the next write fails, for tests of what follows.
    #[cfg(test)]
    pub(super) fails_next: std::sync::atomic::AtomicBool,
}

impl Store {
    /// Opens or creates the database in `dir`.
    pub(super) fn open(dir: &Path) -> Result<Self, LogError> {
        let db = DB::open(&tuned(), dir).map_err(|error| refused::unusable(dir, &error))?;
        Ok(Self::of(db))
    }

    /// Opens an empty database that never touches a disk.
    pub(super) fn open_in_memory() -> Result<Self, LogError> {
        let mut options = tuned();
        options.set_env(&Env::mem_env().map_err(|error| refused::unavailable(&error))?);
        // The binding makes this folder on the real disk before it opens anything, so it has to
        // be one that exists; nothing is put there, and each environment sees only its own files.
        let dir = std::env::temp_dir();
        let db = DB::open(&options, &dir).map_err(|error| refused::unusable(&dir, &error))?;
        Ok(Self::of(db))
    }

    fn of(db: DB) -> Self {
        Self {
            db: RwLock::new(Some(db)),
            #[cfg(test)]
            fails_next: false.into(),
        }
    }

    /// Runs `f` on the database unless it is closed. A close waits for `f`, so it has to be
    /// short: bounded reads of local data, which is why readers do them without a thread pool.
    pub(super) fn with<T>(
        &self,
        f: impl FnOnce(&DB) -> Result<T, rocksdb::Error>,
    ) -> Result<T, LogError> {
        match &*self.db.read().unwrap_or_else(PoisonError::into_inner) {
            Some(db) => f(db).map_err(|error| refused::unavailable(&error)),
            None => Err(refused::closed()),
        }
    }

    /// Writes `batch` as a whole and returns when it would survive a loss of power.
    pub(super) fn write_durably(&self, batch: WriteBatch) -> Result<(), LogError> {
        #[cfg(test)]
        if self.fails_next.swap(false, std::sync::atomic::Ordering::Relaxed) {
            return Err(LogError::Unavailable("a test's fault".into()));
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.with(|db| db.write_opt(batch, &options))
    }

    /// Refuses when the database is closed.
    pub(super) fn check_open(&self) -> Result<(), LogError> {
        self.with(|_| Ok(()))
    }

    /// Closes the database and frees its folder. What was acknowledged is in the WAL already.
    pub(super) fn close(&self) {
        self.db.write().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// How runs of records are read: each record once, so it would only push others out of the cache.
/// Readahead is left to RocksDB, which begins it at the third block of a run and doubles it up to
/// 256 KiB; a fixed one cost twice the CPU on data that the system has in its page cache.
pub(super) fn reading_from(first: &[u8], until: &[u8]) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(first);
    options.set_iterate_upper_bound(until);
    options.fill_cache(false);
    options
}

fn tuned() -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(&Cache::new_lru_cache(CACHE_BYTES));
    blocks.set_block_size(BLOCK_BYTES);
    let mut universal = UniversalCompactOptions::default();
    universal.set_max_size_amplification_percent(GARBAGE_PERCENT);

    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_write_buffer_number(2);
    options.set_max_total_wal_size(WAL_BYTES);
    // A group that a crash tore is dropped as a whole; it was never acknowledged.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_compaction_style(DBCompactionStyle::Universal);
    options.set_universal_compaction_options(&universal);
    options.set_level_zero_file_num_compaction_trigger(RUNS_TO_MERGE);
    options.set_max_background_jobs(2);
    options.set_max_open_files(OPEN_FILES);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    // RocksDB's own log file would be turned over in the folder before the folder's lock is
    // tried, so a start that is refused would still touch what another process holds.
    options.set_info_logger(InfoLogger::new_callback_logger(LogLevel::Warn, told));
    options
}

fn told(level: LogLevel, text: &str) {
    match level {
        // A refused open is answered to whoever asked for it, and said once, there.
        _ if text.contains("DB::Open() failed") => tracing::debug!(text, "RocksDB says"),
        LogLevel::Error | LogLevel::Fatal => tracing::error!(text, "RocksDB reports an error"),
        LogLevel::Warn => tracing::warn!(text, "RocksDB warns"),
        LogLevel::Debug | LogLevel::Info | LogLevel::Header => {
            tracing::debug!(text, "RocksDB says")
        }
    }
}
