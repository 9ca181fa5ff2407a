//! Makes a call until it is answered, the tries are used up or the time is: on the address whose
//! turn it is, then on the others.

use crate::error::Error;
use crate::policy::POLICY;
use crate::turns::{Address, Turns};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::Code;

/// How long an address that hasn't answered yet may take, while there are others to ask. A host
/// where connections are taken and nothing is ever said is passed over after this.
const REACH: Duration = Duration::from_secs(2);

/// One call with all its tries.
#[derive(Debug)]
pub(crate) struct Tries<'a> {
    pub(crate) call: &'static str,
    pub(crate) turns: &'a Turns,
    /// Who is asked first, if that is known to be somebody in particular.
    pub(crate) first: Option<Arc<Address>>,
    pub(crate) began: Instant,
    pub(crate) limit: Duration,
    pub(crate) most: u32,
}

impl Tries<'_> {
    /// Calls `attempt` with an address and the time that is left.
    pub(crate) async fn run<T, A>(
        mut self,
        mut attempt: impl FnMut(Arc<Address>, Duration) -> A,
    ) -> Result<T, Error>
    where
        A: Future<Output = Result<T, Error>>,
    {
        let until = self.began + self.limit;
        let (mut nth, mut now) = (self.turns.current(), self.began);
        let (mut tried, mut untried) = (1, self.turns.all().len());
        loop {
            let first = self.first.take();
            let in_turn = first.is_none();
            untried -= usize::from(in_turn);
            let address = first.unwrap_or_else(|| Arc::clone(self.turns.get(nth)));
            let left = until.saturating_duration_since(now);
            let within = within(&address, left, untried);
            let attempt = pin!(attempt(Arc::clone(&address), left));
            let error = match timeout_at(now + within, attempt).await {
                Ok(Ok(answer)) => {
                    address.note_answer();
                    return Ok(answer);
                }
                Ok(Err(error)) => error,
                Err(_) if within < left => {
                    Error::silent(Code::Unavailable, self.call, &address.name, within)
                }
                Err(_) => Error::silent(Code::DeadlineExceeded, self.call, &address.name, within),
            };
            let silence = address.note_failure(&error, in_turn);
            // Who is no Tandem has the last word only where it was configured.
            let again = POLICY.retries(error.code()) || !in_turn && silence;
            if in_turn && (again || silence) {
                nth = self.turns.leave(nth);
            }
            now = Instant::now();
            if again && silence && untried > 0 && now < until {
                continue;
            }
            let pause = POLICY.pause(tried, error.retry_delay());
            if !again || tried >= self.most || now + pause >= until {
                return Err(error);
            }
            sleep(pause).await;
            now = Instant::now();
            (tried, untried) = (tried + 1, self.turns.all().len());
        }
    }
}

/// How long `address` may take of what is `left`.
pub(crate) fn within(address: &Address, left: Duration, untried: usize) -> Duration {
    if untried == 0 || address.answers() { left } else { (left / 2).min(REACH) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Line;
    use std::cell::RefCell;
    use tonic::Status;
    use tonic::transport::Endpoint;
    use tonic_types::{ErrorDetails, StatusExt as _};

    fn turns(names: &[&str]) -> Turns {
        let address = |name: &&str| {
            let channel = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
            Arc::new(Address::new((*name).to_owned(), Line::new(channel, None)))
        };
        Turns::new(names.iter().map(address).collect())
    }

    /// What each address does, and who was asked when.
    struct Script<'a> {
        turns: &'a Turns,
        first: Option<Arc<Address>>,
        asked: RefCell<Vec<(String, u128)>>,
    }

    impl<'a> Script<'a> {
        fn of(turns: &'a Turns) -> Self {
            Self { turns, first: None, asked: RefCell::default() }
        }

        async fn run(
            &self,
            limit: u64,
            does: impl AsyncFn(&str) -> Result<(), Status>,
        ) -> Result<(), Error> {
            let began = Instant::now();
            let (limit, first) = (Duration::from_millis(limit), self.first.clone());
            let tries = Tries { call: "GetOrder", turns: self.turns, first, began, limit, most: 5 };
            tries
                .run(async |address, _| {
                    let at = began.elapsed().as_millis();
                    self.asked.borrow_mut().push((address.name.clone(), at));
                    does(&address.name).await.map_err(|e| Error::of("GetOrder", &address.name, e))
                })
                .await
        }

        fn asked(&self) -> String {
            let asked = self.asked.borrow();
            asked.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
        }
    }

    fn said(code: Code, pause: Option<u64>) -> Status {
        let mut details = ErrorDetails::with_error_info("SAID", "tandem.v1", []);
        if pause.is_some() {
            details.set_retry_info(pause.map(Duration::from_millis));
        }
        Status::with_error_details(code, "said", details)
    }

    #[tokio::test(start_paused = true)]
    async fn five_tries_with_growing_pauses() {
        let turns = turns(&["a"]);
        let script = Script::of(&turns);
        let error = script.run(10_000, async |_| Err(said(Code::Unavailable, None))).await;
        assert_eq!(error.unwrap_err().reason(), "SAID");
        let asked = script.asked.borrow();
        let pauses: Vec<_> = asked.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
        assert_eq!(pauses.len(), 4);
        for (pause, whole) in pauses.iter().zip([250, 500, 1_000, 2_000]) {
            assert!((whole * 8 / 10..=whole * 12 / 10 + 1).contains(pause), "{pauses:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_try_comes_before_the_time_that_was_named_or_after_the_deadline() {
        let turns = turns(&["a"]);
        let script = Script::of(&turns);
        let wait = async |_: &str| Err(said(Code::Unavailable, Some(3_000)));
        let error = script.run(10_000, wait).await.unwrap_err();
        let times: Vec<_> = script.asked.borrow().iter().map(|(_, at)| *at).collect();
        assert_eq!((error.reason(), &*times), ("SAID", &[0, 3_000, 6_000, 9_000][..]));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_cannot_be_reached_is_passed_over_at_once_and_left() {
        let turns = turns(&["a", "b", "c"]);
        let script = Script::of(&turns);
        let only_c = async |name: &str| match name {
            "a" => Err(Status::unavailable("")),
            "b" => std::future::pending().await,
            _ => Ok(()),
        };
        script.run(10_000, only_c).await.unwrap();
        assert_eq!(*script.asked.borrow(), [("a".into(), 0), ("b".into(), 0), ("c".into(), 2_000)]);
        script.run(10_000, only_c).await.unwrap();
        assert_eq!(script.asked(), "a b c c");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_answered_before_has_all_the_time() {
        let turns = turns(&["a", "b"]);
        let script = Script::of(&turns);
        script.run(10_000, async |_| Ok(())).await.unwrap();
        let slow = async |_: &str| {
            sleep(Duration::from_secs(6)).await;
            Ok(())
        };
        script.run(10_000, slow).await.unwrap();
        assert_eq!(script.asked(), "a a");
        let error = script.run(500, slow).await.unwrap_err();
        assert_eq!((error.code(), script.asked()), (Code::DeadlineExceeded, "a a a".into()));
        script.run(10_000, async |_| Ok(())).await.unwrap();
        assert_eq!(script.asked(), "a a a b");
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_asked_again_after_the_pause() {
        let turns = turns(&["a", "b"]);
        let script = Script::of(&turns);
        let error = script.run(1_000, async |_| Err(Status::unavailable("gone"))).await;
        assert_eq!(error.unwrap_err().code(), Code::Unavailable);
        assert_eq!(script.asked(), "a b a b a b");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_final_is_told_at_once() {
        let turns = turns(&["a", "b"]);
        for code in [Code::InvalidArgument, Code::NotFound, Code::DeadlineExceeded, Code::Internal]
        {
            let script = Script::of(&turns);
            let error = script.run(10_000, async |_| Err(said(code, None))).await.unwrap_err();
            assert_eq!((error.code(), script.asked()), (code, "a".into()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_one_is_no_turn() {
        let turns = turns(&["a"]);
        let first = Arc::clone(self::turns(&["holder"]).get(0));
        let script = Script { first: Some(Arc::clone(&first)), ..Script::of(&turns) };
        let not_the_holder = async |name: &str| match name {
            "holder" => std::future::pending().await,
            _ => Ok(()),
        };
        script.run(10_000, not_the_holder).await.unwrap();
        assert_eq!(script.asked(), "holder a");
        assert!(first.is_left_out() && !turns.get(0).is_left_out());
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(!first.is_left_out());
    }

    #[tokio::test(start_paused = true)]
    async fn what_answers_where_an_instance_was_announced_and_is_no_tandem_is_passed_over() {
        let turns = turns(&["a"]);
        let proxy = Arc::clone(self::turns(&["proxy"]).get(0));
        let script = Script { first: Some(Arc::clone(&proxy)), ..Script::of(&turns) };
        let unknown = async |name: &str| match name {
            "proxy" => Err(Status::unimplemented("no such service")),
            _ => Ok(()),
        };
        script.run(10_000, unknown).await.unwrap();
        assert_eq!((script.asked(), proxy.is_left_out()), ("proxy a".into(), true));
        // Of a Tandem, or where it was configured, it is the answer.
        let script = Script { first: Some(proxy), ..Script::of(&turns) };
        let refused = async |_: &str| Err(said(Code::InvalidArgument, None));
        assert_eq!(script.run(10_000, refused).await.unwrap_err().reason(), "SAID");
        let script = Script::of(&turns);
        let error = script.run(10_000, async |_| Err(Status::unimplemented("no"))).await;
        assert_eq!((error.unwrap_err().code(), script.asked()), (Code::Unimplemented, "a".into()));
    }
}
