//! `scripts/servers.sh` as a child: it runs servers until its standard input ends.

use std::{
    fs::File,
    io::{Read, Seek, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// The script that brings and runs servers.
pub(crate) const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/servers.sh");

/// Longer than the script waits itself: it is the one that can say what went wrong.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(10);
/// What is shown of each node's log when a test fails.
const LAST_LINES: usize = 20;

/// Servers that run. Dropped, or gone with this process, they are killed and their data removed.
pub(crate) struct Process {
    child: Child,
    commands: Option<ChildStdin>,
    /// Read by polling, as no test's runtime outlives the servers that tests share.
    answers: File,
    answered: usize,
    folder: PathBuf,
}

impl Process {
    /// Starts these servers in a folder that has these files, and waits until they are up.
    pub(crate) async fn start(kind: &str, nodes: &[&str], files: &[(&str, &str)]) -> Self {
        // Removed by the script, which outlives a process that was killed.
        let folder = TempDir::with_prefix(format!("tandem-{kind}-")).unwrap().keep();
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let answers = folder.join("answers");
        let written = File::create(&answers).unwrap();
        let answers = File::open(&answers).unwrap();
        let mut child = Command::new(SERVERS)
            .arg(kind)
            .arg(&folder)
            .args(nodes)
            .arg("temporary")
            .stdin(Stdio::piped())
            .stdout(written)
            .spawn()
            .unwrap();
        let commands = child.stdin.take();
        let mut process = Self { child, commands, answers, answered: 0, folder };
        assert!(process.answer().await.starts_with("started "));
        process
    }

    /// Has the script do something, and waits until it is done: `kill 2` is `killed 2`.
    pub(crate) async fn have(&mut self, command: &str, done: &str) {
        writeln!(self.commands.as_ref().unwrap(), "{command}").unwrap();
        assert_eq!(self.answer().await, done, "asked to {command}");
    }

    /// What one of the servers' files says.
    pub(crate) fn file(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.folder.join(name));
        text.unwrap_or_else(|fault| panic!("{name}: {fault}")).trim_end().to_owned()
    }

    /// The processes of those nodes that run.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let files = self.files_of_nodes("pid").into_iter().flat_map(std::fs::read_to_string);
        files.map(|pid| pid.trim().parse().unwrap()).collect()
    }

    async fn answer(&mut self) -> String {
        let line = async {
            loop {
                if let Some(line) = self.lines().nth(self.answered) {
                    return line;
                }
                if let Some(status) = self.child.try_wait().unwrap() {
                    panic!("servers.sh ended, {status}; it has said why on standard error");
                }
                sleep(POLL).await;
            }
        };
        let line = timeout(PATIENCE, line).await.expect("servers.sh answers");
        self.answered += 1;
        line
    }

    /// The answers so far, without one that is being written.
    fn lines(&self) -> impl Iterator<Item = String> {
        let (mut file, mut text) = (&self.answers, String::new());
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]).to_owned();
        let lines: Vec<_> = whole.lines().map(str::to_owned).collect();
        lines.into_iter()
    }

    fn files_of_nodes(&self, name: &str) -> Vec<PathBuf> {
        let nodes = (1..=3).map(|node| self.folder.join(format!("node-{node}")).join(name));
        nodes.filter(|file| file.is_file()).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in self.files_of_nodes("log") {
                let text = std::fs::read_to_string(&log).unwrap_or_default();
                let lines: Vec<_> = text.lines().collect();
                let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
                eprintln!("--- the end of {}:\n{last}\n---", log.display());
            }
        }
        drop(self.commands.take());
        let _ = self.child.wait();
    }
}
