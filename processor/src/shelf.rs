//! The memory in which documents are kept, and the part of it that is one store's.

use bytes::Bytes;
use foldhash::fast::RandomState;
use quick_cache::{
    Equivalent, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tandem_domain::CustomerId;

/// What a document takes beside its bytes and its id: its places in the cache's tables, and what the
/// allocator rounds up.
const BESIDE: usize = 256;

/// What a document is reckoned to take when it is not known yet; only the size of tables follows.
const USUAL: usize = 4 << 10;

/// The documents of all stores of a process, bounded by the memory they take.
pub(crate) struct Documents {
    kept: Option<Arc<Kept>>,
    opened: AtomicU64,
}

type Kept = Cache<Key, Bytes, Weight, RandomState>;

/// Whose document, made from which store; a store that is opened again is another one.
#[derive(Hash, PartialEq, Eq)]
struct Key {
    store: u64,
    id: Box<[u8]>,
}

/// The same, to look with.
#[derive(Hash)]
struct Sought<'a> {
    store: u64,
    id: &'a [u8],
}

impl Equivalent<Key> for Sought<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.store == key.store && *self.id == *key.id
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Bytes> for Weight {
    fn weight(&self, key: &Key, body: &Bytes) -> u64 {
        (key.id.len() + body.len() + BESIDE) as u64
    }
}

impl Documents {
    /// Of as much as `bytes`; none at all if that is 0.
    pub(crate) fn new(bytes: usize) -> Self {
        let mut options = OptionsBuilder::new();
        options.weight_capacity(bytes as u64).estimated_items_capacity(bytes / USUAL);
        // All that is needed is said, so the options are whole.
        let options = options.build().ok().filter(|_| bytes > 0);
        let kept = options.map(|options| {
            let (hasher, lifecycle) = (RandomState::default(), DefaultLifecycle::default());
            Arc::new(Cache::with_options(options, Weight, hasher, lifecycle))
        });
        Self { kept, opened: AtomicU64::new(0) }
    }

    /// Those of a store that is just opened: none yet.
    pub(crate) fn shelf(&self) -> Shelf {
        let store = self.opened.fetch_add(1, Ordering::Relaxed);
        Shelf { kept: self.kept.clone(), store, gate: Mutex::new(Holds::Nothing) }
    }
}

/// The documents of one store, since it was opened.
pub(crate) struct Shelf {
    kept: Option<Arc<Kept>>,
    store: u64,
    /// Held while a document is put down or taken away.
    gate: Mutex<Holds>,
}

/// Whether anything was ever put down: a view that is only folded has nothing to take away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    Something,
}

impl Shelf {
    /// What was made of a customer's rows, if it is kept.
    pub(crate) fn get(&self, id: &CustomerId) -> Option<Bytes> {
        self.kept.as_ref()?.get(&self.sought(id.as_bytes()))
    }

    /// Keeps a document if it still is of the last write; gives it in any case.
    pub(crate) fn keep(
        &self,
        id: &CustomerId,
        body: Vec<u8>,
        is_last: impl FnOnce() -> bool,
    ) -> Bytes {
        let Some(kept) = &self.kept else { return body.into() };
        // A copy takes just what it needs; what was written into may have twice the room.
        let body = Bytes::copy_from_slice(&body);
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if is_last() {
            *gate = Holds::Something;
            kept.insert(Key { store: self.store, id: id.as_bytes().into() }, body.clone());
        }
        body
    }

    /// Takes away what was made of the rows of these customers, which may be named again and again as
    /// long as it is one after the other.
    pub(crate) fn forget<'a>(&self, ids: impl Iterator<Item = &'a [u8]>) {
        let Some(kept) = &self.kept else { return };
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if *gate == Holds::Nothing {
            return;
        }
        let mut last = None;
        for id in ids {
            if last.replace(id) != Some(id) {
                kept.remove(&self.sought(id));
            }
        }
    }

    fn sought<'a>(&self, id: &'a [u8]) -> Sought<'a> {
        Sought { store: self.store, id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: &str) -> CustomerId {
        CustomerId::new(id).unwrap()
    }

    #[test]
    fn each_store_has_its_own_and_all_of_them_a_bound() {
        let documents = Documents::new(64 << 10);
        let (one, other) = (documents.shelf(), documents.shelf());
        one.keep(&id("c"), b"one".to_vec(), || true);
        assert_eq!((one.get(&id("c")).unwrap(), other.get(&id("c"))), ("one".into(), None));
        other.keep(&id("c"), b"other".to_vec(), || true);
        other.forget([&b"c"[..]].into_iter());
        assert_eq!((one.get(&id("c")).unwrap(), other.get(&id("c"))), ("one".into(), None));
        one.keep(&id("d"), b"late".to_vec(), || false);
        assert_eq!(one.get(&id("d")), None);
        for n in 0..1000 {
            one.keep(&id(&n.to_string()), vec![0; 1000], || true);
        }
        let kept = documents.kept.unwrap();
        assert!((32..=64 << 10).contains(&kept.weight()), "{}", kept.weight());
        assert!((10..=60).contains(&kept.len()), "{}", kept.len());
    }
}
