//! Who answers for a shard: a pure function of what is known of its holders.

use std::time::Duration;
use tandem_processor::{Need, Partition, ShardState};

/// A shard that was up to date so lately keeps up with the log: what it lacks it will have within
/// moments. Announcements come each second, so nothing shorter could be told of a peer.
const KEEPS_UP: Duration = Duration::from_secs(2);

/// An instance that holds the shard, as far as is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder<'a> {
    /// Which instance.
    pub(crate) instance: &'a str,
    pub(crate) zone: &'a str,
    pub(crate) state: ShardState,
    /// How far it has folded each input, in the order of the topics.
    pub(crate) positions: &'a [u64],
    /// How long ago it held everything that was on the log.
    pub(crate) staleness: Option<Duration>,
    /// How many queries it has in hand.
    pub(crate) load: u32,
    /// Whether it failed to answer and has not been heard since.
    pub(crate) is_suspect: bool,
}

/// Where to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// This instance.
    Here,
    /// The instance of that id.
    Peer(&'a str),
    /// Nobody, and why.
    Unknown(Why),
}

/// Why nobody can be asked for a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// No instance is known to hold it.
    NotHeld,
    /// Those that hold it can't be read; the state is of the one that is furthest.
    NotReadable(ShardState),
}

/// Chooses among the holders of `shard`: those that may be dead last; those that stay before those that are about to close it,
/// those that can be as fresh as `need` says before those that lag; then itself, its own zone, and
/// the least loaded.
pub(crate) fn route<'a>(
    shard: Partition,
    need: &Need,
    holders: &[Holder<'a>],
    me: &str,
    zone: &str,
) -> Route<'a> {
    let readable = |h: &&Holder<'_>| matches!(h.state, ShardState::Serving | ShardState::Draining);
    let rank = |h: &&Holder<'a>| {
        (
            h.is_suspect,
            h.state == ShardState::Draining,
            lags(shard, need, h),
            h.instance != me,
            h.zone != zone,
            h.load,
            h.instance,
        )
    };
    match holders.iter().filter(readable).min_by_key(rank) {
        Some(best) if best.instance == me => Route::Here,
        Some(best) => Route::Peer(best.instance),
        None => {
            let ended = |s: ShardState| matches!(s, ShardState::Closed | ShardState::Failed);
            let furthest = holders.iter().map(|h| h.state).max_by_key(|s| (!ended(*s), *s as u8));
            Route::Unknown(furthest.map_or(Why::NotHeld, Why::NotReadable))
        }
    }
}

/// Whether the holder is too old for `need` and won't be fresh enough in a moment either.
fn lags(shard: Partition, need: &Need, holder: &Holder<'_>) -> bool {
    let is_behind = |(topic, at, position): &(tandem_domain::Topic, Partition, u64)| {
        *at == shard && holder.positions.get(*topic as usize).is_none_or(|p| p < position)
    };
    let is_stale = |max| holder.staleness.is_none_or(|s| s > max);
    let keeps_up = holder.staleness.is_some_and(|s| s <= KEEPS_UP);
    !keeps_up && (need.positions.iter().any(is_behind) || need.max_staleness.is_some_and(is_stale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ShardState::{Draining, Failed, Opening, Restoring, Serving};
    use tandem_domain::Topic;

    const SHARD: Partition = Partition(1);

    fn holder<'a>(instance: &'a str, zone: &'a str, state: ShardState) -> Holder<'a> {
        let staleness = Some(Duration::from_millis(60));
        let positions = &[10, 10, 10];
        Holder { instance, zone, state, positions, staleness, load: 0, is_suspect: false }
    }

    fn asked<'a>(need: &Need, holders: &[Holder<'a>]) -> Route<'a> {
        route(SHARD, need, holders, "me", "z1")
    }

    #[test]
    fn any_freshness() {
        let busy = |h: Holder<'static>, load| Holder { load, ..h };
        let old = |h: Holder<'static>| Holder { staleness: None, ..h };
        let dead = |h: Holder<'static>| Holder { is_suspect: true, ..h };
        let table: [(Vec<Holder<'_>>, Route<'_>); 13] = [
            (vec![], Route::Unknown(Why::NotHeld)),
            (vec![holder("me", "z1", Serving), holder("a", "z1", Serving)], Route::Here),
            (vec![old(holder("me", "z1", Serving)), holder("a", "z1", Serving)], Route::Here),
            (vec![holder("me", "z1", Restoring), holder("a", "z2", Serving)], Route::Peer("a")),
            (vec![holder("me", "z1", Draining), holder("a", "z2", Serving)], Route::Peer("a")),
            (vec![holder("me", "z1", Draining), holder("a", "z2", Restoring)], Route::Here),
            (vec![holder("a", "z2", Serving), holder("b", "z1", Serving)], Route::Peer("b")),
            (
                vec![busy(holder("a", "z1", Serving), 9), busy(holder("b", "z1", Serving), 3)],
                Route::Peer("b"),
            ),
            (
                vec![holder("me", "z1", Opening), holder("a", "z1", Restoring)],
                Route::Unknown(Why::NotReadable(Restoring)),
            ),
            (vec![dead(holder("a", "z1", Serving)), holder("b", "z2", Draining)], Route::Peer("b")),
            (vec![dead(holder("a", "z1", Serving))], Route::Peer("a")),
            (
                vec![holder("me", "z1", Failed), holder("a", "z1", Opening)],
                Route::Unknown(Why::NotReadable(Opening)),
            ),
            (vec![holder("me", "z1", Failed)], Route::Unknown(Why::NotReadable(Failed))),
        ];
        for (holders, expected) in table {
            assert_eq!(asked(&Need::default(), &holders), expected, "{holders:?}");
        }
    }

    #[test]
    fn who_lags_is_passed_over() {
        let lagging = |h: Holder<'static>| Holder { staleness: Some(Duration::from_mins(1)), ..h };
        let me = || holder("me", "z1", Serving);
        let other = || holder("a", "z2", Serving);
        let at = |shard, position| Need {
            positions: vec![(Topic::Order, shard, position)],
            max_staleness: None,
        };
        let within =
            |ms| Need { max_staleness: Some(Duration::from_millis(ms)), ..Need::default() };
        let table = [
            (at(SHARD, 10), [lagging(me()), other()], Route::Here, "it has that position"),
            (at(SHARD, 11), [lagging(me()), other()], Route::Peer("a"), "the other keeps up"),
            (at(SHARD, 11), [me(), other()], Route::Here, "both keep up"),
            (at(SHARD, 11), [lagging(me()), lagging(other())], Route::Here, "nobody is better"),
            (at(Partition(2), 99), [lagging(me()), other()], Route::Here, "of another shard"),
            (within(500), [lagging(me()), other()], Route::Peer("a"), "too stale"),
            (within(90_000), [lagging(me()), other()], Route::Here, "fresh enough"),
            (within(10), [me(), other()], Route::Here, "it will be in a moment"),
        ];
        for (need, holders, expected, why) in table {
            assert_eq!(asked(&need, &holders), expected, "{why}");
        }
    }
}
