//! Many receipts merged into one, which needs no question to a service.

use std::collections::BTreeMap;
use tandem_proto::receipt::{self, Proof};

/// The furthest position of each partition that a receipt has named. A query that is shown them
/// reflects everything that the receipts prove, whichever shard it reads. (Receipts are opaque to
/// callers; this crate is of the same house as the services and may merge them.)
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    furthest: BTreeMap<(String, u64, u32), u64>,
}

impl Positions {
    /// Takes a receipt in, or says that it is none that this version can read.
    pub fn note(&mut self, receipt: &str) -> bool {
        let Some(proofs) = receipt::decode(receipt).ok().filter(|proofs| !proofs.is_empty()) else {
            return false;
        };
        for proof in proofs {
            let at = (proof.topic, proof.topic_tag, proof.partition);
            let furthest = self.furthest.entry(at).or_default();
            *furthest = proof.position.max(*furthest);
        }
        true
    }

    /// One receipt for all; none if there was none.
    #[must_use]
    pub fn receipt(&self) -> Option<String> {
        let proofs = self.furthest.iter().map(|((topic, tag, partition), position)| Proof {
            topic: topic.clone(),
            topic_tag: *tag,
            partition: *partition,
            position: *position,
        });
        let proofs: Vec<_> = proofs.collect();
        (!proofs.is_empty()).then(|| receipt::encode(&proofs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_furthest_of_each_partition_stays() {
        let proof = |partition, position| Proof {
            topic: "order".into(),
            topic_tag: 7,
            partition,
            position,
        };
        let mut positions = Positions::default();
        assert_eq!(positions.receipt(), None);
        for proof in [proof(0, 5), proof(1, 2), proof(0, 3)] {
            assert!(positions.note(&receipt::encode(&[proof])));
        }
        let merged = receipt::decode(&positions.receipt().unwrap()).unwrap();
        assert_eq!(merged, [proof(0, 5), proof(1, 2)]);
        assert!(!positions.note("") && !positions.note("nonsense"));
    }
}
