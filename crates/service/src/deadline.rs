//! Until when an answer is of use to the caller.
//!
//! The transport cuts a call off at `grpc-timeout` with a bare status, and so does the caller's
//! own side. A service therefore stops a little earlier, while there is still time to send an
//! error that says what the matter was.

use http::HeaderMap;
use std::time::Duration;
use tokio::time::Instant;
use tonic::Request;

/// How long a call may take when the caller set no `grpc-timeout`.
pub const DEFAULT: Duration = Duration::from_secs(10);

/// The longest that any call is waited for, whatever the caller asks: a wait without a bound
/// keeps what it waits for in memory without a bound.
pub const LONGEST: Duration = Duration::from_secs(3600);

const HEADER: &str = "grpc-timeout";

/// The time is up; nothing more is known of what was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline has passed")]
pub struct Expired;

/// The moment by which a service answers. It lies before the caller's own deadline by a tenth of
/// the time allowed, at most 100 ms, so that the answer still reaches the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    at: Instant,
}

impl Deadline {
    /// The deadline of a call that has just come in: its `grpc-timeout`, else [`DEFAULT`].
    pub fn of<T>(request: &Request<T>) -> Self {
        Self::within(timeout(request.metadata().as_ref()).unwrap_or(DEFAULT))
    }

    /// The deadline of a caller that waits for `timeout` from now on.
    #[must_use]
    pub fn within(timeout: Duration) -> Self {
        let timeout = timeout.min(LONGEST);
        Self { at: Instant::now() + (timeout - margin(timeout)) }
    }

    /// When it is.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }

    /// How long it is until then; zero once it has passed. A call to a peer is given this.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The same, or `within` from now if that comes first.
    #[must_use]
    pub fn or_within(self, within: Duration) -> Self {
        Self { at: self.at.min(Instant::now() + within) }
    }

    /// Waits for `work`, until the deadline.
    ///
    /// # Errors
    /// [`Expired`] when the deadline comes first; `work` is dropped then.
    pub async fn bound<F: Future>(&self, work: F) -> Result<F::Output, Expired> {
        tokio::time::timeout_at(self.at, work).await.map_err(|_| Expired)
    }
}

/// How long before the caller's deadline a service answers.
fn margin(timeout: Duration) -> Duration {
    (timeout / 10).min(Duration::from_millis(100))
}

/// When the edge answers in place of a handler that let its [`Deadline`] pass, or that has not
/// even got its whole request: half the margin before the caller gives up. The last millisecond
/// is left out because timers have no finer step, and the transport's own timer must not win.
pub(crate) fn last_call(headers: &HeaderMap) -> Duration {
    let timeout = timeout(headers).unwrap_or(DEFAULT).min(LONGEST);
    timeout.saturating_sub((margin(timeout) / 2).max(Duration::from_millis(1)))
}

/// What `grpc-timeout` says: up to eight digits and a unit. Anything else counts as not given, as
/// the transport takes it.
#[must_use]
pub fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(n * 3600)),
        "M" => Some(Duration::from_secs(n * 60)),
        "S" => Some(Duration::from_secs(n)),
        "m" => Some(Duration::from_millis(n)),
        "u" => Some(Duration::from_micros(n)),
        "n" => Some(Duration::from_nanos(n)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HEADER.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn reads_what_grpc_defines_and_nothing_else() {
        let ms = |n| Some(Duration::from_millis(n));
        let table = [
            ("1H", ms(3_600_000)),
            ("2M", ms(120_000)),
            ("3S", ms(3_000)),
            ("250m", ms(250)),
            ("5000u", ms(5)),
            ("7000000n", ms(7)),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("0n", ms(0)),
            ("", None),
            ("S", None),
            ("5", None),
            ("-5S", None),
            ("123456789S", None),
            ("5s", None),
        ];
        for (text, expected) in table {
            assert_eq!(timeout(&headers(text)), expected, "{text:?}");
        }
        assert_eq!(timeout(&HeaderMap::new()), None);
    }

    #[test]
    fn answers_before_the_caller_gives_up() {
        let table = [(0, 0), (100, 90), (1_000, 900), (10_000, 9_900), (60_000, 59_900)];
        for (timeout, kept) in table {
            let timeout = Duration::from_millis(timeout);
            assert_eq!((timeout - margin(timeout)).as_millis(), kept);
        }
        let last = |text| last_call(&headers(text)).as_micros();
        assert_eq!((last("10S"), last("100m"), last("1m")), (9_950_000, 95_000, 0));
        assert_eq!((last("99999999H"), last("?")), (3_599_950_000, 9_950_000));
    }

    #[tokio::test]
    async fn a_caller_without_timeout_gets_the_default() {
        let left = Deadline::of(&Request::new(())).remaining();
        assert!(left <= Duration::from_millis(9_900) && left > Duration::from_secs(5), "{left:?}");
    }

    #[tokio::test]
    async fn bounds_a_wait() {
        let deadline = Deadline::within(Duration::from_millis(50));
        assert_eq!(deadline.bound(std::future::ready(1)).await, Ok(1));
        assert_eq!(deadline.bound(std::future::pending::<()>()).await, Err(Expired));
        assert_eq!(deadline.remaining(), Duration::ZERO);
    }
}
