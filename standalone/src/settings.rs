//! What `tandem` can be told, as flags or in the environment.

use clap::Parser;
use std::path::PathBuf;
use tandem_service::{settings, telemetry::Telemetry};

/// The most shards: each keeps a store open, so the bound is one of memory and files.
const MAX_SHARDS: u32 = 64;

/// Tandem in one process: an embedded event log and schema registry, the command service and the
/// query service.
#[derive(Debug, Clone, Parser)]
#[command(name = "tandem", version)]
pub struct Settings {
    /// Folder that keeps the log and the view; made if it is missing.
    #[arg(long, env = "TANDEM_DATA_DIR", default_value = "data")]
    pub data_dir: PathBuf,
    /// Where the command service listens, host:port; port 0 picks a free one.
    #[arg(long, env = "TANDEM_COMMAND_ADDR", default_value = "127.0.0.1:8090")]
    pub command_addr: String,
    /// Where the query service listens, host:port; port 0 picks a free one.
    #[arg(long, env = "TANDEM_QUERY_ADDR", default_value = "127.0.0.1:8095")]
    pub query_addr: String,
    /// Where the schema registry listens, host:port; port 0 picks a free one.
    #[arg(long, env = "TANDEM_REGISTRY_ADDR", default_value = "127.0.0.1:8081")]
    pub registry_addr: String,
    /// How many shards the view has; fixed when the data folder is first used.
    #[arg(long, env = "TANDEM_SHARDS", default_value_t = 4)]
    pub shards: u32,
    /// Memory for rows read from the view, MiB.
    #[arg(long, env = "TANDEM_CACHE_MIB", default_value_t = 64)]
    pub cache_mib: usize,
    /// Memory for rows of the view not yet on disk, MiB.
    #[arg(long, env = "TANDEM_WRITE_BUFFER_MIB", default_value_t = 64)]
    pub write_buffer_mib: usize,
    /// Where log lines go and how they look.
    #[command(flatten)]
    pub telemetry: Telemetry,
}

impl settings::Settings for Settings {
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !(1..=MAX_SHARDS).contains(&self.shards) {
            faults.push(format!("--shards is {}; give 1 to {MAX_SHARDS}", self.shards));
        }
        for (flag, mib) in
            [("--cache-mib", self.cache_mib), ("--write-buffer-mib", self.write_buffer_mib)]
        {
            if !(8..=1 << 20).contains(&mib) {
                faults.push(format!("{flag} is {mib}; give 8 to 1048576"));
            }
        }
        faults
    }
}
