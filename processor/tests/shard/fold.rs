//! What is folded and what is refused.

use crate::ground::*;
use bytes::Bytes;
use std::time::Duration;
use tandem_domain::{CustomerEvent, CustomerId, Event, Millis, OrderEvent, OrderId, Topic};
use tandem_eventlog::{Headers, NewRecord, Partition};
use tandem_processor::{Need, Unserved};

fn row(name: &str, id: &str, item: &str) -> (String, String, String) {
    (name.into(), id.into(), item.into())
}

#[tokio::test]
async fn an_order_waits_for_its_customer_and_follows_its_changes() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = processor(dir.path(), &log).await;

    let need = append(&log, &placed("a/b", "o1", "tea")).await;
    assert_eq!(joined(&reads, "a/b", &need).await, [row("", "o1", "tea")]);
    let need = append(&log, &registered("a/b", "Ann")).await;
    assert_eq!(joined(&reads, "a/b", &need).await, [row("Ann", "o1", "tea")]);
    append(&log, &placed("a/b", "o2", "milk")).await;
    let update = Event::Customer(CustomerEvent::Updated(customer("a/b", "Anna")));
    append(&log, &update).await;
    let mut update = order("a/b", "o1", "coffee");
    update.order_purchase_time = Millis(99);
    let need = append(&log, &Event::Order(OrderEvent::Updated(update))).await;
    let wait = append(&log, &registered("a/b", "Anna")).await;
    let need = Need { positions: [need.positions, wait.positions].concat(), ..Need::default() };
    let rows = [row("Anna", "o1", "coffee"), row("Anna", "o2", "milk")];
    assert_eq!(joined(&reads, "a/b", &need).await, rows);

    let (of, id) = (CustomerId::new("a/b").unwrap(), OrderId::new("o1").unwrap());
    let kept = read(&reads, "a/b", &need, |v| v.order(&of, &id)).await.unwrap();
    assert_eq!(kept.order_purchase_time, Millis(77), "an update keeps the purchase time");

    append(&log, &cancelled("a/b", "o1")).await;
    let need = append(&log, &Event::Order(OrderEvent::Placed(order("a/b", "o3", "x")))).await;
    let removed = Event::Customer(CustomerEvent::Removed(of.clone()));
    let gone = append(&log, &removed).await;
    let need = Need { positions: [need.positions, gone.positions].concat(), ..Need::default() };
    assert_eq!(joined(&reads, "a/b", &need).await, [row("", "o2", "milk"), row("", "o3", "x")]);
    let who = read(&reads, "a/b", &need, |v| v.who_ordered(&id)).await;
    assert_eq!(who, [], "the index forgets a cancelled order");
    running.stop().await;
}

#[tokio::test]
async fn a_view_of_nothing_answers_too() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = processor(dir.path(), &log).await;
    let page = read(&reads, "c", &Need::default(), |v| v.customers(None, 10)).await;
    assert!(page.rows.is_empty() && !page.more);
    running.stop().await;
}

#[tokio::test]
async fn ids_never_reach_anothers_rows() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = processor(dir.path(), &log).await;
    let ids = ["a", "a/b", "C?x", "{x}", "ü", "..", "a ", "aa", "%2F", " "];
    let mut needs = Vec::new();
    for id in ids {
        append(&log, &registered(id, id)).await;
        needs.push(append(&log, &placed(id, id, id)).await);
    }
    for (id, need) in ids.into_iter().zip(&needs) {
        let of = CustomerId::new(id).unwrap();
        let (customer, page) = read(&reads, id, need, |v| v.customer_orders(&of, None, 100)).await;
        assert_eq!(customer.unwrap().first_name, id);
        let found: Vec<_> = page.rows.iter().map(|o| o.order_item_name.as_str()).collect();
        assert_eq!(found, [id]);
    }
    running.stop().await;
}

#[tokio::test]
async fn an_event_id_counts_once_in_a_day_of_record_time() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = processor(dir.path(), &log).await;
    let id = "5f0c2f5e-8d6a-4c53-9a4e-0d7c2f7d7a10";

    append_record(&log, record(&placed("c", "o", "first"), id, 1_000)).await;
    append(&log, &cancelled("c", "o")).await;
    let need = append_record(&log, record(&placed("c", "o", "again"), id, 2_000)).await;
    assert_eq!(joined(&reads, "c", &need).await, [], "a cancel came between; still one effect");
    let in_time = record(&placed("c", "o", "last moment"), id, 999 + DAY);
    let need = append_record(&log, in_time).await;
    assert_eq!(joined(&reads, "c", &need).await, []);
    let need = append_record(&log, record(&placed("c", "o", "next day"), id, 1_000 + DAY)).await;
    assert_eq!(joined(&reads, "c", &need).await, [row("", "o", "next day")]);

    // Topics remember apart: their order among each other is not the same in every copy.
    let event = record(&registered("c", "Cy"), id, 1_001 + DAY);
    let need = append_record(&log, event).await;
    let of = CustomerId::new("c").unwrap();
    assert!(read(&reads, "c", &need, |v| v.customer(&of)).await.is_some());
    assert_eq!(rejects(&reads, "c", &Need::default()).await, []);
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_folded_is_a_reject_and_the_shard_goes_on() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = processor(dir.path(), &log).await;
    let home = reads.shard_of(b"k");
    let raw =
        |topic, partition, key: Option<&'static str>, value: Option<&'static [u8]>| NewRecord {
            to: at(topic, partition),
            timestamp_ms: 5,
            key: key.map(Bytes::from),
            value: value.map(Bytes::from_static),
            headers: Headers::default(),
        };
    let other = Partition(1 - home.0);
    let junk: Option<&'static [u8]> = Some(b"junk");
    append_record(&log, raw(Topic::Order, home, Some("k"), junk)).await;
    append_record(&log, raw(Topic::Order, home, None, junk)).await;
    append_record(&log, raw(Topic::Order, home, Some("k"), None)).await;
    append_record(&log, raw(Topic::Order, home, Some("k"), Some(&[0, 0, 0, 9, 9, 1]))).await;
    let mut stray = record(&placed("k", "o", "stray"), "s", 5);
    stray.to.partition = other;
    append_record(&log, stray).await;
    let mut wrong_key = record(&placed("k", "o", "wrong key"), "w", 5);
    wrong_key.key = Some(Bytes::from(
        (0..).map(|n| format!("k{n}")).find(|k| reads.shard_of(k.as_bytes()) == home).unwrap(),
    ));
    append_record(&log, wrong_key).await;
    append(&log, &cancelled("k", "never placed")).await;
    let need = append(&log, &placed("k", "o", "good")).await;

    assert_eq!(joined(&reads, "k", &need).await, [row("", "o", "good")]);
    let found = rejects(&reads, "k", &need).await;
    let words =
        ["wire format", "no key", "null value", "schema 2313", "not the id", "can't be cancelled"];
    assert_eq!(found.len(), words.len(), "{found:#?}");
    for (reject, word) in found.iter().zip(words) {
        assert!(reject.reason.contains(word), "{:?} lacks {word:?}", reject.reason);
        assert_eq!(reject.topic, Topic::Order);
    }
    assert_eq!(found.iter().map(|r| r.offset).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    let astray = (0..).map(|n| format!("z{n}")).find(|k| reads.shard_of(k.as_bytes()) == other);
    let need = Need { positions: vec![(Topic::Order, other, 1)], max_staleness: None };
    let astray = rejects(&reads, &astray.unwrap(), &need).await;
    assert!(astray[0].reason.contains("partitioner=murmur2_random"), "{astray:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_tombstone_removes_a_customer_known_or_not() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = processor(dir.path(), &log).await;
    append(&log, &registered("c", "Cy")).await;
    let mut tombstone = record(&registered("c", ""), "t", 1);
    tombstone.value = None;
    append_record(&log, tombstone.clone()).await;
    let need = append_record(&log, tombstone).await;
    let of = CustomerId::new("c").unwrap();
    assert_eq!(read(&reads, "c", &need, |v| v.customer(&of)).await, None);
    assert_eq!(rejects(&reads, "c", &need).await, []);
    running.stop().await;
}

#[tokio::test]
async fn waiting_is_bounded_and_says_how_far_behind() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = processor(dir.path(), &log).await;
    serving(&reads).await;
    let shard = reads.shard_of(b"c");
    let need = Need { positions: vec![(Topic::Order, shard, 3)], max_staleness: None };
    let behind = refused(&reads, "c", &need, Duration::from_millis(30)).await;
    assert_eq!(behind, Unserved::Behind { topic: "order", shard, position: 0, needed: 3 });
    let need = Need { positions: vec![], max_staleness: Some(Duration::ZERO) };
    let stale = refused(&reads, "c", &need, Duration::from_millis(1)).await;
    assert!(matches!(stale, Unserved::Stale { .. }), "{stale:?}");
    running.stop().await;
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = processor(dir.path(), &log).await;
    let mut need = Need::default();
    for n in 0..25 {
        need = append(&log, &placed("c", &format!("o{n:02}"), "x")).await;
    }
    append(&log, &registered("c", "Cy")).await;
    let of = CustomerId::new("c").unwrap();
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let ask = after.clone();
        let page = read(&reads, "c", &need, |v| v.customer_orders(&of, ask.as_ref(), 10)).await.1;
        seen.extend(page.rows.iter().map(|o| o.order_id.as_str().to_owned()));
        after = page.rows.last().map(|o| o.order_id.clone());
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, (0..25).map(|n| format!("o{n:02}")).collect::<Vec<_>>());
    let id = OrderId::new("o07").unwrap();
    let page = read(&reads, "c", &need, |v| v.orders_by_id(Some((&id, &of)), 2)).await;
    let ids: Vec<_> = page.rows.iter().map(|o| o.order_id.as_str()).collect();
    assert_eq!((ids, page.more), (vec!["o08", "o09"], true));
    running.stop().await;
}
