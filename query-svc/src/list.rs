//! Lists over the whole view: a page from each shard, merged into one order.
//!
//! A peer that is asked for some shards merges them the same way, so what comes from it is a page
//! too, and pages are merged into pages.

use futures::future::join_all;
use prost::Message;
use tandem_domain::{CustomerId, GreetingId, Millis, OrderId, Topic};
use tandem_processor::{
    JoinedOrder, Page, Partition, StoreError, View,
    simulation::{Bug, planted},
};
use tandem_proto::v1::{self, OrderSort};
use tandem_service::{deadline::Deadline, status::Fault};
use tonic::{Response, Status};

use crate::{
    ask::{Asked, Instances},
    gather::{Part, refusal},
    page::Last,
    parse::Listing,
    peers::{Client, Envelope},
    render, status,
};

/// The most bytes of rows in an answer, well under what clients take by default (4 MiB).
const ANSWER_BYTES: usize = 1 << 20;

/// A page of a list over all shards.
pub(crate) struct Listed<W> {
    pub(crate) rows: Vec<W>,
    pub(crate) next_page_token: String,
    pub(crate) unreachable_shards: Vec<u32>,
    pub(crate) served: Option<v1::Served>,
}

/// How a shard gives a page of rows behind a row.
type Paged<W> = fn(&View<'_>, Partition, Option<&Last>, usize) -> Result<Page<W>, StoreError>;

/// A kind of row that can be listed: how a shard gives a page of it behind a row, what sorts it,
/// and in which direction.
pub(crate) struct Kind<W> {
    page: Paged<W>,
    last: fn(&W) -> Last,
    descends: bool,
}

/// A list's answer on the wire, taken apart and put together.
pub(crate) trait Answer<W>: From<Listed<W>> + Into<Listed<W>> {}

macro_rules! lists {
    ($($kind:ident: $rows:ident of $row:ident;)*) => {
        $(impl From<Listed<v1::$row>> for v1::$kind {
            fn from(listed: Listed<v1::$row>) -> Self {
                let Listed { rows, next_page_token, unreachable_shards, served } = listed;
                Self { $rows: rows, next_page_token, unreachable_shards, served }
            }
        }
        impl From<v1::$kind> for Listed<v1::$row> {
            fn from(answer: v1::$kind) -> Self {
                let v1::$kind { $rows, next_page_token, unreachable_shards, served } = answer;
                Self { rows: $rows, next_page_token, unreachable_shards, served }
            }
        }
        impl Answer<v1::$row> for v1::$kind {})*
    };
}
lists! {
    ListCustomersResponse: customers of Customer;
    ListOrdersResponse: orders of Order;
    ListCustomerOrdersResponse: customer_orders of CustomerOrder;
    ListGreetingsResponse: greetings of Greeting;
    ListRejectsResponse: rejects of Reject;
}

/// Rows from some shards, in the list's order; whether they have more behind them.
struct Rows<W> {
    rows: Vec<W>,
    more: bool,
    served: Option<v1::Served>,
}

/// Asks every shard for a page and merges them.
pub(crate) async fn list<W: Message, A: Answer<W>, P>(
    instances: &Instances,
    kind: &Kind<W>,
    listing: Listing,
    asked: &Asked,
    remote: impl Fn(Client, Envelope) -> P,
) -> Result<Response<A>, Status>
where
    P: Future<Output = Result<Response<A>, Status>>,
{
    let remote = |client, envelope| {
        let answered = remote(client, envelope);
        async move { answered.await.map(|answer| Response::new(part(answer.into_inner().into()))) }
    };
    let local = |shards, until| here(instances, kind, &listing, shards, until);
    let gathered = instances.all(&listing.need, asked, local, remote).await?;
    let unreachable_shards = gathered.missing.iter().map(|(shard, _)| shard.0).collect();
    if !listing.allow_partial
        && let Some(status) = refusal(gathered.missing, asked)
    {
        return Err(status);
    }
    let Rows { rows, more, mut served } = merge(kind, gathered.answers, listing.paging.limit);
    if let Some(served) = &mut served {
        served.forwarded = gathered.forwarded;
        served.instance_id.clone_from(&instances.me.instance_id);
    }
    let last = rows.last().filter(|_| more).map(kind.last);
    let next_page_token = last.map(|last| listing.paging.bound.token(last)).unwrap_or_default();
    Ok(Response::new(Listed { rows, next_page_token, unreachable_shards, served }.into()))
}

/// What a peer answered for some shards.
fn part<W>(listed: Listed<W>) -> Part<Rows<W>> {
    let missing = listed.unreachable_shards.into_iter().map(Partition);
    let missing = missing.map(|shard| (shard, status::nobody(shard).into())).collect();
    let more = !listed.next_page_token.is_empty();
    Part { answer: Rows { rows: listed.rows, more, served: listed.served }, missing }
}

/// A page of the shards that are held here.
async fn here<W: Message>(
    instances: &Instances,
    kind: &Kind<W>,
    listing: &Listing,
    shards: Vec<Partition>,
    until: Deadline,
) -> Result<Part<Rows<W>>, Fault> {
    let paging = &listing.paging;
    let pages = join_all(shards.into_iter().map(|shard| async move {
        let page = instances.reads.read(shard, &listing.need, until.at(), |view| {
            (kind.page)(view, shard, paging.after.as_ref(), paging.limit)
        });
        (shard, page.await)
    }));
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (shard, page) in pages.await {
        match page {
            Ok((page, stamp)) => found.push(Rows {
                rows: page.rows,
                more: page.more,
                served: Some(render::served(&instances.me.instance_id, &stamp)),
            }),
            Err(why) => missing.push((shard, status::unserved(why).into())),
        }
    }
    Ok(Part { answer: merge(kind, found, paging.limit), missing })
}

/// Merges pages into one of at most `limit` rows and [`ANSWER_BYTES`].
fn merge<W: Message>(kind: &Kind<W>, pages: Vec<Rows<W>>, limit: usize) -> Rows<W> {
    let order = |a: &Last, b: &Last| if kind.descends { b.cmp(a) } else { a.cmp(b) };
    // The first row behind which some page has more that it didn't hand out: rows of other pages
    // behind it have to wait for the next page.
    let ends = pages.iter().filter(|p| p.more).filter_map(|p| p.rows.last().map(kind.last));
    let cut = ends.min_by(|a, b| order(a, b));
    let served = pages.iter().filter_map(|p| p.served.as_ref()).collect::<Vec<_>>();
    let served = render::served_together(&served);
    let mut found: Vec<(Last, W)> =
        pages.into_iter().flat_map(|p| p.rows).map(|row| ((kind.last)(&row), row)).collect();
    found.sort_by(|a, b| order(&a.0, &b.0));
    let (count, mut bytes, mut rows) = (found.len(), 0, Vec::new());
    for (last, row) in found {
        let is_behind = cut.as_ref().is_some_and(|cut| order(&last, cut).is_gt());
        bytes += row.encoded_len();
        if rows.len() == limit || is_behind || (bytes > ANSWER_BYTES && !rows.is_empty()) {
            break;
        }
        rows.push(row);
    }
    let more = cut.is_some() || (rows.len() < count && !planted(Bug::EndsListsTooEarly));
    Rows { rows, more, served }
}

/// Tokens are only made from rows, so these hold for every token that passed its checksum.
fn customer(text: &str) -> Result<CustomerId, StoreError> {
    CustomerId::new(text).map_err(|e| StoreError::Corrupt(e.to_string()))
}

fn order(text: &str) -> Result<OrderId, StoreError> {
    OrderId::new(text).map_err(|e| StoreError::Corrupt(e.to_string()))
}

fn rendered<T, W>(page: Page<T>, render: impl Fn(T) -> W) -> Page<W> {
    Page { rows: page.rows.into_iter().map(render).collect(), more: page.more }
}

pub(crate) const CUSTOMERS: Kind<v1::Customer> = Kind {
    page: |view, _, after, limit| {
        let after = after.map(|a| customer(&a.first)).transpose()?;
        Ok(rendered(view.customers(after.as_ref(), limit)?, render::customer))
    },
    last: |c| Last { first: c.customer_id.clone(), ..Last::default() },
    descends: false,
};

pub(crate) const JOINED: Kind<v1::CustomerOrder> = Kind {
    page: |view, _, after, limit| Ok(rendered(joined(view, after, limit)?, render::customer_order)),
    last: |o| Last { first: o.customer_id.clone(), second: o.order_id.clone(), ..Last::default() },
    descends: false,
};

/// The kind of list that a sort asks for.
pub(crate) fn orders(sort: OrderSort) -> Kind<v1::Order> {
    match sort {
        OrderSort::Unspecified | OrderSort::CustomerId => Kind {
            page: |view, _, after, limit| {
                Ok(rendered(joined(view, after, limit)?, |joined| render::order(joined.order)))
            },
            last: |o| Last {
                first: o.customer_id.clone(),
                second: o.order_id.clone(),
                ..Last::default()
            },
            descends: false,
        },
        OrderSort::OrderId => Kind {
            page: |view, _, after, limit| {
                let after = after.map(|a| ids(&a.second, &a.first)).transpose()?;
                let page = view.orders_by_id(after.as_ref().map(|(c, o)| (o, c)), limit)?;
                Ok(rendered(page, render::order))
            },
            last: |o| Last {
                first: o.order_id.clone(),
                second: o.customer_id.clone(),
                ..Last::default()
            },
            descends: false,
        },
        OrderSort::PurchaseTime => Kind {
            page: |view, _, after, limit| by_time(view, after, false, limit),
            last: at_time,
            descends: false,
        },
        OrderSort::PurchaseTimeDescending => Kind {
            page: |view, _, after, limit| by_time(view, after, true, limit),
            last: at_time,
            descends: true,
        },
    }
}

pub(crate) const GREETINGS: Kind<v1::Greeting> = Kind {
    page: |view, _, after, limit| {
        let after = after
            .map(|a| GreetingId::new(&*a.first).map_err(|e| StoreError::Corrupt(e.to_string())))
            .transpose()?;
        Ok(rendered(view.greetings(after.as_ref(), limit)?, render::greeting))
    },
    last: |g| Last { first: g.greeting_id.clone(), ..Last::default() },
    descends: false,
};

pub(crate) const REJECTS: Kind<v1::Reject> = Kind {
    page: |view, shard, after, limit| {
        let page = match after {
            Some(a) if a.shard > shard.0 => Page { rows: Vec::new(), more: false },
            Some(a) if a.shard == shard.0 => {
                let topic = Topic::ALL.get(a.topic as usize);
                view.rejects(topic.map(|t| (*t, a.offset)), limit)?
            }
            _ => view.rejects(None, limit)?,
        };
        Ok(rendered(page, |r| render::reject(shard, r)))
    },
    last: |r| Last {
        shard: r.partition,
        topic: Topic::from_name(&r.topic).map_or(0, |t| t as u32),
        offset: r.offset,
        ..Last::default()
    },
    descends: false,
};

fn ids(of: &str, id: &str) -> Result<(CustomerId, OrderId), StoreError> {
    Ok((customer(of)?, order(id)?))
}

fn joined(
    view: &View<'_>,
    after: Option<&Last>,
    limit: usize,
) -> Result<Page<JoinedOrder>, StoreError> {
    let after = after.map(|a| ids(&a.first, &a.second)).transpose()?;
    view.joined_orders(after.as_ref().map(|(c, o)| (c, o)), limit)
}

fn by_time(
    view: &View<'_>,
    after: Option<&Last>,
    latest_first: bool,
    limit: usize,
) -> Result<Page<v1::Order>, StoreError> {
    let behind = after.map(|a| ids(&a.first, &a.second)).transpose()?;
    let behind = behind.as_ref().zip(after).map(|((c, o), a)| (Millis(a.time_ms), c, o));
    Ok(rendered(view.orders_by_time(behind, latest_first, limit)?, render::order))
}

fn at_time(order: &v1::Order) -> Last {
    let time = order.order_purchase_time.unwrap_or_default();
    Last {
        time_ms: time.seconds.saturating_mul(1000) + i64::from(time.nanos / 1_000_000),
        first: order.customer_id.clone(),
        second: order.order_id.clone(),
        ..Last::default()
    }
}

#[cfg(test)]
mod tests;
