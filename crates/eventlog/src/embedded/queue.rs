//! How appends reach the committer: through a queue and a thread that groups them, or at once.

use super::{
    commit::{Append, Committer},
    refused, stored,
    topics::Place,
};
use crate::{LogError, NewRecord, Offset};
use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};
use tokio::{
    sync::{
        Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
    task::unconstrained,
};

/// The queue holds this many bytes of records before appends have to wait: some groups' worth,
/// so that the thread never idles, and little beside a process's memory. Records differ a
/// thousandfold in size, so a bound on their number would bound neither.
const QUEUE_BYTES: u32 = 16 << 20;
/// A group is closed at this size, so that its sync, and with it the wait of the first append in
/// it, stays short. A buffer of the store takes several such groups.
const GROUP_BYTES: usize = 4 << 20;
/// What an append takes in memory beside its record's bytes.
const OVERHEAD_BYTES: usize = 256;

/// The way to the committer.
pub(super) enum Queue {
    /// A thread commits whatever is queued in one group: while one group is synced the next
    /// collects. For a log on disk.
    Grouped(Grouped),
    /// Whoever appends commits, within the first poll. For a log in memory, where a write takes
    /// microseconds. No thread takes part, so that under tokio's paused time the clock can't run
    /// ahead while an append is under way, and a simulation does the same on each run.
    Inline(Mutex<Option<Committer>>),
}

/// A queue with a thread at its end.
pub(super) struct Grouped {
    /// Locked from an append's turn until it is queued. Tokio's mutex is fair, so appends are
    /// queued in the order of their first polls even when they have to wait for room; a bounded
    /// channel alone would let one that got room late overtake.
    gate: tokio::sync::Mutex<Option<UnboundedSender<Append>>>,
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl Queue {
    /// Starts the thread.
    pub(super) fn grouped(committer: Committer) -> Result<Self, LogError> {
        let (sender, receiver) = unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("tandem-log".into())
            .spawn(move || commit_in_groups(receiver, committer))
            .map_err(|error| LogError::Unavailable(format!("no thread for the log: {error}")))?;
        Ok(Self::Grouped(Grouped {
            gate: tokio::sync::Mutex::new(Some(sender)),
            room: Arc::new(Semaphore::new(QUEUE_BYTES as usize)),
            thread: Some(thread),
        }))
    }

    pub(super) fn inline(committer: Committer) -> Self {
        Self::Inline(Mutex::new(Some(committer)))
    }

    /// Has `record` committed and gives its offset.
    pub(super) async fn append(&self, place: Place, record: NewRecord) -> Result<Offset, LogError> {
        let (answer, answered) = oneshot::channel();
        let append = Append { place, record, answer, room: None };
        match self {
            Self::Grouped(queue) => queue.push(append).await?,
            Self::Inline(committer) => {
                let mut committer = committer.lock().unwrap_or_else(PoisonError::into_inner);
                committer.as_mut().ok_or_else(refused::closed)?.commit(vec![append]);
            }
        }
        answered.await.unwrap_or_else(|_| Err(refused::closed()))
    }

    /// Takes no more appends, and waits until those that were queued are answered.
    pub(super) async fn close(&self) {
        match self {
            Self::Grouped(queue) => queue.close().await,
            Self::Inline(committer) => {
                committer.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
        }
    }
}

impl Grouped {
    async fn push(&self, mut append: Append) -> Result<(), LogError> {
        // Unconstrained, as tokio's task budget could else put an append off before it is in
        // line, and a later one would get ahead of it.
        let gate = unconstrained(self.gate.lock()).await;
        let queue = gate.as_ref().ok_or_else(refused::closed)?;
        let bytes = u32::try_from(weight(&append.record)).unwrap_or(QUEUE_BYTES).min(QUEUE_BYTES);
        let room = unconstrained(self.room.clone().acquire_many_owned(bytes)).await;
        append.room = Some(room.map_err(|_| refused::closed())?);
        queue.send(append).map_err(|_| refused::closed())
    }

    async fn close(&self) {
        self.gate.lock().await.take();
        // All room is free only when the last append was answered.
        let _ = self.room.acquire_many(QUEUE_BYTES).await;
    }
}

impl Drop for Grouped {
    /// Ends the thread, which answers what is queued first: a sync or two. Waiting for that here
    /// leaves the folder free for the next to open it.
    fn drop(&mut self) {
        self.gate.get_mut().take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the log's thread panicked");
        }
    }
}

fn commit_in_groups(mut queue: UnboundedReceiver<Append>, mut committer: Committer) {
    while let Some(first) = queue.blocking_recv() {
        let mut bytes = weight(&first.record);
        let mut group = vec![first];
        while bytes < GROUP_BYTES
            && let Ok(append) = queue.try_recv()
        {
            bytes += weight(&append.record);
            group.push(append);
        }
        committer.commit(group);
    }
}

fn weight(record: &NewRecord) -> usize {
    stored::size(record) + OVERHEAD_BYTES
}
