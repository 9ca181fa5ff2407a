//! What can go wrong, by who has to act.

use tandem_domain::{IdFault, TextFault, Topic};

/// Why bytes are not an event. All but [`DecodeError::UnknownSchema`] are final: whoever wrote
/// the record has to mend it, and the text says how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not in Confluent's wire format.
    #[error("not in Confluent's wire format (a zero byte, a schema id of four bytes, Avro): {0}")]
    NotFramed(FrameFault),
    /// The schema has not been learned yet. The caller calls `Codec::learn` and tries again.
    #[error("schema {0} is not known")]
    UnknownSchema(u32),
    /// The schema is known and no event can be read with it.
    #[error("nothing written with schema {id} can be read: {reason}")]
    UnusableSchema {
        /// The schema's id.
        id: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// A good record on the wrong topic.
    #[error("{record} does not belong on topic '{}', but on '{}'", .topic.name(), .belongs.name())]
    WrongTopic {
        /// The record's name.
        record: &'static str,
        /// Where it was found.
        topic: Topic,
        /// Where it belongs.
        belongs: Topic,
    },
    /// The Avro body is not what the schema says.
    #[error("{record} does not decode at byte {at} of {len}: {reason}")]
    Body {
        /// The record's name.
        record: &'static str,
        /// How many bytes of the body were taken.
        at: usize,
        /// The body's length.
        len: usize,
        /// What was found there.
        reason: String,
    },
    /// Bytes are left over after the record.
    #[error("{record} is followed by {extra} bytes that don't belong to it")]
    TrailingBytes {
        /// The record's name.
        record: &'static str,
        /// How many.
        extra: usize,
    },
    /// A field that can't be an id.
    #[error("{record}: {field} {fault}")]
    Id {
        /// The record's name.
        record: &'static str,
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        fault: IdFault,
    },
    /// A field that can't be a text.
    #[error("{record}: {field} {fault}")]
    Text {
        /// The record's name.
        record: &'static str,
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        fault: TextFault,
    },
}

/// Why bytes are not in Confluent's wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// Not even room for the schema id.
    #[error("it has only {0} bytes")]
    TooShort(usize),
    /// The first byte is not zero.
    #[error("its first byte is {0:#04x}")]
    Magic(u8),
}

/// Why an event can't be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The writer schemas have no ids yet: `Codec::register_all` has not succeeded. Try again
    /// later.
    #[error("{0} has no schema id yet; the schema registry has not been reached")]
    NotRegistered(&'static str),
    /// The event doesn't fit its own schema: a fault in this program.
    #[error("{record} does not encode: {reason}")]
    Unencodable {
        /// The record's name.
        record: &'static str,
        /// What apache-avro said.
        reason: String,
    },
}

/// What the schema registry, or asking it, came to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It can't be reached, or what answers is not a registry. Trying again is safe and may
    /// help; if it goes on, the operator has to look at the address, the network, the password.
    #[error("the schema registry is not available: {0}")]
    Unavailable(String),
    /// The registry says that it has no schema with this id. Whoever wrote the record has to say
    /// where its schema is.
    #[error("the schema registry has no schema with id {0}")]
    Absent(u32),
    /// The registry has the schema, and no event can be read with it, now or later.
    #[error("nothing written with schema {id} can be read: {reason}")]
    Unusable {
        /// The schema's id.
        id: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// The registry refuses one of our schemas, mostly because the subject holds another one. The
    /// operator has to compare the two.
    #[error("the schema registry refuses our schema for subject '{subject}': {reason}")]
    Refused {
        /// The subject.
        subject: String,
        /// What the registry said.
        reason: String,
    },
    /// The settings can't work. The operator has to change them.
    #[error("the schema registry's settings can't be used: {0}")]
    Settings(String),
}

/// The longest reason that is passed on: rejects are kept, and a foreign schema may be long.
const MAX_REASON: usize = 500;

/// Another library's words, on one line and bounded.
pub(crate) fn reason(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(MAX_REASON) {
        Some((end, _)) => format!("{}...", &words[..end]),
        None => words,
    }
}
