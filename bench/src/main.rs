//! Measures what Tandem costs, on the real binary from outside: its CPU time and its peak memory
//! as the system counts them. Prints a JSON line a figure; judges nothing.

mod fill;
mod fold;
mod ground;
mod latency;
mod process;
mod reads;

use clap::Parser;
use ground::{Ground, LogKind};
use std::{error::Error, io::Write, path::PathBuf};

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
    drop(ground);
    let ground = Ground::new(dir.join("latency"), settings.log).await?;
    say(&latency::latency(&ground, settings).await?)?;
    Ok(())
}

fn say(line: &serde_json::Value) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
