//! The network between clients and instances: delays, cuts between two instances, and instances
//! that are gone in the middle of an answer.

use futures::stream;
use http::{Request, Response};
use http_body_util::{BodyExt as _, StreamBody};
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tandem_query_svc::Connection;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;
use tonic::{Status, body::Body};
use tower::{ServiceExt as _, util::BoxCloneSyncService};

/// What answers at an address.
pub(crate) type Server = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// How long it takes until a connection that has gone silent is given up, as with HTTP/2's pings.
const GIVEN_UP: Duration = Duration::from_secs(4);

/// All connections that there could be.
#[derive(Clone)]
pub(crate) struct Net(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// Changes with every cut.
    cuts: watch::Sender<()>,
}

struct State {
    ports: BTreeMap<String, Port>,
    /// Pairs of addresses.
    cut: BTreeSet<(String, String)>,
    rng: fastrand::Rng,
}

/// An instance at its address.
#[derive(Clone)]
struct Port {
    server: Server,
    power: CancellationToken,
    takes_calls: bool,
    in_hand: Arc<AtomicUsize>,
}

struct InHand(Arc<AtomicUsize>);

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One end calling another.
#[derive(Clone)]
struct Line {
    net: Net,
    /// `None` for a client: those are cut off from nobody.
    from: Option<String>,
    to: String,
}

impl Net {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed ^ 0x6e65_7477_6f72_6b00);
        let state = State { ports: BTreeMap::new(), cut: BTreeSet::new(), rng };
        Self(Arc::new(Inner { state: Mutex::new(state), cuts: watch::channel(()).0 }))
    }

    /// Something answers at `address` until `power` is off.
    pub(crate) fn open(&self, address: &str, server: Server, power: CancellationToken) {
        let port = Port { server, power, takes_calls: true, in_hand: Arc::default() };
        self.state().ports.insert(address.into(), port);
    }

    /// No new calls are taken there; ends when those under way have ended.
    pub(crate) async fn drained(&self, address: &str) {
        let in_hand = match self.state().ports.get_mut(address) {
            Some(port) => {
                port.takes_calls = false;
                port.in_hand.clone()
            }
            None => return,
        };
        while in_hand.load(Ordering::Relaxed) > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Nothing answers there any more.
    pub(crate) fn close(&self, address: &str) {
        self.state().ports.remove(address);
    }

    /// Cuts two instances off from each other, or mends that.
    pub(crate) fn cut(&self, a: &str, b: &str, is_cut: bool) {
        let mut state = self.state();
        for pair in [(a, b), (b, a)].map(|(a, b)| (a.to_owned(), b.to_owned())) {
            match is_cut {
                true => drop(state.cut.insert(pair)),
                false => drop(state.cut.remove(&pair)),
            }
        }
        drop(state);
        self.0.cuts.send_replace(());
    }

    /// A connection from `from`, or from a client, to `to`.
    pub(crate) fn connect(&self, from: Option<&str>, to: &str) -> Connection {
        let line = Line { net: self.clone(), from: from.map(Into::into), to: to.into() };
        let call = move |request| line.clone().call(request);
        BoxCloneSyncService::new(tower::service_fn(call))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    async fn call(self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let latency = self.net.state().rng.u64(50..2_000);
        sleep(Duration::from_micros(latency)).await;
        let port = self.net.state().ports.get(&self.to).filter(|port| port.takes_calls).cloned();
        let port = port.ok_or_else(|| Status::unavailable("connection refused"))?;
        port.in_hand.fetch_add(1, Ordering::Relaxed);
        let in_hand = InHand(port.in_hand.clone());
        tokio::select! {
            biased;
            lost = self.lost(&port) => Err(lost),
            answer = port.server.clone().oneshot(request) => {
                let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
                Ok(Response::from_parts(head, self.body(port, body, in_hand)))
            }
        }
    }

    /// The body as it arrives, for as long as the connection lasts.
    fn body(self, port: Port, body: Body, in_hand: InHand) -> Body {
        let frames = stream::unfold(Some((self, port, body, in_hand)), |open| async {
            let (line, port, mut body, in_hand) = open?;
            tokio::select! {
                biased;
                lost = line.lost(&port) => Some((Err(lost), None)),
                frame = body.frame() => Some((frame?, Some((line, port, body, in_hand)))),
            }
        });
        Body::new(StreamBody::new(frames))
    }

    /// Ends when the connection is lost, and says how.
    async fn lost(&self, port: &Port) -> Status {
        let mut cuts = self.net.0.cuts.subscribe();
        loop {
            let is_cut = self.from.as_ref().is_some_and(|from| {
                self.net.state().cut.contains(&(from.clone(), self.to.clone()))
            });
            if is_cut {
                sleep(GIVEN_UP).await;
                return Status::unavailable("the connection has gone silent");
            }
            tokio::select! {
                biased;
                () = port.power.cancelled() => return Status::unavailable("connection lost"),
                // The sender is part of the network.
                _ = cuts.changed() => {}
            }
        }
    }
}
