//! An event's metadata as record headers: CloudEvents 1.0, binary mode for Kafka.

use crate::{render, trace::TRACEPARENT};
use tandem_domain::{Event, EventId, Millis};
use tandem_eventlog::Headers;

/// Before the event's name in `ce_type`. The whole is the full name of the event's Avro record,
/// and CloudEvents wants types prefixed, so that those of two systems can't be confused.
const TYPE_PREFIX: &str = "tandem.v1.";

/// Who made the event: all instances are one source, because a retry that meets another instance
/// has to yield the same event, and CloudEvents tells events apart by source and id together.
const SOURCE: &str = "tandem/command-svc";

/// The value is Avro behind Confluent's five bytes; plain `application/avro` would promise bytes
/// that an Avro reader can read from the first one on.
const CONTENT_TYPE: &str = "application/vnd.confluent.avro";

/// The headers of `event`'s record.
pub(crate) fn headers(
    event: &Event,
    id: &EventId,
    time: Millis,
    traceparent: Option<&str>,
) -> Headers {
    let ce_type = format!("{TYPE_PREFIX}{}", event.type_name());
    let ce_time = render::timestamp(time).to_string();
    let pairs = [
        ("ce_specversion", "1.0"),
        ("ce_id", id.as_str()),
        ("ce_type", &*ce_type),
        ("ce_source", SOURCE),
        ("ce_time", &*ce_time),
        ("content-type", CONTENT_TYPE),
    ];
    let trace = traceparent.map(|parent| (TRACEPARENT, parent));
    Headers::from_pairs(pairs.into_iter().chain(trace).map(|(name, v)| (name, v.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_domain::{CustomerEvent, CustomerId};

    #[test]
    fn headers_of_an_event() {
        let event = Event::Customer(CustomerEvent::Removed(CustomerId::new("c").unwrap()));
        let id = EventId::new("e").unwrap();
        let headers = headers(&event, &id, Millis(1_700_000_000_123), Some("00-x"));
        let pairs: Vec<_> =
            headers.iter().map(|(n, v)| (n, std::str::from_utf8(v).unwrap())).collect();
        assert_eq!(
            pairs,
            [
                ("ce_specversion", "1.0"),
                ("ce_id", "e"),
                ("ce_type", "tandem.v1.CustomerRemoved"),
                ("ce_source", "tandem/command-svc"),
                ("ce_time", "2023-11-14T22:13:20.123Z"),
                ("content-type", "application/vnd.confluent.avro"),
                ("traceparent", "00-x"),
            ]
        );
    }
}
