//! Many instances on the embedded log in one process, in simulated time, with a seed for every
//! choice: what is written and asked, who joins and leaves and dies, at which step of a commit,
//! which lines are cut, what is slow and what is late.
//!
//! A world has a [`writer`], some [`reader`]s and [`watcher`]s, and [`chaos`]. Whatever is
//! answered is held against the plain fold ([`ledger`]) of exactly those records that it says it
//! was made from; at the end everything has to come to [`rest`], all copies alike. The instances
//! are real ones, on their real stores, whose disks lie in memory and lose what was not flushed
//! when their power is cut ([`node`], [`node_log`], [`net`]).
//!
//! The same seed gives the same run: time stands still while anything is to be done, nothing
//! runs on another thread, and tokio's own choices follow the seed.

mod chaos;
mod ledger;
mod lists;
mod net;
mod node;
mod node_log;
mod reader;
mod rest;
mod watcher;
mod wire;
mod world;
mod writer;

use std::{rc::Rc, time::Duration};
use tandem_processor::simulation::{self, Bug};
use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
};

use world::World;

const READERS: u32 = 3;
const WATCHERS: u32 = 3;

/// How long things happen in a world.
const LASTS: Duration = Duration::from_secs(24);

/// What a seed's world was like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What was found to be wrong, and when in the world's time.
    pub finding: Option<String>,
    /// Says whether two runs were the same.
    pub digest: u64,
    /// How many records were written.
    pub records: u64,
    /// How many questions were asked.
    pub answers: u64,
}

/// Runs the world of `seed`, with a bug planted in it or with none.
///
/// # Errors
/// The system's, when there is no memory or no thread to be had for it.
pub fn run(seed: u64, bug: Option<Bug>) -> Result<Run, Box<dyn std::error::Error>> {
    simulation::plant(bug);
    let runtime = runtime(seed)?;
    let local = LocalSet::new();
    let world = local.block_on(&runtime, World::new(seed))?;
    local.block_on(&runtime, live(world.clone()));
    let records = (0..ledger::SHARDS).flat_map(|s| world.ledger.borrow().ends(s)).sum();
    let run = Run {
        finding: world.finding(),
        digest: world.digest(),
        records,
        answers: world.answers.get(),
    };
    simulation::plant(None);
    Ok(run)
}

/// A runtime on this thread, whose time stands still while anything is to be done.
fn runtime(seed: u64) -> std::io::Result<Runtime> {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    // The project's cargo configuration sets this; without it a seed may give another run.
    #[cfg(tokio_unstable)]
    builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()));
    #[cfg(not(tokio_unstable))]
    let _ = seed;
    builder.build()
}

async fn live(world: Rc<World>) {
    let spawn = |actor| drop(tokio::task::spawn_local(actor));
    let actors: [std::pin::Pin<Box<dyn Future<Output = ()>>>; 2] =
        [Box::pin(writer::write(world.clone())), Box::pin(world.clone().look())];
    actors.into_iter().for_each(spawn);
    for nth in 0..READERS {
        tokio::task::spawn_local(reader::read(world.clone(), nth));
    }
    let watchers: Vec<_> = (0..WATCHERS)
        .map(|nth| tokio::task::spawn_local(watcher::watch(world.clone(), nth)))
        .collect();
    let all = async {
        chaos::reign(world.clone(), LASTS).await;
        if let Err(what) = rest::check(&world).await {
            world.found(what);
        }
        for watcher in watchers {
            if let Err(e) = watcher.await {
                world.found(format!("a watcher ended badly: {e}"));
            }
        }
    };
    world.over.run_until_cancelled(all).await;
}
