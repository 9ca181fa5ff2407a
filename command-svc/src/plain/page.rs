//! The page: files built from `web/`, embedded in this program, and told where the query services
//! are. It is a client like any other and has no paths of its own here.

use axum::{
    Router,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode, Uri,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY},
    uri::Authority,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rust_embed::RustEmbed;
use std::{str::FromStr, sync::Arc};
use tandem_service::{
    origins::{called, is_origin},
    problem::{NO_SUCH_PATH, Problem},
};
use tower_http::compression::CompressionLayer;

/// What the build of the page leaves for the addresses of the query services.
const PLACEHOLDER: &str = "__TANDEM_QUERY__";

#[derive(RustEmbed)]
#[folder = "../web/dist"]
struct Built;

/// Where the page in a browser reaches a query service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryUrl {
    /// At this origin.
    At(String),
    /// At this port of the host that the page came from, by whatever name that was called.
    Beside(u16),
}

impl FromStr for QueryUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let beside = text.strip_prefix(':').and_then(|port| port.parse().ok());
        match beside.filter(|port| *port > 0) {
            Some(port) => Ok(Self::Beside(port)),
            None if is_origin(text) => Ok(Self::At(text.to_owned())),
            None => {
                Err("give http://HOST[:PORT], https://HOST[:PORT], or :PORT for the host that \
                         the page comes from"
                    .to_owned())
            }
        }
    }
}

impl QueryUrl {
    /// The address for a browser that called `host`.
    fn seen_from(&self, host: Option<&Authority>) -> Option<String> {
        match self {
            Self::At(url) => Some(url.clone()),
            Self::Beside(port) => Some(format!("http://{}:{port}", host?.host())),
        }
    }
}

pub(super) fn routes(query_urls: Vec<QueryUrl>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/assets/{*path}", get(asset))
        .route("/licenses.md", get(async || file("licenses.md", "text/plain; charset=utf-8")))
        .with_state(query_urls.into())
        .layer(CompressionLayer::new())
}

/// The stylesheets of the page, for other pages.
pub(super) fn stylesheets() -> impl Iterator<Item = String> {
    Built::iter().filter(|path| path.ends_with(".css")).map(String::from)
}

/// An id as a part of a path.
pub(super) fn in_path(id: &str) -> String {
    utf8_percent_encode(id, NON_ALPHANUMERIC).to_string()
}

async fn index(State(query_urls): State<Arc<[QueryUrl]>>, request: Request) -> Response {
    let host = host(request.headers(), request.uri());
    let urls: Vec<_> = query_urls.iter().filter_map(|url| url.seen_from(host.as_ref())).collect();
    let file = Built::get("index.html");
    let file = file.as_ref().map(|file| String::from_utf8_lossy(&file.data));
    match file {
        Some(file) => html(StatusCode::OK, file.replace(PLACEHOLDER, &urls.join(" ")), &urls),
        None => missing("/"),
    }
}

/// These are named by what is in them, so they can be kept for ever.
async fn asset(Path(path): Path<String>) -> Response {
    let kind = match path.rsplit('.').next() {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let mut response = file(&format!("assets/{path}"), kind);
    if response.status().is_success() {
        let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(CACHE_CONTROL, for_ever);
    }
    response
}

fn file(path: &str, kind: &'static str) -> Response {
    match Built::get(path) {
        Some(file) => ([(CONTENT_TYPE, kind)], file.data).into_response(),
        None => missing(&format!("/{path}")),
    }
}

fn missing(path: &str) -> Response {
    let text = format!("there is no {path} here");
    Problem::new(StatusCode::NOT_FOUND, NO_SUCH_PATH, text).into_response()
}

/// A page that may load what this service serves, call this service and `query_urls`, and nothing
/// else: whatever a name or a message holds, it can't become a script.
pub(super) fn html(status: StatusCode, body: String, query_urls: &[String]) -> Response {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self' {}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        query_urls.join(" ")
    );
    let mut headers = HeaderMap::new();
    let fixed: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
    // Addresses are checked where they come from, so this can be a header.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    (status, headers, body).into_response()
}

/// What the browser called this host. A name that is none could say more in the policy than a
/// name, so it counts as not given.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    let host = called(headers, uri)?;
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    host.host().chars().all(is_of_a_name).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::HOST;

    #[test]
    fn where_the_query_services_are() {
        let host: Authority = "localhost:8090".parse().unwrap();
        let seen = |text: &str| text.parse::<QueryUrl>().unwrap().seen_from(Some(&host)).unwrap();
        assert_eq!(seen(":8095"), "http://localhost:8095");
        assert_eq!(seen("https://query.example"), "https://query.example");
        for text in ["", "8095", ":0", ":x", "query:8095", "http://a/b", "http://a b"] {
            assert!(text.parse::<QueryUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_nothing() {
        for (text, expected) in [
            ("localhost:8090", Some("localhost")),
            ("[::1]:8090", Some("[::1]")),
            ("a_b.example", Some("a_b.example")),
            ("a;script-src", None),
            ("a&b", None),
            ("*", None),
        ] {
            let headers = HeaderMap::from_iter([(HOST, text.parse().unwrap())]);
            let host = host(&headers, &Uri::default());
            assert_eq!(host.as_ref().map(Authority::host), expected, "{text}");
        }
    }

    #[test]
    fn the_built_page_has_a_place_for_them() {
        let index = Built::get("index.html").unwrap();
        assert_eq!(String::from_utf8_lossy(&index.data).matches(PLACEHOLDER).count(), 1);
    }
}
