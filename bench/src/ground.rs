//! What a benchmark stands on: a folder, with the embedded log in it or a Kafka broker of its own.

use clap::ValueEnum;
use std::{
    error::Error,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tandem_eventlog::{
    Log,
    embedded::Embedded,
    kafka::{Kafka, KafkaSettings},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use tandem_standalone::registry::{self, Registry};

use crate::{
    fill::folder_bytes,
    process::{self, Usage},
};

/// Fetching a broker and starting it takes less.
const PATIENCE: Duration = Duration::from_secs(600);

/// Which log to measure on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogKind {
    /// The embedded log.
    Embedded,
    /// One Kafka broker beside it, on the same machine.
    Kafka,
}

/// A folder, and where the log is.
pub(crate) struct Ground {
    pub(crate) dir: PathBuf,
    broker: Option<Broker>,
}

/// A broker; it ends when its standard input does.
struct Broker {
    _child: Child,
    bootstrap: String,
    pid: u32,
}

/// The log, opened by this process. [`Opened::close`] lets another have it.
pub(crate) struct Opened {
    pub(crate) log: Log,
    embedded: Option<Arc<Embedded>>,
}

impl Ground {
    pub(crate) async fn new(dir: PathBuf, kind: LogKind) -> Result<Self, Box<dyn Error>> {
        std::fs::create_dir_all(&dir)?;
        let broker = match kind {
            LogKind::Embedded => None,
            LogKind::Kafka => Some(Broker::start(&dir.join("kafka")).await?),
        };
        Ok(Self { dir, broker })
    }

    pub(crate) fn open(&self) -> Result<Opened, Box<dyn Error>> {
        Ok(match &self.broker {
            None => {
                let log = Embedded::open(&self.dir.join("log"))?;
                Opened { log: log.clone(), embedded: Some(log) }
            }
            Some(broker) => {
                let log = Kafka::connect(KafkaSettings::new(&broker.bootstrap))?;
                Opened { log, embedded: None }
            }
        })
    }

    /// The registry, its state on the log, as `tandem` opens it.
    pub(crate) async fn registry(&self, log: &Log) -> Result<Registry, Box<dyn Error>> {
        let topic = if self.broker.is_some() { registry::TOPIC_ON_KAFKA } else { registry::TOPIC };
        Ok(registry::open(log.clone(), topic).await?)
    }

    /// What the log takes on the disk.
    pub(crate) fn log_bytes(&self) -> std::io::Result<u64> {
        folder_bytes(&self.dir.join(if self.broker.is_some() { "kafka" } else { "log" }))
    }

    /// What `tandem` is told of the log.
    pub(crate) fn flags(&self) -> Vec<String> {
        let url = self.broker.iter().map(|broker| format!("kafka://{}", broker.bootstrap));
        url.flat_map(|url| ["--log".to_owned(), url]).collect()
    }

    /// What the broker has used so far, where there is one.
    pub(crate) fn broker_usage(&self) -> Result<Option<Usage>, Box<dyn Error>> {
        self.broker.as_ref().map(|broker| process::usage(broker.pid)).transpose()
    }
}

impl Opened {
    pub(crate) async fn close(self) {
        if let Some(log) = self.embedded {
            log.close().await;
        }
    }
}

impl Broker {
    async fn start(dir: &Path) -> Result<Self, Box<dyn Error>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/servers.sh");
        let fetched = Command::new(&script).arg("fetch").stdout(Stdio::null()).status().await?;
        if !fetched.success() {
            return Err("no Kafka broker could be fetched; see above".into());
        }
        std::fs::create_dir_all(dir)?;
        let mut child = Command::new(&script)
            .arg("kafka")
            .arg(dir)
            .arg("1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await??;
        if !line.as_deref().is_some_and(|line| line.starts_with("started")) {
            return Err(format!("the broker did not start: {line:?}").into());
        }
        let bootstrap = std::fs::read_to_string(dir.join("bootstrap"))?.trim().to_owned();
        let pid = std::fs::read_to_string(dir.join("node-1/pid"))?.trim().parse()?;
        Ok(Self { _child: child, bootstrap, pid })
    }
}
