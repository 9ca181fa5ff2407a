//! What the log says no with, in words that tell the operator what to do.

use super::context::Context;
use crate::{LogError, TopicName, TopicPartition};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Who has to act on an error of librdkafka's.
pub(super) fn failed(context: &Context, what: &str, code: RDKafkaErrorCode) -> LogError {
    use RDKafkaErrorCode as Code;
    match code {
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed => LogError::Unsuitable(format!(
            "{what}: Kafka doesn't allow it ({code}): grant this user READ, WRITE, DESCRIBE and \
             DESCRIBE_CONFIGS on Tandem's topics (CREATE and ALTER_CONFIGS where they have to be \
             made) and READ on its group"
        )),
        _ => unavailable(context, &format!("{what}: {code}")),
    }
}

/// As [`failed`], of an error of the binding's.
pub(super) fn failed_call(context: &Context, what: &str, error: &KafkaError) -> LogError {
    match error.rdkafka_error_code() {
        Some(code) => failed(context, what, code),
        None => unavailable(context, &format!("{what}: {error}")),
    }
}

/// A partition that can't be read on.
pub(super) fn unreadable(
    context: &Context,
    at: &TopicPartition,
    offset: u64,
    code: RDKafkaErrorCode,
) -> LogError {
    match failed(context, &at.to_string(), code) {
        LogError::Unavailable(why) => LogError::Unsuitable(format!(
            "{at} can't be read on at offset {offset} ({why}): if it is damaged, restore the \
             partition from another replica; then start again"
        )),
        refused => refused,
    }
}

pub(super) fn unavailable(context: &Context, what: &str) -> LogError {
    LogError::Unavailable(context.explain(what))
}

pub(super) fn no_topic(name: &TopicName) -> LogError {
    LogError::Unsuitable(format!(
        "topic {name} is not there: start the services, which make it, or name another cluster"
    ))
}

pub(super) fn no_partition(at: &TopicPartition, partitions: u32) -> LogError {
    LogError::Unsuitable(format!(
        "topic {} has no partition {}, it has {partitions}: give --shards {partitions}",
        at.topic, at.partition
    ))
}

pub(super) fn made_again(name: &TopicName) -> LogError {
    LogError::Unsuitable(format!(
        "topic {name} was deleted and made again while it was in use: what it held is gone. \
         Restore the topic from a backup, or, to begin anew with what it holds now, stop, remove \
         the view's folder, and start again"
    ))
}

pub(super) fn gone(name: &TopicName) -> LogError {
    LogError::Unsuitable(format!(
        "topic {name} was deleted while it was in use: restore it from a backup and start again"
    ))
}
