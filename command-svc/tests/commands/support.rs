//! A command service on the embedded log, and what is on that log.

use crate::scripted::Scripted;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tandem_codec::Codec;
use tandem_command_svc::{Clock, Running, Settings, start};
use tandem_domain::{Event, Millis, Topic};
use tandem_eventlog::{
    EventLog as _, Offset, Partition, Position, Record, TopicPartition, embedded::Embedded,
};
use tandem_proto::v1::command_service_client::CommandServiceClient;
use tandem_service::{bind::bind, status::reason};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_types::StatusExt as _;

pub(crate) const SHARDS: u32 = 3;
pub(crate) const NOW: i64 = 1_700_000_000_123;
pub(crate) const SERVICE: &str = "tandem.v1.CommandService";

pub(crate) type Client = CommandServiceClient<Channel>;

/// A service, and the log it writes to.
pub(crate) struct System {
    pub(crate) addr: SocketAddr,
    pub(crate) log: Arc<Scripted>,
    pub(crate) running: Running,
    pub(crate) shutdown: CancellationToken,
}

impl System {
    /// A service that is ready.
    pub(crate) async fn ready() -> Self {
        let log = Scripted::new(Embedded::open_in_memory().unwrap());
        let system = Self::on(log, Codec::with_fixed_ids()).await;
        eventually(async || system.health(SERVICE).await == ServingStatus::Serving).await;
        system
    }

    pub(crate) async fn on(log: Arc<Scripted>, codec: Codec) -> Self {
        let listener = bind("127.0.0.1:0", "--command-addr").await.unwrap();
        let clock = Clock::from_fn(|| Millis(NOW));
        let settings = Settings { clock, ..Settings::new(SHARDS) };
        let shutdown = CancellationToken::new();
        let running = start(settings, log.clone(), codec, listener, shutdown.clone());
        let running = running.await.unwrap();
        Self { addr: running.local_addr(), log, running, shutdown }
    }

    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.addr)).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self) -> Client {
        Client::new(self.channel().await)
    }

    pub(crate) async fn health(&self, service: &str) -> ServingStatus {
        let request = HealthCheckRequest { service: service.into() };
        let mut client = HealthClient::new(self.channel().await);
        client.check(request).await.unwrap().into_inner().status()
    }

    /// Every record of the topic with its partition, in order.
    pub(crate) async fn records(&self, topic: Topic) -> Vec<(u32, Record)> {
        let from: Vec<_> = (0..SHARDS)
            .map(|p| {
                let at = TopicPartition { topic: topic.name().into(), partition: Partition(p) };
                Position { at, offset: Offset(0) }
            })
            .collect();
        let mut reader = self.log.read(&from).await.unwrap();
        let mut all = Vec::new();
        loop {
            let batch = reader.next(Duration::from_millis(1)).await.unwrap();
            all.extend(batch.records.into_iter().map(|r| (u32::try_from(r.input).unwrap(), r)));
            if batch.next == batch.ends {
                return all;
            }
        }
    }

    /// The topic's only record.
    pub(crate) async fn record(&self, topic: Topic) -> (u32, Record) {
        let [record] = self.records(topic).await.try_into().unwrap();
        record
    }
}

pub(crate) fn event(topic: Topic, record: &Record) -> Event {
    let codec = Codec::with_fixed_ids();
    codec.decode(topic, record.value.as_deref().unwrap()).unwrap()
}

pub(crate) fn header<'a>(record: &'a Record, name: &str) -> &'a str {
    std::str::from_utf8(record.headers.get(name).unwrap_or_default()).unwrap()
}

/// The code and reason that an error carries; fails on one without details.
pub(crate) fn told(status: &Status) -> (Code, String) {
    let told = reason(status).unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"));
    let retry = status.get_details_retry_info().is_some();
    assert_eq!(retry, status.code() == Code::Unavailable, "{status:?}");
    (status.code(), told)
}

/// Waits until `done`, or fails after ten seconds.
pub(crate) async fn eventually(mut done: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + Duration::from_secs(10);
    while !done().await {
        assert!(tokio::time::Instant::now() < end, "did not come about in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
