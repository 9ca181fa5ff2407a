//! An instance: how it is started, how it leaves, and how it dies.

use std::{path::PathBuf, rc::Rc, sync::Arc, time::Duration};
use tandem_processor::{
    Reads, Settings, ShardStatus,
    simulation::{Disk, MemoryDisk},
};
use tandem_query_svc::Hosted;
use tokio::{runtime::Handle, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use tower::util::BoxCloneSyncService;

use crate::{
    ledger::SHARDS,
    node_log::{NodeLog, Weather},
    world::World,
};

/// How long the files of a shard that is elsewhere are kept: short, so that it happens.
const KEEP_FILES: Duration = Duration::from_secs(10);

/// How long answers that are under way are waited for at the end.
const DRAIN: Duration = Duration::from_secs(10);

pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) set: String,
    pub(crate) zone: String,
    pub(crate) address: String,
    pub(crate) disk: MemoryDisk,
    pub(crate) weather: Arc<Weather>,
    pub(crate) life: Life,
    /// Until when something is, or was, wrong with it.
    pub(crate) disturbed: Instant,
    started: Instant,
}

pub(crate) enum Life {
    Up {
        reads: Reads,
        covers_all: Box<dyn Fn() -> bool>,
        leaving: CancellationToken,
    },
    /// It goes, or has gone. Once the task has ended it can be started again.
    Down {
        task: JoinHandle<()>,
    },
}

impl Node {
    pub(crate) fn is_up(&self) -> bool {
        matches!(&self.life, Life::Up { .. }) && !self.disk.power().is_cancelled()
    }

    /// Whether its health says so, and it isn't about to stop.
    pub(crate) fn is_serving(&self) -> bool {
        match &self.life {
            Life::Up { covers_all, leaving, .. } => !leaving.is_cancelled() && covers_all(),
            Life::Down { .. } => false,
        }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        matches!(&self.life, Life::Up { leaving, .. } if leaving.is_cancelled())
    }

    pub(crate) fn is_well(&self, now: Instant) -> bool {
        self.is_up() && !self.is_leaving() && self.disturbed <= now
    }

    pub(crate) fn is_well_since(&self, long: Duration, now: Instant) -> bool {
        let since = self.disturbed.max(self.started);
        self.is_well(now) && now.saturating_duration_since(since) >= long
    }

    /// Whether it was started lately and is well otherwise.
    pub(crate) fn is_new(&self, now: Instant) -> bool {
        self.is_well(now) && self.disturbed < self.started
    }

    pub(crate) fn shards(&self) -> Vec<ShardStatus> {
        match &self.life {
            Life::Up { reads, .. } => reads.status(),
            Life::Down { .. } => Vec::new(),
        }
    }

    pub(crate) fn reads(&self) -> Option<Reads> {
        match &self.life {
            Life::Up { reads, .. } => Some(reads.clone()),
            Life::Down { .. } => None,
        }
    }

    pub(crate) fn leave(&self) {
        if let Life::Up { leaving, .. } = &self.life {
            leaving.cancel();
        }
    }

    /// Something is wrong with it for a while.
    pub(crate) fn disturb(&mut self, lasts: Duration) {
        self.disturbed = self.disturbed.max(Instant::now() + lasts);
    }
}

/// Starts an instance of that name on `disk`.
pub(crate) fn start(world: &Rc<World>, id: &str, set: &str, zone: &str, disk: MemoryDisk) {
    let address = format!("{id}:1");
    let weather = Arc::new(Weather::default());
    let log = NodeLog {
        log: world.log.clone(),
        weather: weather.clone(),
        power: disk.power().clone(),
        seed: world.rng(&format!("announcements to {id}")).u64(..),
    };
    let (net, from) = (world.net.clone(), address.clone());
    let processor = Settings {
        disk: Disk::Memory(disk.clone()),
        keep_files: KEEP_FILES,
        cache_bytes: 1 << 20,
        write_buffer_bytes: 64 << 20,
        ..Settings::new(PathBuf::from(id), SHARDS, set, id)
    };
    let settings = tandem_query_svc::Settings {
        zone: zone.into(),
        connect: Arc::new(move |to| Ok(net.connect(Some(&from), to))),
        ..tandem_query_svc::Settings::new(processor)
    };
    let codec = world.codec.clone();
    let hosted = Hosted::start(settings, address.clone(), Arc::new(log), codec, Handle::current());
    let server = BoxCloneSyncService::new(hosted.server());
    world.net.open(&address, server, disk.power().clone());
    hosted.announce();

    let leaving = CancellationToken::new();
    let life = Life::Up {
        reads: hosted.reads().clone(),
        covers_all: Box::new(hosted.covers_all()),
        leaving: leaving.clone(),
    };
    world.note(&format!("{id} of {set} starts"));
    let now = Instant::now();
    let node = Node {
        id: id.into(),
        set: set.into(),
        zone: zone.into(),
        address,
        disk,
        weather,
        life,
        disturbed: now - Duration::from_secs(1),
        started: now,
    };
    world.nodes.borrow_mut().insert(id.to_owned(), node);
    tokio::task::spawn_local(live(world.clone(), id.to_owned(), hosted, leaving));
}

/// Lives an instance's life to its end.
async fn live(world: Rc<World>, id: String, hosted: Hosted, leaving: CancellationToken) {
    let (address, power) = match world.nodes.borrow().get(&id) {
        Some(node) => (node.address.clone(), node.disk.power().clone()),
        None => return,
    };
    let left = async {
        leaving.cancelled().await;
        hosted.leave().await;
        // The server takes no more calls and finishes those that it has.
        let _ = tokio::time::timeout(DRAIN, world.net.drained(&address)).await;
    };
    let crashed = power.run_until_cancelled(left).await.is_none();
    world.note(&format!("{id} {}", if crashed { "is dead" } else { "has left" }));
    world.net.close(&address);
    world.goings.borrow_mut().push(Instant::now());
    let task = tokio::task::spawn_local(hosted.stop());
    if let Some(node) = world.nodes.borrow_mut().get_mut(&id) {
        node.life = Life::Down { task };
    }
}
