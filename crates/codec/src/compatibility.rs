//! May one schema follow another? Avro's rules of resolution, with reasons a person can act on.
//!
//! The rules are apache-avro's. This module walks records itself, so that *every* faulty field is
//! named with its path and not only the first, and it takes "partly readable" (a union branch or
//! an enum symbol that the reader lacks) as incompatible, as Confluent's registry does.
//!
//! Known to be stricter than Java's rules in one place: a type that one schema spells out and the
//! other refers to by name is taken as different.

use crate::error::reason;
use apache_avro::{
    Schema,
    error::CompatibilityError,
    schema::{RecordField, RecordSchema},
    schema_compatibility::{Compatibility, SchemaCompatibility},
};
use serde_json::Value;

/// A schema that is sound by itself.
pub struct Parsed {
    schema: Schema,
    identity: String,
}

impl Parsed {
    /// Parses a schema's JSON text.
    ///
    /// # Errors
    /// What is wrong with the text, for whoever wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        // A bare name, as in `string`, is not JSON, but registries take it; Avro's parsers do.
        let json: Value = serde_json::from_str(text)
            .or_else(|e| if is_name(text) { Ok(Value::from(text.trim())) } else { Err(e) })
            .map_err(|e| format!("not JSON: {e}"))?;
        let schema = Schema::parse(&json).map_err(|e| reason(&e.to_string()))?;
        let mut identity = String::with_capacity(text.len());
        write_sorted(&json, &mut identity);
        Ok(Self { schema, identity })
    }

    /// The schema's JSON without spaces and with sorted attributes: two texts with the same
    /// identity are the same schema. Other than the *canonical form* of Avro's specification it
    /// keeps docs, defaults and logical types, which readers depend on.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }
}

/// Why `reader` can't read all that was written with `writer`; nothing when it can.
#[must_use]
pub fn check(reader: &Parsed, writer: &Parsed) -> Vec<String> {
    let mut reasons = Vec::new();
    compare("", &reader.schema, &writer.schema, Partly::Refused, &mut reasons);
    reasons
}

/// What to say of a reader that can read only some of the values that may have been written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Partly {
    /// It is good enough: each value will be tried.
    Taken,
    /// It is not.
    Refused,
}

pub(crate) fn compare(
    path: &str,
    reader: &Schema,
    writer: &Schema,
    partly: Partly,
    reasons: &mut Vec<String>,
) {
    match (reader, writer) {
        (Schema::Record(r), Schema::Record(w)) if r.name.name() == w.name.name() => {
            for field in &r.fields {
                compare_field(path, field, w, partly, reasons);
            }
        }
        _ => match SchemaCompatibility::can_read(writer, reader) {
            Ok(Compatibility::Full) => {}
            Ok(Compatibility::Partial) if partly == Partly::Taken => {}
            Ok(Compatibility::Partial) => reasons.push(format!(
                "{}: the reader lacks a union branch or an enum symbol that the writer may use, \
                 and has no default for it",
                at(path)
            )),
            Err(e) => reasons.push(format!("{}: {}", at(path), words(&e))),
        },
    }
}

fn compare_field(
    path: &str,
    field: &RecordField,
    writer: &RecordSchema,
    partly: Partly,
    reasons: &mut Vec<String>,
) {
    let path = format!("{path}/{}", field.name);
    // First the field's own name, then its aliases, in that order; the writer's aliases don't
    // count.
    let mut names = std::iter::once(&field.name).chain(&field.aliases);
    let written = names.find_map(|name| writer.fields.iter().find(|w| &w.name == name));
    match written {
        Some(written) => compare(&path, &field.schema, &written.schema, partly, reasons),
        None if field.default.is_some() => {}
        None => reasons.push(format!(
            "{path}: the reader has this field and the writer does not, and it has no default"
        )),
    }
}

fn at(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

fn words(error: &CompatibilityError) -> String {
    match error {
        CompatibilityError::WrongType { writer_schema_type: w, reader_schema_type: r } => {
            format!("the writer writes {} and the reader reads {}", kind(w), kind(r))
        }
        CompatibilityError::FieldTypeMismatch(field, inner) => {
            format!("field {field}: {}", words(inner))
        }
        other => reason(&other.to_string()),
    }
}

/// The library names a type by its debug form, which begins with the type's kind.
fn kind(debug: &str) -> String {
    debug.chars().take_while(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

fn is_name(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c))
}

/// Writes `json` with attributes in order of name. `{"type": "x"}` is the same as `"x"`.
fn write_sorted(json: &Value, out: &mut String) {
    match json {
        Value::Array(items) => {
            write_all('[', items, out, write_sorted);
            out.push(']');
        }
        Value::Object(map) => match map.get("type") {
            Some(only) if map.len() == 1 => write_sorted(only, out),
            _ => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_unstable_by_key(|(name, _)| *name);
                write_all('{', &entries, out, |(name, value), out| {
                    out.push_str(&Value::from(name.as_str()).to_string());
                    out.push(':');
                    write_sorted(value, out);
                });
                out.push('}');
            }
        },
        leaf => out.push_str(&leaf.to_string()),
    }
}

fn write_all<T>(open: char, items: &[T], out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
}

#[cfg(test)]
mod tests;
