//! What `tandem` can be told, as flags or in the environment.

use clap::Parser;
use tandem_codec::RegistryFlags;
use tandem_eventlog::LogSettings;
use tandem_query_svc::settings::{Identity, ViewSettings};
use tandem_service::{origins::AllowOrigin, settings, telemetry::Telemetry};

/// The replica set of its own that `tandem` is in unless told otherwise: a query service on the
/// same cluster must not get some of its shards.
const REPLICA_SET: &str = "standalone";

/// How many query services one process may have.
const MOST_INSTANCES: u32 = 16;

/// Tandem in one process: the command service and the query service, on an embedded event log
/// with an embedded schema registry, or on Kafka.
// No Debug: the properties in the log's settings may be passwords.
#[derive(Clone, Parser)]
#[command(name = "tandem", version)]
#[command(mut_arg("replica_set", |arg| arg.default_value(REPLICA_SET)))]
pub struct Settings {
    /// The view, and the folder that keeps it and the embedded log.
    #[command(flatten)]
    pub view: ViewSettings,
    /// Where the command service listens.
    #[command(flatten)]
    pub command: tandem_command_svc::Listen,
    /// Where the query service listens.
    #[command(flatten)]
    pub query: tandem_query_svc::settings::Listen,
    /// What the page has to know.
    #[command(flatten)]
    pub page: tandem_command_svc::Page,
    /// Which pages in the web may call the services.
    #[command(flatten)]
    pub allow: AllowOrigin,
    /// How many query services there are, each with its part of the shards and a port of its own,
    /// one after the other.
    #[arg(long, env = "TANDEM_QUERY_INSTANCES", value_name = "N", default_value_t = 1)]
    pub query_instances: u32,
    /// Where the embedded schema registry listens, host:port; port 0 picks a free one. There is
    /// none with --registry.
    #[arg(
        long,
        env = "TANDEM_REGISTRY_ADDR",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8081"
    )]
    pub registry_addr: String,
    /// The log, unless it is the embedded one.
    #[command(flatten)]
    pub log: LogSettings,
    /// The registry, unless it is the embedded one.
    #[command(flatten)]
    pub registry: RegistryFlags,
    /// Who this process is among others on the same log.
    #[command(flatten)]
    pub identity: Identity,
    /// Where log lines go and how they look.
    #[command(flatten)]
    pub telemetry: Telemetry,
}

impl settings::Settings for Settings {
    fn faults(&self) -> Vec<String> {
        let parts = [
            self.view.faults(),
            self.log.faults(),
            self.registry.faults(),
            self.identity.faults(),
            self.allow.faults(),
        ];
        let mut faults = parts.concat();
        if !(1..=MOST_INSTANCES).contains(&self.query_instances) {
            let n = self.query_instances;
            faults.push(format!("--query-instances is {n}; give 1 to {MOST_INSTANCES}"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_service::settings::load_from;

    #[test]
    fn what_is_not_said() {
        let (settings, _) = load_from::<Settings>(["tandem"]).ok().unwrap();
        assert_eq!(settings.view.data_dir, std::path::Path::new("data"));
        assert_eq!(settings.view.shards.shards, 4);
        assert_eq!(settings.identity.replica_set, REPLICA_SET);
        assert!(settings.log.log.is_none() && !settings.registry.is_set());
    }

    #[test]
    fn all_faults_at_once() {
        let args = [
            ["tandem", "--shards=0", "--cache-mib=1", "--log=kafka:9092"].as_slice(),
            &["--query-instances=17"],
            &["--registry=registry:8081", "--replica-set="],
        ];
        let text = load_from::<Settings>(args.concat()).err().unwrap().to_string();
        for words in [
            "--shards is",
            "--cache-mib is",
            "--log is",
            "--registry is",
            "--replica-set is",
            "--query-instances is",
        ] {
            assert!(text.contains(words), "{text}");
        }
    }
}
