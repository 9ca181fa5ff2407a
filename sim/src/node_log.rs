//! The log as one instance has it: a few records at a time, so that catching up takes a while; slow,
//! late with announcements, away for a while, or gone with its power.

use async_trait::async_trait;
use std::{
    collections::VecDeque,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};
use tandem_codec::ANNOUNCEMENTS;
use tandem_eventlog::{
    Batch, Bounds, EventLog, Log, LogError, Member, Membership, NewRecord, Offset, Partition,
    Position, Reader, Record, TopicId, TopicName, TopicPartition, TopicSpec,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long the group misses a member before it is taken for dead.
const SESSION: Duration = Duration::from_secs(6);

/// How many records are given out at a time.
const PORTION: usize = 8;

/// How long an announcement may take from the log to an instance.
const HEARS_WITHIN_MS: u64 = 50;

/// No shard.
const NONE: u32 = u32::MAX;

/// What is wrong with the log for one instance.
#[derive(Debug)]
pub(crate) struct Weather {
    is_away: AtomicBool,
    announcements_ms: AtomicU64,
    slow_shard: AtomicU32,
}

impl Default for Weather {
    fn default() -> Self {
        let (is_away, announcements_ms) = Default::default();
        Self { is_away, announcements_ms, slow_shard: NONE.into() }
    }
}

impl Weather {
    pub(crate) fn away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::Relaxed);
    }

    pub(crate) fn delay_announcements(&self, by: Duration) {
        let ms = by.as_millis().try_into().unwrap_or(u64::MAX);
        self.announcements_ms.store(ms, Ordering::Relaxed);
    }

    pub(crate) fn slow(&self, shard: Option<u32>) {
        self.slow_shard.store(shard.unwrap_or(NONE), Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), LogError> {
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(away()),
            false => Ok(()),
        }
    }
}

fn away() -> LogError {
    LogError::Unavailable("away".into())
}

/// The log for one run of an instance.
pub(crate) struct NodeLog {
    pub(crate) log: Log,
    pub(crate) weather: Arc<Weather>,
    pub(crate) power: CancellationToken,
    /// Decides when it hears what.
    pub(crate) seed: u64,
}

/// Without power nothing is ever answered.
async fn powered<T>(
    power: &CancellationToken,
    work: impl Future<Output = Result<T, LogError>>,
) -> Result<T, LogError> {
    match power.run_until_cancelled(work).await {
        Some(answer) if !power.is_cancelled() => answer,
        _ => pending().await,
    }
}

#[async_trait]
impl EventLog for NodeLog {
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicId>, LogError> {
        self.weather.check()?;
        powered(&self.power, self.log.ensure_topics(topics)).await
    }

    async fn append(&self, record: NewRecord) -> Result<Offset, LogError> {
        self.weather.check()?;
        let append = async {
            if record.to.topic.as_str() == ANNOUNCEMENTS {
                let late = self.weather.announcements_ms.load(Ordering::Relaxed);
                sleep(Duration::from_millis(late)).await;
            }
            self.log.append(record).await
        };
        powered(&self.power, append).await
    }

    async fn read(&self, from: &[Position]) -> Result<Box<dyn Reader>, LogError> {
        self.weather.check()?;
        let reader = powered(&self.power, self.log.read(from)).await?;
        let shard = match from {
            [one] if one.at.topic.as_str() == ANNOUNCEMENTS => None,
            [first, ..] => Some(first.at.partition.0),
            [] => None,
        };
        Ok(Box::new(NodeReader {
            reader,
            shard,
            weather: self.weather.clone(),
            power: self.power.clone(),
            rng: fastrand::Rng::with_seed(self.seed),
            waiting: VecDeque::new(),
            batch: None,
        }))
    }

    async fn bounds(&self, of: &[TopicPartition]) -> Result<Vec<Bounds>, LogError> {
        self.weather.check()?;
        powered(&self.power, self.log.bounds(of)).await
    }

    async fn join(
        &self,
        group: &str,
        member: &Member,
        topic: &TopicName,
    ) -> Result<Box<dyn Membership>, LogError> {
        self.weather.check()?;
        let membership = powered(&self.power, self.log.join(group, member, topic)).await?;
        Ok(Box::new(NodeMembership { membership: Some(membership), power: self.power.clone() }))
    }
}

struct NodeReader {
    reader: Box<dyn Reader>,
    /// The shard that it reads, if it reads one.
    shard: Option<u32>,
    weather: Arc<Weather>,
    power: CancellationToken,
    rng: fastrand::Rng,
    /// What was read and is not given out yet; the batch that it is of, with the positions given.
    waiting: VecDeque<Record>,
    batch: Option<Batch>,
}

impl NodeReader {
    /// The next few records of the batch at hand.
    fn portion(&mut self) -> Option<Batch> {
        let batch = self.batch.as_mut()?;
        let records: Vec<Record> = self.waiting.drain(..self.waiting.len().min(PORTION)).collect();
        for record in &records {
            batch.next[record.input] = record.offset.next();
        }
        let portion = Batch { records, ..batch.clone() };
        if self.waiting.is_empty() {
            self.batch = None;
        }
        Some(portion)
    }
}

#[async_trait]
impl Reader for NodeReader {
    async fn next(&mut self, max_wait: Duration) -> Result<Batch, LogError> {
        self.weather.check()?;
        if self.shard == Some(self.weather.slow_shard.load(Ordering::Relaxed)) {
            sleep(Duration::from_millis(700)).await;
        }
        if self.batch.is_none() {
            let mut batch = powered(&self.power, self.reader.next(max_wait)).await?;
            if self.shard.is_none() {
                // Some hear it sooner than others.
                sleep(Duration::from_millis(self.rng.u64(0..HEARS_WITHIN_MS))).await;
            }
            if batch.records.len() <= PORTION {
                return Ok(batch);
            }
            // Records have no gaps here, so the first of each input is where it was.
            for record in batch.records.iter().rev() {
                batch.next[record.input] = record.offset;
            }
            self.waiting = std::mem::take(&mut batch.records).into();
            self.batch = Some(batch);
        }
        sleep(Duration::from_millis(60)).await;
        let power = self.power.clone();
        powered(&power, async { self.portion().ok_or_else(away) }).await
    }
}

struct NodeMembership {
    membership: Option<Box<dyn Membership>>,
    power: CancellationToken,
}

#[async_trait]
impl Membership for NodeMembership {
    async fn leave(self: Box<Self>) {}

    async fn next(&mut self) -> Result<Vec<Partition>, LogError> {
        match &mut self.membership {
            Some(membership) => powered(&self.power, membership.next()).await,
            None => pending().await,
        }
    }
}

impl Drop for NodeMembership {
    /// Who leaves says so; who has lost its power is missed after a while.
    fn drop(&mut self) {
        let membership = self.membership.take();
        if self.power.is_cancelled() && tokio::runtime::Handle::try_current().is_ok() {
            tokio::spawn(async move {
                sleep(SESSION).await;
                drop(membership);
            });
        }
    }
}
