//! The addresses of a service, taken in turn: the one that did last is asked until it fails.

use crate::line::Line;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// For how long an address that didn't answer is left out where there is a choice.
const LEFT_OUT: Duration = Duration::from_secs(5);

/// One address.
#[derive(Debug)]
pub(crate) struct Address {
    /// `host:port`.
    pub(crate) name: String,
    pub(crate) line: Line,
    /// Whether somebody answered there, when it was asked last.
    answers: AtomicBool,
    made: Instant,
    /// When it failed to answer, in milliseconds since it was made; 0 for never.
    lost: AtomicU64,
}

impl Address {
    pub(crate) fn new(name: String, line: Line) -> Self {
        let (answers, lost) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { name, line, answers, made: Instant::now(), lost }
    }

    pub(crate) fn answers(&self) -> bool {
        self.answers.load(Ordering::Relaxed)
    }

    /// Whether it failed to answer a moment ago.
    pub(crate) fn is_left_out(&self) -> bool {
        let lost = self.lost.load(Ordering::Relaxed);
        lost != 0 && self.made.elapsed() < Duration::from_millis(lost) + LEFT_OUT
    }

    pub(crate) fn note_answer(&self) {
        if !self.answers() {
            self.answers.store(true, Ordering::Relaxed);
            self.lost.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn note_silence(&self) {
        self.answers.store(false, Ordering::Relaxed);
        let now = u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.lost.store(now.max(1), Ordering::Relaxed);
    }
}

/// At least one address, and whose turn it is.
#[derive(Debug)]
pub(crate) struct Turns {
    all: Vec<Arc<Address>>,
    current: AtomicUsize,
}

impl Turns {
    pub(crate) fn new(all: Vec<Arc<Address>>) -> Self {
        Self { all, current: AtomicUsize::new(0) }
    }

    pub(crate) fn all(&self) -> &[Arc<Address>] {
        &self.all
    }

    /// Whose turn it is, as a number for [`Self::get`] and [`Self::leave`].
    pub(crate) fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    pub(crate) fn get(&self, nth: usize) -> &Arc<Address> {
        &self.all[nth % self.all.len()]
    }

    /// Goes on to the next, for everybody unless somebody else already left `nth`.
    pub(crate) fn leave(&self, nth: usize) -> usize {
        let next = (nth + 1) % self.all.len();
        let _ = self.current.compare_exchange(nth, next, Ordering::Relaxed, Ordering::Relaxed);
        next
    }
}
