//! A schema registry that isn't ours, with Confluent's API.

use super::process::Process;

/// A running registry that refuses what isn't BACKWARD compatible; gone when dropped.
pub(crate) struct Registry {
    process: Process,
    url: String,
}

impl Registry {
    /// With no schemas in it.
    pub(crate) async fn start() -> Self {
        let process = Process::start("registry", &[], &[]).await;
        let url = process.file("url");
        Self { process, url }
    }

    /// What a client is told, path included.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its process, while it runs.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.process.pids()
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill9(&mut self) {
        self.process.have("kill 1", "killed 1").await;
    }

    /// Starts it at the same place with the schemas that it had, and waits until it is up.
    pub(crate) async fn start_again(&mut self) {
        self.process.have("start 1", "started 1").await;
    }
}
