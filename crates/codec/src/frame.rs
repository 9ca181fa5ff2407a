//! Confluent's wire format: a zero byte, the schema's id in four bytes (big endian), then Avro.

use crate::FrameFault;

const MAGIC: u8 = 0;

/// Starts a value; the Avro body goes behind.
pub(crate) fn start(id: u32, capacity: usize) -> Vec<u8> {
    let mut value = Vec::with_capacity(capacity);
    value.push(MAGIC);
    value.extend_from_slice(&id.to_be_bytes());
    value
}

/// The schema's id and the Avro body.
pub(crate) fn split(value: &[u8]) -> Result<(u32, &[u8]), FrameFault> {
    let short = || FrameFault::TooShort(value.len());
    let (magic, rest) = value.split_first().ok_or_else(short)?;
    if *magic != MAGIC {
        return Err(FrameFault::Magic(*magic));
    }
    let (id, body) = rest.split_first_chunk().ok_or_else(short)?;
    Ok((u32::from_be_bytes(*id), body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_what_it_starts() {
        let mut value = start(0x0102_0304, 16);
        value.push(9);
        assert_eq!(value, [0, 1, 2, 3, 4, 9]);
        assert_eq!(split(&value), Ok((0x0102_0304, &[9][..])));
        assert_eq!(split(&value[..4]), Err(FrameFault::TooShort(4)));
        assert_eq!(split(&[]), Err(FrameFault::TooShort(0)));
        assert_eq!(split(&[b'{', 1, 2, 3, 4, 5]), Err(FrameFault::Magic(b'{')));
    }
}
