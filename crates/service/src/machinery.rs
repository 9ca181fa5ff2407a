//! Errors that tonic makes by itself, before or after any handler, told as the contract tells
//! errors: with `ErrorInfo`, and with a code that says who has to act.
//!
//! tonic's own texts are matched by how they begin, since it gives nothing else to tell its
//! INTERNALs apart. Should a new version word them differently, `tests/shell.rs` fails, and until
//! then callers get tonic's code with a general reason.

use crate::status::Fault;
use tonic::{Code, Status};

/// Reason of a method that this server doesn't have.
pub const METHOD_UNKNOWN: &str = "METHOD_UNKNOWN";
/// Reason of a message that is compressed in a way that this server doesn't read.
pub const ENCODING_UNSUPPORTED: &str = "ENCODING_UNSUPPORTED";
/// Reason of a request that is larger than this server takes.
pub const MESSAGE_TOO_LARGE: &str = "MESSAGE_TOO_LARGE";
/// Reason of a request whose bytes are not the method's message.
pub const REQUEST_UNDECODABLE: &str = "REQUEST_UNDECODABLE";
/// Reason of a call that was not answered in time.
pub const DEADLINE_EXCEEDED: &str = "DEADLINE_EXCEEDED";
/// Reason of a call that came while the process had as many in hand as it takes.
pub const OVERLOADED: &str = "OVERLOADED";

/// (tonic's code, how its text begins, the code for callers, the reason).
///
/// - What can't be decoded is INTERNAL in tonic, which blames the server for the caller's bytes.
/// - An oversize message is OUT_OF_RANGE in tonic; RESOURCE_EXHAUSTED is what gRPC's other
///   implementations say, and what tonic says itself if the message was compressed.
/// - A `grpc-timeout` that passed is CANCELLED in tonic.
const TABLE: [(Code, &str, Code, &str); 8] = [
    (Code::Unimplemented, "Content is compressed", Code::Unimplemented, ENCODING_UNSUPPORTED),
    (Code::Unimplemented, "", Code::Unimplemented, METHOD_UNKNOWN),
    (Code::OutOfRange, "Error, decoded message", Code::ResourceExhausted, MESSAGE_TOO_LARGE),
    (Code::ResourceExhausted, "Error decompressing", Code::ResourceExhausted, MESSAGE_TOO_LARGE),
    (Code::Internal, "failed to decode Protobuf", Code::InvalidArgument, REQUEST_UNDECODABLE),
    (Code::Internal, "Missing request message", Code::InvalidArgument, REQUEST_UNDECODABLE),
    (Code::Internal, "Unexpected EOF decoding", Code::InvalidArgument, REQUEST_UNDECODABLE),
    (Code::Cancelled, "Timeout expired", Code::DeadlineExceeded, DEADLINE_EXCEEDED),
];

/// The fault to tell instead of `bare`, which has no details. `path` is the method called.
pub(crate) fn explain(path: &str, bare: &Status) -> Fault {
    let known = TABLE
        .iter()
        .find(|(code, text, ..)| *code == bare.code() && bare.message().starts_with(text));
    let (code, reason) =
        known.map_or_else(|| (bare.code(), general(bare.code())), |row| (row.2, row.3));
    let message = match bare.message() {
        "" if reason == METHOD_UNKNOWN => format!("this server has no method {path}"),
        text => text.to_owned(),
    };
    Fault::new(code, reason, message)
}

/// The time was up (`grpc-timeout`, or the default) while the call was still under way.
pub(crate) fn expired() -> Fault {
    let text = "not answered in time; whether the call took effect is not known";
    Fault::new(Code::DeadlineExceeded, DEADLINE_EXCEEDED, text)
}

/// The process has enough to do. UNAVAILABLE and not RESOURCE_EXHAUSTED, because the call had no
/// effect and trying again (here or at another instance) is safe and likely to help.
pub(crate) fn overloaded() -> Fault {
    Fault::unavailable(OVERLOADED, "too many calls are in hand; try again")
}

/// A reason for errors that are in no table: the code's own name.
fn general(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => DEADLINE_EXCEEDED,
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_get_their_code_and_reason() {
        for (code, text, told, reason) in TABLE {
            let fault = explain("/a/b", &Status::new(code, text));
            assert_eq!((fault.code(), fault.reason()), (told, reason), "{code:?} {text:?}");
        }
        let fault = explain("/a/b", &Status::unimplemented(""));
        assert_eq!(fault.to_string(), "this server has no method /a/b");
    }

    #[test]
    fn the_rest_keeps_its_code() {
        for code in 1..=16 {
            let code = Code::from(code);
            let fault = explain("/a/b", &Status::new(code, "x"));
            assert_eq!((fault.code(), &*fault.to_string()), (code, "x"));
        }
    }
}
