//! Clauses about what a reader gives.

use super::tools::{PATIENCE, append_all, at, eventually, new_topic, position, read, record, text};
use crate::{Batch, Log, LogError, Offset, TopicName};
use futures::future::try_join_all;

/// A reader begins at the position it is opened with, in the middle of the log too.
pub async fn a_reader_starts_where_it_is_told(log: &Log, prefix: &str) {
    let topic = new_topic(log, prefix, "middle", 1).await;
    let offsets = append_all(log, &topic, &["0", "1", "2", "3"]).await;
    let mut reader = log.read(&[position(&topic, 0, offsets[2])]).await.unwrap();
    let records = read(&mut *reader, 2).await;
    assert_eq!(records.iter().map(text).collect::<Vec<_>>(), ["2", "3"]);
    assert_eq!(records.iter().map(|r| r.offset).collect::<Vec<_>>(), offsets[2..]);
}

/// A reader of several partitions says of each record which input it is from, gives each
/// input's records in order, and goes on from `next`.
pub async fn each_input_has_its_own_order(log: &Log, prefix: &str) {
    const EACH: usize = 40;
    let (a, b) = (new_topic(log, prefix, "a", 2).await, new_topic(log, prefix, "b", 1).await);
    let inputs = [(&b, 0), (&a, 1), (&a, 0)];
    for n in 0..EACH {
        for (topic, partition) in inputs {
            let value = format!("{topic} {partition} {n:03}");
            log.append(record(at(topic, partition), "key", value)).await.unwrap();
        }
    }
    let from: Vec<_> = inputs.iter().map(|(t, p)| position(t, *p, Offset(0))).collect();
    let mut reader = log.read(&from).await.unwrap();
    let mut values = vec![Vec::new(); inputs.len()];
    while values.iter().any(|values| values.len() < EACH) {
        let batch = eventually("a batch", reader.next(PATIENCE)).await.unwrap();
        assert_eq!((batch.next.len(), batch.ends.len()), (inputs.len(), inputs.len()));
        for record in &batch.records {
            assert!(record.offset < batch.next[record.input], "{batch:?}");
            values[record.input].push(text(record).to_owned());
        }
    }
    for ((topic, partition), values) in inputs.into_iter().zip(values) {
        let wanted: Vec<_> = (0..EACH).map(|n| format!("{topic} {partition} {n:03}")).collect();
        assert_eq!(values, wanted);
    }
}

/// When a reader has given all there is, its batch says so: `next` equals `ends`.
pub async fn a_reader_knows_when_it_has_seen_all(log: &Log, prefix: &str) {
    let topic = new_topic(log, prefix, "all", 2).await;
    append_all(log, &topic, &["0", "1", "2"]).await;
    let from = [position(&topic, 0, Offset(0)), position(&topic, 1, Offset(0))];
    let mut reader = log.read(&from).await.unwrap();
    let mut count = 0;
    let last = loop {
        let batch = eventually("a batch", reader.next(PATIENCE / 600)).await.unwrap();
        count += batch.records.len();
        assert!(batch.next.iter().zip(&batch.ends).all(|(next, end)| next <= end), "{batch:?}");
        if count == 3 && batch.next == batch.ends {
            break batch;
        }
    };
    let ends = log.bounds(&[at(&topic, 0), at(&topic, 1)]).await.unwrap();
    assert_eq!(last.ends, ends.iter().map(|bounds| bounds.end).collect::<Vec<_>>());
}

/// A large backlog in one input doesn't keep another's few records back until it is through.
pub async fn a_backlog_starves_no_other_input(log: &Log, prefix: &str) {
    const LARGE: usize = 160;
    let (large, small) =
        (new_topic(log, prefix, "large", 1).await, new_topic(log, prefix, "small", 1).await);
    fill(log, &large, LARGE, 64 << 10).await;
    append_all(log, &small, &["0", "1", "2"]).await;
    for small_input in [0, 1] {
        let mut from = vec![position(&large, 0, Offset(0))];
        from.insert(small_input, position(&small, 0, Offset(0)));
        let mut reader = log.read(&from).await.unwrap();
        let (mut of_large, mut of_small) = (0, 0);
        while of_small < 3 {
            let batch = eventually("a batch", reader.next(PATIENCE)).await.unwrap();
            let here = batch.records.iter().filter(|r| r.input == small_input).count();
            of_small += here;
            of_large += batch.records.len() - here;
        }
        assert!(of_large < LARGE, "the small input came last");
    }
}

/// A batch holds about 1 MiB at most, yet a record near the limit on its size still comes.
pub async fn a_batch_is_bounded(log: &Log, prefix: &str) {
    const SMALL: usize = 60;
    const NEAR_LIMIT: usize = 1_000_000;
    let topic = new_topic(log, prefix, "bounded", 1).await;
    fill(log, &topic, SMALL, 100 << 10).await;
    log.append(record(at(&topic, 0), "key", vec![1; NEAR_LIMIT])).await.unwrap();
    let mut reader = log.read(&[position(&topic, 0, Offset(0))]).await.unwrap();
    let (mut count, mut last) = (0, 0);
    while count < SMALL + 1 {
        let batch = eventually("a batch", reader.next(PATIENCE)).await.unwrap();
        assert!(bytes(&batch) <= 2 << 20, "{} bytes in a batch", bytes(&batch));
        count += batch.records.len();
        last = batch.records.last().and_then(|r| Some(r.value.as_ref()?.len())).unwrap_or(last);
    }
    assert_eq!(last, NEAR_LIMIT);
}

/// Reading can begin at the end, and a position past it is refused with where the log ends.
pub async fn a_position_past_the_end_is_refused(log: &Log, prefix: &str) {
    let topic = new_topic(log, prefix, "past", 1).await;
    append_all(log, &topic, &["0", "1"]).await;
    let end = log.bounds(&[at(&topic, 0)]).await.unwrap()[0].end;
    assert!(log.read(&[position(&topic, 0, end)]).await.is_ok());
    let past = position(&topic, 0, end.next());
    match log.read(std::slice::from_ref(&past)).await.map(|_| ()) {
        Err(LogError::OutOfRange { position, end: told, .. }) => {
            assert_eq!((position, told), (past, end));
        }
        other => panic!("{other:?}"),
    }
}

async fn fill(log: &Log, topic: &TopicName, count: usize, bytes: usize) {
    let appends = (0..count).map(|_| log.append(record(at(topic, 0), "key", vec![0; bytes])));
    eventually("a backlog", try_join_all(appends)).await.unwrap();
}

fn bytes(batch: &Batch) -> usize {
    batch.records.iter().map(|record| record.value.as_ref().map_or(0, |value| value.len())).sum()
}
