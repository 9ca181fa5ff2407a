//! What was written, as the contract's messages.

use prost_types::Timestamp;
use tandem_domain::{CustomerEvent, Event, Millis, OrderEvent};
use tandem_proto::v1;

/// The customer that the event states, if it states one.
pub(crate) fn customer(event: Event) -> Option<v1::Customer> {
    let Event::Customer(CustomerEvent::Registered(c) | CustomerEvent::Updated(c)) = event else {
        return None;
    };
    Some(v1::Customer {
        customer_id: c.customer_id.into(),
        first_name: c.first_name,
        last_name: c.last_name,
        email: c.email,
        phone: c.phone,
    })
}

/// The order that the event states, if it states one. The purchase time is left out of an update:
/// the one in the event is only for an order that is not there yet, which the view alone knows.
pub(crate) fn order(event: Event) -> Option<v1::Order> {
    let (o, placed) = match event {
        Event::Order(OrderEvent::Placed(o)) => (o, true),
        Event::Order(OrderEvent::Updated(o)) => (o, false),
        _ => return None,
    };
    Some(v1::Order {
        order_id: o.order_id.into(),
        customer_id: o.customer_id.into(),
        order_item_name: o.order_item_name,
        order_place: o.order_place,
        order_purchase_time: placed.then(|| timestamp(o.order_purchase_time)),
    })
}

/// The greeting that the event states, if it states one.
pub(crate) fn greeting(event: Event) -> Option<v1::Greeting> {
    let Event::Greeting(g) = event else { return None };
    Some(v1::Greeting {
        greeting_id: g.greeting_id.into(),
        message: g.message,
        timestamp: Some(timestamp(g.timestamp)),
    })
}

pub(crate) fn timestamp(Millis(ms): Millis) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "below a thousand million")]
    let nanos = (ms.rem_euclid(1000) * 1_000_000) as i32;
    Timestamp { seconds: ms.div_euclid(1000), nanos }
}
