//! What query services run on, and one of them among its like.

use std::{collections::BTreeSet, ops::Deref, path::PathBuf};
use tandem_e2e::{
    eventually::eventually,
    process::Process,
    services::{COMMAND, Services, Urls, health},
};
use tandem_proto::v1::{self, ShardState, command_service_client::CommandServiceClient};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::health_check_response::ServingStatus;

use super::SHARDS;
use crate::{
    pair::{Servers, start_query},
    servers::{Cluster, Registry},
};

/// Kafka, a registry, and a command service.
pub(crate) struct Ground {
    home: TempDir,
    command: Process,
    command_url: String,
    commands: Channel,
    servers: Servers,
    _registry: Registry,
    _cluster: Cluster,
}

/// A query service; it is asked as [`Services`] are.
pub(crate) struct Instance {
    replica_set: String,
    pub(crate) process: Process,
    services: Services,
}

impl Ground {
    /// On so many nodes, which all have every record.
    pub(crate) async fn start(nodes: u32) -> Self {
        let (cluster, registry) = tokio::join!(Cluster::start(nodes), Registry::start());
        let servers = Servers::at(&cluster, registry.url());
        let servers = servers.with("--replication-factor", &nodes.to_string());
        let servers = servers.with("--min-insync-replicas", &nodes.div_ceil(2).to_string());
        let command = servers.start("command-svc", &["--command-addr", "127.0.0.1:0"]);
        let command_url = command.announced("command").await;
        let commands = Endpoint::from_shared(command_url.clone()).unwrap().connect_lazy();
        eventually("commands are taken", async || {
            (health(&commands, COMMAND).await == Some(ServingStatus::Serving)).then_some(())
        })
        .await;
        let home = tempfile::tempdir().unwrap();
        let (_registry, _cluster) = (registry, cluster);
        Self { home, command, command_url, commands, servers, _registry, _cluster }
    }

    /// The command service.
    pub(crate) fn commands(&self) -> CommandServiceClient<Channel> {
        CommandServiceClient::new(self.commands.clone())
    }

    /// Where a test may keep something.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// An instance in this set, on what an earlier one of that name has kept.
    pub(crate) async fn instance(&self, name: &str, set: &str, more: &[(&str, &str)]) -> Instance {
        let servers = self.servers.clone();
        let servers = more.iter().fold(servers, |told, (flag, value)| told.with(flag, value));
        Instance::start(&servers, &self.command_url, set, self.file(name)).await
    }

    /// Ends what is left of it politely.
    pub(crate) async fn stop(self) {
        self.command.stop(&["not ready"]).await;
    }
}

impl Deref for Instance {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl Instance {
    /// Waits until it has said where it listens.
    pub(crate) async fn start(servers: &Servers, command: &str, set: &str, data: PathBuf) -> Self {
        let process = start_query(servers, set, &data);
        let urls = Urls {
            command: command.to_owned(),
            query: process.announced("query").await,
            registry: servers.registry.clone(),
        };
        Self { replica_set: set.to_owned(), process, services: Services::at(urls) }
    }

    /// Where the others reach it.
    pub(crate) fn address(&self) -> &str {
        self.urls.query.strip_prefix("http://").unwrap()
    }

    /// The shards that it holds, with their states.
    pub(crate) async fn held(&self) -> Vec<(u32, ShardState)> {
        held(&self.instances().await.unwrap()[0])
    }

    /// Waits until it serves all shards itself.
    pub(crate) async fn holds_all(&self) {
        let all: Vec<_> = (0..SHARDS).map(|shard| (shard, ShardState::Serving)).collect();
        eventually("it holds all shards", async || (self.held().await == all).then_some(())).await;
    }
}

/// Waits until each of these knows of all of them and of nobody else, and every shard is served by
/// one of each of their sets, which share the shards evenly.
pub(crate) async fn settled(all: &[&Instance]) {
    for one in all {
        let what = format!("{} and {} others have settled", one.address(), all.len() - 1);
        eventually(&what, async || {
            let known = one.instances().await.ok()?;
            (are_these(&known, all) && share(&known, all)).then_some(())
        })
        .await;
    }
}

fn are_these(known: &[v1::Instance], all: &[&Instance]) -> bool {
    let known: BTreeSet<_> = known.iter().map(|one| &*one.address).collect();
    known == all.iter().map(|one| one.address()).collect()
}

fn share(known: &[v1::Instance], all: &[&Instance]) -> bool {
    let whole = (0..SHARDS).map(|shard| (shard, ShardState::Serving));
    all.iter().all(|Instance { replica_set, .. }| {
        let of_set: Vec<_> = known.iter().filter(|one| one.replica_set == *replica_set).collect();
        let mut shards: Vec<_> = of_set.iter().flat_map(|one| held(one)).collect();
        shards.sort_unstable_by_key(|(shard, _)| *shard);
        let least = SHARDS as usize / of_set.len();
        let is_even = of_set.iter().all(|one| one.shards.len() >= least);
        is_even && shards.into_iter().eq(whole.clone())
    })
}

fn held(one: &v1::Instance) -> Vec<(u32, ShardState)> {
    one.shards.iter().map(|shard| (shard.shard, shard.state())).collect()
}
