//! A running `tandem`: where it is, how to ask it, how it ends.

use std::{
    ops::Deref,
    process::{Child, Command},
};

use crate::{
    eventually::eventually,
    launch::Output,
    services::{Services, Urls},
};

/// The running binary; killed when dropped.
pub(crate) struct Tandem {
    child: Child,
    output: Output,
    services: Services,
}

/// It is asked as its services are.
impl Deref for Tandem {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl Tandem {
    pub(crate) fn new(child: Child, output: Output, urls: Urls) -> Self {
        Self { child, output, services: Services::at(urls) }
    }

    /// Ends it as a power cut would. What it had logged by then has to be clean.
    pub(crate) fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.assert_quiet(&[]);
    }

    /// Asks it politely to end.
    pub(crate) fn ask_to_end(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Ends it politely; as [`Self::ended_well`].
    pub(crate) async fn stop(self, expected: &[&str]) {
        self.ask_to_end();
        self.ended_well(expected).await;
    }

    /// Waits until it has ended. It has to have ended well, and to have logged no warnings or
    /// errors but those that contain one of `expected`.
    pub(crate) async fn ended_well(mut self, expected: &[&str]) {
        let status = eventually("tandem ends", async || self.child.try_wait().unwrap()).await;
        assert_eq!(status.code(), Some(0), "{status}");
        self.assert_quiet(expected);
    }

    pub(crate) fn stderr(&self) -> String {
        self.output.stderr()
    }

    fn assert_quiet(&self, expected: &[&str]) {
        let logged = self.stderr();
        let loud = logged.lines().filter(|line| {
            let level = line.split_whitespace().nth(1);
            !matches!(level, Some("INFO" | "DEBUG" | "TRACE"))
                && !expected.iter().any(|text| line.contains(text))
        });
        assert_eq!(loud.collect::<Vec<_>>(), [""; 0], "warnings that nobody expected");
    }
}

impl Drop for Tandem {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- tandem logged:\n{}---", self.stderr());
        }
    }
}
