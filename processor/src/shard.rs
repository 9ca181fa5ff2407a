//! A shard's life, and what of it others can see.
//!
//! ```text
//! Opening ──> Restoring ──> Serving ──> Draining ──> Closed
//!    │            │            │            ^
//!    │            └────────────┼────────────┤   told to stop
//!    └─────────────────────────┼────────────┘
//!         any but Closed ──────┴──> Failed      the operator has to act
//! ```
//!
//! The store can be read while the shard is serving or draining and has been serving before:
//! [`Progress::readable`] is there then, and only then.

use std::{sync::Arc, time::Duration};
use tandem_eventlog::Offset;
use tokio::{sync::watch, time::Instant};

use crate::{state::State, store::Store};

/// Where a shard is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardState {
    /// Its store is being opened and checked against the log.
    Opening,
    /// It folds what it missed and can't be read yet.
    Restoring,
    /// It can be read.
    Serving,
    /// It stops; what was readable still is.
    Draining,
    /// It has stopped.
    Closed,
    /// It has given up, and says why.
    Failed,
}

impl ShardState {
    /// Whether `next` may follow.
    #[must_use]
    pub fn may_become(self, next: ShardState) -> bool {
        use ShardState::{Closed, Draining, Failed, Opening, Restoring, Serving};
        matches!(
            (self, next),
            (Opening, Restoring | Draining)
                | (Restoring, Serving | Draining)
                | (Serving, Draining)
                | (Draining, Closed)
                | (Opening | Restoring | Serving | Draining, Failed)
        )
    }
}

/// What can be seen of a shard.
#[derive(Clone)]
pub(crate) struct Progress {
    pub(crate) state: ShardState,
    /// The state of the last commit; `None` before the store is open.
    pub(crate) folded: Option<Arc<State>>,
    /// Per input, the log's end as last heard.
    pub(crate) ends: Vec<Offset>,
    /// When the shard last held everything that was on the log.
    pub(crate) caught_up: Option<Instant>,
    /// The store, while it may be read.
    pub(crate) readable: Option<Arc<Store>>,
    /// Why it failed.
    pub(crate) detail: Option<Arc<str>>,
}

impl Progress {
    /// How long ago the shard last held everything that was on the log.
    pub(crate) fn staleness(&self) -> Option<Duration> {
        self.caught_up.map(|at| at.elapsed())
    }
}

/// The writing end of a shard's [`Progress`]; its owner is the shard's task.
pub(crate) struct Life(watch::Sender<Progress>);

impl Life {
    /// A shard that is opening, and the end to watch it from.
    pub(crate) fn begin() -> (Self, watch::Receiver<Progress>) {
        let (sender, receiver) = watch::channel(Progress {
            state: ShardState::Opening,
            folded: None,
            ends: Vec::new(),
            caught_up: None,
            readable: None,
            detail: None,
        });
        (Self(sender), receiver)
    }

    pub(crate) fn state(&self) -> ShardState {
        self.0.borrow().state
    }

    /// Goes on to `next`, changing what else is to be seen at the same moment. A transition that
    /// the picture above doesn't have is refused: it is logged and nothing changes.
    pub(crate) fn become_(&self, next: ShardState, change: impl FnOnce(&mut Progress)) {
        self.0.send_if_modified(|p| {
            if !p.state.may_become(next) {
                tracing::error!(from = ?p.state, to = ?next, "refused a wrong shard transition");
                return false;
            }
            p.state = next;
            change(p);
            if matches!(next, ShardState::Closed | ShardState::Failed) {
                p.readable = None;
            }
            true
        });
    }

    /// Publishes progress within a state.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Progress)) {
        self.0.send_modify(change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ShardState::{Closed, Draining, Failed, Opening, Restoring, Serving};

    #[test]
    fn only_the_drawn_transitions() {
        let all = [Opening, Restoring, Serving, Draining, Closed, Failed];
        let allowed: Vec<_> = all
            .into_iter()
            .flat_map(|a| all.into_iter().filter(move |b| a.may_become(*b)).map(move |b| (a, b)))
            .collect();
        assert_eq!(
            allowed,
            [
                (Opening, Restoring),
                (Opening, Draining),
                (Opening, Failed),
                (Restoring, Serving),
                (Restoring, Draining),
                (Restoring, Failed),
                (Serving, Draining),
                (Serving, Failed),
                (Draining, Closed),
                (Draining, Failed),
            ]
        );
    }

    #[test]
    fn a_wrong_one_changes_nothing() {
        let (life, seen) = Life::begin();
        life.become_(Serving, |p| p.detail = Some("x".into()));
        assert_eq!(life.state(), Opening);
        assert!(seen.borrow().detail.is_none());
    }
}
