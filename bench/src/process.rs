//! The `tandem` binary as a child, and what the system says of it.

use crate::ground::Ground;
use std::{
    error::Error,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};
use tandem_proto::v1::query_service_client::QueryServiceClient;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tonic::transport::Channel;

/// How long the child may take to say where it listens, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `tandem`; killed when dropped.
pub(crate) struct Tandem {
    child: Child,
    pid: u32,
    pub(crate) command: String,
    /// Each of its query services.
    pub(crate) queries: Vec<String>,
    pub(crate) started: Instant,
}

/// What the system has counted of a process so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_rss_mib: f64,
}

impl Tandem {
    pub(crate) async fn start(ground: &Ground, shards: u32) -> Result<Self, Box<dyn Error>> {
        Self::start_with(ground, shards, 1).await
    }

    /// With so many query services.
    pub(crate) async fn start_with(
        ground: &Ground,
        shards: u32,
        instances: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let mut binary: PathBuf = std::env::current_exe()?;
        binary.set_file_name("tandem");
        let started = Instant::now();
        let mut child = Command::new(binary)
            .arg("--data-dir")
            .arg(&ground.dir)
            .args(ground.flags())
            .args(["--command-addr", "127.0.0.1:0", "--query-addr", "127.0.0.1:0"])
            .args(["--registry-addr", "127.0.0.1:0", "--shards", &shards.to_string()])
            .args(["--query-instances", &instances.to_string()])
            .env("TANDEM_LOG_FILTER", "warn")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or("tandem ended at once")?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        let (mut command, mut queries) = (None, Vec::new());
        while command.is_none() || queries.len() < instances {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await??;
            let line = line.ok_or("tandem ended before it said where it listens")?;
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["command", url] => command = Some(url.to_owned()),
                ["query", url] => queries.push(url.to_owned()),
                _ => {}
            }
        }
        Ok(Self { child, pid, command: command.unwrap_or_default(), queries, started })
    }

    pub(crate) async fn queries(&self) -> Result<QueryServiceClient<Channel>, Box<dyn Error>> {
        Ok(QueryServiceClient::connect(self.queries[0].clone()).await?)
    }

    pub(crate) fn usage(&self) -> Result<Usage, Box<dyn Error>> {
        usage(self.pid)
    }

    /// SIGTERM, and wait for the end in order.
    pub(crate) async fn stop(mut self) -> Result<(), Box<dyn Error>> {
        Command::new("kill").arg("-TERM").arg(self.pid.to_string()).status().await?;
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await??;
        if status.success() { Ok(()) } else { Err(format!("tandem ended with {status}").into()) }
    }
}

/// What the process of that id has used: CPU time from `/proc/PID/stat` (clock ticks of 10 ms),
/// peak memory from `VmHWM`.
pub(crate) fn usage(pid: u32) -> Result<Usage, Box<dyn Error>> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no fields in stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|p| p.split_whitespace().next()).ok_or("no VmHWM")?;
    let peak_rss_mib = kib.parse::<f64>()? / 1024.0;
    Ok(Usage { cpu_seconds: ticks / TICKS_PER_SECOND, peak_rss_mib })
}
