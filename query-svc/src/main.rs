//! The binary: parse, start, announce, wait, drain, exit code. What it starts is in the library.

use std::{io::Write, process::ExitCode};
use tandem_query_svc::process::{Flags, announcement, check_health, serve};
use tandem_service::{
    settings::{self, Effective},
    shutdown, telemetry,
};
use tokio::runtime::Builder;

/// Answers are made of many small texts, and freeing them is a large part of what glibc costs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (flags, effective) = match settings::load::<Flags>() {
        Ok(loaded) => loaded,
        Err(e) => e.exit(),
    };
    match run(&flags, &effective) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "query-svc: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags, effective: &Effective) -> Result<(), Box<dyn std::error::Error>> {
    let main = Builder::new_multi_thread().enable_all().build()?;
    if flags.probe.check_health {
        return Ok(main.block_on(check_health(flags))?);
    }
    telemetry::init(&flags.folding.telemetry)?;
    tracing::debug!(%effective, "settings");
    let fold = tandem_processor::fold_runtime(flags.folding.view.shards.shards)?;
    let ended = main.block_on(async {
        let shutdown = shutdown::on_signal()?;
        let running = serve(flags, fold.handle().clone(), shutdown).await?;
        // Whoever started this may have stopped reading; that is no reason to stop serving.
        let _ = std::io::stdout().write_all(announcement(&running).as_bytes());
        running.drained().await;
        Ok(())
    });
    // What still waits for an answer of the log, on a thread that can't be told to stop, waits
    // for nobody.
    fold.shutdown_background();
    main.shutdown_background();
    ended
}
