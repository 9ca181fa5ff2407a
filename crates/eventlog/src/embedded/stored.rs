//! A record as bytes in the store: a fixed layout, so that reading one costs no parsing and its
//! parts are slices of the bytes that were read.
//!
//! One byte of flags, the timestamp (i64), the lengths of key and value (u32 each), then key,
//! value and the block of headers; numbers are little endian.

use crate::{Headers, NewRecord, Offset, Record};
use bytes::{Buf, Bytes};

const HAS_KEY: u8 = 1;
const HAS_VALUE: u8 = 2;
const FIXED: usize = 1 + 8 + 4 + 4;

/// The size of a record as its writer sees it: key, value and headers.
pub(super) fn size(record: &NewRecord) -> usize {
    let length = |part: &Option<Bytes>| part.as_ref().map_or(0, Bytes::len);
    length(&record.key) + length(&record.value) + record.headers.as_block().len()
}

/// Appends the stored form of `record` to `out`.
pub(super) fn encode(record: &NewRecord, out: &mut Vec<u8>) {
    let key = record.key.as_deref();
    let value = record.value.as_deref();
    out.push(key.map_or(0, |_| HAS_KEY) | value.map_or(0, |_| HAS_VALUE));
    out.extend_from_slice(&record.timestamp_ms.to_le_bytes());
    for part in [key, value] {
        // The limit on a record's size, checked before, is far below 4 GiB.
        #[allow(clippy::cast_possible_truncation)]
        let length = part.map_or(0, <[u8]>::len) as u32;
        out.extend_from_slice(&length.to_le_bytes());
    }
    out.extend_from_slice(key.unwrap_or_default());
    out.extend_from_slice(value.unwrap_or_default());
    out.extend_from_slice(record.headers.as_block());
}

/// The record in `stored`, its parts sharing those bytes. None when they are not a record that
/// this version knows.
pub(super) fn decode(mut stored: Bytes, input: usize, offset: Offset) -> Option<Record> {
    if stored.len() < FIXED {
        return None;
    }
    let flags = stored.get_u8();
    let timestamp_ms = stored.get_i64_le();
    let key_length = stored.get_u32_le() as usize;
    let value_length = stored.get_u32_le() as usize;
    let known = flags & !(HAS_KEY | HAS_VALUE) == 0;
    if !known || key_length.checked_add(value_length)? > stored.len() {
        return None;
    }
    let key = stored.split_to(key_length);
    let value = stored.split_to(value_length);
    Some(Record {
        input,
        offset,
        timestamp_ms,
        key: (flags & HAS_KEY != 0).then_some(key),
        value: (flags & HAS_VALUE != 0).then_some(value),
        headers: Headers::from_block(stored),
    })
}

/// The key and the timestamp in `stored`, and whether it is a tombstone.
pub(super) fn peek(stored: &[u8]) -> Option<(Option<&[u8]>, i64, bool)> {
    let (mut fixed, rest) = stored.split_at_checked(FIXED)?;
    let flags = fixed.get_u8();
    let timestamp_ms = fixed.get_i64_le();
    let key = rest.get(..fixed.get_u32_le() as usize)?;
    Some(((flags & HAS_KEY != 0).then_some(key), timestamp_ms, flags & HAS_VALUE == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Partition, TopicPartition};

    fn record(key: Option<&'static [u8]>, value: Option<&'static [u8]>) -> NewRecord {
        NewRecord {
            to: TopicPartition { topic: "t".into(), partition: Partition(0) },
            timestamp_ms: -5,
            key: key.map(Bytes::from_static),
            value: value.map(Bytes::from_static),
            headers: Headers::from_pairs([("a", &b"\0\xff"[..]), ("a", b"")]),
        }
    }

    #[test]
    fn round_trip_tells_none_from_empty() {
        for key in [None, Some(&b""[..]), Some(b"k")] {
            for value in [None, Some(&b""[..]), Some(b"v")] {
                let new = record(key, value);
                let mut stored = Vec::new();
                encode(&new, &mut stored);
                assert_eq!(peek(&stored), Some((key, -5, value.is_none())));
                let read = decode(stored.into(), 2, Offset(9)).unwrap();
                assert_eq!((read.input, read.offset, read.timestamp_ms), (2, Offset(9), -5));
                assert_eq!((read.key, read.value), (new.key, new.value));
                assert_eq!(read.headers, new.headers);
            }
        }
    }

    #[test]
    fn cut_or_unknown_bytes_are_refused() {
        let mut stored = Vec::new();
        encode(&record(Some(b"key"), Some(b"value")), &mut stored);
        for n in 0..FIXED + 8 {
            assert_eq!(decode(Bytes::copy_from_slice(&stored[..n]), 0, Offset(0)), None, "{n}");
        }
        stored[0] |= 4;
        assert_eq!(decode(stored.into(), 0, Offset(0)), None);
    }
}
