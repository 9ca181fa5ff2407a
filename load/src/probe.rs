//! Measures, for a sample of the commands, how long it takes until the view shows them; and holds
//! the query side to its word that an answer which was shown a receipt is never older.

use crate::clients::Queries;
use crate::compare::Differences;
use crate::fault::Fault;
use crate::latency::{Latency, Samples};
use crate::requests;
use crate::settings::Settings;
use crate::tpch::{Customer, Order, Row};
use futures::StreamExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tandem_client::{Client, v1};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// How many commands are followed at once, at most; further ones are not sampled. At 200 commands
/// a second and one in ten sampled, a sample would have to take 3 s before any is left out.
pub(crate) const FOLLOWED: usize = 64;

/// Leave to follow one command; there are [`FOLLOWED`] of them.
pub(crate) type Slot = OwnedSemaphorePermit;

/// An acknowledged command that is to be found in the view.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) row: Row,
    pub(crate) started: Instant,
    pub(crate) receipt: String,
    pub(crate) slot: Slot,
}

/// What the samples say.
#[derive(Debug, Default)]
struct Seen {
    visible: Samples,
    unanswered: u64,
    stale: Differences,
}

/// Follows sampled commands.
#[derive(Debug)]
pub(crate) struct Probes {
    queries: Queries,
    every: u64,
    slots: Arc<Semaphore>,
    seen: Mutex<Seen>,
}

/// What the samples say, for the report.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Visible {
    /// From the start of a command to the answer that shows its row.
    pub latency: Option<Latency>,
    /// Samples that the query service could not answer at all.
    pub unanswered: u64,
    /// Answers that were shown the receipt and lacked the row all the same.
    pub stale: Differences,
}

impl Probes {
    pub(crate) fn of(client: &Client, settings: &Settings) -> Self {
        Self {
            queries: Queries::of(client, settings),
            every: u64::from(settings.sample),
            slots: Arc::new(Semaphore::new(FOLLOWED)),
            seen: Mutex::default(),
        }
    }

    /// A slot if the command of this index is to be followed. Taken before the command is sent, so
    /// that whether it is followed doesn't depend on how long it takes.
    pub(crate) fn slot(&self, index: u64) -> Option<Slot> {
        let sampled = index.is_multiple_of(self.every);
        if sampled { Arc::clone(&self.slots).try_acquire_owned().ok() } else { None }
    }

    /// Follows what comes out of `queue` until it is closed and empty. Never fails: what can't be
    /// answered is counted, since it is the check at the end that judges.
    pub(crate) async fn follow_all(&self, queue: mpsc::Receiver<Probe>) -> Result<(), Fault> {
        let probes = futures::stream::unfold(queue, |mut queue| async {
            queue.recv().await.map(|probe| (probe, queue))
        });
        probes.for_each_concurrent(FOLLOWED, |probe| self.follow(probe)).await;
        Ok(())
    }

    pub(crate) fn summary(&self) -> Visible {
        let seen = self.seen();
        Visible {
            latency: seen.visible.summary(),
            unanswered: seen.unanswered,
            stale: seen.stale.clone(),
        }
    }

    async fn follow(&self, probe: Probe) {
        let Probe { row, started, receipt, slot } = probe;
        let freshness = v1::Freshness { receipts: vec![receipt], max_staleness: None };
        let shown = match &row {
            Row::Customer(customer) => self.shows_customer(customer, freshness).await,
            Row::Order(order) => self.shows_order(order, freshness).await,
        };
        let took = started.elapsed();
        let mut seen = self.seen();
        match shown {
            Ok(true) => seen.visible.add(took),
            Ok(false) => seen.stale.add(
                requests::name(&row),
                "in the answer that was shown its receipt",
                "not in it",
            ),
            Err(_) => seen.unanswered += 1,
        }
        drop(slot);
    }

    async fn shows_customer(&self, row: &Customer, fresh: v1::Freshness) -> Result<bool, Fault> {
        let customer_id = row.customer_id.clone();
        let asked = v1::GetCustomerRequest { customer_id, freshness: Some(fresh) };
        let answer = self.queries.customer(&asked).await?.and_then(|answer| answer.customer);
        Ok(answer.is_some_and(|customer| customer.customer_id == row.customer_id))
    }

    /// Asks for the joined view, which is what the latency is about, and for the order alone only
    /// where it may lie on a later page.
    async fn shows_order(&self, row: &Order, fresh: v1::Freshness) -> Result<bool, Fault> {
        let asked = v1::GetCustomerOrdersRequest {
            customer_id: row.customer_id.clone(),
            freshness: Some(fresh.clone()),
            ..v1::GetCustomerOrdersRequest::default()
        };
        let Some(page) = self.queries.customer_orders(&asked).await? else { return Ok(false) };
        if page.orders.iter().any(|order| order.order_id == row.order_id) {
            return Ok(true);
        }
        if page.next_page_token.is_empty() {
            return Ok(false);
        }
        let asked = v1::GetOrderRequest {
            order_id: row.order_id.clone(),
            customer_id: row.customer_id.clone(),
            freshness: Some(fresh),
        };
        Ok(self.queries.order(&asked).await?.is_some_and(|answer| answer.order.is_some()))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
