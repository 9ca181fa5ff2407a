//! Lists over the whole view: a page from each shard, merged into one order.

use futures::future::join_all;
use prost::Message;
use tandem_domain::{Customer, CustomerId, Greeting, GreetingId, Order, OrderId, Topic};
use tandem_processor::{
    JoinedOrder, Page, Partition, Reads, Reject, Stamp, StoreError, Unserved, View,
};
use tandem_proto::v1::{self, OrderSort};
use tandem_service::{deadline::Deadline, status::Fault};

use crate::{page::Last, parse::Listing, render, status};

/// The most bytes of rows in an answer, well under what clients take by default (4 MiB).
const ANSWER_BYTES: usize = 1 << 20;

/// A page of a list over all shards.
pub(crate) struct Listed<W> {
    pub(crate) rows: Vec<W>,
    pub(crate) next_page_token: String,
    pub(crate) unreachable: Vec<u32>,
    pub(crate) stamp: Stamp,
}

/// How a shard gives a page of rows behind a row.
type Paged<T> = fn(&View<'_>, Partition, Option<&Last>, usize) -> Result<Page<T>, StoreError>;

/// A kind of row that can be listed: how a shard gives a page of it behind a row, what sorts it,
/// and what it looks like on the wire.
pub(crate) struct Kind<T, W> {
    pub(crate) page: Paged<T>,
    pub(crate) last: fn(Partition, &T) -> Last,
    pub(crate) render: fn(Partition, T) -> W,
}

/// Asks every shard for a page and merges them.
pub(crate) async fn list<T, W: Message>(
    reads: &Reads,
    kind: &Kind<T, W>,
    listing: Listing,
    deadline: Deadline,
) -> Result<Listed<W>, Fault> {
    let (paging, need) = (&listing.paging, &listing.need);
    let pages = join_all(reads.shards().map(|shard| async move {
        let page = reads.read(shard, need, deadline.at(), |view| {
            (kind.page)(view, shard, paging.after.as_ref(), paging.limit)
        });
        (shard, page.await)
    }));
    let mut merge = Merge::new();
    for (shard, page) in pages.await {
        match page {
            Ok((page, stamp)) => merge.add(kind, shard, page, stamp),
            Err(Unserved::Store(e)) => return Err(status::unserved(Unserved::Store(e))),
            Err(_) if listing.allow_partial => merge.unreachable.push(shard.0),
            Err(e) => return Err(status::unserved(e)),
        }
    }
    Ok(merge.finish(kind, &listing))
}

struct Merge<T> {
    rows: Vec<(Last, Partition, T)>,
    /// The first row behind which some shard has more that it didn't hand out: rows of other
    /// shards behind it have to wait for the next page.
    cut: Option<Last>,
    unreachable: Vec<u32>,
    stamp: Option<Stamp>,
}

impl<T> Merge<T> {
    fn new() -> Self {
        Self { rows: Vec::new(), cut: None, unreachable: Vec::new(), stamp: None }
    }

    fn add<W>(&mut self, kind: &Kind<T, W>, shard: Partition, page: Page<T>, stamp: Stamp) {
        if let (true, Some(last)) = (page.more, page.rows.last()) {
            let last = (kind.last)(shard, last);
            self.cut = Some(self.cut.take().map_or(last.clone(), |cut| cut.min(last)));
        }
        self.rows.extend(page.rows.into_iter().map(|row| ((kind.last)(shard, &row), shard, row)));
        match &mut self.stamp {
            Some(all) => {
                all.positions.extend(stamp.positions);
                all.staleness = all.staleness.max(stamp.staleness);
            }
            None => self.stamp = Some(stamp),
        }
    }

    fn finish<W: Message>(mut self, kind: &Kind<T, W>, listing: &Listing) -> Listed<W> {
        self.rows.sort_by(|a, b| a.0.cmp(&b.0));
        let found = self.rows.len();
        let mut bytes = 0;
        let mut last = None;
        let mut rows = Vec::new();
        for (key, shard, row) in self.rows {
            if rows.len() == listing.paging.limit || self.cut.as_ref().is_some_and(|cut| key > *cut)
            {
                break;
            }
            let row = (kind.render)(shard, row);
            bytes += row.encoded_len();
            if bytes > ANSWER_BYTES && !rows.is_empty() {
                break;
            }
            rows.push(row);
            last = Some(key);
        }
        let more = self.cut.is_some() || rows.len() < found;
        let token = last.filter(|_| more).map(|last| listing.paging.bound.token(last));
        let nothing = Stamp { positions: Vec::new(), staleness: std::time::Duration::ZERO };
        Listed {
            rows,
            next_page_token: token.unwrap_or_default(),
            unreachable: self.unreachable,
            stamp: self.stamp.unwrap_or(nothing),
        }
    }
}

/// Tokens are only made from ids, so these hold for every token that passed its checksum.
fn customer(text: &str) -> Result<CustomerId, StoreError> {
    CustomerId::new(text).map_err(|e| StoreError::Corrupt(e.to_string()))
}

fn order(text: &str) -> Result<OrderId, StoreError> {
    OrderId::new(text).map_err(|e| StoreError::Corrupt(e.to_string()))
}

pub(crate) const CUSTOMERS: Kind<Customer, v1::Customer> = Kind {
    page: |view, _, after, limit| {
        let after = after.map(|a| customer(&a.first)).transpose()?;
        view.customers(after.as_ref(), limit)
    },
    last: |_, c| Last { first: c.customer_id.as_str().into(), ..Last::default() },
    render: |_, c| render::customer(c),
};

pub(crate) const JOINED: Kind<JoinedOrder, v1::CustomerOrder> = Kind {
    page: joined_page,
    last: |_, j| by_customer(&j.order),
    render: |_, j| render::customer_order(j),
};

/// The kind of list that a sort asks for.
pub(crate) fn orders(sort: OrderSort) -> Kind<Order, v1::Order> {
    match sort {
        OrderSort::Unspecified | OrderSort::CustomerId => Kind {
            page: |view, shard, after, limit| {
                let page = joined_page(view, shard, after, limit)?;
                let rows = page.rows.into_iter().map(|j| j.order).collect();
                Ok(Page { rows, more: page.more })
            },
            last: |_, o| by_customer(o),
            render: |_, o| render::order(o),
        },
        OrderSort::OrderId => Kind {
            page: |view, _, after, limit| {
                let after = after
                    .map(|a| Ok::<_, StoreError>((order(&a.first)?, customer(&a.second)?)))
                    .transpose()?;
                view.orders_by_id(after.as_ref().map(|(o, c)| (o, c)), limit)
            },
            last: |_, o| Last {
                first: o.order_id.as_str().into(),
                second: o.customer_id.as_str().into(),
                ..Last::default()
            },
            render: |_, o| render::order(o),
        },
    }
}

pub(crate) const GREETINGS: Kind<Greeting, v1::Greeting> = Kind {
    page: |view, _, after, limit| {
        let after = after
            .map(|a| GreetingId::new(&*a.first).map_err(|e| StoreError::Corrupt(e.to_string())))
            .transpose()?;
        view.greetings(after.as_ref(), limit)
    },
    last: |_, g| Last { first: g.greeting_id.as_str().into(), ..Last::default() },
    render: |_, g| render::greeting(g),
};

pub(crate) const REJECTS: Kind<Reject, v1::Reject> = Kind {
    page: |view, shard, after, limit| match after {
        Some(a) if a.shard > shard.0 => Ok(Page { rows: Vec::new(), more: false }),
        Some(a) if a.shard == shard.0 => {
            let topic = Topic::ALL.get(a.topic as usize);
            view.rejects(topic.map(|t| (*t, a.offset)), limit)
        }
        _ => view.rejects(None, limit),
    },
    last: |shard, r| Last {
        shard: shard.0,
        topic: r.topic as u32,
        offset: r.offset,
        ..Last::default()
    },
    render: render::reject,
};

fn joined_page(
    view: &View<'_>,
    _: Partition,
    after: Option<&Last>,
    limit: usize,
) -> Result<Page<JoinedOrder>, StoreError> {
    let after =
        after.map(|a| Ok::<_, StoreError>((customer(&a.first)?, order(&a.second)?))).transpose()?;
    view.joined_orders(after.as_ref().map(|(c, o)| (c, o)), limit)
}

fn by_customer(order: &Order) -> Last {
    Last {
        first: order.customer_id.as_str().into(),
        second: order.order_id.as_str().into(),
        ..Last::default()
    }
}
