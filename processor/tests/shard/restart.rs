//! What a restart goes on from, and what it refuses.

use crate::ground::*;
use std::time::Duration;
use tandem_processor::{Need, Settings, ShardState, Unserved, start};

#[tokio::test]
async fn it_goes_on_from_the_stores_own_position() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = processor(dir.path(), &log).await;
    append(&log, &registered("c", "Cy")).await;
    let need = append(&log, &placed("c", "o1", "before")).await;
    joined(&reads, "c", &need).await;
    running.stop().await;

    let need = append(&log, &placed("c", "o2", "while it was away")).await;
    let (running, reads) = processor(dir.path(), &log).await;
    let rows = joined(&reads, "c", &need).await;
    let items: Vec<_> = rows.iter().map(|r| r.2.as_str()).collect();
    assert_eq!(items, ["before", "while it was away"]);
    assert_eq!(rows[0].0, "Cy");
    running.stop().await;
    assert!(
        reads.status().iter().all(|s| s.state == ShardState::Closed) || reads.status().is_empty()
    );
}

#[tokio::test]
async fn event_ids_are_remembered_across_a_restart() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = processor(dir.path(), &log).await;
    append_record(&log, record(&placed("c", "o", "once"), "an id", 1)).await;
    let need = append(&log, &cancelled("c", "o")).await;
    joined(&reads, "c", &need).await;
    running.stop().await;
    let (running, reads) = processor(dir.path(), &log).await;
    let need = append_record(&log, record(&placed("c", "o", "twice"), "an id", 2)).await;
    assert_eq!(joined(&reads, "c", &need).await, []);
    running.stop().await;
}

#[tokio::test]
async fn another_log_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let first = log().await;
    let (running, reads) = processor(dir.path(), &first).await;
    let need = append(&first, &registered("a", "A")).await;
    read(&reads, "a", &need, |_| Ok(())).await;
    running.stop().await;

    let second = log().await;
    let (running, reads) = processor(dir.path(), &second).await;
    for detail in settled(&reads, ShardState::Failed).await {
        let detail = detail.unwrap();
        assert!(detail.contains("another customer topic"), "{detail}");
        assert!(detail.contains("move the view's folder away"), "{detail}");
    }
    refused(&reads, "a", &Need::default(), std::time::Duration::ZERO).await;
    running.stop().await;
}

#[tokio::test]
async fn another_number_of_shards_is_waited_for_and_nothing_is_answered() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let settings = Settings::new(dir.path().to_owned(), SHARDS + 1, "test", "one");
    let codec = tandem_codec::Codec::with_fixed_ids();
    let (running, reads, _) = start(settings, log, codec, tokio::runtime::Handle::current());
    tokio::time::sleep(Duration::from_millis(150)).await;
    let need = Need::default();
    assert_eq!(refused(&reads, "a", &need, Duration::ZERO).await, Unserved::NotReady);
    assert_eq!(reads.status(), []);
    running.stop().await;
}
