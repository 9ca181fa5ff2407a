//! Asks the cluster, over and over, whether the topics in use are still the ones that they were,
//! and where the partitions that are read end.
//!
//! librdkafka goes on at its old offset in a topic that was deleted and made again, as if nothing
//! had happened. So a reader gives out what it fetched only after an answer that was asked for
//! later than the records came: see [`Watch::confirmed_since`]. Questions asked meanwhile share
//! one answer, so their rate is bounded however many readers there are.

use super::{
    context::Context,
    native::{self, Described},
    refused,
};
use crate::{LogError, Offset, Partition, TopicId, TopicName, TopicPartition};
use rdkafka::{
    Offset as RawOffset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// How often ends are asked for while partitions are read: an idle reader knows this exactly how
/// fresh it is.
const ENDS_EVERY: Duration = Duration::from_millis(100);
/// How often topics are looked at when nobody reads: an append to a topic that was made again is
/// refused after this.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The shortest time from one answer to the next question.
const SPACING: Duration = Duration::from_millis(2);
/// How long one question may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long a cluster that doesn't answer is left alone.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a topic has to be missing before it counts as deleted: a broker that has just started
/// may not have heard of it yet.
const MISSING_FOR: Duration = Duration::from_secs(3);
/// How often an outage is put into the log.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// A topic in use.
#[derive(Debug, Clone)]
struct InUse {
    id: TopicId,
    partitions: u32,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    There,
    MissingSince(Instant),
    Gone,
    MadeAgain,
}

/// The asking thread's handle.
pub(super) struct Watch(Arc<Shared>);

struct Shared {
    asker: BaseConsumer<Context>,
    topics: Mutex<BTreeMap<TopicName, InUse>>,
    read: Mutex<BTreeMap<TopicPartition, Read>>,
    wish: Mutex<Wish>,
    wished: Condvar,
    /// When the last question that was answered had been asked.
    confirmed: watch::Sender<Instant>,
}

/// A partition that is read.
#[derive(Debug, Clone, Copy)]
struct Read {
    readers: usize,
    end: Offset,
    end_at: Instant,
}

#[derive(Default)]
struct Wish {
    now: bool,
    stop: bool,
}

/// Keeps some partitions' ends known for as long as it lives.
pub(super) struct Following {
    shared: Arc<Shared>,
    partitions: Vec<TopicPartition>,
}

impl Watch {
    /// Starts to ask with `asker`.
    pub(super) fn start(asker: BaseConsumer<Context>) -> Result<Self, LogError> {
        let shared = Arc::new(Shared {
            asker,
            topics: Mutex::default(),
            read: Mutex::default(),
            wish: Mutex::default(),
            wished: Condvar::new(),
            confirmed: watch::Sender::new(Instant::now()),
        });
        let asking = shared.clone();
        thread::Builder::new()
            .name("kafka-watch".into())
            .spawn(move || asking.run())
            .map_err(|e| LogError::Unavailable(format!("no thread to be had: {e}")))?;
        Ok(Self(shared))
    }

    /// A topic is in use from now on, as it is now.
    pub(super) fn uses(&self, name: &TopicName, topic: &Described) -> TopicId {
        let id = TopicId(topic.id.as_str().into());
        let in_use = InUse { id: id.clone(), partitions: topic.partitions, state: State::There };
        lock(&self.0.topics).insert(name.clone(), in_use);
        id
    }

    /// A topic's id and how many partitions it has, if it is in use and still what it was.
    pub(super) fn topic(&self, name: &TopicName) -> Result<Option<(TopicId, u32)>, LogError> {
        let topics = lock(&self.0.topics);
        let Some(topic) = topics.get(name) else { return Ok(None) };
        match topic.state {
            State::There | State::MissingSince(_) => Ok(Some((topic.id.clone(), topic.partitions))),
            State::Gone => Err(refused::gone(name)),
            State::MadeAgain => Err(refused::made_again(name)),
        }
    }

    /// Waits until the topics have been looked at once more since `moment`.
    pub(super) async fn confirmed_since(&self, moment: Instant) {
        let mut confirmed = self.0.confirmed.subscribe();
        if *confirmed.borrow() < moment {
            lock(&self.0.wish).now = true;
            self.0.wished.notify_one();
            // The sender lives as long as this handle does.
            let _ = confirmed.wait_for(|at| *at >= moment).await;
        }
    }

    /// Keeps the ends of these partitions known; now they are `ends`.
    pub(super) fn follow(&self, partitions: Vec<TopicPartition>, ends: &[Offset]) -> Following {
        let mut read = lock(&self.0.read);
        for (at, end) in partitions.iter().zip(ends) {
            let new = Read { readers: 0, end: *end, end_at: Instant::now() };
            read.entry(at.clone()).or_insert(new).readers += 1;
        }
        drop(read);
        Following { shared: self.0.clone(), partitions }
    }

    /// What asks, for other questions.
    pub(super) fn asker(&self) -> &BaseConsumer<Context> {
        &self.0.asker
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&self.0.wish).stop = true;
        self.0.wished.notify_one();
    }
}

impl Following {
    /// The ends as last heard, and when the oldest of them was asked for.
    pub(super) fn ends(&self) -> (Vec<Offset>, Option<Instant>) {
        let read = lock(&self.shared.read);
        let of = |at| read.get(at).copied();
        let known: Vec<Read> = self.partitions.iter().filter_map(of).collect();
        (known.iter().map(|r| r.end).collect(), known.iter().map(|r| r.end_at).min())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut read = lock(&self.shared.read);
        for at in &self.partitions {
            if let Some(entry) = read.get_mut(at) {
                entry.readers -= 1;
                if entry.readers == 0 {
                    read.remove(at);
                }
            }
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut ends_at: Option<Instant> = None;
        let mut said: Option<Instant> = None;
        while self.wait() {
            let asked = self.look().and_then(|()| {
                if ends_at.is_none_or(|at| at.elapsed() >= ENDS_EVERY) {
                    ends_at = Some(Instant::now());
                    return self.ask_ends();
                }
                Ok(())
            });
            // What librdkafka has to say is taken from its queue here.
            while self.asker.poll(Duration::ZERO).is_some() {}
            match asked {
                Ok(()) => {
                    if said.take().is_some() {
                        tracing::info!("Kafka answers again");
                    }
                    thread::sleep(SPACING);
                }
                Err(error) => {
                    if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
                        tracing::warn!(%error, "Kafka doesn't answer; trying again");
                        said = Some(Instant::now());
                    }
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Waits until there is something to ask; false when all is over.
    fn wait(&self) -> bool {
        let every = if lock(&self.read).is_empty() { LOOK_EVERY } else { ENDS_EVERY };
        let wish = lock(&self.wish);
        let mut wish = self
            .wished
            .wait_timeout_while(wish, every, |wish| !wish.now && !wish.stop)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        wish.now = false;
        !wish.stop
    }

    /// Looks whether the topics in use are what they were.
    fn look(&self) -> Result<(), LogError> {
        let names: Vec<TopicName> = lock(&self.topics).keys().cloned().collect();
        if names.is_empty() {
            return Ok(());
        }
        let asked = Instant::now();
        let found = describe(&self.asker, &names)?;
        let mut topics = lock(&self.topics);
        for (name, found) in names.iter().zip(found) {
            if let Some(topic) = topics.get_mut(name) {
                topic.state = topic.state_after(found.as_ref());
            }
        }
        drop(topics);
        self.confirmed.send_replace(asked);
        Ok(())
    }

    fn ask_ends(&self) -> Result<(), LogError> {
        let of: Vec<TopicPartition> = lock(&self.read).keys().cloned().collect();
        let asked = Instant::now();
        let ends = offsets(&self.asker, &of, RawOffset::End)?;
        let mut read = lock(&self.read);
        for (at, end) in of.iter().zip(ends) {
            if let Some(entry) = read.get_mut(at) {
                (entry.end, entry.end_at) = (entry.end.max(end), asked);
            }
        }
        Ok(())
    }
}

impl InUse {
    fn state_after(&self, found: Option<&Described>) -> State {
        match (found, &self.state) {
            (Some(found), State::There | State::MissingSince(_)) if *found.id == *self.id.0 => {
                State::There
            }
            (Some(_), _) => State::MadeAgain,
            (None, State::There) => State::MissingSince(Instant::now()),
            (None, State::MissingSince(at)) if at.elapsed() >= MISSING_FOR => State::Gone,
            (None, state) => state.clone(),
        }
    }
}

/// Asks what topics are like; blocks.
pub(super) fn describe(
    asker: &BaseConsumer<Context>,
    names: &[TopicName],
) -> Result<Vec<Option<Described>>, LogError> {
    let texts: Vec<&str> = names.iter().map(TopicName::as_str).collect();
    native::describe(asker.client(), &texts, PATIENCE)
        .map_err(|code| refused::failed(asker.context(), "its topics", code))
}

/// Asks where partitions start or end; blocks. `of` has no partition twice.
pub(super) fn offsets(
    asker: &BaseConsumer<Context>,
    of: &[TopicPartition],
    which: RawOffset,
) -> Result<Vec<Offset>, LogError> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |e| refused::failed_call(asker.context(), "its offsets", &e);
    let mut asked = TopicPartitionList::with_capacity(of.len());
    for at in of {
        asked.add_partition_offset(at.topic.as_str(), raw(at.partition), which).map_err(failed)?;
    }
    let answer = asker.offsets_for_times(asked, PATIENCE).map_err(failed)?;
    let offset = |at: &TopicPartition| {
        let found = answer.find_partition(at.topic.as_str(), raw(at.partition));
        let found = found.ok_or_else(|| {
            refused::unavailable(asker.context(), &format!("no answer about {at}"))
        })?;
        found.error().map_err(failed)?;
        match found.offset() {
            RawOffset::Offset(offset) => Ok(Offset(u64::try_from(offset).unwrap_or(0))),
            other => Err(refused::unavailable(
                asker.context(),
                &format!("the answer {other:?} about {at}"),
            )),
        }
    };
    of.iter().map(offset).collect()
}

/// A partition as librdkafka has it.
pub(super) fn raw(partition: Partition) -> i32 {
    i32::try_from(partition.0).unwrap_or(i32::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
