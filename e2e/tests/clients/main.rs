//! Every client does what `clients/README.md` says, and its example tells the story: in each
//! language, against a real command service and three query services, and a scripted one.
//!
//! `make test-clients` builds the clients first. `CLIENTS_DIR` names another folder of clients than
//! `clients/`; the table and the story are always this repository's.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a panic is how a test fails

mod cases;
mod direct;
mod driver;
mod example;
mod expect;
mod ground;
mod scripted;

use cases::Case;
use driver::Driver;
use ground::Ground;
use std::path::PathBuf;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/conformance/cases.json");
const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/example.txt");

/// A client's folder.
fn folder(language: &str) -> PathBuf {
    let here = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../clients"));
    std::env::var_os("CLIENTS_DIR").map_or_else(here, PathBuf::from).join(language)
}

/// Runs the table through one language's driver; every case that fails is told.
async fn conforms(language: &str, settings: &[(&str, &str)]) {
    let ground = Ground::prepare().await;
    let folder = folder(language);
    let mut driver = Driver::start(&folder, &ground.settings(settings));
    let mut faults = Vec::new();
    for case in Case::table(TABLE) {
        if let Err(fault) = case.run(&mut driver, &ground).await {
            faults.push(format!("{}: {fault}", case.name()));
            driver = Driver::start(&folder, &ground.settings(settings));
        }
    }
    assert!(faults.is_empty(), "{language}:\n{}\n", faults.join("\n"));
    driver.ends().await;
    ground.end().await;
}

macro_rules! language {
    ($name:ident) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn conforms() {
                crate::conforms(stringify!($name), &[]).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn example() {
                crate::example::tells_the_story(stringify!($name)).await;
            }
        }
    };
}

language!(python);
language!(go);
language!(typescript);
language!(java);
language!(rust);

#[tokio::test(flavor = "multi_thread")]
async fn typescript_over_grpc_web() {
    conforms("typescript", &[("TANDEM_TRANSPORT", "web")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_passes_nothing_on() {
    direct::passes_nothing_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grpcurl() {
    example::walk().await;
}
