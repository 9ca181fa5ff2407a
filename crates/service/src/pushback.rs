//! When gRPC's own retries may try again.
//!
//! They know nothing of `RetryInfo`. What they take is `grpc-retry-pushback-ms` (gRPC's proposal A6),
//! in place of the growing and varied pauses of their service config. So it has to grow and vary
//! itself; and where the caller's time would be up before the next try, it has to forbid that one, as
//! the caller would otherwise wait for it and then be told of a deadline instead of of this error.

use crate::deadline;
use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderValue};
use std::time::{Duration, Instant};

/// What `RetryInfo` says, in milliseconds.
pub(crate) const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// How often the caller's gRPC has tried this call before, if it did.
const PREVIOUS_TRIES: &str = "grpc-previous-rpc-attempts";

/// The longest that tries are put apart on account of their number: as long as the published
/// service config does (`maxBackoff`).
const LONGEST: u64 = 4_000;

/// By how many hundredths a pause may be longer, so that callers that were refused together don't
/// come back together.
const VARIED: u64 = 40;

/// No further try.
const NONE: HeaderValue = HeaderValue::from_static("-1");

/// Middleware around gRPC routes whose errors may have a pushback.
pub async fn pass(request: Request, next: Next) -> Response {
    let tries = number(request.headers(), PREVIOUS_TRIES).unwrap_or(0);
    let (began, timeout) = (Instant::now(), deadline::timeout(request.headers()));
    let mut response = next.run(request).await;
    if let Some(wait) = number(response.headers(), PUSHBACK) {
        let left = timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
        let pause = pause(wait, tries, fastrand::u64(0..=VARIED));
        let in_time = left.is_none_or(|left| Duration::from_millis(pause) < left);
        response.headers_mut().insert(PUSHBACK, if in_time { pause.into() } else { NONE });
    }
    response
}

/// Never less than `wait`; all in milliseconds but for `varied`, which is in hundredths.
fn pause(wait: u64, tries: u64, varied: u64) -> u64 {
    let grown = wait.saturating_mul(1 << tries.min(4)).min(LONGEST).max(wait);
    grown.saturating_add(grown / 100 * varied)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn pauses_grow_with_the_tries_and_are_never_shorter_than_asked() {
        for (wait, tries, varied, expected) in [
            (250, 0, 0, 250),
            (250, 1, 0, 500),
            (250, 1, 40, 700),
            (250, 3, 0, 2_000),
            (250, 9, 0, 4_000),
            (5_000, 2, 10, 5_500),
            (u64::MAX, 9, 40, u64::MAX),
        ] {
            assert_eq!(pause(wait, tries, varied), expected, "{wait} {tries} {varied}");
        }
    }
}
