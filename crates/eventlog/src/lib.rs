//! The log that events are kept on, as a small port with adapters behind it; the only crate that
//! knows where the log is.
//!
//! - [`EventLog`]: append a record and learn its offset; read partitions from given positions;
//!   know where partitions end; join a group and hear what is assigned. A compacted topic is
//!   followed by reading it from its start.
//! - [`partition_for`]: the one rule that says which partition a key belongs to (`tandem-partition`).
//! - [`embedded`]: durable on the local disk, in this process.
//! - [`kafka`]: Apache Kafka.
//! - [`LogSettings`]: which of them a process is told to use.
//! - [`contract`] (feature `contract`): the tests that every adapter must pass.

#[cfg(feature = "contract")]
pub mod contract;
pub mod embedded;
mod headers;
pub mod kafka;
mod port;
mod settings;
mod words;

pub use headers::Headers;
pub use port::{EventLog, Log, LogError, Membership, Reader};
pub use settings::LogSettings;
pub use tandem_partition::{Partition, partition_for};
pub use words::{
    Batch, Bounds, Kept, Member, NewRecord, Offset, Position, Record, TopicId, TopicName,
    TopicPartition, TopicSpec,
};
