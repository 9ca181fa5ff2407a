//! A stream that goes on when it is interrupted, on whichever instance answers next.

use crate::calls::{Follow, Stream};
use crate::client::{Core, in_millis, open, request_of};
use crate::error::Error;
use crate::policy::POLICY;
use crate::session::Session;
use crate::timeout::taken_timeout;
use crate::tries::within;
use crate::turns::Address;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};

/// How long a service may take to take the call. It may wait for freshness as long as the contract's
/// default deadline, and has something to say then.
const OPENING: Duration = Duration::from_secs(11);

/// Interruptions in a row, without anything heard between them, that end it.
const MOST_INTERRUPTIONS: u32 = 8;

/// What can't get better by itself.
const FINAL: [Code; 6] = [
    Code::InvalidArgument,
    Code::NotFound,
    Code::PermissionDenied,
    Code::Unauthenticated,
    Code::Unimplemented,
    Code::FailedPrecondition,
];

/// What is watched, as a stream. It has no end but an error, DEADLINE_EXCEEDED after the request's
/// [`set_timeout`](Request::set_timeout) if it has one; drop it to end it. Nothing is asked before the
/// first one is waited for.
pub struct Watch<T> {
    stream: BoxStream<'static, Result<T, Error>>,
}

impl<T: Send + Sync + 'static> Watch<T> {
    pub(crate) fn new<F>(core: Arc<Core>, session: Option<Session>, request: Request<F>) -> Self
    where
        F: Follow<Response = T>,
    {
        let (mut metadata, _, request) = request.into_parts();
        let until =
            taken_timeout(&mut metadata).and_then(|limit| Instant::now().checked_add(limit));
        let untried = core.turns::<F>().all().len();
        let (stream, interruptions, rest) = (None, 0, None);
        let course = Course {
            core,
            session,
            metadata,
            request,
            stream,
            interruptions,
            untried,
            rest,
            until,
            over: false,
        };
        let stream = futures::stream::unfold(course, async |mut course| {
            let next = course.next_in_time().await.transpose()?;
            course.over = next.is_err();
            Some((next, course))
        });
        Self { stream: stream.boxed() }
    }

    /// The next one; none after the error that ended it. What is waited for isn't lost when this
    /// is dropped.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        self.stream.next().await
    }
}

impl<T> futures::Stream for Watch<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(cx)
    }
}

impl<T> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

struct Course<F: Follow> {
    core: Arc<Core>,
    session: Option<Session>,
    metadata: MetadataMap,
    request: F,
    stream: Option<(Arc<Address>, Stream<F>)>,
    interruptions: u32,
    /// How many addresses were not asked since the last pause.
    untried: usize,
    rest: Option<Instant>,
    /// When all of it is to be over.
    until: Option<Instant>,
    over: bool,
}

impl<F: Follow> Course<F> {
    async fn next_in_time(&mut self) -> Result<Option<F::Response>, Error> {
        let Some(until) = self.until else { return self.next().await };
        let up = || Status::deadline_exceeded(format!("{}: its time is up", F::NAME));
        timeout_at(until, self.next()).await.unwrap_or_else(|_| Err(up().into()))
    }

    async fn next(&mut self) -> Result<Option<F::Response>, Error> {
        while !self.over {
            if let Some(until) = self.rest.take() {
                sleep_until(until).await;
            }
            let Some((address, stream)) = &mut self.stream else {
                self.open().await?;
                continue;
            };
            let status = match stream.message().await {
                Ok(Some(message)) => {
                    self.interruptions = 0;
                    self.request.resume(&message);
                    return Ok(Some(message));
                }
                Ok(None) => Status::unavailable(format!("{} ended by {}", F::NAME, address.name)),
                Err(status) => status,
            };
            let error = Error::of(F::NAME, &address.name, status);
            let turns = self.core.turns::<F>();
            let silence = address.note_failure(&error, turns.has(address));
            // Whoever takes the call and can't keep it has had its turn.
            let nth = turns.current();
            if Arc::ptr_eq(turns.get(nth), address) {
                turns.leave(nth);
            }
            self.stream = None;
            self.interrupted(error, silence)?;
        }
        Ok(None)
    }

    /// Opens the stream, or decides what follows from not getting it.
    async fn open(&mut self) -> Result<(), Error> {
        let turns = self.core.turns::<F>();
        let nth = turns.current();
        // Who was interrupted goes the usual way, so that a holder that fails is left.
        let holder = (self.interruptions == 0).then(|| self.core.holder(&self.request)).flatten();
        let in_turn = holder.is_none();
        self.untried -= usize::from(in_turn);
        let address = holder.unwrap_or_else(|| Arc::clone(turns.get(nth)));
        let mut request = request_of(&self.metadata, &self.request);
        if let Some(session) = &self.session
            && let Err(error) = session.show(&mut request).await
        {
            return self.interrupted(error, false);
        }
        // What settling has left of a call's time is no limit of a watch.
        taken_timeout(request.metadata_mut());
        if let Some(until) = self.until {
            request.set_timeout(in_millis(until.saturating_duration_since(Instant::now())));
        }
        let within = within(&address, OPENING, self.untried);
        let opened = timeout(within, open(&address, request)).await;
        let error = match opened {
            Ok(Ok(stream)) => {
                address.note_answer();
                self.stream = Some((address, stream));
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(_) => Error::silent(Code::Unavailable, F::NAME, &address.name, within),
        };
        let silence = address.note_failure(&error, in_turn);
        if in_turn {
            turns.leave(nth);
        }
        if silence && self.untried > 0 {
            return Ok(());
        }
        self.interrupted(error, silence)
    }

    /// Counts an interruption and pauses, or ends it.
    fn interrupted(&mut self, error: Error, is_silence: bool) -> Result<(), Error> {
        self.interruptions += 1;
        let is_final = FINAL.contains(&error.code()) && !is_silence;
        let rest = Instant::now() + POLICY.pause(self.interruptions, error.retry_delay());
        let is_late = self.until.is_some_and(|until| rest >= until);
        if is_final || is_late || self.interruptions >= MOST_INTERRUPTIONS {
            return Err(error);
        }
        self.rest = Some(rest);
        self.untried = self.core.turns::<F>().all().len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use axum::Router;
    use futures::stream;
    use std::sync::Mutex;
    use tandem_proto::v1::{WatchCustomerOrdersRequest, WatchCustomerOrdersResponse};
    use tonic_types::{ErrorDetails, StatusExt as _};

    type Messages = Vec<Result<WatchCustomerOrdersResponse, Status>>;
    type Asked = Arc<Mutex<Vec<(String, Instant)>>>;

    /// A watch of a service that gives `messages` at the nth opening, and with which tokens it was
    /// opened when.
    fn watch(
        messages: impl Fn(usize) -> Messages + Clone + Send + Sync + 'static,
    ) -> (Watch<WatchCustomerOrdersResponse>, Asked) {
        let asked = Asked::default();
        let noted = Arc::clone(&asked);
        let answer = move |request: WatchCustomerOrdersRequest| {
            let mut noted = noted.lock().unwrap();
            noted.push((request.resume_token, Instant::now()));
            stream::iter(messages(noted.len())).boxed()
        };
        let session = testing::client(testing::streaming(Router::new(), answer)).session();
        (session.watch_customer_orders(WatchCustomerOrdersRequest::default()), asked)
    }

    fn document(token: &str) -> Result<WatchCustomerOrdersResponse, Status> {
        Ok(WatchCustomerOrdersResponse { resume_token: token.into(), ..Default::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_by_its_token_after_any_end() {
        let (mut watch, asked) = watch(|nth| match nth {
            1 => vec![document("one"), Err(Status::unavailable("broke"))],
            2 => vec![],
            3 => vec![Err(Status::internal("broke"))],
            _ => vec![document("two"), document("three")],
        });
        for expected in ["one", "two", "three"] {
            assert_eq!(watch.next().await.unwrap().unwrap().resume_token, expected);
        }
        let tokens: Vec<_> = asked.lock().unwrap().iter().map(|(token, _)| token.clone()).collect();
        assert_eq!(tokens, ["", "one", "one", "one"]);
    }

    #[tokio::test(start_paused = true)]
    async fn eight_interruptions_in_a_row_end_it_with_the_last_one() {
        let (mut watch, asked) = watch(|nth| match nth {
            1..=7 | 9.. => vec![Err(Status::unavailable(format!("broke {nth}")))],
            8 => vec![document("one")],
            _ => vec![],
        });
        assert!(watch.next().await.unwrap().is_ok());
        // The end of the eighth is the first of the next eight.
        let error = watch.next().await.unwrap().unwrap_err();
        assert_eq!(error.message(), "broke 15");
        assert!(watch.next().await.is_none());
        let asked = asked.lock().unwrap();
        let lasted = asked[14].1 - asked[8].1;
        let whole = Duration::from_millis(500 + 1_000 + 2_000 + 4_000 * 3);
        assert!(lasted > whole * 4 / 5 && lasted < whole * 6 / 5 + Duration::from_millis(50));
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_get_better_ends_it_at_once() {
        for code in FINAL {
            let (mut watch, asked) = watch(move |_| vec![Err(Status::new(code, "no"))]);
            assert_eq!(watch.next().await.unwrap().unwrap_err().code(), code);
            assert!(watch.next().await.is_none());
            assert_eq!(asked.lock().unwrap().len(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn its_deadline_is_for_all_of_it() {
        let broken = |_: WatchCustomerOrdersRequest| {
            let first = stream::iter([document("one")]).chain(stream::once(async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                Err(Status::internal("broke"))
            }));
            first.boxed()
        };
        let session = testing::client(testing::streaming(Router::new(), broken)).session();
        let mut request = Request::new(WatchCustomerOrdersRequest::default());
        request.set_timeout(Duration::from_secs(10));
        let (began, mut watch, mut seen) =
            (Instant::now(), session.watch_customer_orders(request), 0);
        let error = loop {
            match watch.next().await.unwrap() {
                Ok(_) => seen += 1,
                Err(error) => break error,
            }
        };
        assert_eq!((error.code(), seen), (Code::DeadlineExceeded, 5), "{error}");
        assert!(began.elapsed() >= Duration::from_secs(10) && watch.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_it_and_cannot_keep_it_is_left() {
        let fails = |_| stream::iter([Err(Status::unavailable("broke"))]).boxed();
        let keeps = |_| stream::iter([document("one")]).chain(stream::pending()).boxed();
        let lines = [
            testing::line(
                testing::streaming::<WatchCustomerOrdersRequest>(Router::new(), fails),
                None,
            ),
            testing::line(
                testing::streaming::<WatchCustomerOrdersRequest>(Router::new(), keeps),
                None,
            ),
        ];
        let session = testing::client_of(lines.into()).session();
        let mut watch = session.watch_customer_orders(WatchCustomerOrdersRequest::default());
        let began = Instant::now();
        assert!(watch.next().await.unwrap().is_ok());
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_that_the_service_names_is_kept_however_often_it_is_waited_for() {
        let (mut watch, asked) = watch(|nth| {
            let named = ErrorDetails::with_retry_info(Some(Duration::from_secs(7)));
            let busy = Status::with_error_details(Code::Unavailable, "busy", named);
            if nth == 1 { vec![Err(busy)] } else { vec![document("one")] }
        });
        let mut waits = 0;
        while timeout(Duration::from_millis(300), watch.next()).await.is_err() {
            waits += 1;
        }
        let asked = asked.lock().unwrap();
        assert!((23..25).contains(&waits) && asked.len() == 2, "{waits}");
        assert!(asked[1].1 - asked[0].1 >= Duration::from_secs(7));
    }
}
