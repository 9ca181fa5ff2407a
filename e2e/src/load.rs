//! `tandem-load` as a process.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
};

use crate::{eventually::eventually, launch::Output, services::Urls};

/// What it says last when it was asked to end, and when an answer lacked what its receipt proves.
const INTERRUPTED: &str = "STOPPED: interrupted";
const TOO_OLD: &str = "answered too old";

/// A running load; killed when dropped.
pub struct Load {
    child: Child,
    output: Output,
    journal: PathBuf,
}

impl Load {
    /// Sends the tables and then checks that they are there.
    pub fn start(at: &Urls, journal: &Path, scale: &str) -> Self {
        Self::spawn(at, journal, &["--scale", scale])
    }

    /// Sends them at so many commands a second, for as long as they last or until
    /// [`Self::interrupted`].
    pub fn paced(at: &Urls, journal: &Path, scale: &str, rate: &str) -> Self {
        Self::spawn(at, journal, &["--scale", scale, "--rate", rate])
    }

    /// Checks that what the journal says was acknowledged is there.
    pub async fn check(at: &Urls, journal: &Path, scale: &str) {
        Self::spawn(at, journal, &["--scale", scale, "--check"]).passes().await;
    }

    fn spawn(at: &Urls, journal: &Path, flags: &[&str]) -> Self {
        let output = Output::new();
        let mut command = output.of("tandem-load");
        command.args(["--command", &at.command, "--query", &at.query, "--quiet"]);
        command.arg("--journal").arg(journal).args(flags);
        Self { child: command.spawn().unwrap(), output, journal: journal.to_owned() }
    }

    /// Waits until so many commands have been acknowledged; it has to be under way still.
    pub async fn acknowledged(&mut self, commands: usize) {
        eventually("commands are acknowledged", async || {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the load is over:\n{}", self.output.stdout());
            let journal = std::fs::read_to_string(&self.journal).unwrap_or_default();
            (journal.lines().count() > commands).then_some(())
        })
        .await;
    }

    /// Ends it politely. It has to have been under way still, with nothing to complain of; what is
    /// in the journal is for [`Self::check`].
    pub async fn interrupted(mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "the load is over:\n{}", self.output.stdout());
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        eventually("tandem-load ends", async || self.child.try_wait().unwrap()).await;
        let said = self.output.stdout();
        assert!(said.contains(INTERRUPTED) && !said.contains(TOO_OLD), "{said}");
    }

    /// Waits until it has ended, with PASS.
    pub async fn passes(mut self) {
        let status = eventually("tandem-load ends", async || self.child.try_wait().unwrap()).await;
        let (said, erred) = (self.output.stdout(), self.output.stderr());
        assert!(status.success() && said.ends_with("PASS\n"), "{status}:\n{said}{erred}");
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
