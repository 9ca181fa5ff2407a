//! What a shard knows beside its rows: where it came from and how far it got. It is one small
//! row, written in the same batch as the rows it speaks of.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tandem_domain::Topic;
use tandem_eventlog::{Bounds, Offset, Partition, Position, TopicId, TopicName, TopicPartition};

use crate::Failure;

/// How long an event id is remembered, in record time.
pub(crate) const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1000;

/// A shard's state beside its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Which shard, of how many: both decide which keys belong here.
    pub(crate) shard: u32,
    pub(crate) shards: u32,
    /// One for each of [`Topic::ALL`], in that order.
    pub(crate) inputs: Vec<Input>,
    /// How many records were rejected, ever.
    pub(crate) rejects: u64,
}

/// One input partition: the shard's own of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Input {
    /// Which making of the topic was read.
    pub(crate) topic_id: Arc<str>,
    /// The next offset to fold.
    pub(crate) position: u64,
    /// The latest record time seen, which is the clock by which event ids are forgotten.
    pub(crate) clock_ms: i64,
}

impl State {
    /// A shard that has folded nothing yet.
    pub(crate) fn fresh(shard: Partition, shards: u32, log: &[Bounds]) -> Self {
        let inputs = log.iter().map(|b| Input {
            topic_id: b.topic_id.0.clone(),
            position: b.start.0,
            clock_ms: i64::MIN,
        });
        Self { shard: shard.0, shards, inputs: inputs.collect(), rejects: 0 }
    }

    /// Where to go on reading.
    pub(crate) fn positions(&self) -> Vec<Position> {
        let at = input_partitions(Partition(self.shard)).into_iter();
        at.zip(&self.inputs).map(|(at, i)| Position { at, offset: Offset(i.position) }).collect()
    }

    /// Checks the state against the log it is about to be continued from.
    ///
    /// # Errors
    /// [`Failure`] saying how they contradict and what the operator can do.
    pub(crate) fn check(
        &self,
        shard: Partition,
        shards: u32,
        log: &[Bounds],
    ) -> Result<(), Failure> {
        if (self.shard, self.shards) != (shard.0, shards) {
            return Err(Failure::OtherShards { was: self.shards, is: shards });
        }
        for ((input, bounds), topic) in self.inputs.iter().zip(log).zip(Topic::ALL) {
            let topic = topic.name();
            if input.topic_id != bounds.topic_id.0 {
                return Err(Failure::OtherLog {
                    topic,
                    was: TopicId(input.topic_id.clone()),
                    is: bounds.topic_id.clone(),
                });
            }
            if input.position > bounds.end.0 || input.position < bounds.start.0 {
                return Err(Failure::OffTheLog {
                    topic,
                    position: input.position,
                    start: bounds.start.0,
                    end: bounds.end.0,
                });
            }
        }
        Ok(())
    }
}

/// The partitions that a shard reads: its own of every topic, in the order of [`Topic::ALL`].
pub(crate) fn input_partitions(shard: Partition) -> Vec<TopicPartition> {
    Topic::ALL
        .map(|t| TopicPartition { topic: TopicName::from(t.name()), partition: shard })
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(id: &str, start: u64, end: u64) -> Bounds {
        Bounds { topic_id: TopicId(id.into()), start: Offset(start), end: Offset(end) }
    }

    #[test]
    fn contradictions_are_found() {
        let log = [bounds("c", 0, 5), bounds("o", 2, 5), bounds("g", 0, 0)];
        let state = State::fresh(Partition(1), 4, &log);
        assert_eq!(state.positions()[1].to_string(), "order[1]@2");
        let check = |log: &[Bounds]| state.check(Partition(1), 4, log);
        assert_eq!(check(&log), Ok(()));
        assert!(matches!(
            state.check(Partition(1), 8, &log),
            Err(Failure::OtherShards { was: 4, is: 8 })
        ));
        let made_again = [bounds("x", 0, 5), bounds("o", 2, 5), bounds("g", 0, 0)];
        assert!(matches!(check(&made_again), Err(Failure::OtherLog { topic: "customer", .. })));
        let shorter = [bounds("c", 0, 5), bounds("o", 0, 1), bounds("g", 0, 0)];
        assert!(matches!(check(&shorter), Err(Failure::OffTheLog { position: 2, end: 1, .. })));
        let cut = [bounds("c", 3, 5), bounds("o", 2, 5), bounds("g", 0, 0)];
        assert!(matches!(check(&cut), Err(Failure::OffTheLog { position: 0, start: 3, .. })));
    }
}
