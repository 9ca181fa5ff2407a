//! What a session has to show with its reads, however much was written in it.

use crate::positions::Positions;
use std::collections::VecDeque;
use tandem_proto::v1::Freshness;

/// The most that a query takes (`Freshness.receipts`).
const MOST_SHOWN: usize = 32;
/// The most that are shown of those that can't be merged, which leaves a place for the merged one.
/// Only a service that is newer than this crate makes such receipts.
pub(crate) const MOST_UNREAD: usize = MOST_SHOWN - 1;
/// Who has written so often without reading settles before the next command.
const MOST_KEPT: usize = 1_024;

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
        self.unread.push_back(receipt.to_owned());
    }

    /// Whether no more are to be made before some are settled.
    pub(crate) fn is_full(&self) -> bool {
        self.unread.len() >= MOST_KEPT
    }

    /// The oldest of those that can't be merged, when there are more than there is `room` for: a
    /// position that reflects them can take their place, by [`Self::settled`].
    pub(crate) fn surplus(&self, room: usize) -> Option<Vec<String>> {
        let oldest = || self.unread.iter().take(MOST_SHOWN).cloned().collect();
        (self.unread.len() > room).then(oldest)
    }

    /// Puts `position` in the place of those that it reflects.
    pub(crate) fn settled(&mut self, reflected: &[String], position: &str) {
        self.unread.retain(|receipt| !reflected.contains(receipt));
        self.shown = None;
        self.keep(position);
    }

    /// Everything that was kept, in as few receipts as can be.
    pub(crate) fn all(&mut self) -> &[String] {
        self.shown.get_or_insert_with(|| {
            self.positions.receipt().into_iter().chain(self.unread.iter().cloned()).collect()
        })
    }

    /// Adds them to what a request brings along. Those of the request are merged too when there
    /// would be more than a query takes.
    ///
    /// # Errors
    /// If there is a [surplus](Self::surplus), the room that there is; nothing is added then.
    pub(crate) fn show(&mut self, to: &mut Option<Freshness>) -> Result<(), usize> {
        let given = to.as_ref().map_or(0, |freshness| freshness.receipts.len());
        // One of the session's is always left.
        let room = MOST_UNREAD.saturating_sub(given).max(1);
        if self.unread.len() > room {
            return Err(room);
        }
        let all = self.all();
        if all.is_empty() {
            return Ok(());
        }
        let shown = &mut to.get_or_insert_default().receipts;
        if shown.len() + all.len() <= MOST_SHOWN {
            shown.extend_from_slice(all);
            return Ok(());
        }
        let mut together = self.positions.clone();
        shown.retain(|receipt| !together.note(receipt));
        shown.extend(together.receipt());
        shown.extend(self.unread.iter().cloned());
        Ok(())
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
        assert_eq!(receipts.show(&mut nothing), Ok(()));
        assert_eq!(nothing, None);
        receipts.keep(&receipt(0, 1));
        let max_staleness = Some(prost_types::Duration { seconds: 1, nanos: 0 });
        let mut asked = Some(Freshness { receipts: vec!["its own".into()], max_staleness });
        assert_eq!(receipts.show(&mut asked), Ok(()));
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
        assert_eq!(receipts.show(&mut asked), Ok(()));
        let shown = asked.unwrap().receipts;
        assert_eq!((shown.len(), &*shown[1]), (2, "of a newer service"));
        let proofs = receipt::decode(&shown[0]).unwrap();
        assert_eq!((proofs.len(), proofs[0].position, proofs[31].position), (32, 9, 1));
    }

    #[test]
    fn what_cannot_be_merged_is_kept_until_it_is_settled() {
        let mut receipts = Receipts::default();
        (0..40).for_each(|n| receipts.keep(&format!("newer {n}")));
        receipts.keep("newer 39");
        receipts.keep("");
        assert_eq!(receipts.all().len(), 40);
        let oldest = receipts.surplus(MOST_UNREAD).unwrap();
        assert_eq!((oldest.len(), &*oldest[31]), (32, "newer 31"));
        receipts.settled(&oldest, "newer position");
        assert_eq!((receipts.all().len(), &*receipts.all()[0]), (9, "newer 32"));
        assert_eq!(receipts.all()[8], "newer position");
        let mut beside = |given| {
            let freshness = Freshness { receipts: vec![String::new(); given], max_staleness: None };
            receipts.show(&mut Some(freshness))
        };
        assert_eq!((beside(22), beside(23), beside(40)), (Ok(()), Err(8), Err(1)));
        assert_eq!((receipts.surplus(9), receipts.surplus(8).map(|s| s.len())), (None, Some(9)));
        (0..1_015).for_each(|n| receipts.keep(&format!("more {n}")));
        assert!(receipts.is_full());
    }
}
