//! Documents made of a customer's rows, kept until one of these rows changes. What stands in them is
//! known to those who have them made.
//!
//! A document is given out again only when it is what would be made now:
//!
//! - It is kept only if it was made from a snapshot of the last write, and if no other write has begun
//!   when it is put down: [`Shelf::keep`](crate::shelf::Shelf::keep) looks while it holds the gate.
//! - A commit says that its write begins before it writes, then takes away, through the same gate, what
//!   was made of the rows it changed, and only then publishes. So whoever knows of a commit finds
//!   nothing that it made wrong.
//! - Whoever finds a document looks afterwards whether a write has begun since the commit that it knows
//!   of. If so it could be of a later one, and is not used.

use bytes::Bytes;
use tandem_domain::CustomerId;
use tandem_eventlog::Partition;
use tokio::time::Instant;

use crate::{Need, Reads, Stamp, StoreError, Unserved, View, reads::Fresh};

/// A document that was just made.
pub struct Made {
    /// Its bytes.
    pub body: Vec<u8>,
    /// Whether it is all that there is to say of the customer, so that it may be kept.
    pub is_whole: bool,
}

impl Reads {
    /// A document of a customer, as fresh as `need` says: the one that is kept, or what `make` makes of
    /// the rows. There is one for each customer, so that everybody has to make the same.
    ///
    /// # Errors
    /// Those of [`Reads::read`].
    pub async fn document(
        &self,
        shard: Partition,
        id: &CustomerId,
        need: &Need,
        deadline: Instant,
        make: impl FnOnce(&View<'_>) -> Result<Made, StoreError>,
    ) -> Result<(Bytes, Stamp), Unserved> {
        let fresh = self.fresh(shard, need, deadline).await?;
        if let Some(kept) = fresh.kept(id) {
            return Ok((kept, fresh.stamp(shard, &fresh.folded)));
        }
        let (view, stamp, is_last) = fresh.snapshot(shard)?;
        let Made { body, is_whole } = make(&view)?;
        let body = match is_last && is_whole {
            true => fresh.store.documents().keep(id, body, || fresh.is_last()),
            false => body.into(),
        };
        Ok((body, stamp))
    }
}

impl Fresh {
    /// The document of a customer that is kept, if it is sure to be of that commit.
    fn kept(&self, id: &CustomerId) -> Option<Bytes> {
        // In this order: the other way round it could be of a write that began in between.
        let kept = self.store.documents().get(id)?;
        self.is_last().then_some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        apply::Staged,
        commit::commit,
        keys,
        shard::{Life, ShardState},
        simulation::Disk,
        state::State,
        store::{Family, Memory, Store},
    };
    use std::sync::Arc;
    use tandem_eventlog::{Bounds, Offset, TopicId};
    use tokio::sync::watch;

    const SHARD: Partition = Partition(0);

    fn id(id: &str) -> CustomerId {
        CustomerId::new(id).unwrap()
    }

    /// A shard that serves, changed by hand.
    struct Ground {
        store: Arc<Store>,
        life: Life,
        reads: Reads,
        _dir: tempfile::TempDir,
    }

    impl Ground {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let memory = Memory::new(1 << 20, 1 << 20, 1 << 20, Disk::default());
            let store = Arc::new(Store::open(dir.path(), &memory).unwrap());
            let (life, seen) = Life::begin(Arc::default());
            let held = watch::channel([(SHARD, seen)].into()).1;
            let reads = Reads::new(1, Arc::new(vec![].into()), held, watch::channel(0).1);
            let ground = Self { store, life, reads, _dir: dir };
            ground.life.become_(ShardState::Restoring, |_| {});
            ground.change("nobody");
            ground.life.become_(ShardState::Serving, |p| {
                p.readable = Some(ground.store.clone());
                p.caught_up = Some(Instant::now());
            });
            ground
        }

        /// Commits a change of that customer's row.
        fn change(&self, of: &str) {
            let start = Bounds { topic_id: TopicId("t".into()), start: Offset(0), end: Offset(0) };
            let state = State::fresh(SHARD, 1, &[start.clone(), start.clone(), start]);
            let mut staged = Staged::new(state);
            staged.changes.insert(Family::View, keys::customer(&id(of)), Some(vec![1]));
            commit(&self.store, &self.life, staged).unwrap();
        }

        async fn fresh(&self) -> Fresh {
            self.reads.fresh(SHARD, &Need::default(), Instant::now()).await.unwrap()
        }

        /// Asks for a document while something happens; gives whether it was made.
        async fn asks(&self, of: &str, meanwhile: impl Fn()) -> bool {
            let (id, need, mut was_made) = (id(of), Need::default(), false);
            let made = self.reads.document(SHARD, &id, &need, Instant::now(), |_| {
                was_made = true;
                meanwhile();
                Ok(Made { body: b"made".to_vec(), is_whole: true })
            });
            assert_eq!(&*made.await.unwrap().0, b"made");
            was_made
        }
    }

    #[tokio::test]
    async fn what_changed_while_it_was_made_is_not_kept() {
        let ground = Ground::new();
        assert!(ground.asks("c", || ground.change("c")).await);
        assert!(ground.asks("c", || ground.change("other")).await);
        assert!(ground.asks("c", || {}).await);
        assert!(!ground.asks("c", || {}).await);
        ground.change("other");
        assert!(!ground.asks("c", || {}).await);
        ground.change("c");
        assert!(ground.asks("c", || {}).await);
    }

    #[tokio::test]
    async fn one_of_a_later_write_is_not_used() {
        let ground = Ground::new();
        let early = ground.fresh().await;
        ground.change("c");
        assert!(ground.asks("c", || {}).await);
        assert_eq!(ground.fresh().await.kept(&id("c")).unwrap(), "made");
        assert_eq!(early.kept(&id("c")), None, "its position would be of before the change");
    }
}
