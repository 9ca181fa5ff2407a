//! Pages through whole lists, each page from any instance, and looks whether the pages together
//! are one list: in order, no row twice, and every row that was there throughout exactly once.

use std::collections::{BTreeMap, BTreeSet};
use tandem_domain::{CustomerEvent, Event, OrderEvent, Topic};
use tandem_proto::v1::{self, OrderSort};
use tokio::time::Instant;

use crate::{
    ledger::{Ledger, Positions, Rows, SHARDS, What},
    reader::{Came, call, request},
    wire,
    world::{Client, World},
};

/// How often a page is asked for until the list is given up: there may be nobody to ask.
const TRIES: u32 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Customers,
    Orders(OrderSort),
    Joined,
    Greetings,
    Rejects,
}

impl List {
    pub(crate) const ALL: [List; 8] = [
        List::Customers,
        List::Orders(OrderSort::CustomerId),
        List::Orders(OrderSort::OrderId),
        List::Orders(OrderSort::PurchaseTime),
        List::Orders(OrderSort::PurchaseTimeDescending),
        List::Joined,
        List::Greetings,
        List::Rejects,
    ];
}

/// What a list is sorted by.
type Key = (i64, String, String);

/// A row: what sorts it, and everything that it says.
type Row = (Key, String);

/// A page, whatever it is a page of.
struct Page {
    rows: Vec<Row>,
    token: String,
    unreachable: Vec<u32>,
    served: Option<v1::Served>,
}

macro_rules! page {
    ($answer:expr, $rows:ident, $key:expr) => {{
        let answer = $answer.into_inner();
        let key = $key;
        Page {
            rows: answer.$rows.iter().map(|row| (key(row), format!("{row:?}"))).collect(),
            token: answer.next_page_token,
            unreachable: answer.unreachable_shards,
            served: answer.served,
        }
    }};
}

macro_rules! asked {
    ($request:ident, $page:expr) => {{
        let (page_size, page_token, freshness, allow_partial) = $page;
        let freshness = Some(freshness);
        #[allow(clippy::needless_update)] // one of them has a field more
        let asked =
            v1::$request { page_size, page_token, freshness, allow_partial, ..Default::default() };
        asked
    }};
}

impl List {
    async fn page(
        self,
        mut client: Client,
        page: (i32, String, v1::Freshness, bool),
    ) -> Result<tonic::Response<Page>, tonic::Status> {
        Ok(tonic::Response::new(match self {
            List::Customers => {
                let asked = request(asked!(ListCustomersRequest, page));
                page!(client.list_customers(asked).await?, customers, customer_key)
            }
            List::Orders(sort) => {
                let mut asked = asked!(ListOrdersRequest, page);
                asked.set_sort(sort);
                let key = |order: &v1::Order| order_key(sort, order);
                page!(client.list_orders(request(asked)).await?, orders, key)
            }
            List::Joined => {
                let asked = request(asked!(ListCustomerOrdersRequest, page));
                page!(client.list_customer_orders(asked).await?, customer_orders, joined_key)
            }
            List::Greetings => {
                let asked = request(asked!(ListGreetingsRequest, page));
                page!(client.list_greetings(asked).await?, greetings, greeting_key)
            }
            List::Rejects => {
                let asked = request(asked!(ListRejectsRequest, page));
                let answer = client.list_rejects(asked).await?.map(|mut answer| {
                    answer.rejects.iter_mut().for_each(bare);
                    answer
                });
                page!(answer, rejects, reject_key)
            }
        }))
    }

    /// The whole list by a plain fold.
    fn of(self, folded: &[Rows]) -> BTreeMap<Key, String> {
        let mut rows = BTreeMap::new();
        for (shard, folded) in (0..SHARDS).zip(folded) {
            match self {
                List::Customers => rows.extend(folded.customers.values().map(|c| {
                    let row = wire::customer(c);
                    (customer_key(&row), format!("{row:?}"))
                })),
                List::Orders(sort) => rows.extend(folded.orders.values().map(|o| {
                    let row = wire::order(o);
                    (order_key(sort, &row), format!("{row:?}"))
                })),
                List::Joined => rows.extend(folded.orders.values().map(|o| {
                    let row = wire::joined(folded, o);
                    (joined_key(&row), format!("{row:?}"))
                })),
                List::Greetings => rows.extend(folded.greetings.values().map(|g| {
                    let row = wire::greeting(g);
                    (greeting_key(&row), format!("{row:?}"))
                })),
                List::Rejects => rows.extend(folded.rejects.iter().map(|(topic, offset)| {
                    let (topic, offset) = (topic.name().into(), *offset);
                    let row =
                        v1::Reject { topic, partition: shard, offset, ..v1::Reject::default() };
                    (reject_key(&row), format!("{row:?}"))
                })),
            }
        }
        rows
    }

    fn descends(self) -> bool {
        self == List::Orders(OrderSort::PurchaseTimeDescending)
    }
}

/// Why and when a record was rejected isn't told by a plain fold.
fn bare(reject: &mut v1::Reject) {
    (reject.reason, reject.timestamp, reject.code) = (String::new(), None, 0);
}

fn customer_key(c: &v1::Customer) -> Key {
    (0, c.customer_id.clone(), String::new())
}

fn order_key(sort: OrderSort, o: &v1::Order) -> Key {
    let (of, id) = (o.customer_id.clone(), o.order_id.clone());
    let at = o.order_purchase_time.unwrap_or_default();
    match sort {
        OrderSort::Unspecified | OrderSort::CustomerId => (0, of, id),
        OrderSort::OrderId => (0, id, of),
        OrderSort::PurchaseTime | OrderSort::PurchaseTimeDescending => {
            (at.seconds * 1000 + i64::from(at.nanos / 1_000_000), of, id)
        }
    }
}

fn joined_key(o: &v1::CustomerOrder) -> Key {
    (0, o.customer_id.clone(), o.order_id.clone())
}

fn greeting_key(g: &v1::Greeting) -> Key {
    (0, g.greeting_id.clone(), String::new())
}

fn reject_key(r: &v1::Reject) -> Key {
    let topic = Topic::from_name(&r.topic).map_or(9, |topic| topic as u32);
    (r.partition.into(), topic.to_string(), format!("{:09}", r.offset))
}

/// Pages through a list, as fresh as the log is now.
pub(crate) async fn list(world: &World, rng: &mut fastrand::Rng) -> Result<(), String> {
    let list = *rng.choice(&List::ALL).unwrap_or(&List::Joined);
    let freshness = world.all_receipts();
    let before = ends(world);
    let size = rng.i32(1..9);
    let is_partial = rng.u32(0..5) == 0;
    let (mut rows, mut token, mut tries) = (Vec::new(), String::new(), 0);
    loop {
        let Some((contact, address)) = world.contact(rng) else { return Ok(()) };
        let asked = Instant::now();
        let page = (size, token.clone(), freshness.clone(), is_partial);
        let paging = list.page(world.client(&address), page);
        let all: Vec<u32> = (0..SHARDS).collect();
        let what = format!("a page of {list:?}");
        let page = match call(world, &contact, &all, &what, paging).await? {
            Came::Answer(page) => page,
            Came::Error(status) => return Err(format!("{what}: {status:?}")),
            Came::Nothing if tries < TRIES => {
                tries += 1;
                continue;
            }
            Came::Nothing => return Ok(()),
        };
        if let Some(shard) = page.unreachable.first() {
            let had_to = is_partial && world.had_to_answer(&contact, *shard);
            return match is_partial && !had_to {
                true => Ok(()),
                false => Err(format!("{what} leaves out shard {shard}")),
            };
        }
        let served = page.served.ok_or("a page that doesn't say who served it")?;
        for shard in 0..SHARDS {
            world.positions(shard, &served, asked, &freshness)?;
        }
        rows.extend(page.rows);
        if page.token.is_empty() {
            break;
        }
        if rows.is_empty() || page.token == token {
            return Err(format!("{what} does not go on"));
        }
        token = page.token;
    }
    check(world, list, &rows, &before)
}

fn ends(world: &World) -> Vec<Positions> {
    let ledger = world.ledger.borrow();
    (0..SHARDS).map(|shard| ledger.ends(shard)).collect()
}

/// Holds a whole list against what was there from before it was begun until now.
fn check(world: &World, list: List, rows: &[Row], before: &[Positions]) -> Result<(), String> {
    let in_order = |pair: &[Row]| match list.descends() {
        true => pair[0].0 > pair[1].0,
        false => pair[0].0 < pair[1].0,
    };
    if let Some(pair) = rows.windows(2).find(|pair| !in_order(pair)) {
        return Err(format!("{list:?} has {:?} behind {:?}", pair[1].0, pair[0].0));
    }
    let ledger = world.ledger.borrow();
    let folded: Vec<Rows> =
        (0..SHARDS).zip(before).map(|(shard, until)| ledger.fold(shard, *until)).collect();
    let touched = touched(&ledger, before);
    let stayed = |key: &Key, row: &str| {
        list == List::Rejects || !touched.iter().any(|id| names(list, key, id) && !row.is_empty())
    };
    let listed: BTreeMap<&Key, &str> = rows.iter().map(|(key, row)| (key, &**row)).collect();
    let expected = list.of(&folded);
    for (key, row) in expected.iter().filter(|(key, row)| stayed(key, row)) {
        match listed.get(key) {
            Some(found) if found == row => {}
            found => return Err(format!("{list:?} has {found:?} for {row}")),
        }
    }
    let surplus = |(key, row): &&Row| {
        list != List::Rejects && stayed(key, row) && expected.get(key) != Some(row)
    };
    match rows.iter().find(surplus) {
        Some((_, row)) => Err(format!("{list:?} has {row}, which wasn't there")),
        None => Ok(()),
    }
}

/// The customers, and their orders, and the greetings, that something happened to meanwhile.
fn touched(ledger: &Ledger, before: &[Positions]) -> BTreeSet<(String, Option<String>)> {
    let mut touched = BTreeSet::new();
    for (shard, before) in (0..SHARDS).zip(before) {
        for topic in Topic::ALL {
            let from = usize::try_from(before[topic as usize]).unwrap_or(usize::MAX);
            for entry in &ledger.lane(topic, shard)[from..] {
                match &entry.what {
                    What::Event(Event::Order(event)) => {
                        let (of, id) = match event {
                            OrderEvent::Placed(o) | OrderEvent::Updated(o) => {
                                (&o.customer_id, &o.order_id)
                            }
                            OrderEvent::Cancelled { customer_id, order_id } => {
                                (customer_id, order_id)
                            }
                        };
                        touched.insert((of.as_str().into(), Some(id.as_str().into())));
                    }
                    What::Event(Event::Customer(
                        CustomerEvent::Registered(c) | CustomerEvent::Updated(c),
                    )) => drop(touched.insert((c.customer_id.as_str().into(), None))),
                    What::Event(Event::Customer(CustomerEvent::Removed(id))) => {
                        touched.insert((id.as_str().into(), None));
                    }
                    What::Event(Event::Greeting(g)) => {
                        touched.insert((g.greeting_id.as_str().into(), None));
                    }
                    What::Tombstone(id) => drop(touched.insert((id.clone(), None))),
                    What::Garbage | What::Astray => {}
                }
            }
        }
    }
    touched
}

/// Whether a row is of what was touched.
fn names(list: List, key: &Key, (id, order): &(String, Option<String>)) -> bool {
    let (_, first, second) = key;
    match (list, order) {
        (List::Customers | List::Greetings, None) => first == id,
        (List::Joined, None) => first == id,
        (List::Orders(OrderSort::OrderId), Some(order)) => second == id && first == order,
        (List::Orders(_) | List::Joined, Some(order)) => first == id && second == order,
        _ => false,
    }
}

/// Holds the whole list, as one instance gives it, against everything that is on the log.
pub(crate) async fn whole(world: &World, address: &str, list: List) -> Result<(), String> {
    let (mut rows, mut token) = (Vec::new(), String::new());
    loop {
        let page = (50, token, world.all_receipts(), false);
        let page = list.page(world.client(address), page).await;
        let page = page.map_err(|s| format!("at rest {address} answers {list:?} with {s:?}"))?;
        let page = page.into_inner();
        rows.extend(page.rows);
        token = page.token;
        if token.is_empty() {
            break;
        }
    }
    let folded: Vec<Rows> = {
        let ledger = world.ledger.borrow();
        (0..SHARDS).map(|shard| ledger.fold(shard, ledger.ends(shard))).collect()
    };
    let mut expected: Vec<Row> = list.of(&folded).into_iter().collect();
    if list.descends() {
        expected.reverse();
    }
    match rows == expected {
        true => Ok(()),
        false => Err(format!("at rest {address} has {rows:?} as {list:?}, not {expected:?}")),
    }
}
