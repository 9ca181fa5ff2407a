//! Measures what Tandem costs, on the real binary from outside: its CPU time and its peak memory
//! as the system counts them. Prints a JSON line a figure; judges nothing.

mod fill;
mod fold;
mod ground;
mod http;
mod instances;
mod latency;
mod process;
mod reads;

use clap::{Parser, ValueEnum};
use ground::{Ground, LogKind};
use std::{error::Error, io::Write, path::PathBuf};

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// Filling a log, folding it, starting again, and reading.
    Fold,
    /// From command to visible.
    Latency,
    /// Reading from several instances.
    Instances,
    /// Reading over plain HTTP, by wrk, which has to be there.
    Http,
}

/// Benchmarks of the `tandem` binary beside this one.
#[derive(Debug, Clone, Parser)]
#[command(name = "tandem-bench")]
pub(crate) struct Settings {
    /// The log: embedded, or a Kafka broker that is started for the benchmark.
    #[arg(long, value_enum, default_value_t = LogKind::Embedded)]
    log: LogKind,
    /// TPC-H scale of the fold: 1 is 150,000 customers and 1,500,000 orders.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// How many shards.
    #[arg(long, default_value_t = 4)]
    shards: u32,
    /// Connections of the read benchmark.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// How long the read benchmark runs, seconds.
    #[arg(long, default_value_t = 10)]
    read_seconds: u64,
    /// Commands per second of the latency benchmark.
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
    /// Measure only this.
    #[arg(long, value_enum)]
    only: Option<Bench>,
    /// Where to keep the data; a temporary folder, removed at the end, unless given.
    #[arg(long)]
    dir: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&settings))
}

async fn run(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let dir = settings.dir.clone().unwrap_or_else(|| scratch.path().to_owned());

    let measures = |bench| settings.only.is_none_or(|only| only == bench);
    if measures(Bench::Fold) {
        let ground = Ground::new(dir.join("fold"), settings.log).await?;
        let filled = fill::fill(&ground, settings).await?;
        say(&filled.line)?;
        let (tandem, line) = fold::fold(&ground, settings, &filled).await?;
        say(&line)?;
        tandem.stop().await?;
        let (tandem, line) = fold::restart(&ground, settings, &filled).await?;
        say(&line)?;
        say(&reads::reads(&tandem, settings).await?)?;
        tandem.stop().await?;
    }
    if measures(Bench::Latency) {
        let ground = Ground::new(dir.join("latency"), settings.log).await?;
        say(&latency::latency(&ground, settings).await?)?;
    }
    if measures(Bench::Instances) {
        let ground = Ground::new(dir.join("instances"), settings.log).await?;
        instances::instances(&ground, settings).await?;
    }
    // Only when it is asked for: it needs a program of somebody else's.
    if settings.only == Some(Bench::Http) {
        let ground = Ground::new(dir.join("http"), settings.log).await?;
        http::http(&ground, settings).await?;
    }
    Ok(())
}

fn say(line: &serde_json::Value) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
