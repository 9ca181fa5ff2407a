//! Clauses about appending.

use super::tools::{append_all, at, eventually, new_topic, read_topic, record, text};
use crate::{Headers, Log, LogError, NewRecord};
use bytes::Bytes;
use futures::{
    future::{join_all, maybe_done},
    poll,
};
use std::collections::BTreeMap;

/// An append answers with the offset that its own record has, and offsets of one partition ascend.
pub async fn appends_answer_with_their_own_offset(log: &Log, prefix: &str) {
    let topic = new_topic(log, prefix, "own", 2).await;
    let mut answered = BTreeMap::new();
    let mut last = [None; 2];
    for n in 0..20_u32 {
        let value = format!("value {n}");
        let offset = log.append(record(at(&topic, n % 2), "key", value.clone())).await.unwrap();
        let input = usize::from(n % 2 == 1);
        assert!(last[input].replace(offset) < Some(offset), "offsets ascend");
        answered.insert((input, offset), value);
    }
    let read = read_topic(log, &topic, 2, 20).await;
    let found: BTreeMap<_, _> =
        read.iter().map(|r| ((r.input, r.offset), text(r).to_owned())).collect();
    assert_eq!(found, answered);
}

/// Appends to one partition that are started one after the other, without waiting for answers,
/// lie there in that order.
pub async fn appends_keep_the_order_they_started_in(log: &Log, prefix: &str) {
    const COUNT: usize = 300;
    let topic = new_topic(log, prefix, "started", 1).await;
    let mut appends = Vec::new();
    for n in 0..COUNT {
        let append = log.append(record(at(&topic, 0), &n.to_string(), n.to_string()));
        let mut append = Box::pin(maybe_done(append));
        let _ = poll!(&mut append);
        appends.push(append);
    }
    let mut offsets = Vec::new();
    for mut append in appends {
        eventually("an append", append.as_mut()).await;
        offsets.push(append.as_mut().take_output().unwrap().unwrap());
    }
    assert!(offsets.is_sorted_by(|a, b| a < b), "{offsets:?}");
    let read = read_topic(log, &topic, 1, COUNT).await;
    let values: Vec<_> = read.iter().map(|r| text(r).parse::<usize>().unwrap()).collect();
    assert_eq!(values, (0..COUNT).collect::<Vec<_>>());
}

/// Records appended by many tasks at once are all there, each once, and each task's own in its
/// order.
pub async fn concurrent_appends_are_all_there_once(log: &Log, prefix: &str) {
    const TASKS: u32 = 8;
    const EACH: u32 = 50;
    let topic = new_topic(log, prefix, "many", 3).await;
    let tasks = (0..TASKS).map(|task| {
        let (log, topic) = (log.clone(), topic.clone());
        tokio::spawn(async move {
            for n in 0..EACH {
                let record = record(at(&topic, task % 3), &task.to_string(), n.to_string());
                log.append(record).await.unwrap();
            }
        })
    });
    for task in eventually("all appends", join_all(tasks)).await {
        task.unwrap();
    }
    let read = read_topic(log, &topic, 3, (TASKS * EACH) as usize).await;
    let mut by_task: BTreeMap<Bytes, Vec<u32>> = BTreeMap::new();
    for record in &read {
        let key = record.key.clone().unwrap();
        by_task.entry(key).or_default().push(text(record).parse().unwrap());
    }
    assert_eq!(by_task.len(), TASKS as usize);
    for (task, values) in by_task {
        assert_eq!(values, (0..EACH).collect::<Vec<_>>(), "task {task:?}");
    }
}

/// A record comes back with the key, value, headers and time it went with: nothing is not empty,
/// bytes need not be text, names of headers may repeat.
pub async fn a_record_comes_back_as_it_went(log: &Log, prefix: &str) {
    let topic = new_topic(log, prefix, "parts", 1).await;
    let headers = Headers::from_pairs([
        ("a", &b"\0\xff\xfe"[..]),
        ("b", b""),
        ("a", b"again"),
        ("\u{fc}", b"1"),
    ]);
    let mut went = Vec::new();
    for (n, key) in [None, Some(&b""[..]), Some(b"\0\xff key")].into_iter().enumerate() {
        for value in [None, Some(&b""[..]), Some(b"\xff\0 value")] {
            let record = NewRecord {
                to: at(&topic, 0),
                timestamp_ms: 1_700_000_000_123 + i64::try_from(n).unwrap(),
                key: key.map(Bytes::from_static),
                value: value.map(Bytes::from_static),
                headers: if n == 1 { Headers::default() } else { headers.clone() },
            };
            log.append(record.clone()).await.unwrap();
            went.push(record);
        }
    }
    for (came, went) in read_topic(log, &topic, 1, went.len()).await.into_iter().zip(went) {
        assert_eq!((came.key, came.value), (went.key, went.value));
        assert_eq!((came.timestamp_ms, came.headers), (went.timestamp_ms, went.headers));
    }
}

/// A record that is too large is refused with its size, and the log goes on without it.
pub async fn a_too_large_record_is_refused(log: &Log, prefix: &str) {
    const BYTES: usize = 3 << 20;
    let topic = new_topic(log, prefix, "large", 1).await;
    append_all(log, &topic, &["before"]).await;
    match log.append(record(at(&topic, 0), "key", vec![7; BYTES])).await {
        Err(LogError::TooLarge { bytes, max }) => assert!(bytes >= BYTES && max < bytes),
        other => panic!("{other:?}"),
    }
    append_all(log, &topic, &["after"]).await;
    let read = read_topic(log, &topic, 1, 2).await;
    assert_eq!(read.iter().map(text).collect::<Vec<_>>(), ["before", "after"]);
}
