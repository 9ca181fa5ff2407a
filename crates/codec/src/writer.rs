//! What is known of a schema that somebody wrote records with.

use crate::{
    DecodeError,
    compatibility::{Partly, compare},
    error::reason,
    kind::Kind,
    wire,
};
use apache_avro::{Schema, reader::datum::GenericDatumReader, schema::RecordSchema};
use std::collections::HashMap;
use tandem_domain::Event;

/// The longest schema text that is looked at.
const MAX_SCHEMA_BYTES: usize = 1024 * 1024;

/// The largest schema, counted in types once every reference is spelled out. With
/// [`Size::least_bytes`] it bounds the work that hostile bytes can ask for.
const MAX_TYPES: usize = 1000;

/// A writer schema, judged once when it is learned.
pub(crate) enum Writer {
    /// Field for field our own: the reader stands ready.
    Ours(Kind),
    /// Another one that Avro's rules resolve into ours.
    Other(Kind, Schema),
    /// One that no event can be read with, and why.
    Unusable(String),
}

impl Writer {
    /// Judges a schema's text.
    pub(crate) fn judge(text: &str) -> Writer {
        Self::resolve(text).unwrap_or_else(|e| Writer::Unusable(reason(&e)))
    }

    fn resolve(text: &str) -> Result<Writer, String> {
        if text.len() > MAX_SCHEMA_BYTES {
            return Err(format!(
                "its text has {} bytes; {MAX_SCHEMA_BYTES} are allowed",
                text.len()
            ));
        }
        let schema = Schema::parse_str(text).map_err(|e| format!("it is not sound Avro: {e}"))?;
        let Schema::Record(record) = &schema else {
            return Err("it is not a record".to_owned());
        };
        let name = record.name.name();
        let kind = Kind::from_name(name)
            .ok_or_else(|| format!("its record {name} is none of the events that are known"))?;
        measure(&schema, &mut HashMap::new())?;
        if is_ours(kind, record) {
            return Ok(Writer::Ours(kind));
        }
        let mut reasons = Vec::new();
        compare("", kind.schema(), &schema, Partly::Taken, &mut reasons);
        check_times(kind, record, &mut reasons);
        if reasons.is_empty() { Ok(Writer::Other(kind, schema)) } else { Err(reasons.join("; ")) }
    }

    /// Decodes a body that was written with this schema, whose id is `id`.
    pub(crate) fn decode(
        &self,
        id: u32,
        topic: tandem_domain::Topic,
        body: &[u8],
    ) -> Result<Event, DecodeError> {
        let (kind, schema) = match self {
            Writer::Ours(kind) => (*kind, None),
            Writer::Other(kind, schema) => (*kind, Some(schema)),
            Writer::Unusable(reason) => {
                return Err(DecodeError::UnusableSchema { id, reason: reason.clone() });
            }
        };
        if kind.topic() != topic {
            let belongs = kind.topic();
            return Err(DecodeError::WrongTopic { record: kind.name(), topic, belongs });
        }
        let Some(schema) = schema else { return wire::read(kind, kind.reader(), body) };
        // Building the reader costs some 200 ns, which only records of other producers pay.
        let reader = GenericDatumReader::builder(schema)
            .build()
            .map_err(|e| DecodeError::UnusableSchema { id, reason: reason(&e.to_string()) })?;
        wire::read(kind, &reader, body)
    }
}

/// The same fields in the same order with the same types. (Not by Avro's canonical form: that
/// takes microseconds for milliseconds, as it drops logical types.)
fn is_ours(kind: Kind, record: &RecordSchema) -> bool {
    let Schema::Record(ours) = kind.schema() else { return false };
    ours.fields.len() == record.fields.len()
        && ours.fields.iter().zip(&record.fields).all(|(a, b)| {
            a.name == b.name
                && matches!(
                    (&a.schema, &b.schema),
                    (Schema::String, Schema::String)
                        | (Schema::TimestampMillis, Schema::TimestampMillis | Schema::Long)
                )
        })
}

/// By Avro's rules a time in microseconds resolves into one in milliseconds, as the same number:
/// a thousand times too late, and nobody would notice. So only milliseconds are taken.
fn check_times(kind: Kind, writer: &RecordSchema, reasons: &mut Vec<String>) {
    let Schema::Record(ours) = kind.schema() else { return };
    for field in ours.fields.iter().filter(|f| matches!(f.schema, Schema::TimestampMillis)) {
        let Some(written) = writer.fields.iter().find(|w| w.name == field.name) else { continue };
        let branches = match &written.schema {
            Schema::Union(union) => union.variants(),
            schema => std::slice::from_ref(schema),
        };
        let other = |s: &&Schema| {
            !matches!(s, Schema::Null | Schema::Int | Schema::Long | Schema::TimestampMillis)
        };
        if branches.iter().any(|s| other(&s)) {
            reasons.push(format!("/{}: only timestamp-millis is taken here", field.name));
        }
    }
}

#[derive(Clone, Copy)]
struct Size {
    /// The fewest bytes that a value takes.
    least_bytes: usize,
    /// How many types there are, references spelled out.
    types: usize,
}

/// Refuses schemas by which a few bytes could ask for endless work when fields that we don't know
/// are skipped: recursion (as deep as the bytes say, which overflows the stack), collections of
/// items without bytes (as many as the bytes say), and schemas that are huge once spelled out.
fn measure(schema: &Schema, named: &mut HashMap<String, Option<Size>>) -> Result<Size, String> {
    let name = schema.name().map(|name| name.fullname(None));
    if let (Schema::Ref { .. }, Some(name)) = (schema, &name) {
        return match named.get(name) {
            Some(Some(size)) => Ok(*size),
            _ => Err(format!("{name} is recursive, which is not supported")),
        };
    }
    if let Some(name) = &name {
        named.insert(name.clone(), None);
    }
    let size = measure_parts(schema, named)?;
    if size.types > MAX_TYPES {
        return Err(format!("it has more than {MAX_TYPES} types"));
    }
    if let Some(name) = name {
        named.insert(name, Some(size));
    }
    Ok(size)
}

fn measure_parts(
    schema: &Schema,
    named: &mut HashMap<String, Option<Size>>,
) -> Result<Size, String> {
    let mut types = 1usize;
    let least_bytes = match schema {
        Schema::Null => 0,
        Schema::Fixed(fixed) => fixed.size,
        Schema::Array(array) => items(&array.items, &mut types, named)?,
        Schema::Map(map) => items(&map.types, &mut types, named)?,
        Schema::Union(union) => {
            for branch in union.variants() {
                types = types.saturating_add(measure(branch, named)?.types);
            }
            1
        }
        Schema::Record(record) => {
            let mut least = 0usize;
            for field in &record.fields {
                let size = measure(&field.schema, named)?;
                types = types.saturating_add(size.types);
                least = least.saturating_add(size.least_bytes);
            }
            least
        }
        _ => 1,
    };
    Ok(Size { least_bytes, types })
}

fn items(
    schema: &Schema,
    types: &mut usize,
    named: &mut HashMap<String, Option<Size>>,
) -> Result<usize, String> {
    let size = measure(schema, named)?;
    *types = types.saturating_add(size.types);
    if size.least_bytes == 0 {
        return Err("it has an array or map of values without bytes".to_owned());
    }
    Ok(1)
}

#[cfg(test)]
mod tests;
