//! A command sent again with the same `request_id`: the same ids, and one effect.

use tandem_proto::v1::{
    CreateCustomerRequest, GetCustomerRequest, ListGreetingsRequest, ListRejectsRequest,
    PlaceOrderRequest, SendGreetingRequest, UpdateOrderRequest,
};
use tonic::Code;

use tandem_e2e::{
    launch::Launch,
    told::told,
    wire::{as_of, customer, customer_as_of, order, order_as_of, request_id},
};

fn with_id(request: PlaceOrderRequest) -> PlaceOrderRequest {
    PlaceOrderRequest { request_id: request_id(), ..request }
}

#[tokio::test]
async fn a_repeated_command_yields_the_same_ids_and_one_effect() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let asked = with_id(order("ada", "", "Engine"));
    let first = tandem.place(asked.clone()).await.order.unwrap();
    let again = tandem.place(asked).await;
    assert!(!first.order_id.is_empty());
    assert_eq!(again.order.unwrap().order_id, first.order_id);
    assert_eq!(tandem.orders_of("ada", &again.receipt).await.orders, [first]);

    let asked = CreateCustomerRequest { request_id: request_id(), ..customer("", "Ada") };
    let first = tandem.create(asked.clone()).await.customer.unwrap();
    let again = tandem.create(asked.clone()).await.customer.unwrap();
    let other = tandem.create(CreateCustomerRequest { request_id: request_id(), ..asked }).await;
    assert_eq!(first, again);
    assert_ne!(first.customer_id, other.customer.unwrap().customer_id);

    let (message, request_id) = ("Hello".into(), request_id());
    let asked = SendGreetingRequest { greeting_id: String::new(), message, request_id };
    let first = tandem.commands().send_greeting(asked.clone()).await.unwrap().into_inner();
    let again = tandem.commands().send_greeting(asked).await.unwrap().into_inner();
    let freshness = as_of(&again.receipt);
    let asked = ListGreetingsRequest { freshness, ..ListGreetingsRequest::default() };
    let greetings = tandem.queries().list_greetings(asked).await.unwrap().into_inner().greetings;
    assert_eq!(greetings, [first.greeting.unwrap()]);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_repeated_command_does_not_undo_what_came_between() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let asked = with_id(order("ada", "cancelled", "Engine"));
    tandem.place(asked.clone()).await;
    tandem.cancel("ada", "cancelled").await;
    let again = tandem.place(asked).await.receipt;
    let found = tandem.queries().get_order(order_as_of("ada", "cancelled", &again)).await;
    told(found).is(Code::NotFound, "ORDER_NOT_FOUND");

    let asked = with_id(order("ada", "updated", "Engine"));
    tandem.place(asked.clone()).await;
    let update = UpdateOrderRequest {
        order_id: "updated".into(),
        customer_id: "ada".into(),
        order_item_name: "Cards".into(),
        ..UpdateOrderRequest::default()
    };
    tandem.commands().update_order(update).await.unwrap();
    let again = tandem.place(asked).await.receipt;
    let found = tandem.queries().get_order(order_as_of("ada", "updated", &again)).await.unwrap();
    assert_eq!(found.into_inner().order.unwrap().order_item_name, "Cards");

    let asked = CreateCustomerRequest { request_id: request_id(), ..customer("ada", "Ada") };
    tandem.create(asked.clone()).await;
    tandem.remove("ada").await;
    let again = tandem.create(asked).await.receipt;
    let found = tandem.queries().get_customer(customer_as_of("ada", &again)).await;
    told(found).is(Code::NotFound, "CUSTOMER_NOT_FOUND");

    let asked = ListRejectsRequest { freshness: as_of(&again), ..ListRejectsRequest::default() };
    let rejects = tandem.queries().list_rejects(asked).await.unwrap().into_inner().rejects;
    assert_eq!(rejects, [], "a repeated event is no fault");
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_repeated_command_has_one_effect_across_a_crash() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let asked = with_id(order("ada", "", "Engine"));
    let placed = tandem.place(asked.clone()).await.order.unwrap();
    tandem.cancel("ada", &placed.order_id).await;
    tandem.kill9();

    let tandem = Launch::on(data.path()).start().await;
    let again = tandem.place(asked).await;
    assert_eq!(again.order.unwrap().order_id, placed.order_id);
    let asked = order_as_of("ada", &placed.order_id, &again.receipt);
    told(tandem.queries().get_order(asked).await).is(Code::NotFound, "ORDER_NOT_FOUND");
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_request_id_that_is_none_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    for wrong in ["1", "not-a-uuid", "00000000-0000-0000-0000-000000000000"] {
        let asked = CreateCustomerRequest { request_id: wrong.into(), ..customer("ada", "Ada") };
        told(tandem.commands().create_customer(asked).await).names(&["request_id"]);
    }
    let asked = GetCustomerRequest { customer_id: "ada".into(), freshness: None };
    told(tandem.queries().get_customer(asked).await).is(Code::NotFound, "CUSTOMER_NOT_FOUND");
    tandem.stop(&[]).await;
}
