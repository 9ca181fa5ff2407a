//! Which log a process is told to use, as flags or in the environment.

use crate::{
    Log, LogError,
    kafka::{Kafka, KafkaSettings},
};
use clap::Args;
use std::path::PathBuf;

/// What `--log` begins with.
const SCHEME: &str = "kafka://";
/// What an environment variable begins with that names a property of librdkafka.
const ENVIRONMENT: &str = "TANDEM_KAFKA_";

/// Settings of the log, to be flattened into a process's own.
#[derive(Debug, Clone, Args)]
pub struct LogSettings {
    /// The log: kafka://HOST:PORT,... names some brokers of an Apache Kafka cluster.
    #[arg(long, env = "TANDEM_LOG", value_name = "URL")]
    pub log: Option<String>,
    /// A property of librdkafka, for TLS and SASL for example; may be given many times.
    /// TANDEM_KAFKA_SASL_PASSWORD=... in the environment gives `sasl.password`.
    #[arg(long = "kafka", value_name = "KEY=VALUE")]
    pub kafka: Vec<String>,
    /// A file of such properties, KEY=VALUE a line, # begins a comment.
    #[arg(long, env = "TANDEM_KAFKA_FILE", value_name = "FILE")]
    pub kafka_file: Option<PathBuf>,
    /// On how many brokers a topic that has to be made is kept; the cluster's default if not set.
    #[arg(long, env = "TANDEM_REPLICATION_FACTOR", value_name = "N")]
    pub replication_factor: Option<u16>,
    /// On how many of them a record has to be before it counts as written; the cluster's default
    /// if not set.
    #[arg(long, env = "TANDEM_MIN_INSYNC_REPLICAS", value_name = "N")]
    pub min_insync_replicas: Option<u16>,
}

impl LogSettings {
    /// Everything that is wrong with them, a sentence a fault; a process that needs a log says so
    /// itself when `log` is not set.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        match self.kafka_settings() {
            Ok(settings) if self.log.is_some() => settings.faults(),
            Ok(_) => Vec::new(),
            Err(faults) => faults,
        }
    }

    /// Opens the log that `--log` names, if it is set. Reaches no server yet: what is asked of the
    /// log later says when it can't be reached.
    ///
    /// # Errors
    /// [`LogError::Unsuitable`] when a setting is not one that the log's client takes.
    pub fn open(&self) -> Result<Option<Log>, LogError> {
        if self.log.is_none() {
            return Ok(None);
        }
        let settings =
            self.kafka_settings().map_err(|faults| LogError::Unsuitable(faults.join("; ")))?;
        let kafka = Kafka::connect(settings)?;
        Ok(Some(kafka))
    }

    /// How to reach Kafka. A file counts least, then the environment, then flags.
    fn kafka_settings(&self) -> Result<KafkaSettings, Vec<String>> {
        let mut faults = Vec::new();
        let mut properties = Vec::new();
        if let Some(file) = &self.kafka_file {
            match std::fs::read_to_string(file) {
                Ok(text) => {
                    take_lines(&text, &file.display().to_string(), &mut properties, &mut faults)
                }
                Err(e) => faults.push(format!("--kafka-file {}: {e}", file.display())),
            }
        }
        properties.extend(std::env::vars().filter_map(|(name, value)| {
            let key = name.strip_prefix(ENVIRONMENT).filter(|key| *key != "FILE")?;
            Some((key.to_lowercase().replace('_', "."), value))
        }));
        for pair in &self.kafka {
            match pair.split_once('=') {
                Some((key, value)) => properties.push((key.trim().into(), value.into())),
                // Not shown whole: it may be a password.
                None => faults.push("--kafka takes KEY=VALUE, and there is no = in one".into()),
            }
        }
        let url = self.log.as_deref().unwrap_or_default();
        let brokers = url.strip_prefix(SCHEME).unwrap_or_default().trim_end_matches('/');
        if self.log.is_none() {
            if !properties.is_empty() {
                faults.push("there are Kafka properties but no --log kafka://HOST:PORT".into());
            }
        } else if brokers.is_empty() {
            faults.push(format!("--log is {url:?}; give kafka://HOST:PORT,..."));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let Self { replication_factor, min_insync_replicas, .. } = *self;
        let brokers = brokers.to_owned();
        Ok(KafkaSettings { brokers, properties, replication_factor, min_insync_replicas })
    }
}

/// Takes the properties of a file, a line each.
fn take_lines(
    text: &str,
    file: &str,
    properties: &mut Vec<(String, String)>,
    faults: &mut Vec<String>,
) {
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once('=') {
            Some((key, value)) => properties.push((key.trim().into(), value.trim().into())),
            None => faults.push(format!("{file}, line {}: there is no =", n + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::io::Write as _;

    #[derive(Debug, Parser)]
    struct Process {
        #[command(flatten)]
        log: LogSettings,
    }

    fn settings(args: &[&str]) -> LogSettings {
        Process::parse_from([&["process"], args].concat()).log
    }

    #[test]
    fn flags_count_more_than_a_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"# a comment\n\nsasl.mechanism = PLAIN\nsasl.password=a=b\n").unwrap();
        let file = file.path().to_str().unwrap();
        let args = ["--log", "kafka://a:1,b:2", "--kafka-file", file, "--kafka", "sasl.password=c"];
        let kafka = settings(&args).kafka_settings().unwrap();
        assert_eq!(kafka.brokers, "a:1,b:2");
        let pairs: Vec<_> = kafka.properties.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(pairs, ["sasl.mechanism=PLAIN", "sasl.password=a=b", "sasl.password=c"]);
        assert!(!format!("{kafka:?}").contains("a=b"), "{kafka:?}");
    }

    #[test]
    fn faults_say_what_to_give() {
        for (args, said) in [
            (&["--log", "kafka://"][..], "give kafka://HOST:PORT"),
            (&["--log", "localhost:9092"], "give kafka://HOST:PORT"),
            (&["--log", "kafka://a:1,b"], "\"b\""),
            (&["--log", "kafka://a:0"], "\"a:0\""),
            (&["--kafka", "a=b"], "no --log"),
            (&["--log", "kafka://a:1", "--kafka", "hunter2"], "no = in one"),
            (&["--log", "kafka://a:1", "--kafka", "acks=1"], "acks can't be set"),
            (&["--log", "kafka://a:1", "--kafka-file", "/nowhere"], "/nowhere"),
            (&["--log", "kafka://a:1", "--replication-factor", "0"], "--replication-factor is 0"),
            (
                &[
                    "--log",
                    "kafka://a:1",
                    "--replication-factor",
                    "2",
                    "--min-insync-replicas",
                    "3",
                ],
                "lower it",
            ),
        ] {
            let faults = settings(args).faults();
            assert!(faults.len() == 1 && faults[0].contains(said), "{args:?}: {faults:?}");
            assert!(!faults[0].contains("hunter2"), "{faults:?}");
        }
        assert_eq!(settings(&["--log", "kafka://a:1/"]).faults(), [""; 0]);
        assert_eq!(settings(&[]).faults(), [""; 0]);
    }

    #[test]
    fn a_property_that_is_none_is_refused_when_the_log_is_opened() {
        let args = ["--log", "kafka://127.0.0.1:1", "--kafka", "no.such.thing=1"];
        let error = settings(&args).open().map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("no.such.thing"), "{error}");
    }
}
