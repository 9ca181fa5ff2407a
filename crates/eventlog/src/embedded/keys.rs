//! How topics and records lie in the store: one key space, sorted so that a partition is one run.
//!
//! - `0, topic name` holds what a topic is like.
//! - `1, topic number, partition, offset` holds a record; numbers are big endian, so that the
//!   store's byte order is the order of offsets.

use crate::{Offset, Partition};

const TOPICS: u8 = 0;
const RECORDS: u8 = 1;
const OFFSET_AT: usize = 9;

/// The key of a record.
pub(super) type Key = [u8; 17];

/// The first key of all topics.
pub(super) const FIRST_TOPIC: [u8; 1] = [TOPICS];
/// The first key after all topics.
pub(super) const AFTER_TOPICS: [u8; 1] = [RECORDS];

/// The key of the topic of that name.
pub(super) fn topic(name: &str) -> Vec<u8> {
    [&[TOPICS], name.as_bytes()].concat()
}

/// The name in a topic's key.
pub(super) fn topic_name(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(&FIRST_TOPIC)?).ok()
}

/// The run of keys of one partition. A topic goes by its number here, which keeps keys short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    pub(super) topic: u32,
    pub(super) partition: Partition,
}

impl Lane {
    /// The key of the record at `offset`.
    pub(super) fn key(self, offset: Offset) -> Key {
        let mut key = Key::default();
        key[0] = RECORDS;
        key[1..5].copy_from_slice(&self.topic.to_be_bytes());
        key[5..OFFSET_AT].copy_from_slice(&self.partition.0.to_be_bytes());
        key[OFFSET_AT..].copy_from_slice(&offset.0.to_be_bytes());
        key
    }

    /// A key past every record of the partition: an offset that is never reached.
    pub(super) fn after(self) -> Key {
        self.key(Offset(u64::MAX))
    }

    /// The offset in `key`, if it is the key of one of this partition's records.
    pub(super) fn offset(self, key: &[u8]) -> Option<Offset> {
        let (lane, offset) = key.split_at_checked(OFFSET_AT)?;
        let offset = Offset(u64::from_be_bytes(offset.try_into().ok()?));
        (lane == &self.key(offset)[..OFFSET_AT]).then_some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_is_the_order_of_offsets_within_a_partition() {
        let lane = |topic, partition| Lane { topic, partition: Partition(partition) };
        let sorted = [
            topic("zz"),
            lane(0, 0).key(Offset(0)).into(),
            lane(0, 0).key(Offset(255)).into(),
            lane(0, 0).key(Offset(256)).into(),
            lane(0, 0).after().into(),
            lane(0, 1).key(Offset(0)).into(),
            lane(1, 0).key(Offset(0)).into(),
        ];
        assert!(sorted.is_sorted());
    }

    #[test]
    fn a_key_gives_its_offset_in_its_own_partition_only() {
        let lane = Lane { topic: 3, partition: Partition(1) };
        assert_eq!(lane.offset(&lane.key(Offset(77))), Some(Offset(77)));
        assert_eq!(Lane { topic: 2, ..lane }.offset(&lane.key(Offset(77))), None);
        assert_eq!(lane.offset(b"short"), None);
        assert_eq!(topic_name(&topic("order")), Some("order"));
    }
}
