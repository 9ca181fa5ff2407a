//! What a form's sender gets to see: JSON, or in a browser a page that works without any script.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::RETRY_AFTER};
use maud::{DOCTYPE, Markup, html};
use serde::Serialize;
use serde_json::Value;
use tandem_service::problem::Problem;
use utoipa::ToSchema;

use super::{forms::Form, page};

/// What was written, and proof of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Written<W> {
    #[serde(flatten)]
    pub(super) row: W,
    /// Proof of the write, for the query service's `receipt`.
    pub(super) receipt: String,
}

pub(super) fn shown<F: Form, W: Serialize>(
    written: Result<Written<W>, Problem>,
    wants_page: bool,
) -> Response {
    match (written, wants_page) {
        (Ok(written), false) => (StatusCode::ACCEPTED, Json(written)).into_response(),
        (Err(problem), false) => problem.into_response(),
        (Ok(written), true) => {
            let title = format!("{} taken", F::WHAT);
            page(StatusCode::ACCEPTED, &title, &taken(&written))
        }
        (Err(problem), true) => {
            let title = format!("{} not taken", F::WHAT);
            let mut response = page(problem.status_code(), &title, &refused(&problem));
            if let Some(wait) = problem.retry_after() {
                response.headers_mut().insert(RETRY_AFTER, wait);
            }
            response
        }
    }
}

fn taken<W: Serialize>(written: &Written<W>) -> Markup {
    let fields = serde_json::to_value(written).unwrap_or_default();
    let fields = fields.as_object().cloned().unwrap_or_default();
    let customer = fields.get("customerId").and_then(Value::as_str);
    html! {
        p { "It is on the log for good. The view shows it in a moment." }
        dl {
            @for (name, value) in &fields {
                dt { (name) }
                dd { (value.as_str().unwrap_or_default()) }
            }
        }
        @if let Some(id) = customer {
            p { a href=(format!("/#/customers/{}", page::in_path(id))) { "See this customer" } }
        }
    }
}

fn refused(problem: &Problem) -> Markup {
    html! {
        @if problem.errors.is_empty() {
            p { (problem.detail) }
        } @else {
            p { "Nothing was written. Go back and mend this:" }
            ul {
                @for error in &problem.errors {
                    li { b { (error.field) } " " (error.description) }
                }
            }
        }
    }
}

fn page(status: StatusCode, title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) " · Tandem" }
                @for path in page::stylesheets() { link rel="stylesheet" href=(format!("/{path}")); }
            }
            body {
                main {
                    h1 { (title) }
                    (body)
                    p { a href="/" { "Tandem" } }
                }
            }
        }
    };
    page::html(status, page.into_string(), &[])
}
