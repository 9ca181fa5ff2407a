//! The binary: parse, start, announce, wait, drain, exit code. What it starts is in the library.

use std::{io::Write, process::ExitCode};
use tandem_processor::fold_runtime;
use tandem_service::{
    settings::{self, Effective},
    shutdown, telemetry,
};
use tandem_standalone::{Running, Settings, start, welcome};

/// Answers are made of many small texts, and freeing them is a large part of what glibc costs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (settings, effective) = match settings::load::<Settings>() {
        Ok(loaded) => loaded,
        Err(e) => e.exit(),
    };
    match run(settings, &effective) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "tandem: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: Settings, effective: &Effective) -> Result<(), Box<dyn std::error::Error>> {
    telemetry::init(&settings.telemetry)?;
    tracing::debug!(%effective, "settings");
    let fold = fold_runtime(settings.view.shards.shards)?;
    let main = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = main.block_on(async {
        let shutdown = shutdown::on_signal()?;
        let running: Running = tokio::select! {
            running = start(settings, fold.handle().clone()) => running?,
            () = shutdown.cancelled() => return Ok(()),
        };
        running.settled(&shutdown).await;
        // Whoever started this may have stopped reading; that is no reason to stop serving.
        let _ = std::io::stdout().write_all(welcome(running.addresses()).as_bytes());
        shutdown.cancelled().await;
        running.stop().await;
        Ok(())
    });
    // What still waits for an answer of the log, on a thread that can't be told to stop, waits
    // for nobody.
    fold.shutdown_background();
    main.shutdown_background();
    ended
}
