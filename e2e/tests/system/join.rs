//! The joined view: orders and customers find each other, in whatever order they come.

use tandem_proto::v1::{
    Customer, CustomerOrder, GetCustomerOrdersResponse, ListCustomerOrdersRequest,
    UpdateCustomerRequest,
};

use tandem_e2e::{
    launch::Launch,
    tandem::Tandem,
    wire::{as_of, customer, order},
};

/// A customer with its orders, which the list of all joined rows has to agree with.
async fn view(tandem: &Tandem, id: &str, receipt: &str) -> GetCustomerOrdersResponse {
    let answer = tandem.orders_of(id, receipt).await;
    let asked = ListCustomerOrdersRequest {
        freshness: as_of(receipt),
        ..ListCustomerOrdersRequest::default()
    };
    let listed = tandem.queries().list_customer_orders(asked).await.unwrap().into_inner();
    let rows = listed.customer_orders.into_iter().filter(|row| row.customer_id == id);
    let joined = answer.customer.clone().unwrap();
    let expected = answer.orders.iter().cloned().map(|order| CustomerOrder {
        customer_id: joined.customer_id.clone(),
        first_name: joined.first_name.clone(),
        last_name: joined.last_name.clone(),
        email: joined.email.clone(),
        phone: joined.phone.clone(),
        order_id: order.order_id,
        order_item_name: order.order_item_name,
        order_place: order.order_place,
        order_purchase_time: order.order_purchase_time,
    });
    assert_eq!(rows.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    answer
}

fn blank(id: &str) -> Option<Customer> {
    Some(Customer { customer_id: id.into(), ..Customer::default() })
}

fn order_ids(answer: &GetCustomerOrdersResponse) -> Vec<&str> {
    answer.orders.iter().map(|order| &*order.order_id).collect()
}

#[tokio::test]
async fn an_order_placed_before_its_customer_shows_blank_names_and_full_ones_after() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let placed = tandem.place(order("ada", "o-1", "Engine")).await;
    let before = view(&tandem, "ada", &placed.receipt).await;
    assert!(!before.registered);
    assert_eq!((before.customer, &before.orders), (blank("ada"), &vec![placed.order.unwrap()]));

    let created = tandem.create(customer("ada", "Ada")).await;
    let after = view(&tandem, "ada", &created.receipt).await;
    assert!(after.registered);
    assert_eq!((after.customer, after.orders), (created.customer, before.orders));
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn an_updated_customer_shows_in_all_its_orders_and_a_removed_one_in_none() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    tandem.create(customer("ada", "Ada")).await;
    tandem.create(customer("ad", "Neighbour")).await;
    for id in ["o-1", "o-2", "o-3"] {
        tandem.place(order("ada", id, "Engine")).await;
    }
    tandem.place(order("ad", "o-1", "Tea")).await;

    let updated = UpdateCustomerRequest {
        customer_id: "ada".into(),
        first_name: "Augusta".into(),
        last_name: "King".into(),
        ..UpdateCustomerRequest::default()
    };
    let updated = tandem.commands().update_customer(updated).await.unwrap().into_inner();
    let after = view(&tandem, "ada", &updated.receipt).await;
    let shown = after.customer.as_ref().unwrap();
    assert_eq!((&*shown.first_name, &*shown.last_name), ("Augusta", "King"));
    assert_eq!((&*shown.email, &*shown.phone), ("", ""), "an update states every field anew");
    assert_eq!(order_ids(&after), ["o-1", "o-2", "o-3"]);

    let receipt = tandem.remove("ada").await;
    let after = view(&tandem, "ada", &receipt).await;
    assert_eq!((after.registered, after.customer.clone()), (false, blank("ada")));
    assert_eq!(order_ids(&after), ["o-1", "o-2", "o-3"]);

    let neighbour = view(&tandem, "ad", &receipt).await;
    assert_eq!(neighbour.customer.unwrap().first_name, "Neighbour");
    tandem.stop(&[]).await;
}
