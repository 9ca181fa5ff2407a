use super::*;
use crate::{ask::Me, peers::over_network};
use std::sync::atomic::AtomicU32;
use tandem_domain::{Customer, CustomerEvent, Event};
use tandem_eventlog::{Headers, Log, NewRecord, TopicName, TopicPartition, embedded::Embedded};
use tandem_processor::{Codec, Running, Settings, ShardState, start};
use tokio::{runtime::Handle, sync::Semaphore, time::timeout};

const SHARD: Partition = Partition(0);
const SOON: Duration = Duration::from_secs(20);

fn id(text: &str) -> CustomerId {
    CustomerId::new(text).unwrap()
}

/// An instance of one shard that is alone in the world.
struct Alone {
    log: Log,
    processor: Running,
    instances: Arc<Instances>,
    _dir: tempfile::TempDir,
}

impl Alone {
    async fn new() -> Self {
        let log: Log = Embedded::open_in_memory().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings::new(dir.path().to_owned(), 1, "test", "one");
        let codec = Codec::with_fixed_ids();
        let (processor, reads, cluster) = start(settings, log.clone(), codec, Handle::current());
        let me = Me {
            instance_id: "one".into(),
            replica_set: "test".into(),
            zone: String::new(),
            address: "127.0.0.1:1".into(),
            run: "run".into(),
            load: Arc::new(AtomicU32::new(0)),
        };
        let instances = Arc::new(Instances::new(reads, cluster, me, over_network()));
        let serves = async {
            let state = || instances.reads.shard_status(SHARD).map(|s| s.state);
            while state() != Some(ShardState::Serving) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, serves).await.unwrap();
        Self { log, processor, instances, _dir: dir }
    }

    /// Names ada, and waits until that can be read.
    async fn name(&self, first_name: &str) {
        let event = Event::Customer(CustomerEvent::Registered(Customer {
            customer_id: id("ada"),
            first_name: first_name.into(),
            last_name: String::new(),
            email: String::new(),
            phone: String::new(),
        }));
        let record = NewRecord {
            to: TopicPartition { topic: TopicName::from("customer"), partition: SHARD },
            timestamp_ms: 1,
            key: Some(b"ada".to_vec().into()),
            value: Some(Codec::with_fixed_ids().encode(&event).unwrap()),
            headers: Headers::from_pairs([("ce_id", first_name.as_bytes())]),
        };
        let offset = self.log.append(record).await.unwrap();
        let positions = vec![(Topic::Customer, SHARD, offset.next().0)];
        let need = Need { positions, max_staleness: None };
        let until = Instant::now() + Duration::from_secs(3600);
        self.instances.reads.read(SHARD, &need, until, |_| Ok(())).await.unwrap();
    }

    fn watch(&self, token: &str) -> stream::BoxStream<'static, Result<Document, Status>> {
        let watched = Watched {
            id: id("ada"),
            shard: SHARD,
            caller: Caller::Outside,
            trace: Trace::default(),
            need: Need::default(),
            seen: seen(token, &id("ada")).unwrap(),
            positions: Vec::new(),
        };
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        watch(self.instances.clone(), watched, CancellationToken::new(), permit).boxed()
    }
}

fn first_name(document: Option<Result<Document, Status>>) -> String {
    document.unwrap().unwrap().customer.unwrap().first_name
}

#[test]
fn a_token_is_of_one_customer() {
    let wire = Wire { customer: xxh3_64(b"a"), document: 7, position: "p".into() }.encode_to_vec();
    let token = token::seal(KIND, &wire);
    let expected = SeenDocument { document: 7, position: "p".into() };
    assert_eq!(seen(&token, &id("a")), Ok(Some(expected)));
    assert_eq!(seen(&token, &id("b")), Err(Mangled));
    assert_eq!(seen("", &id("a")), Ok(None));
    assert_eq!(seen("AAAA", &id("a")), Err(Mangled));
}

#[tokio::test]
async fn watches_leave_the_connection_of_reads_alone_and_share_others() {
    let alone = Alone::new().await;
    let peers = &alone.instances.peers;
    let mut lanes: Vec<_> = (0..130).map(|_| peers.lane("run")).collect();
    let on = |n| lanes.iter().filter(|(lane, _)| *lane == n).count();
    assert_eq!([0, 1, 2, 3].map(on), [0, 64, 64, 2]);
    lanes.drain(..5);
    assert_eq!(peers.lane("run").0, 1, "there is room again");
    assert_eq!(peers.lane("another").0, 1);
    alone.processor.stop().await;
}

// The clock stands still but when everything waits; it then jumps to the next moment that
// somebody waits for.

#[tokio::test]
async fn a_watcher_that_does_not_read_is_cut_off() {
    let alone = Alone::new().await;
    tokio::time::pause();
    alone.name("first").await;
    let mut documents = alone.watch("");
    // Handed over at once, and the next ones wait to be read.
    sleep(Duration::from_secs(1)).await;
    alone.name("second").await;
    sleep(READ_WITHIN / 2).await;
    alone.name("third").await;
    sleep(READ_WITHIN).await;
    alone.name("fourth").await;

    assert_eq!(first_name(documents.next().await), "first");
    let status = documents.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert_eq!(tandem_service::status::reason(&status).as_deref(), Some("WATCHER_TOO_SLOW"));
    assert!(documents.next().await.is_none());
    alone.processor.stop().await;
}

#[tokio::test]
async fn a_watcher_that_reads_late_gets_the_latest_and_what_was_in_hand() {
    let alone = Alone::new().await;
    tokio::time::pause();
    alone.name("first").await;
    let mut documents = alone.watch("");
    for name in ["second", "third", "fourth"] {
        sleep(READ_WITHIN / 4).await;
        alone.name(name).await;
    }
    for expected in ["first", "second", "fourth"] {
        assert_eq!(first_name(documents.next().await), expected);
    }
    alone.processor.stop().await;
}

#[tokio::test]
async fn a_watch_that_was_quiet_for_long_still_waits_for_the_next_holder() {
    let alone = Alone::new().await;
    tokio::time::pause();
    alone.name("first").await;
    let token = alone.watch("").next().await.unwrap().unwrap().resume_token;
    let mut documents = alone.watch(&token);
    assert!(timeout(2 * HOLDER_WITHIN, documents.next()).await.is_err(), "nothing new");

    alone.processor.stop().await;
    assert!(timeout(HOLDER_WITHIN / 2, documents.next()).await.is_err(), "it may come back");
    let status = timeout(HOLDER_WITHIN, documents.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(documents.next().await.is_none());
}
