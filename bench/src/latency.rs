//! From command to visible at a steady rate, by `tandem-load` against an otherwise idle `tandem`.

use serde_json::{Value, json};
use std::error::Error;
use tokio::process::Command;

use crate::{Settings, ground::Ground, process::Tandem};

/// 300 customers and 3,000 orders: some seventeen seconds at 200 commands a second.
const SCALE: &str = "0.002";

pub(crate) async fn latency(ground: &Ground, settings: &Settings) -> Result<Value, Box<dyn Error>> {
    let tandem = Tandem::start(ground, settings.shards).await?;
    let mut binary = std::env::current_exe()?;
    binary.set_file_name("tandem-load");
    let output = Command::new(binary)
        .args(["--command", &tandem.command, "--query", &tandem.queries[0]])
        .args(["--rate", &settings.rate.to_string(), "--sample", "1", "--scale", SCALE])
        .args(["--quiet", "--json", "--journal"])
        .arg(ground.dir.join("load.journal"))
        .output()
        .await?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let report: Value = serde_json::from_slice(&output.stdout)?;
    tandem.stop().await?;
    Ok(json!({ "bench": "latency", "commands_per_second": settings.rate, "report": report }))
}
