//! How librdkafka is set up: what Tandem's guarantees need, what suits it, and what the operator
//! adds.

use super::context::Context;
use crate::Member;
use rdkafka::{ClientConfig, config::RDKafkaLogLevel};
use std::fmt;

/// The largest record that is taken, key, value and headers together: below Kafka's default
/// `max.message.bytes` of 1,048,588 by more than what a batch adds to a record.
const MAX_RECORD_BYTES: &str = "1048000";

/// What the guarantees rest on, and what belongs to a setting of Tandem's own. Nobody may change
/// these.
const OURS: [(&str, &str); 17] = [
    ("bootstrap.servers", "it is what --log says"),
    ("metadata.broker.list", "it is what --log says"),
    ("group.id", "it is the replica set"),
    ("group.instance.id", "it is what --instance-id says"),
    ("client.id", "it is the instance's name"),
    ("acks", "an acknowledged record must survive its leader: it is `all`"),
    ("request.required.acks", "an acknowledged record must survive its leader: it is `all`"),
    ("enable.idempotence", "a record must be written once and in order: it is on"),
    ("transactional.id", "Tandem needs no transactions"),
    ("isolation.level", "records of aborted transactions never happened: it is `read_committed`"),
    ("check.crcs", "a damaged record must not be folded: it is on"),
    ("auto.offset.reset", "a lost position must be an error: it is `error`"),
    ("enable.auto.commit", "the view keeps its own positions: it is off"),
    ("enable.partition.eof", "it tells where a partition ends: it is on"),
    ("partition.assignment.strategy", "shards move one by one: it is `cooperative-sticky`"),
    ("partitioner", "it is `murmur2_random`, as Java's"),
    (
        "allow.auto.create.topics",
        "a topic that is made by chance has the wrong settings: it is off",
    ),
];

/// What every client has; any of it can be set otherwise. A broker that went away is found again
/// within a second or so of coming back, and one that hangs is given up before a caller is.
const ALL: [(&str, &str); 8] = [
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    ("retry.backoff.ms", "50"),
    ("socket.connection.setup.timeout.ms", "5000"),
    ("socket.timeout.ms", "10000"),
    ("socket.nagle.disable", "true"),
    ("socket.keepalive.enable", "true"),
    ("topic.metadata.refresh.fast.interval.ms", "50"),
];

const PRODUCER: [(&str, &str); 9] = [
    ("acks", "all"),
    ("enable.idempotence", "true"),
    ("partitioner", "murmur2_random"),
    ("compression.type", "lz4"),
    ("message.max.bytes", MAX_RECORD_BYTES),
    // A command's default deadline; what waits for longer has nobody to answer to.
    ("message.timeout.ms", "10000"),
    // Requests under way let records gather by themselves; waiting besides only adds to latency.
    ("linger.ms", "0"),
    // Bounds what waits for a broker, in messages and in memory.
    ("queue.buffering.max.messages", "100000"),
    ("queue.buffering.max.kbytes", "65536"),
];

const CONSUMER: [(&str, &str); 6] = [
    ("isolation.level", "read_committed"),
    ("check.crcs", "true"),
    ("auto.offset.reset", "error"),
    ("enable.auto.commit", "false"),
    ("enable.partition.eof", "true"),
    ("allow.auto.create.topics", "false"),
];

/// What a reader fetches ahead of each partition. A store that is slower than the log makes it
/// wait, so its memory is bounded by the queues and one response.
const READER: [(&str, &str); 9] = [
    ("auto.commit.enable", "false"),
    ("enable.auto.offset.store", "false"),
    ("queued.max.messages.kbytes", "2048"),
    ("queued.min.messages", "10000"),
    ("fetch.max.bytes", "4194304"),
    ("max.partition.fetch.bytes", "1048576"),
    // The default waits a second before looking whether a full queue has been read.
    ("fetch.queue.backoff.ms", "2"),
    // A broker is asked one thing at a time, and not for partitions whose queue is full: while it
    // waits for news of the others, the full ones run dry. At the default, 500, a fold that could
    // do twice that stood at 100,000 records a second.
    ("fetch.wait.max.ms", "100"),
    ("fetch.error.backoff.ms", "100"),
];

/// A member that died is noticed by the group after the shortest time that brokers allow by
/// default; heartbeats come four times in it.
const CLASSIC_MEMBER: [(&str, &str); 3] = [
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1500"),
];

/// How to reach a Kafka cluster, and how topics are made on it.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaSettings {
    /// Some brokers, HOST:PORT each, with commas between.
    pub brokers: String,
    /// Properties of librdkafka, in the order they count; later ones win.
    pub properties: Vec<(String, String)>,
    /// On how many brokers a topic that has to be made is kept; `None` is the cluster's default.
    pub replication_factor: Option<u16>,
    /// On how many of them a record has to be before it counts as written; `None` is the cluster's
    /// default.
    pub min_insync_replicas: Option<u16>,
}

impl KafkaSettings {
    /// Settings for some brokers, with the defaults for the rest.
    #[must_use]
    pub fn new(brokers: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            properties: Vec::new(),
            replication_factor: None,
            min_insync_replicas: None,
        }
    }

    /// Everything that is wrong with the settings, a sentence a fault.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let is_address = |broker: &str| {
            let port = broker.rsplit_once(':').filter(|(host, _)| !host.is_empty());
            port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0))
        };
        for broker in self.brokers.split(',').filter(|broker| !is_address(broker)) {
            faults.push(format!("--log names a broker {broker:?}; give kafka://HOST:PORT,..."));
        }
        for (key, _) in &self.properties {
            if let Some((_, why)) = OURS.iter().find(|(ours, _)| ours == key) {
                faults.push(format!("--kafka {key} can't be set: {why}"));
            }
        }
        if let (Some(min), Some(all)) = (self.min_insync_replicas, self.replication_factor)
            && min > all
        {
            faults.push(format!(
                "--min-insync-replicas is {min}, more than --replication-factor, {all}: nothing \
                 could be written; lower it"
            ));
        }
        for (flag, value) in [
            ("--replication-factor", self.replication_factor),
            ("--min-insync-replicas", self.min_insync_replicas),
        ] {
            if value == Some(0) {
                faults.push(format!("{flag} is 0; give 1 or more, 3 and 2 are usual"));
            }
        }
        faults
    }

    /// For what is asked about topics, and for appends.
    pub(super) fn producer(&self) -> ClientConfig {
        self.client(&PRODUCER)
    }

    /// For what is asked about positions.
    pub(super) fn asker(&self) -> ClientConfig {
        self.client(&CONSUMER)
    }

    /// For reading.
    pub(super) fn reader(&self) -> ClientConfig {
        self.client(&[&CONSUMER[..], &READER[..]].concat())
    }

    /// For a place in a group.
    pub(super) fn member(&self, group: &str, member: &Member) -> ClientConfig {
        // The newer protocol keeps these on the brokers and refuses them here.
        let is_classic =
            !self.properties.iter().any(|p| p.0 == "group.protocol" && p.1 != "classic");
        let classic = if is_classic { &CLASSIC_MEMBER[..] } else { &[] };
        let mut config = self.client(&[&CONSUMER[..], classic].concat());
        config.set("group.id", group).set("client.id", &member.id);
        if member.is_static {
            config.set("group.instance.id", &member.id);
        }
        config
    }

    fn client(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (key, value) in ALL.iter().chain(defaults) {
            config.set(*key, *value);
        }
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config.set("client.id", "tandem").set("bootstrap.servers", &self.brokers);
        config.set_log_level(RDKafkaLogLevel::Info);
        config
    }

    /// The largest record that may be sent.
    pub(super) fn max_record_bytes(&self) -> usize {
        let set = self.properties.iter().rev().find(|(key, _)| key == "message.max.bytes");
        set.map_or(MAX_RECORD_BYTES, |(_, value)| value).parse().unwrap_or(usize::MAX)
    }

    /// A context for a client of these settings.
    pub(super) fn context(&self) -> Context {
        Context::new(&self.brokers)
    }
}

/// Only the names of properties are shown: passwords and keys are among the values.
impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.properties.iter().map(|(name, _)| name).collect();
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("properties", &names)
            .field("replication_factor", &self.replication_factor)
            .field("min_insync_replicas", &self.min_insync_replicas)
            .finish()
    }
}
