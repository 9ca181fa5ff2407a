//! The query service before its log is there: it answers, says that it isn't ready, and goes on
//! by itself once the log has come.

#![allow(clippy::unwrap_used)] // helpers of tests, where a panic is the failure

use async_trait::async_trait;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tandem_codec::Codec;
use tandem_eventlog::{
    Bounds, EventLog, Log, LogError, Member, Membership, NewRecord, Offset, Position, Reader,
    TopicId, TopicName, TopicPartition, TopicSpec, embedded::Embedded,
};
use tandem_proto::{
    receipt::{self, Proof},
    v1::{self, query_service_client::QueryServiceClient},
};
use tandem_query_svc::{Running, Settings, start};
use tandem_service::{bind::bind, probe, status::reason};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt as _;

const SERVICE: &str = "tandem.v1.QueryService";
const SOON: Duration = Duration::from_secs(20);

/// The embedded log, away for as long as there is an error.
struct Away {
    log: Log,
    error: Mutex<Option<LogError>>,
}

#[async_trait]
impl EventLog for Away {
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicId>, LogError> {
        let error = self.error.lock().unwrap().clone();
        match error {
            Some(error) => Err(error),
            None => self.log.ensure_topics(topics).await,
        }
    }

    async fn append(&self, record: NewRecord) -> Result<Offset, LogError> {
        self.log.append(record).await
    }

    async fn read(&self, from: &[Position]) -> Result<Box<dyn Reader>, LogError> {
        self.log.read(from).await
    }

    async fn bounds(&self, of: &[TopicPartition]) -> Result<Vec<Bounds>, LogError> {
        self.log.bounds(of).await
    }

    async fn join(
        &self,
        group: &str,
        member: &Member,
        topic: &TopicName,
    ) -> Result<Box<dyn Membership>, LogError> {
        self.log.join(group, member, topic).await
    }
}

struct System {
    log: Arc<Away>,
    running: Running,
    at: SocketAddr,
    shutdown: CancellationToken,
    _dir: tempfile::TempDir,
}

impl System {
    async fn without_a_log() -> Self {
        let error = Mutex::new(Some(LogError::Unavailable("kafka-7.internal is away".into())));
        let log = Arc::new(Away { log: Embedded::open_in_memory().unwrap(), error });
        let dir = tempfile::tempdir().unwrap();
        let view = dir.path().to_owned();
        let settings = Settings::new(tandem_processor::Settings::new(view, 2, "test", "one"));
        let socket = bind("127.0.0.1:0", "--query-addr").await.unwrap();
        let (shutdown, codec) = (CancellationToken::new(), Codec::with_fixed_ids());
        let fold = Handle::current();
        let running = start(settings, log.clone(), codec, fold, socket, shutdown.clone()).await;
        let running = running.unwrap();
        Self { at: running.local_addr(), log, running, shutdown, _dir: dir }
    }

    async fn client(&self) -> QueryServiceClient<Channel> {
        QueryServiceClient::connect(format!("http://{}", self.at)).await.unwrap()
    }

    async fn is_healthy(&self) -> bool {
        probe::check(&self.at.to_string(), "--query-addr", SERVICE).await.is_ok()
    }

    async fn is_waiting(&self) {
        assert!(!self.is_healthy().await);
        let mut client = self.client().await;
        let customer = |freshness| v1::GetCustomerRequest { customer_id: "ada".into(), freshness };
        let shown = v1::Freshness { receipts: vec![receipt()], max_staleness: None };
        for freshness in [None, Some(shown.clone())] {
            not_ready(&client.get_customer(customer(freshness)).await.unwrap_err());
        }
        not_ready(&client.list_orders(v1::ListOrdersRequest::default()).await.unwrap_err());
        // What the caller has to mend is told even now.
        let empty = v1::GetCustomerRequest { customer_id: "".into(), freshness: Some(shown) };
        let status = client.get_customer(empty).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let answer = client.list_instances(v1::ListInstancesRequest::default()).await.unwrap();
        let [instance] = answer.into_inner().instances.try_into().unwrap();
        assert_eq!((&*instance.instance_id, instance.shards), ("one", vec![]));
        let partial = v1::ListOrdersRequest { allow_partial: true, ..Default::default() };
        let answer = client.list_orders(partial).await.unwrap().into_inner();
        assert_eq!((answer.orders, answer.unreachable_shards), (vec![], vec![0, 1]));
    }
}

/// A receipt of some log: whether of this one can't be told yet.
fn receipt() -> String {
    let proof = Proof { topic: "order".into(), topic_tag: 7, partition: 0, position: 1 };
    receipt::encode(&[proof])
}

fn not_ready(status: &Status) {
    assert_eq!((status.code(), reason(status).as_deref()), (Code::Unavailable, Some("NOT_READY")));
    assert!(status.get_details_retry_info().is_some(), "{status:?}");
    assert!(!format!("{status:?}").contains("kafka-7"), "{status:?}");
}

async fn eventually(mut done: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + SOON;
    while !done().await {
        assert!(tokio::time::Instant::now() < end, "did not come about in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_before_the_log_is_there_and_serves_once_it_is() {
    let system = System::without_a_log().await;
    system.is_waiting().await;
    *system.log.error.lock().unwrap() = Some(LogError::Unsuitable("8 partitions".into()));
    system.is_waiting().await;
    *system.log.error.lock().unwrap() = None;
    eventually(async || system.is_healthy().await).await;
    let mut client = system.client().await;
    let shown = v1::Freshness { receipts: vec![receipt()], max_staleness: None };
    let request = v1::GetCustomerRequest { customer_id: "ada".into(), freshness: Some(shown) };
    let status = client.get_customer(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "of another log: {status:?}");
    let request = v1::GetCustomerRequest { customer_id: "ada".into(), freshness: None };
    assert_eq!(client.get_customer(request).await.unwrap_err().code(), Code::NotFound);
    system.shutdown.cancel();
    system.running.drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_shut_down_while_it_waits() {
    let system = System::without_a_log().await;
    system.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(5), system.running.drained()).await.unwrap();
}
