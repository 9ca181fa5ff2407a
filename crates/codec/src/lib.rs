//! Turns events into bytes and back: Avro in Confluent's wire format, with schemas from a schema
//! registry; the only crate that knows apache-avro and the registry client.
//!
//! - [`Codec`]: encodes and decodes, without waiting. What it lacks it says
//!   ([`DecodeError::UnknownSchema`]), and the caller fetches it ([`Codec::learn`]).
//! - `schemas/*.avsc`: one schema for each kind of event, in namespace `tandem.v1`, which is also
//!   the gRPC package. Text fields default to the empty text, which means "not given"; ids and
//!   times have no default, because an event without them means nothing.
//! - [`RegistryFlags`]: which registry a process is told to use.
//! - [`compatibility`]: may a schema follow another one? Asked by the embedded registry.
//!
//! A record is told by the *unqualified* name of its schema, as Avro's rules of resolution have
//! it, so a producer may use a namespace of its own. Deliberately absent: schemas that refer to
//! other schemas in the registry, and reader aliases (our schemas have none).

mod announcement;
mod cache;
mod codec;
pub mod compatibility;
mod error;
mod flags;
mod frame;
mod kind;
mod registry;
mod shapes;
mod wire;
mod writer;

pub use announcement::{ANNOUNCEMENTS, Announcement, AnnouncementFault, ShardAnnounced};
pub use cache::ABSENT_FOR;
pub use codec::Codec;
pub use error::{DecodeError, EncodeError, FrameFault, RegistryError};
pub use flags::RegistryFlags;
pub use registry::{BasicAuth, RegistrySettings};
