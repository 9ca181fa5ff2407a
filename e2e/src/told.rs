//! What a caller is told when something is refused; the contract's rules for all errors are
//! checked here, on each of them.

use std::{collections::HashMap, fmt::Debug};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

/// An error as programs see it.
#[derive(Debug)]
pub struct Told {
    pub code: Code,
    pub reason: String,
    pub metadata: HashMap<String, String>,
    /// The faulty fields, in order.
    pub fields: Vec<String>,
}

/// Takes the error out of an answer that has to be one.
pub fn told<T: Debug>(answer: Result<Response<T>, Status>) -> Told {
    of(&answer.unwrap_err())
}

pub fn of(status: &Status) -> Told {
    let info = status.get_details_error_info();
    let info = info.unwrap_or_else(|| panic!("an error without ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "tandem.v1", "{status:?}");
    assert!(!status.message().is_empty(), "{status:?}");
    let retry = status.get_details_retry_info().and_then(|retry| retry.retry_delay);
    assert_eq!(retry.is_some(), status.code() == Code::Unavailable, "{status:?}");
    let violations = status.get_details_bad_request().map(|bad| bad.field_violations);
    let violations = violations.unwrap_or_default();
    assert!(violations.iter().all(|v| !v.description.is_empty()), "{status:?}");
    Told {
        code: status.code(),
        reason: info.reason,
        metadata: info.metadata,
        fields: violations.into_iter().map(|v| v.field).collect(),
    }
}

impl Told {
    pub fn is(&self, code: Code, reason: &str) {
        assert_eq!((self.code, &*self.reason), (code, reason), "{self:?}");
    }

    /// INVALID_ARGUMENT that names exactly these fields.
    pub fn names(&self, fields: &[&str]) {
        self.is(Code::InvalidArgument, "INVALID_REQUEST");
        assert_eq!(self.fields, fields);
    }
}
