//! Both services in memory, with faults on order.

mod command;
pub(crate) mod cut;
mod query;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tandem_proto::receipt::{self, Proof};
use tandem_proto::v1;
use tandem_proto::v1::command_service_server::CommandServiceServer;
use tandem_proto::v1::query_service_server::QueryServiceServer;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// What goes wrong.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Acknowledged and then forgotten.
    pub(crate) lose_order: Option<String>,
    /// Missing in the first answer that asks for it with a receipt, and there afterwards.
    pub(crate) stale_once: Option<String>,
    /// The first commands, this many, are UNAVAILABLE with a pause of 1 ms.
    pub(crate) unavailable_at_first: u64,
    /// After this many commands, everything is UNAVAILABLE until [`Fake::restart`].
    pub(crate) crash_after: Option<u64>,
    /// Orders of this customer are INVALID_ARGUMENT.
    pub(crate) refuse_customer: Option<String>,
}

#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) customers: BTreeMap<String, v1::Customer>,
    pub(crate) orders: BTreeMap<(String, String), v1::Order>,
    pub(crate) request_ids: HashMap<String, u32>,
    position: u64,
}

#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: String,
    rows: Arc<Mutex<Rows>>,
    faults: Arc<Mutex<Faults>>,
    commands: Arc<AtomicU64>,
}

impl Fake {
    pub(crate) async fn start(faults: Faults) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            rows: Arc::default(),
            faults: Arc::new(Mutex::new(faults)),
            commands: Arc::default(),
        };
        let server = tonic::transport::Server::builder()
            .add_service(CommandServiceServer::new(fake.clone()))
            .add_service(QueryServiceServer::new(fake.clone()))
            .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
        tokio::spawn(server);
        fake
    }

    pub(crate) fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap()
    }

    /// Ends what `crash_after` began.
    pub(crate) fn restart(&self) {
        self.faults().crash_after = None;
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    /// Counts a command in and says whether the service is up for it.
    fn up_for_command(&self) -> Result<(), Status> {
        let nth = self.commands.fetch_add(1, Ordering::Relaxed);
        let faults = self.faults();
        let crashed = faults.crash_after.is_some_and(|after| nth >= after);
        if crashed || nth < faults.unavailable_at_first { Err(unavailable()) } else { Ok(()) }
    }

    fn up_for_query(&self) -> Result<(), Status> {
        let crash_after = self.faults().crash_after;
        let crashed = crash_after.is_some_and(|n| self.commands.load(Ordering::Relaxed) >= n);
        if crashed { Err(unavailable()) } else { Ok(()) }
    }
}

impl Rows {
    /// Notes the request id and hands out a receipt.
    fn written(&mut self, request_id: &str) -> String {
        *self.request_ids.entry(request_id.to_owned()).or_default() += 1;
        self.position += 1;
        let topic_tag = receipt::topic_tag("fake");
        let proof = Proof { topic: "log".into(), topic_tag, partition: 0, position: self.position };
        receipt::encode(&[proof])
    }

    /// Whether these rows are at least as fresh as asked; anything else is a fault of the load.
    fn fresh(&self, freshness: Option<&v1::Freshness>) -> Result<(), Status> {
        for token in freshness.iter().flat_map(|freshness| &freshness.receipts) {
            let proofs = receipt::decode(token)
                .map_err(|_| Status::invalid_argument("freshness.receipts"))?;
            if proofs.iter().any(|proof| proof.position > self.position) {
                return Err(Status::internal("a receipt from the future"));
            }
        }
        Ok(())
    }
}

fn unavailable() -> Status {
    let pause = ErrorDetails::with_retry_info(Some(Duration::from_millis(1)));
    Status::with_error_details(Code::Unavailable, "not just now", pause)
}
