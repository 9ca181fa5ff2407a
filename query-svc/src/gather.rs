//! Asks all shards at once: those that are held here, and those of each peer in one call; and what
//! gave nothing once more elsewhere, as soon as that is known.

use futures::{StreamExt as _, stream::FuturesUnordered};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tandem_processor::{
    Need, Partition, Peer,
    simulation::{Bug, planted},
};
use tandem_service::{deadline::Deadline, status::Fault};
use tonic::{Code, Response, Status};

use crate::{
    ask::{Asked, Instances, NoAnswer, Way},
    peers::{Caller, Client, Envelope, about},
};

/// How often a shard is asked for.
const TIMES: u32 = 2;

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

/// What is gathered so far.
struct Gathering<T> {
    answers: Vec<T>,
    forwarded: bool,
    /// Shards that are to be asked (again).
    pending: BTreeSet<Partition>,
    tried: BTreeMap<Partition, Vec<String>>,
    /// How often each shard was asked for.
    times: BTreeMap<Partition, u32>,
    missing: BTreeMap<Partition, Status>,
}

/// Shards that are asked for together: of one instance, and alike in whether somebody else could be
/// asked in time; who is alone gets all the time.
type Group = (Option<Arc<Peer>>, bool, Vec<Partition>);

impl Instances {
    /// Asks every shard.
    ///
    /// # Errors
    /// What one said that any other would say too. Shards that gave nothing are told in
    /// [`Gathered::missing`].
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
        let mut gathering = Gathering {
            answers: Vec::new(),
            forwarded: false,
            pending: self.reads.shards().collect(),
            tried: BTreeMap::new(),
            times: BTreeMap::new(),
            missing: BTreeMap::new(),
        };
        let (local, remote) = (&local, &remote);
        let ask = |(peer, spares, shards): Group| async move {
            let half = spares.then(|| asked.deadline.remaining() / 2);
            let answered = match &peer {
                Some(peer) => {
                    let answered = self.call(peer, &shards, half, asked, remote).await;
                    if let Ok(Part { missing, .. }) = &answered
                        && !missing.is_empty()
                    {
                        let gone: Vec<_> = missing.iter().map(|(shard, _)| *shard).collect();
                        self.hear_of_another(peer, &gone, asked.until(half)).await;
                    }
                    answered
                }
                None => {
                    let part = local(shards.clone(), asked.until(half)).await;
                    part.map_err(|fault| NoAnswer::Final(fault.into()))
                }
            };
            (peer, shards, answered)
        };
        let groups = |gathering: &mut Gathering<T>| self.groups(gathering, need, asked);
        let mut asking: FuturesUnordered<_> = groups(&mut gathering).into_iter().map(ask).collect();
        while let Some((peer, shards, answered)) = asking.next().await {
            gathering.forwarded |= peer.is_some() && answered.is_ok();
            let id = peer.as_ref().map_or(&self.me.instance_id, |peer| &peer.instance_id);
            gathering.take(id, &shards, answered)?;
            // At once, whoever else is still asked.
            if !planted(Bug::AsksNobodyElse) {
                asking.extend(groups(&mut gathering).into_iter().map(ask));
            }
        }
        let Gathering { answers, forwarded, missing, .. } = gathering;
        Ok(Gathered { answers, missing: missing.into_iter().collect(), forwarded })
    }

    /// Who is to be asked for which of the pending shards.
    fn groups<T>(&self, gathering: &mut Gathering<T>, need: &Need, asked: &Asked) -> Vec<Group> {
        let mut groups: BTreeMap<(String, bool), Group> = BTreeMap::new();
        for shard in std::mem::take(&mut gathering.pending) {
            let peer = match self.way(shard, need, gathering.tried.entry(shard).or_default()) {
                Ok(Way::Here) => None,
                Ok(Way::Peer(peer)) => Some(peer),
                Err(why) => {
                    // What it said when it was asked says more.
                    gathering.missing.entry(shard).or_insert_with(|| self.nobody(shard, why));
                    continue;
                }
            };
            let id = peer.as_ref().map_or(&self.me.instance_id, |peer| &peer.instance_id).clone();
            let times = gathering.times.entry(shard).or_default();
            *times += 1;
            let spares = *times < TIMES && self.half(shard, need, &id, asked).is_some();
            let group = groups.entry((id, spares)).or_insert((peer, spares, Vec::new()));
            group.2.push(shard);
        }
        groups.into_values().collect()
    }
}

impl<T> Gathering<T> {
    /// Takes in what `id` answered for `shards`.
    fn take(
        &mut self,
        id: &str,
        shards: &[Partition],
        answered: Result<Part<T>, NoAnswer>,
    ) -> Result<(), Status> {
        shards.iter().for_each(|shard| drop(self.missing.remove(shard)));
        let none: Vec<(Partition, Status)> = match answered {
            Ok(part) => {
                self.answers.push(part.answer);
                part.missing
            }
            Err(NoAnswer::Elsewhere(status)) => {
                shards.iter().map(|shard| (*shard, status.clone())).collect()
            }
            Err(NoAnswer::Final(status)) => return Err(status),
        };
        for (shard, status) in none {
            // A status that names another shard says nothing of this one.
            if about(&status, shards).contains(&shard) {
                self.tried.entry(shard).or_default().push(id.to_owned());
            }
            if self.times.get(&shard).is_none_or(|times| *times < TIMES) {
                self.pending.insert(shard);
            }
            self.missing.insert(shard, status);
        }
        Ok(())
    }
}

/// What a caller that wants all shards is told when some gave nothing.
///
/// That a shard is not fresh enough in time says more than that others gave nothing meanwhile, so it
/// comes first, and to a peer too. A peer is else only told which shards gave nothing: somebody
/// else may have them.
pub(crate) fn refusal(missing: Vec<(Partition, Status)>, asked: &Asked) -> Option<Status> {
    let mut statuses: Vec<_> = missing.into_iter().map(|(_, status)| status).collect();
    statuses.sort_by_key(|status| status.code() != Code::DeadlineExceeded);
    let is_told = |status: &Status| {
        asked.caller == Caller::Outside || status.code() == Code::DeadlineExceeded
    };
    statuses.into_iter().next().filter(is_told)
}
