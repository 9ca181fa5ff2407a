//! What the command service can be told.

use crate::{Clock, QueryUrl};
use tandem_service::{grpc::Limits, origins::Origins};

/// Where a query service listens unless told otherwise.
const QUERY_PORT: u16 = 8095;

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

/// What the page has to know, to be flattened into a process's settings.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Page {
    /// Where browsers reach the query services, for the page: http://HOST[:PORT], https://..., or
    /// :PORT for the host that the page comes from; several with commas between, of which the page
    /// uses another when one is away [default: :8095; of `tandem`, where its own listen].
    #[arg(long, env = "TANDEM_QUERY_URL", value_name = "URL[,URL...]", value_delimiter = ',')]
    pub query_url: Vec<QueryUrl>,
}

impl Page {
    /// Those addresses, or `otherwise` if there are none.
    #[must_use]
    pub fn query_urls(&self, otherwise: Vec<QueryUrl>) -> Vec<QueryUrl> {
        if self.query_url.is_empty() { otherwise } else { self.query_url.clone() }
    }
}

/// How the service works, whatever process it is in.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many partitions each topic has. All services of a system have to agree on it, so it
    /// belongs to the process's settings and not to this service's.
    pub shards: u32,
    /// The bounds of the port.
    pub limits: Limits,
    /// Which pages in the web may call it, besides its own.
    pub origins: Origins,
    /// Where its own page reaches the query services.
    pub query_urls: Vec<QueryUrl>,
    /// What tells the time of events.
    pub clock: Clock,
}

impl Settings {
    /// The usual settings for that many shards.
    #[must_use]
    pub fn new(shards: u32) -> Self {
        let (limits, origins, clock) = (Limits::default(), Origins::default(), Clock::system());
        Self { shards, limits, origins, query_urls: vec![QueryUrl::Beside(QUERY_PORT)], clock }
    }
}
