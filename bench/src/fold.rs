//! Folding a log into an empty view, and starting again with the view kept.

use serde_json::{Value, json};
use std::{error::Error, time::Duration};
use tandem_proto::v1::{ListInstancesRequest, Shard, ShardState};

use crate::{
    Settings,
    fill::{Filled, folder_bytes},
    ground::Ground,
    process::Tandem,
};

const LOOK_EVERY: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(600);

/// From the start of the process to the last event folded and every shard serving.
pub(crate) async fn fold(
    ground: &Ground,
    settings: &Settings,
    filled: &Filled,
) -> Result<(Tandem, Value), Box<dyn Error>> {
    let before = ground.broker_usage()?.map_or(0.0, |usage| usage.cpu_seconds);
    let tandem = Tandem::start(ground, settings.shards).await?;
    let events = filled.customers + filled.orders;
    ready(&tandem, settings.shards, events).await?;
    let (seconds, usage) = (tandem.started.elapsed().as_secs_f64(), tandem.usage()?);
    let broker = ground.broker_usage()?.map(|usage| usage.cpu_seconds);
    #[allow(clippy::cast_precision_loss)] // far below 2^52
    let count = events as f64;
    let line = json!({
        "bench": "fold", "events": events, "seconds": seconds,
        "events_per_second": count / seconds,
        "cpu_us_per_event": usage.cpu_seconds * 1e6 / count,
        "peak_rss_mib": usage.peak_rss_mib,
        "broker_cpu_us_per_event": broker.map(|after| (after - before) * 1e6 / count),
        "view_bytes": folder_bytes(&ground.dir.join("view"))?,
    });
    Ok((tandem, line))
}

/// From the start of the process to every shard serving what it had.
pub(crate) async fn restart(
    ground: &Ground,
    settings: &Settings,
    filled: &Filled,
) -> Result<(Tandem, Value), Box<dyn Error>> {
    let tandem = Tandem::start(ground, settings.shards).await?;
    ready(&tandem, settings.shards, filled.customers + filled.orders).await?;
    let seconds = tandem.started.elapsed().as_secs_f64();
    let usage = tandem.usage()?;
    let line = json!({
        "bench": "restart", "seconds_to_ready": seconds,
        "cpu_seconds": usage.cpu_seconds, "peak_rss_mib": usage.peak_rss_mib,
    });
    Ok((tandem, line))
}

/// Waits until every shard is served once and has everything.
pub(crate) async fn ready(tandem: &Tandem, shards: u32, events: u64) -> Result<(), Box<dyn Error>> {
    let mut queries = tandem.queries().await?;
    let wait = async {
        loop {
            let answer = queries.list_instances(ListInstancesRequest {}).await?.into_inner();
            let held = answer.instances.into_iter().flat_map(|i| i.shards).collect::<Vec<_>>();
            if let Some(failed) = held.iter().find(|s| s.state() == ShardState::Failed) {
                return Err(format!("shard {} failed: {}", failed.shard, failed.detail).into());
            }
            let serving = held.iter().filter(|s| s.state() == ShardState::Serving).count();
            if serving == shards as usize && held.iter().map(folded).sum::<u64>() == events {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await?
}

fn folded(shard: &Shard) -> u64 {
    shard.inputs.iter().map(|i| i.offset).sum()
}
