//! What a process that holds a view can be told, whether it answers queries or not; each part to
//! be flattened into a process's own settings.

use crate::peers::{Connect, over_network};
use clap::Args;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tandem_processor::{LogSettings, RegistryFlags};
use tandem_service::{grpc::Limits, origins::Origins, shards::Shards, telemetry::Telemetry};

/// The longest wait for others that can be told: a year.
const LONGEST_SECS: u64 = 365 * 24 * 60 * 60;

/// The longest name of a replica set, or of an instance.
const LONGEST_NAME: usize = 100;

/// What the query service has to be told, whatever process it is in.
#[derive(Clone)]
pub struct Settings {
    /// What its processor has to be told.
    pub processor: tandem_processor::Settings,
    /// Where the other instances reach it, host:port; `None` for where it listens.
    pub advertise: Option<String>,
    /// Its zone; may be empty.
    pub zone: String,
    /// The bounds of its server.
    pub limits: Limits,
    /// Which pages in the web may call it.
    pub origins: Origins,
    /// How it connects to its peers.
    pub connect: Connect,
}

impl Settings {
    /// What is usual: it is reached where it listens, and reaches its peers over the network.
    #[must_use]
    pub fn new(processor: tandem_processor::Settings) -> Self {
        let (zone, limits) = (String::new(), Limits::default());
        let (origins, connect) = (Origins::default(), over_network());
        Self { processor, advertise: None, zone, limits, origins, connect }
    }

    /// The same, as the operator says.
    #[must_use]
    pub fn of(
        processor: tandem_processor::Settings,
        identity: &Identity,
        origins: Origins,
    ) -> Self {
        let advertise = identity.advertise.clone().filter(|address| !address.is_empty());
        Self { advertise, zone: identity.zone.clone(), origins, ..Self::new(processor) }
    }
}

/// Where to listen; bound with [`bind`](tandem_service::bind::bind) and [`Listen::FLAG`].
#[derive(Debug, Clone, Args)]
pub struct Listen {
    /// Where the query service listens, host:port; port 0 picks a free one.
    #[arg(
        long,
        env = "TANDEM_QUERY_ADDR",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8095"
    )]
    pub query_addr: String,
}

impl Listen {
    /// The flag that says where to listen.
    pub const FLAG: &str = "--query-addr";
}

/// The view that the process keeps.
#[derive(Debug, Clone, Args)]
pub struct ViewSettings {
    /// Folder for what this process keeps, the view in its `view`; made if it is missing.
    #[arg(long, env = "TANDEM_DATA_DIR", value_name = "DIR", default_value = "data")]
    pub data_dir: PathBuf,
    /// How many shards there are.
    #[command(flatten)]
    pub shards: Shards,
    /// Memory for rows read from the view, MiB.
    #[arg(long, env = "TANDEM_CACHE_MIB", value_name = "MIB", default_value_t = 64)]
    pub cache_mib: usize,
    /// Memory for answers about customers' orders as JSON, MiB: one whose rows have not changed since
    /// is given again as it is; 0 keeps none.
    #[arg(long, env = "TANDEM_DOCUMENT_CACHE_MIB", value_name = "MIB", default_value_t = 128)]
    pub document_cache_mib: usize,
    /// Memory for rows of the view not yet on disk, MiB.
    #[arg(long, env = "TANDEM_WRITE_BUFFER_MIB", value_name = "MIB", default_value_t = 64)]
    pub write_buffer_mib: usize,
    /// How long a shard that goes to another instance is still answered for here, at most, until
    /// that one serves it; seconds.
    #[arg(long, env = "TANDEM_HANDOVER_SECS", value_name = "SECONDS", default_value_t = 600)]
    pub handover_secs: u64,
    /// The same when the process is told to stop; seconds.
    #[arg(long, env = "TANDEM_LEAVE_SECS", value_name = "SECONDS", default_value_t = 20)]
    pub leave_secs: u64,
    /// How long the files of a shard that is elsewhere are kept, in case it comes back; seconds.
    #[arg(long, env = "TANDEM_KEEP_FILES_SECS", value_name = "SECONDS", default_value_t = 600)]
    pub keep_files_secs: u64,
}

impl ViewSettings {
    /// Everything that is wrong with them.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.shards.faults();
        for (flag, mib) in
            [("--cache-mib", self.cache_mib), ("--write-buffer-mib", self.write_buffer_mib)]
        {
            if !(8..=1 << 20).contains(&mib) {
                faults.push(format!("{flag} is {mib}; give 8 to 1048576"));
            }
        }
        let mib = self.document_cache_mib;
        if mib > 1 << 20 {
            faults.push(format!("--document-cache-mib is {mib}; give 0 to 1048576"));
        }
        for (flag, secs) in [
            ("--handover-secs", self.handover_secs),
            ("--leave-secs", self.leave_secs),
            ("--keep-files-secs", self.keep_files_secs),
        ] {
            if secs > LONGEST_SECS {
                faults.push(format!("{flag} is {secs}; give 0 to {LONGEST_SECS}"));
            }
        }
        faults
    }

    /// Where the view lies.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.data_dir.join("view")
    }

    /// What the processor of this view has to be told.
    #[must_use]
    pub fn processor(&self, identity: &Identity, place: &Place) -> tandem_processor::Settings {
        let instance_id = identity.instance_id(place);
        tandem_processor::Settings {
            is_static: identity.given().is_some(),
            handover: Duration::from_secs(self.handover_secs),
            leave_within: Duration::from_secs(self.leave_secs),
            keep_files: Duration::from_secs(self.keep_files_secs),
            cache_bytes: self.cache_mib << 20,
            document_cache_bytes: self.document_cache_mib << 20,
            write_buffer_bytes: self.write_buffer_mib << 20,
            ..tandem_processor::Settings::new(
                self.dir(),
                self.shards.shards,
                &identity.replica_set,
                &instance_id,
            )
        }
    }
}

/// Who the process is among its like.
#[derive(Debug, Clone, Args)]
pub struct Identity {
    /// The replica set: instances of one set share the shards, and each set has a whole copy of
    /// the view. On Kafka it is the consumer group `tandem-NAME`.
    #[arg(long, env = "TANDEM_REPLICA_SET", value_name = "NAME", default_value = "a")]
    pub replica_set: String,
    /// This instance's name, one of its own and the same after a restart. Given, the instance is
    /// expected back after a stop: its shards go to others only when it stays away longer than the
    /// group's session time (6 s), and a quick restart moves nothing. Left out, they go to others
    /// before it stops [default: the host's name, and the port where one is listened on].
    #[arg(long, env = "TANDEM_INSTANCE_ID", value_name = "NAME")]
    pub instance_id: Option<String>,
    /// Where the other instances reach this one, host:port [default: where it listens, or the
    /// host's name where that is every address].
    #[arg(long, env = "TANDEM_ADVERTISE", value_name = "HOST:PORT")]
    pub advertise: Option<String>,
    /// This instance's zone: queries are answered from it where it has what they need.
    #[arg(long, env = "TANDEM_ZONE", value_name = "NAME", default_value = "")]
    pub zone: String,
}

/// What tells an instance from others on its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It listens on this port.
    Port(u16),
    /// It listens nowhere and only folds.
    Nowhere,
}

impl Identity {
    /// Everything that is wrong with it.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let named = [
            ("--replica-set", Some(&*self.replica_set), "._-"),
            ("--instance-id", self.given(), "._-:"),
            ("--zone", Some(&*self.zone).filter(|zone| !zone.is_empty()), "._-"),
        ];
        let named = named.into_iter().filter_map(|(flag, name, also)| Some((flag, name?, also)));
        let is_wrong = |name: &str, also: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
            !(1..=LONGEST_NAME).contains(&name.len()) || !name.chars().all(fits)
        };
        let address = self.advertise.as_deref().filter(|address| !address.is_empty());
        let address = address.filter(|address| !is_address(address)).map(|address| {
            format!("--advertise is {address:?}; give HOST:PORT as the other instances reach it")
        });
        named
            .filter(|(_, name, also)| is_wrong(name, also))
            .map(|(flag, name, also)| {
                let also: Vec<String> = also.chars().map(String::from).collect();
                let also = also.join(" ");
                format!("{flag} is {name:?}; give 1 to {LONGEST_NAME} letters, digits, {also}")
            })
            .chain(address)
            .collect()
    }

    /// The instance's name. The host's is the same after a restart, which keeps shards where
    /// they were.
    fn instance_id(&self, place: &Place) -> String {
        match (self.given(), place) {
            (Some(id), _) => id.to_owned(),
            (None, Place::Port(port)) => format!("{}:{port}", host_name()),
            (None, Place::Nowhere) => format!("{}-processor", host_name()),
        }
    }

    /// A variable that is set to nothing means "not set".
    fn given(&self) -> Option<&str> {
        self.instance_id.as_deref().filter(|id| !id.is_empty())
    }
}

/// Whether others could connect to it: a host, and a port that isn't 0.
fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    let is_host = |host: &str| !host.is_empty() && !host.contains('/');
    parts.is_some_and(|(host, port)| is_host(host) && port.parse().is_ok_and(|p: u16| p > 0))
        && format!("http://{text}").parse::<tonic::transport::Uri>().is_ok()
}

/// Where others reach what listens at `address`, as far as can be told from that.
pub(crate) fn reached_at(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("{}:{}", host_name(), address.port()),
        false => address.to_string(),
    }
}

/// What the system calls this host; in a container, its id or the pod's name.
fn host_name() -> String {
    let told = std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname"));
    let told = told.ok().or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    match told.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

/// Everything that it takes to fold a view from a log elsewhere.
// No Debug: the properties in the log's settings may be passwords.
#[derive(Clone, Args)]
pub struct Folding {
    /// The log that the view is folded from.
    #[command(flatten)]
    pub log: LogSettings,
    /// The registry that knows the events' schemas.
    #[command(flatten)]
    pub registry: RegistryFlags,
    /// The view that is kept here.
    #[command(flatten)]
    pub view: ViewSettings,
    /// Who this instance is.
    #[command(flatten)]
    pub identity: Identity,
    /// Where log lines go and how they look.
    #[command(flatten)]
    pub telemetry: Telemetry,
}

impl Folding {
    /// Everything that is wrong with them.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = match &self.log.log {
            None => vec!["say where the log is: --log kafka://HOST:PORT,...".to_owned()],
            Some(_) => self.log.faults(),
        };
        if !self.registry.is_set() {
            faults.push("say where the schema registry is: --registry http://HOST:PORT".into());
        }
        faults.extend(self.registry.faults());
        faults.extend(self.view.faults());
        faults.extend(self.identity.faults());
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(replica_set: &str, instance_id: Option<&str>) -> Identity {
        let (replica_set, instance_id) = (replica_set.into(), instance_id.map(Into::into));
        Identity { replica_set, instance_id, advertise: None, zone: String::new() }
    }

    #[test]
    fn names() {
        for (set, id) in [("a", None), ("blue.2_x-y", Some("host:8095")), ("a", Some(""))] {
            assert_eq!(identity(set, id).faults(), [""; 0]);
        }
        let long = "x".repeat(LONGEST_NAME + 1);
        assert_eq!(identity(&long, Some(&long)).faults().len(), 2);
        let faults = identity("", Some("a b")).faults();
        let expected = [
            "--replica-set is \"\"; give 1 to 100 letters, digits, . _ -",
            "--instance-id is \"a b\"; give 1 to 100 letters, digits, . _ - :",
        ];
        assert_eq!(faults, expected);
        assert_eq!(identity("a:b", None).faults().len(), 1, "a colon is none of Kafka's");
    }

    #[test]
    fn addresses() {
        for (text, fits) in [
            ("query-1:8095", true),
            ("10.0.0.1:1", true),
            ("[::1]:8095", true),
            ("", true),
            ("query-1", false),
            ("query-1:0", false),
            (":8095", false),
            ("a b:1", false),
            ("http://a:1", false),
        ] {
            let identity = Identity { advertise: Some(text.into()), ..identity("a", None) };
            assert_eq!(identity.faults().is_empty(), fits, "{text}");
        }
        assert_eq!(reached_at("10.0.0.1:5".parse().unwrap()), "10.0.0.1:5");
        assert_eq!(reached_at("0.0.0.0:5".parse().unwrap()), format!("{}:5", host_name()));
    }

    #[test]
    fn an_instance_keeps_its_name() {
        let (unnamed, named) = (identity("a", None), identity("a", Some("one")));
        let first = unnamed.instance_id(&Place::Port(8095));
        assert_eq!(first, unnamed.instance_id(&Place::Port(8095)));
        assert!(first.ends_with(":8095") && !first.starts_with(':'), "{first}");
        assert_ne!(first, unnamed.instance_id(&Place::Nowhere));
        assert_eq!(named.instance_id(&Place::Port(8095)), "one");
    }
}
