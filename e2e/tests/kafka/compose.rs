//! `docker-compose.yml` without a container engine: what it tells each service is what these
//! tests run, and the system that it describes works.

use serde_yaml_ng::Value;
use std::{collections::BTreeSet, path::Path};
use tandem_e2e::{
    eventually::eventually,
    process::Process,
    services::{Services, Urls},
    wire::{customer, customer_as_of},
};

use crate::servers::{Cluster, Registry};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A service of the file that is one of Tandem's own.
struct Service {
    name: String,
    /// `command` or `query`.
    role: String,
    /// Those of its environment too.
    flags: Vec<String>,
    health: Vec<String>,
}

/// Such a service as a process here.
struct Running {
    service: Service,
    process: Process,
    url: String,
}

#[tokio::test]
async fn its_commands_make_a_system() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let mut running = Vec::new();
    for service in services() {
        running.push(start(service, &cluster, &registry, home.path()).await);
    }
    for one in &running {
        let what = format!("{} says that it serves", one.service.name);
        eventually(&what, async || is_healthy(one).await.then_some(())).await;
    }

    let [command_1, command_2, query_a_1, query_a_2, query_b_1] =
        ["command-1", "command-2", "query-a-1", "query-a-2", "query-b-1"]
            .map(|name| running.iter().find(|one| one.service.name == name).unwrap().url.clone());
    let at = |command: &str, query: &str| {
        let (command, query) = (command.to_owned(), query.to_owned());
        Services::at(Urls { command, query, registry: registry.url().to_owned() })
    };
    eventually("set a shares the shards, set b has them all", async || {
        let held = async |query: &str| held(at(&command_1, query)).await;
        let [a_1, a_2] = [held(&query_a_1).await, held(&query_a_2).await];
        let b_1 = held(&query_b_1).await;
        let all = a_1.union(&a_2).copied();
        (a_1.len() == 2 && a_2.len() == 2 && all.eq(0..4) && b_1.len() == 4).then_some(())
    })
    .await;
    for command in [&command_1, &command_2] {
        for query in [&query_a_1, &query_a_2, &query_b_1] {
            any_customer_is_shown(&at(command, query)).await;
        }
    }
    for one in running {
        one.process.stop(&["not ready", "waiting for the group"]).await;
    }
}

#[test]
fn its_servers_are_of_the_versions_that_tests_run() {
    let pom = std::fs::read_to_string(format!("{ROOT}/e2e/servers/pom.xml")).unwrap();
    let version = |name: &str| {
        let (_, after) = pom.split_once(&format!("<{name}>")).unwrap();
        after.split_once('<').unwrap().0.to_owned()
    };
    let compose = compose();
    let image = |service: &str| compose["services"][service]["image"].as_str().unwrap().to_owned();
    assert_eq!(image("kafka"), format!("apache/kafka:{}", version("kafka.version")));
    let registry = format!("apicurio/apicurio-registry-kafkasql:{}", version("apicurio.version"));
    assert_eq!(image("registry"), registry);
}

/// The others reach it by its host's name, and the network of a compose file knows those of
/// services alone.
#[test]
fn its_query_services_are_where_they_say() {
    let compose = compose();
    for service in services().into_iter().filter(|service| service.role == "query") {
        assert_eq!(compose["services"][&*service.name]["hostname"], *service.name);
    }
}

fn compose() -> Value {
    let text = std::fs::read_to_string(format!("{ROOT}/docker-compose.yml")).unwrap();
    let mut compose = serde_yaml_ng::from_str::<Value>(&text).unwrap();
    compose.apply_merge().unwrap();
    compose
}

fn services() -> Vec<Service> {
    let compose = compose();
    let all = compose["services"].as_mapping().unwrap().iter();
    let ours = all.filter(|(_, service)| service["command"].is_sequence());
    let words = |list: &Value| {
        let list = list.as_sequence().unwrap().iter();
        list.map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    ours.map(|(name, service)| Service {
        name: name.as_str().unwrap().to_owned(),
        role: service["build"]["target"].as_str().unwrap().strip_suffix("-svc").unwrap().to_owned(),
        flags: [words(&service["command"]), variables(&service["environment"])].concat(),
        health: words(&service["healthcheck"]["test"]),
    })
    .collect()
}

/// As the flags that they stand for.
fn variables(environment: &Value) -> Vec<String> {
    let all = environment.as_mapping().into_iter().flatten();
    let flag = |(name, value): (&Value, &Value)| {
        let name = name.as_str().unwrap().strip_prefix("TANDEM_").unwrap();
        let name = name.to_lowercase().replace('_', "-");
        format!("--{name}={}", value.as_str().unwrap())
    };
    all.map(flag).collect()
}

/// Some that lie in every shard.
async fn any_customer_is_shown(services: &Services) {
    for id in (0..12).map(|n| format!("c-{n}")) {
        let receipt = services.create(customer(&id, "A.")).await.receipt;
        services.queries().get_customer(customer_as_of(&id, &receipt)).await.unwrap();
    }
}

/// With its own flags, where they name a place in a container one that is here instead.
async fn start(service: Service, cluster: &Cluster, registry: &Registry, home: &Path) -> Running {
    let (origin, _) = registry.url().split_once("/apis").unwrap();
    let folder = home.join(&service.name);
    let mut port = None;
    let here = service.flags.iter().map(|flag| {
        let (name, value) = flag.split_once('=').unwrap();
        if let Some(listens) = value.strip_prefix("0.0.0.0:") {
            port = Some(listens);
            return format!("{name}=127.0.0.1:0");
        }
        let value = value
            .replace("kafka:9092", cluster.bootstrap())
            .replace("http://registry:8080", origin)
            .replace("/data", folder.to_str().unwrap());
        format!("{name}={value}")
    });
    let here = here.collect::<Vec<_>>();
    let asked_at = format!("127.0.0.1:{}", port.unwrap());
    let binary = format!("{}-svc", service.role);
    let [first, second] = health_check(&service, &asked_at);
    assert_eq!(service.health, ["CMD", &format!("/usr/local/bin/{binary}"), &first, &second]);
    let flags = here.iter().map(String::as_str).collect::<Vec<_>>();
    let process = Process::start(&binary, &flags);
    let url = process.announced(&service.role).await;
    Running { service, process, url }
}

fn health_check(service: &Service, address: &str) -> [String; 2] {
    ["--check-health".to_owned(), format!("--{}-addr={address}", service.role)]
}

/// By its health check's own words, with the address that it got here.
async fn is_healthy(one: &Running) -> bool {
    let flags = health_check(&one.service, one.url.strip_prefix("http://").unwrap());
    let binary = format!("{}-svc", one.service.role);
    let (code, _, _) = Process::run(&binary, &flags.each_ref().map(|flag| &**flag)).await;
    code == Some(0)
}

async fn held(services: Services) -> BTreeSet<u32> {
    services.shards().await.into_iter().map(|shard| shard.shard).collect()
}
