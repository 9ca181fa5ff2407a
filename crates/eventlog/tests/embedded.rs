//! What the embedded log promises beyond the port: its folder, its syncs, its compaction.
#![allow(clippy::unwrap_used, reason = "tests")]

mod tools;

use futures::{
    future::{join_all, maybe_done},
    poll,
};
use std::{collections::BTreeSet, path::Path, time::Duration};
use tandem_eventlog::{
    EventLog, Kept, LogError, Offset, Position,
    embedded::{Embedded, MAX_RECORD_BYTES},
};
use tools::{at, open, read_all, record, spec, texts};

#[tokio::test]
async fn reopening_keeps_records_ids_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let specs = [spec("a", 2, Kept::Forever), spec("b", 1, Kept::Compacted)];
    let log = open(dir.path());
    let ids = log.ensure_topics(&specs).await.unwrap();
    for n in 0..10 {
        log.append(record(at("a", n % 2), &n.to_string(), n.to_string())).await.unwrap();
    }
    let (before, _) = read_all(&log, at("a", 1)).await;
    drop(log);

    let log = open(dir.path());
    assert_eq!(log.ensure_topics(&specs).await.unwrap(), ids);
    assert_eq!(read_all(&log, at("a", 1)).await, (before, Offset(5)));
    assert_eq!(log.append(record(at("a", 1), "k", "v")).await, Ok(Offset(5)));
    assert_eq!(log.append(record(at("b", 0), "k", "v")).await, Ok(Offset(0)));
    let new = log.ensure_topics(&[spec("c", 1, Kept::Forever)]).await.unwrap();
    assert!(!ids.contains(&new[0]));
    assert_eq!(read_all(&log, at("c", 0)).await, (vec![], Offset(0)), "a number was given twice");
}

#[tokio::test]
async fn a_topic_that_does_not_fit_is_named_with_what_to_do() {
    let log = Embedded::open_in_memory().unwrap();
    log.ensure_topics(&[spec("customer", 4, Kept::Forever)]).await.unwrap();
    let said = |error: LogError| error.to_string();
    assert_eq!(
        said(log.ensure_topics(&[spec("customer", 8, Kept::Forever)]).await.unwrap_err()),
        "topic customer has 4 partitions, 8 were asked for: start with --shards 4, or with \
         another --data-dir"
    );
    assert_eq!(
        said(log.ensure_topics(&[spec("customer", 4, Kept::Compacted)]).await.unwrap_err()),
        "topic customer is kept for ever, it was asked for compacted: start with another \
         --data-dir"
    );
}

#[tokio::test]
async fn a_folder_in_use_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.ensure_topics(&[spec("t", 1, Kept::Forever)]).await.unwrap();
    let before = files(dir.path());
    let said = Embedded::open(dir.path()).err().unwrap().to_string();
    let held = format!(
        "the folder {} is in use by another process: stop that one, or start with another \
         --data-dir",
        dir.path().display()
    );
    assert_eq!(said, held);
    assert_eq!(files(dir.path()), before);
    log.append(record(at("t", 0), "k", "v")).await.unwrap();
    log.close().await;
    open(dir.path());
}

fn files(dir: &Path) -> BTreeSet<(String, u64, std::time::SystemTime)> {
    let described = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let told = entry.metadata().unwrap();
        (entry.file_name().into_string().unwrap(), told.len(), told.modified().unwrap())
    };
    std::fs::read_dir(dir).unwrap().map(described).collect()
}

#[test]
fn a_folder_that_cannot_be_made_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    match Embedded::open(&file.path().join("log")).err() {
        Some(LogError::Unsuitable(text)) => {
            assert!(text.contains("can't be opened") && text.contains("--data-dir"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_appends_share_syncs() {
    const APPENDS: u64 = 1000;
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.ensure_topics(&[spec("t", 4, Kept::Forever)]).await.unwrap();
    let appends = (0..APPENDS)
        .map(|n| log.append(record(at("t", u32::try_from(n % 4).unwrap()), "key", n.to_string())));
    let offsets = join_all(appends).await;
    assert!(offsets.iter().all(Result::is_ok));
    assert!(log.groups_committed() <= APPENDS / 10, "{} syncs", log.groups_committed());
}

#[tokio::test]
async fn inputs_with_a_backlog_share_each_batch() {
    let log = Embedded::open_in_memory().unwrap();
    log.ensure_topics(&[spec("t", 3, Kept::Forever)]).await.unwrap();
    for n in 0..60 {
        log.append(record(at("t", n % 3), "key", vec![1; 100_000])).await.unwrap();
    }
    let from = [0, 1, 2].map(|n| Position { at: at("t", n), offset: Offset(0) });
    let mut reader = log.read(&from).await.unwrap();
    for _ in 0..4 {
        let batch = reader.next(Duration::ZERO).await.unwrap();
        let inputs: BTreeSet<_> = batch.records.iter().map(|record| record.input).collect();
        assert_eq!(inputs, BTreeSet::from([0, 1, 2]));
    }
}

#[tokio::test]
async fn order_is_kept_when_the_queue_is_full() {
    const APPENDS: usize = 60;
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.ensure_topics(&[spec("t", 1, Kept::Forever)]).await.unwrap();
    let mut appends = Vec::new();
    for n in 0..APPENDS {
        // Every third is small, so that it would find room before the large one ahead of it.
        let bytes = if n % 3 == 0 { 1 } else { MAX_RECORD_BYTES - 3 };
        let append = log.append(record(at("t", 0), "key", vec![1; bytes]));
        let mut append = Box::pin(maybe_done(append));
        let _ = poll!(&mut append);
        appends.push(append);
    }
    // Polled from the last to the first, so that nothing but the queue keeps the order.
    appends.reverse();
    join_all(appends.iter_mut().map(|append| append.as_mut())).await;
    let offsets = appends.iter_mut().rev().map(|append| append.as_mut().take_output().unwrap());
    let offsets: Vec<_> = offsets.map(Result::unwrap).collect();
    assert_eq!(offsets, (0..APPENDS as u64).map(Offset).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_append_that_nobody_waits_for_is_there_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.ensure_topics(&[spec("t", 1, Kept::Forever)]).await.unwrap();
    let mut dropped = Box::pin(log.append(record(at("t", 0), "first", "1")));
    let _ = poll!(&mut dropped);
    drop(dropped);
    log.append(record(at("t", 0), "second", "2")).await.unwrap();
    let (records, _) = read_all(&log, at("t", 0)).await;
    assert_eq!(texts(&records), [("first", "1"), ("second", "2")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_commits_what_is_queued_and_refuses_what_comes_later() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.ensure_topics(&[spec("t", 1, Kept::Forever)]).await.unwrap();
    let mut reader = log.read(&[Position { at: at("t", 0), offset: Offset(0) }]).await.unwrap();
    let mut appends = Vec::new();
    for n in 0..100 {
        let append = log.append(record(at("t", 0), "key", n.to_string()));
        let mut append = Box::pin(maybe_done(append));
        let _ = poll!(&mut append);
        appends.push(append);
    }
    log.close().await;
    for mut append in appends {
        append.as_mut().await;
        append.as_mut().take_output().unwrap().unwrap();
    }
    let late = log.append(record(at("t", 0), "key", "late")).await;
    assert!(matches!(late, Err(LogError::Unavailable(_))), "{late:?}");
    let read = reader.next(Duration::ZERO).await;
    assert!(matches!(read, Err(LogError::Unavailable(_))), "{read:?}");
    // The folder is free though the reader and the closed log are still there.
    assert_eq!(read_all(&open(dir.path()), at("t", 0)).await.1, Offset(100));
}

#[tokio::test]
async fn compaction_keeps_one_record_of_a_key_before_and_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.ensure_topics(&[spec("t", 1, Kept::Compacted)]).await.unwrap();
    let wanted = [("a", "5"), ("c", ""), ("b", "6")];
    for (key, value) in [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4"), ("a", "5"), ("c", "")] {
        log.append(record(at("t", 0), key, value)).await.unwrap();
    }
    log.append(record(at("t", 0), "b", "6")).await.unwrap();
    let (records, end) = read_all(&log, at("t", 0)).await;
    assert_eq!((texts(&records), end), (wanted.to_vec(), Offset(7)));
    drop(log);
    let log = open(dir.path());
    let (records, end) = read_all(&log, at("t", 0)).await;
    assert_eq!((texts(&records), end), (wanted.to_vec(), Offset(7)));
    // What superseded what is known again.
    assert_eq!(log.append(record(at("t", 0), "a", "7")).await, Ok(Offset(7)));
    let (records, _) = read_all(&log, at("t", 0)).await;
    assert_eq!(texts(&records), [("c", ""), ("b", "6"), ("a", "7")]);
}

#[tokio::test]
async fn old_tombstones_go_when_the_log_is_opened_but_the_end_stays() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.ensure_topics(&[spec("t", 1, Kept::Compacted)]).await.unwrap();
    for (key, age) in [("old", 25), ("young", 23), ("last", 25)] {
        let mut tombstone = record(at("t", 0), key, "");
        tombstone.timestamp_ms -= age * 3_600_000;
        log.append(tombstone).await.unwrap();
    }
    drop(log);
    let (records, end) = read_all(&open(dir.path()), at("t", 0)).await;
    assert_eq!((texts(&records), end), (vec![("young", ""), ("last", "")], Offset(3)));
}

#[tokio::test]
async fn a_compacted_topic_refuses_a_record_without_a_key() {
    let log = Embedded::open_in_memory().unwrap();
    log.ensure_topics(&[spec("t", 1, Kept::Compacted)]).await.unwrap();
    let mut keyless = record(at("t", 0), "", "value");
    keyless.key = None;
    assert!(matches!(log.append(keyless).await, Err(LogError::Unsuitable(_))));
}

#[tokio::test]
async fn a_group_refuses_a_second_member_of_that_name_and_another_topic() {
    let log = Embedded::open_in_memory().unwrap();
    log.ensure_topics(&["t", "u"].map(|name| spec(name, 4, Kept::Forever))).await.unwrap();
    let (t, u) = (&"t".into(), &"u".into());
    let seat = log.join("g", &"a".into(), t).await.unwrap();
    assert!(matches!(log.join("g", &"a".into(), t).await, Err(LogError::Unsuitable(_))));
    assert!(matches!(log.join("g", &"b".into(), u).await, Err(LogError::Unsuitable(_))));
    drop(seat);
    assert!(log.join("g", &"a".into(), u).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn in_memory_no_timeout_fires_while_appends_are_under_way() {
    let log = Embedded::open_in_memory().unwrap();
    log.ensure_topics(&[spec("t", 1, Kept::Forever)]).await.unwrap();
    let began = tokio::time::Instant::now();
    for n in 0..1000 {
        let append = log.append(record(at("t", 0), "key", n.to_string()));
        tokio::time::timeout(Duration::from_millis(1), append).await.unwrap().unwrap();
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
}
