//! Watches: a customer's document, and again after each change, wherever its shard goes.
//!
//! The instance that was called follows the shard: it watches its own view or passes on the stream
//! of the peer that holds the shard, and turns to the next holder when that ends. The token says
//! what was seen: positions, behind which no later document may be, and the document itself as a
//! hash, so that it isn't sent twice.

use futures::{Stream, StreamExt as _, stream};
use prost::Message;
use std::{sync::Arc, time::Duration};
use tandem_domain::{CustomerId, Topic};
use tandem_processor::{
    GONE_AFTER, Need, Partition, Peer, Stamp, Unserved,
    simulation::{Bug, planted},
};
use tandem_proto::{
    receipt,
    token::{self, Mangled},
    v1,
};
use tandem_service::{deadline::Deadline, status::Fault};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    ask::{Instances, Way, passed_on},
    page::MAX_SIZE,
    peers::{Caller, Trace, trouble},
    render, status,
};

const KIND: u64 = 0x7761_7463_6874_6b31; // "watchtk1"

/// How long a document may wait for its watcher to read it.
const READ_WITHIN: Duration = Duration::from_secs(30);

/// How long a watch waits for somebody who serves its shard before it is given up.
const HOLDER_WITHIN: Duration = Duration::from_secs(30);

/// How long it waits before it looks again.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long it takes a holder at most to be as far as the one before, before another is asked.
const CATCH_UP: Duration = Duration::from_secs(5);

/// A holder that lasts longer than it takes to open a watch and to catch up was followed.
const FOLLOWED: Duration = Duration::from_secs(15);

/// What was seen, in a token.
#[derive(Clone, PartialEq, Message)]
struct Wire {
    /// Whose document.
    #[prost(fixed64, tag = "1")]
    customer: u64,
    /// The document's hash.
    #[prost(fixed64, tag = "2")]
    document: u64,
    /// The position that it was of, a receipt.
    #[prost(string, tag = "3")]
    position: String,
}

/// What a watcher has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenDocument {
    document: u64,
    /// The position that it was of, a receipt.
    pub(crate) position: String,
}

/// Reads a resume token; `None` for the empty one.
pub(crate) fn seen(token: &str, of: &CustomerId) -> Result<Option<SeenDocument>, Mangled> {
    if token.is_empty() {
        return Ok(None);
    }
    let wire = Wire::decode(&*token::open(KIND, token)?).map_err(|_| Mangled)?;
    let Wire { customer, document, position } = wire;
    let is_its = customer == xxh3_64(of.as_bytes());
    is_its.then_some(Some(SeenDocument { document, position })).ok_or(Mangled)
}

/// What is to be watched.
pub(crate) struct Watched {
    pub(crate) id: CustomerId,
    pub(crate) shard: Partition,
    pub(crate) caller: Caller,
    pub(crate) trace: Trace,
    /// How fresh the first document has to be.
    pub(crate) need: Need,
    /// What was seen before.
    pub(crate) seen: Option<SeenDocument>,
    /// The positions of that.
    pub(crate) positions: Vec<(Topic, Partition, u64)>,
}

type Document = v1::WatchCustomerOrdersResponse;
type Sender = mpsc::Sender<Result<Document, Status>>;

/// Starts to watch. It ends by itself when nobody reads the stream any more.
pub(crate) fn watch(
    instances: Arc<Instances>,
    watched: Watched,
    stopping: CancellationToken,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Document, Status>> + Send + 'static {
    let (sender, receiver) = mpsc::channel(1);
    let (end, ended) = oneshot::channel();
    tokio::spawn(async move {
        let _permit = permit;
        let status = Watching { instances, watched, stopping, sender }.run().await;
        // Nobody listens any more when the watcher has gone.
        let _ = end.send(status);
    });
    let documents = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|document| (document, receiver))
    });
    documents.chain(stream::once(ended).filter_map(|ended| async { ended.ok().flatten().map(Err) }))
}

struct Watching {
    instances: Arc<Instances>,
    watched: Watched,
    stopping: CancellationToken,
    sender: Sender,
}

/// Why a source gave no more.
enum Ended {
    /// It can't; another may.
    Moved(Status),
    /// This is the end; nothing is told to a watcher that has gone.
    Over(Option<Status>),
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Ended::Over(Some(fault.into()))
    }
}

impl Watching {
    /// Goes from holder to holder; gives the status that ends the stream.
    async fn run(mut self) -> Option<Status> {
        let mut since = Instant::now();
        let mut tried = Vec::new();
        loop {
            let (before, began) = (self.watched.seen.clone(), Instant::now());
            let status = match self.source(&mut tried).await {
                Ended::Over(status) => return status,
                Ended::Moved(status) => status,
            };
            if before != self.watched.seen || began.elapsed() >= FOLLOWED {
                (since, tried) = (Instant::now(), Vec::new());
            }
            if since.elapsed() >= HOLDER_WITHIN || self.watched.caller != Caller::Outside {
                return Some(status);
            }
            tokio::select! {
                () = self.sender.closed() => return None,
                () = self.stopping.cancelled() => return Some(going().into()),
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Follows one holder to its end. `tried` are those that have just ended.
    async fn source(&mut self, tried: &mut Vec<String>) -> Ended {
        if self.watched.caller != Caller::Outside {
            return self.here().await;
        }
        let need = self.need();
        match self.instances.way(self.watched.shard, &need, tried) {
            Ok(Way::Here) => {
                tried.push(self.instances.me.instance_id.clone());
                self.here().await
            }
            Ok(Way::Peer(peer)) => {
                tried.push(peer.instance_id.clone());
                self.there(&peer).await
            }
            Err(why) => {
                tried.clear();
                Ended::Moved(self.instances.nobody(self.watched.shard, why))
            }
        }
    }

    /// How fresh the next document has to be.
    fn need(&self) -> Need {
        let mut need = self.watched.need.clone();
        need.positions.extend(&self.watched.positions);
        need
    }

    async fn here(&mut self) -> Ended {
        let stopping = self.stopping.clone();
        let sender = self.sender.clone();
        tokio::select! {
            biased;
            () = sender.closed() => Ended::Over(None),
            () = stopping.cancelled() => Ended::Over(Some(going().into())),
            ended = self.follow() => ended,
        }
    }

    /// Follows this instance's own view.
    async fn follow(&mut self) -> Ended {
        let moved = |why: Unserved| Ended::Moved(status::unserved(why).into());
        let mut changes = match self.instances.reads.watch(self.watched.shard, &self.watched.id) {
            Ok(changes) => changes,
            Err(why) => return moved(why),
        };
        loop {
            // Before the read, so that a change during it is not lost.
            changes.mark_unchanged();
            let (need, id) = (self.need(), self.watched.id.clone());
            let until = Deadline::within(CATCH_UP).at();
            let read = self.instances.reads.read(self.watched.shard, &need, until, |view| {
                view.customer_orders(&id, None, MAX_SIZE)
            });
            let ((customer, page), stamp) = match read.await {
                Ok(read) => read,
                Err(why) => return moved(why),
            };
            let blank =
                || v1::Customer { customer_id: id.as_str().into(), ..v1::Customer::default() };
            let document = Document {
                registered: customer.is_some(),
                customer: Some(customer.map_or_else(blank, render::customer)),
                orders: page.rows.into_iter().map(render::order).collect(),
                more_orders: page.more,
                ..Document::default()
            };
            if let Err(ended) = self.send(document, &stamp).await {
                return ended;
            }
            if changes.changed().await.is_err() {
                return moved(Unserved::NotHeld(self.watched.shard));
            }
        }
    }

    /// Sends a document that was read here, unless it is the one that was seen.
    async fn send(&mut self, mut document: Document, stamp: &Stamp) -> Result<(), Ended> {
        let hash = xxh3_64(&document.encode_to_vec());
        if self.watched.seen.as_ref().is_some_and(|seen| seen.document == hash) {
            return Ok(());
        }
        let served = render::served(&self.instances.me.instance_id, stamp);
        let wire = Wire {
            customer: xxh3_64(self.watched.id.as_bytes()),
            document: hash,
            position: served.position.clone(),
        };
        document.resume_token = token::seal(KIND, &wire.encode_to_vec());
        document.served = Some(served);
        self.pass(document).await
    }

    /// Hands a document to the watcher and notes that it was seen.
    async fn pass(&mut self, document: Document) -> Result<(), Ended> {
        let seen = seen(&document.resume_token, &self.watched.id).ok().flatten();
        match self.sender.send_timeout(Ok(document), READ_WITHIN).await {
            Ok(()) => {}
            Err(mpsc::error::SendTimeoutError::Closed(_)) => return Err(Ended::Over(None)),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => return Err(slow().into()),
        }
        // The first document was as fresh as was asked; what follows has to be no older.
        self.watched.need = Need::default();
        let positions = seen.as_ref().map(|s| self.positions(&s.position)).unwrap_or_default();
        if !planted(Bug::ForgetsWhatAWatcherSaw) {
            (self.watched.seen, self.watched.positions) = (seen, positions);
        }
        Ok(())
    }

    fn positions(&self, position: &str) -> Vec<(Topic, Partition, u64)> {
        let proofs = receipt::decode(position).unwrap_or_default();
        let known = proofs.into_iter().filter_map(|p| {
            Some((Topic::from_name(&p.topic)?, Partition(p.partition), p.position))
        });
        known.collect()
    }

    /// Passes on what a peer that holds the shard sends.
    async fn there(&mut self, peer: &Peer) -> Ended {
        let peers = &self.instances.peers;
        let watching = peers.watch(peer, self.watched.shard, &self.watched.trace);
        let (mut client, envelope, _lane) = match watching {
            Ok(call) => call,
            Err(status) => return self.left(peer, &status),
        };
        let request = v1::WatchCustomerOrdersRequest {
            customer_id: self.watched.id.as_str().into(),
            resume_token: self.token(),
            freshness: self.freshness(),
        };
        let opened = client.watch_customer_orders(envelope.with(request));
        let mut documents = match tokio::time::timeout(CATCH_UP, opened).await {
            Ok(Ok(documents)) => documents.into_inner(),
            Ok(Err(status)) => return self.left(peer, &status),
            Err(_) => return self.left(peer, &Status::deadline_exceeded("no answer in time")),
        };
        loop {
            let next = tokio::select! {
                biased;
                () = self.sender.closed() => return Ended::Over(None),
                () = self.stopping.cancelled() => return going().into(),
                next = documents.message() => next,
                // A peer that isn't heard any more won't say that it has gone.
                () = self.gone(peer) => return self.left(peer, &Status::unavailable("not heard any more")),
            };
            let mut document = match next {
                Ok(Some(document)) => document,
                Ok(None) => return self.left(peer, &Status::unavailable("the stream ended")),
                Err(status) => return self.left(peer, &status),
            };
            if let Some(served) = &mut document.served {
                served.forwarded = true;
            }
            if let Err(ended) = self.pass(document).await {
                return ended;
            }
        }
    }

    /// What a status of a peer means for the watch.
    fn left(&self, peer: &Peer, status: &Status) -> Ended {
        match trouble(status) {
            Some(trouble) => {
                self.instances.peers.set_aside(peer, &[self.watched.shard], trouble);
                Ended::Moved(status::peer_failed(&peer.instance_id).into())
            }
            None => Ended::Over(Some(passed_on(status))),
        }
    }

    async fn gone(&self, peer: &Peer) {
        let cluster = &self.instances.cluster;
        loop {
            let changed = cluster.changed();
            if !cluster.peers().iter().any(|p| p.run == peer.run) {
                return;
            }
            tokio::select! {
                () = changed => {}
                () = sleep(GONE_AFTER) => {}
            }
        }
    }

    fn token(&self) -> String {
        let Some(seen) = &self.watched.seen else { return String::new() };
        let wire = Wire {
            customer: xxh3_64(self.watched.id.as_bytes()),
            document: seen.document,
            position: seen.position.clone(),
        };
        token::seal(KIND, &wire.encode_to_vec())
    }

    fn freshness(&self) -> Option<v1::Freshness> {
        let need = &self.watched.need;
        let proofs = need.positions.iter().filter_map(|(topic, shard, position)| {
            let id = self.instances.reads.topic_id(*topic).ok()?;
            Some(receipt::Proof {
                topic: topic.name().into(),
                topic_tag: receipt::topic_tag(&id.0),
                partition: shard.0,
                position: *position,
            })
        });
        let proofs: Vec<_> = proofs.collect();
        let receipts = if proofs.is_empty() { vec![] } else { vec![receipt::encode(&proofs)] };
        let max_staleness = need.max_staleness.and_then(|d| d.try_into().ok());
        Some(v1::Freshness { receipts, max_staleness })
    }
}

fn slow() -> Fault {
    let message = format!(
        "the watcher read nothing for {} s; watch again with the last resume_token",
        READ_WITHIN.as_secs()
    );
    Fault::new(Code::ResourceExhausted, "WATCHER_TOO_SLOW", message)
}

fn going() -> Fault {
    Fault::unavailable("GOING_AWAY", "this instance stops; watch again with the last resume_token")
}

#[cfg(test)]
mod tests;
