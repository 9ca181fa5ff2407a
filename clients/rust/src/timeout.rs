//! Reads a call's own deadline, which `Request::set_timeout` writes as a header.

use std::time::Duration;
use tonic::metadata::MetadataMap;

const HEADER: &str = "grpc-timeout";

/// Takes the timeout out of a request's metadata: each try is given what is left of it.
pub(crate) fn taken_timeout(metadata: &mut MetadataMap) -> Option<Duration> {
    if metadata.is_empty() {
        return None;
    }
    let header = metadata.remove(HEADER)?;
    let text = header.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "n" => Some(Duration::from_nanos(number)),
        "u" => Some(Duration::from_micros(number)),
        "m" => Some(Duration::from_millis(number)),
        "S" => Some(Duration::from_secs(number)),
        "M" => number.checked_mul(60).map(Duration::from_secs),
        "H" => number.checked_mul(3_600).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tonic_writes_is_read() {
        let lengths = [0, 1, 999, 100_000, 300_000_000, 10_000_000_000, 86_400_000_000_000];
        for length in lengths.map(Duration::from_nanos) {
            let mut request = tonic::Request::new(());
            request.set_timeout(length);
            assert_eq!(taken_timeout(request.metadata_mut()), Some(length));
            assert_eq!(taken_timeout(request.metadata_mut()), None);
        }
        for text in ["", "S", "1x", "-1S", "1"] {
            let mut metadata = MetadataMap::new();
            metadata.insert(HEADER, text.parse().unwrap());
            assert_eq!(taken_timeout(&mut metadata), None, "{text}");
        }
    }
}
