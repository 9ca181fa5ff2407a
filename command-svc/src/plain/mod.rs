//! The HTTP paths of such demos, and the page. Each path makes the contract's request from a form or
//! from JSON, calls the method that gRPC calls, and answers with what was written.

mod forms;
mod given;
mod page;
mod shown;

pub use page::QueryUrl;

use axum::{
    Json, Router,
    extract::{Request, State},
    response::Response,
    routing::get,
};
use serde::Serialize;
use std::sync::Arc;
use tandem_proto::v1::{self, command_service_server::CommandService as _};
use tandem_service::{
    plain::wants_page,
    problem::{FieldProblem, Problem},
};
use tonic::Status;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::api::Api;
use forms::{CustomerForm, Form, GreetingForm, OrderForm};
use shown::{Written, shown};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tandem's command service",
        description = "Takes commands as forms or as JSON. gRPC (`tandem.v1.CommandService`) has more \
                       of them. A `receipt`, shown to the query service, makes its answer no older \
                       than the write.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem, FieldProblem))
)]
struct Described;

/// The routes, their description at `/openapi.json`, and the page, which calls the query services at
/// `query_urls`.
pub(crate) fn routes(api: Arc<Api>, query_urls: Vec<QueryUrl>) -> Router {
    let (routes, described) = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(create_customer))
        .routes(routes!(create_order))
        .routes(routes!(create_greeting))
        .with_state(api)
        .split_for_parts();
    routes
        .route("/openapi.json", get(async move || Json(described)))
        .merge(page::routes(query_urls))
}

/// Registers a customer, or replaces the one of that id.
#[utoipa::path(
    post,
    path = "/create-customer",
    params(given::Idempotency),
    request_body(content(
        (CustomerForm = "application/json"),
        (CustomerForm = "application/x-www-form-urlencoded"),
    )),
    responses((status = 202, body = Written<v1::Customer>), given::Refused)
)]
async fn create_customer(State(api): State<Arc<Api>>, request: Request) -> Response {
    take::<CustomerForm, _>(request, async move |asked| {
        let answer = api.create_customer(asked).await?.into_inner();
        Ok((answer.customer, answer.receipt))
    })
    .await
}

/// Places an order. The customer may be registered later.
#[utoipa::path(
    post,
    path = "/create-order",
    params(given::Idempotency),
    request_body(content(
        (OrderForm = "application/json"),
        (OrderForm = "application/x-www-form-urlencoded"),
    )),
    responses((status = 202, body = Written<v1::Order>), given::Refused)
)]
async fn create_order(State(api): State<Arc<Api>>, request: Request) -> Response {
    take::<OrderForm, _>(request, async move |asked| {
        let answer = api.place_order(asked).await?.into_inner();
        Ok((answer.order, answer.receipt))
    })
    .await
}

/// Sends a greeting.
#[utoipa::path(
    post,
    path = "/create-greeting",
    params(given::Idempotency),
    request_body(content(
        (GreetingForm = "application/json"),
        (GreetingForm = "application/x-www-form-urlencoded"),
    )),
    responses((status = 202, body = Written<v1::Greeting>), given::Refused)
)]
async fn create_greeting(State(api): State<Arc<Api>>, request: Request) -> Response {
    take::<GreetingForm, _>(request, async move |asked| {
        let answer = api.send_greeting(asked).await?.into_inner();
        Ok((answer.greeting, answer.receipt))
    })
    .await
}

/// Reads the form, calls the method, shows what was written or why nothing was.
async fn take<F: Form, W: Serialize>(
    request: Request,
    method: impl AsyncFnOnce(tonic::Request<F::Request>) -> Result<(Option<W>, String), Status>,
) -> Response {
    let wants_page = wants_page(request.headers());
    let written = async {
        let asked = given::read::<F>(request).await?;
        let (row, receipt) = method(asked).await.map_err(|status| given::problem(&status))?;
        // A method that answers has written what it answers with.
        let row = row.ok_or_else(|| given::problem(&Status::internal("nothing was written")))?;
        Ok::<_, Problem>(Written { row, receipt })
    };
    shown::<F, W>(written.await, wants_page)
}
