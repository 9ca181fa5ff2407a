//! Documents that are kept: given again while nothing has changed, and not kept when they must not be.

use crate::ground::*;
use bytes::Bytes;
use std::{fmt::Write as _, path::Path, time::Duration};
use tandem_codec::Codec;
use tandem_domain::{CustomerEvent, CustomerId, Event};
use tandem_eventlog::Log;
use tandem_processor::{Made, Need, Reads, Running, Settings, Stamp, StoreError, View, start};
use tokio::{runtime::Handle, time::Instant};

/// What is made of a customer: its first name and its orders, a line each; `limit` orders at most.
fn written(view: &View<'_>, id: &CustomerId, limit: usize) -> Result<Made, StoreError> {
    let (customer, orders) = view.customer_orders(id, None, limit)?;
    let mut body = format!("{}\n", customer.map(|c| c.first_name).unwrap_or_default());
    for order in orders.rows {
        writeln!(body, "{} {}", order.order_id.as_str(), order.order_item_name).unwrap();
    }
    Ok(Made { body: body.into_bytes(), is_whole: !orders.more })
}

/// Asks for a document, and tells whether it had to be made.
pub(crate) async fn asked(
    reads: &Reads,
    id: &str,
    need: &Need,
    limit: usize,
) -> (Bytes, Stamp, bool) {
    let id = CustomerId::new(id).unwrap();
    let (shard, mut made) = (reads.shard_of(id.as_bytes()), false);
    let make = |view: &View<'_>| {
        made = true;
        written(view, &id, limit)
    };
    let until = Instant::now() + Duration::from_secs(20);
    let (body, stamp) = reads.document(shard, &id, need, until, make).await.unwrap();
    (body, stamp, made)
}

/// The same of everything, as a text.
async fn text(reads: &Reads, id: &str, need: &Need) -> (String, bool) {
    let (body, _, made) = asked(reads, id, need, 1000).await;
    (String::from_utf8(body.into()).unwrap(), made)
}

/// A processor with that much memory for documents.
pub(crate) fn keeping(dir: &Path, log: &Log, document_cache_bytes: usize) -> (Running, Reads) {
    let settings =
        Settings { document_cache_bytes, ..Settings::new(dir.to_owned(), SHARDS, "test", "one") };
    let (running, reads, _) =
        start(settings, log.clone(), Codec::with_fixed_ids(), Handle::current());
    (running, reads)
}

#[tokio::test]
async fn one_is_kept_until_its_rows_change() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = keeping(dir.path(), &log, 1 << 20);
    let need = append(&log, &registered("c", "Cy")).await;
    read(&reads, "c", &need, |_| Ok(())).await;
    let need = append(&log, &placed("c", "o", "Engine")).await;
    let first = asked(&reads, "c", &need, 1000).await;
    assert_eq!((&*first.0, first.2), (&b"Cy\no Engine\n"[..], true));
    assert_eq!(text(&reads, "c", &need).await, ("Cy\no Engine\n".into(), false), "unchanged");

    // Of another customer of the same shard: the stamp moves on, the document stays.
    let mut other = (0..).map(|n| format!("other {n}"));
    let other = other.find(|id| reads.shard_of(id.as_bytes()) == reads.shard_of(b"c"));
    let later = append(&log, &placed(&other.unwrap(), "o", "Loom")).await;
    let (body, stamp, made) = asked(&reads, "c", &later, 1000).await;
    assert_eq!((&body, made), (&first.0, false), "another's rows");
    assert!(stamp.positions[1].position > first.1.positions[1].position);

    for (event, expected) in [
        (placed("c", "o", "Loom"), "Cy\no Loom\n"),
        (placed("c", "p", "Card"), "Cy\no Loom\np Card\n"),
        (cancelled("c", "o"), "Cy\np Card\n"),
        (registered("c", "Di"), "Di\np Card\n"),
    ] {
        let need = append(&log, &event).await;
        assert_eq!(text(&reads, "c", &need).await, (expected.into(), true), "{event:?}");
        assert_eq!(text(&reads, "c", &need).await, (expected.into(), false), "{event:?}");
    }
    let gone = CustomerEvent::Removed(CustomerId::new("c").unwrap());
    let need = append(&log, &Event::Customer(gone)).await;
    assert_eq!(text(&reads, "c", &need).await, ("\np Card\n".into(), true), "a customer removed");
    let need = append(&log, &cancelled("c", "p")).await;
    assert_eq!(text(&reads, "c", &need).await, ("\n".into(), true));
    assert_eq!(text(&reads, "c", &need).await, ("\n".into(), false), "of nobody too");
    running.stop().await;
}

#[tokio::test]
async fn what_is_not_whole_or_has_no_room_is_made_each_time() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = keeping(dir.path(), &log, 1 << 20);
    append(&log, &placed("c", "o", "Engine")).await;
    let need = append(&log, &placed("c", "p", "Loom")).await;
    serving(&reads).await;
    for _ in 0..2 {
        let (body, _, made) = asked(&reads, "c", &need, 1).await;
        assert_eq!((&*body, made), (&b"\no Engine\n"[..], true));
    }
    assert_eq!(text(&reads, "c", &need).await, ("\no Engine\np Loom\n".into(), true));
    running.stop().await;
    for bytes in [0, 200] {
        let (running, reads) = keeping(dir.path(), &log, bytes);
        serving(&reads).await;
        for _ in 0..2 {
            assert_eq!(text(&reads, "c", &need).await, ("\no Engine\np Loom\n".into(), true));
        }
        running.stop().await;
    }
}
