//! The entries on the topic: JSON keys and values in Confluent's words.

use super::level::Level;
use serde::{Deserialize, Serialize};

/// One change of what is known. Each replaces the entry with the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A version of a subject as it is now.
    Version { subject: String, version: u32, id: u32, schema: String, deleted: bool },
    /// The version is gone for good.
    Forget { subject: String, version: u32 },
    /// The level of a subject, or of all that have none; `None` when it was taken back.
    Level { subject: Option<String>, level: Option<Level> },
    /// All ids up to this one have been given. Written before a version is forgotten: an id must
    /// not be given again, because records that carry it are on some log for ever.
    GivenIds { last: u32 },
}

/// Where an entry doesn't stand for itself, as on a topic of somebody else's.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("it has no {0}")]
    Lacks(&'static str),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "keytype", rename_all = "SCREAMING_SNAKE_CASE")]
enum Key {
    Schema { subject: String, version: u32 },
    Config { subject: Option<String> },
    GivenIds,
}

#[derive(Serialize, Deserialize)]
struct VersionValue {
    subject: String,
    version: u32,
    id: u32,
    schema: String,
    deleted: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LevelValue {
    subject: Option<String>,
    compatibility_level: Level,
}

#[derive(Serialize, Deserialize)]
struct GivenIdsValue {
    last: u32,
}

impl Entry {
    /// The record's key and value.
    pub(super) fn to_record(&self) -> serde_json::Result<(Vec<u8>, Option<Vec<u8>>)> {
        let (key, value) = match self.clone() {
            Entry::Version { subject, version, id, schema, deleted } => {
                let key = Key::Schema { subject: subject.clone(), version };
                let value = VersionValue { subject, version, id, schema, deleted };
                (key, Some(serde_json::to_vec(&value)?))
            }
            Entry::Forget { subject, version } => (Key::Schema { subject, version }, None),
            Entry::Level { subject, level: Some(compatibility_level) } => {
                let key = Key::Config { subject: subject.clone() };
                (key, Some(serde_json::to_vec(&LevelValue { subject, compatibility_level })?))
            }
            Entry::Level { subject, level: None } => (Key::Config { subject }, None),
            Entry::GivenIds { last } => {
                (Key::GivenIds, Some(serde_json::to_vec(&GivenIdsValue { last })?))
            }
        };
        Ok((serde_json::to_vec(&key)?, value))
    }

    pub(super) fn from_record(
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<Entry, Unreadable> {
        let key: Key = serde_json::from_slice(key.ok_or(Unreadable::Lacks("key"))?)?;
        Ok(match (key, value) {
            (Key::Schema { subject, version }, Some(value)) => {
                let VersionValue { id, schema, deleted, .. } = serde_json::from_slice(value)?;
                Entry::Version { subject, version, id, schema, deleted }
            }
            (Key::Schema { subject, version }, None) => Entry::Forget { subject, version },
            (Key::Config { subject }, value) => {
                let value: Option<LevelValue> = value.map(serde_json::from_slice).transpose()?;
                Entry::Level { subject, level: value.map(|v| v.compatibility_level) }
            }
            (Key::GivenIds, value) => {
                let value = value.ok_or(Unreadable::Lacks("value"))?;
                let GivenIdsValue { last } = serde_json::from_slice(value)?;
                Entry::GivenIds { last }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive() {
        let subject = || "a/\u{fc} \"x\"".to_owned();
        let version = |deleted| Entry::Version {
            subject: subject(),
            version: 2,
            id: 7,
            schema: "{}".into(),
            deleted,
        };
        for entry in [
            version(false),
            version(true),
            Entry::Forget { subject: subject(), version: 2 },
            Entry::Level { subject: None, level: Some(Level::FullTransitive) },
            Entry::Level { subject: Some(subject()), level: None },
            Entry::GivenIds { last: 9 },
        ] {
            let (key, value) = entry.to_record().unwrap();
            assert_eq!(Entry::from_record(Some(&key), value.as_deref()).unwrap(), entry);
        }
    }

    /// What is on disk must stay readable.
    #[test]
    fn the_words_are_fixed() {
        let entry = Entry::Version {
            subject: "s".into(),
            version: 1,
            id: 2,
            schema: "\"int\"".into(),
            deleted: false,
        };
        let (key, value) = entry.to_record().unwrap();
        assert_eq!(key, br#"{"keytype":"SCHEMA","subject":"s","version":1}"#);
        assert_eq!(
            value.unwrap(),
            br#"{"subject":"s","version":1,"id":2,"schema":"\"int\"","deleted":false}"#
        );
    }

    #[test]
    fn other_records_are_not_entries() {
        for (key, value) in [(None, None), (Some("x"), None), (Some(r#"{"keytype":"NOOP"}"#), None)]
        {
            assert!(Entry::from_record(key.map(str::as_bytes), value).is_err());
        }
    }
}
