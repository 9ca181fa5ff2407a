//! Shards that nobody serves: named where the caller takes a part, else UNAVAILABLE.

use std::collections::BTreeSet;
use tandem_eventlog::{Member, partition_for};
use tandem_proto::v1::{
    GetOrderRequest, ListCustomersRequest, ListCustomersResponse, ListGreetingsRequest,
    ListOrdersRequest, ListRejectsRequest,
};
use tonic::{Code, Status};

use crate::fleet::{Fleet, SET};
use tandem_e2e::{
    eventually::eventually,
    services::{QUERY, Services, health},
    told::told,
    wire::{as_of_all, customer, customer_as_of},
};

async fn listed(
    services: &Services,
    allow_partial: bool,
) -> Result<tonic::Response<ListCustomersResponse>, Status> {
    let asked = ListCustomersRequest { allow_partial, ..ListCustomersRequest::default() };
    services.queries().list_customers(asked).await
}

/// Waits until this instance has heard that nobody holds these shards any more.
async fn given_up(instance: &Services, shards: &BTreeSet<u32>) {
    eventually("its shards are given up, and all are told", async || {
        let heard = instance.heard().await.instances;
        let mut held: Vec<u32> = heard.iter().flat_map(|i| &i.shards).map(|s| s.shard).collect();
        held.sort_unstable();
        held.into_iter().eq((0..6).filter(|s| !shards.contains(s))).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_that_nobody_serves_are_named_or_the_list_is_refused() {
    let data = tempfile::tempdir().unwrap();
    // What goes to another is given up at once, whether that one serves it or not.
    let flags = ["--shards=6", "--query-instances=2", "--handover-secs=0"];
    let fleet = Fleet::start(data.path(), &flags).await;
    let ids: Vec<_> = (0..30).map(|n| format!("c-{n}")).collect();
    let mut receipts = Vec::new();
    for id in &ids {
        receipts.push(fleet.first().create(customer(id, "Ada")).await.receipt);
    }
    let whole = fleet.first().all_customers(1_000, &as_of_all(&receipts)).await;
    assert_eq!(whole.len(), ids.len());

    // A member of their group that answers nothing, as the processor alone would be.
    let topic = "customer".into();
    let member = Member::from("mute");
    let mut mute =
        fleet.running.log().join(&format!("tandem-{SET}"), &member, &topic).await.unwrap();
    let its: BTreeSet<u32> = eventually("it is given its share", async || {
        let shards = mute.next().await.unwrap();
        (!shards.is_empty()).then(|| shards.into_iter().map(|s| s.0).collect())
    })
    .await;
    let is_its = |id: &str| its.contains(&partition_for(id.as_bytes(), 6).0);
    let expected: Vec<_> = whole.iter().filter(|c| !is_its(&c.customer_id)).cloned().collect();
    assert!(!expected.is_empty() && expected.len() < whole.len());

    for instance in &fleet.instances {
        given_up(instance, &its).await;
    }
    for instance in &fleet.instances {
        let partial = listed(instance, true).await.unwrap().into_inner();
        assert!(partial.unreachable_shards.iter().eq(&its));
        assert_eq!(partial.customers, expected);

        let refused = told(listed(instance, false).await);
        refused.is(Code::Unavailable, "SHARD_NOT_SERVED");
        assert!(its.contains(&refused.metadata["shard"].parse().unwrap()));
        let mut queries = instance.queries();
        for list in [
            queries.list_orders(ListOrdersRequest::default()).await.map(drop),
            queries.list_greetings(ListGreetingsRequest::default()).await.map(drop),
            queries.list_rejects(ListRejectsRequest::default()).await.map(drop),
        ] {
            let refused = told(list.map(tonic::Response::new));
            refused.is(Code::Unavailable, "SHARD_NOT_SERVED");
        }
        for id in &ids {
            let answer = queries.get_customer(customer_as_of(id, &receipts[0])).await;
            match is_its(id) {
                true => told(answer).is(Code::Unavailable, "SHARD_NOT_SERVED"),
                false => drop(answer.unwrap()),
            }
        }
        // Any of them might have it, or another of that id.
        let alone = GetOrderRequest { order_id: "o-1".into(), ..GetOrderRequest::default() };
        told(queries.get_order(alone).await).is(Code::Unavailable, "SHARD_NOT_SERVED");
        let [_, (_, channel)] = instance.channels();
        eventually("it is not SERVING", async || {
            let status = health(&channel, QUERY).await?;
            (status != tonic_health::pb::health_check_response::ServingStatus::Serving)
                .then_some(())
        })
        .await;
    }

    drop(mute);
    for instance in &fleet.instances {
        instance.serving().await;
        assert_eq!(instance.all_customers(7, &as_of_all(&receipts)).await, whole);
    }
    fleet.stop().await;
}
