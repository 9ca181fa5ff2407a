//! Any instance answers for every customer, and says who did.

use std::{cell::Cell, collections::BTreeSet, time::Duration};
use tandem_eventlog::partition_for;
use tandem_proto::{
    receipt,
    v1::{GetOrderRequest, Served},
};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use tandem_e2e::{
    eventually::eventually,
    instances::{SHARDS, holders, three},
    services::Services,
    told::{of, told},
    wire::{as_of_all, customer, customer_as_of, order, order_as_of},
};

const NEVER: u64 = 1_000_000;

fn shard_of(id: &str) -> u32 {
    partition_for(id.as_bytes(), SHARDS).0
}

/// The same row by three questions: who answered each.
async fn asked(instance: &Services, id: &str, receipt: &str) -> [Served; 3] {
    let mut queries = instance.queries();
    let whole = instance.orders_of(id, receipt).await;
    assert_eq!((&*whole.customer.unwrap().customer_id, whole.orders.len()), (id, 1));
    let alone = queries.get_customer(customer_as_of(id, receipt)).await.unwrap().into_inner();
    let order = queries.get_order(order_as_of(id, "o-1", receipt)).await.unwrap().into_inner();
    assert_eq!(
        (&*alone.customer.unwrap().customer_id, &*order.order.unwrap().customer_id),
        (id, id)
    );
    [whole.served, alone.served, order.served].map(Option::unwrap)
}

#[tokio::test]
async fn every_instance_answers_for_every_customer_and_says_who_has_it() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let holders = holders(&instances).await;
    let ids: Vec<_> = (0..30).map(|n| format!("c-{n}")).collect();
    for id in &ids {
        tandem.create(customer(id, "Ada")).await;
        let receipt = tandem.place(order(id, "o-1", "Engine")).await.receipt;
        let holder = &holders[&shard_of(id)];
        for instance in &instances {
            let is_forwarded = instance.own_id().await != *holder;
            for served in asked(instance, id, &receipt).await {
                let found = (&served.instance_id, served.forwarded);
                assert_eq!(found, (holder, is_forwarded), "{id}");
            }
        }
    }
    let shards: BTreeSet<_> = ids.iter().map(|id| shard_of(id)).collect();
    assert_eq!(shards.len(), SHARDS as usize, "so each was asked about its own and others' rows");
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_receipt_is_good_at_any_instance_right_after_the_write() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let in_turn = Services::in_turn(&instances);
    for n in 0..200 {
        let (id, name) = (format!("c-{}", n % 7), format!("name {n}"));
        let receipt = tandem.create(customer(&id, &name)).await.receipt;
        let asked = customer_as_of(&id, &receipt);
        let answer = in_turn.queries().get_customer(asked).await.unwrap().into_inner();
        assert_eq!(answer.customer.unwrap().first_name, name);
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn what_one_instance_showed_no_other_takes_back() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let in_turn = Services::in_turn(&instances);
    let first = tandem.create(customer("ada", "0000")).await.receipt;
    let writer = async {
        for n in 1..300 {
            tandem.create(customer("ada", &format!("{n:04}"))).await;
        }
    };
    let reader = async {
        let (mut position, mut last) = (first, String::new());
        while last != "0299" {
            let asked = customer_as_of("ada", &position);
            let answer = in_turn.queries().get_customer(asked).await.unwrap().into_inner();
            let name = answer.customer.unwrap().first_name;
            assert!(name >= last, "{name} after {last}");
            (position, last) = (answer.served.unwrap().position, name);
        }
    };
    tokio::join!(writer, reader);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_call_that_is_passed_on_keeps_its_deadline() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let holder = holders(&instances).await.remove(&shard_of("ada")).unwrap();
    let receipt = tandem.create(customer("ada", "Ada")).await.receipt;
    let mut proofs = receipt::decode(&receipt).unwrap();
    proofs[0].position += NEVER;
    let ahead = receipt::encode(&proofs);
    for instance in &instances {
        // The client itself gives up after the 300 ms, so whatever is told was told within them.
        // A machine that is too busy for that gets another try.
        let passed_on = instance.own_id().await != holder;
        let refused = eventually(&format!("passed on: {passed_on}"), async || {
            let mut asked = Request::new(customer_as_of("ada", &ahead));
            asked.set_timeout(Duration::from_millis(300));
            let status = instance.queries().get_customer(asked).await.unwrap_err();
            let info = status.get_details_error_info();
            info.is_some_and(|info| info.reason == "VIEW_BEHIND").then(|| of(&status))
        })
        .await;
        refused.is(Code::DeadlineExceeded, "VIEW_BEHIND");
        assert_eq!(refused.metadata["needed"], (NEVER + 1).to_string());
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_row_that_is_not_there_is_not_found_through_any_instance() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let receipt = tandem.create(customer("ada", "Ada")).await.receipt;
    let fresh = as_of_all(&[receipt]);
    for (instance, id) in instances.iter().flat_map(|i| ["a", "b", "c", "d"].map(|id| (i, id))) {
        let asked = tandem_proto::v1::GetCustomerRequest {
            customer_id: id.into(),
            freshness: fresh.clone(),
        };
        let refused = told(instance.queries().get_customer(asked).await);
        refused.is(Code::NotFound, "CUSTOMER_NOT_FOUND");
        assert_eq!(refused.metadata["customer_id"], id);
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn who_gives_an_instance_no_time_keeps_nobody_else_from_an_answer() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    holders(&instances).await;
    let receipt = tandem.create(customer("ada", "Ada")).await.receipt;
    tandem.orders_of("ada", &receipt).await;
    let mut proofs = receipt::decode(&receipt).unwrap();
    proofs[0].position += NEVER;
    let ahead = receipt::encode(&proofs);
    for instance in &instances {
        let is_over = Cell::new(false);
        let hasty = async {
            for n in 0..100 {
                let mut asked = Request::new(customer_as_of("ada", &ahead));
                asked.set_timeout(Duration::from_millis(5 + n % 4 * 10));
                instance.queries().get_customer(asked).await.unwrap_err();
            }
            is_over.set(true);
        };
        let patient = async {
            while !is_over.get() {
                instance.orders_now("ada").await;
                let asked = GetOrderRequest { order_id: "o-1".into(), ..Default::default() };
                let found = told(instance.queries().get_order(asked).await);
                found.is(Code::NotFound, "ORDER_NOT_FOUND");
            }
        };
        tokio::join!(hasty, patient);
    }
    tandem.stop(&[]).await;
}
