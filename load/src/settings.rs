//! What a run is told: flags, the environment, or a struct that a test fills in.

use crate::scale::Scale;
use std::path::PathBuf;
use std::time::Duration;

/// Where command-svc listens unless told otherwise.
pub const COMMAND: &str = "http://127.0.0.1:8090";
/// Where query-svc listens unless told otherwise.
pub const QUERY: &str = "http://127.0.0.1:8095";

/// Sends TPC-H customers and orders through the command service, then checks on the query service
/// that every customer has exactly its orders.
///
/// Exits with 0 (PASS) if so; with 1 if something differs or the run could not be finished, and
/// says what; with 2 if the flags are wrong. A second run sends the same commands with the same
/// request ids and so has no further effect.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "tandem-load", version)]
pub struct Settings {
    /// The command service.
    #[arg(long, value_name = "URL", env = "TANDEM_LOAD_COMMAND", default_value = COMMAND)]
    pub command: String,

    /// The query service; any instance will do. Of several, with commas between them, one that can't
    /// be reached is passed over.
    #[arg(
        long, value_name = "URL", env = "TANDEM_LOAD_QUERY", default_value = QUERY,
        value_delimiter = ','
    )]
    pub query: Vec<String>,

    /// Ask the instance that has a customer, where several announce themselves, instead of having
    /// queries passed on. One that can't be reached where it says it is, is left out.
    #[arg(
        long, value_name = "BOOL", env = "TANDEM_LOAD_ROUTE_DIRECTLY", default_value_t = true,
        action = clap::ArgAction::Set
    )]
    pub route_directly: bool,

    /// TPC-H scale factor, 0.0001 to 10: 150,000 customers and 1,500,000 orders at 1. The check
    /// holds the tables in memory, about 0.5 GB at 1.
    #[arg(
        long, value_name = "FACTOR", env = "TANDEM_LOAD_SCALE", default_value_t = Scale::default()
    )]
    pub scale: Scale,

    /// How many commands (later: queries) are under way at once, at most. All share one
    /// connection, where many servers take no more than 200 at once and let the rest wait.
    #[arg(
        long, value_name = "N", env = "TANDEM_LOAD_CONCURRENCY", default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    pub concurrency: u16,

    /// Send this many commands a second instead of as many as are answered. Latency then counts
    /// from when a command was due, so that a service that stalls can't hide it.
    #[arg(long, value_name = "PER-SECOND", env = "TANDEM_LOAD_RATE", value_parser = rate)]
    pub rate: Option<f64>,

    /// Measure one in this many commands until the view shows it.
    #[arg(
        long, value_name = "N", env = "TANDEM_LOAD_SAMPLE", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub sample: u32,

    /// Where acknowledged commands are noted. A new run begins the file anew.
    #[arg(
        long,
        value_name = "PATH",
        env = "TANDEM_LOAD_JOURNAL",
        default_value = "tandem-load.journal"
    )]
    pub journal: PathBuf,

    /// Send nothing: check that what the journal says was acknowledged is there, for use after a
    /// crash. Commands that were under way at the crash may have had their effect or not.
    #[arg(long)]
    pub check: bool,

    /// How many seconds to go on trying when no request succeeds at all.
    #[arg(
        long, value_name = "SECONDS", env = "TANDEM_LOAD_PATIENCE", default_value = "30",
        value_parser = seconds
    )]
    pub patience: Duration,

    /// No progress bar. There is none anyway where standard error is no terminal.
    #[arg(long, short)]
    pub quiet: bool,

    /// Print the result as one line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// What the command line gives when it says nothing; the environment is not looked at.
impl Default for Settings {
    fn default() -> Self {
        Self {
            command: COMMAND.to_owned(),
            query: vec![QUERY.to_owned()],
            route_directly: true,
            scale: Scale::default(),
            concurrency: 64,
            rate: None,
            sample: 10,
            journal: PathBuf::from("tandem-load.journal"),
            check: false,
            patience: Duration::from_secs(30),
            quiet: false,
            json: false,
        }
    }
}

fn rate(text: &str) -> Result<f64, &'static str> {
    let rate = text.parse().unwrap_or(0.0);
    if (0.001..=1e6).contains(&rate) { Ok(rate) } else { Err("must be from 0.001 to 1000000") }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().unwrap_or(0.0);
    if (0.001..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("must be from 0.001 to 86400")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_default_is_what_an_empty_command_line_gives() {
        Settings::command().debug_assert();
        let parsed = Settings::try_parse_from(["tandem-load"]).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Settings::default()));
    }

    #[test]
    fn nonsense_is_refused() {
        for flag in ["--scale=0", "--concurrency=0", "--rate=-1", "--sample=0", "--patience=no"] {
            assert!(Settings::try_parse_from(["tandem-load", flag]).is_err(), "{flag}");
        }
    }
}
