//! Record headers in one block of bytes, so that a record read is not five small allocations.

use bytes::{BufMut, Bytes, BytesMut};

/// Headers of a record, in order; names may repeat. Kept encoded: for each header the length of
/// its name (u16, little endian), the name, the length of its value (u32), the value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Bytes);

impl Headers {
    /// Encodes `pairs` in their order. A name is cut off at 65,535 bytes, Kafka's own bound.
    #[must_use]
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut block = BytesMut::new();
        for (name, value) in pairs {
            Self::put(&mut block, name.as_bytes(), value);
        }
        Self(block.freeze())
    }

    /// Puts one header behind those that `block` holds.
    pub(crate) fn put(block: &mut BytesMut, name: &[u8], value: &[u8]) {
        let name = &name[..name.len().min(usize::from(u16::MAX))];
        #[allow(clippy::cast_possible_truncation)] // bounded above; values by record size
        {
            block.put_u16_le(name.len() as u16);
            block.put_slice(name);
            block.put_u32_le(value.len() as u32);
        }
        block.put_slice(value);
    }

    /// Takes a block that [`Self::as_block`] gave. A block that is cut short ends early.
    #[must_use]
    pub fn from_block(block: Bytes) -> Self {
        Self(block)
    }

    /// The encoded block, for an adapter to store as it is.
    #[must_use]
    pub fn as_block(&self) -> &Bytes {
        &self.0
    }

    /// Each header in order. A name that is not UTF-8 is passed over.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut rest: &[u8] = &self.0;
        std::iter::from_fn(move || {
            let name = take(&mut rest, |r| {
                r.split_first_chunk().map(|(n, r)| (u16::from_le_bytes(*n).into(), r))
            })?;
            let value = take(&mut rest, |r| {
                r.split_first_chunk().map(|(n, r)| (u32::from_le_bytes(*n) as usize, r))
            })?;
            Some((name, value))
        })
        .filter_map(|(name, value)| Some((std::str::from_utf8(name).ok()?, value)))
    }

    /// The value of the last header of that name, which is the one that counts in Kafka.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().filter(|(n, _)| *n == name).last().map(|(_, value)| value)
    }
}

fn take<'a>(
    rest: &mut &'a [u8],
    length: impl Fn(&'a [u8]) -> Option<(usize, &'a [u8])>,
) -> Option<&'a [u8]> {
    let (n, after) = length(rest)?;
    let (taken, after) = after.split_at_checked(n)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_last_wins() {
        let h = Headers::from_pairs([("a", &b"1"[..]), ("b", b""), ("a", b"2")]);
        let all: Vec<_> = h.iter().collect();
        assert_eq!(all, [("a", &b"1"[..]), ("b", b""), ("a", b"2")]);
        assert_eq!(h.get("a"), Some(&b"2"[..]));
        assert_eq!(h.get("c"), None);
    }

    #[test]
    fn a_cut_block_ends_early() {
        let block = Headers::from_pairs([("a", &b"1"[..]), ("bb", b"22")]).as_block().clone();
        for n in 0..block.len() {
            assert!(Headers::from_block(block.slice(..n)).iter().count() < 2);
        }
    }
}
