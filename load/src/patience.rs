//! When a request is sent again, after how long, and when to give up.
//!
//! Giving up is decided for a service as a whole, not for a request: while other requests succeed,
//! one that fails goes on (its shard may be moving); when none has succeeded for the set time, the
//! service is taken to be gone.

use crate::fault::Fault;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tandem_client::Error;
use tokio::time::Instant;
use tonic::Code;

/// The first pause where the service names none; it doubles with each try.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause, whatever the service says: a service that is back should not stand idle.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How much is left for one service.
#[derive(Debug)]
pub(crate) struct Patience {
    who: String,
    limit: Duration,
    failing_since: Mutex<Option<Instant>>,
    retries: AtomicU64,
}

/// Why a request was not sent again.
#[derive(Debug)]
pub(crate) enum GaveUp {
    /// The service's answer is final.
    Answered(Error),
    /// No request succeeded for this long; the last answer.
    Exhausted(Duration, Error),
}

impl Patience {
    /// For the service that is called `who` in messages.
    pub(crate) fn new(who: String, limit: Duration) -> Self {
        Self { who, limit, failing_since: Mutex::new(None), retries: AtomicU64::new(0) }
    }

    /// How often a request was sent again.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Makes a request until it is answered or patience runs out.
    pub(crate) async fn call<T, A>(&self, mut request: impl FnMut() -> A) -> Result<T, GaveUp>
    where
        A: Future<Output = Result<T, Error>>,
    {
        let mut tries = 0;
        loop {
            let error = match request().await {
                Ok(response) => {
                    self.succeeded();
                    return Ok(response);
                }
                Err(error) => error,
            };
            if !may_be_sent_again(&error) {
                self.succeeded();
                return Err(GaveUp::Answered(error));
            }
            let waited = self.failed();
            if waited >= self.limit {
                return Err(GaveUp::Exhausted(waited, error));
            }
            let left = self.limit.saturating_sub(waited) + Duration::from_millis(1);
            tokio::time::sleep(pause(error.retry_delay(), tries).min(left)).await;
            self.retries.fetch_add(1, Ordering::Relaxed);
            tries += 1;
        }
    }

    /// Puts into words that `what` was given up.
    pub(crate) fn fault(&self, what: String, gave_up: GaveUp) -> Fault {
        let who = self.who.clone();
        match gave_up {
            GaveUp::Answered(error) => Fault::Refused { who, what, why: words(&error) },
            GaveUp::Exhausted(waited, error) => {
                Fault::Unavailable { who, waited, last: words(&error) }
            }
        }
    }

    /// Puts into words that the answer to `what` breaks the contract.
    pub(crate) fn breach(&self, what: String, answer: &'static str) -> Fault {
        Fault::Breach { who: self.who.clone(), what, answer }
    }

    fn succeeded(&self) {
        *self.failing_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn failed(&self) -> Duration {
        let mut since = self.failing_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.get_or_insert_with(Instant::now).elapsed()
    }
}

/// These codes promise a later success; INTERNAL does where no service said it, as of a stream that
/// was broken off. All requests made here are safe to repeat: queries change nothing and commands
/// carry a request id.
fn may_be_sent_again(error: &Error) -> bool {
    match error.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => true,
        Code::Internal => !error.is_of_tandem(),
        _ => false,
    }
}

fn pause(asked: Option<Duration>, tries: u32) -> Duration {
    let own = || FIRST_PAUSE * 2_u32.saturating_pow(tries.min(8));
    asked.unwrap_or_else(own).clamp(Duration::from_millis(1), LONGEST_PAUSE)
}

fn words(error: &Error) -> String {
    format!("{:?}: {error}", error.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Status;
    use tonic_types::{ErrorDetails, StatusExt as _};

    #[test]
    fn only_what_may_succeed_later_is_sent_again() {
        let error = |code| Error::from(Status::new(code, ""));
        for code in [Code::Unavailable, Code::DeadlineExceeded, Code::Internal] {
            assert!(may_be_sent_again(&error(code)), "{code:?}");
        }
        for code in [Code::InvalidArgument, Code::NotFound, Code::Unknown] {
            assert!(!may_be_sent_again(&error(code)), "{code:?}");
        }
        let details = ErrorDetails::with_error_info("STORE_FAILED", "tandem.v1", []);
        let broken = Status::with_error_details(Code::Internal, "", details);
        assert!(!may_be_sent_again(&broken.into()));
    }

    #[test]
    fn the_service_says_how_long_to_pause_within_bounds() {
        let asked = |ms| Some(Duration::from_millis(ms));
        assert_eq!(pause(asked(120), 5), Duration::from_millis(120));
        assert_eq!(pause(asked(60_000), 0), LONGEST_PAUSE);
        assert_eq!(pause(None, 1), Duration::from_millis(100));
        assert_eq!(pause(None, 40), LONGEST_PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_elsewhere_gives_new_patience() {
        let patience = Patience::new("the service".into(), Duration::from_millis(80));
        let gone = async {
            patience.call::<(), _>(|| async { Err(Status::unavailable("gone").into()) }).await
        };
        let fine = async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            patience.call(|| async { Ok(()) }).await
        };
        let started = Instant::now();
        let (gone, fine) = tokio::join!(gone, fine);
        assert!(fine.is_ok() && matches!(gone, Err(GaveUp::Exhausted(..))));
        // It began anew after 60 ms, with the first try after that.
        assert!(started.elapsed() >= Duration::from_millis(140), "{:?}", started.elapsed());
        assert!(patience.retries() > 0);
    }
}
