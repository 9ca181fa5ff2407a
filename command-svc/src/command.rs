//! Commands as they are after parsing: every field keeps its rules by type.

use tandem_domain::{Customer, CustomerId, GreetingId, OrderId};
use uuid::Uuid;

/// A command that can be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// What makes sending the command again safe.
    pub(crate) request_id: Option<Uuid>,
    /// What is asked for.
    pub(crate) wish: Wish,
}

/// What a command asks for. An id that is `None` is made when the command is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    CreateCustomer { customer_id: Option<CustomerId>, person: Person },
    UpdateCustomer(Customer),
    RemoveCustomer(CustomerId),
    PlaceOrder { order_id: Option<OrderId>, customer_id: CustomerId, goods: Goods },
    UpdateOrder { order_id: OrderId, customer_id: CustomerId, goods: Goods },
    CancelOrder { order_id: OrderId, customer_id: CustomerId },
    SendGreeting { greeting_id: Option<GreetingId>, message: String },
}

/// What a customer is, apart from its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
}

impl Person {
    pub(crate) fn called(self, customer_id: CustomerId) -> Customer {
        let Self { first_name, last_name, email, phone } = self;
        Customer { customer_id, first_name, last_name, email, phone }
    }
}

/// What is ordered, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Goods {
    pub(crate) item_name: String,
    pub(crate) place: String,
}

impl Wish {
    /// The method that asks for it. Ids are made from this name, so it must never change.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Wish::CreateCustomer { .. } => "CreateCustomer",
            Wish::UpdateCustomer(_) => "UpdateCustomer",
            Wish::RemoveCustomer(_) => "RemoveCustomer",
            Wish::PlaceOrder { .. } => "PlaceOrder",
            Wish::UpdateOrder { .. } => "UpdateOrder",
            Wish::CancelOrder { .. } => "CancelOrder",
            Wish::SendGreeting { .. } => "SendGreeting",
        }
    }
}
