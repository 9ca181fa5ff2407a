//! Lists in pages: each row once, in order, over all shards, whatever happens meanwhile.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::BTreeSet;
use tandem_eventlog::partition_for;
use tandem_proto::v1::{
    Freshness, GetCustomerOrdersRequest, ListCustomerOrdersRequest, ListCustomersRequest,
    ListGreetingsRequest, ListOrdersRequest, ListRejectsRequest, OrderSort,
};

use tandem_e2e::{
    launch::Launch,
    tandem::Tandem,
    told::told,
    wire::{as_of, as_of_all, customer, order},
};

/// Forty customers of three orders each, and forty greetings. Gives how fresh a list has to be
/// to show them.
async fn fill(tandem: &Tandem) -> Option<Freshness> {
    let mut receipts = Vec::new();
    for n in 0..40 {
        let id = format!("c-{n}");
        receipts.push(tandem.create(customer(&id, "Ada")).await.receipt);
        for order_id in ["o-2", "o-1", &format!("p-{n}")] {
            receipts.push(tandem.place(order(&id, order_id, "Engine")).await.receipt);
        }
        receipts.push(tandem.greet(&format!("g-{n}"), "Hello").await);
    }
    as_of_all(&receipts)
}

#[tokio::test]
async fn a_customer_with_2500_orders_is_paged_each_order_once() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let ids: BTreeSet<_> = (0..2_500).map(|n| format!("o-{n}")).collect();
    let placed = stream::iter(&ids)
        .map(async |id| tandem.commands().place_order(order("ada", id, "Engine")).await)
        .buffer_unordered(64)
        .map_ok(|answer| answer.into_inner().receipt);
    let freshness = as_of_all(&placed.try_collect::<Vec<_>>().await.unwrap());
    for size in [1_000, 100] {
        let orders = tandem.all_orders_of(size, &freshness, "ada").await;
        assert!(orders.iter().map(|order| &order.order_id).eq(&ids), "pages of {size}");
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn all_lists_over_all_shards_are_sorted_and_complete() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let fresh = fill(&tandem).await;
    let ids: BTreeSet<_> = (0..40).map(|n| format!("c-{n}")).collect();
    let shards: BTreeSet<_> = ids.iter().map(|id| partition_for(id.as_bytes(), 4)).collect();
    assert_eq!(shards.len(), 4, "the ids lie in all shards");
    let pairs = ids.iter().flat_map(|id| {
        let own = format!("p-{}", &id[2..]);
        ["o-1".to_owned(), "o-2".to_owned(), own].map(|order| (id.clone(), order))
    });
    let by_customer: BTreeSet<_> = pairs.collect();
    let by_order: BTreeSet<_> = by_customer.iter().map(|(c, o)| (o.clone(), c.clone())).collect();

    let customers = tandem.all_customers(7, &fresh).await;
    assert!(customers.iter().map(|c| &c.customer_id).eq(&ids));
    for sort in [OrderSort::Unspecified, OrderSort::CustomerId] {
        let orders = tandem.all_orders(7, &fresh, sort).await;
        assert!(orders.into_iter().map(|o| (o.customer_id, o.order_id)).eq(by_customer.clone()));
    }
    let orders = tandem.all_orders(7, &fresh, OrderSort::OrderId).await;
    assert!(orders.into_iter().map(|o| (o.order_id, o.customer_id)).eq(by_order));
    let joined = tandem.all_joined(7, &fresh).await;
    assert!(joined.iter().all(|row| row.first_name == "Ada"));
    assert!(joined.into_iter().map(|row| (row.customer_id, row.order_id)).eq(by_customer));
    let greetings = tandem.all_greetings(7, &fresh).await;
    let said: BTreeSet<_> = (0..40).map(|n| format!("g-{n}")).collect();
    assert!(greetings.into_iter().map(|g| g.greeting_id).eq(said));
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn rows_that_come_and_go_while_paging_disturb_no_others() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let mut receipts = Vec::new();
    for n in 0..60 {
        let id = format!("c-{n:02}");
        receipts.push(tandem.create(customer(&id, "Ada")).await.receipt);
        receipts.push(tandem.create(customer(&format!("{id}-brief"), "Ada")).await.receipt);
    }
    let mut asked = ListCustomersRequest {
        page_size: 7,
        freshness: as_of_all(&receipts),
        ..ListCustomersRequest::default()
    };
    let mut seen = Vec::new();
    for page in 0.. {
        let answer = tandem.queries().list_customers(asked.clone()).await.unwrap().into_inner();
        seen.extend(answer.customers.into_iter().map(|c| c.customer_id));
        if answer.next_page_token.is_empty() {
            break;
        }
        tandem.create(customer(&format!("c-{page:02}-a"), "New")).await;
        tandem.create(customer(&format!("c-{:02}-a", 59 - page), "New")).await;
        tandem.remove(&format!("c-{page:02}-brief")).await;
        let last = tandem.remove(&format!("c-{:02}-brief", 59 - page)).await;
        (asked.page_token, asked.freshness) = (answer.next_page_token, as_of(&last));
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "sorted, none twice: {seen:?}");
    let stayed: Vec<_> = seen.into_iter().filter(|id| id.len() == 4).collect();
    assert!(stayed.into_iter().eq((0..60).map(|n| format!("c-{n:02}"))));
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_request_only() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let freshness = fill(&tandem).await;
    let mut q = tandem.queries();
    let of_c1 = GetCustomerOrdersRequest {
        customer_id: "c-1".into(),
        page_size: 1,
        freshness,
        ..GetCustomerOrdersRequest::default()
    };
    let token = q.get_customer_orders(of_c1.clone()).await.unwrap().into_inner().next_page_token;
    let with = |token: &str| GetCustomerOrdersRequest { page_token: token.into(), ..of_c1.clone() };
    q.get_customer_orders(with(&token)).await.unwrap();
    for at in [0, token.len() / 2, token.len() - 1] {
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        let tampered = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        told(q.get_customer_orders(with(&tampered)).await).names(&["page_token"]);
    }
    let of_c2 = GetCustomerOrdersRequest { customer_id: "c-2".into(), ..with(&token) };
    told(q.get_customer_orders(of_c2).await).names(&["page_token"]);
    let other_method =
        ListCustomersRequest { page_token: token, ..ListCustomersRequest::default() };
    told(q.list_customers(other_method).await).names(&["page_token"]);

    let sorted = |sort: OrderSort, page_token| ListOrdersRequest {
        page_size: 5,
        page_token,
        sort: sort.into(),
        ..ListOrdersRequest::default()
    };
    let first = sorted(OrderSort::OrderId, String::new());
    let token = q.list_orders(first).await.unwrap().into_inner().next_page_token;
    q.list_orders(sorted(OrderSort::OrderId, token.clone())).await.unwrap();
    let resorted = sorted(OrderSort::CustomerId, token.clone());
    told(q.list_orders(resorted).await).names(&["page_token"]);
    let partial =
        ListOrdersRequest { allow_partial: true, ..sorted(OrderSort::OrderId, token.clone()) };
    told(q.list_orders(partial).await).names(&["page_token"]);
    let joined =
        ListCustomerOrdersRequest { page_token: token, ..ListCustomerOrdersRequest::default() };
    told(q.list_customer_orders(joined).await).names(&["page_token"]);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_page_has_1_to_1000_rows() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let mut q = tandem.queries();
    macro_rules! refused {
        ($($method:ident $request:ident),*) => {
            for page_size in [-1, 1_001, i32::MAX, i32::MIN] {
                $(
                    let asked = $request { page_size, ..$request::default() };
                    told(q.$method(asked).await).names(&["page_size"]);
                )*
            }
        };
    }
    refused!(
        list_customers ListCustomersRequest, list_orders ListOrdersRequest,
        list_customer_orders ListCustomerOrdersRequest, list_greetings ListGreetingsRequest,
        list_rejects ListRejectsRequest
    );
    for page_size in [0, 1, 1_000] {
        let asked = ListCustomersRequest { page_size, ..ListCustomersRequest::default() };
        q.list_customers(asked).await.unwrap();
    }
    let asked = ListOrdersRequest { sort: 9, ..ListOrdersRequest::default() };
    told(q.list_orders(asked).await).names(&["sort"]);
    tandem.stop(&[]).await;
}
