//! Tandem as it is run on Kafka: a command service and a query service, a process each.

use std::{ops::Deref, path::Path};
use tandem_e2e::{
    process::Process,
    services::{Services, Urls},
};

use crate::servers::Cluster;

/// What both services are told of the servers.
#[derive(Clone)]
pub(crate) struct Servers {
    flags: Vec<String>,
    pub(crate) registry: String,
}

impl Servers {
    pub(crate) fn at(cluster: &Cluster, registry: &str) -> Self {
        let log = format!("kafka://{}", cluster.bootstrap());
        let flags = ["--log", &log, "--registry", registry].map(str::to_owned).to_vec();
        Self { flags, registry: registry.to_owned() }
    }

    /// Told one thing more.
    pub(crate) fn with(mut self, flag: &str, value: &str) -> Self {
        self.flags.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// Starts a binary of the workspace that needs both the log and the registry.
    pub(crate) fn start(&self, binary: &str, more: &[&str]) -> Process {
        let flags = self.flags.iter().map(String::as_str);
        Process::start(binary, &flags.chain(more.iter().copied()).collect::<Vec<_>>())
    }
}

/// Both services; they are asked as [`Services`] are.
pub(crate) struct Pair {
    pub(crate) command: Process,
    pub(crate) query: Process,
    services: Services,
}

impl Deref for Pair {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl Pair {
    /// Starts both and waits until they serve; the view is a whole copy in this folder.
    pub(crate) async fn start(servers: &Servers, replica_set: &str, data: &Path) -> Self {
        let pair = Self::announced(servers, replica_set, data).await;
        pair.serving().await;
        pair
    }

    /// Starts both and waits until they have said where they listen.
    pub(crate) async fn announced(servers: &Servers, replica_set: &str, data: &Path) -> Self {
        let command = servers.start("command-svc", &["--command-addr", "127.0.0.1:0"]);
        let query = start_query(servers, replica_set, data);
        let urls = Urls {
            command: command.announced("command").await,
            query: query.announced("query").await,
            registry: servers.registry.clone(),
        };
        Self { command, query, services: Services::at(urls) }
    }

    /// The query service ends as by a power cut and is started again on what it kept.
    pub(crate) async fn kill_query(self, servers: &Servers, set: &str, data: &Path) -> Self {
        let Self { command, query, services } = self;
        query.kill9();
        let query = start_query(servers, set, data);
        let urls = Urls { query: query.announced("query").await, ..services.urls };
        let pair = Self { command, query, services: Services::at(urls) };
        pair.serving().await;
        pair
    }

    /// Ends both politely; each has to end well, without a warning that has none of these words.
    pub(crate) async fn stop(self, expected: &[&str]) {
        self.command.stop(expected).await;
        self.query.stop(expected).await;
    }
}

/// The query service alone, at a port that the system picks.
pub(crate) fn start_query(servers: &Servers, replica_set: &str, data: &Path) -> Process {
    let data = data.to_str().unwrap();
    let flags = ["--query-addr", "127.0.0.1:0", "--replica-set", replica_set, "--data-dir", data];
    servers.start("query-svc", &flags)
}
