//! Reads partitions in order: what librdkafka has fetched, in batches of bounded size, once it is
//! sure that it is of the topics that were asked for.

use super::{
    context::Context,
    native::{Fetch, Message},
    refused,
    watch::{Following, Watch},
};
use crate::{Batch, Headers, LogError, Offset, Position, Reader, Record, TopicId, TopicPartition};
use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use rdkafka::error::RDKafkaErrorCode;
use std::{collections::VecDeque, ops::Range, sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// A batch is bounded so that folding one stays a short piece of work; the port names it.
const BATCH_BYTES: usize = 1 << 20;

/// One partition of a reader.
pub(super) struct Input {
    pub(super) at: TopicPartition,
    pub(super) topic_id: TopicId,
    pub(super) next: Offset,
    pub(super) start: Offset,
    pub(super) end: Offset,
}

pub(super) struct KafkaReader {
    inputs: Vec<Input>,
    /// Which input comes first in the next batch.
    turn: usize,
    /// What waits to be confirmed, and when it had come.
    waiting: Option<(Result<Batch, LogError>, Instant)>,
    /// Dropped together and elsewhere, as that takes a while.
    fetching: Option<Fetching>,
    /// Told when something has come to an empty queue.
    more: Arc<Notify>,
    following: Following,
    watch: Arc<Watch>,
    context: Context,
}

/// What is fetched, and what was taken of it but had no room in a batch. Messages go before what
/// they came from.
struct Fetching {
    /// By input.
    held: Vec<VecDeque<Message>>,
    fetch: Fetch,
}

impl KafkaReader {
    pub(super) fn new(
        inputs: Vec<Input>,
        fetch: Fetch,
        more: Arc<Notify>,
        watch: Arc<Watch>,
        context: Context,
    ) -> Self {
        let ends: Vec<Offset> = inputs.iter().map(|input| input.end).collect();
        let following = watch.follow(inputs.iter().map(|i| i.at.clone()).collect(), &ends);
        let held = inputs.iter().map(|_| VecDeque::new()).collect();
        let fetching = Some(Fetching { held, fetch });
        Self { inputs, turn: 0, waiting: None, fetching, more, following, watch, context }
    }

    /// Waits until there is something that may be given out. Cancel safe: what came is kept. A
    /// fault is confirmed too: a topic that was made again may first show as an offset that isn't
    /// there.
    async fn some(&mut self) {
        loop {
            if let Some((_, came)) = &self.waiting {
                let came = *came;
                return self.watch.confirmed_since(came).await;
            }
            self.waiting = self.take().transpose().map(|came| (came, Instant::now()));
            if self.waiting.is_none() {
                self.more.notified().await;
            }
        }
    }

    /// Makes a batch of what has come; `None` if that is nothing. What room there is gets shared
    /// among the inputs that have something, beginning with another one each time, so that a
    /// backlog in one can't shut out others.
    fn take(&mut self) -> Result<Option<Batch>, LogError> {
        let Some(Fetching { held, fetch }) = &mut self.fetching else { return Ok(None) };
        let mut next: Vec<Offset> = self.inputs.iter().map(|input| input.next).collect();
        let mut build = Build::default();
        let count = self.inputs.len();
        let in_turn = (0..count).map(|n| (self.turn + n) % count);
        let has_some = |n: &usize| !held[*n].is_empty() || fetch.take(*n, &mut held[*n]) > 0;
        let some: Vec<usize> = in_turn.filter(has_some).collect();
        for (done, &n) in some.iter().enumerate() {
            let room = BATCH_BYTES.saturating_sub(build.bytes.len());
            build.limit = build.bytes.len() + room / (some.len() - done);
            while let Some(mut message) = held[n].pop_front() {
                let is_record = message.event().is_none();
                // What was gathered goes before an error, which would lose it.
                if (is_record && !build.has_room_for(&message))
                    || (message.is_error() && has_moved(&self.inputs, &next))
                {
                    held[n].push_front(message);
                    break;
                }
                let offset = Offset(message.offset());
                if !is_record {
                    ended(&message, &mut next[n], &self.inputs[n], &self.context)?;
                } else if offset >= next[n] {
                    next[n] = offset.next();
                    build.push(n, offset, &mut message);
                }
                if held[n].is_empty() {
                    fetch.take(n, &mut held[n]);
                }
            }
        }
        self.turn = (self.turn + 1) % count.max(1);
        if !has_moved(&self.inputs, &next) {
            return Ok(None);
        }
        let records = build.finish();
        Ok(Some(Batch { records, next, ends: Vec::new(), ends_at: Instant::now() }))
    }

    /// Gives out what was confirmed, or that nothing has changed.
    fn give(&mut self, came: Option<Result<Batch, LogError>>) -> Result<Batch, LogError> {
        for Input { at, topic_id, .. } in &self.inputs {
            if self.watch.topic(&at.topic)?.is_some_and(|(id, _)| id != *topic_id) {
                return Err(refused::made_again(&at.topic));
            }
        }
        let (records, next) = match came.transpose()? {
            Some(batch) => (batch.records, batch.next),
            None => (Vec::new(), self.inputs.iter().map(|input| input.next).collect()),
        };
        let (ends, ends_at) = self.following.ends();
        for (n, input) in self.inputs.iter_mut().enumerate() {
            input.next = next[n];
            input.end = input.end.max(ends.get(n).copied().unwrap_or_default()).max(next[n]);
        }
        let ends = self.inputs.iter().map(|input| input.end).collect();
        Ok(Batch { records, next, ends, ends_at: ends_at.unwrap_or_else(Instant::now) })
    }
}

#[async_trait]
impl Reader for KafkaReader {
    async fn next(&mut self, max_wait: Duration) -> Result<Batch, LogError> {
        if let Some(fetching) = &self.fetching {
            fetching.fetch.listen();
        }
        // A wait without end is one of a year.
        let until = Instant::now() + max_wait.min(Duration::from_secs(31_536_000));
        let came = match timeout_at(until, self.some()).await {
            Ok(()) => self.waiting.take().map(|(came, _)| came),
            Err(_) => None,
        };
        self.give(came)
    }
}

impl Drop for KafkaReader {
    fn drop(&mut self) {
        // Ending a client joins its threads, which is nothing for a thread that serves others.
        let fetching = self.fetching.take();
        let _ = std::thread::Builder::new().name("kafka-close".into()).spawn(|| drop(fetching));
    }
}

fn has_moved(inputs: &[Input], next: &[Offset]) -> bool {
    inputs.iter().zip(next).any(|(input, next)| input.next < *next)
}

/// What came in place of a record.
fn ended(
    message: &Message,
    next: &mut Offset,
    input: &Input,
    context: &Context,
) -> Result<(), LogError> {
    let Some(event) = message.event() else { return Ok(()) };
    match event {
        // The end may lie behind marks of transactions, which are no records.
        RDKafkaErrorCode::PartitionEOF => *next = (*next).max(Offset(message.offset())),
        RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => {
            let position = Position { at: input.at.clone(), offset: *next };
            return Err(LogError::OutOfRange { position, start: input.start, end: input.end });
        }
        // What is missing is looked after by the watch.
        RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownTopic
        | RDKafkaErrorCode::UnknownPartition => {}
        // librdkafka goes on behind what it can't read, and a view must not.
        other => return Err(refused::unreadable(context, &input.at, message.offset(), other)),
    }
    Ok(())
}

/// A batch as it is built: all bytes in one piece of memory, which its records then share.
#[derive(Default)]
struct Build {
    bytes: BytesMut,
    /// How many bytes it may have now.
    limit: usize,
    parts: Vec<Part>,
}

/// Where a record's bytes lie.
struct Part {
    input: usize,
    offset: Offset,
    timestamp_ms: i64,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
}

impl Build {
    /// The first record of all always has room.
    fn has_room_for(&self, message: &Message) -> bool {
        let length = |part: Option<&[u8]>| part.map_or(0, <[u8]>::len);
        let more = length(message.key()) + length(message.value());
        self.parts.is_empty() || self.bytes.len() + more <= self.limit
    }

    fn push(&mut self, input: usize, offset: Offset, message: &mut Message) {
        let key = message.key().map(|key| self.append(key));
        let value = message.value().map(|value| self.append(value));
        let start = self.bytes.len();
        message.headers(|name, value| Headers::put(&mut self.bytes, name, value));
        let headers = start..self.bytes.len();
        let timestamp_ms = message.timestamp_ms();
        self.parts.push(Part { input, offset, timestamp_ms, key, value, headers });
    }

    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.put_slice(bytes);
        start..self.bytes.len()
    }

    fn finish(self) -> Vec<Record> {
        let bytes: Bytes = self.bytes.freeze();
        let record = |part: Part| Record {
            input: part.input,
            offset: part.offset,
            timestamp_ms: part.timestamp_ms,
            key: part.key.map(|range| bytes.slice(range)),
            value: part.value.map(|range| bytes.slice(range)),
            headers: Headers::from_block(bytes.slice(part.headers)),
        };
        self.parts.into_iter().map(record).collect()
    }
}
