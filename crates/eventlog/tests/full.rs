//! A write that fails is answered as failed, and no acknowledged record is lost or displaced by
//! it.
//!
//! The test starts itself again under a limit on the size of files, which stands for a full disk.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod tools;

use std::{io::Write, path::Path, process::Command};
use tandem_eventlog::{EventLog, Kept, LogError, embedded::Embedded};
use tools::{at, open, read_all, record, spec};

const DIR: &str = "TANDEM_TEST_FULL_DIR";

#[tokio::test]
async fn a_failed_write_is_answered_and_loses_nothing() {
    if let Some(dir) = std::env::var_os(DIR) {
        return append_past_the_limit(Path::new(&dir)).await;
    }
    let dir = tempfile::tempdir().unwrap();
    // 512-byte blocks. A write past the limit raises a signal, and fails where that is ignored.
    let limited = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" --exact \
                   a_failed_write_is_answered_and_loses_nothing --nocapture";
    let child = Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .env(DIR, dir.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let said = String::from_utf8(child.stdout).unwrap();
    let acknowledged: Vec<(u64, String)> = said
        .lines()
        .filter_map(|line| line.split_once("acknowledged ")?.1.split_once(' '))
        .map(|(offset, key)| (offset.parse().unwrap(), key.to_owned()))
        .collect();
    assert!(acknowledged.len() > 10, "{said}");

    let log = open(dir.path());
    let (records, end) = read_all(&log, at("t", 0)).await;
    assert_eq!(records.len() as u64, end.0, "offsets have no gaps");
    for (offset, key) in acknowledged {
        let found = records[usize::try_from(offset).unwrap()].key.as_deref();
        assert_eq!(found, Some(key.as_bytes()), "offset {offset}");
    }
    assert_eq!(log.append(record(at("t", 0), "key", "value")).await, Ok(end));
}

async fn append_past_the_limit(dir: &Path) {
    let log: std::sync::Arc<Embedded> = open(dir);
    log.ensure_topics(&[spec("t", 1, Kept::Forever)]).await.unwrap();
    let mut failed = 0;
    for n in 0..200 {
        // A large one that fails is followed by a small one that may still fit.
        let bytes = if n % 2 == 0 { 50_000 } else { 10 };
        match log.append(record(at("t", 0), &n.to_string(), vec![7; bytes])).await {
            Ok(offset) => {
                let line = format!("acknowledged {offset} {n}\n");
                std::io::stdout().write_all(line.as_bytes()).unwrap();
            }
            Err(LogError::Unavailable(text)) => {
                assert!(text.contains("the disk under the log failed"), "{text}");
                failed += 1;
            }
            Err(other) => panic!("{other}"),
        }
        // What failed is not shown.
        let end = log.bounds(&[at("t", 0)]).await.unwrap()[0].end;
        assert_eq!(read_all(&log, at("t", 0)).await.0.len() as u64, end.0);
    }
    assert!(failed > 10, "the limit was not reached");
}
