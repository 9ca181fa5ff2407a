//! What can end a run before its end, in words that say who has to do what.

use crate::scale::Scale;
use std::path::PathBuf;
use std::time::Duration;

/// Why a run ended early. What was acknowledged until then is in the journal.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The caller gave something that is no address.
    #[error("{url:?} is not an address such as http://127.0.0.1:8090: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The service could not be reached, or asked for patience for longer than there was.
    #[error(
        "{who} has not taken a request for {:.0} s (last answer: {last}); see to it that it runs, \
         then run the same with --check to compare what was acknowledged", waited.as_secs_f64()
    )]
    Unavailable {
        /// The service and its address.
        who: String,
        /// How long every request failed.
        waited: Duration,
        /// What it said last.
        last: String,
    },
    /// The service answered that the request is wrong, or that it is broken; sending the same
    /// again would change nothing.
    #[error("{who} refused {what}: {why}")]
    Refused {
        /// The service and its address.
        who: String,
        /// What was asked of it.
        what: String,
        /// The gRPC status.
        why: String,
    },
    /// An answer that the contract does not allow.
    #[error("{who} answered {what} with {answer}; is it another version?")]
    Breach {
        /// The service and its address.
        who: String,
        /// What was asked of it.
        what: String,
        /// What is wrong with the answer.
        answer: &'static str,
    },
    /// The journal could not be read or written.
    #[error("the journal {}: {source}", path.display())]
    JournalIo {
        /// Where it is.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not a journal, or not of this version, or damaged.
    #[error(
        "line {line} of {} is not what tandem-load writes; name another file with --journal",
        path.display()
    )]
    JournalFormat {
        /// Where it is.
        path: PathBuf,
        /// The first line that could not be understood, from 1.
        line: usize,
    },
    /// The journal is of other tables.
    #[error(
        "the journal {} was written with --scale {written}, this is --scale {asked}; \
         give the same scale", path.display()
    )]
    JournalScale {
        /// Where it is.
        path: PathBuf,
        /// The scale in its head.
        written: String,
        /// The scale that was asked for.
        asked: Scale,
    },
    /// Somebody asked the run to stop.
    #[error("interrupted; run the same with --check to compare what was acknowledged")]
    Interrupted,
}
