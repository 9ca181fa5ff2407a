//! Every field of every command: what it may be, what it may not, and that all faults are told.

use super::*;
use tandem_domain::Customer;

const UUID: &str = "018f0c5c-1e9d-7b4f-8a2c-736d17be490f";

/// The fields that a request's faults name, in their order.
fn faulty(parsed: Parsed) -> Vec<(String, String)> {
    parsed.unwrap_err().into_iter().map(|f| (f.field, f.description)).collect()
}

fn named(parsed: Parsed) -> Vec<String> {
    faulty(parsed).into_iter().map(|(field, _)| field).collect()
}

fn long() -> String {
    "x".repeat(4097)
}

#[test]
fn good_requests_become_commands() {
    let id = |text: &str| CustomerId::new(text).unwrap();
    let ada = || Person {
        first_name: "Ada".into(),
        last_name: "L".into(),
        email: String::new(),
        phone: "1".into(),
    };
    let request_id = Some(Uuid::parse_str(UUID).unwrap());
    let create = v1::CreateCustomerRequest {
        customer_id: String::new(),
        first_name: "Ada".into(),
        last_name: "L".into(),
        email: String::new(),
        phone: "1".into(),
        request_id: UUID.into(),
    };
    let wish = Wish::CreateCustomer { customer_id: None, person: ada() };
    assert_eq!(create_customer(create.clone()), Ok(Command { request_id, wish }));
    let given = v1::CreateCustomerRequest { customer_id: "c".into(), ..create.clone() };
    let wish = Wish::CreateCustomer { customer_id: Some(id("c")), person: ada() };
    assert_eq!(create_customer(given), Ok(Command { request_id, wish }));
    let update = v1::UpdateCustomerRequest {
        customer_id: "c".into(),
        first_name: create.first_name,
        last_name: create.last_name,
        email: create.email,
        phone: create.phone,
        request_id: String::new(),
    };
    let customer = Customer {
        customer_id: id("c"),
        first_name: "Ada".into(),
        last_name: "L".into(),
        email: String::new(),
        phone: "1".into(),
    };
    let wish = Wish::UpdateCustomer(customer);
    assert_eq!(update_customer(update), Ok(Command { request_id: None, wish }));
    let remove = v1::RemoveCustomerRequest { customer_id: "c".into(), request_id: UUID.into() };
    let wish = Wish::RemoveCustomer(id("c"));
    assert_eq!(remove_customer(remove), Ok(Command { request_id, wish }));
}

#[test]
fn good_orders_and_greetings_become_commands() {
    let customer_id = CustomerId::new("c").unwrap();
    let order_id = OrderId::new("o").unwrap();
    let goods = || Goods { item_name: "tea".into(), place: "Bonn".into() };
    let place = v1::PlaceOrderRequest {
        customer_id: "c".into(),
        order_item_name: "tea".into(),
        order_place: "Bonn".into(),
        ..Default::default()
    };
    let wish =
        Wish::PlaceOrder { order_id: None, customer_id: customer_id.clone(), goods: goods() };
    assert_eq!(place_order(place.clone()), Ok(Command { request_id: None, wish }));
    let update = v1::UpdateOrderRequest {
        order_id: "o".into(),
        customer_id: place.customer_id,
        order_item_name: place.order_item_name,
        order_place: place.order_place,
        request_id: String::new(),
    };
    let ids = (order_id.clone(), customer_id.clone());
    let wish = Wish::UpdateOrder { order_id: ids.0, customer_id: ids.1, goods: goods() };
    assert_eq!(update_order(update), Ok(Command { request_id: None, wish }));
    let cancel = v1::CancelOrderRequest {
        order_id: "o".into(),
        customer_id: "c".into(),
        ..Default::default()
    };
    let wish = Wish::CancelOrder { order_id, customer_id };
    assert_eq!(cancel_order(cancel), Ok(Command { request_id: None, wish }));
    let greet = v1::SendGreetingRequest { message: "hi".into(), ..Default::default() };
    let wish = Wish::SendGreeting { greeting_id: None, message: "hi".into() };
    assert_eq!(send_greeting(greet), Ok(Command { request_id: None, wish }));
}

#[test]
fn an_empty_request_names_every_required_field() {
    assert_eq!(named(create_customer(Default::default())), ["first_name", "last_name"]);
    assert_eq!(
        named(update_customer(Default::default())),
        ["customer_id", "first_name", "last_name"]
    );
    assert_eq!(named(remove_customer(Default::default())), ["customer_id"]);
    assert_eq!(named(place_order(Default::default())), ["customer_id", "order_item_name"]);
    assert_eq!(
        named(update_order(Default::default())),
        ["order_id", "customer_id", "order_item_name"]
    );
    assert_eq!(named(cancel_order(Default::default())), ["order_id", "customer_id"]);
    assert_eq!(named(send_greeting(Default::default())), ["message"]);
}

#[test]
fn a_faulty_customer_names_every_field() {
    let all = ["request_id", "customer_id", "first_name", "last_name", "email", "phone"];
    let create = v1::CreateCustomerRequest {
        customer_id: "a\nb".into(),
        first_name: " ".into(),
        last_name: long(),
        email: long(),
        phone: long(),
        request_id: "7".into(),
    };
    assert_eq!(named(create_customer(create.clone())), all);
    let update = v1::UpdateCustomerRequest {
        customer_id: "x".repeat(129),
        first_name: create.first_name,
        last_name: create.last_name,
        email: create.email,
        phone: create.phone,
        request_id: create.request_id,
    };
    assert_eq!(named(update_customer(update)), all);
    let remove = v1::RemoveCustomerRequest { customer_id: "\0".into(), request_id: "x".into() };
    assert_eq!(named(remove_customer(remove)), ["request_id", "customer_id"]);
}

#[test]
fn a_faulty_order_names_every_field() {
    let all = ["request_id", "order_id", "customer_id", "order_item_name", "order_place"];
    let place = v1::PlaceOrderRequest {
        order_id: "\u{85}".into(),
        customer_id: "\u{7f}".into(),
        order_item_name: String::new(),
        order_place: long(),
        request_id: "x".into(),
    };
    assert_eq!(named(place_order(place.clone())), all);
    let update = v1::UpdateOrderRequest {
        order_id: place.order_id.clone(),
        customer_id: place.customer_id.clone(),
        order_item_name: place.order_item_name,
        order_place: place.order_place,
        request_id: place.request_id.clone(),
    };
    assert_eq!(named(update_order(update)), all);
    let cancel = v1::CancelOrderRequest {
        order_id: place.order_id,
        customer_id: place.customer_id,
        request_id: place.request_id,
    };
    assert_eq!(named(cancel_order(cancel)), ["request_id", "order_id", "customer_id"]);
    let greet = v1::SendGreetingRequest {
        greeting_id: "\t".into(),
        message: long(),
        request_id: "x".into(),
    };
    assert_eq!(named(send_greeting(greet)), ["request_id", "greeting_id", "message"]);
}

#[test]
fn faults_say_what_to_do() {
    let remove = |customer_id: &str, request_id: &str| {
        let (customer_id, request_id) = (customer_id.into(), request_id.into());
        faulty(remove_customer(v1::RemoveCustomerRequest { customer_id, request_id }))
    };
    let fault = |field: &str, text: &str| vec![(field.to_owned(), text.to_owned())];
    assert_eq!(remove("", ""), fault("customer_id", "must not be empty"));
    assert_eq!(
        remove("a\nb", ""),
        fault("customer_id", "has a control character at byte 1; remove it")
    );
    assert_eq!(remove("c", "17"), fault("request_id", "is not a UUID"));
    assert_eq!(
        remove("c", &Uuid::nil().to_string()),
        fault("request_id", "must not be the nil UUID; make a new one per request")
    );
}
