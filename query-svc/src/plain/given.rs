//! What a request says in its path, query and headers: read once, and turned into the contract's
//! words. The names of the parameters are the contract's; `receipt` may come more than once.

use axum::extract::{FromRequestParts, Path, rejection::PathRejection};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use std::time::Duration;
use tandem_proto::v1::{self, OrderSort};
use tandem_service::{plain::span, problem::Problem, status::FieldFault};
use tonic::{Request, metadata::MetadataMap};
use utoipa::{IntoParams, IntoResponses};

use crate::page::MAX_SIZE;

/// The longest that a request may wait. It counts as in hand meanwhile, and those are bounded.
const LONGEST: Duration = Duration::from_secs(60);

/// How fresh an answer has to be.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what Given reads")]
pub(super) struct Fresh {
    /// The answer reflects what these receipts prove: of commands, or positions of earlier answers.
    receipt: Option<Vec<String>>,
    /// The answer is at most this old: `500ms`, `2s`, `1m`. No answer is of age 0.
    #[param(pattern = r"^[0-9]{1,9}(ms|s|m)$")]
    max_staleness: Option<String>,
    /// How long to wait for that, `10s` unless said, at most `60s`; then it is 503.
    #[param(pattern = r"^[0-9]{1,9}(ms|s|m)$")]
    timeout: Option<String>,
}

/// Which part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what Given reads")]
pub(super) struct Paged {
    /// How many rows a page may have. Left out, there is one answer with everything, streamed.
    #[param(minimum = 1, maximum = 1000)]
    page_size: Option<i32>,
    /// The `nextPageToken` of the page before.
    page_token: Option<String>,
    /// Take what can be had when some shards are not served; `unreachableShards` then names them.
    allow_partial: Option<bool>,
}

/// In which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what Given reads")]
pub(super) struct Sorted {
    /// What to sort by; by customer id unless said.
    #[param(inline)]
    sort: Option<Sort>,
}

#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what Given reads")]
enum Sort {
    CustomerId,
    OrderId,
    PurchaseTime,
    PurchaseTimeDescending,
}

/// What a request may get instead of an answer, for the description.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what Given and the methods refuse")]
pub(super) enum Refused {
    /// Something is wrong with the request: `errors` has all of it.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(#[to_schema] Problem),
    /// It can't be answered just now, or not as fresh as it has to be; ask again.
    #[response(status = 503, content_type = "application/problem+json")]
    Away(#[to_schema] Problem),
}

/// An id from the path, percent-decoded once, whatever it holds.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| fault("id", "is not UTF-8 when percent-decoded"))
    }
}

/// A request that has one faulty part.
pub(super) fn fault(field: &str, why: impl ToString) -> Problem {
    Problem::invalid(vec![FieldFault::new(field, why)])
}

/// Everything else that a request says.
#[derive(Clone, Default)]
pub(super) struct Given {
    receipts: Vec<String>,
    max_staleness: Option<Duration>,
    timeout: Option<Duration>,
    /// `None` for everything.
    pub(super) page_size: Option<i32>,
    pub(super) page_token: String,
    pub(super) allow_partial: bool,
    pub(super) sort: OrderSort,
    pub(super) customer_id: String,
    /// The caller's trace.
    trace: MetadataMap,
}

impl<S: Send + Sync> FromRequestParts<S> for Given {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = Self::default();
        if let Some(trace) = parts.headers.get("traceparent") {
            given.trace.as_mut().insert("traceparent", trace.clone());
        }
        let mut faults = Vec::new();
        let query = parts.uri.query().unwrap_or_default();
        if percent_decode_str(query).decode_utf8().is_err() {
            return Err(fault("query", "is not UTF-8 when percent-decoded"));
        }
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Err(why) = given.take(&name, value.into_owned()) {
                faults.push(FieldFault::new(&*name, why));
            }
        }
        if faults.is_empty() { Ok(given) } else { Err(Problem::invalid(faults)) }
    }
}

impl Given {
    /// Takes one parameter. One that is misspelt must not be passed over: an answer might then be
    /// older than what it was asked for.
    fn take(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "receipt" => self.receipts.push(value),
            "max_staleness" => self.max_staleness = Some(span(&value)?),
            "timeout" => {
                let timeout = Some(span(&value)?).filter(|timeout| *timeout <= LONGEST);
                self.timeout = Some(timeout.ok_or("must be at most 60s")?);
            }
            "page_token" => self.page_token = value,
            "customer_id" => self.customer_id = value,
            "page_size" => {
                let size = value.parse().ok().filter(|n| (1..=MAX_SIZE).contains(n));
                let size = size.and_then(|n| i32::try_from(n).ok());
                self.page_size = Some(size.ok_or_else(|| format!("must be 1 to {MAX_SIZE}"))?);
            }
            "allow_partial" => {
                self.allow_partial = value.parse().map_err(|_| "must be true or false")?;
            }
            "sort" => self.sort = sort(&value).ok_or("is not one of those in /openapi.json")?,
            _ => return Err("is no parameter; /openapi.json has them".into()),
        }
        Ok(())
    }

    /// How fresh the answer has to be.
    pub(super) fn freshness(&self) -> Option<v1::Freshness> {
        if self.receipts.is_empty() && self.max_staleness.is_none() {
            return None;
        }
        let max_staleness = self.max_staleness.and_then(|d| d.try_into().ok());
        Some(v1::Freshness { receipts: self.receipts.clone(), max_staleness })
    }

    /// The contract's request, with the caller's deadline and trace.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.trace.clone();
        if let Some(timeout) = self.timeout {
            request.set_timeout(timeout);
        }
        request
    }
}

/// A sort of orders by the end of its name in the contract, in small letters.
fn sort(text: &str) -> Option<OrderSort> {
    match text {
        "customer_id" => Some(OrderSort::CustomerId),
        "order_id" => Some(OrderSort::OrderId),
        "purchase_time" => Some(OrderSort::PurchaseTime),
        "purchase_time_descending" => Some(OrderSort::PurchaseTimeDescending),
        _ => None,
    }
}
