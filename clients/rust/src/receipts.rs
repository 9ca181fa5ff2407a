//! What a session has to show with its reads, however much was written in it.

use crate::positions::Positions;
use std::collections::VecDeque;
use tandem_proto::v1::Freshness;

/// The most that a query takes (`Freshness.receipts`).
const MOST_SHOWN: usize = 32;
/// The most that are kept of those that can't be merged, which leaves a place for the merged one.
/// Only a service that is newer than this crate makes such receipts. With more, the oldest go.
const MOST_UNREAD: usize = MOST_SHOWN - 1;

/// The receipts of a session.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    positions: Positions,
    unread: VecDeque<String>,
    /// What is shown, made once after each change.
    shown: Option<Vec<String>>,
}

impl Receipts {
    /// Keeps a receipt; an empty text is none.
    pub(crate) fn keep(&mut self, receipt: &str) {
        if receipt.is_empty() {
            return;
        }
        self.shown = None;
        if self.positions.note(receipt) || self.unread.iter().any(|known| known == receipt) {
            return;
        }
        if self.unread.len() == MOST_UNREAD {
            self.unread.pop_front();
        }
        self.unread.push_back(receipt.to_owned());
    }

    /// Everything that was kept, in as few receipts as can be.
    pub(crate) fn all(&mut self) -> &[String] {
        self.shown.get_or_insert_with(|| {
            self.positions.receipt().into_iter().chain(self.unread.iter().cloned()).collect()
        })
    }

    /// Adds them to what a request brings along. Those of the request are merged too when there
    /// would be more than a query takes.
    pub(crate) fn show(&mut self, to: &mut Option<Freshness>) {
        let all = self.all();
        if all.is_empty() {
            return;
        }
        let shown = &mut to.get_or_insert_default().receipts;
        if shown.len() + all.len() <= MOST_SHOWN {
            shown.extend_from_slice(all);
            return;
        }
        let mut together = self.positions.clone();
        shown.retain(|receipt| !together.note(receipt));
        shown.extend(together.receipt());
        shown.extend(self.unread.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_proto::receipt::{self, Proof};

    fn receipt(partition: u32, position: u64) -> String {
        let proof = Proof { topic: "order".into(), topic_tag: 7, partition, position };
        receipt::encode(&[proof])
    }

    #[test]
    fn thousands_are_one() {
        let mut receipts = Receipts::default();
        (0..5_000_u64).for_each(|n| receipts.keep(&receipt((n % 64) as u32, n)));
        assert_eq!(receipts.all().len(), 1);
        let proofs = receipt::decode(&receipts.all()[0]).unwrap();
        assert_eq!((proofs.len(), proofs[7].position), (64, 4_999 / 64 * 64 - 64 + 7 + 64));
    }

    #[test]
    fn freshness_of_a_request_is_kept() {
        let mut receipts = Receipts::default();
        let mut nothing = None;
        receipts.show(&mut nothing);
        assert_eq!(nothing, None);
        receipts.keep(&receipt(0, 1));
        let max_staleness = Some(prost_types::Duration { seconds: 1, nanos: 0 });
        let mut asked = Some(Freshness { receipts: vec!["its own".into()], max_staleness });
        receipts.show(&mut asked);
        let asked = asked.unwrap();
        assert_eq!(asked.receipts, ["its own".to_owned(), receipt(0, 1)]);
        assert_eq!(asked.max_staleness, max_staleness);
    }

    #[test]
    fn more_than_a_query_takes_are_merged_with_the_sessions() {
        let mut receipts = Receipts::default();
        receipts.keep(&receipt(0, 9));
        receipts.keep("of a newer service");
        let mut asked = Some(Freshness {
            receipts: (0..32).map(|n| receipt(n, 1)).collect(),
            ..Freshness::default()
        });
        receipts.show(&mut asked);
        let shown = asked.unwrap().receipts;
        assert_eq!((shown.len(), &*shown[1]), (2, "of a newer service"));
        let proofs = receipt::decode(&shown[0]).unwrap();
        assert_eq!((proofs.len(), proofs[0].position, proofs[31].position), (32, 9, 1));
    }

    #[test]
    fn what_cannot_be_merged_is_bounded() {
        let mut receipts = Receipts::default();
        (0..100).for_each(|n| receipts.keep(&format!("newer {n}")));
        receipts.keep("newer 99");
        receipts.keep("");
        assert_eq!(receipts.all().len(), MOST_UNREAD);
        assert_eq!(receipts.all().last().unwrap(), "newer 99");
    }
}
