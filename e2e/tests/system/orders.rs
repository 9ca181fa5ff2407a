//! An order is named by customer and order id together, and found by the order id where that is
//! enough.

use tandem_proto::v1::{GetCustomerOrdersRequest, GetOrderRequest, UpdateOrderRequest};
use tonic::Code;

use tandem_e2e::{
    instances::{holders, three},
    launch::Launch,
    services::Services,
    told::told,
    wire::{order, order_as_of},
};

#[tokio::test]
async fn an_order_is_found_by_its_id_alone_while_only_one_customer_has_it() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    is_found_while_only_one_has_it(&tandem).await;
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn an_order_is_found_by_its_id_alone_wherever_it_is() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    holders(&instances).await;
    is_found_while_only_one_has_it(&Services::in_turn(&instances)).await;
    for n in 0..12 {
        // Who has the row is named, and only one that was not called was passed on to.
        let (of, id) = (format!("e-{n}"), format!("e-{n}"));
        let receipt = tandem.place(order(&of, &id, "Engine")).await.receipt;
        let asked = order_as_of(&of, &id, &receipt);
        let direct = tandem.queries().get_order(asked).await.unwrap().into_inner();
        let holder = direct.served.unwrap().instance_id;
        for instance in &instances {
            let alone = order_as_of("", &id, &receipt);
            let found = instance.queries().get_order(alone).await.unwrap().into_inner();
            let (served, own_id) = (found.served.unwrap(), instance.own_id().await);
            assert_eq!(found.order, direct.order);
            assert_eq!((&served.instance_id, served.forwarded), (&holder, own_id != holder));
        }
    }
    tandem.stop(&[]).await;
}

async fn is_found_while_only_one_has_it(tandem: &Services) {
    // Enough customers that some pairs share a shard and some do not.
    for n in 0..12 {
        let (one, other, id) = (format!("c-{n}"), format!("d-{n}"), format!("o-{n}"));
        let placed = tandem.place(order(&one, &id, "Engine")).await;
        let alone = order_as_of("", &id, &placed.receipt);
        let found = tandem.queries().get_order(alone).await.unwrap().into_inner().order;
        assert_eq!(found, placed.order);

        let second = tandem.place(order(&other, &id, "Tea")).await;
        let refused = told(tandem.queries().get_order(order_as_of("", &id, &second.receipt)).await);
        refused.is(Code::FailedPrecondition, "ORDER_ID_AMBIGUOUS");
        assert_eq!(refused.metadata["order_id"], id);
        for (customer, expected) in [(&one, &placed.order), (&other, &second.order)] {
            let asked = order_as_of(customer, &id, &second.receipt);
            let found = tandem.queries().get_order(asked).await.unwrap().into_inner().order;
            assert_eq!(found, *expected);
        }

        let cancelled = tandem.cancel(&one, &id).await;
        let found = tandem.queries().get_order(order_as_of("", &id, &cancelled)).await.unwrap();
        assert_eq!(found.into_inner().order, second.order);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let mut queries = tandem.queries();
    let receipt = tandem.place(order("ada", "o-1", "Engine")).await.receipt;
    for (customer, id) in [("", "o-2"), ("ada", "o-2"), ("bob", "o-1")] {
        let refused = told(queries.get_order(order_as_of(customer, id, &receipt)).await);
        refused.is(Code::NotFound, "ORDER_NOT_FOUND");
        assert_eq!(refused.metadata["order_id"], id);
    }
    let bob = || "bob".to_owned();
    let asked =
        GetCustomerOrdersRequest { customer_id: bob(), ..GetCustomerOrdersRequest::default() };
    let refused = told(queries.get_customer_orders(asked).await);
    refused.is(Code::NotFound, "CUSTOMER_NOT_FOUND");
    let asked = GetOrderRequest { customer_id: bob(), ..GetOrderRequest::default() };
    told(queries.get_order(asked).await).names(&["order_id"]);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn an_updated_order_keeps_the_time_of_its_purchase() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let placed = tandem.place(order("ada", "o-1", "Engine")).await.order.unwrap();
    let update = UpdateOrderRequest {
        order_id: "o-1".into(),
        customer_id: "ada".into(),
        order_item_name: "Cards".into(),
        ..UpdateOrderRequest::default()
    };
    let updated = tandem.commands().update_order(update).await.unwrap().into_inner();
    assert_eq!(updated.order.unwrap().order_purchase_time, None);
    let [found] = tandem.orders_of("ada", &updated.receipt).await.orders.try_into().unwrap();
    assert_eq!((&*found.order_item_name, &*found.order_place), ("Cards", ""));
    assert_eq!(found.order_purchase_time, placed.order_purchase_time);
    tandem.stop(&[]).await;
}
