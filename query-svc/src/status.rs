//! What the caller is told for everything that can go wrong here: one table.

use std::time::Duration;
use tandem_domain::{CustomerId, OrderId};
use tandem_processor::{Partition, ShardState, Unserved};
use tandem_service::{grpc::OVERLOADED, status::Fault};
use tonic::{Code, Status};

/// A failed shard needs an operator; asking it four times a second helps no one.
const RETRY_FAILED: Duration = Duration::from_secs(5);

/// The view was not far enough in time.
pub(crate) const VIEW_BEHIND: &str = "VIEW_BEHIND";
/// The view was too old in time.
pub(crate) const VIEW_STALE: &str = "VIEW_STALE";

/// A mark for an earlier run, or of another instance.
pub(crate) const OTHER_RUN: &str = "OTHER_RUN";

/// Why a shard didn't answer.
pub(crate) fn unserved(why: Unserved) -> Fault {
    let message = why.to_string();
    match why {
        Unserved::NotReady => {
            Fault::unavailable("NOT_READY", "this instance is not ready yet; ask again")
        }
        Unserved::NotHeld(shard) => {
            Fault::unavailable("SHARD_NOT_HELD", message).with("shard", shard)
        }
        Unserved::NotReadable { shard, state: ShardState::Failed } => {
            let message = format!("shard {shard} has failed; ListInstances says why");
            Fault::unavailable("SHARD_FAILED", message)
                .with("shard", shard)
                .retry_after(RETRY_FAILED)
        }
        Unserved::NotReadable { shard, .. } => {
            Fault::unavailable("SHARD_NOT_READY", message).with("shard", shard)
        }
        Unserved::Behind { shard, position, needed, .. } => {
            Fault::new(Code::DeadlineExceeded, VIEW_BEHIND, message)
                .with("shard", shard)
                .with("position", position)
                .with("needed", needed)
        }
        Unserved::Stale { shard, .. } => {
            Fault::new(Code::DeadlineExceeded, VIEW_STALE, message).with("shard", shard)
        }
        Unserved::Store(e) => {
            tracing::error!(error = %e, "a store could not be read");
            Fault::new(
                Code::Internal,
                "STORE_FAILED",
                "the view can't be read; see the service's log",
            )
        }
    }
}

/// No instance is known to hold the shard.
pub(crate) fn nobody(shard: Partition) -> Fault {
    let message = format!("no instance that is known here serves shard {shard}; ask again");
    Fault::unavailable("SHARD_NOT_SERVED", message).with("shard", shard)
}

/// A peer calls an earlier run of this instance.
pub(crate) fn other_run() -> Fault {
    Fault::unavailable(OTHER_RUN, "this instance was started again; ask again")
}

/// What a peer is told that asks for shards of which some are not here (any more).
pub(crate) fn not_here(shards: &[Partition]) -> Fault {
    let shards: Vec<_> = shards.iter().map(ToString::to_string).collect();
    let message =
        format!("of the shards asked for, these can't be read here: {}", shards.join(", "));
    Fault::unavailable("SHARD_NOT_HELD", message).with("shards", shards.join(","))
}

/// As many watches are open as this instance takes.
pub(crate) fn too_many_watches() -> Fault {
    Fault::unavailable(OVERLOADED, "this instance has as many watches as it takes; try another")
}

/// As many answers of many pages are under way as this instance gives.
pub(crate) fn too_many_long_answers() -> Status {
    let message = "too many long answers are under way; ask again, or for pages (page_size)";
    Fault::unavailable(OVERLOADED, message).into()
}

/// The instance that holds the shard didn't answer.
pub(crate) fn peer_failed(instance_id: &str) -> Fault {
    let message = format!("instance {instance_id}, which has the rows, did not answer; ask again");
    Fault::unavailable("PEER_FAILED", message).with("instance_id", instance_id)
}

pub(crate) fn no_customer(id: &CustomerId) -> Fault {
    let message = format!("customer {id} is not known");
    Fault::new(Code::NotFound, "CUSTOMER_NOT_FOUND", message).with("customer_id", id)
}

pub(crate) fn nothing_of(id: &CustomerId) -> Fault {
    let message = format!("customer {id} is not known and has no orders");
    Fault::new(Code::NotFound, "CUSTOMER_NOT_FOUND", message).with("customer_id", id)
}

pub(crate) fn no_order(id: &OrderId) -> Fault {
    let message = format!("order {id} is not known");
    Fault::new(Code::NotFound, "ORDER_NOT_FOUND", message).with("order_id", id)
}

pub(crate) fn ambiguous(id: &OrderId) -> Fault {
    let message = format!("more than one customer has an order {id}; give customer_id too");
    Fault::new(Code::FailedPrecondition, "ORDER_ID_AMBIGUOUS", message).with("order_id", id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_processor::StoreError;

    #[test]
    fn the_table() {
        let shard = Partition(3);
        let not_ready = |state| Unserved::NotReadable { shard, state };
        let behind = Unserved::Behind { topic: "order", shard, position: 4, needed: 9 };
        let max = Duration::from_millis(5);
        let table = [
            (Unserved::NotReady, Code::Unavailable, "NOT_READY"),
            (Unserved::NotHeld(shard), Code::Unavailable, "SHARD_NOT_HELD"),
            (not_ready(ShardState::Restoring), Code::Unavailable, "SHARD_NOT_READY"),
            (not_ready(ShardState::Failed), Code::Unavailable, "SHARD_FAILED"),
            (behind.clone(), Code::DeadlineExceeded, "VIEW_BEHIND"),
            (Unserved::Stale { shard, staleness: None, max }, Code::DeadlineExceeded, "VIEW_STALE"),
            (StoreError::Io("secret path".into()).into(), Code::Internal, "STORE_FAILED"),
        ];
        for (why, code, reason) in table {
            let fault = unserved(why);
            assert_eq!((fault.code(), fault.reason()), (code, reason));
            assert!(!fault.to_string().contains("secret"));
        }
        assert_eq!(unserved(behind).to_string(), "order[3] is folded up to 4, 5 short of 9");
    }
}
