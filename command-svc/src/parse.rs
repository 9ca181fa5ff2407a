//! Requests become commands, or the list of everything that is wrong with them.

use crate::command::{Command, Goods, Person, Wish};
use std::fmt::Display;
use tandem_domain::{CustomerId, GreetingId, OrderId, check_text};
use tandem_proto::v1;
use tandem_service::status::FieldFault;
use uuid::Uuid;

/// A command, or all faulty fields of the request.
pub(crate) type Parsed = Result<Command, Vec<FieldFault>>;

pub(crate) fn create_customer(r: v1::CreateCustomerRequest) -> Parsed {
    let mut form = Form::new(&r.request_id);
    let customer_id = form.id_or_none("customer_id", r.customer_id, CustomerId::new);
    let person = form.person(r.first_name, r.last_name, r.email, r.phone);
    form.done(Some(Wish::CreateCustomer { customer_id, person }))
}

pub(crate) fn update_customer(r: v1::UpdateCustomerRequest) -> Parsed {
    let mut form = Form::new(&r.request_id);
    let customer_id = form.id("customer_id", r.customer_id, CustomerId::new);
    let person = form.person(r.first_name, r.last_name, r.email, r.phone);
    form.done(customer_id.map(|id| Wish::UpdateCustomer(person.called(id))))
}

pub(crate) fn remove_customer(r: v1::RemoveCustomerRequest) -> Parsed {
    let mut form = Form::new(&r.request_id);
    let customer_id = form.id("customer_id", r.customer_id, CustomerId::new);
    form.done(customer_id.map(Wish::RemoveCustomer))
}

pub(crate) fn place_order(r: v1::PlaceOrderRequest) -> Parsed {
    let mut form = Form::new(&r.request_id);
    let order_id = form.id_or_none("order_id", r.order_id, OrderId::new);
    let customer_id = form.id("customer_id", r.customer_id, CustomerId::new);
    let goods = form.goods(r.order_item_name, r.order_place);
    form.done(customer_id.map(|customer_id| Wish::PlaceOrder { order_id, customer_id, goods }))
}

pub(crate) fn update_order(r: v1::UpdateOrderRequest) -> Parsed {
    let mut form = Form::new(&r.request_id);
    let order_id = form.id("order_id", r.order_id, OrderId::new);
    let customer_id = form.id("customer_id", r.customer_id, CustomerId::new);
    let goods = form.goods(r.order_item_name, r.order_place);
    let ids = order_id.zip(customer_id);
    form.done(ids.map(|(order_id, customer_id)| Wish::UpdateOrder { order_id, customer_id, goods }))
}

pub(crate) fn cancel_order(r: v1::CancelOrderRequest) -> Parsed {
    let mut form = Form::new(&r.request_id);
    let order_id = form.id("order_id", r.order_id, OrderId::new);
    let customer_id = form.id("customer_id", r.customer_id, CustomerId::new);
    let ids = order_id.zip(customer_id);
    form.done(ids.map(|(order_id, customer_id)| Wish::CancelOrder { order_id, customer_id }))
}

pub(crate) fn send_greeting(r: v1::SendGreetingRequest) -> Parsed {
    let mut form = Form::new(&r.request_id);
    let greeting_id = form.id_or_none("greeting_id", r.greeting_id, GreetingId::new);
    let message = form.text("message", r.message, REQUIRED);
    form.done(Some(Wish::SendGreeting { greeting_id, message }))
}

const REQUIRED: bool = true;
const OPTIONAL: bool = false;

/// Takes a request's fields one by one and remembers every fault.
struct Form {
    request_id: Option<Uuid>,
    faults: Vec<FieldFault>,
}

impl Form {
    fn new(request_id: &str) -> Self {
        let mut form = Self { request_id: None, faults: Vec::new() };
        form.request_id = match request_id {
            "" => None,
            text => form.check("request_id", check_request_id(text)),
        };
        form
    }

    fn check<T, E: Display>(&mut self, field: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|fault| self.faults.push(FieldFault::new(field, fault))).ok()
    }

    fn id<T, E: Display>(
        &mut self,
        field: &str,
        text: String,
        id: fn(String) -> Result<T, E>,
    ) -> Option<T> {
        self.check(field, id(text))
    }

    /// An id that the service makes if it is not given.
    fn id_or_none<T, E: Display>(
        &mut self,
        field: &str,
        text: String,
        id: fn(String) -> Result<T, E>,
    ) -> Option<T> {
        if text.is_empty() { None } else { self.id(field, text, id) }
    }

    fn text(&mut self, field: &str, text: String, required: bool) -> String {
        self.check(field, check_text(&text, required));
        text
    }

    fn person(&mut self, first: String, last: String, email: String, phone: String) -> Person {
        Person {
            first_name: self.text("first_name", first, REQUIRED),
            last_name: self.text("last_name", last, REQUIRED),
            email: self.text("email", email, OPTIONAL),
            phone: self.text("phone", phone, OPTIONAL),
        }
    }

    fn goods(&mut self, item_name: String, place: String) -> Goods {
        Goods {
            item_name: self.text("order_item_name", item_name, REQUIRED),
            place: self.text("order_place", place, OPTIONAL),
        }
    }

    /// `wish` is `None` only if one of its ids is faulty, and then there is a fault.
    fn done(self, wish: Option<Wish>) -> Parsed {
        match wish {
            Some(wish) if self.faults.is_empty() => {
                Ok(Command { request_id: self.request_id, wish })
            }
            _ => Err(self.faults),
        }
    }
}

/// The nil UUID is what a forgotten field looks like in many languages. Taken as an id, it would
/// make all requests of such a caller one request.
fn check_request_id(text: &str) -> Result<Uuid, &'static str> {
    match Uuid::parse_str(text) {
        Ok(uuid) if uuid.is_nil() => Err("must not be the nil UUID; make a new one per request"),
        Ok(uuid) => Ok(uuid),
        Err(_) => Err("is not a UUID"),
    }
}

#[cfg(test)]
mod tests;
