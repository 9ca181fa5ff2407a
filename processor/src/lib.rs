//! Folds the log into the joined customer-order view and lets it be read.
//!
//! Give [`start`] a log and a codec and it gives back three handles: [`Running`], to stop it,
//! [`Reads`], the only way to the view, and [`Cluster`], what the other instances serve. The view is
//! a pure function of the log: rows and positions are one atomic write, so a restart reads its own
//! position from the store and goes on.
//!
//! Where things are: `joining` waits for the log, `assignment` decides which shards are held,
//! `task` is a shard's loop, `apply` folds a record, `commit` writes, `store`, `keys` and `rows`
//! are how it is kept, `reads`, `view`, `documents` with their `shelf` and `watching` how it is
//! asked; `announce`, `following` and `cluster` are what instances tell each other. It knows nothing
//! of gRPC.

mod announce;
mod apply;
mod assignment;
mod cluster;
mod commit;
mod documents;
mod errors;
mod following;
mod joining;
mod keys;
mod reads;
mod retry;
mod rows;
mod shard;
mod shelf;
pub mod simulation;
mod state;
mod store;
mod task;
mod view;
mod watching;

pub use announce::Presence;
pub use cluster::{Cluster, GONE_AFTER, Ignored, IgnoredCounts, Peer, PeerShard};
pub use documents::Made;
pub use errors::{Failure, StoreError};
pub use reads::{InputStatus, Need, Reads, Reflected, ShardStatus, Stamp, Unserved};
pub use rows::{Reject, RejectKind, SeenOrder};
pub use shard::ShardState;
pub use view::{JoinedOrder, Page, Seen, Taken, View};

// What a processor is given, and how a process is told about it, for those who host one.
pub use tandem_codec::{Codec, RegistryError, RegistryFlags};
pub use tandem_eventlog::{Log, LogError, LogSettings, Partition};

use std::{io, path::PathBuf, sync::Arc, thread::available_parallelism, time::Duration};
use tandem_domain::Topic;
use tandem_eventlog::{Kept, TopicName, TopicSpec};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::watch,
    task::JoinHandle,
};

use announce::Announcer;
use assignment::{Assignment, Ground, Held, Stops, Topics};
use cluster::Me;
use following::follow;
use joining::{Joined, join};
use simulation::Disk;
use store::Memory;

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
    /// Whether its shards stay its own while it is away for a moment: it is expected back under
    /// the same name, and the group waits its session time for it (Kafka's static membership).
    pub is_static: bool,
    /// How the others are told of it; `None` for one that answers nothing and hears nobody.
    pub presence: Option<Presence>,
    /// How long a shard that went to another instance is held until that one serves it.
    pub handover: Duration,
    /// The same when the process is to end.
    pub leave_within: Duration,
    /// How long the files of a shard that is elsewhere are kept.
    pub keep_files: Duration,
    /// Where the stores lie.
    pub disk: Disk,
    /// Memory for blocks read from the stores, bytes, all shards together.
    pub cache_bytes: usize,
    /// Memory for documents made of rows, bytes, all shards together; 0 keeps none.
    pub document_cache_bytes: usize,
    /// Memory for what is not yet flushed, bytes, all shards together.
    pub write_buffer_bytes: usize,
}

impl Settings {
    /// What is usual, for an instance that is told of to nobody.
    #[must_use]
    pub fn new(dir: PathBuf, shards: u32, replica_set: &str, instance_id: &str) -> Self {
        Self {
            dir,
            shards,
            replica_set: replica_set.into(),
            instance_id: instance_id.into(),
            is_static: false,
            presence: None,
            handover: Duration::from_secs(600),
            leave_within: Duration::from_secs(20),
            keep_files: Duration::from_secs(600),
            disk: Disk::default(),
            cache_bytes: 64 << 20,
            document_cache_bytes: 128 << 20,
            write_buffer_bytes: 64 << 20,
        }
    }
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
    stops: Stops,
    open: watch::Sender<bool>,
    work: JoinHandle<()>,
}

impl Running {
    /// Lets the others know of this instance once `reachable` ends: it can be reached then where
    /// [`Presence`] says.
    pub fn announce_when(&self, reachable: impl Future<Output = ()> + Send + 'static) {
        let (open, leave) = (self.open.clone(), self.stops.leave.clone());
        tokio::spawn(async move {
            if leave.run_until_cancelled(reachable).await.is_some() {
                open.send_replace(true);
            }
        });
    }

    /// Leaves the group and waits until the others serve what is held here, as far as there are
    /// others and for [`Settings::leave_within`] at most; then says that it is gone. What is held
    /// can be read all the while, and after it.
    pub async fn leave(&self) {
        self.stops.leave.cancel();
        self.stops.gone.cancelled().await;
    }

    /// Stops waiting for the log, or every shard after the commit it is in; brings what is
    /// committed to the disk and closes it. The others are no longer heard.
    pub async fn stop(self) {
        self.stops.leave.cancel();
        self.stops.stop.cancel();
        if let Err(e) = self.work.await {
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
pub fn start(
    settings: Settings,
    log: Log,
    codec: Codec,
    fold: Handle,
) -> (Running, Reads, Cluster) {
    let (held, seen) = watch::channel(Held::new());
    let (news, heard) = watch::channel(0);
    let topics = Topics::default();
    let reads = Reads::new(settings.shards, topics.clone(), seen, heard);
    let (open, opened) = watch::channel(false);
    let (cluster, stops) = (Cluster::new(), Stops::default());
    let work = Work {
        ground: Ground {
            replica_set: settings.replica_set,
            instance_id: settings.instance_id,
            is_static: settings.is_static,
            hears: settings.presence.is_some(),
            dir: settings.dir,
            shards: settings.shards,
            handover: settings.handover,
            leave_within: settings.leave_within,
            keep_files: settings.keep_files,
            log,
            codec,
            memory: Arc::new(Memory::new(
                settings.cache_bytes,
                settings.document_cache_bytes,
                settings.write_buffer_bytes,
                settings.disk.clone(),
            )),
            disk: settings.disk,
            fold,
            news: Arc::new(news),
        },
        presence: settings.presence,
        topics,
        held,
        reads: reads.clone(),
        cluster: cluster.clone(),
        opened,
        stops: stops.clone(),
    };
    (Running { stops, open, work: tokio::spawn(work.run()) }, reads, cluster)
}

/// Everything that a processor does.
struct Work {
    presence: Option<Presence>,
    ground: Ground,
    topics: Topics,
    held: watch::Sender<Held>,
    reads: Reads,
    cluster: Cluster,
    opened: watch::Receiver<bool>,
    stops: Stops,
}

impl Work {
    async fn run(self) {
        let Self { presence, ground, topics, held, reads, cluster, opened, stops } = self;
        // However this ends, nobody waits for it for ever.
        let _told = [stops.left.clone().drop_guard(), stops.gone.clone().drop_guard()];
        let Ok(Joined { topics: ids, membership }) = join(&ground, &stops.leave).await else {
            stops.left.cancel();
            return stops.gone.cancel();
        };
        let among = presence.map(|presence| {
            let (log, codec) = (ground.log.clone(), ground.codec.clone());
            let (instance_id, view) =
                (ground.instance_id.clone(), cluster::view_name(ground.shards, &ids));
            let me = Me {
                instance_id: instance_id.clone(),
                run: presence.run.clone(),
                address: presence.address.clone(),
                view: view.clone(),
            };
            let (replica_set, leave) = (ground.replica_set.clone(), stops.leave.clone());
            let following =
                follow(cluster.clone(), me, log.clone(), codec.clone(), stops.stop.clone());
            let announcer =
                Announcer { presence, instance_id, replica_set, view, log, codec, reads, leave };
            (tokio::spawn(following), tokio::spawn(announcer.run(opened, stops.left.clone())))
        });
        let gone = async {
            match among {
                Some((following, announcing)) => {
                    log_panic("announcing", announcing.await);
                    stops.gone.cancel();
                    log_panic("following the instances", following.await);
                }
                None => {
                    stops.left.cancelled().await;
                    stops.gone.cancel();
                }
            }
        };
        let assignment = Assignment::new(ground, cluster, held);
        tokio::join!(assignment.follow(membership, topics, ids, stops.clone()), gone);
    }
}

fn log_panic(what: &str, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, what, "ended badly");
    }
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
