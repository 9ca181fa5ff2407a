//! A customer's orders, each joined with the customer: the answer that is asked for most.

use axum::{extract::State, response::Response};
use prost_types::Timestamp;
use serde::Serialize;
use tandem_processor::{Made, Seen, SeenOrder, StoreError, Taken, View};
use tandem_proto::{json, v1};
use tandem_service::{deadline::Deadline, problem::Problem};
use tonic::{Code, Response as Answered, Status};

use super::{
    WHOLE,
    given::{self, Given, Id},
    json as answer, problem,
    sheets::{self, Frame, Sheet},
    told,
};
use crate::{
    api::{AboutOrders, Api},
    ask::Miss,
    peers::{Client, Envelope},
    render, status,
};

/// What the rows of a customer with some twenty orders take.
const USUAL_BYTES: usize = 8 << 10;

/// The most bytes of rows in a page, but for the last one.
const PAGE_BYTES: usize = 1 << 20;

const ROWS: Frame = Frame { open: "[", close: |_, _| Ok(b"]".into()) };

/// The orders of a customer, by order id, each with the customer. The customer's fields are empty
/// while it is not registered. A customer whose id is `all` is found as `%61ll`.
#[utoipa::path(
    get,
    path = "/store/customer-order/{id}",
    params(("id" = String, Path, description = "The customer's id.",
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"), given::Fresh),
    responses(
        (status = 200, body = Vec<v1::CustomerOrder>, description = "Empty if there are none."),
        given::Refused,
    )
)]
pub(super) async fn customer_orders(
    State(api): State<Api>,
    Id(id): Id,
    given: Given,
) -> Result<Response, Problem> {
    let first = match page(&api, &given, &id, String::new()).await {
        Err(status) if status.code() == Code::NotFound => Ok(Sheet::default()),
        first => first,
    };
    let first = first.map_err(|status| problem(&status))?;
    let headers = told(first.served.as_ref());
    if let Some(whole) = first.whole {
        return Ok(answer(headers, whole.into()));
    }
    let long_answers = api.long_answers.clone();
    let rest = move |token| {
        let (api, given, id) = (api.clone(), given.clone(), id.clone());
        async move { page(&api, &given, &id, token).await }
    };
    let body = sheets::all(ROWS, first, &long_answers, rest).map_err(|status| problem(&status))?;
    Ok(answer(headers, body))
}

/// A page of the rows, asked for as over gRPC; those of this instance's own view are written as they
/// are read, and what is whole is kept.
async fn page(api: &Api, given: &Given, id: &str, page_token: String) -> Result<Sheet, Status> {
    let (customer_id, freshness) = (id.to_owned(), given.freshness());
    let request =
        v1::GetCustomerOrdersRequest { customer_id, page_size: WHOLE, page_token, freshness };
    let about = api.about_orders(given.request(request))?;
    let local = |deadline| here(api, &about, deadline);
    let remote = |mut client: Client, envelope: Envelope| {
        let (request, about) = (envelope.with(about.request.clone()), &about);
        async move {
            let answered = client.get_customer_orders(request).await?;
            let sheet = there(answered.into_inner(), about);
            Ok(Answered::new(sheet.map_err(|e| Status::from(status::unserved(e.into())))?))
        }
    };
    api.instances.one(about.shard, &about.need, &about.asked, local, remote).await
}

async fn here(api: &Api, about: &AboutOrders, deadline: Deadline) -> Result<Sheet, Miss> {
    let AboutOrders { id, after, need, shard, .. } = about;
    let (reads, until) = (&api.instances.reads, deadline.at());
    if after.is_some() {
        let read = reads.read(*shard, need, until, |view| written(view, about));
        let ((rows, next), stamp) = read.await?;
        let (rows, next) = (rows.rows, next.unwrap_or_default());
        return Ok(Sheet { rows, next, served: api.served(&stamp), ..Sheet::default() });
    }
    let mut next = None;
    let made = reads.document(*shard, id, need, until, |view| {
        let (rows, behind) = written(view, about)?;
        next = behind;
        Ok(match next {
            None => Made { body: rows.whole(), is_whole: true },
            Some(_) => Made { body: rows.rows, is_whole: false },
        })
    });
    let (body, stamp) = made.await?;
    let sheet = Sheet { served: api.served(&stamp), ..Sheet::default() };
    Ok(match next {
        None => Sheet { whole: Some(body), ..sheet },
        Some(next) => Sheet { rows: body.into(), next, ..sheet },
    })
}

/// The rows of a page, and the token of the next one, if there is one.
fn written(view: &View<'_>, about: &AboutOrders) -> Result<(Rows, Option<String>), StoreError> {
    let AboutOrders { id, after, paging, .. } = about;
    let mut rows =
        Rows::of(&v1::Customer { customer_id: id.as_str().into(), ..Default::default() })?;
    let mut last = String::new();
    let more = view.see_customer_orders(id, after.as_ref(), paging.limit, |row| match row {
        Seen::Customer(customer) => {
            rows = Rows::of(&render::customer(customer))?;
            Ok(Taken::Yes)
        }
        // The customer is written with each order, so the store's bound isn't one here.
        Seen::Order(_) if rows.rows.len() > PAGE_BYTES => Ok(Taken::No),
        Seen::Order(order) => {
            last.clear();
            last.push_str(order.order_id);
            rows.push(&OfOrder::seen(&order))?;
            Ok(Taken::Yes)
        }
    })?;
    Ok((rows, more.then(|| about.behind(&last))))
}

/// The rows of another instance's answer; as many of them as a page here may have.
fn there(answer: v1::GetCustomerOrdersResponse, about: &AboutOrders) -> Result<Sheet, StoreError> {
    let v1::GetCustomerOrdersResponse { customer, orders, next_page_token, served, .. } = answer;
    let mut rows = Rows::of(&customer.unwrap_or_default())?;
    let mut next = next_page_token;
    for (at, order) in orders.iter().enumerate() {
        if rows.rows.len() > PAGE_BYTES {
            next = about.behind(&orders[at - 1].order_id);
            break;
        }
        rows.push(&OfOrder::told(order))?;
    }
    Ok(Sheet { rows: rows.rows, next, served, ..Sheet::default() })
}

/// The rows as they are written: the customer, which is the same in each and so written once, and
/// behind it each order.
struct Rows {
    customer: Vec<u8>,
    rows: Vec<u8>,
}

/// The part of a [`v1::CustomerOrder`] that is the order's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfOrder<'a> {
    order_id: &'a str,
    order_item_name: &'a str,
    order_place: &'a str,
    #[serde(serialize_with = "json::time")]
    order_purchase_time: Option<Timestamp>,
}

impl<'a> OfOrder<'a> {
    fn seen(order: &SeenOrder<'a>) -> Self {
        Self {
            order_id: order.order_id,
            order_item_name: order.order_item_name,
            order_place: order.order_place,
            order_purchase_time: Some(render::time(order.order_purchase_time)),
        }
    }

    fn told(order: &'a v1::Order) -> Self {
        Self {
            order_id: &order.order_id,
            order_item_name: &order.order_item_name,
            order_place: &order.order_place,
            order_purchase_time: order.order_purchase_time,
        }
    }
}

/// Nothing of texts and times can't be written.
fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt(format!("a row can't be written as JSON: {error}"))
}

impl Rows {
    fn of(customer: &v1::Customer) -> Result<Self, StoreError> {
        let mut customer = serde_json::to_vec(customer).map_err(unwritable)?;
        // Its closing brace: what follows is of the same object.
        customer.pop();
        Ok(Self { customer, rows: Vec::with_capacity(USUAL_BYTES) })
    }

    fn push(&mut self, order: &OfOrder<'_>) -> Result<(), StoreError> {
        if !self.rows.is_empty() {
            self.rows.push(b',');
        }
        self.rows.extend(&self.customer);
        let opened = self.rows.len();
        serde_json::to_writer(&mut self.rows, order).map_err(unwritable)?;
        self.rows[opened] = b',';
        Ok(())
    }

    /// All of them, in their frame.
    fn whole(self) -> Vec<u8> {
        [b"[", &*self.rows, b"]"].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_that_of_the_contract() {
        let order_purchase_time = Some(Timestamp { seconds: 1, nanos: 5_000_000 });
        let customer = v1::Customer {
            customer_id: "\"}".into(),
            first_name: "Ada".into(),
            last_name: "L".into(),
            email: "e".into(),
            phone: "p".into(),
        };
        let order = v1::Order {
            order_id: "o".into(),
            customer_id: "\"}".into(),
            order_item_name: "Engine".into(),
            order_place: "London".into(),
            order_purchase_time,
        };
        let joined = v1::CustomerOrder {
            customer_id: "\"}".into(),
            first_name: "Ada".into(),
            last_name: "L".into(),
            email: "e".into(),
            phone: "p".into(),
            order_id: "o".into(),
            order_item_name: "Engine".into(),
            order_place: "London".into(),
            order_purchase_time,
        };
        let mut rows = Rows::of(&customer).unwrap();
        rows.push(&OfOrder::told(&order)).unwrap();
        rows.push(&OfOrder::told(&order)).unwrap();
        let row = serde_json::to_string(&joined).unwrap();
        assert_eq!(String::from_utf8(rows.rows).unwrap(), format!("{row},{row}"));
    }
}
