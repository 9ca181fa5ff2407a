//! The `tandem-load` command line.

use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;
use tandem_load::{Outcome, Settings, Watch};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> std::io::Result<ExitCode> {
    let settings = Settings::parse();
    let watch = if settings.quiet { Watch::default() } else { Watch::with_bars() };
    stop_on_signals(watch.stop.clone())?;
    let outcome = tandem_load::run(&settings, &watch).await;
    print(&outcome, settings.json)?;
    Ok(ExitCode::from(outcome.exit_code()))
}

/// Lets Ctrl-C and a polite kill end the run with a report of what was done until then.
fn stop_on_signals(stop: CancellationToken) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}

fn print(outcome: &Outcome, as_json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if as_json { writeln!(out, "{}", outcome.json()) } else { write!(out, "{outcome}") }
}
