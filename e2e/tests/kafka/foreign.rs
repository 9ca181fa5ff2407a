//! Producers and consumers that share nothing with Tandem but the wire: Confluent's client in
//! Python, Kafka's own in Java. `scripts/foreign.sh` builds them.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use tandem_e2e::eventually::PATIENCE;
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Language {
    Python,
    Java,
}

/// A foreign client that knows where everything is.
pub(crate) struct Foreign<'a> {
    pub(crate) language: Language,
    pub(crate) bootstrap: &'a str,
    pub(crate) registry: &'a str,
}

impl Foreign<'_> {
    /// Writes these records and gives where each of them lies; else what it said last.
    pub(crate) async fn produce(
        &self,
        topic: &str,
        flags: &[&str],
        records: &[Value],
    ) -> Result<Vec<Value>, String> {
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        self.run("produce", topic, flags, &lines).await
    }

    /// Reads so many records from the beginning.
    pub(crate) async fn consume(&self, topic: &str, count: usize) -> Result<Vec<Value>, String> {
        self.run("consume", topic, &["--count", &count.to_string()], "").await
    }

    async fn run(
        &self,
        program: &str,
        topic: &str,
        flags: &[&str],
        input: &str,
    ) -> Result<Vec<Value>, String> {
        let mut command = self.language.program(program);
        command
            .args(["--bootstrap", self.bootstrap, "--registry", self.registry, "--topic", topic])
            .args(flags)
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = async {
            let mut child = command.spawn()?;
            let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
            // A program that has failed does not read what is left.
            let _ = stdin.write_all(input.as_bytes()).await;
            drop(stdin);
            child.wait_with_output().await
        };
        let output = timeout(PATIENCE, output).await.expect("it ends").expect("it is built");
        let said = String::from_utf8(output.stdout).unwrap();
        if output.status.success() {
            return Ok(said.lines().map(|line| serde_json::from_str(line).unwrap()).collect());
        }
        let faults = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(faults.lines().last().unwrap_or_default().to_owned())
    }
}

impl Language {
    fn program(self, name: &str) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let built = root.join("target/foreign");
        match self {
            Self::Python => {
                let mut command = Command::new(built.join("python/bin/python"));
                command.arg(root.join(format!("e2e/foreign/python/{name}.py")));
                command
            }
            Self::Java => {
                let java = std::env::var_os("JAVA_HOME").map(PathBuf::from);
                let java = java.map_or("java".into(), |home| home.join("bin/java"));
                let mut command = Command::new(java);
                command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]);
                command.arg(format!("{0}/classes:{0}/lib/*", built.join("java").display()));
                let (first, rest) = name.split_at(1);
                command.arg(format!("tandem.foreign.{}{rest}", first.to_uppercase()));
                command
            }
        }
    }
}

/// The file of a schema that the project's own evolved to, or might have.
pub(crate) fn schema(name: &str) -> String {
    format!("{}/foreign/schemas/{name}.avsc", env!("CARGO_MANIFEST_DIR"))
}
