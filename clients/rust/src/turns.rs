//! The addresses of a service, taken in turn: the one that did last is asked until it fails.

use crate::error::Error;
use crate::line::Line;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tonic::client::Grpc;

/// For how long an address that didn't answer is left out where there is a choice.
const LEFT_OUT: Duration = Duration::from_secs(5);

/// How many that were used are kept: as many as calls are usually made at once.
const MOST_IDLE: usize = 64;

/// One address.
#[derive(Debug)]
pub(crate) struct Address {
    /// `host:port`.
    pub(crate) name: String,
    pub(crate) line: Line,
    /// Used before and good for more; making a new one costs a hundredth of a call.
    idle: Mutex<Vec<Grpc<Line>>>,
    /// Whether somebody answered there, when it was asked last.
    answers: AtomicBool,
    made: Instant,
    /// When it failed to answer, in milliseconds since it was made; 0 for never.
    lost: AtomicU64,
}

impl Address {
    pub(crate) fn new(name: String, line: Line) -> Self {
        let (answers, lost) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { name, line, idle: Mutex::default(), answers, made: Instant::now(), lost }
    }

    /// What makes a call here; to be [given back](Self::give_back) when it is done.
    pub(crate) fn grpc(&self) -> Grpc<Line> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| Grpc::new(self.line.clone()))
    }

    pub(crate) fn give_back(&self, grpc: Grpc<Line>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(grpc);
        }
    }

    pub(crate) fn answers(&self) -> bool {
        self.answers.load(Ordering::Relaxed)
    }

    /// Whether it failed to answer a moment ago.
    pub(crate) fn is_left_out(&self) -> bool {
        let lost = self.lost.load(Ordering::Relaxed);
        lost != 0 && self.made.elapsed() < Duration::from_millis(lost) + LEFT_OUT
    }

    /// Takes in how a call failed here, and says whether [in silence](Error::is_silence).
    pub(crate) fn note_failure(&self, error: &Error, in_turn: bool) -> bool {
        let silence = error.is_silence(in_turn);
        if silence {
            self.note_silence()
        } else {
            self.note_answer()
        }
        silence
    }

    pub(crate) fn note_answer(&self) {
        if !self.answers() {
            self.answers.store(true, Ordering::Relaxed);
            self.lost.store(0, Ordering::Relaxed);
        }
    }

    fn note_silence(&self) {
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

    pub(crate) fn has(&self, address: &Arc<Address>) -> bool {
        self.all.iter().any(|one| Arc::ptr_eq(one, address))
    }

    /// Goes on to the next, for everybody unless somebody else already left `nth`.
    pub(crate) fn leave(&self, nth: usize) -> usize {
        let next = (nth + 1) % self.all.len();
        let _ = self.current.compare_exchange(nth, next, Ordering::Relaxed, Ordering::Relaxed);
        next
    }
}
