//! Asks whoever holds a shard: this instance's own view, or a peer, once each, then no further.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tandem_processor::{
    Cluster, Need, Partition, Peer, Reads, ShardState, Unserved,
    simulation::{Bug, planted},
};
use tandem_proto::v1;
use tandem_service::{deadline::Deadline, status::Fault};
use tonic::{Code, Response, Status};

use crate::{
    peers::{Caller, Client, Connect, Envelope, Peers, Trace, Trouble, about, trouble},
    route::{Holder, Route, Why, route},
    status,
};

/// How long a peer that isn't the only one to ask may take. A row takes it a millisecond; one that
/// needs this long is stopped, or cut off, or drowning.
const PATIENCE: Duration = Duration::from_millis(500);

/// A peer that had less than this to answer is not to blame when it didn't: somebody who waits for
/// a millisecond must not keep it from those who wait longer.
const FAIR: Duration = Duration::from_millis(250);

/// How long it may take until this instance hears who has a shard now that the one it asked for it
/// no longer has. That one gave it up because it had heard so, so the word is on the log already.
const WORD: Duration = Duration::from_millis(500);

/// Who was heard longer ago than this has died rather than gone: instances speak each second. There
/// is no word to wait for then.
const GONE_WITHOUT_A_WORD: Duration = Duration::from_secs(2);

/// Who this instance is.
pub(crate) struct Me {
    pub(crate) instance_id: String,
    pub(crate) replica_set: String,
    pub(crate) zone: String,
    pub(crate) address: String,
    pub(crate) run: String,
    pub(crate) load: Arc<AtomicU32>,
}

/// This instance's view, and the others that can be asked.
pub(crate) struct Instances {
    pub(crate) reads: Reads,
    pub(crate) cluster: Cluster,
    pub(crate) me: Me,
    pub(crate) peers: Peers,
}

/// What every question comes with.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) deadline: Deadline,
    pub(crate) trace: Trace,
}

impl Asked {
    /// Until when one may take that gets only `half` of the time; else all that there is.
    pub(crate) fn until(&self, half: Option<Duration>) -> Deadline {
        half.map_or(self.deadline, |half| self.deadline.or_within(half))
    }
}

/// Where to ask, at last.
pub(crate) enum Way {
    Here,
    Peer(Arc<Peer>),
}

/// Why this instance's own view gave no answer.
pub(crate) enum Miss {
    /// It can't, and another might.
    Unserved(Unserved),
    /// This is the answer: an error that any other would give.
    Fault(Fault),
}

impl From<Unserved> for Miss {
    fn from(why: Unserved) -> Self {
        Miss::Unserved(why)
    }
}

impl From<Fault> for Miss {
    fn from(fault: Fault) -> Self {
        Miss::Fault(fault)
    }
}

/// Why one that was asked gave no answer.
pub(crate) enum NoAnswer {
    /// Another may have one.
    Elsewhere(Status),
    /// Any other would say the same.
    Final(Status),
}

impl From<Miss> for NoAnswer {
    fn from(miss: Miss) -> Self {
        match miss {
            Miss::Fault(fault) => NoAnswer::Final(fault.into()),
            Miss::Unserved(why) => NoAnswer::Elsewhere(status::unserved(why).into()),
        }
    }
}

impl From<NoAnswer> for Status {
    fn from(none: NoAnswer) -> Self {
        match none {
            NoAnswer::Elsewhere(status) | NoAnswer::Final(status) => status,
        }
    }
}

/// An answer that says who gave it.
pub(crate) trait Answer {
    fn served(&mut self) -> &mut Option<v1::Served>;
}

macro_rules! answers {
    ($($kind:ident)*) => {
        $(impl Answer for v1::$kind {
            fn served(&mut self) -> &mut Option<v1::Served> {
                &mut self.served
            }
        })*
    };
}
answers!(GetCustomerResponse GetOrderResponse GetCustomerOrdersResponse);

/// A query in hand, counted while it lasts.
pub(crate) struct InHand<'a>(&'a AtomicU32);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Instances {
    pub(crate) fn new(reads: Reads, cluster: Cluster, me: Me, connect: Connect) -> Self {
        let peers = Peers::new(me.run.clone(), cluster.clone(), connect);
        Self { reads, cluster, me, peers }
    }

    pub(crate) fn in_hand(&self) -> InHand<'_> {
        self.me.load.fetch_add(1, Ordering::Relaxed);
        InHand(&self.me.load)
    }

    /// Who is to be asked for `shard`, `tried` apart; or why nobody.
    pub(crate) fn way(&self, shard: Partition, need: &Need, tried: &[String]) -> Result<Way, Why> {
        let peers = self.cluster.peers();
        let mine = self.reads.shard_status(shard).filter(|_| !tried.contains(&self.me.instance_id));
        let inputs = mine.iter().flat_map(|s| &s.inputs);
        let positions: Vec<u64> = inputs.map(|input| input.position).collect();
        let mine = mine.map(|s| Holder {
            instance: &self.me.instance_id,
            zone: &self.me.zone,
            state: s.state,
            positions: &positions,
            staleness: s.staleness,
            load: 0,
            is_suspect: false,
        });
        let others = peers.iter().filter_map(|peer| {
            let held = peer.shards.get(&shard)?;
            (!tried.contains(&peer.instance_id)).then(|| Holder {
                instance: &peer.instance_id,
                zone: &peer.zone,
                state: held.state,
                positions: &held.positions,
                staleness: held.staleness.map(|s| s + peer.heard.elapsed()),
                load: peer.load,
                is_suspect: self.peers.is_suspect(peer, shard),
            })
        });
        if planted(Bug::RoutesToItself) && tried.is_empty() {
            return Ok(Way::Here);
        }
        let holders: Vec<_> = mine.into_iter().chain(others).collect();
        match route(shard, need, &holders, &self.me.instance_id, &self.me.zone) {
            Route::Here => Ok(Way::Here),
            Route::Peer(id) => {
                let peer = peers.iter().find(|p| p.instance_id == id);
                peer.map(|p| Way::Peer(p.clone())).ok_or(Why::NotHeld)
            }
            Route::Unknown(why) => Err(why),
        }
    }

    /// Whether every shard of the view can be answered for. Who relies on others has to have heard
    /// all of them first: the only one known to hold a shard may be about to close it.
    pub(crate) fn covers_all(&self) -> bool {
        let need = Need::default();
        let may_ask = self.cluster.has_heard_all();
        let covers = |shard| match self.way(shard, &need, &[]) {
            Ok(Way::Here) => true,
            Ok(Way::Peer(_)) => may_ask,
            Err(_) => false,
        };
        self.reads.is_ready() && self.reads.shards().all(covers)
    }

    /// Whether every shard can be answered for, or has failed here.
    pub(crate) fn is_settled(&self) -> bool {
        let need = Need::default();
        let failed =
            |shard| self.reads.shard_status(shard).is_some_and(|s| s.state == ShardState::Failed);
        self.reads.is_ready()
            && self.reads.shards().all(|s| failed(s) || self.way(s, &need, &[]).is_ok())
    }

    /// Why nobody can be asked for a shard.
    pub(crate) fn nobody(&self, shard: Partition, why: Why) -> Status {
        match (self.reads.is_ready(), why) {
            (false, _) => status::unserved(Unserved::NotReady).into(),
            (true, Why::NotHeld) => status::nobody(shard).into(),
            (true, Why::NotReadable(state)) => {
                status::unserved(Unserved::NotReadable { shard, state }).into()
            }
        }
    }

    /// How long the first one that is asked for `shard` may take, if there is a second.
    pub(crate) fn half(
        &self,
        shard: Partition,
        need: &Need,
        first: &str,
        asked: &Asked,
    ) -> Option<Duration> {
        let second = self.way(shard, need, &[first.to_owned()]);
        second.is_ok().then(|| asked.deadline.remaining() / 2)
    }

    /// Asks one shard: here or a peer, and if that one can't answer, once another.
    pub(crate) async fn one<A, L, P>(
        &self,
        shard: Partition,
        need: &Need,
        asked: &Asked,
        local: impl Fn(Deadline) -> L,
        remote: impl Fn(Client, Envelope) -> P,
    ) -> Result<A, Status>
    where
        A: Answer,
        L: Future<Output = Result<A, Miss>>,
        P: Future<Output = Result<Response<A>, Status>>,
    {
        let _in_hand = self.in_hand();
        if asked.caller != Caller::Outside {
            return local(asked.deadline).await.map_err(|miss| NoAnswer::from(miss).into());
        }
        let mut tried: Vec<String> = Vec::new();
        let mut last = None;
        let most = if planted(Bug::AsksNobodyElse) { 1 } else { 2 };
        while tried.len() < most {
            let way = match self.way(shard, need, &tried) {
                Ok(way) => way,
                Err(why) => return Err(last.unwrap_or_else(|| self.nobody(shard, why))),
            };
            let is_first = tried.is_empty();
            let half = |id: &str| is_first.then(|| self.half(shard, need, id, asked)).flatten();
            let answered = match way {
                Way::Here => {
                    let id = &self.me.instance_id;
                    tried.push(id.clone());
                    // What isn't waited for is there at once.
                    let half = if *need == Need::default() { None } else { half(id) };
                    local(asked.until(half)).await.map_err(NoAnswer::from)
                }
                Way::Peer(peer) => {
                    tried.push(peer.instance_id.clone());
                    let half = half(&peer.instance_id);
                    let answered = self.call(&peer, &[shard], half, asked, &remote).await;
                    answered.map(forwarded)
                }
            };
            match answered {
                Ok(answer) => return Ok(answer),
                Err(NoAnswer::Final(status)) => return Err(status),
                Err(NoAnswer::Elsewhere(status)) => last = Some(status),
            }
        }
        Err(last.unwrap_or_else(|| self.nobody(shard, Why::NotHeld)))
    }

    /// Calls a peer.
    pub(crate) async fn call<A, P>(
        &self,
        peer: &Peer,
        shards: &[Partition],
        half: Option<Duration>,
        asked: &Asked,
        remote: impl Fn(Client, Envelope) -> P,
    ) -> Result<A, NoAnswer>
    where
        P: Future<Output = Result<Response<A>, Status>>,
    {
        let until = asked.until(half.map(|half| half.min(PATIENCE)));
        let called = self.peers.call(peer, shards, &asked.trace, Some(until));
        let (client, envelope) = called.map_err(NoAnswer::Elsewhere)?;
        let is_fair = until.remaining() >= FAIR;
        let answered = match until.bound(remote(client, envelope)).await {
            Ok(answered) => answered,
            Err(_) => Err(Status::deadline_exceeded("no answer in time")),
        };
        let status = match answered {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => status,
        };
        Err(match trouble(&status) {
            None => NoAnswer::Final(passed_on(&status)),
            Some(trouble) => {
                let (instance_id, why) = (&peer.instance_id, status.message());
                tracing::debug!(instance_id, why, ?trouble, "a peer did not answer");
                let about = about(&status, shards);
                if trouble != Trouble::Hung || is_fair {
                    self.peers.set_aside(peer, &about, trouble);
                }
                if matches!(trouble, Trouble::NotHere | Trouble::Failed) {
                    self.hear_of_another(peer, &about, until).await;
                }
                let status = match trouble {
                    // What it says of marks is not for the caller.
                    Trouble::NotHere if status.code() == Code::PermissionDenied => {
                        status::peer_failed(instance_id).into()
                    }
                    Trouble::NotHere | Trouble::Late => passed_on(&status),
                    Trouble::Failed | Trouble::Hung => status::peer_failed(instance_id).into(),
                };
                NoAnswer::Elsewhere(status)
            }
        })
    }

    /// Waits, not for long, until somebody other than `peer` is known to have `shards`, which it was
    /// asked for and no longer has. It heard of its successor before it closed them; this instance may
    /// hear of that a moment later.
    pub(crate) async fn hear_of_another(&self, peer: &Peer, shards: &[Partition], until: Deadline) {
        let (need, tried) = (Need::default(), [peer.instance_id.clone()]);
        let heard = async {
            loop {
                let changed = self.cluster.changed();
                if shards.iter().all(|shard| self.way(*shard, &need, &tried).is_ok()) {
                    return;
                }
                changed.await;
            }
        };
        if peer.heard.elapsed() < GONE_WITHOUT_A_WORD && !planted(Bug::AsksNobodyElse) {
            // What comes of it is seen by whoever looks for another.
            let _ = until.or_within(WORD).bound(heard).await;
        }
    }
}

/// An answer that another instance gave.
fn forwarded<A: Answer>(mut answer: A) -> A {
    if let Some(served) = answer.served() {
        served.forwarded = true;
    }
    answer
}

/// A peer's status without the headers that it came with.
pub(crate) fn passed_on(status: &Status) -> Status {
    Status::with_details(status.code(), status.message(), status.details().to_vec().into())
}
