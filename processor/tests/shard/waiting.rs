//! A log that isn't there yet, that goes away, or that turns out to be another.

use crate::ground::*;
use async_trait::async_trait;
use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};
use tandem_codec::Codec;
use tandem_eventlog::{
    Batch, Bounds, EventLog, Log, LogError, Member, Membership, NewRecord, Offset, Position,
    Reader, TopicId, TopicName, TopicPartition, TopicSpec,
};
use tandem_processor::{Need, Reads, Running, Settings, ShardState, Unserved, start};
use tokio::{runtime::Handle, time::Instant};

/// What the log does when it is asked.
#[derive(Clone)]
enum Mood {
    Works,
    Refuses(LogError),
    Hangs,
}

/// The embedded log with faults on demand: in topics, in groups, in readers.
struct Scripted {
    log: Log,
    topics: Mutex<Mood>,
    groups: Mutex<Mood>,
    reads: Arc<Mutex<Mood>>,
}

async fn live(mood: &Mutex<Mood>) -> Result<(), LogError> {
    let mood = mood.lock().unwrap().clone();
    match mood {
        Mood::Works => Ok(()),
        Mood::Refuses(error) => Err(error),
        Mood::Hangs => pending().await,
    }
}

#[async_trait]
impl EventLog for Scripted {
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicId>, LogError> {
        live(&self.topics).await?;
        self.log.ensure_topics(topics).await
    }

    async fn append(&self, record: NewRecord) -> Result<Offset, LogError> {
        self.log.append(record).await
    }

    async fn read(&self, from: &[Position]) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(ScriptedReader {
            reader: self.log.read(from).await?,
            mood: self.reads.clone(),
        }))
    }

    async fn bounds(&self, of: &[TopicPartition]) -> Result<Vec<Bounds>, LogError> {
        live(&self.reads).await?;
        self.log.bounds(of).await
    }

    async fn join(
        &self,
        group: &str,
        member: &Member,
        topic: &TopicName,
    ) -> Result<Box<dyn Membership>, LogError> {
        assert_eq!((group, &*member.id), ("tandem-test", "one"));
        live(&self.groups).await?;
        self.log.join(group, member, topic).await
    }
}

struct ScriptedReader {
    reader: Box<dyn Reader>,
    mood: Arc<Mutex<Mood>>,
}

#[async_trait]
impl Reader for ScriptedReader {
    async fn next(&mut self, max_wait: Duration) -> Result<Batch, LogError> {
        live(&self.mood).await?;
        self.reader.next(max_wait).await
    }
}

async fn scripted() -> Arc<Scripted> {
    let works = || Mutex::new(Mood::Works);
    let (topics, groups, reads) = (works(), works(), Arc::new(works()));
    Arc::new(Scripted { log: log().await, topics, groups, reads })
}

fn on(log: &Arc<Scripted>, dir: &std::path::Path) -> (Running, Reads) {
    let settings = Settings::new(dir.to_owned(), SHARDS, "test", "one");
    let (running, reads, _) =
        start(settings, log.clone(), Codec::with_fixed_ids(), Handle::current());
    (running, reads)
}

fn unavailable() -> Mood {
    Mood::Refuses(LogError::Unavailable("no broker".into()))
}

async fn is_waiting(reads: &Reads) {
    tokio::time::sleep(Duration::from_millis(50)).await;
    let need = Need { positions: vec![], max_staleness: Some(Duration::from_secs(1)) };
    assert_eq!(refused(reads, "a", &need, Duration::from_secs(9)).await, Unserved::NotReady);
    assert_eq!(reads.topic_id(tandem_domain::Topic::Order), Err(Unserved::NotReady));
    assert_eq!(reads.status(), []);
}

#[tokio::test]
async fn it_starts_before_the_log_is_there() {
    let (dir, log) = (tempfile::tempdir().unwrap(), scripted().await);
    *log.topics.lock().unwrap() = unavailable();
    *log.groups.lock().unwrap() = unavailable();
    let (running, reads) = on(&log, dir.path());
    is_waiting(&reads).await;
    // What only the operator can mend is waited for as well.
    *log.topics.lock().unwrap() = Mood::Refuses(LogError::Unsuitable("8 partitions".into()));
    is_waiting(&reads).await;
    *log.topics.lock().unwrap() = Mood::Works;
    is_waiting(&reads).await;
    *log.groups.lock().unwrap() = Mood::Works;
    serving(&reads).await;
    let need = append(&log.log, &registered("a", "A")).await;
    read(&reads, "a", &need, |_| Ok(())).await;
    running.stop().await;
}

#[tokio::test]
async fn it_can_be_stopped_while_the_log_hangs() {
    for part in ["topics", "groups", "reads"] {
        let (dir, log) = (tempfile::tempdir().unwrap(), scripted().await);
        let moods = [("topics", &log.topics), ("groups", &log.groups), ("reads", &*log.reads)];
        let (_, mood) = moods.into_iter().find(|(name, _)| *name == part).unwrap();
        *mood.lock().unwrap() = Mood::Hangs;
        let (running, _reads) = on(&log, dir.path());
        tokio::time::sleep(Duration::from_millis(50)).await;
        let asked = Instant::now();
        running.stop().await;
        assert!(asked.elapsed() < Duration::from_secs(2), "{part}: {:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn a_log_that_went_away_is_read_on_when_it_is_back() {
    let (dir, log) = (tempfile::tempdir().unwrap(), scripted().await);
    let (running, reads) = on(&log, dir.path());
    serving(&reads).await;
    *log.reads.lock().unwrap() = unavailable();
    // A read that was under way already would still give what comes now.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let need = append(&log.log, &registered("a", "A")).await;
    let behind = refused(&reads, "a", &need, Duration::from_millis(300)).await;
    assert!(matches!(behind, Unserved::Behind { .. }), "{behind:?}");
    assert!(reads.status().iter().all(|s| s.state == ShardState::Serving), "it answers still");
    *log.reads.lock().unwrap() = Mood::Works;
    read(&reads, "a", &need, |_| Ok(())).await;
    running.stop().await;
}

#[tokio::test]
async fn a_topic_that_was_made_again_fails_its_shards_with_the_logs_words() {
    let (dir, log) = (tempfile::tempdir().unwrap(), scripted().await);
    let (running, reads) = on(&log, dir.path());
    serving(&reads).await;
    let words = "topic order was deleted and made again";
    *log.reads.lock().unwrap() = Mood::Refuses(LogError::Unsuitable(words.into()));
    for detail in settled(&reads, ShardState::Failed).await {
        let detail = detail.unwrap();
        assert!(detail.contains(words), "{detail}");
    }
    let refused = refused(&reads, "a", &Need::default(), Duration::ZERO).await;
    let Unserved::NotReadable { state: ShardState::Failed, .. } = refused else {
        panic!("{refused:?}")
    };
    running.stop().await;
}
