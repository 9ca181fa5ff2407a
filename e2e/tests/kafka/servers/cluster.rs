//! A Kafka cluster of one or three nodes, and what can befall it.

use std::process::Stdio;
use tokio::{
    process::Command,
    sync::{Semaphore, SemaphorePermit},
};

use super::process::{Process, SERVERS};
use crate::kcat::Kcat;

/// How many clusters of three a small machine can carry: the shared one and another.
static THREE_NODES: Semaphore = Semaphore::const_new(2);

/// A running cluster; gone with its data when dropped.
pub(crate) struct Cluster {
    process: Process,
    nodes: u32,
    bootstrap: String,
    _alone: Option<SemaphorePermit<'static>>,
}

impl Cluster {
    /// Of one or three nodes; few clusters of three are there at a time.
    pub(crate) async fn start(nodes: u32) -> Self {
        Self::with(nodes, "").await
    }

    /// With more lines of `server.properties`, which overrule those of `e2e/servers`. In them,
    /// `@PORT@` and `@CONTROLLER_PORT@` are a node's own.
    pub(crate) async fn with(nodes: u32, properties: &str) -> Self {
        Self::formatted(nodes, properties, "").await
    }

    /// As [`Self::with`], and with more arguments, one a line, for the formatting of storage.
    pub(crate) async fn formatted(nodes: u32, properties: &str, format: &str) -> Self {
        let alone = match nodes {
            3 => Some(THREE_NODES.acquire().await.unwrap()),
            _ => None,
        };
        let mut files = vec![("extra.properties", properties)];
        if !format.is_empty() {
            files.push(("extra.format", format));
        }
        let process = Process::start("kafka", &[&nodes.to_string()], &files).await;
        let bootstrap = process.file("bootstrap");
        Self { process, nodes, bootstrap, _alone: alone }
    }

    /// Every node's address, separated by commas.
    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The processes of those nodes that run.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.process.pids()
    }

    /// Ends a node as a power cut would.
    pub(crate) async fn kill9(&mut self, node: u32) {
        self.process.have(&format!("kill {node}"), &format!("killed {node}")).await;
    }

    /// Ends a node politely: it hands its partitions over first.
    pub(crate) async fn stop_node(&mut self, node: u32) {
        self.process.have(&format!("stop {node}"), &format!("stopped {node}")).await;
    }

    /// Starts a node again with the data and the port that it had, and waits until it is up.
    pub(crate) async fn start_node(&mut self, node: u32) {
        self.process.have(&format!("start {node}"), &format!("started {node}")).await;
    }

    /// Ends all nodes at once as a power cut would.
    pub(crate) async fn kill9_all(&mut self) {
        let all = self.all();
        self.process.have(&format!("kill {all}"), &format!("killed {all}")).await;
    }

    /// Starts all nodes again, and waits until they are up.
    pub(crate) async fn start_all(&mut self) {
        let all = self.all();
        self.process.have(&format!("start {all}"), &format!("started {all}")).await;
    }

    /// A topic with as many replicas as there are nodes.
    pub(crate) async fn create_topic(&self, topic: &str, partitions: u32) {
        let partitions = partitions.to_string();
        self.tool("topics", &["--create", "--topic", topic, "--partitions", &partitions]).await;
    }

    /// The node that leads the partition; `None` while there is none.
    pub(crate) async fn leader_of(&self, topic: &str, partition: u32) -> Option<u32> {
        let topic = Kcat::at(&self.bootstrap).metadata(topic).await.ok()?;
        let leader = topic.partition(partition)?["leader"].as_i64()?;
        leader.try_into().ok() // -1 is nobody
    }

    /// The nodes that have all of the partition, in order.
    pub(crate) async fn in_sync(&self, topic: &str, partition: u32) -> Option<Vec<u64>> {
        let topic = Kcat::at(&self.bootstrap).metadata(topic).await.ok()?;
        let nodes = topic.partition(partition)?["isrs"].as_array()?.iter();
        let mut nodes: Vec<_> = nodes.flat_map(|node| node["id"].as_u64()).collect();
        nodes.sort_unstable();
        Some(nodes)
    }

    /// One of Kafka's own tools, as `servers.sh tool` names them; what it printed.
    pub(crate) async fn tool(&self, name: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(SERVERS);
        command.args(["tool", name, "--bootstrap-server", &self.bootstrap]).args(arguments);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let faults = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} {arguments:?}: {said}{faults}");
        said
    }

    fn all(&self) -> String {
        (1..=self.nodes).map(|node| node.to_string()).collect::<Vec<_>>().join(" ")
    }
}
