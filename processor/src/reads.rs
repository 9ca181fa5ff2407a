//! The only way to the view: ask for a shard, say how fresh it must be, read from a snapshot.

use std::{sync::Arc, time::Duration};
use tandem_domain::{CustomerId, Topic};
use tandem_eventlog::{Partition, TopicId, partition_for};
use tokio::{sync::watch, time::Instant};

use crate::{
    StoreError,
    assignment::{Held, Topics},
    shard::{Progress, ShardState},
    simulation::{Bug, planted},
    state::{Input, State},
    store::Store,
    view::View,
};

/// How fresh an answer has to be. The default: any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// Everything before these positions has to be reflected. Those of other shards don't count.
    pub positions: Vec<(Topic, Partition, u64)>,
    /// The answer may be at most this old.
    pub max_staleness: Option<Duration>,
}

/// What an answer was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Per topic and shard, how much of it is reflected.
    pub positions: Vec<Reflected>,
    /// The most that the answer may lag behind the log.
    pub staleness: Duration,
}

/// How much of one input an answer reflects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reflected {
    /// Which topic.
    pub topic: Topic,
    /// Which making of the topic.
    pub topic_id: TopicId,
    /// Which of its partitions.
    pub shard: Partition,
    /// Everything before this offset is reflected.
    pub position: u64,
}

/// Why a shard can't answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unserved {
    /// The log has not been reached yet, so it isn't known what this instance holds.
    #[error("this instance is not ready yet")]
    NotReady,
    /// This instance doesn't hold the shard.
    #[error("shard {0} is not held here")]
    NotHeld(Partition),
    /// It is held, and can't be read (yet, or any more).
    #[error("shard {shard} is {state:?}")]
    NotReadable {
        /// Which shard.
        shard: Partition,
        /// Where it is in its life.
        state: ShardState,
    },
    /// The deadline passed before the view got to a position.
    #[error("{topic}[{shard}] is folded up to {position}, {} short of {needed}", needed - position)]
    Behind {
        /// The topic.
        topic: &'static str,
        /// The shard.
        shard: Partition,
        /// How far it is folded.
        position: u64,
        /// How far it has to be.
        needed: u64,
    },
    /// The deadline passed before the view was fresh enough.
    #[error("shard {shard} {}, more than the {max:?} allowed", lag(*staleness))]
    Stale {
        /// The shard.
        shard: Partition,
        /// How much it may lag; `None` if it never was up to date.
        staleness: Option<Duration>,
        /// How much it may lag at most.
        max: Duration,
    },
    /// The store can't be read. The operator has to act.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn lag(staleness: Option<Duration>) -> String {
    match staleness {
        Some(lag) => format!("may lag {lag:?}"),
        None => "has not caught up yet, so it may lag".to_owned(),
    }
}

/// A shard as this instance holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardStatus {
    /// Which shard.
    pub shard: Partition,
    /// Where it is in its life.
    pub state: ShardState,
    /// Its inputs; empty before its store is open.
    pub inputs: Vec<InputStatus>,
    /// How long ago it last held everything that was on the log.
    pub staleness: Option<Duration>,
    /// How many records it has rejected.
    pub rejects: u64,
    /// Why it failed, and what to do.
    pub detail: Option<String>,
}

/// How far an input is folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputStatus {
    /// Which topic.
    pub topic: Topic,
    /// The next offset to fold.
    pub position: u64,
    /// The log's end as last heard.
    pub end: u64,
}

/// A handle to everything that this instance can answer. Cheap to clone.
#[derive(Clone)]
pub struct Reads {
    shards: u32,
    topics: Topics,
    held: watch::Receiver<Held>,
    news: watch::Receiver<u64>,
}

impl Reads {
    pub(crate) fn new(
        shards: u32,
        topics: Topics,
        held: watch::Receiver<Held>,
        news: watch::Receiver<u64>,
    ) -> Self {
        Self { shards, topics, held, news }
    }

    /// Changes whenever a shard held here gets into another state.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.clone()
    }

    /// Hears of every change to a customer's rows in a shard that is held here, from now on: of
    /// several quick ones at least once. It ends when the shard can't be read here any more.
    ///
    /// # Errors
    /// [`Unserved::NotHeld`].
    pub fn watch(
        &self,
        shard: Partition,
        id: &CustomerId,
    ) -> Result<watch::Receiver<()>, Unserved> {
        let held = self.held.borrow();
        let seen = held.get(&shard).ok_or(Unserved::NotHeld(shard))?;
        Ok(seen.watchers.watch(id.as_bytes()))
    }

    /// Whether the log has been reached, so that it is known which shards are held here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.topics.get().is_some()
    }

    /// All shards of the view, held here or not.
    pub fn shards(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.shards).map(Partition)
    }

    /// The shard of everything about the customer, or the greeting, with this id.
    #[must_use]
    pub fn shard_of(&self, id: &[u8]) -> Partition {
        partition_for(id, self.shards)
    }

    /// Which making of a topic the view is folded from.
    ///
    /// # Errors
    /// [`Unserved::NotReady`] until the log has been reached.
    pub fn topic_id(&self, topic: Topic) -> Result<&TopicId, Unserved> {
        self.topics.get().and_then(|ids| ids.get(topic as usize)).ok_or(Unserved::NotReady)
    }

    /// The shards held here; none until the log has been reached.
    #[must_use]
    pub fn status(&self) -> Vec<ShardStatus> {
        let held = self.held.borrow();
        held.iter().map(|(shard, seen)| status(*shard, &seen.progress.borrow())).collect()
    }

    /// One shard, if it is held here.
    #[must_use]
    pub fn shard_status(&self, shard: Partition) -> Option<ShardStatus> {
        let held = self.held.borrow();
        held.get(&shard).map(|seen| status(shard, &seen.progress.borrow()))
    }

    /// Reads from a shard once it is as fresh as `need` says, until `deadline` at the latest.
    /// `read` runs on the caller's thread; a page of rows takes well under a millisecond when
    /// it is in memory.
    ///
    /// # Errors
    /// [`Unserved`]. A shard that can't be read says so at once; only freshness is waited for.
    pub async fn read<T>(
        &self,
        shard: Partition,
        need: &Need,
        deadline: Instant,
        read: impl FnOnce(&View<'_>) -> Result<T, StoreError>,
    ) -> Result<(T, Stamp), Unserved> {
        let fresh = self.fresh(shard, need, deadline).await?;
        let (view, stamp, _) = fresh.snapshot(shard)?;
        Ok((read(&view)?, stamp))
    }

    /// Waits for the shard to be fresh enough.
    pub(crate) async fn fresh(
        &self,
        shard: Partition,
        need: &Need,
        deadline: Instant,
    ) -> Result<Fresh, Unserved> {
        if self.topics.get().is_none() {
            return Err(Unserved::NotReady);
        }
        let held = self.held.borrow().get(&shard).map(|seen| seen.progress.clone());
        let mut progress = held.ok_or(Unserved::NotHeld(shard))?;
        loop {
            let short = match look(shard, need, &progress.borrow_and_update())? {
                Look::Fresh(fresh) => return Ok(fresh),
                Look::Short(short) => short,
            };
            tokio::select! {
                biased;
                changed = progress.changed() => changed.map_err(|_| Unserved::NotHeld(shard))?,
                () = tokio::time::sleep_until(deadline) => return Err(short),
            }
        }
    }
}

/// A shard that is fresh enough.
pub(crate) struct Fresh {
    pub(crate) store: Arc<Store>,
    /// The state of the last commit, and which write that was.
    pub(crate) folded: Arc<State>,
    write: u64,
    /// When it last held everything that was on the log.
    caught_up: Instant,
}

impl Fresh {
    /// Whether no write was begun since that commit.
    pub(crate) fn is_last(&self) -> bool {
        self.store.writes() == self.write
    }

    /// A snapshot, what answers from it are of, and whether that is what the last write made.
    pub(crate) fn snapshot(&self, shard: Partition) -> Result<(View<'_>, Stamp, bool), StoreError> {
        let view = View::new(&self.store);
        // What was published is what the snapshot is of, unless something was written since.
        let is_last = self.is_last();
        let state = if is_last { self.folded.clone() } else { Arc::new(view.state()?) };
        Ok((view, self.stamp(shard, &state), is_last))
    }

    /// What an answer is of that was made at `state`.
    pub(crate) fn stamp(&self, shard: Partition, state: &State) -> Stamp {
        let reflected = |(topic, input): (Topic, &Input)| {
            let topic_id = TopicId(input.topic_id.clone());
            Reflected { topic, topic_id, shard, position: input.position }
        };
        let positions = Topic::ALL.into_iter().zip(&state.inputs).map(reflected).collect();
        Stamp { positions, staleness: self.caught_up.elapsed() }
    }
}

enum Look {
    Fresh(Fresh),
    Short(Unserved),
}

fn look(shard: Partition, need: &Need, progress: &Progress) -> Result<Look, Unserved> {
    let unreadable = || Unserved::NotReadable { shard, state: progress.state };
    let store = progress.readable.as_ref().ok_or_else(unreadable)?;
    let folded = progress.folded.as_ref().ok_or_else(unreadable)?;
    for (topic, at, needed) in &need.positions {
        let position = folded.inputs[*topic as usize].position;
        if *at == shard && position < *needed && !planted(Bug::IgnoresReceipts) {
            let topic = topic.name();
            return Ok(Look::Short(Unserved::Behind { topic, shard, position, needed: *needed }));
        }
    }
    let staleness = progress.staleness();
    match (need.max_staleness, progress.caught_up) {
        (Some(max), _) if staleness.is_none_or(|s| s > max) => {
            Ok(Look::Short(Unserved::Stale { shard, staleness, max }))
        }
        (_, Some(caught_up)) => {
            let (store, folded, write) = (store.clone(), folded.clone(), progress.write);
            Ok(Look::Fresh(Fresh { store, folded, write, caught_up }))
        }
        (_, None) => Err(unreadable()),
    }
}

fn status(shard: Partition, progress: &Progress) -> ShardStatus {
    let folded = progress.folded.as_deref();
    let inputs = folded.map(|s| s.inputs.as_slice()).unwrap_or_default().iter().enumerate();
    ShardStatus {
        shard,
        state: progress.state,
        inputs: inputs
            .map(|(at, input)| InputStatus {
                topic: Topic::ALL[at],
                position: input.position,
                end: progress.ends.get(at).map_or(input.position, |e| e.0),
            })
            .collect(),
        staleness: progress.staleness(),
        rejects: folded.map_or(0, |s| s.rejects),
        detail: progress.detail.as_deref().map(Into::into),
    }
}
