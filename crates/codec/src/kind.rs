//! The kinds of record that events are written as, each with its schema.

use apache_avro::{Schema, reader::datum::GenericDatumReader, writer::datum::GenericDatumWriter};
use std::sync::LazyLock;
use tandem_domain::{CustomerEvent, Event, OrderEvent, Topic};

/// The namespace of all our schemas.
const NAMESPACE: &str = "tandem.v1";

/// What kind of record: one for each `schemas/*.avsc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    CustomerRegistered,
    CustomerUpdated,
    CustomerRemoved,
    OrderPlaced,
    OrderUpdated,
    OrderCancelled,
    GreetingSent,
}

impl Kind {
    /// All of them, each at the index `kind as usize`.
    pub(crate) const ALL: [Kind; 7] = [
        Kind::CustomerRegistered,
        Kind::CustomerUpdated,
        Kind::CustomerRemoved,
        Kind::OrderPlaced,
        Kind::OrderUpdated,
        Kind::OrderCancelled,
        Kind::GreetingSent,
    ];

    pub(crate) const fn of(event: &Event) -> Kind {
        match event {
            Event::Customer(CustomerEvent::Registered(_)) => Kind::CustomerRegistered,
            Event::Customer(CustomerEvent::Updated(_)) => Kind::CustomerUpdated,
            Event::Customer(CustomerEvent::Removed(_)) => Kind::CustomerRemoved,
            Event::Order(OrderEvent::Placed(_)) => Kind::OrderPlaced,
            Event::Order(OrderEvent::Updated(_)) => Kind::OrderUpdated,
            Event::Order(OrderEvent::Cancelled { .. }) => Kind::OrderCancelled,
            Event::Greeting(_) => Kind::GreetingSent,
        }
    }

    /// The record's name without its namespace.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Kind::CustomerRegistered => "CustomerRegistered",
            Kind::CustomerUpdated => "CustomerUpdated",
            Kind::CustomerRemoved => "CustomerRemoved",
            Kind::OrderPlaced => "OrderPlaced",
            Kind::OrderUpdated => "OrderUpdated",
            Kind::OrderCancelled => "OrderCancelled",
            Kind::GreetingSent => "GreetingSent",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The topic that such records belong on.
    pub(crate) const fn topic(self) -> Topic {
        match self {
            Kind::CustomerRegistered | Kind::CustomerUpdated | Kind::CustomerRemoved => {
                Topic::Customer
            }
            Kind::OrderPlaced | Kind::OrderUpdated | Kind::OrderCancelled => Topic::Order,
            Kind::GreetingSent => Topic::Greetings,
        }
    }

    /// The schema's text, as it is registered.
    pub(crate) const fn schema_text(self) -> &'static str {
        match self {
            Kind::CustomerRegistered => include_str!("../schemas/CustomerRegistered.avsc"),
            Kind::CustomerUpdated => include_str!("../schemas/CustomerUpdated.avsc"),
            Kind::CustomerRemoved => include_str!("../schemas/CustomerRemoved.avsc"),
            Kind::OrderPlaced => include_str!("../schemas/OrderPlaced.avsc"),
            Kind::OrderUpdated => include_str!("../schemas/OrderUpdated.avsc"),
            Kind::OrderCancelled => include_str!("../schemas/OrderCancelled.avsc"),
            Kind::GreetingSent => include_str!("../schemas/GreetingSent.avsc"),
        }
    }

    pub(crate) fn full_name(self) -> String {
        format!("{NAMESPACE}.{}", self.name())
    }

    /// The registry subject, by Confluent's `TopicRecordNameStrategy`: several kinds of record
    /// share a topic, and each evolves by itself.
    pub(crate) fn subject(self) -> String {
        format!("{}-{}", self.topic().name(), self.full_name())
    }

    pub(crate) fn schema(self) -> &'static Schema {
        &SCHEMAS[self as usize]
    }

    /// Reads what was written with exactly our schema.
    pub(crate) fn reader(self) -> &'static GenericDatumReader<'static> {
        &READERS[self as usize]
    }

    pub(crate) fn writer(self) -> &'static GenericDatumWriter<'static> {
        &WRITERS[self as usize]
    }
}

const OURS: &str = "our own schemas are sound, which a test checks";

#[expect(clippy::expect_used, reason = "the schemas are constants; a test parses them all")]
static SCHEMAS: LazyLock<[Schema; 7]> =
    LazyLock::new(|| Kind::ALL.map(|kind| Schema::parse_str(kind.schema_text()).expect(OURS)));

#[expect(clippy::expect_used, reason = "as for SCHEMAS")]
static READERS: LazyLock<[GenericDatumReader<'static>; 7]> = LazyLock::new(|| {
    Kind::ALL.map(|kind| GenericDatumReader::builder(kind.schema()).build().expect(OURS))
});

#[expect(clippy::expect_used, reason = "as for SCHEMAS")]
static WRITERS: LazyLock<[GenericDatumWriter<'static>; 7]> = LazyLock::new(|| {
    Kind::ALL.map(|kind| GenericDatumWriter::builder(kind.schema()).build().expect(OURS))
});

#[cfg(test)]
mod tests {
    use super::*;
    use apache_avro::schema::RecordSchema;

    /// No aliases, because apache-avro's serde reader would not look at them.
    #[test]
    fn schemas_are_sound_documented_and_named() {
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
            let Schema::Record(RecordSchema { name, doc, fields, aliases, .. }) = kind.schema()
            else {
                panic!("{kind:?} is not a record");
            };
            assert_eq!(name.fullname(None), kind.full_name());
            assert!(doc.is_some() && aliases.is_none());
            for field in fields {
                assert!(field.doc.is_some(), "{kind:?}.{}", field.name);
                assert!(field.aliases.is_empty(), "{kind:?}.{}", field.name);
            }
            let _ = (kind.reader(), kind.writer());
        }
    }

    #[test]
    fn subjects() {
        assert_eq!(Kind::CustomerRegistered.subject(), "customer-tandem.v1.CustomerRegistered");
        assert_eq!(Kind::GreetingSent.subject(), "greetings-tandem.v1.GreetingSent");
    }
}
