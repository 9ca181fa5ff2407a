//! Why a request is refused, with Confluent's status and error codes: clients act on the codes.

use axum::http::StatusCode;
use tandem_eventlog::LogError;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    BadRequest(String),
    #[error("HTTP 404 Not Found")]
    NoSuchPath,
    #[error("HTTP 405 Method Not Allowed")]
    NoSuchMethod,
    #[error("Subject '{0}' not found.")]
    NoSuchSubject(String),
    #[error("Version {0} not found.")]
    NoSuchVersion(String),
    #[error("Schema {0} not found.")]
    NoSuchId(String),
    #[error("Schema not found.")]
    NoSuchSchema,
    #[error("Subject '{0}' was soft deleted. Set permanent=true to delete permanently.")]
    SubjectIsDeleted(String),
    #[error("Subject '{0}' was not deleted first before being permanently deleted.")]
    SubjectIsNotDeleted(String),
    #[error(
        "Subject '{0}' version {1} was soft deleted. Set permanent=true to delete permanently."
    )]
    VersionIsDeleted(String, u32),
    #[error("Subject '{0}' version {1} was not deleted first before being permanently deleted.")]
    VersionIsNotDeleted(String, u32),
    #[error("Subject '{0}' does not have subject-level compatibility configured.")]
    NoLevel(String),
    #[error("Subject '{0}' does not have subject-level mode configured.")]
    NoMode(String),
    #[error("Schema being registered is incompatible with an earlier schema for subject '{subject}'; {}", .reasons.join("; "))]
    Incompatible { subject: String, reasons: Vec<String> },
    #[error("The request is larger than this registry takes.")]
    TooLarge,
    #[error("Invalid schema: {0}")]
    InvalidSchema(String),
    #[error(
        "The specified version '{0}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\"."
    )]
    InvalidVersion(String),
    #[error(
        "Invalid compatibility level: {0}. Valid values are none, backward, forward, full, backward_transitive, forward_transitive and full_transitive."
    )]
    InvalidLevel(String),
    #[error("Invalid mode: {0}. This registry knows only READWRITE.")]
    InvalidMode(String),
    #[error("This registry does not support {0}.")]
    NotSupported(String),
    #[error("Subject '{0}' is not in import mode.")]
    NotImporting(String),
    #[error("Error in the backend data store: {0}")]
    Unavailable(String),
    #[error("The log that schemas are kept on has not been reached yet.")]
    NotReady,
}

impl Refusal {
    /// The error code; its first three digits are the HTTP status.
    pub(super) const fn code(&self) -> u32 {
        match self {
            Refusal::BadRequest(_) => 400,
            Refusal::NoSuchPath => 404,
            Refusal::NoSuchMethod => 405,
            Refusal::Incompatible { .. } => 409,
            Refusal::TooLarge => 413,
            Refusal::NotSupported(_) => 422,
            Refusal::NotReady => 503,
            Refusal::NoSuchSubject(_) => 40401,
            Refusal::NoSuchVersion(_) => 40402,
            Refusal::NoSuchId(_) | Refusal::NoSuchSchema => 40403,
            Refusal::SubjectIsDeleted(_) => 40404,
            Refusal::SubjectIsNotDeleted(_) => 40405,
            Refusal::VersionIsDeleted(..) => 40406,
            Refusal::VersionIsNotDeleted(..) => 40407,
            Refusal::NoLevel(_) => 40408,
            Refusal::NoMode(_) => 40409,
            Refusal::InvalidSchema(_) => 42201,
            Refusal::InvalidVersion(_) => 42202,
            Refusal::InvalidLevel(_) => 42203,
            Refusal::InvalidMode(_) => 42204,
            Refusal::NotImporting(_) => 42205,
            Refusal::Unavailable(_) => 50001,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        let code = self.code();
        let status = if code > 999 { code / 100 } else { code };
        u16::try_from(status)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        match error {
            LogError::TooLarge { .. } => Refusal::TooLarge,
            other => Refusal::Unavailable(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_follows_code() {
        let s = || "s".to_owned();
        assert_eq!(Refusal::NoSuchSubject(s()).status(), StatusCode::NOT_FOUND);
        assert_eq!(Refusal::InvalidLevel(s()).status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(Refusal::NotSupported(s()).status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(Refusal::TooLarge.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(Refusal::Unavailable(s()).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn messages_read_as_confluents_do() {
        let missing = Refusal::NoSuchSubject("x".to_owned());
        assert_eq!(missing.to_string(), "Subject 'x' not found.");
    }
}
