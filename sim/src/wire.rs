//! Rows as they look in answers, made from the plain fold.

use prost_types::Timestamp;
use tandem_domain::{Customer, Greeting, Millis, Order};
use tandem_proto::v1;

use crate::ledger::Rows;

pub(crate) fn customer(c: &Customer) -> v1::Customer {
    v1::Customer {
        customer_id: c.customer_id.as_str().into(),
        first_name: c.first_name.clone(),
        last_name: c.last_name.clone(),
        email: c.email.clone(),
        phone: c.phone.clone(),
    }
}

pub(crate) fn order(o: &Order) -> v1::Order {
    v1::Order {
        order_id: o.order_id.as_str().into(),
        customer_id: o.customer_id.as_str().into(),
        order_item_name: o.order_item_name.clone(),
        order_place: o.order_place.clone(),
        order_purchase_time: Some(time(o.order_purchase_time)),
    }
}

pub(crate) fn joined(rows: &Rows, o: &Order) -> v1::CustomerOrder {
    let c = rows.customers.get(o.customer_id.as_str()).map(customer).unwrap_or_default();
    let o = order(o);
    v1::CustomerOrder {
        customer_id: o.customer_id,
        first_name: c.first_name,
        last_name: c.last_name,
        email: c.email,
        phone: c.phone,
        order_id: o.order_id,
        order_item_name: o.order_item_name,
        order_place: o.order_place,
        order_purchase_time: o.order_purchase_time,
    }
}

pub(crate) fn greeting(g: &Greeting) -> v1::Greeting {
    v1::Greeting {
        greeting_id: g.greeting_id.as_str().into(),
        message: g.message.clone(),
        timestamp: Some(time(g.timestamp)),
    }
}

/// A customer and its orders: what both the document and the watched one say.
pub(crate) type Document = (v1::Customer, bool, Vec<v1::Order>);

pub(crate) fn document(rows: &Rows, id: &str) -> Document {
    let known = rows.customers.get(id);
    let blank = || v1::Customer { customer_id: id.into(), ..v1::Customer::default() };
    let orders = rows.orders_of(id).map(order).collect();
    (known.map_or_else(blank, customer), known.is_some(), orders)
}

#[allow(clippy::cast_possible_truncation)] // the remainder is below 1,000
fn time(ms: Millis) -> Timestamp {
    Timestamp { seconds: ms.0.div_euclid(1000), nanos: ms.0.rem_euclid(1000) as i32 * 1_000_000 }
}
