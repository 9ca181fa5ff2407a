//! Folds the log into the joined customer-order view and lets it be read.
//!
//! Give [`start`] a log and a codec and it gives back two handles: [`Running`], to stop it, and
//! [`Reads`], the only way to the view. The view is a pure function of the log: rows and positions
//! are one atomic write, so a restart reads its own position from the store and goes on.
//!
//! Where things are: `joining` waits for the log, `assignment` decides which shards are held,
//! `task` is a shard's loop, `apply` folds a record, `commit` writes, `store`, `keys` and `rows`
//! are how it is kept, `reads` and `view` how it is asked. It knows nothing of gRPC.

mod apply;
mod assignment;
mod commit;
mod errors;
mod joining;
mod keys;
mod reads;
mod retry;
mod rows;
mod shard;
mod state;
mod store;
mod task;
mod view;

pub use errors::{Failure, StoreError};
pub use reads::{InputStatus, Need, Reads, Reflected, ShardStatus, Stamp, Unserved};
pub use rows::{Reject, RejectKind};
pub use shard::ShardState;
pub use view::{JoinedOrder, Page, View};

// What a processor is given, and how a process is told about it, for those who host one.
pub use tandem_codec::{Codec, RegistryError, RegistryFlags};
pub use tandem_eventlog::{Log, LogError, LogSettings, Partition};

use std::{io, path::PathBuf, sync::Arc, thread::available_parallelism};
use tandem_domain::Topic;
use tandem_eventlog::{Kept, TopicName, TopicSpec};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// What the processor has to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the shards' stores are kept, a folder each.
    pub dir: PathBuf,
    /// How many shards there are: the partition count of every input topic.
    pub shards: u32,
    /// The replica set: instances of one set share the shards. The group on the log is named
    /// after it, `tandem-` and its name.
    pub replica_set: String,
    /// This instance's name, unique in its set.
    pub instance_id: String,
    /// Memory for blocks read from the stores, bytes, all shards together.
    pub cache_bytes: usize,
    /// Memory for what is not yet flushed, bytes, all shards together.
    pub write_buffer_bytes: usize,
}

/// The topics that the view is folded from.
#[must_use]
pub fn input_topics(shards: u32) -> Vec<TopicSpec> {
    let spec = |t: Topic| TopicSpec {
        name: TopicName::from(t.name()),
        partitions: shards,
        kept: Kept::Forever,
    };
    Topic::ALL.map(spec).to_vec()
}

/// A running processor.
pub struct Running {
    stop: CancellationToken,
    follower: JoinHandle<()>,
}

impl Running {
    /// Stops waiting for the log, or every shard after the commit it is in; brings what is
    /// committed to the disk and closes it.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(e) = self.follower.await {
            tracing::error!(error = %e, "the processor ended badly");
        }
    }
}

/// Starts folding on `fold`, a runtime apart from the one that answers requests: folding keeps a
/// thread busy for as long as a backlog lasts.
///
/// It returns at once. Until the log's topics are there and the group has been joined, reads are
/// [`Unserved::NotReady`]; what is waited for stands in the log lines. Has to be called within a
/// runtime.
#[must_use]
pub fn start(settings: Settings, log: Log, codec: Codec, fold: Handle) -> (Running, Reads) {
    let (held, seen) = watch::channel(assignment::Held::new());
    let topics = assignment::Topics::default();
    let reads = Reads::new(settings.shards, topics.clone(), seen);
    let ground = assignment::Ground {
        replica_set: settings.replica_set,
        instance_id: settings.instance_id,
        dir: settings.dir,
        shards: settings.shards,
        log,
        codec,
        memory: Arc::new(store::Memory::new(settings.cache_bytes, settings.write_buffer_bytes)),
        fold,
    };
    let stop = CancellationToken::new();
    let follower = tokio::spawn(assignment::follow(ground, topics, held, stop.clone()));
    (Running { stop, follower }, reads)
}

/// A runtime for folding: as many threads as can be busy at once.
///
/// # Errors
/// The system's, when there are no threads to be had.
pub fn fold_runtime(shards: u32) -> io::Result<Runtime> {
    let cores = available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores.min(shards as usize))
        .thread_name("fold")
        .enable_all()
        .build()
}
