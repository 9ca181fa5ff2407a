//! `tandem-load`: sends tables that anyone can make again through the command service, and checks
//! on the query service that nothing was lost, doubled, changed or answered too old.
//!
//! [`run`] does what the command line asks; [`load`] and [`check`](check::check) are its halves.
//! Nothing in here ends the process or writes to standard output.

pub mod check;
mod clients;
pub mod compare;
mod fault;
mod journal;
mod latency;
mod load;
mod pace;
mod patience;
mod probe;
pub mod report;
pub mod requests;
mod scale;
mod settings;
pub mod tpch;
mod watch;

pub use check::{Against, CheckReport, check};
pub use fault::Fault;
pub use latency::Latency;
pub use load::{LoadReport, load};
pub use probe::Visible;
pub use report::Outcome;
pub use scale::{NotAScale, Scale};
pub use settings::{COMMAND, QUERY, Settings};
pub use watch::Watch;

/// Loads and then checks against the tables; or, if so set, only checks against the journal.
pub async fn run(settings: &Settings, watch: &Watch) -> Outcome {
    let mut outcome = Outcome { load: None, check: None, fault: None };
    let against = if settings.check {
        Ok(Against::Journal)
    } else {
        send(settings, watch, &mut outcome).await
    };
    let checked = match against {
        Ok(against) => check(settings, watch, against).await,
        Err(fault) => Err(fault),
    };
    match checked {
        Ok(report) => outcome.check = Some(report),
        Err(fault) => outcome.fault = Some(fault),
    }
    outcome
}

async fn send(settings: &Settings, watch: &Watch, to: &mut Outcome) -> Result<Against, Fault> {
    let mut report = load(settings, watch).await?;
    let stopped = report.stopped.take();
    let position = report.position.clone();
    to.load = Some(report);
    stopped.map_or(Ok(Against::Tables { position }), Err)
}
