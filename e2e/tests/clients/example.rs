//! The examples, started by the two lines that their README begins with, and the walk by grpcurl.

use crate::{STORY, folder, ground::Ground};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// Installing, the first time, is most of it.
const LONGEST: Duration = Duration::from_secs(600);

/// Runs the two lines of a language's README; the second has to print the story.
pub(crate) async fn tells_the_story(language: &str) {
    let ground = Ground::prepare().await;
    let folder = folder(language);
    let (install, example) = two_lines(&folder);
    run(&folder, &install, &ground).await;
    let told = run(&folder, &example, &ground).await;
    let story = std::fs::read_to_string(STORY).unwrap();
    assert_eq!(told, story, "what `{example}` printed in clients/{language}");
    ground.end().await;
}

/// Walks through the contract by reflection alone; its scripts check what they are answered.
pub(crate) async fn walk() {
    let ground = Ground::prepare().await;
    run(&folder("grpcurl"), "./run.sh", &ground).await;
    ground.end().await;
}

fn two_lines(folder: &Path) -> (String, String) {
    let readme = std::fs::read_to_string(folder.join("README.md")).expect("a README");
    let mut lines = readme.lines().skip_while(|line| *line != "```sh").skip(1);
    let mut next = || lines.next().expect("a block of two lines").to_owned();
    let two = (next(), next());
    assert_eq!(next(), "```", "{} begins with two lines to install and run", folder.display());
    two
}

async fn run(folder: &Path, line: &str, ground: &Ground) -> String {
    let mut command = Command::new("bash");
    command
        .args(["-euo", "pipefail", "-c", line])
        .current_dir(folder)
        .envs(ground.settings(&[]))
        .kill_on_drop(true)
        .stdin(Stdio::null());
    let output = timeout(LONGEST, command.output()).await.expect("it ends in time").unwrap();
    let told = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (told(&output.stdout), told(&output.stderr));
    assert!(output.status.success(), "`{line}` failed:\n{stdout}\n{stderr}");
    stdout
}
