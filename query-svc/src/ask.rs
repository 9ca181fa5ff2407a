//! Asks whoever holds a shard: this instance's own view, or a peer, once each, then no further.

use futures::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tandem_processor::{Cluster, Need, Partition, Peer, Reads, ShardState, Unserved};
use tandem_proto::v1;
use tandem_service::{deadline::Deadline, status::Fault};
use tonic::{Response, Status};

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

/// Where to ask, at last.
enum Way {
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

/// What some shards gave, and those that gave nothing.
pub(crate) struct Part<T> {
    pub(crate) answer: T,
    pub(crate) missing: Vec<(Partition, Status)>,
}

/// What all shards gave together.
pub(crate) struct Gathered<T> {
    pub(crate) answers: Vec<T>,
    pub(crate) missing: Vec<(Partition, Status)>,
    pub(crate) forwarded: bool,
}

/// A query in hand, counted while it lasts.
struct InHand<'a>(&'a AtomicU32);

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

    fn in_hand(&self) -> InHand<'_> {
        self.me.load.fetch_add(1, Ordering::Relaxed);
        InHand(&self.me.load)
    }

    /// Who is to be asked for `shard`, `tried` apart; or why nobody.
    fn way(&self, shard: Partition, need: &Need, tried: &[String]) -> Result<Way, Why> {
        let peers = self.cluster.peers();
        let mine = self.reads.shard_status(shard).filter(|_| !tried.contains(&self.me.instance_id));
        let mine = mine.map(|s| Holder {
            instance: &self.me.instance_id,
            zone: &self.me.zone,
            state: s.state,
            positions: s.inputs.iter().map(|i| i.position).collect(),
            staleness: s.staleness,
            load: 0,
        });
        let others = peers.iter().filter_map(|peer| {
            let held = peer.shards.get(&shard)?;
            let may = !tried.contains(&peer.instance_id) && !self.peers.is_aside(peer, shard);
            may.then(|| Holder {
                instance: &peer.instance_id,
                zone: &peer.zone,
                state: held.state,
                positions: held.positions.clone(),
                staleness: held.staleness.map(|s| s + peer.heard.elapsed()),
                load: peer.load,
            })
        });
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

    /// Whether every shard of the view can be answered for.
    pub(crate) fn covers_all(&self) -> bool {
        let need = Need::default();
        self.reads.is_ready() && self.reads.shards().all(|s| self.way(s, &need, &[]).is_ok())
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
    fn nobody(&self, shard: Partition, why: Why) -> Status {
        match (self.reads.is_ready(), why) {
            (false, _) => status::unserved(Unserved::NotReady).into(),
            (true, Why::NotHeld) => status::nobody(shard).into(),
            (true, Why::NotReadable(state)) => {
                status::unserved(Unserved::NotReadable { shard, state }).into()
            }
        }
    }

    /// How long the first of two that can be asked may take, if there is a second.
    fn first(&self, shard: Partition, need: &Need, first: &str, asked: &Asked) -> Option<Duration> {
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
            return local(asked.deadline).await.map_err(|miss| match miss {
                Miss::Unserved(why) => status::unserved(why).into(),
                Miss::Fault(fault) => fault.into(),
            });
        }
        let mut tried: Vec<String> = Vec::new();
        let mut last = None;
        while tried.len() < 2 {
            let way = match self.way(shard, need, &tried) {
                Ok(way) => way,
                Err(why) => return Err(last.unwrap_or_else(|| self.nobody(shard, why))),
            };
            match way {
                Way::Here => {
                    let id = self.me.instance_id.clone();
                    let waits = *need != Need::default() && tried.is_empty();
                    let half = if waits { self.first(shard, need, &id, asked) } else { None };
                    let until = half.map_or(asked.deadline, |half| asked.deadline.or_within(half));
                    tried.push(id);
                    match local(until).await {
                        Ok(answer) => return Ok(answer),
                        Err(Miss::Fault(fault)) => return Err(fault.into()),
                        Err(Miss::Unserved(why @ Unserved::Store(_))) => {
                            return Err(status::unserved(why).into());
                        }
                        Err(Miss::Unserved(why)) => last = Some(status::unserved(why).into()),
                    }
                }
                Way::Peer(peer) => {
                    let half = match tried.is_empty() {
                        true => self.first(shard, need, &peer.instance_id, asked),
                        false => None,
                    };
                    tried.push(peer.instance_id.clone());
                    match self.call(&peer, &[shard], half, asked, &remote).await {
                        Ok(mut answer) => {
                            if let Some(served) = answer.served() {
                                served.forwarded = true;
                            }
                            return Ok(answer);
                        }
                        Err((status, true)) => last = Some(status),
                        Err((status, false)) => return Err(status),
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| self.nobody(shard, Why::NotHeld)))
    }

    /// Calls a peer; an error comes with whether another may be asked instead.
    async fn call<A, P>(
        &self,
        peer: &Peer,
        shards: &[Partition],
        half: Option<Duration>,
        asked: &Asked,
        remote: impl Fn(Client, Envelope) -> P,
    ) -> Result<A, (Status, bool)>
    where
        P: Future<Output = Result<Response<A>, Status>>,
    {
        let until =
            half.map_or(asked.deadline, |half| asked.deadline.or_within(half.min(PATIENCE)));
        let called = self.peers.call(peer, shards, &asked.trace, Some(until));
        let (client, envelope) = called.map_err(|status| (status, true))?;
        let is_fair = until.remaining() >= FAIR;
        let answered = match until.bound(remote(client, envelope)).await {
            Ok(answered) => answered,
            Err(_) => Err(Status::deadline_exceeded("no answer in time")),
        };
        answered.map(Response::into_inner).map_err(|status| match trouble(&status) {
            None => (passed_on(&status), false),
            Some(trouble) => {
                let (instance_id, why) = (&peer.instance_id, status.message());
                tracing::debug!(instance_id, why, ?trouble, "a peer did not answer");
                if trouble != Trouble::Hung || is_fair {
                    self.peers.set_aside(peer, &about(&status, shards), trouble);
                }
                let status = match trouble {
                    Trouble::NotHere | Trouble::Late => passed_on(&status),
                    Trouble::Failed | Trouble::Hung => status::peer_failed(instance_id).into(),
                };
                (status, true)
            }
        })
    }

    /// Asks every shard: those here and those of each peer at once, and what gives nothing once
    /// more elsewhere.
    pub(crate) async fn all<T, L, P>(
        &self,
        need: &Need,
        asked: &Asked,
        local: impl Fn(Vec<Partition>, Deadline) -> L,
        remote: impl Fn(Client, Envelope) -> P,
    ) -> Result<Gathered<T>, Status>
    where
        L: Future<Output = Result<Part<T>, Fault>>,
        P: Future<Output = Result<Response<Part<T>>, Status>>,
    {
        let _in_hand = self.in_hand();
        if let Caller::Peer(shards) = &asked.caller {
            let Part { answer, missing } = local(shards.clone(), asked.deadline).await?;
            return Ok(Gathered { answers: vec![answer], missing, forwarded: false });
        }
        let mut gathered = Gathered { answers: Vec::new(), missing: Vec::new(), forwarded: false };
        let mut pending: BTreeSet<Partition> = self.reads.shards().collect();
        let mut tried: BTreeMap<Partition, Vec<String>> = BTreeMap::new();
        let mut missing: BTreeMap<Partition, Status> = BTreeMap::new();
        for is_first in [true, false] {
            // By whether somebody else could be asked in time; who is alone gets all the time.
            let mut here: BTreeMap<bool, Vec<Partition>> = BTreeMap::new();
            let mut there: BTreeMap<(String, bool), (Arc<Peer>, Vec<Partition>)> = BTreeMap::new();
            let spares = |shard, id: &str| is_first && self.first(shard, need, id, asked).is_some();
            for shard in std::mem::take(&mut pending) {
                match self.way(shard, need, tried.entry(shard).or_default()) {
                    Ok(Way::Here) => {
                        let spares = spares(shard, &self.me.instance_id);
                        here.entry(spares).or_default().push(shard);
                    }
                    Ok(Way::Peer(peer)) => {
                        let id = peer.instance_id.clone();
                        let entry = there.entry((id.clone(), spares(shard, &id)));
                        entry.or_insert_with(|| (peer, Vec::new())).1.push(shard);
                    }
                    // What it said when it was asked says more.
                    Err(why) => {
                        missing.entry(shard).or_insert_with(|| self.nobody(shard, why));
                    }
                }
            }
            let half = |spares: bool| spares.then(|| asked.deadline.remaining() / 2);
            let (local, remote) = (&local, &remote);
            let here = here.into_iter().map(|(spares, shards)| async move {
                let until = half(spares).map_or(asked.deadline, |h| asked.deadline.or_within(h));
                let part = local(shards.clone(), until).await;
                let part = part.map_err(|fault| (Status::from(fault), false));
                (self.me.instance_id.clone(), shards, part)
            });
            let calls = there.into_iter().map(|((id, spares), (peer, shards))| async move {
                let answered = self.call(&peer, &shards, half(spares), asked, remote).await;
                (id, shards, answered)
            });
            let (here, there) = futures::join!(join_all(here), join_all(calls));
            for (id, shards, answered) in here.into_iter().chain(there) {
                let none: Vec<_> = match answered {
                    Ok(part) => {
                        gathered.forwarded |= id != self.me.instance_id;
                        gathered.answers.push(part.answer);
                        part.missing
                    }
                    Err((status, true)) => shards.iter().map(|s| (*s, status.clone())).collect(),
                    Err((status, false)) => return Err(status),
                };
                let tried_in_vain = |(shard, status): &(Partition, Status)| {
                    about(status, &shards).contains(shard).then_some(*shard)
                };
                for shard in none.iter().filter_map(tried_in_vain) {
                    tried.entry(shard).or_default().push(id.clone());
                }
                shards.iter().for_each(|shard| drop(missing.remove(shard)));
                pending.extend(none.iter().map(|(shard, _)| *shard));
                missing.extend(none);
            }
            if pending.is_empty() {
                break;
            }
        }
        gathered.missing = missing.into_iter().collect();
        Ok(gathered)
    }

    /// Where a watch goes on, and why nobody can be asked.
    pub(crate) fn watch_way(
        &self,
        shard: Partition,
        need: &Need,
        tried: &[String],
    ) -> Result<Option<Arc<Peer>>, Status> {
        match self.way(shard, need, tried) {
            Ok(Way::Here) => Ok(None),
            Ok(Way::Peer(peer)) => Ok(Some(peer)),
            Err(why) => Err(self.nobody(shard, why)),
        }
    }
}

/// A peer's status without the headers that it came with.
pub(crate) fn passed_on(status: &Status) -> Status {
    Status::with_details(status.code(), status.message(), status.details().to_vec().into())
}
