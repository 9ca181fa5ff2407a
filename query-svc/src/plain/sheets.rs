//! Answers of many pages, sent as they are read: the next page is read when the caller has taken the
//! one before, so that of each answer no more than one page waits here. There are so many at a time,
//! and who doesn't read is left.

use axum::body::{Body, Bytes};
use futures::stream;
use serde::Serialize;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tandem_proto::v1;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{ask::Answer, status};

/// How many answers of many pages there may be at a time: each holds a page, of a MiB or two.
pub(crate) const LONG_ANSWERS: usize = 64;

/// How long a caller may take nothing of its answer.
const STALLED: Duration = Duration::from_secs(30);

/// How often a page is asked for that is UNAVAILABLE. With the wait that errors name, a shard that
/// moves is waited for as long as the contract's default deadline.
const TRIES: u32 = 40;

/// A page as JSON.
#[derive(Default)]
pub(super) struct Sheet {
    /// Its rows, with commas between them.
    pub(super) rows: Vec<u8>,
    /// The answer with all there is and its frame, instead of them, where it is kept as one.
    pub(super) whole: Option<Bytes>,
    /// Where the next page begins; empty at the end.
    pub(super) next: String,
    /// Shards whose rows are missing in it.
    pub(super) missing: Vec<u32>,
    /// Who answered, from what.
    pub(super) served: Option<v1::Served>,
}

impl Answer for Sheet {
    fn served(&mut self) -> &mut Option<v1::Served> {
        &mut self.served
    }
}

/// What goes before the rows, and what behind them, which depends on the last page and on all shards
/// that were missing anywhere.
pub(super) struct Frame {
    pub(super) open: &'static str,
    pub(super) close: fn(&Sheet, &BTreeSet<u32>) -> Result<Vec<u8>, serde_json::Error>,
}

/// Writes one more row.
pub(super) fn row(rows: &mut Vec<u8>, row: &impl Serialize) -> Result<(), Status> {
    if !rows.is_empty() {
        rows.push(b',');
    }
    serde_json::to_writer(rows, row).map_err(|e| unwritable(&e))
}

fn unwritable(error: &serde_json::Error) -> Status {
    tracing::error!(%error, "rows can't be written as JSON");
    Status::internal("a row can't be written as JSON; see the service's log")
}

/// One page.
pub(super) fn one(frame: &Frame, sheet: Sheet) -> Result<Body, Status> {
    let missing = sheet.missing.iter().copied().collect();
    let close = (frame.close)(&sheet, &missing).map_err(|e| unwritable(&e))?;
    let mut body = Vec::with_capacity(frame.open.len() + sheet.rows.len() + close.len());
    body.extend(frame.open.as_bytes());
    body.extend(sheet.rows);
    body.extend(close);
    Ok(body.into())
}

/// How far an answer has been sent.
struct Sending<P> {
    frame: Frame,
    page: P,
    next: Next,
    missing: BTreeSet<u32>,
    has_rows: bool,
    _permit: OwnedSemaphorePermit,
}

enum Next {
    Sheet(Sheet),
    Token(String),
    Nothing,
}

/// What is being sent, where it can be taken from somebody who doesn't take it.
struct Held<P> {
    /// Nothing while a page is read for it, and once it was taken away.
    sending: Option<Sending<P>>,
    /// When the last chunk was handed out.
    since: Instant,
}

/// All pages from `first` on; `page` reads the one that begins at a token.
///
/// The first bytes are sent before the last page is read, so that a page which can't be had at last
/// can only break the answer off: the caller sees that it has no end. So does one that takes nothing
/// for [`STALLED`].
///
/// # Errors
/// As many long answers are under way as there may be.
pub(super) fn all<P, F>(
    frame: Frame,
    first: Sheet,
    long_answers: &Arc<Semaphore>,
    page: P,
) -> Result<Body, Status>
where
    P: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Sheet, Status>> + Send,
{
    if first.next.is_empty() {
        return one(&frame, first);
    }
    let permit = long_answers.clone().try_acquire_owned();
    let permit = permit.map_err(|_| status::too_many_long_answers())?;
    let (next, missing) = (Next::Sheet(first), BTreeSet::new());
    let sending = Sending { frame, page, next, missing, has_rows: false, _permit: permit };
    let held = Held { sending: Some(sending), since: Instant::now() };
    let held = Arc::new(Mutex::new(held));
    tokio::spawn(watch_over(Arc::downgrade(&held)));
    Ok(Body::from_stream(stream::unfold(Some(held), async |held| {
        let held = held?;
        let sending = lock(&held).sending.take();
        let Some(mut sending) = sending else {
            return Some((Err(Status::cancelled("the answer was not taken in time")), None));
        };
        let chunk = sending.chunk().await.transpose()?;
        let goes_on = chunk.is_ok();
        *lock(&held) = Held { sending: Some(sending), since: Instant::now() };
        Some((chunk, goes_on.then_some(held)))
    })))
}

/// Takes an answer away that nobody takes.
async fn watch_over<P>(held: Weak<Mutex<Held<P>>>) {
    loop {
        tokio::time::sleep(STALLED / 2).await;
        let Some(held) = held.upgrade() else { return };
        let mut held = lock(&held);
        if held.sending.is_some() && held.since.elapsed() >= STALLED {
            held.sending = None;
            return;
        }
    }
}

fn lock<P>(held: &Mutex<Held<P>>) -> MutexGuard<'_, Held<P>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<P, F> Sending<P>
where
    P: Fn(String) -> F,
    F: Future<Output = Result<Sheet, Status>>,
{
    /// What to send next; nothing at the end.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Status> {
        match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Nothing => Ok(None),
            Next::Sheet(first) => self.written(first, true).map(Some),
            Next::Token(token) => match again(&self.page, &token).await {
                Ok(sheet) => self.written(sheet, false).map(Some),
                Err(status) => {
                    tracing::info!(%status, "an answer of many pages broke off");
                    Err(status)
                }
            },
        }
    }
}

impl<P> Sending<P> {
    fn written(&mut self, mut sheet: Sheet, is_first: bool) -> Result<Bytes, Status> {
        self.missing.extend(&sheet.missing);
        let mut chunk = Vec::with_capacity(sheet.rows.len() + 256);
        if is_first {
            chunk.extend(self.frame.open.as_bytes());
        }
        if self.has_rows && !sheet.rows.is_empty() {
            chunk.push(b',');
        }
        self.has_rows |= !sheet.rows.is_empty();
        chunk.append(&mut sheet.rows);
        match sheet.next.is_empty() {
            true => {
                chunk.extend((self.frame.close)(&sheet, &self.missing).map_err(|e| unwritable(&e))?)
            }
            false => self.next = Next::Token(sheet.next),
        }
        Ok(chunk.into())
    }
}

/// Reads a page, once more while it can't be had just now.
async fn again<F>(page: impl Fn(String) -> F, token: &str) -> Result<Sheet, Status>
where
    F: Future<Output = Result<Sheet, Status>>,
{
    let mut tries = 1;
    loop {
        match page(token.to_owned()).await {
            Err(status) if status.code() == Code::Unavailable && tries < TRIES => {
                let wait = status.get_details_retry_info().and_then(|retry| retry.retry_delay);
                tokio::time::sleep(wait.unwrap_or(Duration::from_millis(250))).await;
                tries += 1;
            }
            answered => return answered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use std::sync::atomic::{AtomicU32, Ordering};

    const FRAME: Frame = Frame {
        open: "{\"rows\":[",
        close: |last, missing| {
            let missing = serde_json::to_string(missing)?;
            Ok(format!("],\"missing\":{missing},\"next\":\"{}\"}}", last.next).into_bytes())
        },
    };

    fn sheet(numbers: &[u32], next: &str, missing: &[u32]) -> Sheet {
        let mut sheet = Sheet { next: next.into(), missing: missing.into(), ..Sheet::default() };
        numbers.iter().for_each(|n| row(&mut sheet.rows, n).unwrap());
        sheet
    }

    fn permits(count: usize) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(count))
    }

    async fn text(body: Body) -> Result<String, axum::Error> {
        Ok(String::from_utf8(body.collect().await?.to_bytes().into()).unwrap())
    }

    #[tokio::test]
    async fn one_page_is_one_whole() {
        let body = one(&FRAME, sheet(&[1, 2], "more", &[3])).unwrap();
        assert_eq!(text(body).await.unwrap(), r#"{"rows":[1,2],"missing":[3],"next":"more"}"#);
        let body = all(FRAME, sheet(&[], "", &[]), &permits(0), async |_| unreachable!()).unwrap();
        assert_eq!(text(body).await.unwrap(), r#"{"rows":[],"missing":[],"next":""}"#);
    }

    #[tokio::test(start_paused = true)]
    async fn many_pages_are_one_list_and_what_is_away_is_waited_for() {
        let asked = std::sync::Arc::new(AtomicU32::new(0));
        let page = move |token: String| {
            let nth = asked.fetch_add(1, Ordering::Relaxed);
            async move {
                match (&*token, nth) {
                    ("a", 0) => Err(Status::unavailable("moving")),
                    ("a", _) => Ok(sheet(&[], "b", &[])),
                    ("b", _) => Ok(sheet(&[3, 4], "", &[0])),
                    _ => Err(Status::internal("no such page")),
                }
            }
        };
        let body = all(FRAME, sheet(&[1, 2], "a", &[1]), &permits(1), page).unwrap();
        let expected = r#"{"rows":[1,2,3,4],"missing":[0,1],"next":""}"#;
        assert_eq!(text(body).await.unwrap(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_breaks_off_is_seen_to() {
        let page = async |_| Err(Status::unavailable("away"));
        let body = all(FRAME, sheet(&[1], "a", &[]), &permits(1), page).unwrap();
        assert!(text(body).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_so_many_at_a_time_and_who_does_not_read_is_left() {
        let one = permits(1);
        let begin = || {
            let page = async |_| Ok(sheet(&[2], "", &[]));
            all(FRAME, sheet(&[1], "a", &[]), &one, page)
        };
        let mut stalled = begin().unwrap();
        assert!(stalled.frame().await.unwrap().is_ok(), "the first page");
        let refused = begin().unwrap_err();
        assert_eq!((refused.code(), one.available_permits()), (Code::Unavailable, 0));
        tokio::time::sleep(STALLED * 2).await;
        assert_eq!(one.available_permits(), 1);
        assert!(stalled.frame().await.unwrap().is_err(), "it has no end");

        assert_eq!(
            text(begin().unwrap()).await.unwrap(),
            r#"{"rows":[1,2],"missing":[],"next":""}"#
        );
        assert_eq!(one.available_permits(), 1);
    }
}
