//! kcat: a Kafka client that shares nothing with Tandem's.

use std::{io, process::Stdio};

use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use tandem_e2e::eventually::PATIENCE;

/// kcat with what it needs to know to reach a cluster.
pub(crate) struct Kcat {
    settings: Vec<String>,
}

/// A record of text, without tabs and line ends. No value is a tombstone; an empty one can't be
/// written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Record {
    pub(crate) key: String,
    pub(crate) value: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
}

/// What a cluster says of a topic.
pub(crate) struct Topic(Value);

impl Topic {
    /// `leader`, `replicas` and `isrs` of a partition.
    pub(crate) fn partition(&self, number: u32) -> Option<&Value> {
        let partitions = self.0["topics"][0]["partitions"].as_array()?;
        partitions.iter().find(|partition| partition["partition"] == number)
    }
}

impl Kcat {
    /// For the cluster at these addresses.
    pub(crate) fn at(bootstrap: &str) -> Self {
        Self { settings: Vec::new() }.with("bootstrap.servers", bootstrap)
    }

    /// With a setting of librdkafka's.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push(format!("-X{name}={value}"));
        self
    }

    /// Writes a record that all in-sync nodes have when this returns.
    pub(crate) async fn produce(
        &self,
        topic: &str,
        partition: u32,
        record: &Record,
    ) -> Result<(), String> {
        let partition = partition.to_string();
        let mut arguments = vec!["-P", "-Z", "-t", topic, "-p", &partition, "-K", "\\t"];
        let headers: Vec<_> = record.headers.iter().map(|(n, v)| format!("{n}={v}")).collect();
        arguments.extend(headers.iter().flat_map(|header| ["-H", header]));
        let line = format!("{}\t{}\n", record.key, record.value.as_deref().unwrap_or_default());
        self.run(&arguments, &line).await.map(drop)
    }

    /// All that the topic has now, each partition's records in order.
    pub(crate) async fn consume(&self, topic: &str) -> Result<Vec<Record>, String> {
        let said = self.run(&["-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J"], "").await?;
        said.lines().map(parsed).collect()
    }

    /// What the cluster says of the topic; an error where it doesn't say anything.
    pub(crate) async fn metadata(&self, topic: &str) -> Result<Topic, String> {
        let said = self.run(&["-L", "-J", "-m", "10", "-t", topic], "").await?;
        serde_json::from_str(&said).map(Topic).map_err(|fault| format!("{fault}: {said}"))
    }

    async fn run(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new("kcat");
        command
            .args(&self.settings)
            .args(arguments)
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = async {
            let mut child = command.spawn()?;
            let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
            stdin.write_all(input.as_bytes()).await?;
            drop(stdin);
            child.wait_with_output().await
        };
        let output = timeout(PATIENCE, output).await;
        let output = output.map_err(|_| format!("kcat {arguments:?} took over {PATIENCE:?}"))?;
        let output = output.map_err(|fault| format!("kcat: {fault}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(format!("kcat {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// A line of kcat's JSON; names and values of headers take turns in it.
fn parsed(line: &str) -> Result<Record, String> {
    let said: Value = serde_json::from_str(line).map_err(|fault| format!("{fault}: {line}"))?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let headers: Vec<_> = said["headers"].as_array().into_iter().flatten().flat_map(text).collect();
    Ok(Record {
        key: text(&said["key"]).unwrap_or_default(),
        value: text(&said["payload"]),
        headers: headers.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
    })
}
