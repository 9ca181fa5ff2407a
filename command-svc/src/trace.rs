//! The caller's trace, to be passed on with the event.
//!
//! Only what W3C Trace Context calls valid is passed on. Without a `traceparent` the event gets
//! none: this service records no spans, and an invented parent would lead nowhere.

use tonic::metadata::MetadataMap;

/// The header's name, on the wire and on the record.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// The caller's `traceparent`, if it is valid and the only one.
pub(crate) fn parent(metadata: &MetadataMap) -> Option<String> {
    let mut values = metadata.get_all(TRACEPARENT).iter();
    let (first, second) = (values.next()?, values.next());
    let text = first.to_str().ok().filter(|text| second.is_none() && is_valid(text))?;
    Some(text.to_owned())
}

/// `version-traceid-parentid-flags` in small hex digits. Later versions may add more parts, and
/// version ff is forbidden; an id of only zeros is no id.
fn is_valid(text: &str) -> bool {
    let mut parts = text.splitn(5, '-');
    let mut part = |digits: usize| {
        parts.next().filter(|p| p.len() == digits && p.bytes().all(is_small_hex_digit))
    };
    let (Some(version), Some(trace), Some(span), Some(_)) = (part(2), part(32), part(16), part(2))
    else {
        return false;
    };
    let some = |id: &str| id.bytes().any(|b| b != b'0');
    let more = parts.next().is_some();
    version != "ff" && some(trace) && some(span) && !(more && version == "00")
}

fn is_small_hex_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_valid() {
        assert!(is_valid(GOOD));
        assert!(is_valid("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-else"));
        let bad = [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ];
        for text in bad {
            assert!(!is_valid(text), "{text}");
        }
    }

    #[test]
    fn two_parents_are_none() {
        let mut metadata = MetadataMap::new();
        assert_eq!(parent(&metadata), None);
        metadata.append(TRACEPARENT, GOOD.parse().unwrap());
        assert_eq!(parent(&metadata).as_deref(), Some(GOOD));
        metadata.append(TRACEPARENT, GOOD.parse().unwrap());
        assert_eq!(parent(&metadata), None);
    }
}
