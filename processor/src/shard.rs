//! A shard's life, and what of it others can see.
//!
//! ```text
//! Opening ──> Restoring ──> Serving <─> Draining ──> Closed
//!    │            │            │            ^
//!    │            └────────────┼────────────┤   told to drain, or to stop
//!    └─────────────────────────┼────────────┘
//!         any but Closed ──────┴──> Failed      the operator has to act
//! ```
//!
//! The store can be read while the shard is serving or draining and has been serving before:
//! [`Progress::readable`] is there then, and only then.

use std::{sync::Arc, time::Duration};
use tandem_eventlog::Offset;
use tokio::{sync::watch, time::Instant};

use crate::{state::State, store::Store, watching::Watchers};

/// Where a shard is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardState {
    /// Its store is being opened and checked against the log.
    Opening,
    /// It folds what it missed and can't be read yet.
    Restoring,
    /// It can be read.
    Serving,
    /// It is to be closed here; it still folds, and what was readable still is.
    Draining,
    /// It has stopped.
    Closed,
    /// It has given up, and says why.
    Failed,
}

impl ShardState {
    /// All of them, with their names in the contract.
    const NAMES: [(ShardState, &'static str); 6] = [
        (ShardState::Opening, "OPENING"),
        (ShardState::Restoring, "RESTORING"),
        (ShardState::Serving, "SERVING"),
        (ShardState::Draining, "DRAINING"),
        (ShardState::Closed, "CLOSED"),
        (ShardState::Failed, "FAILED"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, n)| *n == name).map(|(state, _)| state)
    }

    /// Whether `next` may follow.
    #[must_use]
    pub fn may_become(self, next: ShardState) -> bool {
        use ShardState::{Closed, Draining, Failed, Opening, Restoring, Serving};
        matches!(
            (self, next),
            (Opening, Restoring | Draining)
                | (Restoring, Serving | Draining)
                | (Serving, Draining)
                | (Draining, Serving | Closed)
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
    /// Which of the store's writes that commit was.
    pub(crate) write: u64,
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

/// A shard as anyone may see it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) progress: watch::Receiver<Progress>,
    pub(crate) watchers: Watchers,
}

/// The writing end of a shard's [`Progress`]; its owner is the shard's task.
pub(crate) struct Life {
    progress: watch::Sender<Progress>,
    watchers: Watchers,
    /// Changes with every shard's state.
    news: Arc<watch::Sender<u64>>,
}

impl Life {
    /// A shard that is opening, and the end to watch it from.
    pub(crate) fn begin(news: Arc<watch::Sender<u64>>) -> (Self, Seen) {
        let (sender, progress) = watch::channel(Progress {
            state: ShardState::Opening,
            folded: None,
            write: 0,
            ends: Vec::new(),
            caught_up: None,
            readable: None,
            detail: None,
        });
        let watchers = Watchers::default();
        let life = Self { progress: sender, watchers: watchers.clone(), news };
        (life, Seen { progress, watchers })
    }

    pub(crate) fn state(&self) -> ShardState {
        self.progress.borrow().state
    }

    /// Those who wait for changes of this shard's rows.
    pub(crate) fn watchers(&self) -> &Watchers {
        &self.watchers
    }

    /// Goes on to `next`, changing what else is to be seen at the same moment. A transition that
    /// the picture above doesn't have is refused: it is logged and nothing changes.
    pub(crate) fn become_(&self, next: ShardState, change: impl FnOnce(&mut Progress)) {
        let became = self.progress.send_if_modified(|p| {
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
        if became {
            self.news.send_modify(|n| *n += 1);
        }
        if matches!(next, ShardState::Closed | ShardState::Failed) {
            self.watchers.close();
        }
    }

    /// Publishes progress within a state.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
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
        for state in all {
            assert_eq!(ShardState::from_name(state.name()), Some(state));
        }
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
                (Draining, Serving),
                (Draining, Closed),
                (Draining, Failed),
            ]
        );
    }

    #[test]
    fn a_wrong_one_changes_nothing() {
        let (life, seen) = Life::begin(Arc::default());
        life.become_(Serving, |p| p.detail = Some("x".into()));
        assert_eq!(life.state(), Opening);
        assert!(seen.progress.borrow().detail.is_none());
    }
}
