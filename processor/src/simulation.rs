//! What simulations need and a running system doesn't: disks in memory whose power can be cut, at
//! any step of a commit too, and bugs planted on purpose, to see that they are caught.
//!
//! Without the feature `simulation` disks are real and nothing is planted: what asks for it here
//! compiles to nothing.

/// The steps of a commit behind which a crash differs, see [`crate::commit`], and the flush that
/// follows many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The changed rows are in one batch.
    Gathered,
    /// They are written, with their position.
    Written,
    /// The position is known to those who wait for it.
    Published,
    /// What was committed is on the disk.
    Flushed,
}

/// A mistake that the simulation has to catch. Each is the one that its name says, made where a
/// person might make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // a name each, explained where it is planted
pub enum Bug {
    SkipsThePosition,
    WritesRowsBeforeTheirPosition,
    ForgetsEventIds,
    StartsAtTheEndOfTheLog,
    ServesWhileRestoring,
    ForgetsToDrain,
    IgnoresReceipts,
    ClaimsToBeFresh,
    MissesChangesForWatchers,
    KeepsInstancesThatAreGone,
    RoutesToItself,
    AsksNobodyElse,
    EndsListsTooEarly,
    RepeatsRowsOnTheNextPage,
    ForgetsWhatAWatcherSaw,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 15] = [
        Bug::SkipsThePosition,
        Bug::WritesRowsBeforeTheirPosition,
        Bug::ForgetsEventIds,
        Bug::StartsAtTheEndOfTheLog,
        Bug::ServesWhileRestoring,
        Bug::ForgetsToDrain,
        Bug::IgnoresReceipts,
        Bug::ClaimsToBeFresh,
        Bug::MissesChangesForWatchers,
        Bug::KeepsInstancesThatAreGone,
        Bug::RoutesToItself,
        Bug::AsksNobodyElse,
        Bug::EndsListsTooEarly,
        Bug::RepeatsRowsOnTheNextPage,
        Bug::ForgetsWhatAWatcherSaw,
    ];
}

pub use kind::*;

#[cfg(not(feature = "simulation"))]
mod kind {
    use super::{Bug, Step};
    use crate::StoreError;
    use std::path::Path;

    /// Where stores lie: in folders.
    #[derive(Debug, Clone, Default)]
    pub struct Disk;

    impl Disk {
        pub(crate) fn open(&self, dir: &Path) -> Result<rocksdb::Options, StoreError> {
            super::folder(dir)
        }

        pub(crate) fn remove(&self, dir: &Path) -> std::io::Result<bool> {
            super::remove_folder(dir)
        }

        pub(crate) const fn is_memory(&self) -> bool {
            false
        }

        #[allow(clippy::unnecessary_wraps)] // the other kind may fail
        pub(crate) const fn reaches(&self, _: Step) -> Result<(), StoreError> {
            Ok(())
        }

        pub(crate) const fn is_off(&self) -> bool {
            false
        }
    }

    /// Whether that bug is planted: never.
    #[must_use]
    pub const fn planted(_: Bug) -> bool {
        false
    }
}

#[cfg(feature = "simulation")]
mod kind {
    use super::{Bug, Step};
    use crate::StoreError;
    use rocksdb::{Env, Options};
    use std::{
        cell::Cell,
        collections::HashMap,
        path::{Path, PathBuf},
        sync::{Arc, Mutex, PoisonError},
    };
    use tokio_util::sync::CancellationToken;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Plants a bug, or none, for what runs on this thread.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }

    /// Whether that bug is planted on this thread.
    #[must_use]
    pub fn planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// Where stores lie: in folders, or in memory.
    #[derive(Debug, Clone, Default)]
    pub enum Disk {
        /// In folders.
        #[default]
        Folders,
        /// In memory.
        Memory(MemoryDisk),
    }

    /// A disk in memory, of a machine that may lose its power: what was not flushed is gone then.
    #[derive(Clone, Default)]
    pub struct MemoryDisk {
        stores: Arc<Mutex<HashMap<PathBuf, Env>>>,
        power: CancellationToken,
        crash: Arc<Mutex<Option<(Step, u32)>>>,
    }

    impl std::fmt::Debug for MemoryDisk {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("MemoryDisk").field("is_off", &self.power.is_cancelled()).finish()
        }
    }

    impl MemoryDisk {
        /// The same disk, in a machine that is switched on again.
        #[must_use]
        pub fn switched_on(&self) -> Self {
            Self { stores: self.stores.clone(), ..Self::default() }
        }

        /// Cancelled once the power is off.
        #[must_use]
        pub fn power(&self) -> &CancellationToken {
            &self.power
        }

        /// Cuts the power when `step` is reached for the `nth` time from now on, from 1.
        pub fn cut_at(&self, step: Step, nth: u32) {
            *self.crash.lock().unwrap_or_else(PoisonError::into_inner) = Some((step, nth));
        }
    }

    impl Disk {
        /// Options for a store in `dir`.
        pub(crate) fn open(&self, dir: &Path) -> Result<Options, StoreError> {
            let Disk::Memory(disk) = self else { return super::folder(dir) };
            let mut stores = disk.stores.lock().unwrap_or_else(PoisonError::into_inner);
            let env = match stores.get(dir) {
                Some(env) => env.clone(),
                None => stores.entry(dir.to_owned()).or_insert(Env::mem_env()?).clone(),
            };
            // A store that is closed would write out what it has; a power cut doesn't.
            let mut options =
                Options::default().get_options_from_string("avoid_flush_during_shutdown=true")?;
            options.set_env(&env);
            Ok(options)
        }

        pub(crate) fn remove(&self, dir: &Path) -> std::io::Result<bool> {
            match self {
                Disk::Folders => super::remove_folder(dir),
                Disk::Memory(disk) => {
                    let mut stores = disk.stores.lock().unwrap_or_else(PoisonError::into_inner);
                    Ok(stores.remove(dir).is_some())
                }
            }
        }

        /// Whether work on it takes no time, and has to be done in place so that a seed replays.
        pub(crate) fn is_memory(&self) -> bool {
            matches!(self, Disk::Memory(_))
        }

        /// A commit has come to that step.
        ///
        /// # Errors
        /// The power is cut: nothing may follow.
        pub(crate) fn reaches(&self, step: Step) -> Result<(), StoreError> {
            let Disk::Memory(disk) = self else { return Ok(()) };
            let mut crash = disk.crash.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, nth)) = &mut *crash
                && *at == step
            {
                *nth -= 1;
                if *nth == 0 {
                    *crash = None;
                    disk.power.cancel();
                }
            }
            match disk.power.is_cancelled() {
                true => Err(StoreError::Io("the power is cut".into())),
                false => Ok(()),
            }
        }

        pub(crate) fn is_off(&self) -> bool {
            matches!(self, Disk::Memory(disk) if disk.power.is_cancelled())
        }
    }
}

fn folder(dir: &std::path::Path) -> Result<rocksdb::Options, crate::StoreError> {
    std::fs::create_dir_all(dir)
        .map_err(|e| crate::StoreError::Io(format!("{}: {e}", dir.display())))?;
    Ok(rocksdb::Options::default())
}

fn remove_folder(dir: &std::path::Path) -> std::io::Result<bool> {
    match dir.exists() {
        true => std::fs::remove_dir_all(dir).map(|()| true),
        false => Ok(false),
    }
}
