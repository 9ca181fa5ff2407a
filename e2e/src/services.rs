//! The services of a running Tandem, as clients reach them.

use std::sync::atomic::{AtomicUsize, Ordering};
use tandem_proto::v1::{
    command_service_client::CommandServiceClient, query_service_client::QueryServiceClient,
};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::eventually::eventually;

pub const COMMAND: &str = "tandem.v1.CommandService";
pub const QUERY: &str = "tandem.v1.QueryService";

/// Where each service listens.
#[derive(Debug, Clone)]
pub struct Urls {
    pub command: String,
    pub query: String,
    pub registry: String,
}

/// Connections to the services.
pub struct Services {
    pub urls: Urls,
    command: Channel,
    queries: Vec<Channel>,
    turn: AtomicUsize,
}

impl Services {
    pub fn at(urls: Urls) -> Self {
        let (command, queries) = (channel(&urls.command), vec![channel(&urls.query)]);
        Self { urls, command, queries, turn: AtomicUsize::new(0) }
    }

    /// The query services of all of these, each question asked of the next one.
    pub fn in_turn(all: &[Self]) -> Self {
        let queries = all.iter().flat_map(|one| one.queries.clone()).collect();
        let (urls, command) = (all[0].urls.clone(), all[0].command.clone());
        Self { urls, command, queries, turn: AtomicUsize::new(0) }
    }

    pub fn commands(&self) -> CommandServiceClient<Channel> {
        CommandServiceClient::new(self.command.clone())
    }

    pub fn queries(&self) -> QueryServiceClient<Channel> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        QueryServiceClient::new(self.queries[turn % self.queries.len()].clone())
    }

    /// Each service's name and the connection to it.
    pub fn channels(&self) -> [(&'static str, Channel); 2] {
        [(COMMAND, self.command.clone()), (QUERY, self.queries[0].clone())]
    }

    /// Waits until both services say that they do their work.
    pub async fn serving(&self) {
        for (name, channel) in self.channels() {
            eventually(&format!("{name} is SERVING"), async || {
                let status = health(&channel, name).await;
                (status == Some(ServingStatus::Serving)).then_some(())
            })
            .await;
        }
    }
}

/// What the service says of itself; `None` if it can't be asked.
pub async fn health(channel: &Channel, service: &str) -> Option<ServingStatus> {
    let asked = HealthCheckRequest { service: service.into() };
    let answer = HealthClient::new(channel.clone()).check(asked).await.ok()?;
    Some(answer.into_inner().status())
}

/// `query    http://127.0.0.1:40002` on stdout is where `query` listens. `None` until all three
/// are said.
pub fn announced_in(stdout: &str) -> Option<Urls> {
    let url = |service: &str| {
        let whole = stdout.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let mut said = whole.filter_map(|line| line.split_once(char::is_whitespace));
        said.find(|(word, url)| *word == service && url.trim_start().starts_with("http://"))
            .map(|(_, url)| url.trim().to_owned())
    };
    Some(Urls { command: url("command")?, query: url("query")?, registry: url("registry")? })
}

/// Where all the query services listen.
pub fn queries_in(stdout: &str) -> Vec<String> {
    let said = stdout.lines().filter_map(|line| line.strip_prefix("query "));
    said.map(|url| url.trim().to_owned()).collect()
}

fn channel(url: &str) -> Channel {
    Endpoint::from_shared(url.to_owned()).unwrap().connect_lazy()
}
