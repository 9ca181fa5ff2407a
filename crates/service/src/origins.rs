//! Which pages in the web may call a service from a browser: its own, those of the pair that it
//! belongs to, and those that the operator names.
//!
//! Tandem has no log-in, so a browser inside somebody's network is all it takes to reach it from any
//! page that its user opens. Answers are kept from other pages by CORS; a form that another page
//! sends needs no answer to do harm, so that is refused by its `Origin`.

use crate::{problem::ORIGIN_NOT_ALLOWED, status::Fault};
use axum::extract::Request;
use clap::Args;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Uri,
    header::{HOST, LINK, ORIGIN, RETRY_AFTER},
    uri::Authority,
};
use std::time::Duration;
use tonic::Code;
use tower_http::cors::{self, AllowHeaders, CorsLayer};

/// What browsers may show to pages of other origins, besides what they always may.
const SHOWN: [&str; 7] = [
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "tandem-instance",
    "tandem-forwarded",
    "tandem-position",
    "tandem-staleness-ms",
];

/// For how long a browser need not ask again.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// The flag, to be flattened into a process's settings.
#[derive(Debug, Clone, Default, Args)]
pub struct AllowOrigin {
    /// Pages from elsewhere that may call from a browser, by origin (http://HOST[:PORT] or https://),
    /// several with commas between. The page that Tandem serves itself need not be named where it has
    /// the same host as what it calls, and for a query service port 8090.
    #[arg(
        long,
        env = "TANDEM_ALLOW_ORIGIN",
        value_name = "ORIGIN[,ORIGIN...]",
        value_delimiter = ','
    )]
    pub allow_origin: Vec<String>,
}

impl AllowOrigin {
    /// Everything that is wrong with it.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let wrong = self.allow_origin.iter().filter(|origin| !is_origin(origin));
        wrong
            .map(|origin| {
                format!(
                    "--allow-origin has {origin:?}; give http://HOST[:PORT] or https://HOST[:PORT]"
                )
            })
            .collect()
    }

    /// Those origins, and pages on the same host at port `beside`.
    #[must_use]
    pub fn origins(&self, beside: Option<u16>) -> Origins {
        Origins { named: self.allow_origin.clone(), beside }
    }
}

/// Whether it is an origin as browsers write it.
#[must_use]
pub fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let authority = rest.and_then(|rest| rest.parse::<Authority>().ok());
    authority.is_some_and(|a| !a.host().is_empty() && !a.as_str().contains('@'))
}

/// What the caller called this host: `Host`, or what HTTP/2 has instead.
#[must_use]
pub fn called(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    let given = headers.get(HOST).and_then(|host| host.to_str().ok()?.parse().ok());
    given.or_else(|| uri.authority().cloned())
}

/// The origins that may call a service, besides its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// Those that the operator names.
    pub named: Vec<String>,
    /// The port of a page on the same host, by whatever name the host was called.
    pub beside: Option<u16>,
}

impl Origins {
    /// Whether a page of that origin may call this service, as `host`.
    fn admits(&self, origin: &HeaderValue, host: Option<Authority>) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        if self.named.iter().any(|named| named == origin) {
            return true;
        }
        let (Some(host), Ok(page)) = (host, origin.parse::<Uri>()) else { return false };
        let port = |authority: &Authority| authority.port_u16();
        let Some(page) = page.authority() else { return false };
        page.host() == host.host()
            && (port(page) == port(&host) || (self.beside.is_some() && port(page) == self.beside))
    }

    /// Refuses what a page of another origin sends. Reading is left to CORS: a browser doesn't show
    /// such a page the answer.
    pub(crate) fn check(&self, request: &Request) -> Result<(), Fault> {
        let host = || called(request.headers(), request.uri());
        match request.headers().get(ORIGIN) {
            Some(origin) if !request.method().is_safe() && !self.admits(origin, host()) => {
                let text = "a page of this origin may not call here; its operator may allow it with \
                            --allow-origin";
                Err(Fault::new(Code::PermissionDenied, ORIGIN_NOT_ALLOWED, text))
            }
            _ => Ok(()),
        }
    }

    /// What tells browsers who may read the answers.
    pub(crate) fn cors(&self) -> CorsLayer {
        let this = self.clone();
        let shown = SHOWN.map(HeaderName::from_static).into_iter().chain([LINK, RETRY_AFTER]);
        CorsLayer::new()
            .allow_origin(cors::AllowOrigin::predicate(move |origin, head| {
                this.admits(origin, called(&head.headers, &head.uri))
            }))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(shown.collect::<Vec<_>>())
            .max_age(REMEMBERED)
            .vary([ORIGIN])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_origin() {
        for (text, expected) in [
            ("http://a", true),
            ("https://a.example:8443", true),
            ("http://[::1]:8090", true),
            ("a", false),
            ("ftp://a", false),
            ("http://a/", false),
            ("http://a:b@c", false),
            ("null", false),
            ("*", false),
        ] {
            assert_eq!(is_origin(text), expected, "{text}");
        }
        let given = AllowOrigin { allow_origin: vec!["http://a".into(), "*".into()] };
        assert_eq!(given.faults().len(), 1);
    }

    #[test]
    fn who_may_call() {
        let origins = AllowOrigin { allow_origin: vec!["https://shop.example".into()] };
        let origins = origins.origins(Some(8090));
        for (origin, expected) in [
            ("https://shop.example", true),
            ("https://shop.example:444", false),
            ("http://query:8095", true),
            ("http://query:8090", true),
            ("http://query:8091", false),
            ("http://query", false),
            ("http://other:8090", false),
            ("http://query.other:8090", false),
            ("null", false),
        ] {
            let host = Some(Authority::from_static("query:8095"));
            assert_eq!(origins.admits(&origin.parse().unwrap(), host), expected, "{origin}");
        }
        let (alone, host) = (Origins::default(), || Some(Authority::from_static("a")));
        assert!(alone.admits(&"http://a".parse().unwrap(), host()));
        assert!(!alone.admits(&"http://a:1".parse().unwrap(), host()));
        assert!(!alone.admits(&"http://a".parse().unwrap(), None));
    }

    #[test]
    fn what_the_service_was_called() {
        let host = HeaderMap::from_iter([(HOST, "a:1".parse().unwrap())]);
        let (path, whole) = (Uri::from_static("/x"), Uri::from_static("http://b:2/x"));
        assert_eq!(called(&host, &path).unwrap(), "a:1");
        assert_eq!(called(&HeaderMap::new(), &whole).unwrap(), "b:2", "as HTTP/2 has it");
        assert_eq!(called(&HeaderMap::new(), &path), None);
    }
}
