//! Page tokens: where a list goes on, bound to the list and the arguments they came from.
//!
//! A token names the last row handed out, not a place in a store, so it stays right while rows
//! come and go and wherever the next page is answered.

use prost::Message;
use tandem_processor::simulation::{Bug, planted};
use tandem_proto::token::{self, Mangled};
use xxhash_rust::xxh3::xxh3_64;

const KIND: u64 = 0x7061_6765_746f_6b31; // "pagetok1"

/// How many rows a page has when the caller doesn't say.
const DEFAULT_SIZE: usize = 100;

/// How many rows a page has at most.
pub(crate) const MAX_SIZE: usize = 1000;

/// The last row of a page, by its sort key: ids, or for rejects where they lie. The order of the
/// fields is the order of the list, and has to be the one in which a shard gives its rows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub(crate) struct Last {
    /// The shard, where the list is by shard.
    #[prost(uint32, tag = "1")]
    pub(crate) shard: u32,
    /// The topic, by its place among the shard's inputs, where the list is by topic. Names would
    /// sort otherwise than the store does, and rows between would be passed over.
    #[prost(uint32, tag = "5")]
    pub(crate) topic: u32,
    /// The time, milliseconds since the Unix epoch, where the list is by time.
    #[prost(sint64, tag = "6")]
    pub(crate) time_ms: i64,
    /// The first sort key.
    #[prost(string, tag = "2")]
    pub(crate) first: String,
    /// The second, where there is one.
    #[prost(string, tag = "3")]
    pub(crate) second: String,
    /// The offset, where the list is by offset.
    #[prost(uint64, tag = "4")]
    pub(crate) offset: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(fixed64, tag = "1")]
    arguments: u64,
    #[prost(message, required, tag = "2")]
    last: Last,
}

/// Which list a token belongs to: the method's name and the arguments that have to stay the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound(u64);

impl Bound {
    /// `same` is the request with everything cleared that may change from page to page.
    pub(crate) fn to(method: &str, same: &impl Message) -> Self {
        let mut bytes = method.as_bytes().to_vec();
        bytes.push(0);
        bytes.extend(same.encode_to_vec());
        Self(xxh3_64(&bytes))
    }

    pub(crate) fn token(self, last: Last) -> String {
        token::seal(KIND, &Wire { arguments: self.0, last }.encode_to_vec())
    }

    /// The row to go on behind; `None` for the empty token, which asks for the first page.
    pub(crate) fn last(self, token: &str) -> Result<Option<Last>, PageFault> {
        if token.is_empty() {
            return Ok(None);
        }
        let body = token::open(KIND, token)?;
        let wire = Wire::decode(&*body).map_err(|_| Mangled)?;
        if wire.arguments != self.0 {
            return Err(PageFault::OtherArguments);
        }
        let mut last = wire.last;
        if planted(Bug::RepeatsRowsOnTheNextPage) {
            (last.second, last.offset) = ("!".into(), last.offset.saturating_sub(1));
        }
        Ok(Some(last))
    }
}

/// Why a page can't be asked for so. The caller has to change the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PageFault {
    #[error(transparent)]
    Mangled(#[from] Mangled),
    #[error("belongs to a request with other arguments; change only page_size and freshness")]
    OtherArguments,
    #[error("must be 1 to {MAX_SIZE}, or 0 for {DEFAULT_SIZE}")]
    Size,
}

/// How many rows to answer with.
pub(crate) fn size(asked: i32) -> Result<usize, PageFault> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(n) if n <= MAX_SIZE => Ok(n),
        _ => Err(PageFault::Size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_proto::v1::GetCustomerOrdersRequest;

    #[test]
    fn a_token_is_good_for_its_own_list_only() {
        let request = |id: &str| GetCustomerOrdersRequest {
            customer_id: id.into(),
            ..GetCustomerOrdersRequest::default()
        };
        let bound = Bound::to("GetCustomerOrders", &request("a"));
        let last = Last { first: "o".into(), ..Last::default() };
        let token = bound.token(last.clone());
        assert_eq!(bound.last(&token), Ok(Some(last)));
        assert_eq!(bound.last(""), Ok(None));
        for other in
            [Bound::to("GetCustomerOrders", &request("b")), Bound::to("ListOrders", &request("a"))]
        {
            assert_eq!(other.last(&token), Err(PageFault::OtherArguments));
        }
        assert_eq!(bound.last("AAAA"), Err(PageFault::Mangled(Mangled)));
    }

    #[test]
    fn sizes() {
        assert_eq!((size(0), size(1), size(1000)), (Ok(100), Ok(1), Ok(1000)));
        assert_eq!((size(-1), size(1001)), (Err(PageFault::Size), Err(PageFault::Size)));
    }
}
