//! One thing at a time befalls a few instances: who asks those that are left is answered.

use std::{collections::BTreeSet, time::Duration};
use tandem_e2e::{
    eventually::eventually,
    load::Load,
    services::{QUERY, health},
};
use tonic_health::pb::health_check_response::ServingStatus;

use super::{
    SHARDS,
    ground::{Ground, Instance, settled},
    prober::Probers,
    writer::Writer,
};
use crate::{
    pair::Servers,
    servers::{Shared, shared},
};

const SCALE: &str = "0.002";
/// How often it is looked whether something has moved.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What any may warn of while it starts, and when Kafka is busy.
const STARTED: &[&str] = &["not ready", "announced"];
/// What those may warn of who had to do with one that died.
const DIED: &[&str] = &["not ready", "an instance is not heard any more", "announced"];

#[tokio::test(flavor = "multi_thread")]
async fn of_two_copies_one_dies_and_every_read_is_answered() {
    let ground = Ground::start(1).await;
    let writer = Writer::start(&ground).await;
    let (a1, a2, b1) = tokio::join!(
        ground.instance("a1", "a", &[]),
        ground.instance("a2", "a", &[]),
        ground.instance("b1", "b", &[])
    );
    settled(&[&a1, &a2, &b1]).await;
    let probers = [
        Probers::start("two sets, kill -9, through one of its set", &writer, &[&a2]),
        Probers::start("two sets, kill -9, through the other set", &writer, &[&b1]),
        Probers::start("two sets, kill -9, through any", &writer, &[&a1, &a2, &b1]),
    ];
    a1.process.kill9();
    settled(&[&a2, &b1]).await;
    for probers in probers {
        assert_eq!(probers.end().await.unanswered, [""; 0]);
    }
    writer.stop().await;
    for one in [a2, b1] {
        one.process.stop(DIED).await;
    }
    ground.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_share_one_copy_one_leaves_and_comes_back() {
    let ground = Ground::start(1).await;
    let writer = Writer::start(&ground).await;
    let start = || ground.instance("a1", "a", &[]);
    let (leaver, other) = tokio::join!(start(), ground.instance("a2", "a", &[]));
    settled(&[&leaver, &other]).await;

    let through_other = Probers::start("one set, SIGTERM, through the other", &writer, &[&other]);
    let through_any = Probers::start("one set, SIGTERM, through any", &writer, &[&leaver, &other]);
    leaver.process.stop(STARTED).await;
    settled(&[&other]).await;
    for probers in [through_other, through_any] {
        assert_eq!(probers.end().await.unanswered, [""; 0]);
    }

    let probers = Probers::start("one set, one joins", &writer, &[&other]);
    let comer = start().await;
    settled(&[&comer, &other]).await;
    probers.know(&[&comer, &other]);
    every_instance_answers(&writer, &[&comer, &other]).await;
    assert_eq!(probers.end().await.unanswered, [""; 0]);
    writer.stop().await;
    for one in [comer, other] {
        one.process.stop(STARTED).await;
    }
    ground.stop().await;
}

/// The group is told to wait for longer than a slow machine takes to start a process; the session
/// time is 6 s without that.
#[tokio::test(flavor = "multi_thread")]
async fn a_named_instance_is_back_in_time_and_nothing_moves() {
    let ground = Ground::start(1).await;
    let start = async |name: &'static str| {
        let patient = ("--kafka", "session.timeout.ms=30000");
        ground.instance(name, "a", &[("--instance-id", name), patient]).await
    };
    let (named, other) = tokio::join!(start("a1"), start("a2"));
    settled(&[&named, &other]).await;
    let (its, others) = (named.held().await, other.held().await);
    assert!(!others.is_empty());

    let moves = async {
        while other.held().await == others {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let restart = async {
        named.process.stop(STARTED).await;
        let named = start("a1").await;
        settled(&[&named, &other]).await;
        named
    };
    let named = tokio::select! {
        () = moves => panic!("{others:?} became {:?}", other.held().await),
        named = restart => named,
    };
    assert_eq!(named.held().await, its);
    for one in [named, other] {
        one.process.stop(STARTED).await;
    }
    ground.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_instance_has_its_shards_whole_when_it_is_back() {
    let ground = Ground::start(1).await;
    let writer = Writer::start(&ground).await;
    let start = || ground.instance("a1", "a", &[]);
    let (killed, other) = tokio::join!(start(), ground.instance("a2", "a", &[]));
    settled(&[&killed, &other]).await;
    let journal = ground.file("journal");
    Load::start(&killed.urls, &journal, SCALE).passes().await;

    killed.process.kill9();
    let back = start().await;
    settled(&[&back, &other]).await;
    every_instance_answers(&writer, &[&back, &other]).await;
    writer.stop().await;
    for one in [back, other] {
        Load::check(&one.urls, &journal, SCALE).await;
        one.process.stop(DIED).await;
    }
    ground.stop().await;
}

/// Each for the shards that it holds itself, and by another one for the rest.
async fn every_instance_answers(writer: &Writer, all: &[&Instance]) {
    for one in all {
        let held: BTreeSet<u32> = one.held().await.into_iter().map(|(shard, _)| shard).collect();
        assert!((1..SHARDS as usize).contains(&held.len()), "{held:?}");
        for (shard, row) in (0..).zip(&writer.rows) {
            let receipt = row.written.borrow().receipt.clone();
            let served = one.orders_of(&row.id, &receipt).await.served.unwrap();
            assert_eq!(served.forwarded, !held.contains(&shard), "shard {shard}: {served:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_not_be_reached_is_not_announced() {
    let Shared { cluster, registry } = shared().await;
    let home = tempfile::tempdir().unwrap();
    let servers = Servers::at(cluster, registry.url());
    let start = async |servers: &Servers, name: &str| {
        Instance::start(servers, "http://127.0.0.1:1", name, home.path().join(name)).await
    };
    let wrong = servers.clone().with("--advertise", "127.0.0.1:1");
    let (reached, unreached) = tokio::join!(start(&servers, "a"), start(&wrong, "b"));
    unreached.process.warns(&["127.0.0.1:1", "no other instance", "mend --advertise"]).await;
    for one in [&reached, &unreached] {
        eventually("it serves its own copy", async || {
            let [_, (_, channel)] = one.channels();
            (health(&channel, QUERY).await == Some(ServingStatus::Serving)).then_some(())
        })
        .await;
        one.holds_all().await;
    }
    // It hears of the others; they don't of it.
    eventually("it hears of the other", async || {
        (unreached.instances().await.unwrap().len() == 2).then_some(())
    })
    .await;
    assert_eq!(reached.instances().await.unwrap().len(), 1);
    reached.process.stop(STARTED).await;
    unreached.process.stop(&["not ready", "mend --advertise"]).await;
}
