//! What the service config says about deadlines and retries, which is the same for all clients.

use serde::Deserialize;
use std::sync::LazyLock;
use std::time::Duration;
use tonic::Code;

/// Deadlines and retries of a call.
#[derive(Debug)]
pub(crate) struct Policy {
    /// How long a call may take with all its tries.
    pub(crate) timeout: Duration,
    /// How often a call is tried at most.
    pub(crate) tries: u32,
    first_pause: Duration,
    longest_pause: Duration,
    multiplier: f64,
    retried: Vec<Code>,
}

/// What `proto/service_config.json` says of every call that is no watch.
pub(crate) static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the text is part of the program, and tested")]
    read(include_str!("../../../proto/service_config.json")).expect("a service config")
});

impl Policy {
    /// Whether a failure of this code may be followed by another try.
    pub(crate) fn retries(&self, code: Code) -> bool {
        self.retried.contains(&code)
    }

    /// How long to wait after the `nth` try (from 1): it grows with each, by chance up to a fifth
    /// more or less, so that many clients don't call in step. Never less than what the service named.
    pub(crate) fn pause(&self, nth: u32, named: Option<Duration>) -> Duration {
        let grown = self.multiplier.powi(nth.clamp(1, 64).cast_signed() - 1);
        let own = (self.first_pause.as_secs_f64() * grown).min(self.longest_pause.as_secs_f64());
        let own = Duration::from_secs_f64(own * (0.8 + 0.4 * fastrand::f64()));
        own.max(named.unwrap_or_default())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceConfig {
    method_config: Vec<MethodConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MethodConfig {
    name: Vec<Name>,
    timeout: Option<String>,
    retry_policy: Option<RetryPolicy>,
}

#[derive(Deserialize)]
struct Name {
    method: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RetryPolicy {
    max_attempts: u32,
    initial_backoff: String,
    max_backoff: String,
    backoff_multiplier: f64,
    retryable_status_codes: Vec<String>,
}

fn read(text: &str) -> Option<Policy> {
    let config: ServiceConfig = serde_json::from_str(text).ok()?;
    let of_all = |config: &MethodConfig| config.name.iter().all(|name| name.method.is_none());
    let config = config.method_config.into_iter().find(of_all)?;
    let retry = config.retry_policy?;
    let codes = || (0..=16).map(Code::from);
    let code = |name: &String| codes().find(|code| crate::error::code_name(*code) == *name);
    Some(Policy {
        timeout: duration(&config.timeout?)?,
        tries: retry.max_attempts,
        first_pause: duration(&retry.initial_backoff)?,
        longest_pause: duration(&retry.max_backoff)?,
        multiplier: retry.backoff_multiplier,
        retried: retry.retryable_status_codes.iter().map(code).collect::<Option<_>>()?,
    })
}

/// Protobuf's JSON form of a duration, such as `0.25s`.
fn duration(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.strip_suffix('s')?.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_config_is_read() {
        assert_eq!((POLICY.timeout, POLICY.tries), (Duration::from_secs(10), 5));
        assert!(POLICY.retries(Code::Unavailable) && !POLICY.retries(Code::DeadlineExceeded));
        assert!(read("{}").is_none());
    }

    #[test]
    fn pauses_grow_within_their_bounds() {
        for (nth, millis) in [(1, 250), (2, 500), (3, 1_000), (5, 4_000), (40, 4_000)] {
            let whole = Duration::from_millis(millis);
            let pauses: Vec<_> = (0..200).map(|_| POLICY.pause(nth, None)).collect();
            assert!(pauses.iter().all(|p| *p >= whole * 4 / 5 && *p <= whole * 6 / 5), "{nth}");
            assert!(pauses.iter().any(|p| *p < whole) && pauses.iter().any(|p| *p > whole));
        }
    }

    #[test]
    fn the_service_names_the_least_pause() {
        let named = Duration::from_secs(6);
        assert_eq!(POLICY.pause(1, Some(named)), named);
        assert!(POLICY.pause(1, Some(Duration::from_millis(1))) >= Duration::from_millis(200));
    }
}
