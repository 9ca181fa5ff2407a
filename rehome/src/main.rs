//! The `tandem-rehome` command line: re-publishes rejected records to their right place, once each.

mod publish;
mod rejects;
mod scan;
mod settings;

use clap::Parser as _;
use settings::Settings;
use std::{error::Error, io::Write as _, process::ExitCode};

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    match run(&settings).await {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tandem-rehome: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &Settings) -> Result<ExitCode, Box<dyn Error>> {
    let faults = settings.faults();
    if !faults.is_empty() {
        return Err(faults.join("\n  ").into());
    }
    let log = settings.log.open()?.ok_or("say where the log is: --log kafka://HOST:PORT,...")?;
    let codec = settings.codec()?.ok_or("say where the schemas are: --registry URL")?;
    let rejects = rejects::list(&settings.query).await?;
    let outcome = publish::rehome(&log, &codec, &rejects, settings.dry_run).await?;
    write!(std::io::stdout(), "{outcome}")?;
    Ok(if outcome.left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
