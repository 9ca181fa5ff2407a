//! What happened: the events that commands write and the view is folded from.

use crate::{Customer, CustomerId, GreetingId, Millis, Order, OrderId};
use serde::{Deserialize, Serialize};

/// The topics that events live on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Customer events, keyed by customer id.
    Customer,
    /// Order events, keyed by **customer** id, so that an order lies beside its customer.
    Order,
    /// Greetings, keyed by greeting id.
    Greetings,
}

impl Topic {
    /// All of them, in the order in which shards read them.
    pub const ALL: [Topic; 3] = [Topic::Customer, Topic::Order, Topic::Greetings];

    /// The topic's name on the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Topic::Customer => "customer",
            Topic::Order => "order",
            Topic::Greetings => "greetings",
        }
    }

    /// The topic of that name, if it is one of these.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Topic> {
        Topic::ALL.into_iter().find(|t| t.name() == name)
    }
}

/// Any event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// About a customer.
    Customer(CustomerEvent),
    /// About an order.
    Order(OrderEvent),
    /// A greeting.
    Greeting(GreetingSent),
}

/// What can happen to a customer. Both full-state events replace whatever was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerEvent {
    /// A customer is there now, with this state.
    Registered(Customer),
    /// A customer has this state now.
    Updated(Customer),
    /// The customer is gone. Its orders stay, with blank customer fields in the joined view.
    Removed(CustomerId),
}

/// What can happen to an order. Both full-state events replace whatever was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEvent {
    /// An order was placed.
    Placed(Order),
    /// An order has this state now. Its purchase time stays that of the order as first folded.
    Updated(Order),
    /// The order is gone.
    Cancelled {
        /// Whose order.
        customer_id: CustomerId,
        /// Which order.
        order_id: OrderId,
    },
}

/// A greeting as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// Which greeting.
    pub greeting_id: GreetingId,
    /// What was said.
    pub message: String,
    /// When, set by the command service.
    pub timestamp: Millis,
}

/// A greeting was sent; it carries the whole greeting.
pub type GreetingSent = Greeting;

impl Event {
    /// The topic that this event belongs on.
    #[must_use]
    pub fn topic(&self) -> Topic {
        match self {
            Event::Customer(_) => Topic::Customer,
            Event::Order(_) => Topic::Order,
            Event::Greeting(_) => Topic::Greetings,
        }
    }

    /// The record key: the customer id, or the greeting id. Where a record lies follows from it.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Event::Customer(CustomerEvent::Registered(c) | CustomerEvent::Updated(c)) => {
                c.customer_id.as_str()
            }
            Event::Customer(CustomerEvent::Removed(id)) => id.as_str(),
            Event::Order(OrderEvent::Placed(o) | OrderEvent::Updated(o)) => o.customer_id.as_str(),
            Event::Order(OrderEvent::Cancelled { customer_id, .. }) => customer_id.as_str(),
            Event::Greeting(g) => g.greeting_id.as_str(),
        }
    }

    /// The name of the event's Avro record; its CloudEvents `type` is that behind `tandem.v1.`.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Event::Customer(CustomerEvent::Registered(_)) => "CustomerRegistered",
            Event::Customer(CustomerEvent::Updated(_)) => "CustomerUpdated",
            Event::Customer(CustomerEvent::Removed(_)) => "CustomerRemoved",
            Event::Order(OrderEvent::Placed(_)) => "OrderPlaced",
            Event::Order(OrderEvent::Updated(_)) => "OrderUpdated",
            Event::Order(OrderEvent::Cancelled { .. }) => "OrderCancelled",
            Event::Greeting(_) => "GreetingSent",
        }
    }
}
