//! Everything that befalls instances in a day, in a minute and under load: what was acknowledged
//! is there at the end, through each of them.

use std::time::Duration;
use tandem_e2e::load::Load;

use super::{
    ground::{Ground, settled},
    prober::Probers,
    writer::Writer,
};

/// More than is sent while this lasts: 33,000 commands take three minutes.
const SCALE: &str = "0.02";
const RATE: &str = "180";

/// Far above what is to be expected, for a machine that does many things besides.
const MOST_GAP: Duration = Duration::from_secs(5);

/// What instances may warn of while others of them die and hang, and Kafka is busy.
const WARNED: &[&str] = &["not ready", "an instance is not heard any more", "announced"];
/// And one that hung itself: whatever it waited for took longer than it should.
const HUNG: &[&str] =
    &["not ready", "heard", "announced", "waiting", "the group was lost", "Kafka doesn't answer"];

#[tokio::test(flavor = "multi_thread")]
async fn instances_die_and_hang_and_come_and_go_under_load() {
    let ground = Ground::start(3).await;
    let writer = Writer::start(&ground).await;
    let (a1, a2, b1) = tokio::join!(
        ground.instance("a1", "a", &[]),
        ground.instance("a2", "a", &[]),
        ground.instance("b1", "b", &[])
    );
    settled(&[&a1, &a2, &b1]).await;
    let journal = ground.file("journal");
    let mut load = Load::paced(&b1.urls, &journal, SCALE, RATE);
    load.acknowledged(500).await;
    let probers = Probers::start("three to five instances, under load", &writer, &[&a1, &a2, &b1]);

    // Until its group has given its shards to the other one: that is past the session time.
    a2.process.freeze();
    a1.holds_all().await;
    a2.process.thaw();
    settled(&[&a1, &a2, &b1]).await;

    a1.process.kill9();
    settled(&[&a2, &b1]).await;

    let (a1, a3, b2) = tokio::join!(
        ground.instance("a1", "a", &[]),
        ground.instance("a3", "a", &[]),
        ground.instance("b2", "b", &[])
    );
    settled(&[&a1, &a2, &a3, &b1, &b2]).await;
    probers.know(&[&a1, &a2, &a3, &b1, &b2]);

    tokio::join!(
        a1.process.stop(WARNED),
        a2.process.stop(HUNG),
        a3.process.stop(WARNED),
        b2.process.stop(WARNED)
    );
    settled(&[&b1]).await;
    probers.know(&[&b1]);

    let (a1, a2) = tokio::join!(ground.instance("a1", "a", &[]), ground.instance("a2", "a", &[]));
    settled(&[&a1, &a2, &b1]).await;
    probers.know(&[&a1, &a2, &b1]);

    load.interrupted().await;
    let seen = probers.end().await;
    assert!(seen.longest_gap < MOST_GAP, "{seen:?}");
    writer.stop().await;
    for one in [a1, a2, b1] {
        Load::check(&one.urls, &journal, SCALE).await;
        one.process.stop(WARNED).await;
    }
    ground.stop().await;
}
