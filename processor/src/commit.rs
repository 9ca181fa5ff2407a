//! The one place where a shard's store changes.

use rocksdb::WriteBatch;
use std::sync::Arc;

use crate::{
    StoreError,
    apply::Staged,
    keys,
    shard::Life,
    simulation::{Bug, Step, planted},
    state::State,
    store::{Family, Store},
};

/// Commits what is staged:
///
/// 1. gather the changed rows into one batch;
/// 2. write it together with the position it leads to: all of it or nothing, and from here on
///    visible;
/// 3. take away the documents that were made of these rows;
/// 4. publish the position, which wakes those who wait for it.
///
/// 3 is between the two others so that nobody finds a document that the position they know of made
/// wrong; see [`crate::documents`].
///
/// A crash before 2 has changed nothing; after 2 the shard goes on behind the batch. Gives the
/// state committed.
///
/// # Errors
/// [`StoreError`] when the write failed: nothing is visible, and the shard must stop.
pub(crate) fn commit(store: &Store, life: &Life, staged: Staged) -> Result<Arc<State>, StoreError> {
    let Staged { changes, state } = staged;

    // 1. Gather, and note whose rows they are.
    let mut touched = Vec::new();
    let mut batch = WriteBatch::default();
    for (family, rows) in changes.sorted() {
        let is_view = family == Family::View;
        let family = store.family(family)?;
        for (key, row) in rows {
            match row {
                Some(row) => batch.put_cf(family, &key, row),
                None => batch.delete_cf(family, &key),
            }
            if is_view {
                touched.push(key);
            }
        }
    }

    store.disk().reaches(Step::Gathered)?;

    // 2. Write.
    if planted(Bug::WritesRowsBeforeTheirPosition) {
        let before = store.state()?.unwrap_or_else(|| state.clone());
        store.write(batch, &before)?;
        store.flush()?;
        batch = WriteBatch::default();
        store.disk().reaches(Step::Written)?;
    }
    match planted(Bug::SkipsThePosition) {
        true => store.write(batch, &store.state()?.unwrap_or_else(|| state.clone()))?,
        false => store.write(batch, &state)?,
    }
    store.disk().reaches(Step::Written)?;

    // 3. Take away.
    let touched = || touched.iter().filter_map(|key| keys::split(key)).map(|(of, _)| of);
    store.documents().forget(touched());

    // 4. Publish.
    let state = Arc::new(state);
    life.update(|p| {
        p.folded = Some(state.clone());
        p.write = store.writes();
    });
    // Whoever begins to watch after this reads what is published.
    if !planted(Bug::MissesChangesForWatchers) {
        life.watchers().changed(touched());
    }
    store.disk().reaches(Step::Published)?;
    Ok(state)
}
