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
/// 3. publish the position, which wakes those who wait for it.
///
/// A crash before 2 has changed nothing; after 2 the shard goes on behind the batch. Gives the
/// state committed.
///
/// # Errors
/// [`StoreError`] when the write failed: nothing is visible, and the shard must stop.
pub(crate) fn commit(store: &Store, life: &Life, staged: Staged) -> Result<Arc<State>, StoreError> {
    let Staged { changes, state } = staged;

    // 1. Gather; if anybody watches, whose rows they are too.
    let watched = !life.watchers().is_empty();
    let mut touched = Vec::new();
    let mut batch = WriteBatch::default();
    for (family, rows) in changes.sorted() {
        let is_watched = watched && family == Family::View;
        let family = store.family(family)?;
        for (key, row) in rows {
            if is_watched && let Some((customer, _)) = keys::split(&key) {
                touched.push(customer.to_vec());
            }
            match row {
                Some(row) => batch.put_cf(family, key, row),
                None => batch.delete_cf(family, key),
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

    // 3. Publish.
    let state = Arc::new(state);
    life.update(|p| p.folded = Some(state.clone()));
    match watched {
        _ if planted(Bug::MissesChangesForWatchers) => {}
        true => life.watchers().changed(touched.iter().map(Vec::as_slice)),
        // Whoever began to watch since 1 may have read before 2, and whose rows these are was not
        // noted; whoever begins after this reads them.
        false => life.watchers().all_changed(),
    }
    store.disk().reaches(Step::Published)?;
    Ok(state)
}
