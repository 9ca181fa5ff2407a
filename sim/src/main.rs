//! The binary `tandem-sim`: runs the worlds of many seeds, or of one, and names those in which
//! something was wrong.

use clap::Parser;
use std::{
    io::Write,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};
use tandem_processor::simulation::Bug;
use tandem_sim::run;

/// Runs simulated worlds of many instances, each from a seed.
#[derive(Debug, Parser)]
#[command(name = "tandem-sim", version)]
struct Flags {
    /// How many seeds to run.
    #[arg(long, value_name = "N", default_value_t = 100)]
    seeds: u64,
    /// The first one.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    from: u64,
    /// Runs this seed alone, twice, and compares; TANDEM_SIM_TRACE=1 shows what happens in it.
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Plants this bug, by its name in the code.
    #[arg(long, value_name = "BUG")]
    bug: Option<String>,
    /// How many run at a time.
    #[arg(long, value_name = "N", default_value_t = threads())]
    threads: usize,
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let bug = flags.bug.as_deref().map(|name| (name, named(name)));
    let failed = match (bug, flags.seed) {
        (Some((name, None)), _) => Err(format!("there is no bug {name}; there are {:?}", Bug::ALL)),
        (Some((_, bug)), Some(seed)) => one(seed, bug),
        (None, Some(seed)) => one(seed, None),
        (bug, None) => many(&flags, bug.and_then(|(_, bug)| bug)),
    };
    match failed {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "tandem-sim: {why}");
            ExitCode::FAILURE
        }
    }
}

fn named(name: &str) -> Option<Bug> {
    Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == name)
}

fn one(seed: u64, bug: Option<Bug>) -> Result<(), String> {
    let once = || run(seed, bug).map_err(|e| e.to_string());
    let (first, second) = (once()?, once()?);
    say(&format!("seed {seed}: {first:?}"));
    match first.finding {
        _ if first != second => Err(format!("the same seed gave another run: {second:?}")),
        Some(_) => Err("something was wrong".into()),
        None => Ok(()),
    }
}

fn many(flags: &Flags, bug: Option<Bug>) -> Result<(), String> {
    let (next, wrong) = (AtomicU64::new(flags.from), AtomicU64::new(0));
    let (records, answers) = (AtomicU64::new(0), AtomicU64::new(0));
    let end = flags.from.saturating_add(flags.seeds);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let finding = match run(seed, bug) {
                Ok(run) => {
                    records.fetch_add(run.records, Ordering::Relaxed);
                    answers.fetch_add(run.answers, Ordering::Relaxed);
                    run.finding
                }
                Err(e) => Some(e.to_string()),
            };
            if let Some(what) = finding {
                wrong.fetch_add(1, Ordering::Relaxed);
                say(&format!("seed {seed}: {what}\n  again: tandem-sim --seed {seed}"));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..flags.threads {
            scope.spawn(work);
        }
    });
    let (records, answers) = (records.into_inner(), answers.into_inner());
    let wrong = wrong.into_inner();
    say(&format!("{records} records, {answers} questions in {} worlds", flags.seeds));
    say(&format!("{} passed, {wrong} failed", flags.seeds - wrong));
    match wrong {
        0 => Ok(()),
        _ => Err("something was wrong".into()),
    }
}

/// Whoever reads this may have gone; the exit code says it too.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
