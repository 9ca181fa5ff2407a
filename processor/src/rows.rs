//! What stands in a row: a version byte, then postcard. Ids are in the key and not said again.

use serde::{Deserialize, Serialize};
use tandem_domain::{Customer, CustomerId, Greeting, GreetingId, Millis, Order, OrderId, Topic};

use crate::StoreError;

/// The layout of all rows and keys. A store of another layout is refused and rebuilt by hand.
pub(crate) const LAYOUT: u8 = 3;

#[derive(Serialize, Deserialize)]
struct CustomerRow<'a> {
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    phone: &'a str,
}

#[derive(Serialize, Deserialize)]
struct OrderRow<'a> {
    order_item_name: &'a str,
    order_place: &'a str,
    order_purchase_time: i64,
}

#[derive(Serialize, Deserialize)]
struct GreetingRow<'a> {
    message: &'a str,
    timestamp: i64,
}

#[derive(Serialize, Deserialize)]
struct RejectRow<'a> {
    reason: &'a str,
    timestamp: i64,
    kind: RejectKind,
}

/// What kind of reason a record was rejected for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RejectKind {
    /// It lies in another partition than its key belongs in.
    WrongPartition,
    /// It has no key, or not the one that belongs to its value.
    Key,
    /// The schema it was written with can't be had or used.
    Schema,
    /// Its value is not an event of its topic.
    Value,
    /// It is about something that is not there.
    NoSuchRow,
}

/// A record that could not be folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The topic it lies on; its partition is the shard.
    pub topic: Topic,
    /// Its offset.
    pub offset: u64,
    /// What kind of reason it is.
    pub kind: RejectKind,
    /// Why, and what to do.
    pub reason: String,
    /// The record's own time.
    pub timestamp: Millis,
}

pub(crate) fn encode_customer(c: &Customer) -> Result<Vec<u8>, StoreError> {
    encode(&CustomerRow {
        first_name: &c.first_name,
        last_name: &c.last_name,
        email: &c.email,
        phone: &c.phone,
    })
}

pub(crate) fn decode_customer(id: &[u8], row: &[u8]) -> Result<Customer, StoreError> {
    let r: CustomerRow<'_> = decode(row)?;
    Ok(Customer {
        customer_id: CustomerId::from_bytes(id).map_err(StoreError::corrupt)?,
        first_name: r.first_name.into(),
        last_name: r.last_name.into(),
        email: r.email.into(),
        phone: r.phone.into(),
    })
}

pub(crate) fn encode_order(o: &Order) -> Result<Vec<u8>, StoreError> {
    encode(&OrderRow {
        order_item_name: &o.order_item_name,
        order_place: &o.order_place,
        order_purchase_time: o.order_purchase_time.0,
    })
}

pub(crate) fn decode_order(customer: &[u8], order: &[u8], row: &[u8]) -> Result<Order, StoreError> {
    let order = see_order(order, row)?;
    let customer_id = CustomerId::from_bytes(customer).map_err(StoreError::corrupt)?;
    order.taken(customer_id)
}

/// An order of a customer as it lies in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenOrder<'a> {
    /// Its id.
    pub order_id: &'a str,
    /// What was ordered.
    pub order_item_name: &'a str,
    /// Where.
    pub order_place: &'a str,
    /// When.
    pub order_purchase_time: Millis,
}

impl SeenOrder<'_> {
    /// The same, as the order of that customer.
    pub(crate) fn taken(self, customer_id: CustomerId) -> Result<Order, StoreError> {
        Ok(Order {
            order_id: OrderId::new(self.order_id).map_err(StoreError::corrupt)?,
            customer_id,
            order_item_name: self.order_item_name.into(),
            order_place: self.order_place.into(),
            order_purchase_time: self.order_purchase_time,
        })
    }
}

pub(crate) fn see_order<'a>(order: &'a [u8], row: &'a [u8]) -> Result<SeenOrder<'a>, StoreError> {
    let r: OrderRow<'a> = decode(row)?;
    Ok(SeenOrder {
        order_id: std::str::from_utf8(order).map_err(StoreError::corrupt)?,
        order_item_name: r.order_item_name,
        order_place: r.order_place,
        order_purchase_time: Millis(r.order_purchase_time),
    })
}

pub(crate) fn encode_greeting(g: &Greeting) -> Result<Vec<u8>, StoreError> {
    encode(&GreetingRow { message: &g.message, timestamp: g.timestamp.0 })
}

pub(crate) fn decode_greeting(id: &[u8], row: &[u8]) -> Result<Greeting, StoreError> {
    let r: GreetingRow<'_> = decode(row)?;
    Ok(Greeting {
        greeting_id: GreetingId::from_bytes(id).map_err(StoreError::corrupt)?,
        message: r.message.into(),
        timestamp: Millis(r.timestamp),
    })
}

pub(crate) fn encode_reject(
    kind: RejectKind,
    reason: &str,
    timestamp: i64,
) -> Result<Vec<u8>, StoreError> {
    encode(&RejectRow { reason, timestamp, kind })
}

pub(crate) fn decode_reject(topic: Topic, offset: u64, row: &[u8]) -> Result<Reject, StoreError> {
    let r: RejectRow<'_> = decode(row)?;
    let (reason, timestamp) = (r.reason.into(), Millis(r.timestamp));
    Ok(Reject { topic, offset, kind: r.kind, reason, timestamp })
}

pub(crate) fn encode<T: Serialize>(row: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(96);
    bytes.push(LAYOUT);
    postcard::to_extend(row, bytes).map_err(StoreError::corrupt)
}

pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&LAYOUT, row)) => postcard::from_bytes(row).map_err(StoreError::corrupt),
        _ => Err(StoreError::OtherLayout(bytes.first().copied())),
    }
}
