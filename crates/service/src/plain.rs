//! Plain HTTP beside gRPC on the same port: who may send and how many requests may be in hand, what
//! an unknown path or method gets, and how bodies and spans of time are read.

use crate::{
    edge::Edge,
    grpc::MAX_REQUEST_BYTES,
    problem::{METHOD_NOT_ALLOWED, NO_SUCH_PATH, Problem},
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Uri,
    header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::time::Duration;
use tower::ServiceExt as _;

/// Reason of a body that is larger than this server takes.
pub const BODY_TOO_LARGE: &str = "BODY_TOO_LARGE";
/// Reason of a body that did not come, or not in time.
pub const BODY_INCOMPLETE: &str = "BODY_INCOMPLETE";

/// How long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Gives the routes what all plain HTTP has.
pub(crate) fn routes(routes: Router, edge: Edge) -> Router {
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(edge, pass))
}

/// A request counts as in hand until its answer begins.
async fn pass(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let admitted = edge.check(&request).and_then(|()| edge.admit(request.uri().path()));
    let _slot = match admitted {
        Ok(slot) => slot,
        Err(fault) => return Problem::told(&fault.into(), str::to_owned).into_response(),
    };
    let mut response = next.run(request).await;
    // What comes from outside is in these answers; a browser must not guess that it is a page.
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let text = format!("{} can't be asked by {method}; the header Allow says how", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED, text)
}

/// What is none of the paths: a gRPC call, or unknown.
pub(crate) async fn other(State(grpc): State<Router>, request: Request) -> Response {
    let kind = request.headers().get(CONTENT_TYPE);
    let is_grpc = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    if is_grpc && request.method() == Method::POST {
        return grpc.oneshot(request).await.into_response();
    }
    let text = format!(
        "there is no {} here; /openapi.json has the paths, and a gRPC method is called by POST with \
         a Content-Type of application/grpc",
        request.uri().path()
    );
    Problem::new(StatusCode::NOT_FOUND, NO_SUCH_PATH, text).into_response()
}

/// Reads a request's body, at most [`MAX_REQUEST_BYTES`].
///
/// # Errors
/// 413 for a longer one, 408 for one that doesn't come, 400 for one that breaks off.
pub async fn body(body: Body) -> Result<Bytes, Problem> {
    let refuse = |status, text: String| Err(Problem::new(status, BODY_INCOMPLETE, text));
    let read = Limited::new(body, MAX_REQUEST_BYTES).collect();
    match tokio::time::timeout(BODY_WITHIN, read).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let text = format!("the body has more than {MAX_REQUEST_BYTES} bytes; send less");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, BODY_TOO_LARGE, text))
        }
        Ok(Err(_)) => refuse(StatusCode::BAD_REQUEST, "the body broke off; send again".into()),
        Err(_) => {
            let within = BODY_WITHIN.as_secs();
            let text = format!("the body did not come within {within} s; send again");
            refuse(StatusCode::REQUEST_TIMEOUT, text)
        }
    }
}

/// Reads a span of time as people write it: `500ms`, `2s`, `1m`.
///
/// # Errors
/// What to write instead.
pub fn span(text: &str) -> Result<Duration, &'static str> {
    const WRITE: &str = "is not a span of time; write 500ms, 2s or 1m";
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit);
    let n: u32 = digits.parse().map_err(|_| WRITE)?;
    match unit {
        "ms" => Ok(Duration::from_millis(n.into())),
        "s" => Ok(Duration::from_secs(n.into())),
        "m" => Ok(Duration::from_secs(u64::from(n) * 60)),
        _ => Err(WRITE),
    }
}

/// Whether the caller would rather see a page than JSON: a browser that sends a form, not a script.
#[must_use]
pub fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let place = |kind| accept.and_then(|accept| accept.find(kind));
    match (place("text/html"), place("application/json")) {
        (Some(page), Some(json)) => page < json,
        (page, _) => page.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let ms = |n| Ok(Duration::from_millis(n));
        for (text, expected) in
            [("500ms", ms(500)), ("0ms", ms(0)), ("2s", ms(2_000)), ("3m", ms(180_000))]
        {
            assert_eq!(span(text), expected, "{text}");
        }
        for text in ["", "5", "ms", "-1s", "1.5s", "1h", "1 s", "99999999999s", "٣s"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn browsers_get_pages_and_scripts_json() {
        let firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, expected) in [
            (firefox, true),
            ("*/*", false),
            ("application/json", false),
            ("application/json, text/html", false),
            ("text/html, application/json", true),
        ] {
            let headers = HeaderMap::from_iter([(http::header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(wants_page(&headers), expected, "{accept}");
        }
        assert!(!wants_page(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_413() {
        let full = vec![b'x'; MAX_REQUEST_BYTES];
        assert_eq!(body(full.clone().into()).await.unwrap().len(), MAX_REQUEST_BYTES);
        let larger = [full, vec![b'x']].concat();
        assert_eq!(body(larger.into()).await.unwrap_err().status, 413);
    }
}
