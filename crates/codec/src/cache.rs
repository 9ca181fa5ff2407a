//! The schemas that have been learned, so that no record has to wait for the registry twice.

use crate::writer::Writer;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// How many schemas are kept. A topic has a handful of writer schemas at a time; a bound is
/// needed only against somebody who registers without end.
const MAX_LEARNED: usize = 1024;

/// How long the registry's "no such schema" is believed. Long enough that a run of such records
/// costs one question, short enough that a schema restored by an operator is found: so long after
/// it is there, nobody takes it for missing any more.
pub const ABSENT_FOR: Duration = Duration::from_secs(2);

/// Schemas by id. A registry never gives an id a second meaning, so nothing here grows old, and
/// an outage of the registry touches only what has not been seen before.
#[derive(Default)]
pub(crate) struct Cache {
    learned: RwLock<HashMap<u32, Arc<Writer>>>,
    absent: RwLock<HashMap<u32, Instant>>,
}

impl Cache {
    pub(crate) fn get(&self, id: u32) -> Option<Arc<Writer>> {
        self.learned.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// When full, all that is not ours is dropped and learned again when it is met again.
    pub(crate) fn put(&self, id: u32, writer: Writer) -> Arc<Writer> {
        let writer = Arc::new(writer);
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        if learned.len() >= MAX_LEARNED {
            learned.retain(|_, writer| matches!(**writer, Writer::Ours(_)));
        }
        // Only a thousand equal copies of our own schemas could still fill it.
        if learned.len() >= MAX_LEARNED {
            learned.clear();
        }
        learned.insert(id, Arc::clone(&writer));
        writer
    }

    pub(crate) fn is_absent(&self, id: u32) -> bool {
        let absent = self.absent.read().unwrap_or_else(PoisonError::into_inner);
        absent.get(&id).is_some_and(|since| since.elapsed() < ABSENT_FOR)
    }

    pub(crate) fn put_absent(&self, id: u32) {
        let mut absent = self.absent.write().unwrap_or_else(PoisonError::into_inner);
        if absent.len() >= MAX_LEARNED {
            absent.clear();
        }
        absent.insert(id, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    #[test]
    fn is_bounded_and_keeps_ours() {
        let cache = Cache::default();
        cache.put(0, Writer::Ours(Kind::GreetingSent));
        for id in 1..3000 {
            cache.put(id, Writer::Unusable(String::new()));
            cache.put_absent(id);
            assert!(cache.learned.read().unwrap().len() <= MAX_LEARNED);
            assert!(cache.absent.read().unwrap().len() <= MAX_LEARNED);
        }
        assert!(cache.get(0).is_some() && cache.get(2999).is_some() && cache.get(1).is_none());
        assert!(cache.is_absent(2999) && !cache.is_absent(1));
    }
}
