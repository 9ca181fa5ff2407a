//! The command service as a process of its own: what it can be told, and how it is put together.

use crate::{Listen, Page, Running, Settings, api::Api, start};
use clap::Parser;
use tandem_codec::{RegistryError, RegistryFlags};
use tandem_eventlog::{LogError, LogSettings};
use tandem_proto::v1::command_service_server::CommandServiceServer;
use tandem_service::{
    bind::{BindError, bind},
    grpc::ShellError,
    origins::AllowOrigin,
    probe::{self, Probe, Unhealthy},
    settings,
    shards::Shards,
    telemetry::Telemetry,
};
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;

/// Tandem's command service: takes commands over gRPC, writes events to the log, answers with
/// receipts. Any number of instances may run side by side.
// No Debug: the properties in the log's settings may be passwords.
#[derive(Clone, Parser)]
#[command(name = "command-svc", version)]
pub struct Flags {
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
    /// The log that events are written to.
    #[command(flatten)]
    pub log: LogSettings,
    /// The registry that knows the events' schemas.
    #[command(flatten)]
    pub registry: RegistryFlags,
    /// How many shards there are.
    #[command(flatten)]
    pub shards: Shards,
    /// What the page has to know.
    #[command(flatten)]
    pub page: Page,
    /// Which pages in the web may call it.
    #[command(flatten)]
    pub allow: AllowOrigin,
    /// Where log lines go and how they look.
    #[command(flatten)]
    pub telemetry: Telemetry,
    /// To ask instead of serving.
    #[command(flatten)]
    pub probe: Probe,
}

impl settings::Settings for Flags {
    fn faults(&self) -> Vec<String> {
        // Who only asks for health needs no more than the address.
        if self.probe.check_health {
            return Vec::new();
        }
        let mut faults = match &self.log.log {
            None => vec!["say where the log is: --log kafka://HOST:PORT,...".to_owned()],
            Some(_) => self.log.faults(),
        };
        if !self.registry.is_set() {
            faults.push("say where the schema registry is: --registry http://HOST:PORT".into());
        }
        faults.extend(self.registry.faults());
        faults.extend(self.shards.faults());
        faults.extend(self.allow.faults());
        faults
    }
}

/// Why the process can't start. Each says in one line what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The log's settings can't be used.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The registry's settings can't be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The server could not be put together.
    #[error(transparent)]
    Shell(#[from] ShellError),
}

/// Starts the service as the flags say, until `shutdown` is cancelled. The log and the registry
/// are reached later, however long that takes.
///
/// # Errors
/// [`StartError`].
pub async fn serve(flags: &Flags, shutdown: CancellationToken) -> Result<Running, StartError> {
    let socket = bind(&flags.listen.command_addr, Listen::FLAG).await?;
    let unset = |what: &str| format!("say where {what} is");
    let log = flags.log.open()?.ok_or_else(|| LogError::Unsuitable(unset("the log")))?;
    let codec = flags.registry.connect()?;
    let codec = codec.ok_or_else(|| RegistryError::Settings(unset("the schema registry")))?;
    let mut settings = Settings::new(flags.shards.shards);
    settings.origins = flags.allow.origins(None);
    settings.query_urls = flags.page.query_urls(settings.query_urls);
    Ok(start(settings, log, codec, socket, shutdown).await?)
}

/// Asks the service that runs at the address of the flags whether it serves.
///
/// # Errors
/// [`Unhealthy`].
pub async fn check_health(flags: &Flags) -> Result<(), Unhealthy> {
    let service = <CommandServiceServer<Api> as NamedService>::NAME;
    probe::check(&flags.listen.command_addr, Listen::FLAG, service).await
}

/// The line that says where the service listens; programs may rely on it.
#[must_use]
pub fn announcement(running: &Running) -> String {
    format!("command  http://{}\n", running.local_addr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_service::settings::load_from;

    fn fault(args: &[&str]) -> String {
        load_from::<Flags>([&["command-svc"], args].concat()).err().unwrap().to_string()
    }

    #[test]
    fn the_log_and_the_registry_have_to_be_named() {
        let text = fault(&["--shards", "0"]);
        for words in [
            "say where the log is: --log kafka://HOST:PORT,...",
            "say where the schema registry is: --registry http://HOST:PORT",
            "--shards is 0; give 1 to 64",
        ] {
            assert!(text.contains(words), "{text}");
        }
        let text = fault(&["--log", "amqp://x", "--registry", "x"]);
        assert!(text.contains("--log is \"amqp://x\"; give kafka://HOST:PORT"), "{text}");
        assert!(text.contains("--registry is \"x\"; give http://HOST:PORT"), "{text}");
    }

    #[test]
    fn who_asks_for_health_needs_neither() {
        let (flags, _) = load_from::<Flags>(["command-svc", "--check-health"]).ok().unwrap();
        assert!(flags.probe.check_health);
    }

    #[test]
    fn what_takes_effect_is_shown_without_secrets() {
        let args = [
            ["command-svc", "--log=kafka://b:9092", "--kafka=sasl.password=hunter2"].as_slice(),
            &["--registry=https://r", "--registry-user=ada", "--registry-password=hunter2"],
        ];
        let (flags, effective) = load_from::<Flags>(args.concat()).ok().unwrap();
        assert_eq!((&*flags.listen.command_addr, flags.shards.shards), ("127.0.0.1:8090", 4));
        let text = effective.to_string();
        assert!(!text.contains("hunter2"), "{text}");
        for row in ["kafka = sasl.password=***", "registry_password = ***", "registry = https://r"]
        {
            assert!(text.contains(row), "{text}");
        }
    }
}
