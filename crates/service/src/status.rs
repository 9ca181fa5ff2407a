//! One way to tell callers what went wrong, so that no error goes out without the details that
//! the contract promises.
//!
//! The contract: every error carries `ErrorInfo`, an INVALID_ARGUMENT names every faulty field at
//! once in `BadRequest`, an UNAVAILABLE says in `RetryInfo` when to try again. [`Fault`] holds
//! these by construction. Each service maps its own errors to faults in one file of its own.

use crate::pushback::PUSHBACK;
use std::{collections::HashMap, time::Duration};
use tonic::{Code, Status, metadata::MetadataMap};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// The `domain` of every `ErrorInfo`.
pub const DOMAIN: &str = "tandem.v1";

/// When to try again after an UNAVAILABLE, unless the fault says otherwise. Long enough for a
/// moment's hiccup to pass, short against the default deadline of 10 s.
pub const RETRY_AFTER: Duration = Duration::from_millis(250);

/// Reason of a request whose fields break the contract's rules.
pub const INVALID_REQUEST: &str = "INVALID_REQUEST";

/// One faulty field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The field's name as the proto spells it, with dots into messages: `freshness.receipts[2]`.
    pub field: String,
    /// What is wrong with it, as the rest of a sentence that the field's name begins.
    pub description: String,
}

impl FieldFault {
    /// `field` is faulty because it `description`.
    pub fn new(field: impl Into<String>, description: impl ToString) -> Self {
        Self { field: field.into(), description: description.to_string() }
    }
}

/// All of them as one message.
pub(crate) fn in_words(fields: &[FieldFault]) -> String {
    let named: Vec<_> = fields.iter().map(|f| format!("{} {}", f.field, f.description)).collect();
    named.join("; ")
}

/// An error as a caller gets to see it. Nothing of the inside belongs into it: what the operator
/// has to know goes to the log, at the place that makes the fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    code: Code,
    reason: &'static str,
    message: String,
    metadata: Vec<(&'static str, String)>,
    fields: Vec<FieldFault>,
    retry_after: Option<Duration>,
}

impl Fault {
    /// A fault of that code. `reason` is a constant in UPPER_SNAKE_CASE that programs may match
    /// on, `message` is for people: what happened and what to do. An UNAVAILABLE gets
    /// [`RETRY_AFTER`].
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        let retry_after = (code == Code::Unavailable).then_some(RETRY_AFTER);
        let (metadata, fields) = (Vec::new(), Vec::new());
        Self { code, reason, message: message.into(), metadata, fields, retry_after }
    }

    /// INVALID_ARGUMENT with all faulty fields; the message names them too, for callers that
    /// show only messages.
    #[must_use]
    pub fn invalid(fields: Vec<FieldFault>) -> Self {
        let message = in_words(&fields);
        Self { fields, ..Self::new(Code::InvalidArgument, INVALID_REQUEST, message) }
    }

    /// UNAVAILABLE: trying again is safe and may help.
    pub fn unavailable(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, reason, message)
    }

    /// Adds a fact for programs to the `ErrorInfo`.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.metadata.push((key, value.to_string()));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The gRPC code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The reason in the `ErrorInfo`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// The faulty fields; empty unless made by [`Self::invalid`].
    #[must_use]
    pub fn fields(&self) -> &[FieldFault] {
        &self.fields
    }
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        let metadata: HashMap<String, String> =
            fault.metadata.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let mut details = ErrorDetails::with_error_info(fault.reason, DOMAIN, metadata);
        if !fault.fields.is_empty() {
            let violations = fault.fields.into_iter();
            details.set_bad_request(
                violations.map(|f| FieldViolation::new(f.field, f.description)).collect::<Vec<_>>(),
            );
        }
        let mut metadata = MetadataMap::new();
        if let Some(wait) = fault.retry_after {
            details.set_retry_info(Some(wait));
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            metadata.insert(PUSHBACK, millis.into());
        }
        Status::with_error_details_and_metadata(fault.code, fault.message, details, metadata)
    }
}

/// The reason that a status carries in its `ErrorInfo`, if that is one of Tandem's.
#[must_use]
pub fn reason(status: &Status) -> Option<String> {
    let info = status.get_details_error_info()?;
    (info.domain == DOMAIN).then_some(info.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_details() {
        let status = Status::from(Fault::new(Code::NotFound, "GONE", "gone").with("id", 7));
        assert_eq!((status.code(), status.message()), (Code::NotFound, "gone"));
        let info = status.get_details_error_info().unwrap();
        assert_eq!((&*info.reason, &*info.domain), ("GONE", DOMAIN));
        assert_eq!(info.metadata["id"], "7");
        assert_eq!(reason(&status).as_deref(), Some("GONE"));
        assert!(status.get_details_retry_info().is_none());
        assert_eq!(reason(&Status::not_found("bare")), None);
    }

    #[test]
    fn unavailable_always_says_when_to_retry() {
        let wait = |fault: Fault| {
            Status::from(fault).get_details_retry_info().and_then(|retry| retry.retry_delay)
        };
        assert_eq!(wait(Fault::unavailable("AWAY", "")), Some(RETRY_AFTER));
        let longer = Duration::from_secs(2);
        assert_eq!(wait(Fault::unavailable("AWAY", "").retry_after(longer)), Some(longer));
        let status = Status::from(Fault::unavailable("AWAY", "").retry_after(longer));
        assert_eq!(status.metadata().get(PUSHBACK).unwrap(), "2000");
        assert!(Status::from(Fault::new(Code::NotFound, "GONE", "")).metadata().is_empty());
    }

    #[test]
    fn all_fields_at_once() {
        let faults =
            vec![FieldFault::new("a", "must not be empty"), FieldFault::new("b", "is odd")];
        let status = Status::from(Fault::invalid(faults));
        assert_eq!(status.message(), "a must not be empty; b is odd");
        let fields = status.get_details_bad_request().unwrap().field_violations;
        let fields: Vec<_> = fields.into_iter().map(|v| (v.field, v.description)).collect();
        assert_eq!(fields[0], ("a".into(), "must not be empty".into()));
        assert_eq!(fields[1], ("b".into(), "is odd".into()));
        assert_eq!(reason(&status).as_deref(), Some(INVALID_REQUEST));
    }
}
