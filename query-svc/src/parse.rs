//! From a request to a typed question, or to all of its faults at once.

use prost::Message;
use std::time::Duration;
use tandem_domain::{CustomerId, IdFault, OrderId, Topic};
use tandem_processor::{Need, Partition, Reads, Unserved};
use tandem_proto::{
    receipt::{self, Proof, topic_tag},
    v1::{self, OrderSort},
};
use tandem_service::status::{Fault, FieldFault};

use crate::{
    page::{self, Bound, Last},
    status,
    watch::{self, SeenDocument},
};

/// How many receipts a request may show.
const MAX_RECEIPTS: usize = 32;

/// What a watcher has seen, and the positions of that.
pub(crate) type Seen = (Option<SeenDocument>, Vec<(Topic, Partition, u64)>);

/// Collects a request's faults while its fields are read.
pub(crate) struct Parsing<'a> {
    reads: &'a Reads,
    faults: Vec<FieldFault>,
    /// Why a receipt can't be judged yet.
    unjudged: Option<Unserved>,
}

/// What is wrong with a receipt.
enum Doubt {
    /// It isn't of this log.
    Elsewhere,
    /// Which log this is isn't known yet.
    Unjudged(Unserved),
}

const ELSEWHERE: &str = "is from another log; leave it out, or ask where it was given out";

/// Which page of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) bound: Bound,
    pub(crate) after: Option<Last>,
    pub(crate) limit: usize,
}

/// A question to the whole view.
pub(crate) struct Listing {
    pub(crate) paging: Paging,
    pub(crate) need: Need,
    pub(crate) allow_partial: bool,
}

impl<'a> Parsing<'a> {
    pub(crate) fn new(reads: &'a Reads) -> Self {
        Self { reads, faults: Vec::new(), unjudged: None }
    }

    /// Gives `value` if no fault was found. A part that is `None` has left its fault here. What
    /// the caller has to mend is told even while receipts can't be judged.
    pub(crate) fn done<T>(self, value: Option<T>) -> Result<T, Fault> {
        match (value, self.unjudged) {
            (Some(value), None) if self.faults.is_empty() => Ok(value),
            (Some(_), Some(why)) if self.faults.is_empty() => Err(status::unserved(why)),
            _ => Err(Fault::invalid(self.faults)),
        }
    }

    pub(crate) fn customer_id(&mut self, text: &str) -> Option<CustomerId> {
        self.id("customer_id", CustomerId::new(text))
    }

    pub(crate) fn order_id(&mut self, text: &str) -> Option<OrderId> {
        self.id("order_id", OrderId::new(text))
    }

    fn id<T>(&mut self, field: &str, id: Result<T, IdFault>) -> Option<T> {
        id.map_err(|fault| self.faults.push(FieldFault::new(field, fault))).ok()
    }

    /// `same` is the request without what may change from page to page.
    pub(crate) fn paging(
        &mut self,
        (size, token): (i32, &str),
        method: &str,
        same: &impl Message,
    ) -> Option<Paging> {
        let bound = Bound::to(method, same);
        let limit = page::size(size).map_err(|f| self.fault("page_size", f));
        let after = bound.last(token).map_err(|f| self.fault("page_token", f));
        Some(Paging { bound, after: after.ok()?, limit: limit.ok()? })
    }

    pub(crate) fn sort(&mut self, sort: i32) -> Option<OrderSort> {
        let known = OrderSort::try_from(sort);
        known.map_err(|_| self.fault("sort", "is not a sort that this version knows")).ok()
    }

    pub(crate) fn freshness(&mut self, freshness: Option<v1::Freshness>) -> Need {
        let mut need = Need::default();
        let Some(freshness) = freshness else { return need };
        if freshness.receipts.len() > MAX_RECEIPTS {
            self.fault("freshness.receipts", format!("has more than {MAX_RECEIPTS} receipts"));
            return need;
        }
        for (at, text) in freshness.receipts.iter().enumerate() {
            let field = || format!("freshness.receipts[{at}]");
            match receipt::decode(text) {
                Ok(proofs) => {
                    for proof in proofs {
                        match self.proof(&proof) {
                            Ok(position) => need.positions.push(position),
                            Err(Doubt::Elsewhere) => self.fault(&field(), ELSEWHERE),
                            Err(Doubt::Unjudged(why)) => self.unjudged = Some(why),
                        }
                    }
                }
                Err(mangled) => self.fault(&field(), mangled),
            }
        }
        need.max_staleness = freshness.max_staleness.and_then(|d| {
            Duration::try_from(d)
                .map_err(|_| self.fault("freshness.max_staleness", "must not be negative"))
                .ok()
        });
        need
    }

    /// What a watcher has seen, and the positions that prove it.
    pub(crate) fn seen(&mut self, token: &str, of: &CustomerId) -> Option<Seen> {
        let field = "resume_token";
        let seen = watch::seen(token, of).map_err(|mangled| self.fault(field, mangled)).ok()?;
        let proofs = match seen.as_ref().map(|seen| receipt::decode(&seen.position)) {
            Some(proofs) => proofs.map_err(|mangled| self.fault(field, mangled)).ok()?,
            None => Vec::new(),
        };
        let mut positions = Vec::new();
        for proof in proofs {
            match self.proof(&proof) {
                Ok(position) => positions.push(position),
                Err(Doubt::Elsewhere) => self.fault(field, ELSEWHERE),
                Err(Doubt::Unjudged(why)) => self.unjudged = Some(why),
            }
        }
        Some((seen, positions))
    }

    fn proof(&self, proof: &Proof) -> Result<(Topic, Partition, u64), Doubt> {
        let topic = Topic::from_name(&proof.topic).ok_or(Doubt::Elsewhere)?;
        let topic_id = self.reads.topic_id(topic).map_err(Doubt::Unjudged)?;
        let here = proof.topic_tag == topic_tag(&topic_id.0);
        let shard = Partition(proof.partition);
        match here && self.reads.shards().any(|s| s == shard) {
            true => Ok((topic, shard, proof.position)),
            false => Err(Doubt::Elsewhere),
        }
    }

    pub(crate) fn fault(&mut self, field: &str, why: impl ToString) {
        self.faults.push(FieldFault::new(field, why));
    }
}

/// Reads what every list request has. The message is consumed down to what has to stay the same.
macro_rules! listing {
    ($reads:expr, $method:literal, $request:ident) => {{
        let mut parsing = $crate::parse::Parsing::new($reads);
        let need = parsing.freshness($request.freshness.take());
        let page =
            (std::mem::take(&mut $request.page_size), std::mem::take(&mut $request.page_token));
        let paging = parsing.paging((page.0, &page.1), $method, &$request);
        let allow_partial = $request.allow_partial;
        let listing = paging.map(|paging| $crate::parse::Listing { paging, need, allow_partial });
        parsing.done(listing)
    }};
}
pub(crate) use listing;
