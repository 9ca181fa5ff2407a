use super::*;
use proptest::{collection::btree_map, prelude::*};
use prost_types::Timestamp;

const SORTS: [OrderSort; 4] = [
    OrderSort::CustomerId,
    OrderSort::OrderId,
    OrderSort::PurchaseTime,
    OrderSort::PurchaseTimeDescending,
];

fn row(customer: &str, order: &str, ms: i64) -> v1::Order {
    let nanos = i32::try_from(ms.rem_euclid(1000)).unwrap() * 1_000_000;
    v1::Order {
        customer_id: customer.into(),
        order_id: order.into(),
        order_purchase_time: Some(Timestamp { seconds: ms.div_euclid(1000), nanos }),
        ..v1::Order::default()
    }
}

fn in_order(kind: &Kind<v1::Order>, rows: &mut [v1::Order]) {
    rows.sort_by_key(kind.last);
    if kind.descends {
        rows.reverse();
    }
}

/// What a shard with these rows, which are in order, gives.
fn page(
    kind: &Kind<v1::Order>,
    rows: &[v1::Order],
    after: Option<&Last>,
    limit: usize,
) -> Rows<v1::Order> {
    let is_behind = |row: &&v1::Order| match after {
        None => true,
        Some(after) if kind.descends => (kind.last)(row) < *after,
        Some(after) => (kind.last)(row) > *after,
    };
    let behind: Vec<_> = rows.iter().filter(is_behind).cloned().collect();
    let more = behind.len() > limit;
    Rows { rows: behind.into_iter().take(limit).collect(), more, served: None }
}

/// All pages of instances, each of which has some shards.
fn walk(
    kind: &Kind<v1::Order>,
    instances: &[Vec<Vec<v1::Order>>],
    limit: usize,
) -> Vec<Vec<v1::Order>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let of_instance = |shards: &Vec<Vec<v1::Order>>| {
            let pages = shards.iter().map(|rows| page(kind, rows, after.as_ref(), limit));
            merge(kind, pages.collect(), limit)
        };
        let Rows { rows, more, .. } =
            merge(kind, instances.iter().map(of_instance).collect(), limit);
        after = rows.last().map(kind.last);
        pages.push(rows);
        if !more {
            return pages;
        }
    }
}

proptest! {
    #[test]
    fn pages_over_any_instances_are_one_list(
        rows in btree_map((0..9_u8, 0..6_u8), -3..3_i64, 0..40),
        sort in prop::sample::select(&SORTS),
        (shards, instances, limit) in (1..5_usize, 1..4_usize, 1..12_usize),
    ) {
        let kind = orders(sort);
        let mut all: Vec<_> = rows
            .iter()
            .map(|((c, o), ms)| row(&format!("c-{c}"), &format!("o-{o}"), *ms))
            .collect();
        in_order(&kind, &mut all);
        let mut held = vec![vec![Vec::new(); shards]; instances];
        for row in &all {
            // A customer lies in one shard, which one instance has.
            let at = usize::from(row.customer_id.as_bytes()[2]);
            held[at % instances][at % shards].push(row.clone());
        }
        let pages = walk(&kind, &held, limit);
        prop_assert!(pages.iter().all(|page| page.len() <= limit));
        prop_assert!(pages.iter().skip(1).all(|page| !page.is_empty()), "no page in vain");
        prop_assert_eq!(pages.concat(), all);
    }
}

#[test]
fn rows_behind_what_another_page_holds_back_wait() {
    let kind = orders(OrderSort::CustomerId);
    let rows = |ids: &[&str]| ids.iter().map(|id| row(id, "o", 0)).collect::<Vec<_>>();
    let whole = |ids: &[&str]| Rows { rows: rows(ids), more: false, served: None };
    let cut = |ids: &[&str]| Rows { rows: rows(ids), more: true, served: None };
    let table = [
        (vec![], 9, vec![], false),
        (vec![whole(&[])], 9, vec![], false),
        (vec![whole(&["a", "c"]), whole(&["b"])], 9, vec!["a", "b", "c"], false),
        (vec![whole(&["a", "c"]), whole(&["b"])], 3, vec!["a", "b", "c"], false),
        (vec![whole(&["a", "c"]), whole(&["b"])], 2, vec!["a", "b"], true),
        (vec![whole(&["a", "c"]), cut(&["b"])], 9, vec!["a", "b"], true),
        (vec![cut(&["a"]), cut(&["b"])], 9, vec!["a"], true),
        (vec![cut(&["a", "d"]), whole(&["b", "c"])], 9, vec!["a", "b", "c", "d"], true),
        (vec![cut(&["b"]), whole(&["c"])], 9, vec!["b"], true),
    ];
    for (pages, limit, expected, more) in table {
        let merged = merge(&kind, pages, limit);
        let ids: Vec<_> = merged.rows.iter().map(|row| &*row.customer_id).collect();
        assert_eq!((ids, merged.more), (expected, more));
    }
}

#[test]
fn a_page_is_bounded_in_bytes_and_never_empty() {
    let kind = orders(OrderSort::CustomerId);
    let large = |id: &str, bytes| v1::Order { order_place: "x".repeat(bytes), ..row(id, "o", 0) };
    let third = ANSWER_BYTES / 3;
    let shards = vec![
        vec![large("a", third), large("c", third), large("d", 2 * ANSWER_BYTES)],
        vec![large("b", third), large("e", 1)],
    ];
    let ids = |held: &[Vec<Vec<v1::Order>>]| -> Vec<String> {
        let ids = |page: &Vec<v1::Order>| page.iter().map(|row| &*row.customer_id).collect();
        walk(&kind, held, 100).iter().map(ids).collect()
    };
    let expected = ["ab", "c", "d", "e"];
    assert_eq!(ids(std::slice::from_ref(&shards)), expected);
    let apart: Vec<_> = shards.into_iter().map(|shard| vec![shard]).collect();
    assert_eq!(ids(&apart), expected);
}

#[test]
fn what_is_merged_is_as_old_as_the_oldest_part() {
    let kind = orders(OrderSort::CustomerId);
    let part = |partition, seconds, nanos| {
        let proof = tandem_proto::receipt::Proof {
            topic: "order".into(),
            topic_tag: 7,
            partition,
            position: 10 + u64::from(partition),
        };
        let served = v1::Served {
            position: tandem_proto::receipt::encode(&[proof]),
            staleness: Some(prost_types::Duration { seconds, nanos }),
            ..v1::Served::default()
        };
        Rows { rows: Vec::new(), more: false, served: Some(served) }
    };
    let merged = merge(&kind, vec![part(0, 1, 5), part(1, 2, 0), part(2, 1, 9)], 9).served.unwrap();
    assert_eq!(merged.staleness, Some(prost_types::Duration { seconds: 2, nanos: 0 }));
    let proofs = tandem_proto::receipt::decode(&merged.position).unwrap();
    let positions: Vec<_> = proofs.iter().map(|p| (p.partition, p.position)).collect();
    assert_eq!(positions, [(0, 10), (1, 11), (2, 12)]);
}
