//! Calls from instance to instance: the same methods, marked so that they are answered from what
//! the callee holds itself, or not at all.
//!
//! A mark names the shards that are asked for and shows the word that the callee has announced, so
//! only who reads the announcements can make one. A marked call is never passed on: that is all it
//! takes for one hop at most.

use http::{Request, Response};
use std::{
    collections::HashMap,
    error::Error as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tandem_processor::{Cluster, GONE_AFTER, Ignored, Partition, Peer};
use tandem_proto::v1::query_service_client::QueryServiceClient;
use tandem_service::{deadline::Deadline, status::Fault};
use tokio::time::Instant;
use tonic::{
    Code, Status, TimeoutExpired,
    body::Body,
    metadata::{MetadataMap, MetadataValue},
    transport::Endpoint,
};
use tonic_types::StatusExt as _;
use tower::util::BoxCloneSyncService;

use crate::status;

/// The header that says that a peer calls.
const MARK: &str = "tandem-peer";
/// The header that says which shards it asks for.
const SHARDS: &str = "tandem-shards";
/// What is passed on of the caller's own headers, so that its trace goes on.
const TRACE: &str = "traceparent";

/// How long a connection to a peer may take: they are near.
const CONNECT: Duration = Duration::from_millis(500);
/// How often an idle connection is asked whether its other end is still there, and how long that
/// may take.
const KEEPALIVE: Duration = Duration::from_secs(2);

/// How long after its start an instance may be called by those who knew it before.
const STALE: Duration = GONE_AFTER.saturating_mul(2);

/// How long a peer is set aside after a failed call, and after one that it didn't answer.
const FAILED: Duration = Duration::from_millis(250);
const HUNG: Duration = Duration::from_secs(2);

/// The largest answer that is taken from a peer: a page of rows, which is bounded, and its frame.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// A connection to a peer. What goes wrong with it is a bare status, without an `ErrorInfo`.
pub type Connection = BoxCloneSyncService<Request<Body>, Response<Body>, Status>;

/// How a peer is called.
pub(crate) type Client = QueryServiceClient<Connection>;

/// How connections to peers are made: by address, host:port. It does no I/O yet.
pub type Connect = Arc<dyn Fn(&str) -> Result<Connection, String> + Send + Sync>;

/// Connections over the network.
#[must_use]
pub fn over_network() -> Connect {
    Arc::new(|address| {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .map_err(|e| e.to_string())?
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .keep_alive_while_idle(true);
        let channel = endpoint.connect_lazy();
        Ok(BoxCloneSyncService::new(tower::ServiceExt::map_err(channel, |e| failed(&e))))
    })
}

/// A call whose time was up says nothing of the connection.
fn failed(error: &tonic::transport::Error) -> Status {
    let mut causes = std::iter::successors(error.source(), |cause| (*cause).source());
    match causes.any(|cause| cause.is::<TimeoutExpired>()) {
        true => Status::deadline_exceeded(error.to_string()),
        false => Status::unavailable(error.to_string()),
    }
}

/// The peers that this instance calls.
pub(crate) struct Peers {
    /// What this instance's callers have to show.
    run: String,
    started: Instant,
    cluster: Cluster,
    connect: Connect,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By the peer's run, so that one that was started again is connected to anew, and by lane.
    clients: HashMap<(String, usize), Client>,
    /// The lanes for watches to each peer, each held by those that are on it.
    lanes: HashMap<String, Vec<Lane>>,
    /// Until when a peer is asked only if there is nobody else: in general, or for a shard.
    aside: HashMap<(String, Option<Partition>), Instant>,
    /// When calls of a peer last failed.
    failed: HashMap<String, Instant>,
}

/// A place on a connection for watches. Reads have one of their own: watches have no end, so they
/// would take all the streams that a connection may have, and one that isn't read its window.
pub(crate) type Lane = Arc<()>;

/// The lane of reads.
const READS: usize = 0;

/// How many watches there may be on a connection: few beside the streams that a server allows, 256.
const WATCHES: usize = 64;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Anyone.
    Outside,
    /// A peer, for these shards.
    Peer(Vec<Partition>),
}

/// What a call to a peer carries beside its message.
#[derive(Clone)]
pub(crate) struct Envelope {
    run: String,
    shards: String,
    trace: Option<MetadataValue<tonic::metadata::Ascii>>,
    deadline: Option<Deadline>,
}

impl Envelope {
    fn to(peer: &Peer, shards: &[Partition], trace: &Trace, deadline: Option<Deadline>) -> Self {
        let shards: Vec<String> = shards.iter().map(ToString::to_string).collect();
        let (run, trace) = (peer.run.clone(), trace.0.clone());
        Self { run, shards: shards.join(","), trace, deadline }
    }

    /// Puts a message into it.
    pub(crate) fn with<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        if let Some(deadline) = self.deadline {
            request.set_timeout(deadline.remaining());
        }
        let headers = request.metadata_mut();
        for (name, value) in [(MARK, &self.run), (SHARDS, &self.shards)] {
            // Both are made of hexadecimal digits and commas.
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        }
        if let Some(trace) = &self.trace {
            headers.insert(TRACE, trace.clone());
        }
        request
    }
}

/// The caller's part of an [`Envelope`].
#[derive(Clone, Default)]
pub(crate) struct Trace(Option<MetadataValue<tonic::metadata::Ascii>>);

impl Trace {
    pub(crate) fn of(headers: &MetadataMap) -> Self {
        Self(headers.get(TRACE).cloned())
    }
}

impl Peers {
    pub(crate) fn new(run: String, cluster: Cluster, connect: Connect) -> Self {
        Self { run, started: Instant::now(), cluster, connect, known: Mutex::default() }
    }

    /// Tells a peer's call from any other.
    ///
    /// # Errors
    /// A forged mark is refused and counted. What looks like one for an earlier run is only
    /// refused, for a while after the start: its caller may not have heard of that yet.
    pub(crate) fn caller(&self, headers: &MetadataMap) -> Result<Caller, Fault> {
        let (mark, shards) = (headers.get(MARK), headers.get(SHARDS));
        if mark.is_none() && shards.is_none() {
            return Ok(Caller::Outside);
        }
        let is_mine = mark.is_some_and(|mark| mark.as_bytes() == self.run.as_bytes());
        let is_like_mine = mark.is_some_and(|mark| mark.as_bytes().len() == self.run.len());
        let may_be_stale = is_like_mine && shards.is_some() && self.started.elapsed() < STALE;
        let shards = shards.and_then(|s| s.to_str().ok()).unwrap_or_default().split(',');
        let shards: Result<Vec<_>, _> =
            shards.filter(|s| !s.is_empty()).map(|s| s.parse().map(Partition)).collect();
        match shards {
            Ok(shards) if is_mine => Ok(Caller::Peer(shards)),
            Ok(_) if may_be_stale => Err(status::other_run()),
            _ => {
                let message = format!(
                    "the headers {MARK} and {SHARDS} are for Tandem's instances among \
                     themselves; leave them out"
                );
                self.cluster.ignore("", Ignored::ForgedHeader, message.clone());
                Err(Fault::new(Code::PermissionDenied, FORGED_HEADER, message))
            }
        }
    }

    /// How to call `peer`, and what the calls have to carry.
    pub(crate) fn call(
        &self,
        peer: &Peer,
        shards: &[Partition],
        trace: &Trace,
        deadline: Option<Deadline>,
    ) -> Result<(Client, Envelope), Status> {
        let envelope = Envelope::to(peer, shards, trace, deadline);
        Ok((self.client(&peer.run, READS, &peer.address)?, envelope))
    }

    /// How to watch at `peer`; the lane has to be held for as long as the watch lasts.
    pub(crate) fn watch(
        &self,
        peer: &Peer,
        shard: Partition,
        trace: &Trace,
    ) -> Result<(Client, Envelope, Lane), Status> {
        let envelope = Envelope::to(peer, &[shard], trace, None);
        let (at, lane) = self.lane(&peer.run);
        Ok((self.client(&peer.run, at, &peer.address)?, envelope, lane))
    }

    /// The first lane with room for one more watch.
    pub(crate) fn lane(&self, run: &str) -> (usize, Lane) {
        let mut known = self.lock();
        let lanes = known.lanes.entry(run.to_owned()).or_default();
        let has_room = |lane: &Lane| Arc::strong_count(lane) <= WATCHES;
        let at = lanes.iter().position(has_room).unwrap_or_else(|| {
            lanes.push(Lane::default());
            lanes.len() - 1
        });
        (READS + 1 + at, lanes[at].clone())
    }

    /// How to call this instance itself by the address that it announces.
    pub(crate) fn call_self(
        &self,
        address: &str,
        within: Duration,
    ) -> Result<(Client, Envelope), Status> {
        let deadline = Some(Deadline::within(within));
        let (run, shards) = (self.run.clone(), String::new());
        Ok((self.client(&run, READS, address)?, Envelope { run, shards, trace: None, deadline }))
    }

    fn client(&self, run: &str, lane: usize, address: &str) -> Result<Client, Status> {
        let mut known = self.lock();
        let key = (run.to_owned(), lane);
        if let Some(client) = known.clients.get(&key) {
            return Ok(client.clone());
        }
        let there: Vec<String> = self.cluster.peers().iter().map(|p| p.run.clone()).collect();
        known.clients.retain(|(run, _), _| there.contains(run));
        known.lanes.retain(|run, _| there.contains(run));
        known.failed.retain(|run, _| there.contains(run));
        let connection = (self.connect)(address)
            .map_err(|why| Status::unavailable(format!("{address} can't be called: {why}")))?;
        let client =
            QueryServiceClient::new(connection).max_decoding_message_size(MAX_ANSWER_BYTES);
        known.clients.insert(key, client.clone());
        Ok(client)
    }

    /// Whether a peer has just failed to answer for the shard, or for any and hasn't been heard since:
    /// it may well be dead. It is asked if there is nobody else.
    pub(crate) fn is_suspect(&self, peer: &Peer, shard: Partition) -> bool {
        let known = self.lock();
        if known.failed.get(&peer.run).is_some_and(|failed| *failed > peer.heard) {
            return true;
        }
        if known.aside.is_empty() {
            return false;
        }
        let now = Instant::now();
        [None, Some(shard)].into_iter().any(|which| {
            known.aside.get(&(peer.run.clone(), which)).is_some_and(|until| *until > now)
        })
    }

    /// Sets a peer aside for what it did to a call about `shards`.
    pub(crate) fn set_aside(&self, peer: &Peer, shards: &[Partition], trouble: Trouble) {
        let mut known = self.lock();
        let now = Instant::now();
        known.aside.retain(|_, until| *until > now);
        if matches!(trouble, Trouble::Failed | Trouble::Hung) {
            known.failed.insert(peer.run.clone(), now);
        }
        let run = || peer.run.clone();
        match trouble {
            Trouble::NotHere => {
                let until = now + FAILED;
                known.aside.extend(shards.iter().map(|shard| ((run(), Some(*shard)), until)));
            }
            Trouble::Late => {}
            Trouble::Failed => drop(known.aside.insert((run(), None), now + FAILED)),
            Trouble::Hung => drop(known.aside.insert((run(), None), now + HUNG)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reason of a refused mark.
const FORGED_HEADER: &str = "FORGED_HEADER";

/// What a peer did instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It said that it doesn't have the shard.
    NotHere,
    /// It could not be as fresh as that in the time it was given, which is for the caller to
    /// choose; others may find it quick enough.
    Late,
    /// The call failed on the way.
    Failed,
    /// It said nothing in time.
    Hung,
}

/// Whether a peer's status is an answer, which any other would give too, or trouble.
pub(crate) fn trouble(status: &Status) -> Option<Trouble> {
    let reason = tandem_service::status::reason(status);
    match (status.code(), reason.as_deref()) {
        (Code::PermissionDenied, Some(FORGED_HEADER)) | (Code::Unavailable, Some(_)) => {
            Some(Trouble::NotHere)
        }
        (Code::DeadlineExceeded, Some(status::VIEW_BEHIND | status::VIEW_STALE)) => {
            Some(Trouble::Late)
        }
        (Code::DeadlineExceeded | Code::Cancelled, _) => Some(Trouble::Hung),
        (
            Code::NotFound
            | Code::FailedPrecondition
            | Code::InvalidArgument
            | Code::ResourceExhausted,
            Some(_),
        ) => None,
        // A store that broke is that instance's own; another copy may be sound.
        _ => Some(Trouble::Failed),
    }
}

/// Which of `shards` a peer's trouble is about: those that its status names, else all.
pub(crate) fn about(status: &Status, shards: &[Partition]) -> Vec<Partition> {
    let info = status.get_details_error_info();
    let named = info.and_then(|info| {
        let named = info.metadata.get("shards").or_else(|| info.metadata.get("shard"))?;
        named
            .split(',')
            .map(|shard| shard.parse().map(Partition))
            .collect::<Result<Vec<_>, _>>()
            .ok()
    });
    match named {
        Some(named) if named.iter().all(|shard| shards.contains(shard)) => named,
        _ => shards.to_vec(),
    }
}
