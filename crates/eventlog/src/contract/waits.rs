//! Clauses about a reader that waits.

use super::tools::{PATIENCE, append_all, at, eventually, new_topic, position, record, text};
use crate::{Log, Offset, Reader, Record};
use futures::{join, poll};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A reader that waits at the end gets a record soon after it was appended, each time.
pub async fn a_waiting_reader_is_woken(log: &Log, prefix: &str) {
    let (a, b) = (new_topic(log, prefix, "a", 1).await, new_topic(log, prefix, "b", 1).await);
    let from = [position(&a, 0, Offset(0)), position(&b, 0, Offset(0))];
    let mut reader = log.read(&from).await.unwrap();
    for n in 0..50_usize {
        let to = at(if n.is_multiple_of(2) { &a } else { &b }, 0);
        let append = log.append(record(to, "key", n.to_string()));
        let (batch, offset) =
            eventually("an append and its record", async { join!(reader.next(PATIENCE), append) })
                .await;
        let records = batch.unwrap().records;
        assert_eq!(records.iter().map(text).collect::<Vec<_>>(), [n.to_string()]);
        assert_eq!((records[0].input, records[0].offset), (n % 2, offset.unwrap()));
    }
}

/// When nothing comes, a reader answers with an empty batch after the time it was told to wait.
pub async fn nothing_new_is_an_empty_batch(log: &Log, prefix: &str) {
    let topic = new_topic(log, prefix, "quiet", 1).await;
    let offsets = append_all(log, &topic, &["0"]).await;
    let mut reader = log.read(&[position(&topic, 0, offsets[0].next())]).await.unwrap();
    for wait in [Duration::ZERO, Duration::from_millis(50)] {
        let began = Instant::now();
        let batch = eventually("an answer", reader.next(wait)).await.unwrap();
        // Clocks that tick in milliseconds may be one short.
        assert!(began.elapsed() + Duration::from_millis(2) >= wait, "it didn't wait");
        assert_eq!(batch.records, []);
        assert_eq!(batch.next, [offsets[0].next()]);
    }
    let at_end = async {
        while reader.next(Duration::from_millis(50)).await.unwrap().ends != [offsets[0].next()] {}
    };
    eventually("the end is known", at_end).await;
}

/// A call of `next` that is dropped, before or while records come, loses none of them.
pub async fn a_dropped_call_loses_no_record(log: &Log, prefix: &str) {
    const COUNT: usize = 200;
    let topic = new_topic(log, prefix, "dropped", 1).await;
    let mut reader = log.read(&[position(&topic, 0, Offset(0))]).await.unwrap();
    let appending = tokio::spawn({
        let (log, topic) = (log.clone(), topic.clone());
        async move {
            for n in 0..COUNT {
                log.append(record(at(&topic, 0), "key", n.to_string())).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    let mut values = Vec::new();
    let reading = async {
        while values.len() < COUNT {
            let records = impatient(&mut *reader).await;
            values.extend(records.iter().map(|r| text(r).parse::<usize>().unwrap()));
        }
    };
    eventually("all records in spite of dropped calls", reading).await;
    appending.await.unwrap();
    assert_eq!(values, (0..COUNT).collect::<Vec<_>>());
}

/// Polls a call once and drops it, then gives another a millisecond before dropping that.
async fn impatient(reader: &mut dyn Reader) -> Vec<Record> {
    if let std::task::Poll::Ready(batch) = poll!(reader.next(PATIENCE)) {
        return batch.unwrap().records;
    }
    match timeout(Duration::from_millis(1), reader.next(PATIENCE)).await {
        Ok(batch) => batch.unwrap().records,
        Err(_) => Vec::new(),
    }
}
