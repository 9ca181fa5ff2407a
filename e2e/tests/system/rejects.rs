//! What can't be folded is listed, and stops nobody.

use std::{collections::BTreeSet, path::Path};
use tandem_eventlog::{Headers, NewRecord, Offset, Partition, TopicPartition, partition_for};
use tandem_proto::v1::{Freshness, Reject, ShardState};
use tandem_standalone::Running;

use crate::fleet::Fleet;
use tandem_e2e::{
    services::Services,
    wire::{as_of_all, customer},
};

const SHARDS: u32 = 4;
/// The time of all bad records.
const AT_MS: i64 = 1_700_000_000_123;

/// Everything in this process, so that the log can be written to behind the services' backs.
async fn start(data: &Path) -> (Running, Services) {
    let Fleet { running, mut instances } = Fleet::start(data, &["--shards=4"]).await;
    (running, instances.remove(0))
}

/// A record that can't be folded, and words of the reason.
struct Bad {
    key: Option<String>,
    value: Option<Vec<u8>>,
    reason: &'static str,
}

/// All that may be wrong with a record in this partition.
fn bad(partition: u32) -> Vec<Bad> {
    let key_in = |wanted: u32| {
        let mut keys = (0..).map(|n| format!("key-{n}"));
        keys.find(|key| partition_for(key.as_bytes(), SHARDS) == Partition(wanted))
    };
    let here = || key_in(partition);
    let unknown_schema = vec![0, 0, 0, 0x27, 0x0f, 1, 2, 3];
    let bad = |key, value: Option<&[u8]>, reason| Bad { key, value: value.map(Into::into), reason };
    vec![
        bad(here(), Some(b"junk"), ""),
        bad(here(), Some(b""), ""),
        bad(here(), Some(&[0xff; 4_096]), ""),
        bad(None, Some(b"junk"), "the record has no key"),
        bad(None, None, "the record has no key"),
        bad(key_in((partition + 1) % SHARDS), Some(b"junk"), "partitioner=murmur2_random"),
        bad(here(), Some(&unknown_schema), "schema 9999"),
    ]
}

/// Writes it to the log; gives where it lies.
async fn append(running: &Running, topic: &str, partition: u32, bad: &Bad) -> Offset {
    let record = NewRecord {
        to: TopicPartition { topic: topic.into(), partition: Partition(partition) },
        timestamp_ms: AT_MS,
        key: bad.key.clone().map(Into::into),
        value: bad.value.clone().map(Into::into),
        headers: Headers::default(),
    };
    running.log().append(record).await.unwrap()
}

/// Bad records in all partitions of all topics; where each lies, and words of its reason.
async fn spoil(running: &Running) -> Vec<(String, u32, u64, &'static str)> {
    let mut places = Vec::new();
    for (topic, partition) in ["customer", "order", "greetings"]
        .into_iter()
        .flat_map(|topic| (0..SHARDS).map(move |partition| (topic, partition)))
    {
        for bad in bad(partition) {
            let offset = append(running, topic, partition, &bad).await;
            places.push((topic.to_owned(), partition, offset.0, bad.reason));
        }
        if topic != "customer" {
            let tombstone = Bad { value: None, reason: "null value", ..bad(partition).remove(0) };
            let offset = append(running, topic, partition, &tombstone).await;
            places.push((topic.to_owned(), partition, offset.0, tombstone.reason));
        }
    }
    places
}

/// Good events of all topics in all shards, and of each round one cancellation of what is not
/// there. Gives what a list has to be as fresh as.
async fn write_good(services: &Services, rounds: u32) -> Option<Freshness> {
    let mut receipts = Vec::new();
    for n in 0..rounds {
        let id = format!("c-{n}");
        receipts.push(services.create(customer(&id, "Ada")).await.receipt);
        receipts.push(services.cancel(&id, "never placed").await);
        receipts.push(services.greet(&id, "Hello").await);
    }
    let ids = (0..rounds).map(|n| partition_for(format!("c-{n}").as_bytes(), SHARDS).0);
    assert_eq!(ids.collect::<BTreeSet<_>>().len(), 4, "the ids lie in all shards");
    as_of_all(&receipts)
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_records_are_listed_and_later_good_events_are_served() {
    let data = tempfile::tempdir().unwrap();
    let (running, services) = start(data.path()).await;
    let spoilt = spoil(&running).await;
    let fresh = write_good(&services, 20).await;
    assert_eq!(services.all_customers(1_000, &fresh).await.len(), 20);
    assert_eq!(services.all_greetings(1_000, &fresh).await.len(), 20);

    let rejects = services.all_rejects(7, &fresh).await;
    let (cancelled, found): (Vec<_>, Vec<&Reject>) =
        rejects.iter().partition(|r| r.reason.contains("never placed"));
    assert_eq!((cancelled.len(), found.len()), (20, spoilt.len()));
    for (topic, partition, offset, reason) in &spoilt {
        let place = (topic, partition, offset);
        let reject = found.iter().find(|r| (&r.topic, &r.partition, &r.offset) == place);
        let reject = reject.unwrap_or_else(|| panic!("{place:?} isn't listed"));
        assert!(!reject.reason.is_empty() && reject.reason.contains(reason), "{reject:?}");
        let at = reject.timestamp.unwrap();
        assert_eq!(at.seconds * 1_000 + i64::from(at.nanos / 1_000_000), AT_MS);
    }

    let shards = services.shards().await;
    assert!(shards.iter().all(|s| s.state() == ShardState::Serving && s.rejects > 0));
    assert_eq!(shards.iter().map(|s| s.rejects).sum::<u64>(), rejects.len() as u64);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_stay_listed_after_a_restart_and_are_not_counted_twice() {
    let data = tempfile::tempdir().unwrap();
    let (running, services) = start(data.path()).await;
    let spoilt = spoil(&running).await.len();
    let fresh = write_good(&services, 20).await;
    let before = services.all_rejects(1_000, &fresh).await;
    drop(services);
    running.stop().await;

    let (running, services) = start(data.path()).await;
    let rejects = services.all_rejects(1_000, &fresh).await;
    assert_eq!(rejects.len(), spoilt + 20);
    assert_eq!(rejects, before);
    let counted: u64 = services.shards().await.iter().map(|s| s.rejects).sum();
    assert_eq!(counted, rejects.len() as u64);
    running.stop().await;
}
