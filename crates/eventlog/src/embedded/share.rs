//! How the members of a group share its partitions. Pure: the same members and the same holdings
//! give the same shares.

use crate::Partition;
use std::{cmp::Reverse, collections::BTreeMap};

/// Shares `0..partitions` evenly among the members of `held`, who hold what it says. A member
/// keeps what it has up to its fair share, so as little as possible moves; where shares can't be
/// equal, those who hold most get the larger ones.
pub(super) fn share(
    partitions: u32,
    held: &BTreeMap<String, Vec<Partition>>,
) -> BTreeMap<String, Vec<Partition>> {
    let mut shares = held.clone();
    let mut by_holding: Vec<&String> = held.keys().collect();
    by_holding.sort_by_key(|name| Reverse(held[*name].len()));
    let fair: BTreeMap<&String, usize> = by_holding
        .iter()
        .enumerate()
        .map(|(place, name)| (*name, fair_share(partitions as usize, held.len(), place)))
        .collect();

    for (name, share) in &mut shares {
        share.truncate(fair[name]);
    }
    let kept: Vec<Partition> = shares.values().flatten().copied().collect();
    let mut free = (0..partitions).map(Partition).filter(|p| !kept.contains(p));
    for (name, share) in &mut shares {
        let missing = fair[name] - share.len();
        share.extend(free.by_ref().take(missing));
        share.sort_unstable();
    }
    shares
}

/// The fair share of who comes at `place` among `members`.
fn fair_share(partitions: usize, members: usize, place: usize) -> usize {
    partitions / members + usize::from(place < partitions % members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(members: &[(&str, &[u32])]) -> BTreeMap<String, Vec<Partition>> {
        let partitions = |held: &[u32]| held.iter().map(|p| Partition(*p)).collect();
        members.iter().map(|(name, p)| ((*name).to_owned(), partitions(p))).collect()
    }

    #[test]
    fn one_member_gets_all_and_none_gets_nothing() {
        assert_eq!(share(3, &held(&[("a", &[])])), held(&[("a", &[0, 1, 2])]));
        assert_eq!(share(3, &held(&[])), held(&[]));
    }

    #[test]
    fn a_joiner_takes_only_its_fair_share() {
        let before = held(&[("a", &[]), ("b", &[0, 1, 2, 3])]);
        assert_eq!(share(4, &before), held(&[("a", &[2, 3]), ("b", &[0, 1])]));
    }

    #[test]
    fn what_a_leaver_held_goes_to_the_others_and_they_keep_theirs() {
        let after = held(&[("a", &[0, 3]), ("c", &[2, 5])]);
        assert_eq!(share(6, &after), held(&[("a", &[0, 1, 3]), ("c", &[2, 4, 5])]));
    }

    #[test]
    fn nothing_moves_when_shares_are_fair() {
        let fair = held(&[("a", &[4]), ("b", &[0, 3]), ("c", &[1, 2])]);
        assert_eq!(share(5, &fair), fair);
    }

    #[test]
    fn more_members_than_partitions_leaves_some_idle() {
        let shares = share(2, &held(&[("a", &[]), ("b", &[1]), ("c", &[0])]));
        assert_eq!(shares, held(&[("a", &[]), ("b", &[1]), ("c", &[0])]));
    }

    #[test]
    fn any_holdings_end_complete_disjoint_and_even() {
        for partitions in 0..9_u32 {
            for members in 1..6_usize {
                // One holds everything, the worst case to even out.
                let mut all: BTreeMap<_, _> =
                    (0..members).map(|m| (format!("m{m}"), Vec::new())).collect();
                all.insert("m0".into(), (0..partitions).map(Partition).collect());
                let shares = share(partitions, &all);
                let mut given: Vec<_> = shares.values().flatten().map(|p| p.0).collect();
                given.sort_unstable();
                assert_eq!(given, (0..partitions).collect::<Vec<_>>());
                let sizes: Vec<_> = shares.values().map(Vec::len).collect();
                let (most, least) = (sizes.iter().max().unwrap(), sizes.iter().min().unwrap());
                assert!(most - least <= 1, "{shares:?}");
            }
        }
    }
}
