//! What Tandem is about, without I/O and without a clock: customers, orders and greetings, the
//! events that change them, and the rules by which an event changes a row.
//!
//! Ids are checked once, where they enter ([`CustomerId::new`] and its kin); everything behind
//! that point may rely on them. Rows are folded by [`fold`], a pure function.

mod event;
mod fold;
mod ids;
mod text;

pub use event::{CustomerEvent, Event, Greeting, GreetingSent, OrderEvent, Topic};
pub use fold::{CustomerChange, NoSuchRow, OrderChange, fold_customer, fold_order};
pub use ids::{CustomerId, EventId, GreetingId, IdFault, MAX_ID_BYTES, OrderId};
pub use text::{MAX_TEXT_BYTES, TextFault, check_text};

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Millis(pub i64);

/// A customer, as the last event about it states it. Empty text means "not given".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Who this is; also the record key of everything about this customer.
    pub customer_id: CustomerId,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Mail address, as given; not verified.
    pub email: String,
    /// Telephone number, as given.
    pub phone: String,
}

/// An order. It is identified by customer *and* order id: the same order id under two customers
/// is two orders, because the two may lie in different shards that know nothing of each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The order's id, unique within its customer.
    pub order_id: OrderId,
    /// Whose order it is; may be a customer that has not been registered (yet).
    pub customer_id: CustomerId,
    /// What was ordered.
    pub order_item_name: String,
    /// Where it was ordered.
    pub order_place: String,
    /// When it was ordered, set by the command service.
    pub order_purchase_time: Millis,
}
