//! `GET /store/customer-order/{id}` over plain HTTP, asked by wrk: random customers of twenty orders
//! each, on connections that are kept.

use serde_json::{Value, json};
use std::{error::Error, path::Path, process::Stdio};
use tokio::process::Command;

use crate::{Settings, fill, fold, ground::Ground, process::Tandem, say};

const CUSTOMERS: u64 = 25_000;
const ORDERS: u64 = 20;

/// What wrk asks, and how it tells what it counted: one line of JSON.
const SCRIPT: &str = r#"
local threads = 0
function setup(thread) thread:set("seed", 1000 + threads); threads = threads + 1 end
function init() math.randomseed(seed) end
function request()
  return wrk.format("GET", string.format("/store/customer-order/c-%08d", math.random(0, COUNT - 1)))
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'JSON {"requests":%d,"seconds":%.3f,"p50_us":%d,"p99_us":%d,"body_bytes":%.0f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    summary.bytes / summary.requests, e.connect + e.read + e.write + e.status + e.timeout))
end
"#;

pub(crate) async fn http(ground: &Ground, settings: &Settings) -> Result<(), Box<dyn Error>> {
    let filled = fill::fill_evenly(ground, settings, (CUSTOMERS, ORDERS)).await?;
    let tandem = Tandem::start(ground, settings.shards).await?;
    fold::ready(&tandem, settings.shards, filled.customers + filled.orders).await?;
    let script = ground.dir.join("ids.lua");
    std::fs::write(&script, SCRIPT.replace("COUNT", &CUSTOMERS.to_string()))?;
    wrk(&tandem, settings, &script, 3).await?;
    let before = tandem.usage()?;
    let counted = wrk(&tandem, settings, &script, settings.read_seconds).await?;
    let after = tandem.usage()?;
    let number = |name: &str| counted[name].as_f64().unwrap_or_default();
    say(&json!({
        "bench": "http", "connections": settings.connections,
        "requests_per_second": number("requests") / number("seconds"),
        "p50_us": counted["p50_us"], "p99_us": counted["p99_us"],
        "bytes_per_answer": counted["body_bytes"], "errors": counted["errors"],
        "server_cpu_us_per_request":
            (after.cpu_seconds - before.cpu_seconds) * 1e6 / number("requests"),
        "peak_rss_mib": after.peak_rss_mib,
    }))?;
    tandem.stop().await
}

async fn wrk(
    tandem: &Tandem,
    settings: &Settings,
    script: &Path,
    seconds: u64,
) -> Result<Value, Box<dyn Error>> {
    let output = Command::new("wrk")
        .args(["--threads", "2", "--connections", &settings.connections.to_string()])
        .args(["--duration", &format!("{seconds}s"), "--latency", "--script"])
        .arg(script)
        .arg(&tandem.queries[0])
        .stderr(Stdio::inherit())
        .output()
        .await
        .map_err(|e| format!("wrk can't be started, install it (apt-get install wrk): {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("JSON "));
    Ok(serde_json::from_str(line.ok_or_else(|| format!("wrk counted nothing: {text}"))?)?)
}
