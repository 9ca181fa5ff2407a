//! Folds the log into the joined customer-order view and lets it be read.
//!
//! Give [`start`] a log and a codec and it gives back two handles: [`Running`], to stop it, and
//! [`Reads`], the only way to the view. The view is a pure function of the log: rows and positions
//! are one atomic write, so a restart reads its own position from the store and goes on.
//!
//! Where things are: `assignment` decides which shards are held, `task` is a shard's loop, `apply`
//! folds a record, `commit` writes, `store`, `keys` and `rows` are how it is kept, `reads` and
//! `view` how it is asked. It knows nothing of gRPC.

mod apply;
mod assignment;
mod commit;
mod errors;
mod keys;
mod reads;
mod rows;
mod shard;
mod state;
mod store;
mod task;
mod view;

pub use errors::{Failure, StoreError};
pub use reads::{InputStatus, Need, Reads, ShardStatus, Stamp, Unserved};
pub use rows::Reject;
pub use shard::ShardState;
pub use view::{JoinedOrder, Page, View};

pub use tandem_codec::Codec;
pub use tandem_eventlog::{Log, LogError, Partition};

use std::{path::PathBuf, sync::Arc};
use tandem_domain::Topic;
use tandem_eventlog::{Kept, TopicName, TopicSpec};
use tokio::{runtime::Handle, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// What the processor has to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the shards' stores are kept, a folder each.
    pub dir: PathBuf,
    /// How many shards there are: the partition count of every input topic.
    pub shards: u32,
    /// The replica set: instances of one set share the shards.
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
    /// Stops every shard after the commit it is in, brings it to the disk and closes it.
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
/// # Errors
/// [`LogError`] when the topics don't fit, or can't be checked, or the group can't be joined.
pub async fn start(
    settings: Settings,
    log: Log,
    codec: Codec,
    fold: Handle,
) -> Result<(Running, Reads), LogError> {
    let inputs = input_topics(settings.shards);
    let topics = log.ensure_topics(&inputs).await?;
    let membership =
        log.join(&settings.replica_set, &settings.instance_id, &inputs[0].name).await?;
    let (held, seen) = watch::channel(assignment::Held::new());
    let ground = assignment::Ground {
        dir: settings.dir,
        shards: settings.shards,
        log,
        codec,
        memory: Arc::new(store::Memory::new(settings.cache_bytes, settings.write_buffer_bytes)),
        fold,
    };
    let stop = CancellationToken::new();
    let follower = tokio::spawn(assignment::follow(ground, membership, held, stop.clone()));
    Ok((Running { stop, follower }, Reads::new(settings.shards, topics, seen)))
}
