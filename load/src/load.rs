//! Sends the tables through the command service.

use crate::clients::{Commands, connect};
use crate::fault::Fault;
use crate::journal::Journal;
use crate::latency::{Latency, Samples};
use crate::pace::Pace;
use crate::probe::{FOLLOWED, Probe, Probes, Visible};
use crate::requests;
use crate::settings::Settings;
use crate::tpch::{Row, Tables};
use crate::watch::Watch;
use futures::{Stream, TryStreamExt as _};
use indicatif::ProgressBar;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tandem_client::Positions;
use tokio::sync::mpsc;

/// What was sent and how it went.
#[derive(Debug, serde::Serialize)]
pub struct LoadReport {
    /// Customers whose command was acknowledged.
    pub customers: u64,
    /// Orders whose command was acknowledged.
    pub orders: u64,
    /// Commands that were sent again, each time counted.
    pub retries: u64,
    /// From the first command to the last acknowledgement, in seconds.
    pub seconds: f64,
    /// Acknowledgements a second over that time.
    pub commands_per_second: f64,
    /// From the start of a command to its acknowledgement.
    pub command: Option<Latency>,
    /// From the start of a command to the answer that shows its row.
    pub visible: Visible,
    /// One receipt for all that was acknowledged; empty if nothing was.
    #[serde(skip)]
    pub position: String,
    /// Why it ended early, if it did.
    #[serde(skip)]
    pub stopped: Option<Fault>,
}

/// Sends every customer and every order once, in a mixed order, and notes in the journal what was
/// acknowledged.
///
/// # Errors
/// A [`Fault`] that let it not begin. One that ended it early is in [`LoadReport::stopped`].
pub async fn load(settings: &Settings, watch: &Watch) -> Result<LoadReport, Fault> {
    let tables = Tables::new(settings.scale);
    let client = connect(settings)?;
    let run = Run {
        commands: Commands::of(&client, settings),
        probes: Probes::of(&client, settings),
        bar: watch.bar("sending", tables.customer_count() + tables.order_count()),
        started: Instant::now(),
        tally: Mutex::new(Tally::new(Journal::start(&settings.journal, settings.scale)?)),
    };
    let (selected, queue) = mpsc::channel(FOLLOWED);
    let sent = run.send_all(paced(tables, settings.rate), settings.concurrency.into(), selected);
    let all = async { tokio::try_join!(sent, run.probes.follow_all(queue)) };
    let stopped = tokio::select! {
        ended = all => ended.err(),
        () = watch.stop.cancelled() => Some(Fault::Interrupted),
    };
    Ok(run.report(stopped))
}

struct Start {
    index: u64,
    row: Row,
    at: Instant,
}

fn paced(tables: Tables, rate: Option<f64>) -> impl Stream<Item = Result<Start, Fault>> + Send {
    let state = ((0..).zip(tables.rows()), Pace::new(rate));
    futures::stream::unfold(state, |(mut rows, mut pace)| async move {
        let (index, row) = rows.next()?;
        let at = pace.next().await;
        Some((Ok(Start { index, row, at }), (rows, pace)))
    })
}

struct Run {
    commands: Commands,
    probes: Probes,
    bar: ProgressBar,
    started: Instant,
    tally: Mutex<Tally>,
}

impl Run {
    async fn send_all(
        &self,
        starts: impl Stream<Item = Result<Start, Fault>>,
        concurrency: usize,
        selected: mpsc::Sender<Probe>,
    ) -> Result<(), Fault> {
        starts.try_for_each_concurrent(concurrency, |start| self.send(start, &selected)).await
    }

    async fn send(&self, start: Start, selected: &mpsc::Sender<Probe>) -> Result<(), Fault> {
        let Start { index, row, at } = start;
        let slot = self.probes.slot(index);
        let receipt = self.commands.send(&row).await?;
        let took = at.elapsed();
        self.tally().acknowledged(&row, took, &receipt, &self.commands)?;
        self.bar.inc(1);
        if let Some(slot) = slot {
            let probe = Probe { row, started: at, receipt, slot };
            // There is room for as many as there are slots; and if the other end is gone, the
            // run is over.
            selected.try_send(probe).ok();
        }
        Ok(())
    }

    fn report(&self, stopped: Option<Fault>) -> LoadReport {
        self.bar.finish_and_clear();
        let tally = self.tally();
        let lasted = tally.last.map_or(Duration::ZERO, |last| last - self.started);
        let acknowledged = tally.customers + tally.orders;
        LoadReport {
            customers: tally.customers,
            orders: tally.orders,
            retries: self.commands.patience.retries(),
            seconds: lasted.as_secs_f64(),
            commands_per_second: rate(acknowledged, lasted),
            command: tally.took.summary(),
            visible: self.probes.summary(),
            position: tally.positions.receipt().unwrap_or_default(),
            stopped,
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 commands")]
fn rate(acknowledged: u64, lasted: Duration) -> f64 {
    if lasted.is_zero() { 0.0 } else { acknowledged as f64 / lasted.as_secs_f64() }
}

struct Tally {
    journal: Journal,
    positions: Positions,
    took: Samples,
    customers: u64,
    orders: u64,
    last: Option<Instant>,
}

impl Tally {
    fn new(journal: Journal) -> Self {
        let (positions, took) = (Positions::default(), Samples::default());
        Self { journal, positions, took, customers: 0, orders: 0, last: None }
    }

    fn acknowledged(
        &mut self,
        row: &Row,
        took: Duration,
        receipt: &str,
        by: &Commands,
    ) -> Result<(), Fault> {
        self.journal.note(row)?;
        match row {
            Row::Customer(_) => self.customers += 1,
            Row::Order(_) => self.orders += 1,
        }
        self.took.add(took);
        self.last = Some(Instant::now());
        if self.positions.note(receipt) {
            return Ok(());
        }
        Err(by.patience.breach(requests::name(row), "something that is no receipt"))
    }
}
