//! Folds records into a batch, reading the store and touching nothing in it.

use std::collections::HashMap;
use tandem_codec::{Codec, DecodeError};
use tandem_domain::{
    CustomerChange, CustomerEvent, CustomerId, Event, EventId, Greeting, NoSuchRow, Order,
    OrderChange, OrderEvent, Topic, fold_customer, fold_order,
};
use tandem_eventlog::{Offset, Partition, Record, partition_for};

use crate::{
    RejectKind::{self, Key, Schema, Value, WrongPartition},
    StoreError, keys, rows,
    simulation::{Bug, planted},
    state::{REMEMBERED_MS, State},
    store::{self, Family, Store},
};

/// What became of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It was folded, or rejected, or was a repetition: the position has moved past it.
    Done,
    /// Its schema has to be learnt first. Nothing has changed.
    NeedsSchema(u32),
}

/// A changed row: its key, and what stands there now; `None` is a row taken away.
pub(crate) type Row = (Vec<u8>, Option<Vec<u8>>);

/// A family's changed rows by key.
type Rows = HashMap<Vec<u8>, Option<Vec<u8>>, foldhash::fast::RandomState>;

/// Rows changed since the last commit.
#[derive(Default)]
pub(crate) struct Changes {
    /// Of the families that folding looks into, by key.
    by_key: [Rows; Family::ALL.len()],
    /// Of those that it only writes, in the order in which they changed.
    written: [Vec<Row>; Family::ALL.len()],
}

impl Changes {
    /// Changes a row of a family that is looked into with [`Self::get`].
    pub(crate) fn insert(&mut self, family: Family, key: Vec<u8>, row: Option<Vec<u8>>) {
        self.by_key[family as usize].insert(key, row);
    }

    fn get(&self, family: Family, key: &[u8]) -> Option<&Option<Vec<u8>>> {
        self.by_key[family as usize].get(key)
    }

    /// Changes a row of a family that isn't.
    fn write(&mut self, family: Family, key: Vec<u8>, row: Option<Vec<u8>>) {
        self.written[family as usize].push((key, row));
    }

    /// Each family with its changes by key, the last one of a key last: neighbours inserted one
    /// after the other cost the store a third less than rows in any order.
    pub(crate) fn sorted(self) -> impl Iterator<Item = (Family, Vec<Row>)> {
        let families = Family::ALL.into_iter().zip(self.by_key).zip(self.written);
        families.map(|((family, by_key), mut rows)| {
            rows.extend(by_key);
            rows.sort_by(|a, b| a.0.cmp(&b.0));
            (family, rows)
        })
    }
}

/// What the next commit will write: the changes so far, and the state they lead to.
pub(crate) struct Staged {
    pub(crate) changes: Changes,
    pub(crate) state: State,
}

/// Why a record changes no row.
enum Refusal {
    Reject(RejectKind, String),
    NeedsSchema(u32),
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(e: StoreError) -> Self {
        Refusal::Store(e)
    }
}

impl From<NoSuchRow> for Refusal {
    fn from(e: NoSuchRow) -> Self {
        Refusal::Reject(RejectKind::NoSuchRow, e.to_string())
    }
}

/// What a schema look-up told about a record's schema, when it told anything.
pub(crate) type Verdict<'a> = Option<&'a str>;

impl Staged {
    pub(crate) fn new(state: State) -> Self {
        Self { changes: Changes::default(), state }
    }

    /// Folds one record, the next of its input. `verdict` says why its schema can't be had, once
    /// the registry has said so.
    pub(crate) fn apply(
        &mut self,
        store: &Store,
        codec: &Codec,
        record: &Record,
        verdict: Verdict<'_>,
    ) -> Result<Applied, StoreError> {
        let topic = Topic::ALL[record.input];
        let input = &mut self.state.inputs[record.input];
        if record.offset.0 < input.position {
            return Ok(Applied::Done); // folded already; a reader may start a little early
        }
        let clock = input.clock_ms.max(record.timestamp_ms);
        match self.change(store, codec, topic, record, clock, verdict) {
            Ok(()) => {}
            Err(Refusal::Reject(kind, reason)) => self.reject(topic, record, kind, &reason)?,
            Err(Refusal::NeedsSchema(id)) => return Ok(Applied::NeedsSchema(id)),
            Err(Refusal::Store(e)) => return Err(e),
        }
        let input = &mut self.state.inputs[record.input];
        input.position = record.offset.next().0;
        input.clock_ms = clock;
        Ok(Applied::Done)
    }

    /// Moves past offsets that hold no record: markers and what compaction took.
    pub(crate) fn advance(&mut self, next: &[Offset]) {
        for (input, next) in self.state.inputs.iter_mut().zip(next) {
            input.position = input.position.max(next.0);
        }
    }

    fn change(
        &mut self,
        store: &Store,
        codec: &Codec,
        topic: Topic,
        record: &Record,
        clock: i64,
        verdict: Verdict<'_>,
    ) -> Result<(), Refusal> {
        let key = self.check_key(record)?;
        let Some(value) = &record.value else { return self.tombstone(store, topic, key) };
        let event = match codec.decode(topic, value) {
            Ok(event) => event,
            Err(DecodeError::UnknownSchema(id)) => {
                return Err(match verdict {
                    Some(why) => Refusal::Reject(Schema, format!("schema {id}: {why}")),
                    None => Refusal::NeedsSchema(id),
                });
            }
            Err(e @ DecodeError::UnusableSchema { .. }) => {
                return Err(Refusal::Reject(Schema, e.to_string()));
            }
            Err(e) => return Err(Refusal::Reject(Value, e.to_string())),
        };
        if event.key().as_bytes() != key {
            return Err(Refusal::Reject(
                Key,
                format!(
                    "the record's key is not the id in its value, {}: key records by that id",
                    event.key()
                ),
            ));
        }
        let event_id = event_id(topic, record);
        if let Some(id) = &event_id
            && self.remembers(store, id, clock)?
        {
            return Ok(());
        }
        self.fold(store, event)?;
        if let Some(id) = event_id {
            let time = store::encode_time(record.timestamp_ms).to_vec();
            self.changes.insert(Family::EventIds, id, Some(time));
        }
        Ok(())
    }

    /// A record has a key, and lies where that key belongs.
    fn check_key<'r>(&self, record: &'r Record) -> Result<&'r [u8], Refusal> {
        let Some(key) = &record.key else {
            return Err(Refusal::Reject(Key, "the record has no key: key it by its id".into()));
        };
        let (here, shards) = (Partition(self.state.shard), self.state.shards);
        let there = partition_for(key, shards);
        if there != here {
            return Err(Refusal::Reject(
                WrongPartition,
                format!(
                    "the key belongs in partition {there}, the record lies in {here}: set the \
                 producer's partitioner to murmur2 (librdkafka: partitioner=murmur2_random)"
                ),
            ));
        }
        Ok(key)
    }

    /// No value: on `customer` the customer is gone (and may have been before); elsewhere it
    /// doesn't say what is gone.
    fn tombstone(&mut self, store: &Store, topic: Topic, key: &[u8]) -> Result<(), Refusal> {
        if topic != Topic::Customer {
            return Err(Refusal::Reject(
                Value,
                format!(
                    "a null value on {} does not say what it removes: send an event instead",
                    topic.name()
                ),
            ));
        }
        let id = CustomerId::from_bytes(key)
            .map_err(|e| Refusal::Reject(Key, format!("the key, a customer id, {e}")))?;
        if self.row(store, Family::View, &keys::customer(&id))?.is_some() {
            self.changes.insert(Family::View, keys::customer(&id), None);
        }
        Ok(())
    }

    fn fold(&mut self, store: &Store, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Customer(e) => self.fold_customer(store, e),
            Event::Order(e) => self.fold_order(store, e),
            Event::Greeting(g) => Ok(self.put_greeting(&g)?),
        }
    }

    fn fold_customer(&mut self, store: &Store, event: CustomerEvent) -> Result<(), Refusal> {
        let exists = |id: &CustomerId| -> Result<bool, Refusal> {
            Ok(self.row(store, Family::View, &keys::customer(id))?.is_some())
        };
        let (id, row) = match fold_customer(event, exists)? {
            CustomerChange::Put(c) => {
                (keys::customer(&c.customer_id), Some(rows::encode_customer(&c)?))
            }
            CustomerChange::Delete(id) => (keys::customer(&id), None),
        };
        self.changes.insert(Family::View, id, row);
        Ok(())
    }

    fn fold_order(&mut self, store: &Store, event: OrderEvent) -> Result<(), Refusal> {
        let change = fold_order(event, |customer, order| -> Result<Option<Order>, Refusal> {
            match self.row(store, Family::View, &keys::order(customer, order))? {
                Some(row) => {
                    Ok(Some(rows::decode_order(customer.as_bytes(), order.as_bytes(), &row)?))
                }
                None => Ok(None),
            }
        })?;
        let (order, row) = match &change {
            OrderChange::Put(order) => (order, Some(rows::encode_order(order)?)),
            OrderChange::Delete(order) => (order, None),
        };
        let entry = row.as_ref().map(|_| Vec::new());
        let (customer, id) = (&order.customer_id, &order.order_id);
        self.changes.insert(Family::View, keys::order(customer, id), row);
        self.changes.write(Family::OrderIndex, keys::order_index(id, customer), entry.clone());
        self.changes.write(Family::OrderTimes, keys::order_time(order), entry);
        Ok(())
    }

    fn put_greeting(&mut self, g: &Greeting) -> Result<(), StoreError> {
        let key = g.greeting_id.as_bytes().to_vec();
        self.changes.write(Family::Greetings, key, Some(rows::encode_greeting(g)?));
        Ok(())
    }

    fn reject(
        &mut self,
        topic: Topic,
        record: &Record,
        kind: RejectKind,
        reason: &str,
    ) -> Result<(), StoreError> {
        let key = keys::reject(topic, record.offset.0);
        let row = rows::encode_reject(kind, reason, record.timestamp_ms)?;
        self.changes.write(Family::Rejects, key, Some(row));
        self.state.rejects += 1;
        Ok(())
    }

    fn remembers(&self, store: &Store, id: &[u8], clock: i64) -> Result<bool, StoreError> {
        let time = self.row(store, Family::EventIds, id)?;
        let time = time.and_then(|t| store::decode_time(&t));
        Ok(!planted(Bug::ForgetsEventIds)
            && time.is_some_and(|t| t > clock.saturating_sub(REMEMBERED_MS)))
    }

    /// A row as it is after the changes so far.
    fn row(
        &self,
        store: &Store,
        family: Family,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        match self.changes.get(family, key) {
            Some(changed) => Ok(changed.clone()),
            None => store.get(family, key),
        }
    }
}

/// The key under which the record's event is remembered. An event without a usable `ce_id` is
/// folded and not remembered.
fn event_id(topic: Topic, record: &Record) -> Option<Vec<u8>> {
    let id = EventId::from_bytes(record.headers.get("ce_id")?).ok()?;
    Some(keys::event_id(topic, id.as_str()))
}
