//! What the command service can be told.

use crate::Clock;
use tandem_service::grpc::Limits;

/// Where to listen, to be flattened into a process's settings; bound with
/// [`bind`](tandem_service::bind::bind) and [`Listen::FLAG`].
#[derive(Debug, Clone, clap::Args)]
pub struct Listen {
    /// Where the command service listens, host:port; port 0 picks a free one.
    #[arg(
        long,
        env = "TANDEM_COMMAND_ADDR",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8090"
    )]
    pub command_addr: String,
}

impl Listen {
    /// The flag that says where to listen.
    pub const FLAG: &str = "--command-addr";
}

/// How the service works, whatever process it is in.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many partitions each topic has. All services of a system have to agree on it, so it
    /// belongs to the process's settings and not to this service's.
    pub shards: u32,
    /// The bounds of the port.
    pub limits: Limits,
    /// What tells the time of events.
    pub clock: Clock,
}

impl Settings {
    /// The usual settings for that many shards.
    #[must_use]
    pub fn new(shards: u32) -> Self {
        Self { shards, limits: Limits::default(), clock: Clock::system() }
    }
}
