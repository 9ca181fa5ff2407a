//! Ids are any text of 1 to 128 bytes without control characters, and each means itself only.

use tandem_proto::v1::{
    CancelOrderRequest, CreateCustomerRequest, GetCustomerOrdersRequest, GetCustomerRequest,
    GetOrderRequest, PlaceOrderRequest, SendGreetingRequest, UpdateOrderRequest,
};
use tonic::Code;

use tandem_e2e::{
    launch::Launch,
    told::told,
    wire::{customer, customer_as_of, order, order_as_of},
};

fn odd() -> Vec<String> {
    let texts = ["a/b", "C?x", "{x}", "ü", "..", " ", "%2F", "a", "aa", "a b", "a/", "\\0", "👩‍💻"];
    let longest = ["x".repeat(128), "x".repeat(127), "ü".repeat(64)];
    texts.map(str::to_owned).into_iter().chain(longest).collect()
}

#[tokio::test]
async fn odd_ids_reach_their_own_rows_only() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    for id in odd() {
        let named = format!("name of {id}");
        tandem.create(customer(&id, &named)).await;
        tandem.place(order(&id, &id, &named)).await;
    }
    for id in odd() {
        let named = format!("name of {id}");
        let receipt = tandem.place(order(&id, "second", &named)).await.receipt;
        let answer = tandem.orders_of(&id, &receipt).await;
        let found = answer.customer.unwrap();
        assert_eq!((&found.customer_id, &found.first_name), (&id, &named));
        let items = answer.orders.iter().map(|o| (&*o.customer_id, &*o.order_item_name));
        assert_eq!(items.collect::<Vec<_>>(), [(&*id, &*named); 2]);
        let alone = GetOrderRequest { order_id: id.clone(), ..GetOrderRequest::default() };
        let answer = tandem.queries().get_order(alone).await.unwrap().into_inner();
        assert_eq!(answer.order.unwrap().order_item_name, named);
    }
    let receipt = tandem.cancel("a", "a").await;
    assert_eq!(tandem.orders_of("a", &receipt).await.orders.len(), 1);
    let receipt = tandem.remove("a").await;
    let gone = tandem.queries().get_customer(customer_as_of("a", &receipt)).await;
    told(gone).is(Code::NotFound, "CUSTOMER_NOT_FOUND");
    for id in odd().into_iter().filter(|id| id != "a") {
        tandem.queries().get_customer(customer_as_of(&id, &receipt)).await.unwrap();
        tandem.queries().get_order(order_as_of(&id, &id, &receipt)).await.unwrap();
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn ids_that_are_too_long_or_have_control_characters_are_refused_by_name() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let (mut commands, mut queries) = (tandem.commands(), tandem.queries());
    let long = ["x".repeat(129), "ü".repeat(65)];
    let control = ["a\0b", "\n", "tab\t", "\u{85}", "\u{7f}"].map(str::to_owned);
    for id in long.into_iter().chain(control) {
        told(commands.create_customer(customer(&id, "Ada")).await).names(&["customer_id"]);
        told(commands.place_order(order(&id, "o", "x")).await).names(&["customer_id"]);
        told(commands.place_order(order("c", &id, "x")).await).names(&["order_id"]);
        let (greeting_id, message) = (id.clone(), "Hello".into());
        let asked = SendGreetingRequest { greeting_id, message, request_id: String::new() };
        told(commands.send_greeting(asked).await).names(&["greeting_id"]);

        let asked = GetCustomerRequest { customer_id: id.clone(), freshness: None };
        told(queries.get_customer(asked).await).names(&["customer_id"]);
        let asked = GetOrderRequest { order_id: id, ..GetOrderRequest::default() };
        told(queries.get_order(asked).await).names(&["order_id"]);
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn all_faults_of_a_request_are_named_at_once() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let (mut commands, mut queries) = (tandem.commands(), tandem.queries());
    let long = "x".repeat(5_000);
    let asked = CreateCustomerRequest {
        customer_id: long.clone(),
        first_name: String::new(),
        last_name: "  ".into(),
        email: long.clone(),
        phone: long.clone(),
        request_id: "x".into(),
    };
    let refused = told(commands.create_customer(asked).await);
    refused.names(&["request_id", "customer_id", "first_name", "last_name", "email", "phone"]);
    let refused = told(commands.place_order(PlaceOrderRequest::default()).await);
    refused.names(&["customer_id", "order_item_name"]);
    let refused = told(commands.update_order(UpdateOrderRequest::default()).await);
    refused.names(&["order_id", "customer_id", "order_item_name"]);
    let refused = told(commands.cancel_order(CancelOrderRequest::default()).await);
    refused.names(&["order_id", "customer_id"]);

    let asked = GetCustomerOrdersRequest {
        customer_id: String::new(),
        page_size: -1,
        page_token: "x".into(),
        freshness: tandem_e2e::wire::as_of("x"),
    };
    let refused = told(queries.get_customer_orders(asked).await);
    refused.names(&["freshness.receipts[0]", "customer_id", "page_size", "page_token"]);
    let asked = GetOrderRequest {
        order_id: String::new(),
        customer_id: long,
        freshness: tandem_e2e::wire::as_of("x"),
    };
    let refused = told(queries.get_order(asked).await);
    refused.names(&["freshness.receipts[0]", "customer_id", "order_id"]);
    tandem.stop(&[]).await;
}
