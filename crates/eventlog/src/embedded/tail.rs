//! Where a partition ends, and who waits there for more.

use crate::Offset;
use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;

/// The end of one partition as readers may know it: what lies before it is durable. Only the
/// committer moves it.
pub(super) struct Tail {
    end: AtomicU64,
    waiting: Mutex<Vec<Weak<Notify>>>,
}

impl Tail {
    pub(super) fn at(end: Offset) -> Self {
        Self { end: AtomicU64::new(end.0), waiting: Mutex::default() }
    }

    /// The end now.
    pub(super) fn end(&self) -> Offset {
        Offset(self.end.load(Ordering::Acquire))
    }

    /// Moves the end and wakes who waits for it.
    ///
    /// No wake-up is missed: the end moves first, and `notify_one` leaves a permit for a reader
    /// that looked before the move but doesn't wait yet.
    pub(super) fn publish(&self, end: Offset) {
        self.end.store(end.0, Ordering::Release);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).retain(|reader| {
            let reader = reader.upgrade();
            reader.inspect(|reader| reader.notify_one()).is_some()
        });
    }

    /// Has `reader` notified of each move of the end from now on, until it is dropped.
    pub(super) fn tell(&self, reader: &Arc<Notify>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // On a partition that nobody appends to, this is where readers that are gone are let go.
        waiting.retain(|reader| reader.strong_count() > 0);
        waiting.push(Arc::downgrade(reader));
    }
}
