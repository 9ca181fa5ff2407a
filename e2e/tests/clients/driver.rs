//! A language's driver as a process: a line in, a line out.

use serde_json::Value;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// Nothing that a client does may take longer: the longest case is a watch that gives up.
const LONGEST: Duration = Duration::from_secs(60);

pub(crate) struct Driver {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Driver {
    pub(crate) fn start(folder: &Path, settings: &[(String, String)]) -> Self {
        let script = folder.join("conformance.sh");
        let mut child = Command::new(&script)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, output }
    }

    /// Tells it to do something and gives what it answers.
    pub(crate) async fn ask(&mut self, line: &Value) -> Result<Value, String> {
        let asked = async {
            self.input.write_all(format!("{line}\n").as_bytes()).await?;
            self.input.flush().await?;
            self.output.next_line().await
        };
        match timeout(LONGEST, asked).await {
            Err(_) => Err(format!("it hangs: no answer within {LONGEST:?}")),
            Ok(Err(error)) => Err(format!("the driver is gone: {error}")),
            Ok(Ok(None)) => Err("the driver has ended".into()),
            Ok(Ok(Some(answer))) => {
                serde_json::from_str(&answer).map_err(|_| format!("not JSON: {answer}"))
            }
        }
    }

    /// Closes its input, upon which it has to end well.
    pub(crate) async fn ends(mut self) {
        drop(self.input);
        let ended = timeout(LONGEST, self.child.wait()).await.expect("the driver ends");
        assert!(ended.unwrap().success(), "the driver ends well");
    }
}
