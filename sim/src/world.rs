//! What all actors of a simulation share: the log and what was written to it, the network, the
//! instances, and the first thing that was found to be wrong.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};
use tandem_codec::Codec;
use tandem_domain::Topic;
use tandem_eventlog::{Log, LogError, Partition, TopicId, embedded::Embedded};
use tandem_processor::{ShardState, input_topics};
use tandem_proto::{
    receipt::{self, Proof},
    v1::{Freshness, Served, query_service_client::QueryServiceClient},
};
use tandem_query_svc::Connection;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::{
    ledger::{Ledger, Positions, SHARDS},
    net::Net,
    node::Node,
};

/// Who has been well for so long is known to be by everybody.
const STEADY: Duration = Duration::from_secs(7);

/// How long those that are started first take to find each other.
const START: Duration = Duration::from_secs(3);

/// A shard that lags less keeps up.
const KEEPS_UP: Duration = Duration::from_millis(500);

pub(crate) type Client = QueryServiceClient<Connection>;

/// What may happen in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Instances only come and go: nothing ever fails.
    Calm,
    /// They die, too, and come back.
    Deadly,
    /// Everything.
    Wild,
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) kind: Kind,
    pub(crate) log: Log,
    pub(crate) codec: Codec,
    pub(crate) net: Net,
    pub(crate) ledger: RefCell<Ledger>,
    pub(crate) nodes: RefCell<BTreeMap<String, Node>>,
    /// Cancelled when something was found, or all is done.
    pub(crate) over: CancellationToken,
    /// Cancelled when no more is written and nothing fails any more.
    pub(crate) rest: CancellationToken,
    /// Which instances serve which shards well, and since when.
    steady: RefCell<BTreeMap<(String, u32), Instant>>,
    /// When instances went, with or without a word.
    pub(crate) goings: RefCell<Vec<Instant>>,
    found: RefCell<Option<String>>,
    topic_ids: Vec<TopicId>,
    started: Instant,
    digest: Cell<u64>,
    pub(crate) answers: Cell<u64>,
}

impl World {
    pub(crate) async fn new(seed: u64) -> Result<Rc<Self>, LogError> {
        let log: Log = Embedded::open_in_memory()?;
        let topic_ids = log.ensure_topics(&input_topics(SHARDS)).await?;
        Ok(Rc::new(Self {
            seed,
            kind: [Kind::Calm, Kind::Deadly, Kind::Wild][usize::try_from(seed % 3).unwrap_or(0)],
            log,
            codec: Codec::with_fixed_ids(),
            net: Net::new(seed),
            ledger: RefCell::default(),
            nodes: RefCell::default(),
            over: CancellationToken::new(),
            rest: CancellationToken::new(),
            steady: RefCell::default(),
            goings: RefCell::default(),
            found: RefCell::default(),
            topic_ids,
            started: Instant::now(),
            digest: Cell::new(0),
            answers: Cell::new(0),
        }))
    }

    /// Random choices of an actor, the same for the same seed.
    pub(crate) fn rng(&self, actor: &str) -> fastrand::Rng {
        fastrand::Rng::with_seed(xxh3_64_with_seed(actor.as_bytes(), self.seed))
    }

    /// Something is wrong; the first such thing ends the simulation.
    pub(crate) fn found(&self, what: impl Into<String>) {
        let at = self.started.elapsed();
        self.found.borrow_mut().get_or_insert_with(|| format!("after {at:?}: {}", what.into()));
        self.over.cancel();
    }

    pub(crate) fn finding(&self) -> Option<String> {
        self.found.borrow().clone()
    }

    /// Notes something that happened, so that two runs of a seed can be compared.
    pub(crate) fn note(&self, what: &str) {
        let what = format!("{:?} {what}", self.started.elapsed());
        if std::env::var_os("TANDEM_SIM_TRACE").is_some() {
            trace(&what);
        }
        self.digest.set(xxh3_64_with_seed(what.as_bytes(), self.digest.get()));
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest.get()
    }

    /// An instance that says that it serves and isn't about to stop: its id and its address.
    pub(crate) fn contact(&self, rng: &mut fastrand::Rng) -> Option<(String, String)> {
        let nodes = self.nodes.borrow();
        let serving: Vec<_> = nodes.values().filter(|node| node.is_serving()).collect();
        match rng.choice(serving) {
            Some(node) => Some((node.id.clone(), node.address.clone())),
            None if self.kind == Kind::Calm && self.started.elapsed() > START => {
                self.found("nobody answers for every shard, and nothing has failed");
                None
            }
            None => None,
        }
    }

    /// A client of the instance at `address`.
    pub(crate) fn client(&self, address: &str) -> Client {
        QueryServiceClient::new(self.net.connect(None, address))
    }

    pub(crate) fn shard_of(&self, id: &str) -> u32 {
        tandem_eventlog::partition_for(id.as_bytes(), SHARDS).0
    }

    fn proof(&self, topic: Topic, shard: u32, position: u64) -> Proof {
        let topic_tag = receipt::topic_tag(&self.topic_ids[topic as usize].0);
        Proof { topic: topic.name().into(), topic_tag, partition: shard, position }
    }

    /// A receipt for one record.
    pub(crate) fn receipt(&self, topic: Topic, shard: u32, position: u64) -> String {
        receipt::encode(&[self.proof(topic, shard, position)])
    }

    /// Everything that is on the log now.
    pub(crate) fn all_receipts(&self) -> Freshness {
        let ledger = self.ledger.borrow();
        let proofs = (0..SHARDS).flat_map(|shard| {
            let ends = ledger.ends(shard);
            Topic::ALL.map(|topic| self.proof(topic, shard, ends[topic as usize]))
        });
        let receipts = vec![receipt::encode(&proofs.collect::<Vec<_>>())];
        Freshness { receipts, max_staleness: None }
    }

    /// The positions that an answer about one shard is of, after the checks that hold for every
    /// answer: it is as fresh as it says, and as was asked.
    pub(crate) fn positions(
        &self,
        shard: u32,
        served: &Served,
        asked: Instant,
        freshness: &Freshness,
    ) -> Result<Positions, String> {
        let positions = positions_in(&served.position, shard)?;
        let age = served.staleness.and_then(|d| Duration::try_from(d).ok());
        let age = age.ok_or("an answer without its staleness")?;
        let is_behind = |needed: Positions| needed.iter().zip(positions).any(|(n, p)| p < *n);
        if let Some(held_at) = asked.checked_sub(age) {
            let held = self.ledger.borrow().ends_before(held_at, shard);
            if is_behind(held) {
                return Err(format!(
                    "an answer of {} at {positions:?} says that it is {age:?} old; then there \
                     was {held:?} already",
                    served.instance_id
                ));
            }
        }
        for receipt in &freshness.receipts {
            let needed = positions_in(receipt, shard)?;
            if is_behind(needed) {
                return Err(format!(
                    "an answer of {} at {positions:?} is older than the receipt {needed:?}",
                    served.instance_id
                ));
            }
        }
        let most = freshness.max_staleness.and_then(|d| Duration::try_from(d).ok());
        if most.is_some_and(|most| age > most + Duration::from_millis(2)) {
            return Err(format!("an answer is {age:?} old, more than {most:?}"));
        }
        Ok(positions)
    }

    /// Looks every moment who serves what well.
    pub(crate) async fn look(self: Rc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = Instant::now();
            let mut well = Vec::new();
            for node in self.nodes.borrow().values().filter(|n| n.is_well(now)) {
                for status in node.shards() {
                    let keeps_up = status.staleness.is_some_and(|s| s < KEEPS_UP);
                    if status.state == ShardState::Serving && keeps_up {
                        well.push((node.id.clone(), status.shard.0));
                    }
                }
            }
            let mut steady = self.steady.borrow_mut();
            steady.retain(|who, _| well.contains(who));
            for who in well {
                steady.entry(who).or_insert(now);
            }
        }
    }

    /// Whether a read of `shard` by way of `contact` had no reason to fail: both the contact and
    /// a holder have been well for long, and at most one instance has come or gone lately: a read
    /// is tried twice.
    pub(crate) fn had_to_answer(&self, contact: &str, shard: u32) -> bool {
        let now = Instant::now();
        let lately = |at: &Instant| now.duration_since(*at) < STEADY;
        if self.kind == Kind::Calm {
            return true;
        }
        let nodes = self.nodes.borrow();
        let is_well = |id: &str| nodes.get(id).is_some_and(|n| n.is_well_since(STEADY, now));
        let steady = self.steady.borrow();
        let mut holders = steady.iter().filter(|((_, held), _)| *held == shard);
        is_well(contact)
            && holders.any(|((id, _), since)| !lately(since) && is_well(id))
            && self.goings.borrow().iter().filter(|at| lately(at)).count()
                + nodes.values().filter(|n| n.is_new(now) && !n.is_well_since(STEADY, now)).count()
                <= 1
            && nodes.values().all(|n| !n.is_up() || n.is_well_since(STEADY, now) || n.is_new(now))
    }

    /// Whether every set has every shard, all up to date, and nobody holds what it hands over.
    pub(crate) fn is_at_rest(&self) -> bool {
        let nodes = self.nodes.borrow();
        let up: Vec<_> = nodes.values().filter(|node| node.is_up()).collect();
        let ledger = self.ledger.borrow();
        let is_done = |status: &tandem_processor::ShardStatus| {
            let ends = ledger.ends(status.shard.0);
            status.state == ShardState::Serving
                && status.inputs.len() == ends.len()
                && status.inputs.iter().zip(ends).all(|(input, end)| input.position == end)
        };
        let sets: std::collections::BTreeSet<_> = up.iter().map(|node| &node.set).collect();
        up.iter().all(|node| node.is_serving() && node.shards().iter().all(is_done))
            && sets.into_iter().all(|set| {
                let held = up.iter().filter(|n| n.set == *set).flat_map(|n| n.shards());
                let mut held: Vec<Partition> = held.map(|status| status.shard).collect();
                held.sort_unstable();
                held.into_iter().eq((0..SHARDS).map(Partition))
            })
    }
}

/// A line for people who look into a seed.
#[allow(clippy::print_stderr)]
fn trace(what: &str) {
    eprintln!("{what}");
}

/// What a receipt says of a shard.
fn positions_in(receipt: &str, shard: u32) -> Result<Positions, String> {
    let mut positions = [0; 3];
    for proof in receipt::decode(receipt).map_err(|e| format!("a position {e}"))? {
        if proof.partition == shard {
            let topic = Topic::from_name(&proof.topic).ok_or("a position of no topic")?;
            positions[topic as usize] = proof.position;
        }
    }
    Ok(positions)
}
