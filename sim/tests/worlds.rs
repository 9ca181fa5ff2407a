//! Some worlds in which nothing is wrong, and one for each planted bug in which it is caught.
//!
//! `make sim SEEDS=1000` runs many more of the first kind.

#![allow(clippy::unwrap_used)] // a panic is how a test fails

use tandem_processor::simulation::Bug;
use tandem_sim::run;

/// A bug has to be caught within so many seeds.
const SEEDS: u64 = 40;

#[test]
fn nothing_is_wrong() {
    for seed in 0..12 {
        let run = run(seed, None).unwrap();
        assert_eq!(run.finding, None, "seed {seed}: tandem-sim --seed {seed} runs it again");
        assert!(run.records > 50 && run.answers > 100, "seed {seed}: {run:?}");
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in [100, 101, 102] {
        assert_eq!(run(seed, None).unwrap(), run(seed, None).unwrap());
    }
}

fn is_caught(bug: Bug) {
    let caught = (0..SEEDS).any(|seed| run(seed, Some(bug)).unwrap().finding.is_some());
    assert!(caught, "nothing was found in {SEEDS} worlds in which {bug:?}");
}

macro_rules! caught {
    ($($test:ident: $bug:ident;)*) => {
        $(#[test]
        fn $test() {
            is_caught(Bug::$bug);
        })*

        #[test]
        fn every_bug_has_its_test() {
            assert_eq!([$(Bug::$bug),*], Bug::ALL);
        }
    };
}
caught! {
    skips_the_position: SkipsThePosition;
    writes_rows_before_their_position: WritesRowsBeforeTheirPosition;
    forgets_event_ids: ForgetsEventIds;
    starts_at_the_end_of_the_log: StartsAtTheEndOfTheLog;
    serves_while_restoring: ServesWhileRestoring;
    forgets_to_drain: ForgetsToDrain;
    ignores_receipts: IgnoresReceipts;
    claims_to_be_fresh: ClaimsToBeFresh;
    misses_changes_for_watchers: MissesChangesForWatchers;
    keeps_instances_that_are_gone: KeepsInstancesThatAreGone;
    routes_to_itself: RoutesToItself;
    asks_nobody_else: AsksNobodyElse;
    ends_lists_too_early: EndsListsTooEarly;
    repeats_rows_on_the_next_page: RepeatsRowsOnTheNextPage;
    forgets_what_a_watcher_saw: ForgetsWhatAWatcherSaw;
}
