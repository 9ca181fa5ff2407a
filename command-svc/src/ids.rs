//! Ids that the service makes. With a `request_id` they follow from it alone, so a retry gets the
//! same ids from any instance, without the instances sharing anything.
//!
//! The scope of a `request_id` is its method: used for two methods, it names two requests and
//! makes two events. Used twice for one method, it names one request whatever the rest of it
//! says: the fold keeps the first event of an id, so of two different contents the first wins.
//! (The memory of ids lives with the shard. A `request_id` reused for *another* key may land on
//! another shard and take effect there.)

use tandem_domain::{CustomerId, EventId, GreetingId, IdFault, OrderId};
use uuid::Uuid;

/// The namespace of all ids made from a `request_id`. Changing it would let a retry that spans an
/// upgrade take effect twice.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f0c_5c1e_9d0b_4f5a_a2c7_36d1_7be4_90f3);

/// Makes the ids of one command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) request_id: Option<Uuid>,
    pub(crate) method: &'static str,
}

impl Ids {
    /// The event's own id.
    pub(crate) fn event(self) -> EventId {
        self.make("event", EventId::new)
    }

    pub(crate) fn customer(self) -> CustomerId {
        self.make("customer", CustomerId::new)
    }

    pub(crate) fn order(self) -> OrderId {
        self.make("order", OrderId::new)
    }

    pub(crate) fn greeting(self) -> GreetingId {
        self.make("greeting", GreetingId::new)
    }

    /// Without a `request_id` an id is a v7 UUID, so that ids made in sequence lie side by side.
    #[expect(clippy::expect_used, reason = "a UUID's text is 36 letters, digits and hyphens")]
    fn make<T>(self, kind: &str, id: fn(String) -> Result<T, IdFault>) -> T {
        let uuid = match self.request_id {
            Some(request_id) => {
                let name = format!("{request_id}/{}/{kind}", self.method);
                Uuid::new_v5(&NAMESPACE, name.as_bytes())
            }
            None => Uuid::now_v7(),
        };
        id(uuid.to_string()).expect("a UUID can be an id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn all(request_id: Option<Uuid>, method: &'static str) -> [String; 4] {
        let ids = Ids { request_id, method };
        let (customer, order) = (ids.customer(), ids.order());
        [
            ids.event().to_string(),
            customer.to_string(),
            order.to_string(),
            ids.greeting().to_string(),
        ]
    }

    /// Fixed for ever: instances of two versions run side by side during an upgrade. The values
    /// were computed with another implementation (Python's `uuid.uuid5`).
    #[test]
    fn a_request_id_makes_these_ids() {
        let request_id = Some(Uuid::from_u128(1));
        assert_eq!(
            all(request_id, "CreateCustomer"),
            [
                "04d71a63-af7f-5616-b2af-32e899a3f991",
                "393e2e99-5111-58c7-9dea-67484c12e2bb",
                "543f300c-d109-5924-89b2-b0bbcef6d36c",
                "fc94f781-0814-5ed0-b482-ea55c15e7ab2"
            ]
        );
    }

    #[test]
    fn requests_methods_and_kinds_are_kept_apart() {
        let mut seen = HashSet::new();
        for request_id in [None, None, Some(Uuid::from_u128(1)), Some(Uuid::from_u128(2))] {
            for method in ["CreateCustomer", "PlaceOrder"] {
                for id in all(request_id, method) {
                    assert!(seen.insert(id));
                }
            }
        }
    }
}
