//! Receipts: which part of the log an answer has to reflect.
//!
//! A command's receipt proves one record; a query's position is a receipt for everything that the
//! answer was made from. Both are the same token, so either can be shown to the next query.

use crate::token::{self, Mangled};
use xxhash_rust::xxh3::xxh3_64;

const KIND: u64 = 0x7265_6365_6970_7431; // "receipt1"

/// One partition's part of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The topic's name.
    pub topic: String,
    /// [`topic_tag`] of the topic's id: tells the topics of another log, or a topic that was made
    /// again, from this one.
    pub topic_tag: u64,
    /// The partition.
    pub partition: u32,
    /// Everything before this offset has to be reflected.
    pub position: u64,
}

/// Short form of a topic's id, for [`Proof::topic_tag`].
#[must_use]
pub fn topic_tag(topic_id: &str) -> u64 {
    xxh3_64(topic_id.as_bytes())
}

#[derive(Clone, PartialEq, prost::Message)]
struct Wire {
    #[prost(message, repeated, tag = "1")]
    topics: Vec<WireTopic>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireTopic {
    #[prost(string, tag = "1")]
    topic: String,
    #[prost(fixed64, tag = "2")]
    tag: u64,
    #[prost(uint32, repeated, tag = "3")]
    partitions: Vec<u32>,
    #[prost(uint64, repeated, tag = "4")]
    positions: Vec<u64>,
}

/// Makes the token; proofs of one topic are kept together in it.
#[must_use]
pub fn encode(proofs: &[Proof]) -> String {
    let mut wire = Wire::default();
    for proof in proofs {
        let known =
            wire.topics.iter_mut().position(|t| t.tag == proof.topic_tag && t.topic == proof.topic);
        let at = known.unwrap_or_else(|| {
            wire.topics.push(WireTopic {
                topic: proof.topic.clone(),
                tag: proof.topic_tag,
                ..WireTopic::default()
            });
            wire.topics.len() - 1
        });
        wire.topics[at].partitions.push(proof.partition);
        wire.topics[at].positions.push(proof.position);
    }
    token::seal(KIND, &prost::Message::encode_to_vec(&wire))
}

/// Reads a token that [`encode`] made.
///
/// # Errors
/// [`Mangled`] for anything else.
pub fn decode(receipt: &str) -> Result<Vec<Proof>, Mangled> {
    let body = token::open(KIND, receipt)?;
    let wire = <Wire as prost::Message>::decode(&*body).map_err(|_| Mangled)?;
    let proofs = wire.topics.into_iter().flat_map(|t| {
        t.partitions.into_iter().zip(t.positions).map(move |(partition, position)| Proof {
            topic: t.topic.clone(),
            topic_tag: t.tag,
            partition,
            position,
        })
    });
    Ok(proofs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(topic: &str, partition: u32, position: u64) -> Proof {
        Proof { topic: topic.into(), topic_tag: topic_tag(topic), partition, position }
    }

    #[test]
    fn round_trip() {
        let proofs = [proof("customer", 0, 1), proof("customer", 3, 1 << 40), proof("order", 3, 0)];
        assert_eq!(decode(&encode(&proofs)), Ok(proofs.to_vec()));
        assert!(encode(&proofs[..1]).len() < 64);
        assert_eq!(decode("nonsense"), Err(Mangled));
    }
}
