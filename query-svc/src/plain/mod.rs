//! The HTTP paths of such demos, over the same methods as gRPC: each handler makes the contract's
//! request, calls the method in this process, and writes the contract's answer as JSON.

mod given;
mod lists;
mod rows;
mod sheets;

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use tandem_proto::v1::{self, query_service_server::QueryService as _};
use tandem_service::problem::Problem;
use tonic::{Code, Status};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{api::Api, page::MAX_SIZE};
use given::{Given, Id};

pub(crate) use sheets::LONG_ANSWERS;

/// Reason of a shard that the view doesn't have.
const NO_SUCH_SHARD: &str = "NO_SUCH_SHARD";

#[derive(OpenApi)]
#[openapi(info(
    title = "Tandem's query service",
    description = "The joined view of customers and their orders, as JSON. The same answers as over \
                   gRPC (`tandem.v1.QueryService`), with the same routing: any instance answers for \
                   every row. What an answer is of stands in the headers `Tandem-Instance`, \
                   `Tandem-Forwarded`, `Tandem-Staleness-Ms` and `Tandem-Position`; a position may be \
                   shown as a `receipt`.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Described;

/// The routes, and their description at `/openapi.json`.
pub(crate) fn routes(api: Api) -> Router {
    let (routes, described) = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(customer))
        .routes(routes!(order))
        .routes(routes!(rows::customer_orders))
        .routes(routes!(lists::customers))
        .routes(routes!(lists::orders))
        .routes(routes!(lists::customer_orders))
        .routes(routes!(lists::greetings))
        .routes(routes!(instances))
        .routes(routes!(instances_of))
        .with_state(api)
        .split_for_parts();
    routes.route("/openapi.json", get(async move || Json(described)))
}

/// One customer.
#[utoipa::path(
    get,
    path = "/store/customer/{id}",
    params(("id" = String, Path, description = "The customer's id.",
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"), given::Fresh),
    responses(
        (status = 200, body = v1::Customer),
        (status = 204, description = "No such customer is registered."),
        given::Refused,
    )
)]
async fn customer(State(api): State<Api>, id: Id, given: Given) -> Result<Response, Problem> {
    let request = v1::GetCustomerRequest { customer_id: id.0, freshness: given.freshness() };
    match api.get_customer(given.request(request)).await {
        Ok(answer) => {
            let v1::GetCustomerResponse { customer, served } = answer.into_inner();
            Ok((told(served.as_ref()), Json(customer)).into_response())
        }
        Err(status) => none(&status),
    }
}

/// One order.
#[utoipa::path(
    get,
    path = "/store/order/{id}",
    params(
        ("id" = String, Path, description = "The order's id.",
            pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"),
        ("customer_id" = Option<String>, Query, nullable = false,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*$",
            description = "Whose order; needed if more than one customer has an order of that id."),
        given::Fresh,
    ),
    responses(
        (status = 200, body = v1::Order),
        (status = 204, description = "There is no such order."),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "More than one customer has an order of that id."),
        given::Refused,
    )
)]
async fn order(State(api): State<Api>, id: Id, given: Given) -> Result<Response, Problem> {
    let (customer_id, freshness) = (given.customer_id.clone(), given.freshness());
    let request = v1::GetOrderRequest { order_id: id.0, customer_id, freshness };
    match api.get_order(given.request(request)).await {
        Ok(answer) => {
            let v1::GetOrderResponse { order, served } = answer.into_inner();
            Ok((told(served.as_ref()), Json(order)).into_response())
        }
        Err(status) => none(&status),
    }
}

/// The instances, and the shards that each of them has; the one that answers first.
#[utoipa::path(
    get,
    path = "/store/instances",
    responses((status = 200, body = v1::ListInstancesResponse))
)]
async fn instances(State(api): State<Api>) -> Json<v1::ListInstancesResponse> {
    Json(api.all_instances())
}

/// The instances that have a shard, each with that shard alone.
#[utoipa::path(
    get,
    path = "/store/instances/{shard}",
    params(("shard" = u32, Path, description = "Which shard, counted from 0.")),
    responses(
        (status = 200, body = v1::ListInstancesResponse),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
async fn instances_of(
    State(api): State<Api>,
    Id(shard): Id,
) -> Result<Json<v1::ListInstancesResponse>, Problem> {
    let mut all = api.all_instances();
    let shard: u32 = shard.parse().map_err(|_| given::fault("shard", "is not a number"))?;
    if shard >= all.shard_count {
        let text = format!("there is no shard {shard}; the view has 0 to {}", all.shard_count - 1);
        return Err(Problem::new(StatusCode::NOT_FOUND, NO_SUCH_SHARD, text));
    }
    for instance in &mut all.instances {
        instance.shards.retain(|held| held.shard == shard);
    }
    all.instances.retain(|instance| !instance.shards.is_empty());
    Ok(Json(all))
}

/// What an error means to somebody who asked for one row.
fn none(status: &Status) -> Result<Response, Problem> {
    match status.code() {
        Code::NotFound => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(problem(status)),
    }
}

/// What an error is called here: fields by the names of the parameters.
fn problem(status: &Status) -> Problem {
    Problem::told(status, |field| match field.strip_prefix("freshness.") {
        Some("max_staleness") => "max_staleness".into(),
        Some(_) => "receipt".into(),
        None if matches!(field, "customer_id" | "order_id") => "id".into(),
        None => field.into(),
    })
}

/// Who answered, from what, as headers.
fn told(served: Option<&v1::Served>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    let Some(served) = served else { return headers };
    let staleness = served.staleness.and_then(|d| std::time::Duration::try_from(d).ok());
    let staleness = staleness.map(|d| d.as_millis().to_string());
    let forwarded = HeaderValue::from_static(if served.forwarded { "true" } else { "false" });
    headers.insert(HeaderName::from_static("tandem-forwarded"), forwarded);
    for (name, value) in [
        ("tandem-instance", Some(&*served.instance_id)),
        ("tandem-position", Some(&*served.position)),
        ("tandem-staleness-ms", staleness.as_deref()),
    ] {
        // An instance's name is of letters, digits and a few signs, a position of base64.
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// An answer of JSON that is written already.
fn json(mut headers: HeaderMap, body: Body) -> Response {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (headers, body).into_response()
}

/// The page size to ask with when everything is wanted.
const WHOLE: i32 = MAX_SIZE as i32;
