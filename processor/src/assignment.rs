//! Which shards this instance holds: what its group assigns, started and stopped as that changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, OnceLock},
};
use tandem_codec::Codec;
use tandem_eventlog::{Log, LogError, Partition, TopicId};
use tokio::{runtime::Handle, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    joining::{Joined, join},
    retry::Retry,
    shard::{Life, Progress},
    store::Memory,
    task::Task,
};

/// The shards held, as anyone may see them.
pub(crate) type Held = BTreeMap<Partition, watch::Receiver<Progress>>;

/// Which making of each input topic the log has. Known once the group has said for the first time
/// what this instance holds, and then for good; until then nothing can be read.
pub(crate) type Topics = Arc<OnceLock<Vec<TopicId>>>;

/// What every shard's task needs, and what it takes to be given shards.
pub(crate) struct Ground {
    pub(crate) replica_set: String,
    pub(crate) instance_id: String,
    pub(crate) dir: PathBuf,
    pub(crate) shards: u32,
    pub(crate) log: Log,
    pub(crate) codec: Codec,
    pub(crate) memory: Arc<Memory>,
    /// Where shards fold: apart from the threads that answer requests.
    pub(crate) fold: Handle,
}

struct Owned {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Joins the group, however long that takes, and follows it until `stop`; then stops every shard
/// and waits for them.
pub(crate) async fn follow(
    ground: Ground,
    topics: Topics,
    held: watch::Sender<Held>,
    stop: CancellationToken,
) {
    let Ok(Joined { topics: ids, mut membership }) = join(&ground, &stop).await else { return };
    let mut owned: BTreeMap<Partition, Owned> = BTreeMap::new();
    let mut retry = Retry::new(&stop);
    loop {
        let assigned = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            assigned = membership.next() => assigned,
        };
        match assigned {
            Ok(assigned) => {
                change(&ground, &mut owned, &held, &assigned).await;
                topics.get_or_init(|| ids.clone());
                retry.succeeded();
            }
            Err(LogError::Unavailable(why)) => {
                tracing::warn!(why, wait_ms = retry.wait().as_millis(), "waiting for the group");
                if retry.pause().await.is_err() {
                    break;
                }
            }
            Err(e) => {
                tracing::error!(error = %e, "the group can't be followed; holding what is held");
                stop.cancelled().await;
                break;
            }
        }
    }
    change(&ground, &mut owned, &held, &[]).await;
}

/// Makes what is owned equal to what is assigned. A shard that is given up is closed before this
/// returns, so that it can be opened again.
async fn change(
    ground: &Ground,
    owned: &mut BTreeMap<Partition, Owned>,
    held: &watch::Sender<Held>,
    assigned: &[Partition],
) {
    let assigned: BTreeSet<Partition> = assigned.iter().copied().collect();
    let (kept, lost) = std::mem::take(owned).into_iter().partition(|(p, _)| assigned.contains(p));
    *owned = kept;
    let lost: BTreeMap<Partition, Owned> = lost;
    for shard in lost.values() {
        shard.stop.cancel();
    }
    for (partition, shard) in lost {
        if let Err(e) = shard.task.await {
            tracing::error!(shard = partition.0, error = %e, "shard task ended badly");
        }
        held.send_modify(|h| drop(h.remove(&partition)));
    }
    for partition in assigned {
        owned.entry(partition).or_insert_with(|| {
            let (life, progress) = Life::begin();
            held.send_modify(|h| drop(h.insert(partition, progress)));
            let stop = CancellationToken::new();
            let task = Task {
                shard: partition,
                shards: ground.shards,
                dir: ground.dir.join(format!("shard-{partition}")),
                log: ground.log.clone(),
                codec: ground.codec.clone(),
                memory: ground.memory.clone(),
                stop: stop.clone(),
            };
            Owned { stop, task: ground.fold.spawn(task.run(life)) }
        });
    }
}
