//! The binary `processor`: parse, start, announce, wait, stop, exit code.
//!
//! It lies here and not beside the processor's library, which must know no gRPC: what makes a
//! library into a process (settings, log lines, signals) is in `tandem-service`, which does.

use std::{io::Write, process::ExitCode};
use tandem_query_svc::process::{ProcessorFlags, processor_announcement, start_processor};
use tandem_service::{
    settings::{self, Effective},
    shutdown, telemetry,
};
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let (flags, effective) = match settings::load::<ProcessorFlags>() {
        Ok(loaded) => loaded,
        Err(e) => e.exit(),
    };
    match run(&flags, &effective) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "processor: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &ProcessorFlags, effective: &Effective) -> Result<(), Box<dyn std::error::Error>> {
    telemetry::init(&flags.folding.telemetry)?;
    tracing::debug!(%effective, "settings");
    let fold = tandem_processor::fold_runtime(flags.folding.view.shards.shards)?;
    let main = Builder::new_multi_thread().enable_all().build()?;
    let ended = main.block_on(async {
        let shutdown = shutdown::on_signal()?;
        let running = start_processor(flags, fold.handle().clone())?;
        // Whoever started this may have stopped reading; that is no reason to stop folding.
        let _ = std::io::stdout().write_all(processor_announcement(flags).as_bytes());
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
