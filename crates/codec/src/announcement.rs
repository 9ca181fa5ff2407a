//! What an instance of the query service tells the others: the one record that is no event.
//!
//! It is written in the same wire format and its schema is registered too, so that any Kafka tool
//! shows it. Only exactly this schema is read back: an instance of another version is told apart
//! by it, and the two would not understand each other's calls either.

use crate::{Codec, EncodeError, RegistryError, error::reason, frame};
use apache_avro::{Schema, reader::datum::GenericDatumReader, writer::datum::GenericDatumWriter};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The topic of announcements.
pub const ANNOUNCEMENTS: &str = "tandem-instances";

const NAME: &str = "tandem.v1.InstanceAnnounced";
const TEXT: &str = include_str!("../schemas/InstanceAnnounced.avsc");

/// What an instance announces; the fields are described in `schemas/InstanceAnnounced.avsc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "InstanceAnnounced", rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Announcement {
    pub instance_id: String,
    pub protocol: i32,
    pub view: String,
    pub run: String,
    pub started_ms: i64,
    pub address: String,
    pub replica_set: String,
    pub zone: String,
    pub version: String,
    pub leaving: bool,
    pub load: i32,
    pub shards: Vec<ShardAnnounced>,
}

/// A shard in an announcement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct ShardAnnounced {
    pub shard: i32,
    pub state: String,
    pub positions: Vec<i64>,
    pub ends: Vec<i64>,
    pub staleness_ms: i64,
    pub rejects: i64,
    pub detail: String,
}

/// Why an announcement can't be read. The operator has to act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnnouncementFault {
    /// It was written with another schema.
    #[error("it is of another version of Tandem (schema {0}): run one version on one log")]
    OtherSchema(u32),
    /// Its bytes are not an announcement.
    #[error("it can't be read: {0}")]
    Unreadable(String),
}

#[expect(clippy::expect_used, reason = "the schema is a constant; a test parses it")]
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::parse_str(TEXT).expect("sound Avro"));

impl Codec {
    /// Registers the schema of announcements, which makes [`Self::encode_announcement`] and
    /// [`Self::decode_announcement`] work. Safe to call again.
    ///
    /// # Errors
    /// [`RegistryError::Unavailable`] (try again), [`RegistryError::Refused`].
    pub async fn register_announcement(&self) -> Result<(), RegistryError> {
        let (Some(registry), None) = (self.registry(), self.announced().get()) else {
            return Ok(());
        };
        let subject = format!("{ANNOUNCEMENTS}-{NAME}");
        let id = registry.register_text(subject, NAME, TEXT).await?;
        self.announced().get_or_init(|| id);
        Ok(())
    }

    /// Encodes an announcement as a record's value.
    ///
    /// # Errors
    /// [`EncodeError::NotRegistered`] until [`Self::register_announcement`] has succeeded.
    pub fn encode_announcement(&self, announcement: &Announcement) -> Result<Bytes, EncodeError> {
        let id = self.announced().get().ok_or(EncodeError::NotRegistered(NAME))?;
        let mut value = frame::start(*id, 512);
        let failed = |e: apache_avro::Error| EncodeError::Unencodable {
            record: NAME,
            reason: reason(&e.to_string()),
        };
        let writer = GenericDatumWriter::builder(&SCHEMA).build().map_err(failed)?;
        writer.write_ser(&mut value, announcement).map_err(failed)?;
        Ok(value.into())
    }

    /// Decodes the value of a record of [`ANNOUNCEMENTS`].
    ///
    /// # Errors
    /// [`AnnouncementFault`], final for these bytes.
    pub fn decode_announcement(&self, value: &[u8]) -> Result<Announcement, AnnouncementFault> {
        let unreadable = |e: &dyn ToString| AnnouncementFault::Unreadable(reason(&e.to_string()));
        let (id, mut body) = frame::split(value).map_err(|e| unreadable(&e))?;
        if self.announced().get() != Some(&id) {
            return Err(AnnouncementFault::OtherSchema(id));
        }
        let reader = GenericDatumReader::builder(&SCHEMA).build().map_err(|e| unreadable(&e))?;
        reader.read_deser(&mut body).map_err(|e| unreadable(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement() -> Announcement {
        let shard = ShardAnnounced {
            shard: 3,
            state: "SERVING".into(),
            positions: vec![1, 2, 3],
            ends: vec![1, 2, 4],
            staleness_ms: -1,
            rejects: 0,
            detail: String::new(),
        };
        Announcement {
            instance_id: "a".into(),
            protocol: 1,
            view: "v".into(),
            run: "r".into(),
            started_ms: 7,
            address: "h:1".into(),
            replica_set: "s".into(),
            zone: String::new(),
            version: "0".into(),
            leaving: true,
            load: 2,
            shards: vec![shard],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let codec = Codec::with_fixed_ids();
        let bytes = codec.encode_announcement(&announcement()).unwrap();
        assert_eq!(codec.decode_announcement(&bytes), Ok(announcement()));
        for end in 0..bytes.len() {
            assert!(codec.decode_announcement(&bytes[..end]).is_err(), "{end}");
        }
        let mut other = bytes.to_vec();
        other[4] = 99;
        let other = codec.decode_announcement(&other);
        assert_eq!(other, Err(AnnouncementFault::OtherSchema(99)));
    }
}
