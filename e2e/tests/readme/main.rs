//! Runs what README.md shows, so that it can't say what isn't so.
//!
//! How README.md's fenced blocks are taken, from the top down:
//!
//! - `sh` is run by bash with `-euo pipefail`, in the project's folder. Variables that a block
//!   sets are there in the next ones, as in a terminal. A block has two minutes.
//! - A `sh` block with a line `make run` starts Tandem's binary with an empty data folder and
//!   free ports; `make run SHARDS=8` gives it that setting. A second one stops the first with
//!   Ctrl-C's signal, which must end it with exit code 0, and starts it on the same data. Such
//!   a block holds nothing else but comments, `git clone` and `cd`.
//! - The ports that README.md shows (8090, 8095, 8081) become the ones really used, in what
//!   is run and in what is expected. `make load ARGS="..."` runs `tandem-load` against them.
//! - A `text` or `json` block that follows a `sh` block, with nothing between, is what its
//!   output must contain: these lines in this order, others may come between. `…` stands for
//!   anything within a line; commas at line ends don't count. Output is stdout and stderr.
//! - `<!-- test: skip (reason) -->` in front of a `sh` block: it isn't run.
//!   `<!-- test: fails -->`: it must end with an error.
//! - Other languages are left alone, except `bash`, `shell` and `console`: those would look
//!   the same and not be run, so they are refused.

mod blocks;
mod process;

use std::path::Path;

use blocks::{Action, Step};
use process::{Shell, Tandem};

#[test]
fn readme_does_what_it_shows() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let readme = root.join("README.md");
    let text = std::fs::read_to_string(&readme).expect("README.md is in the project's folder");
    let steps = blocks::steps(&text).expect("README.md follows this test's rules");
    assert!(!steps.is_empty(), "README.md has no sh block that this test runs");

    let shell = Shell::new(root).expect("a folder for what the blocks leave");
    let mut tandem = None;
    for step in &steps {
        if let Err(fault) = follow(step, &shell, &mut tandem) {
            let log = tandem.as_ref().map(Tandem::log).unwrap_or_default();
            panic!("README.md, block at line {}: {fault}\n--- Tandem logged:\n{log}", step.line);
        }
    }
    if let Some(tandem) = tandem {
        tandem.stop().expect("Tandem stops cleanly after the last block");
    }
}

fn follow(step: &Step, shell: &Shell, tandem: &mut Option<Tandem>) -> Result<(), String> {
    let output = match &step.action {
        Action::Start(settings) => {
            if let Some(running) = tandem.take() {
                running.stop()?;
            }
            let started = Tandem::start(settings, shell.folder())?;
            tandem.insert(started).output()?
        }
        Action::Run { script, fails } => shell.run(script, *fails, tandem.as_ref())?,
    };
    let Some(expected) = &step.expected else { return Ok(()) };
    let expected = match tandem {
        Some(tandem) => blocks::with_ports(expected, tandem.ports()),
        None => expected.clone(),
    };
    match blocks::first_missing(&expected, &output) {
        Some(line) => Err(format!("its output lacks, at its place, `{line}`:\n{output}")),
        None => Ok(()),
    }
}
