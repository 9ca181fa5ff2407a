//! The processes that hold a view: the query service, and the processor alone. What they can be
//! told, and how they are put together.

use crate::{
    Running,
    api::Api,
    settings::{Folding, Listen, Place, Settings},
    start,
};
use clap::Parser;
use tandem_processor::{Codec, Log, LogError, RegistryError};
use tandem_proto::v1::query_service_server::QueryServiceServer;
use tandem_service::{
    bind::{BindError, bind, local_addr},
    grpc::ShellError,
    origins::AllowOrigin,
    probe::{self, Probe, Unhealthy},
    settings,
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;

/// The port at which the page is served, on the same host, unless that was told otherwise.
const COMMAND_PORT: u16 = 8090;

/// Tandem's query service: folds the log into a joined view on this machine's disk and answers
/// queries over gRPC from it.
#[derive(Clone, Parser)]
#[command(name = "query-svc", version)]
pub struct Flags {
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
    /// Which pages in the web may call it.
    #[command(flatten)]
    pub allow: AllowOrigin,
    /// What is folded, and to where.
    #[command(flatten)]
    pub folding: Folding,
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
        [self.folding.faults(), self.allow.faults()].concat()
    }
}

/// Tandem's processor alone: folds the log into the view on this machine's disk and answers
/// nothing, to have a copy ready before a query-svc is started on its folder. Give it the replica
/// set of that query-svc, and one that no other instance is in meanwhile, or it shares the shards.
#[derive(Clone, Parser)]
#[command(name = "processor", version)]
pub struct ProcessorFlags {
    /// What is folded, and to where.
    #[command(flatten)]
    pub folding: Folding,
}

impl settings::Settings for ProcessorFlags {
    fn faults(&self) -> Vec<String> {
        self.folding.faults()
    }
}

/// Why a process can't start. Each says in one line what to do.
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

/// Starts the query service as the flags say, until `shutdown` is cancelled; the view is folded
/// on `fold`. The log and the registry are reached later, however long that takes.
///
/// # Errors
/// [`StartError`].
pub async fn serve(
    flags: &Flags,
    fold: Handle,
    shutdown: CancellationToken,
) -> Result<Running, StartError> {
    let Flags { listen, allow, folding, .. } = flags;
    let socket = bind(&listen.query_addr, Listen::FLAG).await?;
    let place = Place::Port(local_addr(&socket, Listen::FLAG)?.port());
    let (log, codec) = connect(folding)?;
    let processor = folding.view.processor(&folding.identity, &place);
    let settings = Settings::of(processor, &folding.identity, allow.origins(Some(COMMAND_PORT)));
    Ok(start(settings, log, codec, fold, socket, shutdown).await?)
}

/// Starts the processor alone as the flags say, on `fold`. Has to be called within a runtime.
///
/// # Errors
/// [`StartError`].
pub fn start_processor(
    flags: &ProcessorFlags,
    fold: Handle,
) -> Result<tandem_processor::Running, StartError> {
    let folding = &flags.folding;
    let (log, codec) = connect(folding)?;
    let settings = folding.view.processor(&folding.identity, &Place::Nowhere);
    Ok(tandem_processor::start(settings, log, codec, fold).0)
}

fn connect(folding: &Folding) -> Result<(Log, Codec), StartError> {
    let unset = |what: &str| format!("say where {what} is");
    let log = folding.log.open()?.ok_or_else(|| LogError::Unsuitable(unset("the log")))?;
    let codec = folding.registry.connect()?;
    let codec = codec.ok_or_else(|| RegistryError::Settings(unset("the schema registry")))?;
    Ok((log, codec))
}

/// Asks the query service that runs at the address of the flags whether it serves.
///
/// # Errors
/// [`Unhealthy`].
pub async fn check_health(flags: &Flags) -> Result<(), Unhealthy> {
    let service = <QueryServiceServer<Api> as NamedService>::NAME;
    probe::check(&flags.listen.query_addr, Listen::FLAG, service).await
}

/// The line that says where the query service listens; programs may rely on it.
#[must_use]
pub fn announcement(running: &Running) -> String {
    format!("query    http://{}\n", running.local_addr())
}

/// The line that says where the processor keeps the view; programs may rely on it.
#[must_use]
pub fn processor_announcement(flags: &ProcessorFlags) -> String {
    format!("view     {}\n", flags.folding.view.dir().display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_service::settings::{Settings as Told, load_from};

    const ENOUGH: [&str; 3] = ["x", "--log=kafka://b:9092", "--registry=http://r:8081"];

    fn fault<S: Told>(args: &[&str]) -> String {
        load_from::<S>([&["x"], args].concat()).err().unwrap().to_string()
    }

    #[test]
    fn the_log_and_the_registry_have_to_be_named() {
        let wrong =
            ["--shards=65", "--cache-mib=1", "--document-cache-mib=1048577", "--replica-set=a b"];
        for text in [fault::<Flags>(&wrong), fault::<ProcessorFlags>(&wrong)] {
            for words in [
                "say where the log is: --log kafka://HOST:PORT,...",
                "say where the schema registry is: --registry http://HOST:PORT",
                "--shards is 65; give 1 to 64",
                "--cache-mib is 1; give 8 to 1048576",
                "--document-cache-mib is 1048577; give 0 to 1048576",
                "--replica-set is \"a b\"; give",
            ] {
                assert!(text.contains(words), "{text}");
            }
        }
        let (flags, _) = load_from::<Flags>(["x", "--check-health"]).ok().unwrap();
        assert!(flags.probe.check_health, "who asks for health needs neither");
    }

    #[test]
    fn what_is_not_said() {
        let (flags, effective) = load_from::<Flags>(ENOUGH).ok().unwrap();
        assert_eq!(flags.listen.query_addr, "127.0.0.1:8095");
        let settings = flags.folding.view.processor(&flags.folding.identity, &Place::Port(8095));
        assert_eq!(settings.dir, std::path::Path::new("data/view"));
        assert_eq!((settings.shards, &*settings.replica_set), (4, "a"));
        assert_eq!((settings.cache_bytes, settings.write_buffer_bytes), (64 << 20, 64 << 20));
        assert_eq!(settings.document_cache_bytes, 128 << 20);
        assert!(effective.to_string().contains("registry = http://r:8081"), "{effective}");
        let args = [ENOUGH.as_slice(), &["--data-dir=/d"]].concat();
        let (flags, _) = load_from::<ProcessorFlags>(args).ok().unwrap();
        assert_eq!(processor_announcement(&flags), "view     /d/view\n");
    }
}
