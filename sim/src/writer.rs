//! Writes events to the log as the command service does, and now and then what it never would.

use bytes::Bytes;
use std::{rc::Rc, time::Duration};
use tandem_domain::{
    Customer, CustomerEvent, CustomerId, Event, Greeting, GreetingId, Millis, Order, OrderEvent,
    OrderId, Topic,
};
use tandem_eventlog::{Headers, NewRecord, Partition, TopicName, TopicPartition, partition_for};
use tokio::time::{Instant, sleep};

use crate::{
    ledger::{Entry, SHARDS, What},
    world::World,
};

/// How many customers there are: few, so that much happens to each.
pub(crate) const CUSTOMERS: u32 = 9;
const ORDERS: u32 = 6;
const GREETINGS: u32 = 12;

const START_MS: i64 = 1_700_000_000_000;

/// Writes until told to rest.
pub(crate) async fn write(world: Rc<World>) {
    let mut writer = Writer { rng: world.rng("writer"), sent: Vec::new(), count: 0, world };
    // In some worlds record time runs so fast that event ids are forgotten.
    let pace = *writer.rng.choice(&[1, 1, 5_000]).unwrap_or(&1);
    let started = Instant::now();
    while !writer.world.rest.is_cancelled() {
        let elapsed: i64 = started.elapsed().as_millis().try_into().unwrap_or(0);
        let many = if writer.rng.u32(0..6) == 0 { 8 } else { 1 };
        for _ in 0..many {
            writer.one(START_MS + elapsed * pace).await;
        }
        sleep(Duration::from_millis(writer.rng.u64(5..250))).await;
    }
}

struct Writer {
    world: Rc<World>,
    rng: fastrand::Rng,
    /// What may be sent again.
    sent: Vec<(Event, String)>,
    count: u32,
}

impl Writer {
    async fn one(&mut self, time_ms: i64) {
        self.count += 1;
        let fresh = format!("event {}", self.count);
        let (what, event_id) = match self.rng.u32(0..40) {
            0 => (What::Garbage, None),
            1 => (What::Astray, None),
            2 => (What::Tombstone(self.customer_id()), None),
            3..8 if !self.sent.is_empty() => {
                let (event, id) = self.sent[self.rng.usize(0..self.sent.len())].clone();
                (What::Event(event), Some(id))
            }
            // Producers of others give no id.
            8..20 => (What::Event(self.event(time_ms)), None),
            _ => {
                let event = self.event(time_ms);
                self.sent.push((event.clone(), fresh.clone()));
                (What::Event(event), Some(fresh))
            }
        };
        self.append(what, event_id, time_ms).await;
    }

    async fn append(&mut self, what: What, event_id: Option<String>, time_ms: i64) {
        let codec = self.world.codec.clone();
        let encoded = |event: &Event| codec.encode(event).unwrap_or_default();
        let (topic, key, value) = match &what {
            What::Event(event) => (event.topic(), event.key().to_owned(), Some(encoded(event))),
            What::Tombstone(key) => {
                let topic = self.rng.choice(Topic::ALL).unwrap_or(Topic::Customer);
                (topic, key.clone(), None)
            }
            What::Garbage => {
                let topic = self.rng.choice(Topic::ALL).unwrap_or(Topic::Customer);
                (topic, self.customer_id(), Some(Bytes::from_static(b"garbage")))
            }
            What::Astray => {
                let event = self.event(time_ms);
                (event.topic(), event.key().to_owned(), Some(encoded(&event)))
            }
        };
        let mut shard = partition_for(key.as_bytes(), SHARDS).0;
        if matches!(what, What::Astray) {
            shard = (shard + 1) % SHARDS;
        }
        let id = event_id.clone().unwrap_or_default();
        let headers = [("ce_id", id.as_bytes())];
        let record = NewRecord {
            to: TopicPartition {
                topic: TopicName::from(topic.name()),
                partition: Partition(shard),
            },
            timestamp_ms: time_ms,
            key: Some(key.into()),
            value,
            headers: Headers::from_pairs(headers.into_iter().filter(|_| event_id.is_some())),
        };
        let offset = self.world.log.append(record).await;
        let entry = Entry { what, event_id, time_ms, at: Instant::now() };
        let end = self.world.ledger.borrow_mut().push(topic, shard, entry);
        if offset.map(|offset| offset.next().0) != Ok(end) {
            self.world.found("an append was not given the next offset");
        }
    }

    fn customer_id(&mut self) -> String {
        format!("c{}", self.rng.u32(0..CUSTOMERS))
    }

    #[allow(clippy::expect_used)] // the ids are ours: short and plain
    fn event(&mut self, time_ms: i64) -> Event {
        let n = self.count;
        let customer_id = CustomerId::new(self.customer_id()).expect("an id");
        let order_id = OrderId::new(format!("o{}", self.rng.u32(0..ORDERS))).expect("an id");
        let customer = Customer {
            customer_id: customer_id.clone(),
            first_name: format!("first {n}"),
            last_name: "last".into(),
            email: format!("{n}@example.org"),
            phone: String::new(),
        };
        let order = Order {
            order_id: order_id.clone(),
            customer_id: customer_id.clone(),
            order_item_name: format!("item {n}"),
            order_place: "place".into(),
            order_purchase_time: Millis(time_ms),
        };
        match self.rng.u32(0..20) {
            0..3 => Event::Customer(CustomerEvent::Registered(customer)),
            3..5 => Event::Customer(CustomerEvent::Updated(customer)),
            5..7 => Event::Customer(CustomerEvent::Removed(customer_id)),
            7..12 => Event::Order(OrderEvent::Placed(order)),
            12..14 => Event::Order(OrderEvent::Updated(order)),
            14..18 => Event::Order(OrderEvent::Cancelled { customer_id, order_id }),
            _ => {
                let id = format!("g{}", self.rng.u32(0..GREETINGS));
                Event::Greeting(Greeting {
                    greeting_id: GreetingId::new(id).expect("an id"),
                    message: format!("hello {n}"),
                    timestamp: Millis(time_ms),
                })
            }
        }
    }
}
