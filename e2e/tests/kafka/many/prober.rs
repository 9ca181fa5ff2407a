//! Clients that read a row of each shard all the time, and tell how long they went without an
//! answer.
//!
//! A client knows the addresses of some instances and asks them in turn. An answer that is an
//! error, or none for [`ANOTHER_AFTER`], makes it ask the next one, each once, until its deadline.

use std::{
    io::Write as _,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tandem_e2e::wire::as_of;
use tandem_proto::v1::{
    Freshness, GetCustomerOrdersRequest, GetCustomerOrdersResponse,
    query_service_client::QueryServiceClient,
};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tonic::{Code, Request, Response, Status, transport::Channel};

use super::{
    ground::Instance,
    writer::{Row, Writer},
};

const EVERY: Duration = Duration::from_millis(10);
/// What the client allows a read.
const DEADLINE: Duration = Duration::from_secs(2);
/// When it turns to the next instance, as long as there is one.
const ANOTHER_AFTER: Duration = Duration::from_millis(500);
/// For how long an instance that said nothing is asked last.
const ASIDE: Duration = Duration::from_secs(1);
/// Every copy can meet this unless it hangs.
const MAX_STALENESS: prost_types::Duration = prost_types::Duration { seconds: 1, nanos: 0 };

/// A client for each shard.
pub(crate) struct Probers {
    what: String,
    known: Known,
    is_over: Arc<AtomicBool>,
    asking: Vec<JoinHandle<Seen>>,
}

/// What they saw, all shards together.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) longest_gap: Duration,
    pub(crate) answers: usize,
    /// Why reads were not answered within the deadline.
    pub(crate) unanswered: Vec<String>,
}

type Known = Arc<RwLock<Vec<Arc<Address>>>>;

struct Address {
    url: String,
    queries: QueryServiceClient<Channel>,
    said_nothing: Mutex<Option<Instant>>,
}

impl Probers {
    /// They begin at once; the instances have to have settled.
    pub(crate) fn start(what: &str, writer: &Writer, through: &[&Instance]) -> Self {
        let (known, is_over) = (Known::default(), Arc::new(AtomicBool::new(false)));
        let client = |row: &Row| tokio::spawn(probe(row.clone(), known.clone(), is_over.clone()));
        know(&known, through);
        let asking = writer.rows.iter().map(client).collect();
        Self { what: what.to_owned(), known, is_over, asking }
    }

    /// From now on they know of these.
    pub(crate) fn know(&self, instances: &[&Instance]) {
        know(&self.known, instances);
    }

    /// Ends them and prints what they saw.
    pub(crate) async fn end(self) -> Seen {
        self.is_over.store(true, Ordering::Relaxed);
        let (mut all, mut gaps) = (Seen::default(), Vec::new());
        for client in self.asking {
            let seen = client.await.unwrap();
            gaps.push(seen.longest_gap.as_millis());
            all.longest_gap = all.longest_gap.max(seen.longest_gap);
            all.answers += seen.answers;
            all.unanswered.extend(seen.unanswered);
        }
        let (longest_ms, first) = (all.longest_gap.as_millis(), all.unanswered.first());
        let line = format!(
            "{}: longest gap: {longest_ms} ms (by shard {gaps:?}); {} answers, {} reads without{}\n",
            self.what,
            all.answers,
            all.unanswered.len(),
            first.map(|why| format!(", the first: {why}")).unwrap_or_default(),
        );
        // Not by a macro, whose output is shown of tests that fail only.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        all
    }
}

fn know(known: &Known, instances: &[&Instance]) {
    let mut known = known.write().unwrap();
    let address = |one: &&Instance| {
        let url = one.urls.query.clone();
        let there = known.iter().find(|address| address.url == url).cloned();
        there.unwrap_or_else(|| {
            let said_nothing = Mutex::default();
            Arc::new(Address { url, queries: one.queries(), said_nothing })
        })
    };
    *known = instances.iter().map(address).collect();
}

async fn probe(row: Row, known: Known, is_over: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answered = Instant::now();
    for turn in 0.. {
        ticks.tick().await;
        let read = read(&row, &known, turn).await;
        seen.longest_gap = seen.longest_gap.max(answered.elapsed());
        match read {
            Ok(()) => {
                seen.answers += 1;
                answered = Instant::now();
            }
            Err(why) => seen.unanswered.push(why),
        }
        if is_over.load(Ordering::Relaxed) {
            break;
        }
    }
    seen
}

/// Reads the row, as fresh as it has to be this time.
async fn read(row: &Row, known: &Known, turn: usize) -> Result<(), String> {
    let (until, written) = (Instant::now() + DEADLINE, row.written.borrow().clone());
    let (freshness, at_least) = match turn % 3 {
        0 => (None, 0),
        1 => (as_of(&written.receipt), written.number),
        _ => (Some(Freshness { receipts: vec![], max_staleness: Some(MAX_STALENESS) }), 0),
    };
    let mut faults = Vec::new();
    let mut addresses = in_order(known, turn / 3).into_iter().peekable();
    while let Some(address) = addresses.next() {
        let left = until.saturating_duration_since(Instant::now());
        let within = if addresses.peek().is_some() { left.min(ANOTHER_AFTER) } else { left };
        let asked = GetCustomerOrdersRequest {
            customer_id: row.id.clone(),
            freshness: freshness.clone(),
            ..GetCustomerOrdersRequest::default()
        };
        match address.ask(asked, within).await {
            Ok(answer) => {
                assert!(answer.registered, "{answer:?}");
                let shown: u64 = answer.customer.as_ref().unwrap().first_name.parse().unwrap();
                assert!(shown >= at_least, "{shown} is older than the receipt of {at_least}");
                return Ok(());
            }
            Err(status) => {
                assert_ne!(status.code(), Code::NotFound, "a row is gone: {status:?}");
                let age = DEADLINE - until.saturating_duration_since(Instant::now());
                let (url, code, why) = (&address.url, status.code(), status.message());
                faults.push(format!("{url} after {age:?}, {freshness:?}: {code:?} {why}"));
            }
        }
    }
    Err(faults.join("; "))
}

/// Each in turn is the first one, but for those that said nothing a moment ago.
fn in_order(known: &Known, turn: usize) -> Vec<Arc<Address>> {
    let mut all = known.read().unwrap().clone();
    let first = turn % all.len();
    all.rotate_left(first);
    all.sort_by_key(|address| {
        let said_nothing = *address.said_nothing.lock().unwrap();
        said_nothing.is_some_and(|at| at.elapsed() < ASIDE)
    });
    all
}

impl Address {
    async fn ask(
        &self,
        asked: GetCustomerOrdersRequest,
        within: Duration,
    ) -> Result<GetCustomerOrdersResponse, Status> {
        let mut asked = Request::new(asked);
        asked.set_timeout(within);
        let (asked_at, mut queries) = (Instant::now(), self.queries.clone());
        let answer = timeout(within, queries.get_customer_orders(asked)).await;
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("it said nothing")));
        // The transport's own timer may have been the first.
        if asked_at.elapsed() >= within {
            *self.said_nothing.lock().unwrap() = Some(Instant::now());
        }
        answer.map(Response::into_inner)
    }
}
