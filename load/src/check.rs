//! Reads every customer with its orders back from the query service and compares.

use crate::clients::{Queries, connect};
use crate::compare::{ExpectedCustomer, Found, Tally, expected};
use crate::fault::Fault;
use crate::journal;
use crate::settings::Settings;
use crate::tpch::Tables;
use crate::watch::Watch;
use futures::{StreamExt as _, TryStreamExt as _};
use std::time::{Duration, SystemTime};
use tandem_client::v1;

/// Orders asked for at once: so few that four in ten of the customers who order have more, and
/// paging is checked too.
const PAGE_SIZE: i32 = 16;
/// More pages than any customer has: the most orders of one customer are 41 at scale 1.
const MOST_PAGES: usize = 1_000;
/// How old an answer may be where there is no receipt to ask with.
const MOST_STALE: Duration = Duration::from_secs(2);

/// What the view is compared against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// Both tables in full: exactly these rows, in answers no older than this receipt (of
    /// [`crate::LoadReport::position`]; empty for any age).
    Tables {
        /// The receipt.
        position: String,
    },
    /// What the journal says was acknowledged. Rows of the tables that it does not name may be
    /// there too, since their commands may have been under way when something died.
    Journal,
}

/// What was compared and how it went.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CheckReport {
    /// What was found.
    #[serde(flatten)]
    pub tally: Tally,
    /// How long the queries took, in seconds.
    pub seconds: f64,
}

/// Asks for every customer and compares.
///
/// # Errors
/// A [`Fault`] if not everything could be compared.
pub async fn check(
    settings: &Settings,
    watch: &Watch,
    against: Against,
) -> Result<CheckReport, Fault> {
    let queries = Queries::of(&connect(settings)?, settings);
    let tables = Tables::new(settings.scale);
    let all = async {
        let (expected, freshness) = match against {
            Against::Tables { position } => (expected(&tables, None), as_of(position)),
            Against::Journal => {
                let acknowledged = journal::read(&settings.journal, settings.scale)?;
                tokio::time::sleep(until_stale(acknowledged.last)).await;
                (expected(&tables, Some(&acknowledged)), not_stale())
            }
        };
        compare_all(&queries, settings, watch, expected, &freshness).await
    };
    tokio::select! {
        report = all => report,
        () = watch.stop.cancelled() => Err(Fault::Interrupted),
    }
}

fn as_of(position: String) -> v1::Freshness {
    let receipts = if position.is_empty() { Vec::new() } else { vec![position] };
    v1::Freshness { receipts, max_staleness: None }
}

fn not_stale() -> v1::Freshness {
    let max_staleness = prost_types::Duration::try_from(MOST_STALE).ok();
    v1::Freshness { receipts: Vec::new(), max_staleness }
}

/// An answer that is at most [`MOST_STALE`] old may lack what was acknowledged within that time.
fn until_stale(last: Option<SystemTime>) -> Duration {
    let age = last.and_then(|last| last.elapsed().ok()).unwrap_or_default();
    MOST_STALE.saturating_sub(age)
}

async fn compare_all(
    queries: &Queries,
    settings: &Settings,
    watch: &Watch,
    expected: Vec<ExpectedCustomer>,
    freshness: &v1::Freshness,
) -> Result<CheckReport, Fault> {
    let started = std::time::Instant::now();
    let bar = watch.bar("checking", expected.len() as u64);
    let found = futures::stream::iter(expected)
        .map(|expected| async {
            let found = find(queries, &expected, freshness).await?;
            Ok::<_, Fault>((expected, found))
        })
        .buffered(settings.concurrency.into());
    let tally = found.try_fold(Tally::default(), |mut tally, (expected, found)| {
        tally.compare(&expected, found);
        bar.inc(1);
        std::future::ready(Ok(tally))
    });
    let tally = tally.await;
    bar.finish_and_clear();
    Ok(CheckReport { tally: tally?, seconds: started.elapsed().as_secs_f64() })
}

async fn find(
    queries: &Queries,
    expected: &ExpectedCustomer,
    freshness: &v1::Freshness,
) -> Result<Found, Fault> {
    let mut asked = v1::GetCustomerOrdersRequest {
        customer_id: expected.customer.row.customer_id.clone(),
        page_size: PAGE_SIZE,
        page_token: String::new(),
        freshness: Some(freshness.clone()),
    };
    let mut found = Found::default();
    for page in 0..MOST_PAGES {
        let Some(answer) = queries.customer_orders(&asked).await? else { return Ok(found) };
        if page == 0 {
            found.customer = answer.customer;
            found.registered = answer.registered;
        }
        found.orders.extend(answer.orders);
        if answer.next_page_token.is_empty() {
            return Ok(found);
        }
        asked.page_token = answer.next_page_token;
    }
    let what = format!("the query for {}", asked.customer_id);
    Err(queries.patience.breach(what, "pages without end"))
}
