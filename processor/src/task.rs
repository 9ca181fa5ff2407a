//! A shard's one owner and its one loop: read, fold, commit, until told to stop.

use rocksdb::WriteBatch;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tandem_codec::{Codec, RegistryError};
use tandem_eventlog::{Batch, Log, LogError, Offset, Partition, Reader, Record};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Failure, StoreError,
    apply::{Applied, Staged},
    commit::commit,
    retry::{Retry, Stopped},
    shard::{Life, ShardState},
    simulation::{Bug, planted},
    state::{State, input_partitions},
    store::{Memory, Store},
};

/// How long a read waits for records. An idle shard learns this often that it is still up to
/// date, so this bounds the staleness that it reports.
const IDLE: Duration = Duration::from_millis(50);

/// How often what was committed is brought to the disk: it bounds what a crash makes the shard
/// fold again.
const FLUSH_EVERY: Duration = Duration::from_secs(10);

/// What a shard's task works with.
pub(crate) struct Task {
    pub(crate) shard: Partition,
    pub(crate) shards: u32,
    pub(crate) dir: PathBuf,
    pub(crate) log: Log,
    pub(crate) codec: Codec,
    pub(crate) memory: Arc<Memory>,
    /// Whether it is to be closed here once somebody else serves it.
    pub(crate) draining: watch::Receiver<bool>,
    pub(crate) stop: CancellationToken,
}

/// Why the loop ended early.
enum Ended {
    Stopped,
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Ended {
    fn from(e: E) -> Self {
        Ended::Failed(e.into())
    }
}

impl From<Stopped> for Ended {
    fn from(_: Stopped) -> Self {
        Ended::Stopped
    }
}

/// An open shard.
struct Open {
    store: Arc<Store>,
    reader: Box<dyn Reader>,
    state: Arc<State>,
    /// Ends of the inputs and when they were read: once the shard is past them, it is known to
    /// have held everything of that moment. The first mark is set when the shard is opened.
    mark: (Vec<Offset>, Instant),
    flushed: Instant,
    /// The waits while the log can't be read.
    retry: Retry,
}

impl Task {
    /// Lives the shard's whole life; returns when it is closed or has failed.
    pub(crate) async fn run(self, life: Life) {
        let mut open = None;
        let ended = self.live(&life, &mut open).await;
        let failure = match (ended, open) {
            (Ended::Failed(failure), _) => Some(failure),
            (Ended::Stopped, open) => {
                if life.state() != ShardState::Draining {
                    life.become_(ShardState::Draining, |_| {});
                }
                match open {
                    Some(open) => flush(open.store).await.err().map(Failure::from),
                    None => None,
                }
            }
        };
        match failure {
            None => life.become_(ShardState::Closed, |_| {}),
            Some(failure) => {
                tracing::error!(shard = self.shard.0, error = %failure, "shard failed");
                let detail = failure.to_string().into();
                life.become_(ShardState::Failed, |p| p.detail = Some(detail));
            }
        }
    }

    async fn live(&self, life: &Life, slot: &mut Option<Open>) -> Ended {
        let open = match self.open().await {
            Ok(open) => slot.insert(open),
            Err(ended) => return ended,
        };
        tracing::info!(shard = self.shard.0, dir = %open.store.dir().display(), "shard restoring");
        let state = open.state.clone();
        life.become_(ShardState::Restoring, |p| p.folded = Some(state));
        loop {
            if let Err(ended) = self.step(life, open).await {
                return ended;
            }
        }
    }

    /// Opens the store, checks it against the log, and opens the reader at its position.
    async fn open(&self) -> Result<Open, Ended> {
        let store = Arc::new(Store::open(&self.dir, &self.memory)?);
        let inputs = input_partitions(self.shard);
        let asked = Instant::now();
        let bounds = self.retry("bounds", || self.log.bounds(&inputs)).await?;
        let state = match store.state()? {
            Some(state) => {
                state.check(self.shard, self.shards, &bounds)?;
                state
            }
            None => {
                // A view of nothing has a position too, and remembers which log it is of.
                let state = State::fresh(self.shard, self.shards, &bounds);
                store.write(WriteBatch::default(), &state)?;
                state
            }
        };
        let mut positions = state.positions();
        if planted(Bug::StartsAtTheEndOfTheLog) {
            positions.iter_mut().zip(&bounds).for_each(|(p, b)| p.offset = b.end);
        }
        let reader = self.retry("read", || self.log.read(&positions)).await?;
        let ends = bounds.iter().map(|b| b.end).collect();
        let now = Instant::now();
        let (state, retry) = (Arc::new(state), Retry::new(&self.stop));
        Ok(Open { store, reader, state, mark: (ends, asked), flushed: now, retry })
    }

    /// One turn of the loop.
    async fn step(&self, life: &Life, open: &mut Open) -> Result<(), Ended> {
        match (life.state(), *self.draining.borrow()) {
            (ShardState::Serving, true) => life.become_(ShardState::Draining, |_| {}),
            (ShardState::Draining, false) => life.become_(ShardState::Serving, |_| {}),
            _ => {}
        }
        let batch = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(Ended::Stopped),
            batch = open.reader.next(IDLE) => batch,
        };
        match batch {
            Ok(batch) => {
                open.retry.succeeded();
                self.fold(life, open, &batch).await?;
                self.mark(life, open, batch.ends, batch.ends_at);
            }
            Err(LogError::Unavailable(why)) => self.pause("read", &why, &mut open.retry).await?,
            Err(other) => return Err(Ended::Failed(log_failure(&other))),
        }
        if open.flushed.elapsed() >= FLUSH_EVERY {
            open.flushed = Instant::now();
            flush(open.store.clone()).await?;
        }
        Ok(())
    }

    /// Folds a batch and commits it; in several commits where a schema has to be learnt between.
    async fn fold(&self, life: &Life, open: &mut Open, batch: &Batch) -> Result<(), Ended> {
        if batch.records.is_empty() && !moved(&open.state, batch) {
            return Ok(());
        }
        let mut staged = Staged::new(State::clone(&open.state));
        for record in &batch.records {
            let applied = staged.apply(&open.store, &self.codec, record, None)?;
            if let Applied::NeedsSchema(id) = applied {
                open.state = commit(&open.store, life, staged)?;
                staged = Staged::new(State::clone(&open.state));
                self.learn(&open.store, &mut staged, record, id).await?;
            }
        }
        staged.advance(&batch.next);
        open.state = commit(&open.store, life, staged)?;
        Ok(())
    }

    /// Notes how far the log has come, and whether the shard was up to date; the first time makes
    /// it serve.
    fn mark(&self, life: &Life, open: &mut Open, ends: Vec<Offset>, ends_at: Instant) {
        let past = |ends: &[Offset]| {
            open.state.inputs.iter().zip(ends).all(|(input, end)| input.position >= end.0)
        };
        let mut caught_up = None;
        if past(&open.mark.0) {
            caught_up = Some(if past(&ends) { ends_at } else { open.mark.1 });
            open.mark = (ends.clone(), ends_at);
        }
        if planted(Bug::ClaimsToBeFresh)
            || planted(Bug::ServesWhileRestoring) && life.state() == ShardState::Restoring
        {
            caught_up = Some(Instant::now());
        }
        life.update(|p| {
            p.ends = ends;
            p.caught_up = caught_up.or(p.caught_up);
        });
        if caught_up.is_some() && life.state() == ShardState::Restoring {
            tracing::info!(shard = self.shard.0, "shard serving");
            let store = open.store.clone();
            life.become_(ShardState::Serving, |p| p.readable = Some(store));
        }
    }

    /// Learns schema `id` and folds the record that needs it. A schema that can't be had makes
    /// the record a reject; a registry that doesn't answer makes the shard wait.
    async fn learn(
        &self,
        store: &Store,
        staged: &mut Staged,
        record: &Record,
        id: u32,
    ) -> Result<(), Ended> {
        let mut retry = Retry::new(&self.stop);
        let verdict = loop {
            match retry.attempt(self.codec.learn(id)).await? {
                Ok(()) => break None,
                Err(RegistryError::Unavailable(why)) => {
                    self.pause("learn schema", &why, &mut retry).await?;
                }
                Err(verdict) => break Some(verdict.to_string()),
            }
        };
        let verdict = verdict.as_deref().or(Some("it was learnt and forgotten again"));
        staged.apply(store, &self.codec, record, verdict)?;
        Ok(())
    }

    async fn retry<T, F>(&self, what: &'static str, call: impl Fn() -> F) -> Result<T, Ended>
    where
        F: Future<Output = Result<T, LogError>>,
    {
        let mut retry = Retry::new(&self.stop);
        loop {
            match retry.attempt(call()).await? {
                Ok(got) => return Ok(got),
                Err(LogError::Unavailable(why)) => self.pause(what, &why, &mut retry).await?,
                Err(other) => return Err(Ended::Failed(log_failure(&other))),
            }
        }
    }

    /// Waits before another try, and says for what.
    async fn pause(&self, what: &'static str, why: &str, retry: &mut Retry) -> Result<(), Stopped> {
        let wait_ms = retry.wait().as_millis();
        tracing::warn!(shard = self.shard.0, what, why, wait_ms, "waiting");
        retry.pause().await
    }
}

fn moved(state: &State, batch: &Batch) -> bool {
    state.inputs.iter().zip(&batch.next).any(|(input, next)| input.position < next.0)
}

/// Flushes off the loop's thread; the loop waits, as RocksDB would make it wait for memory anyway.
async fn flush(store: Arc<Store>) -> Result<(), StoreError> {
    if store.disk().is_memory() {
        return store.flush();
    }
    tokio::task::spawn_blocking(move || store.flush())
        .await
        .map_err(|e| StoreError::Io(e.to_string()))?
}

fn log_failure(e: &LogError) -> Failure {
    Failure::Log(e.to_string())
}
