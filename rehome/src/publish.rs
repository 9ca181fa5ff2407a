//! Re-publishes records: finds out which have been already, decides for each, appends.
//!
//! A record that is re-published carries a header that says where it came from. The topic itself
//! therefore remembers what was done, and a run that was broken off is simply run again.

use crate::{rejects::Rejects, scan};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt,
};
use tandem_codec::{ABSENT_FOR, Codec, DecodeError};
use tandem_domain::Topic;
use tandem_eventlog::{
    Headers, Log, NewRecord, Offset, Partition, Position, Record, TopicName, TopicPartition,
    partition_for,
};

/// The header of a re-published record: `PARTITION@OFFSET` on the same topic.
const ORIGIN: &str = "tandem-rehomed-from";

/// The header that makes an event count once.
const EVENT_ID: &str = "ce_id";

/// What a run did.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    dry_run: bool,
    published: usize,
    before: usize,
    /// What could not be re-published, and why.
    pub(crate) left: Vec<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.dry_run { "would be re-published" } else { "re-published" };
        writeln!(f, "{} {done}", self.published)?;
        writeln!(f, "{} had been re-published before", self.before)?;
        writeln!(f, "{} can't be folded yet", self.left.len())?;
        self.left.iter().try_for_each(|why| writeln!(f, "  {why}"))
    }
}

/// Re-publishes what is in `rejects`.
pub(crate) async fn rehome(
    log: &Log,
    codec: &Codec,
    rejects: &Rejects,
    dry_run: bool,
) -> Result<Outcome, Box<dyn Error>> {
    let mut outcome = Outcome { dry_run, ..Outcome::default() };
    let topics: BTreeSet<Topic> = rejects.keys().map(|(topic, _)| *topic).collect();
    for topic in topics {
        let name = TopicName::from(topic.name());
        let ends: Vec<Offset> =
            scan::bounds(log, &name).await?.into_iter().map(|bounds| bounds.end).collect();
        let (records, done) = gather(log, topic, rejects, &ends).await?;
        for ((from, offset), record) in records {
            let origin = format!("{from}@{offset}");
            if done.contains(&*origin) {
                outcome.before += 1;
                continue;
            }
            let partitions = u32::try_from(ends.len())?;
            match decide(codec, topic, &record, partitions).await? {
                Ok(to) => {
                    if !dry_run {
                        let to = TopicPartition { topic: name.clone(), partition: to };
                        log.append(anew(record, to, &origin)).await?;
                    }
                    outcome.published += 1;
                }
                Err(why) => outcome.left.push(format!("{topic}[{origin}]: {why}", topic = name)),
            }
        }
    }
    Ok(outcome)
}

type Gathered = (BTreeMap<(Partition, Offset), Record>, BTreeSet<String>);

/// Reads the whole topic once: the rejected records, and the origins of those re-published before.
async fn gather(
    log: &Log,
    topic: Topic,
    rejects: &Rejects,
    ends: &[Offset],
) -> Result<Gathered, Box<dyn Error>> {
    let (mut records, mut done) = Gathered::default();
    for (partition, end) in (0..).map(Partition).zip(ends) {
        let at = TopicPartition { topic: topic.name().into(), partition };
        let start = log.bounds(std::slice::from_ref(&at)).await?[0].start;
        let wanted = rejects.get(&(topic, partition));
        scan::scan(log, Position { at, offset: start }, *end, |record| {
            if let Some(origin) = record.headers.get(ORIGIN) {
                done.insert(String::from_utf8_lossy(origin).into_owned());
            }
            if wanted.is_some_and(|offsets| offsets.contains(&record.offset)) {
                records.insert((partition, record.offset), owned(record));
            }
        })
        .await?;
    }
    Ok((records, done))
}

/// Where a record belongs, or why it can't be folded even there.
async fn decide(
    codec: &Codec,
    topic: Topic,
    record: &Record,
    partitions: u32,
) -> Result<Result<Partition, String>, Box<dyn Error>> {
    let Some(key) = &record.key else { return Ok(Err("it has no key".into())) };
    let to = partition_for(key, partitions);
    let Some(value) = &record.value else { return Ok(Ok(to)) };
    let decoded = match codec.decode(topic, value) {
        Err(DecodeError::UnknownSchema(id)) => {
            if let Err(error) = codec.learn(id).await {
                return Ok(Err(error.to_string()));
            }
            // The view may have been told just before that there is no such schema.
            tokio::time::sleep(ABSENT_FOR).await;
            codec.decode(topic, value)
        }
        decoded => decoded,
    };
    Ok(decoded.map(|_| to).map_err(|error| error.to_string()))
}

/// The record as it is published again: the same event, with a mark. An event without an id gets
/// one, so that the view takes it once even if two runs overlap.
fn anew(record: Record, to: TopicPartition, origin: &str) -> NewRecord {
    let id = format!("{}-rehomed-{origin}", to.topic);
    let mut pairs: Vec<(&str, &[u8])> = record.headers.iter().collect();
    if record.headers.get(EVENT_ID).is_none() {
        pairs.push((EVENT_ID, id.as_bytes()));
    }
    pairs.push((ORIGIN, origin.as_bytes()));
    let headers = Headers::from_pairs(pairs);
    let Record { timestamp_ms, key, value, .. } = record;
    NewRecord { to, timestamp_ms, key, value, headers }
}

/// A copy with memory of its own: a record read shares its batch's.
fn owned(record: Record) -> Record {
    let copy = |bytes: Bytes| Bytes::copy_from_slice(&bytes);
    Record {
        key: record.key.map(copy),
        value: record.value.map(copy),
        headers: Headers::from_block(copy(record.headers.as_block().clone())),
        ..record
    }
}
