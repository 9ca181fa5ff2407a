//! The log that everything stands on: in this process, or on Kafka.

use crate::{Settings, registry};
use std::{sync::Arc, time::Duration};
use tandem_eventlog::{Log, LogError, embedded::Embedded};
use tandem_processor::input_topics;

/// How long a log elsewhere is waited for before everything is started without it.
pub(crate) const FIRST_LOOK: Duration = Duration::from_secs(3);

/// A log, and what differs between those that there are.
#[derive(Clone)]
pub(crate) enum Ground {
    /// In this process, in the data folder.
    Embedded(Arc<Embedded>),
    /// On a cluster that may come later.
    Kafka(Log),
}

impl Ground {
    /// Opens the log that the settings name. Reaches no server yet.
    pub(crate) fn open(settings: &Settings) -> Result<Self, LogError> {
        Ok(match settings.log.open()? {
            Some(kafka) => Self::Kafka(kafka),
            None => Self::Embedded(Embedded::open(&settings.view.data_dir.join("log"))?),
        })
    }

    /// Asked before anything waits for the log: one that doesn't fit, such as one with another
    /// number of shards, is refused at once. Gives whether it is there: one elsewhere that isn't
    /// yet is waited for later.
    pub(crate) async fn check(&self, shards: u32) -> Result<bool, LogError> {
        let topics = input_topics(shards);
        match self {
            Self::Embedded(log) => {
                let log: Log = log.clone();
                log.ensure_topics(&topics).await.map(|_| true)
            }
            Self::Kafka(log) => {
                match tokio::time::timeout(FIRST_LOOK, log.ensure_topics(&topics)).await {
                    Ok(Ok(_)) => Ok(true),
                    Ok(Err(LogError::Unavailable(_))) | Err(_) => Ok(false),
                    Ok(Err(unsuitable)) => Err(unsuitable),
                }
            }
        }
    }

    pub(crate) fn log(&self) -> Log {
        match self {
            Self::Embedded(log) => log.clone(),
            Self::Kafka(log) => log.clone(),
        }
    }

    /// The topic of the embedded registry.
    pub(crate) fn schemas(&self) -> &'static str {
        match self {
            Self::Embedded(_) => registry::TOPIC,
            Self::Kafka(_) => registry::TOPIC_ON_KAFKA,
        }
    }

    /// Ends what of it is in this process; nothing that was acknowledged waits for that.
    pub(crate) async fn close(&self) {
        match self {
            Self::Embedded(log) => log.close().await,
            Self::Kafka(_) => {}
        }
    }
}
