//! A log on Apache Kafka, by librdkafka.
//!
//! - Appends go through one idempotent producer, `acks=all` (`append`).
//! - Readers are given partitions and positions by hand, `read_committed`, checksums checked, and
//!   read ahead into a bounded queue (`reader`; `native` is why that is fast).
//! - What is asked of the cluster, and the check that topics are still what they were (`watch`).
//! - Groups only say who has what (`group`).
//! - Topics are made or checked (`topics`); properties of librdkafka (`properties`), its own words
//!   (`context`), errors by who has to act (`refused`).
//!
//! Absent on purpose: group offsets as positions (the view keeps its own), transactions (a view
//! that is a pure function of the log needs none), and topics made by chance.

mod append;
mod context;
mod group;
mod native;
mod properties;
mod reader;
mod refused;
mod topics;
mod watch;

pub use properties::KafkaSettings;

use crate::{
    Bounds, EventLog, LogError, Member, Membership, NewRecord, Offset, Position, Reader, TopicId,
    TopicName, TopicPartition, TopicSpec,
};
use append::{Appender, Refused};
use async_trait::async_trait;
use context::Context;
use native::Fetch;
use rdkafka::{
    Offset as RawOffset, config::FromClientConfigAndContext, consumer::BaseConsumer,
    error::KafkaError,
};
use std::sync::Arc;
use tokio::sync::Notify;
use watch::Watch;

/// The log on Kafka.
pub struct Kafka(Arc<Inner>);

struct Inner {
    settings: KafkaSettings,
    context: Context,
    appender: Appender,
    watch: Arc<Watch>,
}

impl Kafka {
    /// Sets up a log on the cluster of `settings`. Reaches no broker yet.
    ///
    /// # Errors
    /// [`LogError::Unsuitable`] when librdkafka doesn't take a setting.
    pub fn connect(settings: KafkaSettings) -> Result<Arc<Self>, LogError> {
        let context = settings.context();
        let asker = BaseConsumer::from_config_and_context(&settings.asker(), context.clone());
        let watch = Arc::new(Watch::start(asker.map_err(|e| unsuitable(&e))?)?);
        let appender = Appender::new(settings.clone(), context.clone())?;
        Ok(Arc::new(Self(Arc::new(Inner { settings, context, appender, watch }))))
    }
}

impl Inner {
    /// Asks what blocks, on a thread that may.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&Inner) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let inner = self.clone();
        tokio::task::spawn_blocking(move || question(&inner))
            .await
            .map_err(|e| LogError::Unavailable(e.to_string()))?
    }

    /// A topic's id and how many partitions it has; it is in use from then on.
    async fn topic(self: &Arc<Self>, name: &TopicName) -> Result<(TopicId, u32), LogError> {
        if let Some(known) = self.watch.topic(name)? {
            return Ok(known);
        }
        let asked = vec![name.clone()];
        let found = self.ask(move |inner| watch::describe(inner.watch.asker(), &asked)).await?;
        let found = found.into_iter().flatten().next().ok_or_else(|| refused::no_topic(name))?;
        Ok((self.watch.uses(name, &found), found.partitions))
    }

    /// The topic's id, if it has that partition.
    async fn partition(self: &Arc<Self>, at: &TopicPartition) -> Result<TopicId, LogError> {
        let (id, partitions) = self.topic(&at.topic).await?;
        if at.partition.0 >= partitions {
            return Err(refused::no_partition(at, partitions));
        }
        Ok(id)
    }

    async fn too_large(self: &Arc<Self>, record: &NewRecord) -> LogError {
        let part = |part: &Option<bytes::Bytes>| part.as_ref().map_or(0, bytes::Bytes::len);
        let bytes = part(&record.key) + part(&record.value) + record.headers.as_block().len();
        let ours = self.settings.max_record_bytes();
        let topic = topics::max_message_bytes(self, &record.to.topic).await.unwrap_or(ours);
        LogError::TooLarge { bytes, max: ours.min(topic).min(bytes.saturating_sub(1)) }
    }
}

#[async_trait]
impl EventLog for Kafka {
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicId>, LogError> {
        topics::ensure(&self.0, topics).await
    }

    async fn append(&self, record: NewRecord) -> Result<Offset, LogError> {
        self.0.partition(&record.to).await?;
        let outcome = match self.0.appender.send(&record) {
            Ok(sent) => self.0.appender.confirmed(sent).await,
            Err(refused) => Err(refused),
        };
        match outcome {
            Ok(offset) => Ok(offset),
            Err(Refused::TooLarge) => Err(self.0.too_large(&record).await),
            Err(Refused::Other(error)) => Err(error),
        }
    }

    async fn read(&self, from: &[Position]) -> Result<Box<dyn Reader>, LogError> {
        let at: Vec<TopicPartition> = from.iter().map(|position| position.at.clone()).collect();
        let mut inputs = Vec::with_capacity(from.len());
        for (position, bounds) in from.iter().zip(self.bounds(&at).await?) {
            let Bounds { topic_id, start, end } = bounds;
            if position.offset < start || position.offset > end {
                return Err(LogError::OutOfRange { position: position.clone(), start, end });
            }
            let at = position.at.clone();
            inputs.push(reader::Input { at, topic_id, next: position.offset, start, end });
        }
        let more = Arc::new(Notify::new());
        let (wake, from) = (more.clone(), from.to_vec());
        let start = move |inner: &Inner| {
            let from: Vec<_> =
                from.iter().map(|p| (p.at.topic.as_str(), p.at.partition.0, p.offset.0)).collect();
            let (config, context) = (inner.settings.reader(), inner.context.clone());
            let consumer = BaseConsumer::from_config_and_context(&config, context)
                .map_err(|e| unsuitable(&e))?;
            Fetch::start(consumer, &from, wake)
                .map_err(|code| refused::failed(&inner.context, "reading", code))
        };
        let fetch = self.0.ask(start).await?;
        let (watch, context) = (self.0.watch.clone(), self.0.context.clone());
        Ok(Box::new(reader::KafkaReader::new(inputs, fetch, more, watch, context)))
    }

    async fn bounds(&self, of: &[TopicPartition]) -> Result<Vec<Bounds>, LogError> {
        let mut ids = Vec::with_capacity(of.len());
        for at in of {
            ids.push(self.0.partition(at).await?);
        }
        let of = of.to_vec();
        let ask = move |inner: &Inner| {
            let starts = watch::offsets(inner.watch.asker(), &of, RawOffset::Beginning)?;
            Ok((starts, watch::offsets(inner.watch.asker(), &of, RawOffset::End)?))
        };
        let (starts, ends) = self.0.ask(ask).await?;
        let bounds = ids.into_iter().zip(starts).zip(ends);
        Ok(bounds.map(|((topic_id, start), end)| Bounds { topic_id, start, end }).collect())
    }

    async fn join(
        &self,
        group: &str,
        member: &Member,
        topic: &TopicName,
    ) -> Result<Box<dyn Membership>, LogError> {
        self.0.topic(topic).await?;
        let config = self.0.settings.member(group, member);
        Ok(Box::new(group::Place::join(config, self.0.context.clone(), topic)?))
    }
}

/// librdkafka doesn't take a setting.
fn unsuitable(error: &KafkaError) -> LogError {
    LogError::Unsuitable(format!("{error}: mend this --kafka property"))
}
