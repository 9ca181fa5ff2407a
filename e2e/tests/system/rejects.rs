//! What can't be folded is listed, and stops nobody.

use std::{collections::BTreeSet, path::Path};
use tandem_eventlog::{
    EventLog as _, Headers, NewRecord, Offset, Partition, TopicPartition, partition_for,
};
use tandem_proto::v1::ShardState;
use tandem_standalone::{Running, Settings};
use tokio::runtime::Handle;

use crate::{
    services::{Services, Urls},
    wire::{as_of, customer, customer_as_of},
};

const SHARDS: u32 = 4;
/// The time of all bad records.
const AT_MS: i64 = 1_700_000_000_123;

/// Everything in this process, so that the log can be written to behind the services' backs.
async fn start(data: &Path) -> (Running, Services) {
    let (data, any) = (data.to_str().unwrap(), "127.0.0.1:0");
    let settings = <Settings as clap::Parser>::parse_from(
        [
            ["tandem", "--shards=4"].as_slice(),
            &["--data-dir", data, "--command-addr", any],
            &["--query-addr", any, "--registry-addr", any],
        ]
        .concat(),
    );
    let running = tandem_standalone::start(settings, Handle::current()).await.unwrap();
    let at = running.addresses();
    let [command, query, registry] =
        [at.command, at.query, at.registry].map(|address| format!("http://{address}"));
    let services = Services::at(Urls { command, query, registry });
    services.serving().await;
    (running, services)
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

#[tokio::test(flavor = "multi_thread")]
async fn bad_records_are_listed_and_later_good_events_are_served() {
    let data = tempfile::tempdir().unwrap();
    let (running, services) = start(data.path()).await;
    let spoilt = spoil(&running).await;

    let mut shards = BTreeSet::new();
    let mut last = String::new();
    for n in 0..20 {
        let id = format!("c-{n}");
        shards.insert(partition_for(id.as_bytes(), SHARDS).0);
        last = services.create(customer(&id, "Ada")).await.receipt;
        services.queries().get_customer(customer_as_of(&id, &last)).await.unwrap();
        // The other topics are folded by the same loop.
        last = services.cancel(&id, "never placed").await;
        let greeted = services.greet(&format!("g-{n}"), "Hello").await;
        services.all_greetings(1_000, &as_of(&greeted)).await;
    }
    assert_eq!(shards.len(), 4, "good events went to all shards");

    let rejects = services.all_rejects(7, &as_of(&last)).await;
    let (cancelled, spoilt_found): (Vec<_>, Vec<_>) =
        rejects.iter().partition(|r| r.reason.contains("never placed"));
    assert_eq!(cancelled.len(), 20);
    assert_eq!(spoilt_found.len(), spoilt.len());
    for (topic, partition, offset, reason) in &spoilt {
        let here = |r: &&&_| -> bool {
            let r: &tandem_proto::v1::Reject = r;
            (&r.topic, r.partition, r.offset) == (topic, *partition, *offset)
        };
        let found = spoilt_found.iter().find(here);
        let found = found.unwrap_or_else(|| panic!("{topic}[{partition}]@{offset} isn't listed"));
        assert!(!found.reason.is_empty() && found.reason.contains(reason), "{found:?}");
        let at = found.timestamp.unwrap();
        assert_eq!(at.seconds * 1_000 + i64::from(at.nanos / 1_000_000), AT_MS);
    }

    let shards = services.shards().await;
    assert!(shards.iter().all(|s| s.state() == ShardState::Serving && s.rejects > 0));
    let counted: u64 = shards.iter().map(|s| s.rejects).sum();
    assert_eq!(counted, u64::try_from(rejects.len()).unwrap());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_stay_listed_after_a_restart_and_are_not_counted_twice() {
    let data = tempfile::tempdir().unwrap();
    let (running, services) = start(data.path()).await;
    let spoilt = spoil(&running).await.len();
    let last = services.cancel("c", "never placed").await;
    services.all_rejects(1_000, &as_of(&last)).await;
    drop(services);
    running.stop().await;

    let (running, services) = start(data.path()).await;
    let rejects = services.all_rejects(1_000, &as_of(&last)).await;
    assert_eq!(rejects.len(), spoilt + 1);
    let counted: u64 = services.shards().await.iter().map(|s| s.rejects).sum();
    assert_eq!(counted, u64::try_from(rejects.len()).unwrap());
    running.stop().await;
}
