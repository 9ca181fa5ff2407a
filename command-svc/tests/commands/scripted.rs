//! The embedded log with faults on demand.

use std::sync::{Arc, Mutex};
use tandem_eventlog::{
    Bounds, EventLog, LogError, Member, Membership, NewRecord, Offset, Position, Reader, TopicId,
    TopicName, TopicPartition, TopicSpec, embedded::Embedded,
};
use tokio::sync::Notify;

/// What the log does when something is appended or topics are asked for.
#[derive(Clone)]
pub(crate) enum Mood {
    Works,
    Refuses(LogError),
    /// Waits until the notification, then works.
    Hangs(Arc<Notify>),
    Breaks,
}

pub(crate) struct Scripted {
    log: Arc<Embedded>,
    mood: Mutex<Mood>,
}

impl Scripted {
    pub(crate) fn new(log: Arc<Embedded>) -> Arc<Self> {
        Arc::new(Self { log, mood: Mutex::new(Mood::Works) })
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn live(&self) -> Result<(), LogError> {
        let mood = self.mood.lock().unwrap().clone();
        match mood {
            Mood::Works => Ok(()),
            Mood::Refuses(error) => Err(error),
            Mood::Hangs(until) => {
                until.notified().await;
                Ok(())
            }
            Mood::Breaks => panic!("scripted"),
        }
    }
}

#[async_trait::async_trait]
impl EventLog for Scripted {
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicId>, LogError> {
        self.live().await?;
        self.log.ensure_topics(topics).await
    }

    async fn append(&self, record: NewRecord) -> Result<Offset, LogError> {
        self.live().await?;
        self.log.append(record).await
    }

    async fn read(&self, from: &[Position]) -> Result<Box<dyn Reader>, LogError> {
        self.log.read(from).await
    }

    async fn bounds(&self, of: &[TopicPartition]) -> Result<Vec<Bounds>, LogError> {
        self.log.bounds(of).await
    }

    async fn join(
        &self,
        group: &str,
        member: &Member,
        topic: &TopicName,
    ) -> Result<Box<dyn Membership>, LogError> {
        self.log.join(group, member, topic).await
    }
}
