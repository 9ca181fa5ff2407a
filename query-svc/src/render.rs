//! From the domain's words to the wire's.

use prost_types::Timestamp;
use std::time::Duration;
use tandem_domain::{Customer, Greeting, Millis, Order, Topic};
use tandem_processor::{
    Ignored, IgnoredCounts, InputStatus, JoinedOrder, Partition, Peer, PeerShard, Reflected,
    Reject, RejectKind, ShardState, ShardStatus, Stamp,
};
use tandem_proto::{
    receipt::{self, Proof, topic_tag},
    v1,
};

pub(crate) fn customer(c: Customer) -> v1::Customer {
    v1::Customer {
        customer_id: c.customer_id.into(),
        first_name: c.first_name,
        last_name: c.last_name,
        email: c.email,
        phone: c.phone,
    }
}

pub(crate) fn order(o: Order) -> v1::Order {
    v1::Order {
        order_id: o.order_id.into(),
        customer_id: o.customer_id.into(),
        order_item_name: o.order_item_name,
        order_place: o.order_place,
        order_purchase_time: Some(time(o.order_purchase_time)),
    }
}

pub(crate) fn customer_order(joined: JoinedOrder) -> v1::CustomerOrder {
    let c = joined.customer.map(customer).unwrap_or_default();
    let o = order(joined.order);
    v1::CustomerOrder {
        customer_id: o.customer_id,
        first_name: c.first_name,
        last_name: c.last_name,
        email: c.email,
        phone: c.phone,
        order_id: o.order_id,
        order_item_name: o.order_item_name,
        order_place: o.order_place,
        order_purchase_time: o.order_purchase_time,
    }
}

pub(crate) fn greeting(g: Greeting) -> v1::Greeting {
    v1::Greeting {
        greeting_id: g.greeting_id.into(),
        message: g.message,
        timestamp: Some(time(g.timestamp)),
    }
}

pub(crate) fn reject(shard: Partition, r: Reject) -> v1::Reject {
    v1::Reject {
        topic: r.topic.name().into(),
        partition: shard.0,
        offset: r.offset,
        reason: r.reason,
        timestamp: Some(time(r.timestamp)),
        code: reject_code(r.kind).into(),
    }
}

fn reject_code(kind: RejectKind) -> v1::RejectCode {
    match kind {
        RejectKind::WrongPartition => v1::RejectCode::WrongPartition,
        RejectKind::Key => v1::RejectCode::Key,
        RejectKind::Schema => v1::RejectCode::Schema,
        RejectKind::Value => v1::RejectCode::Value,
        RejectKind::NoSuchRow => v1::RejectCode::NoSuchRow,
    }
}

pub(crate) fn served(instance_id: &str, stamp: &Stamp) -> v1::Served {
    let proof = |reflected: &Reflected| Proof {
        topic: reflected.topic.name().into(),
        topic_tag: topic_tag(&reflected.topic_id.0),
        partition: reflected.shard.0,
        position: reflected.position,
    };
    let proofs: Vec<Proof> = stamp.positions.iter().map(proof).collect();
    v1::Served {
        instance_id: instance_id.into(),
        position: receipt::encode(&proofs),
        staleness: Some(duration(stamp.staleness)),
        forwarded: false,
    }
}

/// What several answers were made from, together; who answered is left for the caller to say.
pub(crate) fn served_together(all: &[&v1::Served]) -> Option<v1::Served> {
    let [first, rest @ ..] = all else { return None };
    if rest.is_empty() {
        return Some((*first).clone());
    }
    // They were made here or by a peer of the same version, so all of them can be read.
    let proofs = all.iter().filter_map(|s| receipt::decode(&s.position).ok()).flatten();
    let age = |s: &&v1::Served| s.staleness.map(|d| (d.seconds, d.nanos));
    let oldest = all.iter().filter_map(age).max();
    Some(v1::Served {
        position: receipt::encode(&proofs.collect::<Vec<_>>()),
        staleness: oldest.map(|(seconds, nanos)| prost_types::Duration { seconds, nanos }),
        ..v1::Served::default()
    })
}

/// An instance as it announced itself.
pub(crate) fn peer(peer: &Peer) -> v1::Instance {
    let heard = peer.heard.elapsed();
    let shard = |(shard, held): (&Partition, &PeerShard)| {
        let inputs = Topic::ALL.into_iter().zip(held.positions.iter().zip(&held.ends));
        let inputs = inputs.map(|(topic, (position, end))| InputStatus {
            topic,
            position: *position,
            end: *end,
        });
        ShardStatus {
            shard: *shard,
            state: held.state,
            inputs: inputs.collect(),
            staleness: held.staleness.map(|s| s + heard),
            rejects: held.rejects,
            detail: Some(held.detail.clone()),
        }
    };
    v1::Instance {
        instance_id: peer.instance_id.clone(),
        address: peer.address.clone(),
        version: peer.version.clone(),
        shards: peer.shards.iter().map(shard).map(self::shard).collect(),
        replica_set: peer.replica_set.clone(),
        zone: peer.zone.clone(),
        heard: Some(duration(heard)),
    }
}

/// What is ignored.
pub(crate) fn ignored(ignored: IgnoredCounts) -> Vec<v1::Ignored> {
    let one = |((instance_id, why), (detail, count))| v1::Ignored {
        instance_id,
        reason: reason(why).into(),
        detail,
        count,
    };
    ignored.into_iter().map(one).collect()
}

fn reason(why: Ignored) -> v1::IgnoredReason {
    match why {
        Ignored::OtherVersion => v1::IgnoredReason::OtherVersion,
        Ignored::OtherLog => v1::IgnoredReason::OtherLog,
        Ignored::AddressTaken => v1::IgnoredReason::AddressTaken,
        Ignored::IdTaken => v1::IgnoredReason::IdTaken,
        Ignored::ForgedHeader => v1::IgnoredReason::ForgedHeader,
        Ignored::Unreadable => v1::IgnoredReason::Unreadable,
    }
}

pub(crate) fn shard(status: ShardStatus) -> v1::Shard {
    let partition = status.shard.0;
    let input = |topic: Topic, offset, end| v1::InputPosition {
        topic: topic.name().into(),
        partition,
        offset,
        end,
    };
    v1::Shard {
        shard: partition,
        state: state(status.state).into(),
        inputs: status.inputs.iter().map(|i| input(i.topic, i.position, i.end)).collect(),
        staleness: status.staleness.map(duration),
        detail: status.detail.unwrap_or_default(),
        rejects: status.rejects,
    }
}

fn state(state: ShardState) -> v1::ShardState {
    match state {
        ShardState::Opening => v1::ShardState::Opening,
        ShardState::Restoring => v1::ShardState::Restoring,
        ShardState::Serving => v1::ShardState::Serving,
        ShardState::Draining => v1::ShardState::Draining,
        ShardState::Closed => v1::ShardState::Closed,
        ShardState::Failed => v1::ShardState::Failed,
    }
}

/// Whole milliseconds, before the epoch too.
#[allow(clippy::cast_possible_truncation)] // the remainder is below 1,000
pub(crate) fn time(ms: Millis) -> Timestamp {
    Timestamp { seconds: ms.0.div_euclid(1000), nanos: ms.0.rem_euclid(1000) as i32 * 1_000_000 }
}

/// A span that is too long for the wire's type is cut; it is hundreds of millions of years.
fn duration(d: Duration) -> prost_types::Duration {
    prost_types::Duration::try_from(d).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_the_epoch_too() {
        assert_eq!(time(Millis(1_500)), Timestamp { seconds: 1, nanos: 500_000_000 });
        assert_eq!(time(Millis(-1)), Timestamp { seconds: -1, nanos: 999_000_000 });
    }
}
