//! What was acknowledged is there after `kill -9`, and only one process can hold a folder.
//!
//! The test starts itself again as the process that is killed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod tools;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
};
use tandem_eventlog::{EventLog, Kept, LogError, Offset, embedded::Embedded};
use tools::{at, open, read_all, record, spec};

const DIR: &str = "TANDEM_TEST_KILLED_DIR";
const PARTITIONS: u32 = 3;
const TASKS: u32 = 16;

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_appends_survive_kill_9() {
    if let Some(dir) = std::env::var_os(DIR) {
        return append_until_killed(Path::new(&dir)).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::new();
    for round in 0..3 {
        for (place, value) in killed_while_appending(dir.path(), 300) {
            assert_eq!(acknowledged.insert(place, value), None, "given twice: {place:?}");
        }
        let mut found = BTreeMap::new();
        let log = open(dir.path());
        for partition in 0..PARTITIONS {
            let (records, end) = read_all(&log, at("t", partition)).await;
            assert_eq!(records.len() as u64, end.0, "offsets have no gaps");
            for record in records {
                let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
                found.insert((partition, record.offset.0), value);
            }
        }
        for (place, value) in &acknowledged {
            assert_eq!(found.get(place), Some(value), "round {round}, {place:?}");
        }
        log.close().await;
    }
}

type Acknowledged = ((u32, u64), String);

/// Starts the appending process, kills it after some answers, and gives all it was answered.
fn killed_while_appending(dir: &Path, answers: usize) -> Vec<Acknowledged> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "acknowledged_appends_survive_kill_9", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    while acknowledged.len() < answers {
        let mut line = String::new();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "the process ended by itself");
        acknowledged.extend(parse(&line));
    }
    is_refused(dir);
    kill(&mut child);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    // The last line may be cut.
    let whole = rest.rfind('\n').map_or("", |end| &rest[..=end]);
    acknowledged.extend(whole.lines().filter_map(parse));
    acknowledged
}

fn is_refused(dir: &Path) {
    match Embedded::open(dir).err() {
        Some(LogError::Unsuitable(text)) => assert!(text.contains("in use"), "{text}"),
        other => panic!("{other:?}"),
    }
}

fn kill(child: &mut Child) {
    // On Unix this is SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
}

fn parse(line: &str) -> Option<Acknowledged> {
    // The test harness writes its own words, also in front of the first line.
    let mut words = line.split_once("acknowledged ")?.1.split_whitespace();
    let partition = words.next()?.parse().ok()?;
    let offset = words.next()?.parse().ok()?;
    Some(((partition, offset), words.next()?.to_owned()))
}

async fn append_until_killed(dir: &Path) {
    let log = open(dir);
    log.ensure_topics(&[spec("t", PARTITIONS, Kept::Forever)]).await.unwrap();
    let tasks = (0..TASKS).map(|task| {
        let log = log.clone();
        tokio::spawn(async move {
            // More than can be written before the kill, but an end if that never comes.
            for n in 0..1_000_000_u32 {
                let value = format!("{}-{task}-{n}", std::process::id());
                let to = at("t", task % PARTITIONS);
                let Offset(offset) = log.append(record(to, "key", value.clone())).await.unwrap();
                let line = format!("acknowledged {} {offset} {value}\n", task % PARTITIONS);
                std::io::stdout().write_all(line.as_bytes()).unwrap();
            }
        })
    });
    futures::future::join_all(tasks).await;
}
