//! Tandem and bash as processes: what README.md's steps need to be followed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::blocks::{Ports, with_ports};

/// Long enough for a cold start on a busy machine; nothing waits this long when all is well.
const START: Duration = Duration::from_secs(60);
/// The drain's own bound is shorter.
const STOP: Duration = Duration::from_secs(60);
const BLOCK_SECONDS: &str = "120";
const POLL: Duration = Duration::from_millis(20);

/// Each service's word in what the binary prints, and its port in README.md.
const SERVICES: [(&str, u16); 3] = [("command", 8090), ("query", 8095), ("registry", 8081)];

/// A running binary; killed when dropped.
pub(crate) struct Tandem {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    ports: Vec<(u16, u16)>,
}

impl Tandem {
    /// Starts it on the folder's data, and waits until it has said where it listens.
    pub(crate) fn start(settings: &[(String, String)], folder: &Path) -> Result<Self, String> {
        let (stdout, stderr) = (folder.join("tandem.out"), folder.join("tandem.err"));
        let mut command = Command::new(binary("tandem")?);
        for (name, value) in settings {
            command.env(format!("TANDEM_{name}"), value);
        }
        for (service, _) in SERVICES {
            let name = format!("TANDEM_{}_ADDR", service.to_uppercase());
            command.env(name, "127.0.0.1:0");
        }
        let child = command
            .env("TANDEM_DATA_DIR", folder.join("data"))
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).map_err(said)?)
            .stderr(File::create(&stderr).map_err(said)?)
            .spawn()
            .map_err(said)?;
        let mut tandem = Self { child, stdout, stderr, ports: Vec::new() };
        match tandem.wait_until_announced() {
            Ok(()) => Ok(tandem),
            Err(fault) => Err(format!("{fault}\n{}", tandem.log())),
        }
    }

    fn wait_until_announced(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START;
        loop {
            let output = self.output()?;
            let ports = SERVICES.iter().map(|(service, shown)| {
                output.lines().find_map(|line| port_of(service, line)).map(|used| (*shown, used))
            });
            if let Some(ports) = ports.collect() {
                self.ports = ports;
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().map_err(said)? {
                return Err(format!("tandem ended at once, {status}"));
            }
            if Instant::now() > deadline {
                return Err(format!("tandem didn't say where it listens in {START:?}:\n{output}"));
            }
            sleep(POLL);
        }
    }

    /// What it has printed so far.
    pub(crate) fn output(&self) -> Result<String, String> {
        std::fs::read_to_string(&self.stdout).map_err(said)
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Ctrl-C, which must drain and end it with exit code 0.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        let signal = format!("kill -INT {}", self.child.id());
        Command::new("bash").args(["-c", &signal]).status().map_err(said)?;
        let deadline = Instant::now() + STOP;
        while Instant::now() < deadline {
            match self.child.try_wait().map_err(said)? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("Ctrl-C ended tandem with {status}, not 0")),
                None => sleep(POLL),
            }
        }
        Err(format!("tandem still ran {STOP:?} after Ctrl-C"))
    }
}

impl Drop for Tandem {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `query    http://127.0.0.1:40002` is port 40002 of `query`.
fn port_of(service: &str, line: &str) -> Option<u16> {
    let (word, url) = line.split_once(char::is_whitespace)?;
    let (host, port) = url.trim().rsplit_once(':')?;
    (word == service && host.starts_with("http://")).then(|| port.parse().ok())?
}

/// Cargo puts the workspace's binaries beside the folder of this test's own.
fn binary(name: &str) -> Result<PathBuf, String> {
    let test = std::env::current_exe().map_err(said)?;
    let folder = test.parent().and_then(Path::parent).ok_or("this test is in no folder")?;
    let binary = folder.join(name);
    if binary.is_file() {
        return Ok(binary);
    }
    Err(format!(
        "{} isn't built: run this with the whole workspace (cargo test --workspace), or build it \
         in the same profile first",
        binary.display()
    ))
}

/// Where README.md's `sh` blocks are run; what they leave is removed with it.
pub(crate) struct Shell {
    root: PathBuf,
    folder: TempDir,
}

/// Variables live from block to block in a file, but for where Tandem is: a second one is elsewhere.
/// `make load` is the program behind it.
const BEFORE: &str = r#"
if [[ -e $README_STATE ]]; then source "$README_STATE"; fi
make() {
    local given
    for given in "${@:2}"; do
        [[ $given = ARGS=* ]] || { echo "make load takes ARGS=... only, not $given" >&2; return 2; }
        eval "set -- ${given#ARGS=}"
        "$TANDEM_LOAD_BINARY" "$@"
        return
    done
    "$TANDEM_LOAD_BINARY"
}
set -a
"#;
const AFTER: &str = "\nset +a; unset \"${!TANDEM_LOAD_@}\"; export -p >\"$README_STATE\"\n";

impl Shell {
    pub(crate) fn new(root: &Path) -> Result<Self, String> {
        let root = root.canonicalize().map_err(said)?;
        Ok(Self { root, folder: TempDir::new().map_err(said)? })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a block; its output, if it ended as it should.
    pub(crate) fn run(
        &self,
        script: &str,
        fails: bool,
        tandem: Option<&Tandem>,
    ) -> Result<String, String> {
        let script = with_ports(script, tandem.map(Tandem::ports).unwrap_or_default());
        let file = self.folder().join("block.sh");
        std::fs::write(&file, format!("{BEFORE}{script}{AFTER}")).map_err(said)?;
        let output = self.folder().join("block.out");
        let both = File::create(&output).map_err(said)?;
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", BLOCK_SECONDS, "bash", "-euo", "pipefail"])
            .arg(&file)
            .current_dir(&self.root)
            .env("PATH", self.path())
            .env("README_STATE", self.folder().join("state"))
            .env("TANDEM_LOAD_JOURNAL", self.folder().join("load.journal"))
            .stdin(Stdio::null())
            .stdout(both.try_clone().map_err(said)?)
            .stderr(both);
        if let Ok(load) = binary("tandem-load") {
            command.env("TANDEM_LOAD_BINARY", load);
        }
        for (shown, used) in tandem.map(Tandem::ports).unwrap_or_default() {
            for (service, _) in SERVICES.iter().filter(|(_, port)| port == shown) {
                let name = format!("TANDEM_LOAD_{}", service.to_uppercase());
                command.env(name, format!("http://127.0.0.1:{used}"));
            }
        }
        let status = command.status().map_err(said)?;
        let output = std::fs::read_to_string(&output).map_err(said)?;
        match status.code() {
            Some(0) if !fails => Ok(output),
            Some(124 | 137) => Err(format!("ran longer than {BLOCK_SECONDS} s:\n{output}")),
            Some(0) => Err(format!("should have ended with an error:\n{output}")),
            Some(_) if fails => Ok(output),
            _ => Err(format!("{status}:\n{script}--- said:\n{output}")),
        }
    }

    /// Setup puts grpcurl into the project's folder where the system has none.
    fn path(&self) -> String {
        let tools = self.root.join("target/tools/bin");
        format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default())
    }
}

fn said(fault: impl std::fmt::Display) -> String {
    fault.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_read_from_its_line_only() {
        assert_eq!(port_of("query", "query    http://127.0.0.1:40002"), Some(40002));
        assert_eq!(port_of("command", "query    http://127.0.0.1:40002"), None);
        assert_eq!(port_of("query", "query -d x 127.0.0.1:40002"), None);
    }

    #[test]
    fn blocks_share_variables_and_fail_loudly() {
        let shell = Shell::new(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert_eq!(shell.run("word='a b'\n", false, None).unwrap(), "");
        assert_eq!(shell.run("echo \"$word\"\n", false, None).unwrap(), "a b\n");
        assert!(shell.run("echo it; false | cat\n", false, None).unwrap_err().contains("it"));
        assert_eq!(shell.run("echo no >&2; exit 3\n", true, None).unwrap(), "no\n");
        assert!(shell.run("true\n", true, None).is_err());
    }
}
