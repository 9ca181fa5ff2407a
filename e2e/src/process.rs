//! One of the workspace's binaries as a process: what it says, and how it ends.

use std::{
    cell::RefCell,
    process::{Child, Command, ExitStatus},
};

use crate::{eventually::eventually, launch::Output};

/// A running binary; killed when dropped.
pub struct Process {
    child: RefCell<Child>,
    output: Output,
}

impl Process {
    /// Starts it; the environment tells it nothing.
    pub fn start(binary: &str, args: &[&str]) -> Self {
        let output = Output::new();
        let child = output.of(binary).args(args).spawn().unwrap();
        Self { child: child.into(), output }
    }

    /// Runs it to its end; its exit code and what it said.
    pub async fn run(binary: &str, args: &[&str]) -> (Option<i32>, String, String) {
        let process = Self::start(binary, args);
        let status = process.ended().await;
        (status.code(), process.stdout(), process.stderr())
    }

    /// What stands behind `word` on standard output.
    pub async fn announced(&self, word: &str) -> String {
        eventually("it says where it is", async || {
            if let Some(status) = self.child.borrow_mut().try_wait().unwrap() {
                panic!("it ended at once, {status}");
            }
            let stdout = self.stdout();
            let mut said = stdout.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let line = said.find(|line| line.split_whitespace().next() == Some(word))?;
            Some(line[word.len()..].trim().to_owned())
        })
        .await
    }

    /// Waits until it has warned, in a line that has all of these words.
    pub async fn warns(&self, words: &[&str]) {
        eventually(&format!("it warns of {words:?}"), async || {
            let stderr = self.stderr();
            let mut lines = stderr.lines().filter(|line| line.contains("WARN"));
            lines.find(|line| words.iter().all(|word| line.contains(word))).map(drop)
        })
        .await;
    }

    /// Waits until it has said what it waits for, and why, in a line of its own.
    pub async fn waits_for(&self, what: &str) {
        self.warns(&[&format!("waiting_for=\"{what}\""), "error=", "retry_in_ms="]).await;
    }

    /// Ends it as a power cut would.
    pub fn kill9(self) {
        self.child.borrow_mut().kill().unwrap();
    }

    /// Stops it where it stands, as a machine does that hangs: it says nothing, and whoever is
    /// connected to it stays connected.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Ends it politely. It has to end well, and to have logged no error, and no warning but those
    /// that contain one of `expected`.
    pub async fn stop(self, expected: &[&str]) {
        self.signal("TERM");
        let status = self.ended().await;
        assert_eq!(status.code(), Some(0), "{status}");
        assert_quiet(&self.stderr(), expected);
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.borrow().id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&self) -> ExitStatus {
        eventually("it ends", async || self.child.borrow_mut().try_wait().unwrap()).await
    }

    /// What it has written by now.
    pub fn stdout(&self) -> String {
        self.output.stdout()
    }

    /// What it has logged by now.
    pub fn stderr(&self) -> String {
        self.output.stderr()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        let _ = child.kill();
        let _ = child.wait();
        if std::thread::panicking() {
            eprintln!("--- it logged:\n{}---", self.stderr());
        }
    }
}

/// A kill may cut a write short that was acknowledged to nobody; RocksDB says so.
const CUT_SHORT: &str = "truncated record body";

/// A disk that many tests sync at once may take longer than an announcement is waited for.
const SLOW_DISK: &str = "trying each second why=\"no answer within 1 s\"";

/// No line of this log is an error, or a warning without one of these words.
pub(crate) fn assert_quiet(logged: &str, expected: &[&str]) {
    let loud = logged.lines().filter(|line| {
        let level = line.split_whitespace().nth(1);
        !matches!(level, Some("INFO" | "DEBUG" | "TRACE"))
            && ![expected, &[CUT_SHORT, SLOW_DISK]].concat().iter().any(|text| line.contains(text))
    });
    assert_eq!(loud.collect::<Vec<_>>(), [""; 0], "warnings that nobody expected");
}
