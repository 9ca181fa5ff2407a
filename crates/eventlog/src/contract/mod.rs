//! What every adapter has to do, as tests against the port alone.
//!
//! An adapter's test file has one line per way to open it:
//! `tandem_eventlog::contract_tests!(tokio::test, open());` where `open()` is a future of the
//! [`Log`](crate::Log) and of whatever has to outlive it. Each clause takes a prefix for the names
//! it makes up, so that clauses and runs can share one broker.
//!
//! Clauses ask for what the port promises and no more: Kafka's offsets may have gaps, its
//! answers may take seconds. They wait for what has to happen, with a deadline that only a fault
//! reaches.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

mod appends;
mod compaction;
mod groups;
mod reads;
mod tools;
mod topics;
mod waits;

pub use appends::{
    a_record_comes_back_as_it_went, a_too_large_record_is_refused,
    appends_answer_with_their_own_offset, appends_keep_the_order_they_started_in,
    concurrent_appends_are_all_there_once,
};
pub use compaction::the_last_record_of_each_key_stays;
pub use groups::{
    a_group_of_no_topic_is_unsuitable, a_leaver_gives_its_share_back, a_single_member_gets_all,
    groups_do_not_share_with_each_other, two_members_share,
};
pub use reads::{
    a_backlog_starves_no_other_input, a_batch_is_bounded, a_position_past_the_end_is_refused,
    a_reader_knows_when_it_has_seen_all, a_reader_starts_where_it_is_told,
    each_input_has_its_own_order,
};
pub use tools::unique_prefix;
pub use topics::{
    bounds_follow_appends, ensuring_again_changes_nothing, what_does_not_exist_is_unsuitable,
    what_does_not_fit_is_refused_whole,
};
pub use waits::{
    a_dropped_call_loses_no_record, a_waiting_reader_is_woken, nothing_new_is_an_empty_batch,
};

/// Makes a test of each clause: `contract_tests!(tokio::test(start_paused = true), open());`
#[macro_export]
macro_rules! contract_tests {
    ($test:meta, $open:expr) => {
        $crate::contract_tests! { @each $test, $open;
            a_backlog_starves_no_other_input
            a_batch_is_bounded
            a_dropped_call_loses_no_record
            a_group_of_no_topic_is_unsuitable
            a_leaver_gives_its_share_back
            a_position_past_the_end_is_refused
            a_reader_knows_when_it_has_seen_all
            a_reader_starts_where_it_is_told
            a_record_comes_back_as_it_went
            a_single_member_gets_all
            a_too_large_record_is_refused
            a_waiting_reader_is_woken
            appends_answer_with_their_own_offset
            appends_keep_the_order_they_started_in
            bounds_follow_appends
            concurrent_appends_are_all_there_once
            each_input_has_its_own_order
            ensuring_again_changes_nothing
            groups_do_not_share_with_each_other
            nothing_new_is_an_empty_batch
            the_last_record_of_each_key_stays
            two_members_share
            what_does_not_exist_is_unsuitable
            what_does_not_fit_is_refused_whole
        }
    };
    (@each $test:meta, $open:expr; $($clause:ident)*) => {
        $(
            #[$test]
            async fn $clause() {
                let (log, _outlives_it) = $open.await;
                $crate::contract::$clause(&log, &$crate::contract::unique_prefix()).await;
            }
        )*
    };
}
