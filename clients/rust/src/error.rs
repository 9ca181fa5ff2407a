//! Why a call failed, for programs and for people, whoever found it out.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Code, Status, TimeoutExpired};
use tonic_types::StatusExt as _;

/// A failed call. Its source is the [`Status`] that a plain stub would have given, and it turns
/// into one with `?` in a function that returns those.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    reason: String,
    message: String,
    metadata: HashMap<String, String>,
    violations: Vec<Violation>,
    retry_delay: Option<Duration>,
    answered: bool,
    unreachable: bool,
    #[source]
    status: Status,
}

/// What kind of failure it is, by gRPC code: who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is wrong: change it. [`Error::violations`] names the fields.
    InvalidArgument,
    /// There is no such row.
    NotFound,
    /// The request is right, but not as things are: [`Error::reason`] says what has to change.
    FailedPrecondition,
    /// Nobody answered, or whoever did can't just now, for longer than all tries took. Try later.
    Unavailable,
    /// The time was up. Whether a command took effect is not known; sending it again with the same
    /// `request_id` is safe.
    DeadlineExceeded,
    /// The call was broken off.
    Cancelled,
    /// All other codes; see [`Error::code`].
    Other,
}

/// One faulty field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field as the contract spells it, with dots into messages: `freshness.receipts[2]`.
    pub field: String,
    /// What is wrong with it, as the rest of a sentence that the field begins.
    pub description: String,
}

impl Error {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The gRPC code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.status.code()
    }

    /// The contract's name for what happened, in `UPPER_SNAKE_CASE`, for programs to match on. The
    /// code's name when nobody from Tandem answered.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What happened, for people. What the client made itself says which call it was and at which
    /// address.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Facts for programs, as the shard that could not be read.
    #[must_use]
    pub fn metadata(&self) -> &HashMap<String, String> {
        &self.metadata
    }

    /// Every faulty field of the request.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// When to try again, if the service said so.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        self.retry_delay
    }

    /// Whether a service of Tandem said it, and not somebody on the way, or this client.
    #[must_use]
    pub fn is_of_tandem(&self) -> bool {
        self.answered
    }

    /// Whether nobody answered, so that another address may do. Whoever answers where an instance was
    /// announced (`in_turn` is false then) and is no Tandem is not who was announced.
    pub(crate) fn is_silence(&self, in_turn: bool) -> bool {
        self.unreachable || !in_turn && !self.answered
    }

    /// A failed call of `call` at `address`.
    pub(crate) fn of(call: &str, address: &str, status: Status) -> Self {
        Self::told(status, |what| format!("{call} at {address}: {what}"))
    }

    /// Nothing came back from `address` in that time.
    pub(crate) fn silent(code: Code, call: &str, address: &str, waited: Duration) -> Self {
        let text = format!("{call} at {address}: no answer within {waited:.1?}");
        Self { unreachable: true, ..Self::from(Status::new(code, text)) }
    }

    /// The same about settling receipts, which had to be done before `call` could be sent.
    pub(crate) fn unsent(self, call: &str) -> Self {
        let why = "the session's receipts could not be settled";
        Self { message: format!("{call} was not sent: {why}: {}", self.message), ..self }
    }

    fn told(status: Status, in_words: impl FnOnce(String) -> String) -> Self {
        let details = status.get_error_details();
        let answered = details.error_info().is_some();
        let here = !answered && status.source().is_some();
        let status = if here { found_here(status, in_words) } else { status };
        let code = status.code();
        let info = details.error_info().cloned();
        let violations = details.bad_request().into_iter().flat_map(|bad| &bad.field_violations);
        let violations = violations
            .map(|v| Violation { field: v.field.clone(), description: v.description.clone() });
        Self {
            kind: kind(code),
            reason: info.as_ref().map_or_else(|| code_name(code), |info| info.reason.clone()),
            message: match status.message() {
                "" => code.description().to_owned(),
                text => text.to_owned(),
            },
            metadata: info.map(|info| info.metadata).unwrap_or_default(),
            violations: violations.collect(),
            retry_delay: details.retry_info().and_then(|info| info.retry_delay),
            answered,
            unreachable: !answered
                && (code == Code::Unavailable || here && code == Code::DeadlineExceeded),
            status,
        }
    }
}

/// Of a status that came from a plain stub.
impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::told(status, |what| what)
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        error.status
    }
}

/// tonic has its own codes for what breaks on this side. A connection that broke or could not be had
/// is UNAVAILABLE in gRPC's other languages, also when a server that stops says GOAWAY, and a time that
/// is up DEADLINE_EXCEEDED. A status has a source only if it was made here.
fn found_here(status: Status, in_words: impl FnOnce(String) -> String) -> Status {
    let mut deepest: &(dyn StdError + 'static) = &status;
    let (mut timed_out, mut went_away) = (false, false);
    while let Some(source) = deepest.source() {
        deepest = source;
        timed_out |= deepest.is::<TimeoutExpired>();
        went_away |= deepest.downcast_ref::<h2::Error>().is_some_and(h2::Error::is_go_away);
    }
    let refused = deepest
        .downcast_ref::<std::io::Error>()
        .is_some_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused);
    let deepest = deepest.to_string();
    let what = match status.message() {
        _ if refused => format!("nothing listens there: {deepest}"),
        "" => deepest,
        text if text.contains(&deepest) => text.to_owned(),
        text => format!("{text}: {deepest}"),
    };
    let code = match status.code() {
        _ if timed_out => Code::DeadlineExceeded,
        _ if went_away => Code::Unavailable,
        Code::Unknown | Code::Cancelled => Code::Unavailable,
        code => code,
    };
    let mut told = Status::new(code, in_words(what));
    told.set_source(Arc::new(status));
    told
}

fn kind(code: Code) -> Kind {
    match code {
        Code::InvalidArgument => Kind::InvalidArgument,
        Code::NotFound => Kind::NotFound,
        Code::FailedPrecondition => Kind::FailedPrecondition,
        Code::Unavailable => Kind::Unavailable,
        Code::DeadlineExceeded => Kind::DeadlineExceeded,
        Code::Cancelled => Kind::Cancelled,
        _ => Kind::Other,
    }
}

/// A code as gRPC spells it, such as `INVALID_ARGUMENT`.
#[must_use]
pub fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::{ErrorDetails, FieldViolation};

    #[test]
    fn what_the_service_says_is_kept() {
        let facts = HashMap::from([("shard".to_owned(), "3".to_owned())]);
        let mut details = ErrorDetails::with_error_info("SHARD_NOT_READY", "tandem.v1", facts);
        details.set_retry_info(Some(Duration::from_millis(70)));
        details.set_bad_request(vec![FieldViolation::new("a", "is odd")]);
        let status = Status::with_error_details(Code::Unavailable, "not yet", details);
        let error = Error::of("GetOrder", "a:1", status);
        assert_eq!((error.kind(), error.reason()), (Kind::Unavailable, "SHARD_NOT_READY"));
        assert_eq!((error.message(), &*error.metadata()["shard"]), ("not yet", "3"));
        assert_eq!(error.retry_delay(), Some(Duration::from_millis(70)));
        assert_eq!(error.violations()[0].field, "a");
        assert!(!error.is_silence(true));
        assert_eq!(Status::from(error).code(), Code::Unavailable);
    }

    #[test]
    fn what_broke_here_is_told_with_its_cause() {
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let error = Error::of("GetOrder", "a:1", Status::from_error(Box::new(reset)));
        assert_eq!((error.code(), error.reason()), (Code::Unavailable, "UNAVAILABLE"));
        assert!(error.is_silence(true));
        assert_eq!(error.to_string(), "GetOrder at a:1: connection reset");
        let status = error.source().unwrap().downcast_ref::<Status>().unwrap();
        assert_eq!(status.code(), Code::Unavailable);
    }

    #[test]
    fn tonics_own_timeout_is_a_deadline() {
        let expired = Status::from_error(Box::new(TimeoutExpired(())));
        let error = Error::of("GetOrder", "a:1", expired);
        assert_eq!((error.kind(), error.is_silence(true)), (Kind::DeadlineExceeded, true));
    }

    #[test]
    fn codes_have_the_names_that_grpc_gives_them() {
        assert_eq!(code_name(Code::Ok), "OK");
        assert_eq!(code_name(Code::InvalidArgument), "INVALID_ARGUMENT");
        let silent = Error::silent(Code::Unavailable, "GetOrder", "a:1", Duration::from_secs(2));
        assert_eq!(silent.message(), "GetOrder at a:1: no answer within 2.0s");
    }
}
