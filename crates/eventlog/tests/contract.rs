//! The embedded log does what every log has to do, on disk in real time and in memory under
//! tokio's paused time.
#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod on_disk {
    use tandem_eventlog::{Log, embedded::Embedded};

    async fn open() -> (Log, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        (Embedded::open(dir.path()).unwrap(), dir)
    }

    tandem_eventlog::contract_tests!(tokio::test(flavor = "multi_thread"), open());
}

mod in_memory {
    use tandem_eventlog::{Log, embedded::Embedded};

    async fn open() -> (Log, ()) {
        (Embedded::open_in_memory().unwrap(), ())
    }

    tandem_eventlog::contract_tests!(tokio::test(start_paused = true), open());
}
