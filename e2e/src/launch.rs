//! How the binaries are found and started: as an operator would, with flags and nothing else.

use std::{
    collections::BTreeMap,
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

use crate::{eventually::eventually, services::announced_in, tandem::Tandem};

const ADDRESSES: [&str; 3] = ["--command-addr", "--query-addr", "--registry-addr"];

/// What `tandem` is started with.
#[derive(Clone)]
pub struct Launch(BTreeMap<&'static str, String>);

/// What a start that was refused left behind.
#[derive(Debug)]
pub struct Refused {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Launch {
    /// On this data folder, at ports that the system picks.
    pub fn on(data: &Path) -> Self {
        let mut flags = BTreeMap::from(ADDRESSES.map(|flag| (flag, "127.0.0.1:0".to_owned())));
        flags.insert("--data-dir", data.to_str().unwrap().to_owned());
        Self(flags)
    }

    pub fn with(mut self, flag: &'static str, value: impl ToString) -> Self {
        self.0.insert(flag, value.to_string());
        self
    }

    /// At ports that stay its own while it is down: the system never gives these out by itself.
    pub fn at_quiet_ports(self) -> Self {
        ADDRESSES.into_iter().fold(self, |launch, flag| {
            let address = format!("127.0.0.1:{}", quiet_ports(1));
            launch.with(flag, address)
        })
    }

    /// With so many query services at ports of their own that are quiet too; gives the first.
    pub fn with_instances(self, count: u16) -> (Self, u16) {
        let first = quiet_ports(count);
        let launch = self.with("--query-instances", count);
        (launch.with("--query-addr", format!("127.0.0.1:{first}")), first)
    }

    /// Starts it and waits until both services answer.
    pub async fn start(&self) -> Tandem {
        let tandem = self.announced().await;
        tandem.serving().await;
        tandem
    }

    /// Starts it and waits until it has said where it listens.
    pub async fn announced(&self) -> Tandem {
        let (mut child, output) = self.spawn();
        let urls = eventually("tandem says where it listens", async || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("tandem ended at once, {status}:\n{}", output.stderr());
            }
            announced_in(&output.stdout())
        });
        let urls = urls.await;
        Tandem::new(child, output, urls)
    }

    /// Starts it and waits until it has ended by itself.
    pub async fn refused(&self) -> Refused {
        let (mut child, output) = self.spawn();
        let status = eventually("tandem ends", async || child.try_wait().unwrap()).await;
        Refused { code: status.code(), stdout: output.stdout(), stderr: output.stderr() }
    }

    fn spawn(&self) -> (Child, Output) {
        let output = Output::new();
        let mut command = output.of("tandem");
        for (flag, value) in &self.0 {
            command.args([flag, &&**value]);
        }
        (command.spawn().unwrap(), output)
    }
}

impl Refused {
    /// Exit code 1, and exactly this one line that has all of these words.
    pub fn says(&self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!((&*self.stdout, self.stderr.lines().count()), ("", 1), "{self:?}");
        assert!(self.stderr.starts_with("tandem: "), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {self:?}");
        }
    }
}

/// Files that a child writes its output to.
pub struct Output(TempDir);

impl Output {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A command of that binary that writes here and is told nothing by the environment.
    pub fn of(&self, binary: &str) -> Command {
        let mut command = Command::new(path_of(binary));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TANDEM_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command
            .stdin(Stdio::null())
            .stdout(File::create(self.0.path().join("out")).unwrap())
            .stderr(File::create(self.0.path().join("err")).unwrap());
        command
    }

    pub fn stdout(&self) -> String {
        std::fs::read_to_string(self.0.path().join("out")).unwrap()
    }

    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.0.path().join("err")).unwrap()
    }
}

/// Cargo puts the workspace's binaries beside the folder of this test's own.
fn path_of(binary: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(binary);
    assert!(path.is_file(), "{binary} isn't built: test with --workspace");
    path
}

/// The first of some consecutive free ports below those that systems give out by themselves.
fn quiet_ports(count: u16) -> u16 {
    let candidates = std::iter::repeat_with(|| {
        let random = uuid::Uuid::new_v4().into_bytes();
        10_000 + u16::from_le_bytes([random[0], random[1]]) % 20_000
    });
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let are_free = |first: &u16| (*first..first + count).all(is_free);
    candidates.take(1_000).find(are_free).expect("free ports")
}
