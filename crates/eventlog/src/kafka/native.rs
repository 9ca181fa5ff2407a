//! The two things that librdkafka has and its Rust binding lacks: reading many records with one
//! call, which takes half the time of reading them one by one, and topics' ids. The only unsafe
//! code in Tandem; what it lends out is owned by safe types, each with the reason why it holds.
#![allow(unsafe_code, reason = "there is no safe binding of these calls")]

use super::context::Context;
use rdkafka::{
    bindings as rd,
    client::Client,
    consumer::{BaseConsumer, Consumer},
    error::RDKafkaErrorCode,
    types::RDKafkaRespErr,
};
use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    ptr::{self, NonNull},
    slice,
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;

/// How many records one call takes at most; what it takes is in memory already.
const AT_ONCE: usize = 512;

/// What a cluster says of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    /// Its id, which no other making of a topic of that name has.
    pub(super) id: String,
    /// How many partitions it has.
    pub(super) partitions: u32,
    /// How many of them have no leader just now.
    pub(super) leaderless: u32,
    /// On how many brokers each partition is kept: the smallest number.
    pub(super) replicas: u32,
}

/// Asks what the topics of these names are like; `None` for one that is not there. Blocks for
/// `timeout` at most.
pub(super) fn describe(
    client: &Client<Context>,
    names: &[&str],
    timeout: Duration,
) -> Result<Vec<Option<Described>>, RDKafkaErrorCode> {
    let names: Vec<CString> =
        names.iter().map(|name| CString::new(*name).unwrap_or_default()).collect();
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let timeout_ms = millis(timeout);
    let rk = client.native_ptr();
    // SAFETY: `client` keeps `rk` alive during this call. What is made here is destroyed here, in
    // the order that librdkafka asks for; `pointers` and `names` outlive the collection's making,
    // which copies them. The answer is read before its event is destroyed.
    unsafe {
        let queue = rd::rd_kafka_queue_new(rk);
        let topics =
            rd::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let options = rd::rd_kafka_AdminOptions_new(
            rk,
            rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
        );
        rd::rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, ptr::null_mut(), 0);
        rd::rd_kafka_DescribeTopics(rk, topics, options, queue);
        // The request has its own timeout; a little more lets its error come.
        let event = rd::rd_kafka_queue_poll(queue, timeout_ms.saturating_add(500));
        let answer = if event.is_null() {
            Err(RDKafkaErrorCode::OperationTimedOut)
        } else {
            let answer = described(event);
            rd::rd_kafka_event_destroy(event);
            answer
        };
        rd::rd_kafka_AdminOptions_destroy(options);
        rd::rd_kafka_TopicCollection_destroy(topics);
        rd::rd_kafka_queue_destroy(queue);
        answer
    }
}

/// # Safety
/// `event` is a live event, an answer to DescribeTopics.
unsafe fn described(
    event: *mut rd::rd_kafka_event_t,
) -> Result<Vec<Option<Described>>, RDKafkaErrorCode> {
    // SAFETY: everything that is read belongs to the event, which lives; counts are librdkafka's.
    unsafe {
        let error = rd::rd_kafka_event_error(event);
        if error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(error.into());
        }
        let result = rd::rd_kafka_event_DescribeTopics_result(event);
        let mut count = 0;
        let topics = rd::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        (0..count).map(|n| described_topic(*topics.add(n))).collect()
    }
}

/// # Safety
/// `topic` belongs to a live answer.
unsafe fn described_topic(
    topic: *const rd::rd_kafka_TopicDescription_t,
) -> Result<Option<Described>, RDKafkaErrorCode> {
    // SAFETY: as above; the id's text is a buffer of its own, copied here.
    unsafe {
        match rd::rd_kafka_error_code(rd::rd_kafka_TopicDescription_error(topic)).into() {
            RDKafkaErrorCode::NoError => {}
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
                return Ok(None);
            }
            error => return Err(error),
        }
        let id = rd::rd_kafka_TopicDescription_topic_id(topic);
        let id = CStr::from_ptr(rd::rd_kafka_Uuid_base64str(id)).to_string_lossy().into_owned();
        let mut count = 0;
        let partitions = rd::rd_kafka_TopicDescription_partitions(topic, &raw mut count);
        let (mut leaderless, mut replicas) = (0, u32::MAX);
        for n in 0..count {
            let partition = *partitions.add(n);
            leaderless += u32::from(rd::rd_kafka_TopicPartitionInfo_leader(partition).is_null());
            let mut kept_on = 0;
            rd::rd_kafka_TopicPartitionInfo_replicas(partition, &raw mut kept_on);
            replicas = replicas.min(u32::try_from(kept_on).unwrap_or(u32::MAX));
        }
        let partitions = u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Some(Described { id, partitions, leaderless, replicas }))
    }
}

/// Fetches some partitions, in the background, each into a bounded queue of its own.
pub(super) struct Fetch {
    inputs: Vec<Source>,
    /// What the queues call when something has come; librdkafka holds a pointer to it.
    wake: Arc<Notify>,
    consumer: BaseConsumer<Context>,
}

/// A partition as librdkafka names it, and what was fetched of it.
struct Source {
    topic: NonNull<rd::rd_kafka_topic_t>,
    partition: i32,
    queue: NonNull<rd::rd_kafka_queue_t>,
}

// SAFETY: librdkafka's handles may be used from any thread, several at once, as its manual says;
// nothing here is changed after `start`.
unsafe impl Send for Fetch {}
// SAFETY: as above.
unsafe impl Sync for Fetch {}

unsafe extern "C" fn something_came(_: *mut rd::rd_kafka_t, wake: *mut c_void) {
    // SAFETY: `wake` is what the `Arc` of a `Fetch` holds, which takes this callback away from its
    // queues before it is dropped.
    let wake = unsafe { &*wake.cast::<Notify>() };
    wake.notify_one();
}

impl Fetch {
    /// Begins to fetch each partition, topic, number and offset, from its offset on. `wake` is
    /// told when something has come to an empty queue.
    pub(super) fn start(
        consumer: BaseConsumer<Context>,
        from: &[(&str, u32, u64)],
        wake: Arc<Notify>,
    ) -> Result<Self, RDKafkaErrorCode> {
        let mut fetch = Self { inputs: Vec::new(), wake, consumer };
        for (topic, partition, offset) in from {
            fetch.add(topic, *partition, *offset)?;
        }
        Ok(fetch)
    }

    fn add(&mut self, topic: &str, partition: u32, offset: u64) -> Result<(), RDKafkaErrorCode> {
        let invalid = RDKafkaErrorCode::InvalidArgument;
        let name = CString::new(topic).map_err(|_| invalid)?;
        let partition = i32::try_from(partition).map_err(|_| invalid)?;
        let offset = i64::try_from(offset).map_err(|_| invalid)?;
        let rk = self.consumer.client().native_ptr();
        // SAFETY: `rk` lives as long as the consumer, which this value owns and drops last. The
        // handles are released in `drop`, which is where a failure leaves them to, and so is
        // the callback.
        unsafe {
            let topic = rd::rd_kafka_topic_new(rk, name.as_ptr(), ptr::null_mut());
            let topic = NonNull::new(topic).ok_or_else(last_error)?;
            let Some(queue) = NonNull::new(rd::rd_kafka_queue_new(rk)) else {
                rd::rd_kafka_topic_destroy(topic.as_ptr());
                return Err(RDKafkaErrorCode::CriticalSystemResource);
            };
            rd::rd_kafka_queue_cb_event_enable(
                queue.as_ptr(),
                Some(something_came),
                Arc::as_ptr(&self.wake).cast_mut().cast(),
            );
            self.inputs.push(Source { topic, partition, queue });
            let queue = queue.as_ptr();
            if rd::rd_kafka_consume_start_queue(topic.as_ptr(), partition, offset, queue) != 0 {
                return Err(last_error());
            }
        }
        Ok(())
    }

    /// Takes what has come of an input, without waiting: how many.
    pub(super) fn take(&self, input: usize, into: &mut impl Extend<Message>) -> usize {
        let mut taken = [ptr::null_mut(); AT_ONCE];
        let queue = self.inputs[input].queue.as_ptr();
        // SAFETY: the queue lives, and the array has room for as many as are asked for. Each
        // message taken is this caller's own.
        let count =
            unsafe { rd::rd_kafka_consume_batch_queue(queue, 0, taken.as_mut_ptr(), AT_ONCE) };
        let count = usize::try_from(count).unwrap_or(0);
        into.extend(taken[..count].iter().filter_map(|m| NonNull::new(*m)).map(Message));
        count
    }

    /// Lets librdkafka say what it has to say; see [`Context`].
    pub(super) fn listen(&self) {
        // Each turn takes one event; they are few, and the next call takes what is left.
        for _ in 0..8 {
            if self.consumer.poll(Duration::ZERO).is_none() {
                break;
            }
        }
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        // SAFETY: each handle is released once, and not used after.
        unsafe {
            for Source { topic, partition, queue } in &self.inputs {
                rd::rd_kafka_queue_cb_event_enable(queue.as_ptr(), None, ptr::null_mut());
                rd::rd_kafka_consume_stop(topic.as_ptr(), *partition);
                rd::rd_kafka_queue_destroy(queue.as_ptr());
                rd::rd_kafka_topic_destroy(topic.as_ptr());
            }
        }
    }
}

/// A record, or an event in its place, as librdkafka holds it.
pub(super) struct Message(NonNull<rd::rd_kafka_message_t>);

// SAFETY: a message belongs to whoever took it from the queue, and may be read and destroyed on
// any thread.
unsafe impl Send for Message {}
// SAFETY: reading its parts changes nothing but for headers, which are parsed on first use:
// `Message::headers` takes `&mut self`.
unsafe impl Sync for Message {}

impl Message {
    fn raw(&self) -> &rd::rd_kafka_message_t {
        // SAFETY: it lives until it is dropped.
        unsafe { self.0.as_ref() }
    }

    /// What it says instead of being a record.
    pub(super) fn event(&self) -> Option<RDKafkaErrorCode> {
        let error = self.raw().err;
        (error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| error.into())
    }

    /// Whether it is an event that stops the reader.
    pub(super) fn is_error(&self) -> bool {
        self.event().is_some_and(|event| event != RDKafkaErrorCode::PartitionEOF)
    }

    /// Where the record lies; of the event "end of partition", where that is.
    pub(super) fn offset(&self) -> u64 {
        self.raw().offset.try_into().unwrap_or(0)
    }

    pub(super) fn key(&self) -> Option<&[u8]> {
        // SAFETY: the key's bytes belong to the message.
        unsafe { bytes(self.raw().key, self.raw().key_len) }
    }

    pub(super) fn value(&self) -> Option<&[u8]> {
        // SAFETY: the value's bytes belong to the message.
        unsafe { bytes(self.raw().payload, self.raw().len) }
    }

    /// Milliseconds since the Unix epoch; 0 where the record has none.
    pub(super) fn timestamp_ms(&self) -> i64 {
        let mut kind = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message lives; `kind` is written to.
        unsafe { rd::rd_kafka_message_timestamp(self.0.as_ptr(), &raw mut kind) }.max(0)
    }

    /// Shows each header, name and value, in order.
    pub(super) fn headers(&mut self, mut show: impl FnMut(&[u8], &[u8])) {
        let mut headers = ptr::null_mut();
        // SAFETY: the headers, their names and values belong to the message, which nobody else
        // uses meanwhile.
        unsafe {
            let found = rd::rd_kafka_message_headers(self.0.as_ptr(), &raw mut headers);
            if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                return;
            }
            for n in 0.. {
                let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
                let found = rd::rd_kafka_header_get_all(
                    headers,
                    n,
                    &raw mut name,
                    &raw mut value,
                    &raw mut length,
                );
                if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                    return;
                }
                show(CStr::from_ptr(name).to_bytes(), bytes(value, length).unwrap_or_default());
            }
        }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: it is destroyed once.
        unsafe { rd::rd_kafka_message_destroy(self.0.as_ptr()) }
    }
}

/// # Safety
/// `start` is null or begins `length` bytes that live as long as `'a`.
unsafe fn bytes<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: as said above.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast(), length) })
}

fn last_error() -> RDKafkaErrorCode {
    // SAFETY: it reads a number of this thread's own.
    unsafe { rd::rd_kafka_last_error() }.into()
}

fn millis(duration: Duration) -> c_int {
    c_int::try_from(duration.as_millis()).unwrap_or(c_int::MAX)
}
