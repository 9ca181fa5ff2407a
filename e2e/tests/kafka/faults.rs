//! Servers fail and come back: what was acknowledged is there once, who asks meanwhile is told to
//! try again, and everything recovers by itself.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::json;
use tandem_e2e::{
    eventually::eventually,
    load::Load,
    services::{COMMAND, QUERY, Services, health},
    told::told,
    wire::{as_of, customer, customer_as_of, order},
};
use tonic::{Code, Request};
use tonic_health::pb::health_check_response::ServingStatus;

use crate::{
    foreign::{Foreign, Language, schema},
    kcat::{Kcat, Record},
    pair::{Pair, Servers},
    servers::{Cluster, Registry},
};

const SCALE: &str = "0.02";
/// So many orders the tables have then.
const ORDERS: usize = 30_000;

/// What services may warn of while a server is away, and of each other.
const AWAY: &[&str] = &[
    "not ready",
    "waiting",
    "Kafka doesn't answer",
    "the group was lost",
    "refused",
    "announced",
    "heard",
];

#[tokio::test(flavor = "multi_thread")]
async fn one_node_is_killed_under_load() {
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("journal");
    let (mut cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let pair = Pair::start(&Servers::at(&cluster, registry.url()), "a", home.path()).await;
    let mut load = Load::start(&pair.urls, &journal, SCALE);
    for acknowledged in [1_500, 6_000] {
        load.acknowledged(acknowledged).await;
        cluster.kill9(1).await;
        commands_are_put_off(&pair).await;
        cluster.start_node(1).await;
        takes_commands_again(&pair).await;
    }
    load.passes().await;
    every_order_is_one_event(&cluster, &pair).await;
    pair.stop(AWAY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_of_three_is_killed_under_load() {
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("journal");
    let (mut cluster, registry) = tokio::join!(Cluster::start(3), Registry::start());
    let pair = Pair::start(&Servers::at(&cluster, registry.url()), "a", home.path()).await;
    let mut load = Load::start(&pair.urls, &journal, SCALE);
    for (acknowledged, topic) in [(1_500, "customer"), (6_000, "order")] {
        load.acknowledged(acknowledged).await;
        let leader = cluster.leader_of(topic, 0).await.unwrap();
        cluster.kill9(leader).await;
        takes_commands_again(&pair).await;
        cluster.start_node(leader).await;
        eventually("all three nodes have everything", async || {
            (cluster.in_sync(topic, 0).await? == [1, 2, 3]).then_some(())
        })
        .await;
    }
    load.passes().await;
    every_order_is_one_event(&cluster, &pair).await;
    pair.stop(AWAY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_is_away() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, mut registry) = tokio::join!(Cluster::start(1), Registry::start());
    let servers = Servers::at(&cluster, registry.url());
    let pair = Pair::start(&servers, "a", &home.path().join("a")).await;
    pair.create(customer("ada", "Ada")).await;
    let receipt = pair.place(order("ada", "o-1", "Engine")).await.receipt;
    pair.orders_of("ada", &receipt).await;

    // What is known goes on as before.
    registry.kill9().await;
    let receipt = pair.place(order("ada", "o-2", "Engine")).await.receipt;
    assert_eq!(pair.orders_of("ada", &receipt).await.orders.len(), 2);
    // Who comes now waits, and says for what.
    let late = Pair::announced(&servers, "b", &home.path().join("b")).await;
    late.command.waits_for("the schema registry").await;
    let refused = told(late.commands().create_customer(customer("eve", "Eve")).await);
    refused.is(Code::Unavailable, "NOT_READY");
    assert_eq!(status_of(&late, COMMAND).await, Some(ServingStatus::NotServing));
    registry.start_again().await;
    late.serving().await;
    let receipt = late.create(customer("eve", "Eve")).await.receipt;
    late.orders_of("eve", &receipt).await;

    // A record that needs a schema nobody can be asked for is waited for, and is no reject.
    let foreign = Foreign {
        language: Language::Python,
        bootstrap: cluster.bootstrap(),
        registry: registry.url(),
    };
    late.query.kill9();
    let placed = json!({"key": "eve", "value": {
        "orderId": "o-2", "customerId": "eve", "orderItemName": "", "orderPlace": "",
        "orderPurchaseTime": 0, "giftNote": "To Adam",
    }});
    foreign.produce("order", &["--schema", &schema("newer")], &[placed]).await.unwrap();
    eventually("the new schema is learnt", async || {
        (pair.orders_now("eve").await.orders.len() == 1).then_some(())
    })
    .await;
    registry.kill9().await;
    let query = Pair::announced(&servers, "b", &home.path().join("b")).await;
    query.query.warns(&["waiting"]).await;
    registry.start_again().await;
    query.serving().await;
    let last = query.place(order("eve", "o-3", "Engine")).await.receipt;
    assert_eq!(query.orders_of("eve", &last).await.orders.len(), 2);
    assert_eq!(query.all_rejects(10, &as_of(&last)).await, []);
    query.stop(AWAY).await;
    pair.stop(AWAY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_is_not_there_yet() {
    let home = tempfile::tempdir().unwrap();
    let (mut cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    cluster.kill9(1).await;
    let pair = Pair::announced(&Servers::at(&cluster, registry.url()), "a", home.path()).await;
    pair.command.waits_for("the log").await;
    pair.query.waits_for("the log").await;
    for service in [COMMAND, QUERY] {
        assert_eq!(status_of(&pair, service).await, Some(ServingStatus::NotServing));
    }
    let refused = told(pair.commands().create_customer(customer("ada", "Ada")).await);
    refused.is(Code::Unavailable, "NOT_READY");
    cluster.start_node(1).await;
    recovers("it serves", pair.serving()).await;
    let receipt = pair.create(customer("ada", "Ada")).await.receipt;
    let shown = pair.queries().get_customer(customer_as_of("ada", &receipt)).await;
    assert_eq!(shown.unwrap().into_inner().customer.unwrap().first_name, "Ada");
    pair.stop(AWAY).await;
}

async fn status_of(services: &Services, name: &str) -> Option<ServingStatus> {
    let [(_, command), (_, query)] = services.channels();
    health(if name == COMMAND { &command } else { &query }, name).await
}

/// A command says within the caller's deadline when to try again. That it does is checked of
/// every UNAVAILABLE.
async fn commands_are_put_off(services: &Services) {
    let mut asked = Request::new(customer("put-off", "Ada"));
    asked.set_timeout(Duration::from_secs(2));
    let refused = told(services.commands().create_customer(asked).await);
    assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
}

async fn takes_commands_again(services: &Services) {
    let again = eventually("commands are taken again", async || {
        services.commands().create_customer(customer("again", "Ada")).await.ok()
    });
    recovers("commands are taken", again).await;
}

/// Says how long it took; how long it may is for a reader to judge, on a quiet machine.
async fn recovers<T>(what: &str, recovery: impl Future<Output = T>) {
    let started = Instant::now();
    recovery.await;
    eprintln!("{what} again after {:?}", started.elapsed());
}

/// Every order of the load is on the log by one event, written again by nobody under another id,
/// and nothing is a reject. That the view has each once is what the load has checked.
async fn every_order_is_one_event(cluster: &Cluster, services: &Services) {
    let records = Kcat::at(cluster.bootstrap()).consume("order").await.unwrap();
    let id = |record: &Record| {
        let id = record.headers.iter().find(|(name, _)| name == "ce_id");
        id.map(|(_, id)| id.clone()).unwrap()
    };
    let events: BTreeSet<_> = records.iter().map(id).collect();
    assert_eq!(events.len(), ORDERS);
    eprintln!("{ORDERS} orders in {} records", records.len());
    assert_eq!(services.all_rejects(10, &None).await, []);
}
