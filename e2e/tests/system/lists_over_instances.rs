//! Lists over several instances: one order, whoever is asked for which page.

use futures::future::join_all;
use std::{collections::BTreeSet, time::Duration};
use tandem_eventlog::partition_for;
use tandem_proto::{
    receipt,
    v1::{
        Freshness, GetOrderRequest, ListCustomersRequest, ListOrdersRequest, Order, OrderSort,
        Reject,
    },
};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use tandem_e2e::{
    eventually::eventually,
    instances::{SHARDS, holders, three},
    services::Services,
    told::{of, told},
    wire::{as_of_all, customer, order},
};

/// What was written: customer and greeting ids, orders as the command service told them.
struct Written {
    ids: BTreeSet<String>,
    orders: Vec<Order>,
    fresh: Option<Freshness>,
}

/// Thirty customers, two orders and a greeting each, and one reject: two customers share every
/// order id, and the times of purchase are in no order of ids.
async fn fill(services: &Services) -> Written {
    let (mut receipts, mut orders) = (Vec::new(), Vec::new());
    let ids: BTreeSet<_> = (0..30).map(|n| format!("c-{n}")).collect();
    for n in (0..30).map(|n| n * 7 % 30) {
        let id = format!("c-{n}");
        receipts.push(services.create(customer(&id, "Ada")).await.receipt);
        for order_id in [format!("p-{}", n / 2), format!("o-{}", n / 2)] {
            let placed = services.place(order(&id, &order_id, "Engine")).await;
            receipts.push(placed.receipt);
            orders.extend(placed.order);
        }
        receipts.push(services.greet(&id, "Hello").await);
        receipts.push(services.cancel(&id, "never placed").await);
    }
    let shards: BTreeSet<_> = ids.iter().map(|id| partition_for(id.as_bytes(), SHARDS)).collect();
    assert_eq!(shards.len(), SHARDS as usize, "the ids lie in all shards");
    Written { ids, orders, fresh: as_of_all(&receipts) }
}

fn time(order: &Order) -> (i64, i32) {
    order.order_purchase_time.map(|t| (t.seconds, t.nanos)).unwrap()
}

/// What the list has to be, by the contract's words.
fn sorted(orders: &[Order], sort: OrderSort) -> Vec<Order> {
    let mut sorted = orders.to_vec();
    let both = |o: &Order| (o.customer_id.clone(), o.order_id.clone());
    match sort {
        OrderSort::Unspecified | OrderSort::CustomerId => sorted.sort_by_key(both),
        OrderSort::OrderId => sorted.sort_by_key(|o| (o.order_id.clone(), o.customer_id.clone())),
        OrderSort::PurchaseTime => sorted.sort_by_key(|o| (time(o), both(o))),
        OrderSort::PurchaseTimeDescending => {
            sorted.sort_by_key(|o| std::cmp::Reverse((time(o), both(o))));
        }
    }
    sorted
}

#[tokio::test]
async fn pages_of_any_size_from_any_instance_are_one_list() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    holders(&instances).await;
    let Written { ids, orders, fresh } = fill(&tandem).await;
    // Each page is asked of another instance than the one before.
    let in_turn = Services::in_turn(&instances);
    let place = |r: &Reject| (r.partition, r.topic.clone(), r.offset);
    let all = in_turn.all_rejects(1_000, &fresh).await;
    let rejects: BTreeSet<_> = all.iter().map(place).collect();
    assert_eq!((all.len(), rejects.len()), (30, 30));
    for size in [1, 2, 7, 30, 1_000] {
        for sort in [
            OrderSort::Unspecified,
            OrderSort::CustomerId,
            OrderSort::OrderId,
            OrderSort::PurchaseTime,
            OrderSort::PurchaseTimeDescending,
        ] {
            let listed = in_turn.all_orders(size, &fresh, sort).await;
            assert_eq!(listed, sorted(&orders, sort), "{sort:?} by {size}");
        }
        let joined = in_turn.all_joined(size, &fresh).await;
        assert!(joined.iter().all(|row| row.first_name == "Ada"));
        let expected = sorted(&orders, OrderSort::CustomerId);
        let expected = expected.into_iter().map(|o| (o.customer_id, o.order_id));
        assert!(joined.into_iter().map(|r| (r.customer_id, r.order_id)).eq(expected), "{size}");
        let customers = in_turn.all_customers(size, &fresh).await;
        assert!(customers.into_iter().map(|c| c.customer_id).eq(ids.clone()), "{size}");
        let greetings = in_turn.all_greetings(size, &fresh).await;
        assert!(greetings.into_iter().map(|g| g.greeting_id).eq(ids.clone()), "{size}");
        assert_eq!(in_turn.all_rejects(size, &fresh).await, all, "{size}");
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_list_says_who_put_it_together_and_that_others_were_asked() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    holders(&instances).await;
    let fresh = fill(&tandem).await.fresh;
    for instance in &instances {
        let asked = ListCustomersRequest { freshness: fresh.clone(), ..Default::default() };
        let answer = instance.queries().list_customers(asked).await.unwrap().into_inner();
        let served = answer.served.unwrap();
        assert_eq!((served.instance_id, served.forwarded), (instance.own_id().await, true));
        // Its position is of all shards, and good for any other question.
        let again = ListOrdersRequest {
            freshness: as_of_all(&[served.position]),
            ..ListOrdersRequest::default()
        };
        let orders = tandem.queries().list_orders(again).await.unwrap().into_inner().orders;
        assert_eq!(orders.len(), 60);
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_token_of_one_instance_is_good_for_the_same_list_only_at_another() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let fresh = fill(&tandem).await.fresh;
    let page = |sort: OrderSort, page_token: &str| ListOrdersRequest {
        page_size: 5,
        page_token: page_token.into(),
        sort: sort.into(),
        freshness: fresh.clone(),
        ..ListOrdersRequest::default()
    };
    let [one, other, _] = &*instances else { panic!("three instances") };
    let latest = OrderSort::PurchaseTimeDescending;
    let first = one.queries().list_orders(page(latest, "")).await.unwrap().into_inner();
    let token = first.next_page_token;
    let next = other.queries().list_orders(page(latest, &token)).await.unwrap().into_inner();
    assert!(next.orders.iter().all(|o| !first.orders.contains(o)));

    for sort in [OrderSort::PurchaseTime, OrderSort::CustomerId] {
        told(other.queries().list_orders(page(sort, &token)).await).names(&["page_token"]);
    }
    let cut = &token[1..];
    told(other.queries().list_orders(page(latest, cut)).await).names(&["page_token"]);
    let elsewhere = ListCustomersRequest { page_token: token, ..ListCustomersRequest::default() };
    told(other.queries().list_customers(elsewhere).await).names(&["page_token"]);
    tandem.stop(&[]).await;
}

/// A receipt of a write to ada's shard that is so many writes after this one.
fn later(receipt: &str, writes: u64) -> String {
    let mut proofs = receipt::decode(receipt).unwrap();
    proofs[0].position += writes;
    receipt::encode(&proofs)
}

#[tokio::test]
async fn a_list_waits_for_a_shard_elsewhere_as_long_as_its_caller_does() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    holders(&instances).await;
    let written = tandem.create(customer("ada", "Ada")).await.receipt;
    tandem.place(order("ada", "o-1", "Engine")).await;
    let freshness = as_of_all(&[later(&written, 1)]);
    let listed = instances.iter().map(async |instance| {
        let asked = ListCustomersRequest { freshness: freshness.clone(), ..Default::default() };
        let answer = instance.queries().list_customers(asked).await.unwrap().into_inner();
        assert_eq!(answer.customers[0].first_name, "Augusta");
        let (order_id, freshness) = ("o-1".to_owned(), freshness.clone());
        let asked = GetOrderRequest { order_id, freshness, ..GetOrderRequest::default() };
        instance.queries().get_order(asked).await.unwrap();
    });
    let writing = async {
        // Longer than anybody who is not the only one to ask is waited for.
        tokio::time::sleep(Duration::from_secs(1)).await;
        tandem.create(customer("ada", "Augusta")).await;
    };
    tokio::join!(join_all(listed), writing);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_list_that_can_not_be_fresh_enough_says_so_whoever_is_asked() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    holders(&instances).await;
    let written = tandem.create(customer("ada", "Ada")).await.receipt;
    let freshness = as_of_all(&[later(&written, 1_000)]);
    for instance in &instances {
        // Told within the deadline, as the client itself gives up then; a busy machine may need
        // more than one try.
        let refused = eventually("it says how far behind the view is", async || {
            let asked = ListCustomersRequest { freshness: freshness.clone(), ..Default::default() };
            let mut asked = Request::new(asked);
            asked.set_timeout(Duration::from_secs(1));
            let status = instance.queries().list_customers(asked).await.unwrap_err();
            let info = status.get_details_error_info();
            info.is_some_and(|info| info.reason == "VIEW_BEHIND").then(|| of(&status))
        })
        .await;
        refused.is(Code::DeadlineExceeded, "VIEW_BEHIND");
        let shard = partition_for(b"ada", SHARDS).to_string();
        assert_eq!(refused.metadata["shard"], shard);

        let asked = ListCustomersRequest {
            freshness: freshness.clone(),
            allow_partial: true,
            ..ListCustomersRequest::default()
        };
        let mut asked = Request::new(asked);
        asked.set_timeout(Duration::from_secs(5));
        let partial = instance.queries().list_customers(asked).await.unwrap().into_inner();
        assert_eq!(partial.unreachable_shards, [partition_for(b"ada", SHARDS).0]);
    }
    tandem.stop(&[]).await;
}
