//! Shards move while questions are asked: nobody notices but for who answers.

use std::{
    cell::{Cell, RefCell},
    path::Path,
};
use tandem_eventlog::partition_for;
use tandem_proto::v1::{Freshness, GetOrderRequest, OrderSort};

use crate::fleet::{Another, Fleet};
use tandem_e2e::{
    eventually::eventually,
    instances::holders,
    services::Services,
    wire::{as_of_all, customer, order},
};

const FLAGS: [&str; 2] = ["--shards=6", "--query-instances=2"];

/// All instances, each with a third of the shards; a customer whose rows the last one has.
async fn joined(fleet: &Fleet, data: &Path) -> (Another, String) {
    let another = fleet.another(data, "another").await;
    another.services.serving().await;
    let all = [fleet.first(), &fleet.instances[1], &another.services];
    let holders = holders(&all.map(|one| Services::at(one.urls.clone()))).await;
    let its = |id: &String| holders[&partition_for(id.as_bytes(), 6).0] == "another";
    let id = (0..).map(|n| format!("c-{n}")).find(its).unwrap();
    (another, id)
}

/// Writes names of the customer, ever greater, until that is over; the last one is told before
/// it is written.
async fn write(fleet: &Fleet, id: &str, is_over: &Cell<bool>, last: &RefCell<Option<String>>) {
    for n in 1.. {
        let (name, is_last) = (format!("{n:06}"), is_over.get());
        *last.borrow_mut() = is_last.then(|| name.clone());
        fleet.first().create(customer(id, &name)).await;
        if is_last {
            return;
        }
    }
}

/// Follows the customer through an instance that stays, while `end` ends the one that has it.
async fn goes_on(end: impl AsyncFnOnce(Another)) {
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &FLAGS).await;
    let (another, id) = joined(&fleet, data.path()).await;
    fleet.first().create(customer(&id, "000000")).await;
    let mut watch = fleet.first().watch(&id, "").await;
    let first = watch.next().await;
    assert_eq!(first.served.unwrap().instance_id, "another");
    let mut name = first.customer.unwrap().first_name;

    let (is_over, last) = (Cell::new(false), RefCell::new(None));
    let ending = async {
        end(another).await;
        is_over.set(true);
    };
    let following = async {
        let mut served = String::new();
        while last.borrow().as_ref() != Some(&name) {
            let document = watch.next().await;
            let next = document.customer.unwrap().first_name;
            assert!(next > name, "{next} after {name}");
            (name, served) = (next, document.served.unwrap().instance_id);
        }
        served
    };
    let (.., served) = tokio::join!(write(&fleet, &id, &is_over, &last), ending, following);
    assert_ne!(served, "another");
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_when_the_holder_ends_in_order() {
    goes_on(Another::stop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_when_the_holder_ends_where_it_stands() {
    goes_on(async |another| another.abort()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_of_the_instance_that_ends_is_resumed_at_another() {
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &FLAGS).await;
    let (another, id) = joined(&fleet, data.path()).await;
    let receipt = fleet.first().create(customer(&id, "Ada")).await.receipt;
    fleet.first().orders_of(&id, &receipt).await;
    let mut watch = another.services.watch(&id, "").await;
    let seen = watch.next().await.resume_token;
    let (ended, ()) = tokio::join!(watch.ended(), another.stop());
    let told = tandem_e2e::told::of(&ended);
    told.is(tonic::Code::Unavailable, "GOING_AWAY");

    let mut resumed = fleet.first().watch(&id, &seen).await;
    fleet.first().create(customer(&id, "Augusta")).await;
    assert_eq!(resumed.next().await.customer.unwrap().first_name, "Augusta");
    drop(resumed);
    fleet.stop().await;
}

/// Forty orders of twenty customers.
async fn fill(services: &Services) -> Option<Freshness> {
    let mut receipts = Vec::new();
    for n in 0..20 {
        for id in ["o-1", &format!("p-{n}")] {
            receipts.push(services.place(order(&format!("c-{n}"), id, "Engine")).await.receipt);
        }
    }
    as_of_all(&receipts)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_rows_are_complete_while_instances_come_and_go() {
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &FLAGS).await;
    let fresh = fill(fleet.first()).await;
    let staying = Services::in_turn(&fleet.instances);
    let expected = staying.all_orders(1_000, &fresh, OrderSort::OrderId).await;
    assert_eq!(expected.len(), 40);

    let (is_over, walks) = (Cell::new(false), Cell::new(0));
    let asking = async {
        while !is_over.get() {
            let listed = staying.all_orders(3, &fresh, OrderSort::OrderId).await;
            assert_eq!(listed, expected);
            for n in 0..20 {
                assert_eq!(staying.orders_now(&format!("c-{n}")).await.orders.len(), 2);
                let order_id = format!("p-{n}");
                let alone = GetOrderRequest { order_id, ..GetOrderRequest::default() };
                staying.queries().get_order(alone).await.unwrap();
            }
            walks.set(walks.get() + 1);
        }
    };
    let moving = async {
        for _ in 0..3 {
            let (another, _) = joined(&fleet, data.path()).await;
            let before = walks.get();
            eventually("it is asked meanwhile", async || (walks.get() > before).then_some(()))
                .await;
            another.stop().await;
            holders(&fleet.instances).await;
        }
        is_over.set(true);
    };
    tokio::join!(asking, moving);
    fleet.stop().await;
}
