//! The other instances, as they announce themselves: who is there, and what each of them serves.

use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tandem_codec::{ANNOUNCEMENTS, Announcement, ShardAnnounced};
use tandem_eventlog::{Kept, Partition, TopicName, TopicPartition, TopicSpec};
use tokio::{sync::watch, time::Instant};

use crate::{
    shard::ShardState,
    simulation::{Bug, planted},
};

/// How instances of this version speak to each other. To be raised with any change after which
/// older ones would misunderstand.
pub(crate) const PROTOCOL: i32 = 1;

/// An instance that wasn't heard for so long is gone: it announces itself each second.
pub const GONE_AFTER: Duration = Duration::from_secs(5);

/// Everybody speaks within this time: each second, and some more for the way.
const EVERYBODY: Duration = Duration::from_millis(1_500);

/// How many ignored things are told apart.
const MAX_IGNORED: usize = 100;

/// Another instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its id.
    pub instance_id: String,
    /// What calls from its peers have to show; made anew at each start.
    pub run: String,
    /// When it was started by its own clock, milliseconds since the Unix epoch.
    started_ms: i64,
    /// Where it answers, host:port.
    pub address: String,
    /// Its replica set.
    pub replica_set: String,
    /// Its zone.
    pub zone: String,
    /// Its version.
    pub version: String,
    /// Whether it is about to stop.
    pub leaving: bool,
    /// How many queries it had in hand.
    pub load: u32,
    /// The shards it holds.
    pub shards: BTreeMap<Partition, PeerShard>,
    /// When it was heard last.
    pub heard: Instant,
}

/// A shard as another instance holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerShard {
    /// Where it is in its life.
    pub state: ShardState,
    /// The next offset to fold of each input, in the order of [`tandem_domain::Topic::ALL`]; empty
    /// before its store is open.
    pub positions: Vec<u64>,
    /// The inputs' ends as last heard there.
    pub ends: Vec<u64>,
    /// How long before it was heard it last held everything that was on the log.
    pub staleness: Option<Duration>,
    /// How many records it has rejected.
    pub rejects: u64,
    /// Why it failed.
    pub detail: String,
}

/// Why something that was heard is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ignored {
    /// An announcement of a version that speaks otherwise to its peers.
    OtherVersion,
    /// An announcement of a view of another log.
    OtherLog,
    /// An announcement of an address that another instance has.
    AddressTaken,
    /// An announcement with the id of another instance.
    IdTaken,
    /// A call with a header that only peers may use.
    ForgedHeader,
    /// An announcement that can't be read.
    Unreadable,
}

/// What was ignored: whose it was and why; in words; how often.
pub type IgnoredCounts = BTreeMap<(String, Ignored), (String, u64)>;

/// What is known of the other instances at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    peers: BTreeMap<String, Arc<Peer>>,
    /// What this instance said of its own shards, as the others have it; `None` if it never did.
    said: Option<BTreeMap<Partition, ShardState>>,
    ignored: IgnoredCounts,
    /// Since when the others can be heard without a break.
    since: Option<Instant>,
    /// Grows with every change of who is there and which shards they serve.
    structure: u64,
}

/// A handle to what is known of the other instances. Cheap to clone.
#[derive(Clone)]
pub struct Cluster(Arc<watch::Sender<Table>>);

impl Cluster {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::channel(Table::default()).0))
    }

    /// The other instances that were heard lately, by id.
    #[must_use]
    pub fn peers(&self) -> Vec<Arc<Peer>> {
        self.0.borrow().peers.values().filter(|p| !is_gone(p)).cloned().collect()
    }

    /// Whether another instance serves the shard, which this one drains, and will go on doing so.
    ///
    /// Two may drain the same shard at the same moment, as one of each set when both sets change,
    /// and neither may go because of the other. So nobody's word counts before this instance has
    /// heard its own that it drains: of two such words the log has one last, and who hears that
    /// one as its own has heard the other.
    pub(crate) fn has_taken_over(&self, shard: Partition) -> bool {
        let table = self.0.borrow();
        // Nobody can rely on one that never was announced.
        let is_told = match &table.said {
            Some(said) => said.get(&shard) == Some(&ShardState::Draining),
            None => true,
        };
        let serves =
            |p: &Peer| p.shards.get(&shard).is_some_and(|s| s.state == ShardState::Serving);
        is_told && table.peers.values().any(|p| !is_gone(p) && !p.leaving && serves(p))
    }

    /// Whether there is another instance that stays. Its set serves every shard, or will.
    pub(crate) fn has_another(&self) -> bool {
        self.0.borrow().peers.values().any(|p| !is_gone(p) && !p.leaving)
    }

    /// Whether the others have been heard for long enough that everybody who is there has spoken.
    #[must_use]
    pub fn has_heard_all(&self) -> bool {
        self.0.borrow().since.is_some_and(|since| since.elapsed() >= EVERYBODY)
    }

    /// Changes with who is there and which shards they serve.
    #[must_use]
    pub fn structure(&self) -> u64 {
        self.0.borrow().structure
    }

    /// What was ignored since the process was started.
    #[must_use]
    pub fn ignored(&self) -> IgnoredCounts {
        self.0.borrow().ignored.clone()
    }

    /// Counts something that is ignored; the first of its kind is a line in the log.
    pub fn ignore(&self, instance_id: &str, why: Ignored, detail: String) {
        self.0.send_modify(|table| table.ignore(instance_id, why, detail));
    }

    /// Changes what is known; true from `change` tells everybody.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Table) -> bool) {
        self.0.send_if_modified(change);
    }

    /// Ends when something is heard, or somebody goes, after this call.
    pub fn changed(&self) -> impl Future<Output = ()> + use<> {
        let (mut table, _sender) = (self.0.subscribe(), self.0.clone());
        async move {
            // The sending end is held here, so there is no other way to end.
            let _ = table.changed().await;
            drop(_sender);
        }
    }
}

fn is_gone(peer: &Peer) -> bool {
    !planted(Bug::KeepsInstancesThatAreGone) && peer.heard.elapsed() >= GONE_AFTER
}

/// Who this instance is, among those that it hears.
pub(crate) struct Me {
    pub(crate) instance_id: String,
    pub(crate) run: String,
    pub(crate) address: String,
    /// Which view: see [`view_name`].
    pub(crate) view: String,
}

/// Names a view: instances that fold other topics, or other shards of them, are strangers.
pub(crate) fn view_name(shards: u32, topics: &[tandem_eventlog::TopicId]) -> String {
    let ids: Vec<&str> = topics.iter().map(|id| &*id.0).collect();
    format!("{shards}:{}", ids.join(","))
}

impl Table {
    pub(crate) fn ignore(&mut self, instance_id: &str, why: Ignored, detail: String) {
        let key = (instance_id.to_owned(), why);
        if self.ignored.len() >= MAX_IGNORED && !self.ignored.contains_key(&key) {
            return;
        }
        let entry = self.ignored.entry(key).or_insert_with(|| {
            tracing::warn!(instance_id, ?why, detail, "ignored; further ones are only counted");
            (detail.clone(), 0)
        });
        *entry = (detail, entry.1 + 1);
    }

    /// Takes in an announcement, unless there is a reason not to.
    pub(crate) fn hear(&mut self, me: &Me, said: Announcement, now: Instant) {
        let id = said.instance_id.clone();
        if said.run == me.run {
            let shards = said.shards.into_iter().filter_map(peer_shard);
            self.said = Some(shards.map(|(shard, held)| (shard, held.state)).collect());
            return;
        }
        if said.protocol != PROTOCOL {
            let detail = format!(
                "instance {id} at {} is Tandem {}, which speaks otherwise to its peers: run one \
                 version on one log, or give the other a log of its own",
                said.address, said.version
            );
            return self.ignore(&id, Ignored::OtherVersion, detail);
        }
        if said.view != me.view {
            let detail = format!(
                "instance {id} at {} has a view of other topics or of another number of shards, \
                 and announces it here: give each cluster its own topic {ANNOUNCEMENTS}",
                said.address
            );
            return self.ignore(&id, Ignored::OtherLog, detail);
        }
        if id == me.instance_id {
            let detail = format!(
                "the process at {} has this instance's id, {id}: give each its own --instance-id",
                said.address
            );
            return self.ignore(&id, Ignored::IdTaken, detail);
        }
        let has_it =
            |p: &Arc<Peer>| p.instance_id != id && p.address == said.address && !is_gone(p);
        let taken_by = match said.address == me.address {
            true => Some(me.instance_id.clone()),
            false => self.peers.values().find(|p| has_it(p)).map(|p| p.instance_id.clone()),
        };
        if let Some(other) = taken_by {
            let detail = format!(
                "instance {id} announces the address {}, which instance {other} has: give each \
                 its own --advertise",
                said.address
            );
            return self.ignore(&id, Ignored::AddressTaken, detail);
        }
        if let Some(known) = self.peers.get(&id).filter(|p| p.run != said.run && !is_gone(p))
            && said.started_ms < known.started_ms
        {
            let detail = format!(
                "two processes, at {} and {}, have the instance id {id}: give each its own \
                 --instance-id",
                said.address, known.address
            );
            return self.ignore(&id, Ignored::IdTaken, detail);
        }
        let peer = peer(said, now);
        let outline = |p: &Peer| -> (String, String, Vec<(Partition, ShardState)>) {
            let shards = p.shards.iter().map(|(shard, s)| (*shard, s.state)).collect();
            (p.run.clone(), p.address.clone(), shards)
        };
        if self.peers.get(&id).is_none_or(|known| outline(known) != outline(&peer)) {
            self.structure += 1;
        }
        self.peers.insert(id, Arc::new(peer));
    }

    /// The others can be heard from now on, for the first time or again.
    pub(crate) fn listens(&mut self) {
        self.since = Some(Instant::now());
    }

    pub(crate) fn forget(&mut self, instance_id: &str) {
        if self.peers.remove(instance_id).is_some() {
            tracing::info!(instance_id, "an instance has left");
            self.structure += 1;
        }
    }

    /// Whether anybody has gone silent.
    pub(crate) fn forget_silent(&mut self) -> bool {
        let gone: Vec<String> =
            self.peers.values().filter(|p| is_gone(p)).map(|p| p.instance_id.clone()).collect();
        for instance_id in &gone {
            tracing::warn!(instance_id, "an instance is not heard any more");
            self.peers.remove(instance_id);
            self.structure += 1;
        }
        !gone.is_empty()
    }
}

fn peer(said: Announcement, now: Instant) -> Peer {
    let shards = said.shards.into_iter().filter_map(peer_shard).collect();
    Peer {
        instance_id: said.instance_id,
        run: said.run,
        started_ms: said.started_ms,
        address: said.address,
        replica_set: said.replica_set,
        zone: said.zone,
        version: said.version,
        leaving: said.leaving,
        load: said.load.try_into().unwrap_or(0),
        shards,
        heard: now,
    }
}

fn peer_shard(said: ShardAnnounced) -> Option<(Partition, PeerShard)> {
    let numbers = |of: Vec<i64>| of.into_iter().filter_map(|n| n.try_into().ok()).collect();
    let shard = PeerShard {
        state: ShardState::from_name(&said.state)?,
        positions: numbers(said.positions),
        ends: numbers(said.ends),
        staleness: said.staleness_ms.try_into().ok().map(Duration::from_millis),
        rejects: said.rejects.try_into().unwrap_or(0),
        detail: said.detail,
    };
    Some((Partition(said.shard.try_into().ok()?), shard))
}

/// The topic that instances announce themselves on.
pub(crate) fn topic() -> TopicSpec {
    TopicSpec { name: TopicName::from(ANNOUNCEMENTS), partitions: 1, kept: Kept::Compacted }
}

/// Where announcements lie.
pub(crate) fn place() -> TopicPartition {
    TopicPartition { topic: TopicName::from(ANNOUNCEMENTS), partition: Partition(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Me {
        let of = |s: &str| s.to_owned();
        Me { instance_id: of("me"), run: of("run-me"), address: of("h:1"), view: of("v") }
    }

    fn said(id: &str, run: &str, address: &str, started_ms: i64) -> Announcement {
        let of = |s: &str| s.to_owned();
        Announcement {
            instance_id: of(id),
            protocol: PROTOCOL,
            view: of("v"),
            run: of(run),
            started_ms,
            address: of(address),
            replica_set: of("a"),
            zone: String::new(),
            version: of("0"),
            leaving: false,
            load: 0,
            shards: Vec::new(),
        }
    }

    fn addresses(table: &Table) -> Vec<&str> {
        table.peers.values().filter(|p| !is_gone(p)).map(|p| &*p.address).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_ignored() {
        let mut table = Table::default();
        let mut hear = |said| {
            table.hear(&me(), said, Instant::now());
            (addresses(&table).join(","), table.ignored.keys().last().map(|k| k.1))
        };
        assert_eq!(hear(said("me", "run-me", "h:1", 0)), (String::new(), None), "itself");
        let other = Announcement { protocol: 2, ..said("a", "r", "h:2", 0) };
        assert_eq!(hear(other), (String::new(), Some(Ignored::OtherVersion)));
        let other = Announcement { view: "w".into(), ..said("b", "r", "h:2", 0) };
        assert_eq!(hear(other), (String::new(), Some(Ignored::OtherLog)));
        assert_eq!(hear(said("c", "r", "h:1", 0)), (String::new(), Some(Ignored::AddressTaken)));
        assert_eq!(hear(said("d", "r", "h:2", 5)).0, "h:2");
        assert_eq!(hear(said("e", "r", "h:2", 9)), ("h:2".into(), Some(Ignored::AddressTaken)));
        assert_eq!(hear(said("d", "older", "h:3", 4)).0, "h:2", "an older process of that id");
        assert_eq!(hear(said("d", "newer", "h:3", 6)).0, "h:3", "it was started again");
        assert_eq!(hear(said("me", "other", "h:4", 0)), ("h:3".into(), Some(Ignored::IdTaken)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_silent_is_gone() {
        let cluster = Cluster::new();
        cluster.0.send_modify(|t| t.hear(&me(), said("a", "r", "h:2", 0), Instant::now()));
        assert!(cluster.has_another());
        tokio::time::advance(GONE_AFTER - Duration::from_millis(1)).await;
        assert_eq!(cluster.peers().len(), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(cluster.peers().is_empty() && !cluster.has_another());
        let before = cluster.structure();
        assert!(cluster.0.send_if_modified(Table::forget_silent));
        assert!(cluster.structure() > before);
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_that_drain_a_shard_at_once_one_stays() {
        let shard = |state: ShardState| ShardAnnounced {
            shard: 0,
            state: state.name().into(),
            positions: Vec::new(),
            ends: Vec::new(),
            staleness_ms: 0,
            rejects: 0,
            detail: String::new(),
        };
        let says = |id: &str, run: &str, address: &str, state| Announcement {
            shards: vec![shard(state)],
            ..said(id, run, address, 0)
        };
        let mine = |state| says("me", "run-me", "h:1", state);
        let other = |state| says("a", "r", "h:2", state);
        let cluster = Cluster::new();
        let hear = |said| {
            cluster.0.send_modify(|t| t.hear(&me(), said, Instant::now()));
            cluster.has_taken_over(Partition(0))
        };
        assert!(hear(other(ShardState::Serving)), "nobody knows of this one");
        assert!(!hear(mine(ShardState::Serving)), "the other may rely on this one");
        assert!(!hear(other(ShardState::Draining)), "its word came first");
        assert!(!hear(mine(ShardState::Draining)), "so this one stays");
        assert!(hear(other(ShardState::Serving)), "it was given the shard again");
        let leaves = Announcement { leaving: true, ..other(ShardState::Serving) };
        assert!(!hear(leaves), "and goes");
    }
}
