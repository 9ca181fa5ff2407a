//! The wire contract: what `tandem/v1/*.proto` generates, its descriptors for reflection, and the
//! tokens that the contract calls opaque.

pub mod json;
pub mod receipt;
pub mod token;

/// Package `tandem.v1`, as generated.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("tandem.v1");
}

/// The encoded `FileDescriptorSet` of the contract and what it imports, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
