//! Which shards this instance holds: what its group assigns, and what it still holds for others
//! until they have caught up.
//!
//! A shard that the group takes away is not closed but drained: it goes on folding and answering
//! until another instance serves it. Its files stay for a while after that, in case it comes back.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tandem_codec::Codec;
use tandem_eventlog::{Log, LogError, Membership, Partition, TopicId};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    cluster::Cluster,
    retry::Retry,
    shard::{Life, Seen, ShardState},
    simulation::{Bug, Disk, planted},
    store::Memory,
    task::Task,
};

/// How often shards that wait to be closed, or files that wait to be removed, are looked at when
/// nothing is heard.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The shards held, as anyone may see them.
pub(crate) type Held = BTreeMap<Partition, Seen>;

/// Which making of each input topic the log has. Known once the group has said for the first time
/// what this instance holds, and then for good; until then nothing can be read.
pub(crate) type Topics = Arc<OnceLock<Vec<TopicId>>>;

/// What every shard's task needs, and what it takes to be given shards.
pub(crate) struct Ground {
    pub(crate) replica_set: String,
    pub(crate) instance_id: String,
    pub(crate) is_static: bool,
    /// Whether it hears what others serve.
    pub(crate) hears: bool,
    pub(crate) dir: PathBuf,
    pub(crate) shards: u32,
    pub(crate) handover: Duration,
    pub(crate) leave_within: Duration,
    pub(crate) keep_files: Duration,
    pub(crate) log: Log,
    pub(crate) codec: Codec,
    pub(crate) memory: Arc<Memory>,
    pub(crate) disk: Disk,
    /// Where shards fold: apart from the threads that answer requests.
    pub(crate) fold: Handle,
    /// Changes with every shard's state.
    pub(crate) news: Arc<watch::Sender<u64>>,
}

/// When the processor is told what, on its way to the end.
#[derive(Clone, Default)]
pub(crate) struct Stops {
    /// To hand its shards over.
    pub(crate) leave: CancellationToken,
    /// It has, as far as it could.
    pub(crate) left: CancellationToken,
    /// The others have been told.
    pub(crate) gone: CancellationToken,
    /// To close them.
    pub(crate) stop: CancellationToken,
}

struct Owned {
    /// Since when the group wants it elsewhere.
    revoked: Option<Instant>,
    draining: watch::Sender<bool>,
    stop: CancellationToken,
    seen: Seen,
    task: JoinHandle<()>,
}

impl Owned {
    fn state(&self) -> ShardState {
        self.seen.progress.borrow().state
    }
}

/// The shards of this instance.
pub(crate) struct Assignment {
    ground: Ground,
    cluster: Cluster,
    held: watch::Sender<Held>,
    owned: BTreeMap<Partition, Owned>,
    /// Shards with files here that this instance doesn't hold, and since when.
    files: BTreeMap<Partition, Instant>,
}

impl Assignment {
    pub(crate) fn new(ground: Ground, cluster: Cluster, held: watch::Sender<Held>) -> Self {
        Self { ground, cluster, held, owned: BTreeMap::new(), files: BTreeMap::new() }
    }

    /// Follows the group until told to leave it, hands over, and closes every shard once told to
    /// stop.
    pub(crate) async fn follow(
        mut self,
        membership: Box<dyn Membership>,
        topics: Topics,
        ids: Vec<TopicId>,
        stops: Stops,
    ) {
        self.hold(membership, &topics, &ids, &stops).await;
        if !stops.stop.is_cancelled() {
            self.hand_over(&stops.stop).await;
        }
        stops.left.cancel();
        stops.stop.cancelled().await;
        let all: Vec<Partition> = self.owned.keys().copied().collect();
        self.close(&all).await;
    }

    /// Holds what the group assigns until told to leave; then leaves the group.
    async fn hold(
        &mut self,
        mut membership: Box<dyn Membership>,
        topics: &Topics,
        ids: &[TopicId],
        stops: &Stops,
    ) {
        let mut retry = Retry::new(&stops.leave);
        loop {
            let assigned = tokio::select! {
                biased;
                () = stops.leave.cancelled() => break,
                assigned = membership.next() => assigned,
                () = self.time_to_look() => {
                    self.release().await;
                    self.remove_files().await;
                    continue;
                }
            };
            match assigned {
                Ok(assigned) => {
                    self.assign(&assigned);
                    if topics.set(ids.to_vec()).is_ok() {
                        self.find_files();
                    }
                    self.release().await;
                    retry.succeeded();
                }
                Err(LogError::Unavailable(why)) => {
                    tracing::warn!(
                        why,
                        wait_ms = retry.wait().as_millis(),
                        "waiting for the group"
                    );
                    if retry.pause().await.is_err() {
                        break;
                    }
                }
                Err(e) => {
                    tracing::error!(error = %e, "the group can't be followed; holding what is held");
                    stops.leave.cancelled().await;
                    break;
                }
            }
        }
        membership.leave().await;
    }

    /// Ends when something is heard, and every moment while something waits here.
    async fn time_to_look(&self) {
        let waits = !self.files.is_empty() || self.owned.values().any(|o| o.revoked.is_some());
        tokio::select! {
            () = self.cluster.changed() => {}
            () = sleep(LOOK_EVERY), if waits => {}
        }
    }

    /// Opens what is newly assigned, and drains what no longer is.
    fn assign(&mut self, assigned: &[Partition]) {
        let assigned: BTreeSet<Partition> = assigned.iter().copied().collect();
        for (shard, owned) in &mut self.owned {
            let is_mine = assigned.contains(shard);
            owned.draining.send_replace(!is_mine);
            match (is_mine, owned.revoked) {
                (true, _) => owned.revoked = None,
                (false, None) => owned.revoked = Some(Instant::now()),
                (false, Some(_)) => {}
            }
        }
        for shard in assigned {
            if !self.owned.contains_key(&shard) {
                self.files.remove(&shard);
                let owned = self.open(shard);
                self.held.send_modify(|h| drop(h.insert(shard, owned.seen.clone())));
                self.owned.insert(shard, owned);
            }
        }
    }

    fn open(&self, shard: Partition) -> Owned {
        let ground = &self.ground;
        let (life, seen) = Life::begin(ground.news.clone());
        let (stop, (draining, drains)) = (CancellationToken::new(), watch::channel(false));
        let task = Task {
            shard,
            shards: ground.shards,
            dir: self.dir(shard),
            log: ground.log.clone(),
            codec: ground.codec.clone(),
            memory: ground.memory.clone(),
            draining: drains,
            stop: stop.clone(),
        };
        let task = ground.fold.spawn(task.run(life));
        Owned { revoked: None, draining, stop, seen, task }
    }

    fn dir(&self, shard: Partition) -> PathBuf {
        self.ground.dir.join(format!("shard-{shard}"))
    }

    /// Closes drained shards that another instance serves, or that have waited long enough for
    /// one that does, and those that nobody could read here anyway.
    async fn release(&mut self) {
        let release = |(shard, owned): (&Partition, &Owned)| {
            let waits = owned.revoked?.elapsed();
            let serves = matches!(owned.state(), ShardState::Serving | ShardState::Draining);
            let is_late = waits >= self.ground.handover;
            if is_late && serves {
                let waited_s = waits.as_secs();
                tracing::warn!(shard = shard.0, waited_s, "nobody took the shard over; closing it");
            }
            // Who hears nobody answers nobody either.
            let is_served = !self.ground.hears || self.cluster.has_taken_over(*shard);
            let is_free = !serves || is_late || is_served;
            (is_free || planted(Bug::ForgetsToDrain)).then_some(*shard)
        };
        let released: Vec<Partition> = self.owned.iter().filter_map(release).collect();
        self.close(&released).await;
        let now = Instant::now();
        self.files.extend(released.into_iter().map(|shard| (shard, now)));
    }

    /// Drains every shard until another instance serves it, as far as there is one that might.
    ///
    /// A static member's shards stay its own for a while: it is expected back.
    async fn hand_over(&mut self, stop: &CancellationToken) {
        for owned in self.owned.values() {
            owned.draining.send_replace(true);
        }
        self.ground.news.send_modify(|n| *n += 1);
        let until = Instant::now() + self.ground.leave_within;
        loop {
            let is_last = self.ground.is_static || !self.cluster.has_another();
            let waits = |(shard, owned): (&Partition, &Owned)| {
                matches!(owned.state(), ShardState::Serving | ShardState::Draining)
                    && !self.cluster.has_taken_over(*shard)
            };
            let waiting = self.owned.iter().filter(|o| waits(*o)).count();
            if waiting == 0 || is_last || planted(Bug::ForgetsToDrain) {
                return;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(until) => {
                    tracing::warn!(shards = waiting, "leaving before all shards were taken over");
                    return;
                }
                () = self.cluster.changed() => {}
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Closes shards, so that they can be opened again when this returns.
    async fn close(&mut self, shards: &[Partition]) {
        let closing: Vec<_> =
            shards.iter().filter_map(|p| Some((*p, self.owned.remove(p)?))).collect();
        for (_, owned) in &closing {
            owned.stop.cancel();
        }
        for (shard, owned) in closing {
            if let Err(e) = owned.task.await {
                tracing::error!(shard = shard.0, error = %e, "shard task ended badly");
            }
            self.held.send_modify(|h| drop(h.remove(&shard)));
            self.ground.news.send_modify(|n| *n += 1);
        }
    }

    /// What an earlier run may have left behind of shards that are elsewhere now. Not before the
    /// group has spoken: until then they may all be this instance's own.
    fn find_files(&mut self) {
        let now = Instant::now();
        let elsewhere = (0..self.ground.shards).map(Partition);
        let elsewhere = elsewhere.filter(|shard| !self.owned.contains_key(shard));
        self.files = elsewhere.map(|shard| (shard, now)).collect();
    }

    /// Removes what is left of shards that have been elsewhere long enough.
    async fn remove_files(&mut self) {
        let keep = self.ground.keep_files;
        let old: Vec<Partition> =
            self.files.iter().filter(|(_, at)| at.elapsed() >= keep).map(|(p, _)| *p).collect();
        for shard in old {
            self.files.remove(&shard);
            let dir = self.dir(shard);
            let (disk, place) = (self.ground.disk.clone(), dir.clone());
            let removed = match disk.is_memory() {
                true => Ok(disk.remove(&place)),
                false => tokio::task::spawn_blocking(move || disk.remove(&place)).await,
            };
            match removed {
                Ok(Ok(true)) => {
                    tracing::info!(dir = %dir.display(), "removed: the shard is elsewhere");
                }
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(shard = shard.0, %error, "can't be removed"),
                Err(error) => tracing::error!(shard = shard.0, %error, "was not removed"),
            }
        }
    }
}
