//! The receipts of a whole run, merged into one.

use crate::fault::Fault;
use crate::patience::Patience;
use std::collections::BTreeMap;
use tandem_proto::receipt::{self, Proof};

/// The furthest position of each partition that a receipt has named. A query that is shown all of
/// them at once reflects every command of the run, whichever shard it reads. (Receipts are opaque
/// to callers and a query takes 32 of them; this tool is of the same house and may merge them.)
#[derive(Debug, Default)]
pub(crate) struct Positions {
    furthest: BTreeMap<(String, u64, u32), u64>,
}

impl Positions {
    /// Takes a receipt in.
    pub(crate) fn note(
        &mut self,
        token: &str,
        from: &Patience,
        what: impl FnOnce() -> String,
    ) -> Result<(), Fault> {
        let proofs = receipt::decode(token).ok().filter(|proofs| !proofs.is_empty());
        let proofs = proofs.ok_or_else(|| from.breach(what(), "something that is no receipt"))?;
        for proof in proofs {
            let at = (proof.topic, proof.topic_tag, proof.partition);
            let furthest = self.furthest.entry(at).or_default();
            *furthest = proof.position.max(*furthest);
        }
        Ok(())
    }

    /// One receipt for all; empty if there was none.
    pub(crate) fn receipt(&self) -> String {
        let proofs = self.furthest.iter().map(|((topic, tag, partition), position)| Proof {
            topic: topic.clone(),
            topic_tag: *tag,
            partition: *partition,
            position: *position,
        });
        let proofs: Vec<_> = proofs.collect();
        if proofs.is_empty() { String::new() } else { receipt::encode(&proofs) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_furthest_of_each_partition_stays() {
        let from = Patience::new("the command service".into(), Duration::ZERO);
        let proof = |partition, position| Proof {
            topic: "order".into(),
            topic_tag: 7,
            partition,
            position,
        };
        let mut positions = Positions::default();
        assert_eq!(positions.receipt(), "");
        for proof in [proof(0, 5), proof(1, 2), proof(0, 3)] {
            positions.note(&receipt::encode(&[proof]), &from, String::new).unwrap();
        }
        let merged = receipt::decode(&positions.receipt()).unwrap();
        assert_eq!(merged, [proof(0, 5), proof(1, 2)]);
        assert!(positions.note("", &from, String::new).is_err());
    }
}
