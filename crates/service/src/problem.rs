//! Errors of the HTTP paths: the same faults as over gRPC, told as RFC 9457 says. One table from
//! gRPC's codes to HTTP's.

use crate::status::{FieldFault, INVALID_REQUEST, RETRY_AFTER, in_words};
use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER as RETRY_AFTER_HEADER, X_CONTENT_TYPE_OPTIONS},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use utoipa::ToSchema;

/// Reason of a path that this port doesn't have.
pub const NO_SUCH_PATH: &str = "NO_SUCH_PATH";
/// Reason of a method that the path doesn't have; `Allow` names those that it has.
pub const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
/// Reason of a page in the web that may not call this service.
pub const ORIGIN_NOT_ALLOWED: &str = "ORIGIN_NOT_ALLOWED";

/// An error in answer to an HTTP request, as RFC 9457 says.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is: `urn:tandem:` and the reason.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the HTTP status is called.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// A constant that programs may match on; the same as in gRPC's `ErrorInfo`.
    pub reason: String,
    /// Every faulty field of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// Facts about it, for programs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<Duration>,
}

/// A faulty field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Its name, or the header's.
    pub field: String,
    /// What is wrong with it, as the rest of a sentence that the name begins.
    pub description: String,
}

impl Problem {
    /// A problem of that status.
    #[must_use]
    pub fn new(status: StatusCode, reason: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:tandem:{reason}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            reason: reason.to_owned(),
            errors: Vec::new(),
            metadata: BTreeMap::new(),
            retry_after: None,
        }
    }

    /// What `status` says. `name` turns the contract's names of fields into those of the request,
    /// in the message too.
    #[must_use]
    pub fn told(status: &Status, name: impl Fn(&str) -> String) -> Self {
        let details = status.get_error_details();
        let faults = details.bad_request().map(|bad| bad.field_violations.as_slice());
        let faults = faults.unwrap_or_default().iter();
        let faults: Vec<_> =
            faults.map(|f| FieldFault::new(name(&f.field), &f.description)).collect();
        let mut problem = match details.error_info() {
            None => Self::new(http_status(status.code()), "UNKNOWN", status.message()),
            Some(info) => Self::new(http_status(status.code()), &info.reason, status.message()),
        };
        if !faults.is_empty() {
            problem = problem.of_fields(faults);
        }
        let facts = details.error_info().map(|info| info.metadata.clone());
        problem.metadata = facts.unwrap_or_default().into_iter().collect();
        let wait = details.retry_info().and_then(|retry| retry.retry_delay);
        let is_unready = problem.status == StatusCode::SERVICE_UNAVAILABLE;
        problem.retry_after = wait.or(is_unready.then_some(RETRY_AFTER));
        problem
    }

    /// A problem with all the faulty fields of a request.
    #[must_use]
    pub fn invalid(faults: Vec<FieldFault>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_REQUEST, "").of_fields(faults)
    }

    fn of_fields(mut self, faults: Vec<FieldFault>) -> Self {
        self.detail = in_words(&faults);
        let problem = |f: FieldFault| FieldProblem { field: f.field, description: f.description };
        self.errors = faults.into_iter().map(problem).collect();
        self
    }

    /// The HTTP status, as a status.
    #[must_use]
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// When to come again, as the header `Retry-After` says it.
    #[must_use]
    pub fn retry_after(&self) -> Option<HeaderValue> {
        // The header has whole seconds, and 0 would be an invitation to spin.
        let seconds = |wait: Duration| wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.retry_after.map(|wait| HeaderValue::from(seconds(wait).max(1)))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status_code(), axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER_HEADER, wait);
        }
        response
    }
}

/// The HTTP status for a gRPC code. As `google.rpc.Code` has it, but for two: a view that did not
/// get fresh enough in time is "not ready", which is 503 and not 504, as trying again helps; and a
/// failed precondition is a conflict.
fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable | Code::DeadlineExceeded => StatusCode::SERVICE_UNAVAILABLE,
        Code::Cancelled | Code::Unknown | Code::Internal | Code::DataLoss => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Fault;

    fn told(fault: Fault) -> Problem {
        Problem::told(&fault.into(), str::to_uppercase)
    }

    #[test]
    fn what_is_not_ready_says_when_to_come_again() {
        let table = [
            (Fault::unavailable("AWAY", "x"), Some("1")),
            (Fault::unavailable("AWAY", "x").retry_after(Duration::from_millis(4_001)), Some("5")),
            (Fault::new(Code::DeadlineExceeded, "VIEW_BEHIND", "x"), Some("1")),
            (Fault::new(Code::NotFound, "GONE", "x"), None),
        ];
        for (fault, retry_after) in table {
            let problem = told(fault);
            let expected = if retry_after.is_some() { 503 } else { 404 };
            let response = problem.into_response();
            assert_eq!(response.status(), expected);
            let said = response.headers().get("retry-after").map(|v| v.to_str().unwrap());
            assert_eq!(said, retry_after);
            assert_eq!(response.headers()["content-type"], "application/problem+json");
        }
    }

    #[test]
    fn fields_are_named_as_the_caller_knows_them() {
        let faults = vec![FieldFault::new("a", "is odd"), FieldFault::new("b", "is even")];
        let problem = told(Fault::invalid(faults));
        assert_eq!((problem.status, &*problem.detail), (400, "A is odd; B is even"));
        assert_eq!(problem.errors[1].field, "B");
        let json = serde_json::to_value(problem).unwrap();
        assert_eq!(json["type"], "urn:tandem:INVALID_REQUEST");
        assert_eq!(json["title"], "Bad Request");
        assert_eq!(json["errors"][0]["description"], "is odd");
        assert!(json.get("metadata").is_none());
    }
}
