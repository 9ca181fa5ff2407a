//! Why a command is not accepted, and what the caller is told: one table.

use tandem_codec::EncodeError;
use tandem_eventlog::LogError;
use tandem_service::{
    grpc::OVERLOADED,
    status::{Fault, FieldFault},
};
use tonic::Code;

/// Why a command is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{} fields are faulty", .0.len())]
    Invalid(Vec<FieldFault>),
    #[error("the log's topics have not been reached yet")]
    NotReady,
    #[error("too many appends are under way")]
    Busy,
    #[error("the append was not confirmed by the deadline")]
    Unconfirmed,
    #[error("the append's task broke off")]
    Broken,
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Who has to hear of a refusal besides the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hearer {
    /// Nobody: the caller mends it, or it passes and is in the log anyway.
    Caller,
    /// The operator: something outside this program is wrong.
    Operator,
    /// The operator, and then who wrote this program.
    Programmer,
}

const NOT_READY: &str = "NOT_READY";
const UNCONFIRMED: &str = "UNCONFIRMED";
const LOG_UNAVAILABLE: &str = "LOG_UNAVAILABLE";
const LOG_UNSUITABLE: &str = "LOG_UNSUITABLE";
const RECORD_TOO_LARGE: &str = "RECORD_TOO_LARGE";
const INTERNAL: &str = "INTERNAL";

const SEND_AGAIN: &str = "whether the command took effect is not known; send it again with the \
                          same request_id, which makes that safe";

impl Refusal {
    /// What the caller is told. Nothing of the inside is in it.
    pub(crate) fn fault(self) -> Fault {
        match self {
            Refusal::Invalid(fields) => Fault::invalid(fields),
            Refusal::NotReady | Refusal::Encode(EncodeError::NotRegistered(_)) => {
                Fault::unavailable(NOT_READY, "this instance is not ready yet; send again")
            }
            Refusal::Busy => {
                Fault::unavailable(OVERLOADED, "too many commands are in hand; send again")
            }
            Refusal::Unconfirmed => {
                let text = format!("the log has not confirmed it in time: {SEND_AGAIN}");
                Fault::unavailable(UNCONFIRMED, text)
            }
            Refusal::Log(LogError::Unavailable(_)) => {
                let text = format!("the log could not be reached: {SEND_AGAIN}");
                Fault::unavailable(LOG_UNAVAILABLE, text)
            }
            Refusal::Log(LogError::TooLarge { bytes, max }) => {
                let text = format!("the event has {bytes} bytes, the log takes {max}; send less");
                Fault::new(Code::InvalidArgument, RECORD_TOO_LARGE, text)
                    .with("bytes", bytes)
                    .with("max_bytes", max)
            }
            Refusal::Log(LogError::Unsuitable(_) | LogError::OutOfRange { .. }) => {
                let text = "the log is not as this service needs it; its operator has to act";
                Fault::new(Code::FailedPrecondition, LOG_UNSUITABLE, text)
            }
            Refusal::Broken | Refusal::Encode(EncodeError::Unencodable { .. }) => Fault::new(
                Code::Internal,
                INTERNAL,
                format!("a fault of the service: {SEND_AGAIN}"),
            ),
        }
    }

    /// Who has to hear of it besides the caller.
    pub(crate) fn hearer(&self) -> Hearer {
        match self {
            Refusal::Invalid(_)
            | Refusal::NotReady
            | Refusal::Log(LogError::TooLarge { .. })
            | Refusal::Encode(EncodeError::NotRegistered(_)) => Hearer::Caller,
            Refusal::Busy | Refusal::Unconfirmed | Refusal::Log(_) => Hearer::Operator,
            Refusal::Broken | Refusal::Encode(EncodeError::Unencodable { .. }) => {
                Hearer::Programmer
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Hearer::{Caller, Operator, Programmer};
    use tandem_eventlog::{Offset, Partition, Position, TopicPartition};
    use tandem_service::status::INVALID_REQUEST;
    use tonic::Status;
    use tonic_types::StatusExt as _;

    const SECRET: &str = "kafka-7.internal:9092";

    fn table() -> [(Refusal, Code, &'static str, Hearer); 10] {
        let at = TopicPartition { topic: SECRET.into(), partition: Partition(0) };
        let position = Position { at, offset: Offset(9) };
        let (start, end) = (Offset(0), Offset(1));
        let log = Refusal::Log;
        let unencodable = EncodeError::Unencodable { record: SECRET, reason: SECRET.into() };
        let fields = vec![FieldFault::new("message", "must not be empty")];
        [
            (Refusal::Invalid(fields), Code::InvalidArgument, INVALID_REQUEST, Caller),
            (Refusal::NotReady, Code::Unavailable, "NOT_READY", Caller),
            (EncodeError::NotRegistered(SECRET).into(), Code::Unavailable, "NOT_READY", Caller),
            (Refusal::Busy, Code::Unavailable, "OVERLOADED", Operator),
            (Refusal::Unconfirmed, Code::Unavailable, "UNCONFIRMED", Operator),
            (
                log(LogError::Unavailable(SECRET.into())),
                Code::Unavailable,
                "LOG_UNAVAILABLE",
                Operator,
            ),
            (
                log(LogError::TooLarge { bytes: 9, max: 8 }),
                Code::InvalidArgument,
                "RECORD_TOO_LARGE",
                Caller,
            ),
            (
                log(LogError::Unsuitable(SECRET.into())),
                Code::FailedPrecondition,
                "LOG_UNSUITABLE",
                Operator,
            ),
            (
                log(LogError::OutOfRange { position, start, end }),
                Code::FailedPrecondition,
                "LOG_UNSUITABLE",
                Operator,
            ),
            (unencodable.into(), Code::Internal, "INTERNAL", Programmer),
        ]
    }

    #[test]
    fn every_refusal_has_its_code_reason_and_hearer_and_keeps_secrets() {
        for (refusal, code, reason, hearer) in table() {
            assert_eq!(refusal.hearer(), hearer, "{refusal:?}");
            let fault = refusal.clone().fault();
            assert_eq!((fault.code(), fault.reason()), (code, reason), "{refusal:?}");
            let status = Status::from(fault);
            assert!(!format!("{status:?}").contains(SECRET), "{status:?}");
            let retry = status.get_details_retry_info().is_some();
            assert_eq!(retry, code == Code::Unavailable, "{refusal:?}");
        }
    }
}
