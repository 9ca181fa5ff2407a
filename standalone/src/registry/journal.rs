//! The registry's entries on the log: appended one by one, read back in order.

use super::{entry::Entry, refusal::Refusal};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tandem_eventlog::{
    Headers, Kept, Log, LogError, NewRecord, Offset, Partition, Position, Reader, Record,
    TopicName, TopicPartition, TopicSpec,
};

/// How long one read waits. Reads go on until the end that was known when they began, so this
/// only bounds how long a log that stalls goes unnoticed by the loop.
const READ_WAIT: Duration = Duration::from_millis(500);

/// The registry's topic, and how far it has been read.
pub(super) struct Journal {
    log: Log,
    at: TopicPartition,
    reader: Box<dyn Reader>,
    read_to: Offset,
}

impl Journal {
    pub(super) async fn open(log: Log, topic: &str) -> Result<Self, LogError> {
        let at = TopicPartition { topic: TopicName::from(topic), partition: Partition(0) };
        let spec = TopicSpec { name: at.topic.clone(), partitions: 1, kept: Kept::Compacted };
        log.ensure_topics(&[spec]).await?;
        let read_to =
            log.bounds(std::slice::from_ref(&at)).await?.first().map_or(Offset(0), |b| b.start);
        let reader = log.read(&[Position { at: at.clone(), offset: read_to }]).await?;
        Ok(Self { log, at, reader, read_to })
    }

    /// Appends an entry; it is durable when this returns, and not yet read.
    pub(super) async fn append(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let (key, value) =
            entry.to_record().map_err(|e| Refusal::Unavailable(format!("encoding failed: {e}")))?;
        let record = NewRecord {
            to: self.at.clone(),
            timestamp_ms: now_ms(),
            key: Some(key.into()),
            value: value.map(Into::into),
            headers: Headers::default(),
        };
        self.log.append(record).await?;
        Ok(())
    }

    /// Hands on every entry that is on the log now and has not been handed on.
    pub(super) async fn catch_up(
        &mut self,
        mut apply: impl FnMut(Entry) -> Result<(), String>,
    ) -> Result<(), LogError> {
        let bounds = self.log.bounds(std::slice::from_ref(&self.at)).await?;
        let end = bounds.first().map_or(self.read_to, |b| b.end);
        while self.read_to < end {
            let batch = self.reader.next(READ_WAIT).await?;
            for record in &batch.records {
                read(record)
                    .and_then(&mut apply)
                    .map_err(|e| unsuitable(&self.at, record.offset, &e))?;
            }
            self.read_to = batch.next.first().copied().unwrap_or(self.read_to);
        }
        Ok(())
    }
}

fn read(record: &Record) -> Result<Entry, String> {
    Entry::from_record(record.key.as_deref(), record.value.as_deref()).map_err(|e| e.to_string())
}

fn unsuitable(at: &TopicPartition, offset: Offset, reason: &str) -> LogError {
    LogError::Unsuitable(format!(
        "the record at offset {offset} of topic '{}' is not one that this registry writes \
         ({reason}); does the topic belong to another registry?",
        at.topic
    ))
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
