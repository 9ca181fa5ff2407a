//! Who waits for a change of which customer's rows, in one shard.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// Those who wait. A commit that touches nobody's customer costs one look at an empty map.
#[derive(Clone, Default)]
pub(crate) struct Watchers(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    by_id: HashMap<Vec<u8>, watch::Sender<()>>,
    /// How many there may be before those that nobody waits for any more are cleared away.
    clear_at: usize,
    closed: bool,
}

impl Watchers {
    /// Notes from now on that rows of `id` changed. The receiver ends when the shard does.
    pub(crate) fn watch(&self, id: &[u8]) -> watch::Receiver<()> {
        let mut watched = self.lock();
        if watched.closed {
            return watch::channel(()).1;
        }
        if watched.by_id.len() >= watched.clear_at {
            watched.by_id.retain(|_, tell| tell.receiver_count() > 0);
            watched.clear_at = 2 * watched.by_id.len() + 16;
        }
        watched.by_id.entry(id.to_vec()).or_default().subscribe()
    }

    /// Tells those who watch one of `ids`; called once what changed can be read.
    pub(crate) fn changed<'a>(&self, ids: impl Iterator<Item = &'a [u8]>) {
        let watched = self.lock();
        if watched.by_id.is_empty() {
            return;
        }
        for id in ids {
            if let Some(tell) = watched.by_id.get(id) {
                tell.send_replace(());
            }
        }
    }

    /// Ends every watch, as the shard can't be read any more.
    pub(crate) fn close(&self) {
        let mut watched = self.lock();
        watched.closed = true;
        watched.by_id.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_who_watches_and_forgets_who_left() {
        let watchers = Watchers::default();
        let mut a = watchers.watch(b"a");
        let b = watchers.watch(b"b");
        watchers.changed([&b"a"[..], b"c"].into_iter());
        assert!(a.has_changed().unwrap() && !b.has_changed().unwrap());
        a.mark_unchanged();
        for _ in 0..1000 {
            drop(watchers.watch(uuid::Uuid::new_v4().as_bytes()));
        }
        assert!(watchers.lock().by_id.len() < 40);
        watchers.changed([&b"b"[..]].into_iter());
        assert!(!a.has_changed().unwrap() && b.has_changed().unwrap());
        watchers.close();
        assert!(a.has_changed().is_err() && watchers.watch(b"x").has_changed().is_err());
    }
}
