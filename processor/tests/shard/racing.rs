//! Documents asked for while their rows change without a pause: each is the plain fold of exactly what
//! its stamp says.

use crate::{
    documents::{asked, keeping},
    ground::*,
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tandem_domain::Topic;
use tandem_eventlog::{Log, partition_for};
use tandem_processor::{Need, Reads, Stamp};

const CUSTOMERS: u64 = 4;
const ORDERS: u64 = 3;
const READERS: u64 = 6;
/// So many that of two steps of a commit in the wrong order one run hardly tells nothing.
const CHANGES: u64 = 40_000;

/// Everything that was put on the log: for each row the offsets at which it became what, and `None`
/// for where it was taken away.
#[derive(Default)]
struct Story(BTreeMap<Row, Vec<Change>>);

/// Which row: of which topic, customer and order.
type Row = (Topic, String, String);

/// At which offset it became what.
type Change = (u64, Option<String>);

impl Story {
    /// What a customer's document is after the records before these positions.
    fn at(&self, id: &str, stamp: &Stamp) -> String {
        let row = |topic: Topic, key: &str| {
            let changes = self.0.get(&(topic, id.to_owned(), key.to_owned()))?;
            let before = stamp.positions[topic as usize].position;
            let now = changes.partition_point(|(offset, _)| *offset < before).checked_sub(1)?;
            changes[now].1.clone()
        };
        let mut text = format!("{}\n", row(Topic::Customer, "").unwrap_or_default());
        for order in (0..ORDERS).map(|n| format!("o{n}")) {
            if let Some(item) = row(Topic::Order, &order) {
                writeln!(text, "{order} {item}").unwrap();
            }
        }
        text
    }
}

/// Changes a few customers' rows without a pause, one after the other. What a row holds is the offset
/// of the record that it was made by.
async fn change(log: Log, story: Arc<Mutex<Story>>) {
    let mut offsets = [[0_u64; SHARDS as usize]; 2];
    for n in 0..CHANGES {
        let (id, order) = (format!("c{}", n * 7 % 11 % CUSTOMERS), format!("o{}", n % ORDERS));
        let topic = if n % 5 == 0 { Topic::Customer } else { Topic::Order };
        let shard = partition_for(id.as_bytes(), SHARDS);
        let offset = &mut offsets[topic as usize][shard.0 as usize];
        let (key, item, event) = match (topic, n % 4) {
            (Topic::Order, 0) => (&*order, None, cancelled(&id, &order)),
            (Topic::Order, _) => {
                let item = offset.to_string();
                (&*order, Some(item.clone()), placed(&id, &order, &item))
            }
            _ => {
                let name = offset.to_string();
                ("", Some(name.clone()), registered(&id, &name))
            }
        };
        let row = (topic, id, key.to_owned());
        story.lock().unwrap().0.entry(row).or_default().push((*offset, item));
        let need = append(&log, &event).await;
        *offset += 1;
        assert_eq!(need.positions, [(topic, shard, *offset)]);
    }
}

/// Reads without a pause until told to end; gives how many documents there were, and how many of them
/// had to be made.
async fn read_on(
    reads: Reads,
    story: Arc<Mutex<Story>>,
    seed: u64,
    ends: Arc<AtomicBool>,
) -> (u64, u64) {
    let (mut all, mut made) = (0, 0);
    while !ends.load(Ordering::Relaxed) {
        let id = format!("c{}", (all * 5 + seed) % 13 % CUSTOMERS);
        let (body, stamp, was_made) = asked(&reads, &id, &Need::default(), 1000).await;
        let expected = story.lock().unwrap().at(&id, &stamp);
        assert_eq!(std::str::from_utf8(&body).unwrap(), expected, "{id}, made {was_made}");
        made += u64::from(was_made);
        all += 1;
        if all % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    (all, made)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn every_one_is_of_just_the_position_that_it_says() {
    let (dir, log) = (tempfile::tempdir().unwrap(), log().await);
    let (running, reads) = keeping(dir.path(), &log, 1 << 20);
    serving(&reads).await;
    let (story, ends) = (Arc::<Mutex<Story>>::default(), Arc::new(AtomicBool::new(false)));
    let reading = (0..READERS)
        .map(|n| tokio::spawn(read_on(reads.clone(), story.clone(), n, ends.clone())))
        .collect::<Vec<_>>();
    change(log, story).await;
    ends.store(true, Ordering::Relaxed);
    let (mut all, mut made) = (0, 0);
    for reader in reading {
        let (read, written) = reader.await.unwrap();
        (all, made) = (all + read, made + written);
    }
    assert!(0 < made && made < all, "{made} of {all} were made");
    running.stop().await;
}
