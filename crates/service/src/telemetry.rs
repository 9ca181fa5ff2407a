//! Where the log lines of a process go: to standard error, filtered and formatted by settings.

use clap::{Args, ValueEnum};
use std::{
    io::IsTerminal as _,
    sync::Mutex,
    time::{Duration, Instant},
};
use tracing_subscriber::{EnvFilter, filter::ParseError, util::TryInitError};

/// What is logged when nothing is set.
const DEFAULT_FILTER: &str = "info";

/// Settings of the log lines, to be flattened into a process's own.
#[derive(Debug, Clone, Args)]
pub struct Telemetry {
    /// What to log: a level, or `target=level` pairs. `RUST_LOG` counts if this is not set.
    #[arg(long, env = "TANDEM_LOG_FILTER", value_name = "FILTER")]
    pub log_filter: Option<String>,
    /// How log lines look.
    #[arg(long, env = "TANDEM_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The log can't be set up. The operator has to mend the setting.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error(
        "--log-filter {filter:?} is no filter: {source}; try `info` or `info,tandem_processor=debug`"
    )]
    Filter {
        /// What was set.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// Something set up a log already in this process.
    #[error("the log was set up twice: {0}")]
    Twice(#[from] TryInitError),
}

/// Sets up the process's log, once.
///
/// # Errors
/// [`TelemetryError`], for the operator.
pub fn init(settings: &Telemetry) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt as _;
    let filter = filter(settings.log_filter.clone().or_else(|| std::env::var("RUST_LOG").ok()))?;
    // Colours are for people who look on, not for files and collectors.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours);
    match settings.log_format {
        LogFormat::Text => lines.finish().try_init()?,
        LogFormat::Json => lines.json().finish().try_init()?,
    }
    Ok(())
}

fn filter(text: Option<String>) -> Result<EnvFilter, TelemetryError> {
    // An empty variable means "not set", as it does for everything else that reads RUST_LOG.
    let filter = text.filter(|t| !t.trim().is_empty()).unwrap_or_else(|| DEFAULT_FILTER.into());
    EnvFilter::try_new(&filter).map_err(|source| TelemetryError::Filter { filter, source })
}

/// Lets one log line pass in a while. For lines that an outage would write once per call: the
/// operator needs the first, and a count of the rest, not a full disk.
#[derive(Debug)]
pub struct Throttle {
    every: Duration,
    state: Mutex<(Option<Instant>, u64)>,
}

impl Throttle {
    /// One line in each `every`.
    #[must_use]
    pub fn new(every: Duration) -> Self {
        Self { every, state: Mutex::new((None, 0)) }
    }

    /// Whether a line may be written now: if so, how many were kept back since the last one.
    pub fn pass(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (last, kept_back) = &mut *state;
        if last.is_some_and(|at| at.elapsed() < self.every) {
            *kept_back += 1;
            return None;
        }
        *last = Some(Instant::now());
        Some(std::mem::take(kept_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_counts_what_it_keeps_back() {
        let throttle = Throttle::new(Duration::from_millis(100));
        assert_eq!(throttle.pass(), Some(0));
        assert_eq!((throttle.pass(), throttle.pass()), (None, None));
        std::thread::sleep(Duration::from_millis(110));
        assert_eq!(throttle.pass(), Some(2));
    }

    #[test]
    fn filters() {
        assert_eq!(filter(None).unwrap().to_string(), "info");
        assert_eq!(filter(Some(" ".into())).unwrap().to_string(), "info");
        assert_eq!(filter(Some("tandem=debug".into())).unwrap().to_string(), "tandem=debug");
        let text = filter(Some("a=b=c".into())).unwrap_err().to_string();
        assert!(text.starts_with("--log-filter \"a=b=c\" is no filter"), "{text}");
    }
}
