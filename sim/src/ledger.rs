//! What was written to the log, and the plain fold of it that every answer is held against.
//!
//! The fold here is written anew from the contract, row by row and without a store, so that a
//! mistake in the processor's isn't made twice.

use std::collections::BTreeMap;
use tandem_domain::{Customer, CustomerEvent, Event, Greeting, Order, OrderEvent, Topic};
use tokio::time::Instant;

/// How many shards the simulated view has.
pub(crate) const SHARDS: u32 = 3;

/// How long an event id counts, in record time.
const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1000;

/// A position in each topic, in the order of [`Topic::ALL`].
pub(crate) type Positions = [u64; 3];

/// What a record says.
#[derive(Debug, Clone)]
pub(crate) enum What {
    Event(Event),
    /// No value, under this key.
    Tombstone(String),
    /// Bytes that are no event.
    Garbage,
    /// An event in a partition that isn't its own.
    Astray,
}

/// A record, at the offset that is its place in its lane.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) what: What,
    pub(crate) event_id: Option<String>,
    pub(crate) time_ms: i64,
    /// When it was acknowledged.
    pub(crate) at: Instant,
}

/// All records, by topic and partition.
#[derive(Default)]
pub(crate) struct Ledger([[Vec<Entry>; SHARDS as usize]; 3]);

/// The rows of a shard.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) customers: BTreeMap<String, Customer>,
    /// By customer id and order id.
    pub(crate) orders: BTreeMap<(String, String), Order>,
    pub(crate) greetings: BTreeMap<String, Greeting>,
    /// Topic and offset.
    pub(crate) rejects: Vec<(Topic, u64)>,
}

impl Ledger {
    pub(crate) fn lane(&self, topic: Topic, shard: u32) -> &[Entry] {
        &self.0[topic as usize][shard as usize]
    }

    pub(crate) fn push(&mut self, topic: Topic, shard: u32, entry: Entry) -> u64 {
        let lane = &mut self.0[topic as usize][shard as usize];
        lane.push(entry);
        lane.len() as u64
    }

    /// Where the shard's lanes end.
    pub(crate) fn ends(&self, shard: u32) -> Positions {
        Topic::ALL.map(|topic| self.lane(topic, shard).len() as u64)
    }

    /// Where they ended for everyone before `at`.
    pub(crate) fn ends_before(&self, at: Instant, shard: u32) -> Positions {
        Topic::ALL.map(|topic| self.lane(topic, shard).partition_point(|e| e.at < at) as u64)
    }

    /// The shard's rows once everything before `until` is folded.
    pub(crate) fn fold(&self, shard: u32, until: Positions) -> Rows {
        let mut rows = Rows::default();
        for topic in Topic::ALL {
            let (mut clock, mut seen) = (i64::MIN, BTreeMap::new());
            let lane = self.lane(topic, shard).iter().zip(0..until[topic as usize]);
            for (entry, offset) in lane {
                clock = clock.max(entry.time_ms);
                let counts = |time: &i64| *time > clock - REMEMBERED_MS;
                let again = entry.event_id.as_ref().and_then(|id| seen.get(id)).is_some_and(counts);
                let is_event = matches!(entry.what, What::Event(_));
                if is_event && again {
                    continue;
                }
                match rows.take(topic, &entry.what) {
                    true if is_event => {
                        seen.extend(entry.event_id.clone().map(|id| (id, entry.time_ms)));
                    }
                    true => {}
                    false => rows.rejects.push((topic, offset)),
                }
            }
        }
        rows
    }
}

impl Rows {
    /// Takes one record in; false if it makes no sense.
    fn take(&mut self, topic: Topic, what: &What) -> bool {
        let event = match what {
            What::Event(event) => event,
            What::Tombstone(key) if topic == Topic::Customer => {
                self.customers.remove(key);
                return true;
            }
            What::Tombstone(_) | What::Garbage | What::Astray => return false,
        };
        match event {
            Event::Customer(CustomerEvent::Registered(c) | CustomerEvent::Updated(c)) => {
                self.customers.insert(c.customer_id.as_str().into(), c.clone());
                true
            }
            Event::Customer(CustomerEvent::Removed(id)) => {
                self.customers.remove(id.as_str()).is_some()
            }
            Event::Order(OrderEvent::Placed(order)) => {
                self.orders.insert(key(order), order.clone());
                true
            }
            Event::Order(OrderEvent::Updated(order)) => {
                let mut order = order.clone();
                if let Some(before) = self.orders.get(&key(&order)) {
                    order.order_purchase_time = before.order_purchase_time;
                }
                self.orders.insert(key(&order), order);
                true
            }
            Event::Order(OrderEvent::Cancelled { customer_id, order_id }) => {
                let key = (customer_id.as_str().into(), order_id.as_str().into());
                self.orders.remove(&key).is_some()
            }
            Event::Greeting(greeting) => {
                self.greetings.insert(greeting.greeting_id.as_str().into(), greeting.clone());
                true
            }
        }
    }

    /// A customer's orders.
    pub(crate) fn orders_of<'r>(&'r self, id: &str) -> impl Iterator<Item = &'r Order> {
        let id = id.to_owned();
        self.orders.iter().filter(move |(key, _)| key.0 == id).map(|(_, order)| order)
    }
}

fn key(order: &Order) -> (String, String) {
    (order.customer_id.as_str().into(), order.order_id.as_str().into())
}
