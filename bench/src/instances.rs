//! Several query services in one process: what it costs to ask one that has to ask another. The
//! process's CPU time is that of all of them together.

use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    time::Duration,
};
use tandem_eventlog::partition_for;
use tandem_load::tpch;
use tandem_proto::v1::{ShardState, WatchRoutingRequest, query_service_client::QueryServiceClient};

use crate::{
    Settings, fill, fold,
    ground::Ground,
    process::Tandem,
    reads::{Answered, Lane, WARM_UP, ask, customers, quantiles, round},
    say,
};

/// How long shards may take to go where they stay.
const PATIENCE: Duration = Duration::from_secs(60);

/// At this scale every instance has its part of the view in memory.
const SCALE: f64 = 0.1;

const SEVERAL: usize = 3;

/// How many questions of each kind are asked one after the other.
const ONE_BY_ONE: usize = 5_000;

/// How long nothing is asked, to see what that costs.
const IDLE: Duration = Duration::from_secs(5);

/// Which customers an instance is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// Those that it has, as a client asks that follows the routing.
    Own,
    /// Those that it hasn't.
    Others,
}

pub(crate) async fn instances(ground: &Ground, settings: &Settings) -> Result<(), Box<dyn Error>> {
    let settings = Settings { scale: settings.scale.min(SCALE), ..settings.clone() };
    let filled = fill::fill(ground, &settings).await?;
    let events = filled.customers + filled.orders;
    let tandem = Tandem::start_with(ground, settings.shards, 1).await?;
    fold::ready(&tandem, settings.shards, events).await?;
    let alone = cpu(&tandem, &settings, About::Own, None).await?;
    tandem.stop().await?;

    let tandem = Tandem::start_with(ground, settings.shards, SEVERAL).await?;
    fold::ready(&tandem, settings.shards, events).await?;
    say(&one_by_one(&tandem, &settings).await?)?;
    let own = cpu(&tandem, &settings, About::Own, Some(alone)).await?;
    cpu(&tandem, &settings, About::Others, Some(own)).await?;
    tandem.stop().await
}

/// Whom to ask each instance about, in the order of the process's instances.
async fn lanes(
    tandem: &Tandem,
    settings: &Settings,
    about: About,
) -> Result<Vec<Lane>, Box<dyn Error>> {
    let holders = tokio::time::timeout(PATIENCE, holders(tandem, settings.shards)).await??;
    let has = |url: &str, number: &i64| {
        let shard = partition_for(tpch::customer_id(*number).as_bytes(), settings.shards).0;
        holders.get(&shard).is_some_and(|holder| holder == url)
    };
    let lane = |url: &String| {
        let wanted = customers(settings.scale).filter(|n| has(url, n) == (about == About::Own));
        Lane { url: url.clone(), customers: wanted.collect() }
    };
    Ok(tandem.queries.iter().map(lane).collect())
}

/// Where each shard is served, once none is in two places and no instance is without.
async fn holders(tandem: &Tandem, shards: u32) -> Result<BTreeMap<u32, String>, Box<dyn Error>> {
    let asked = tandem.queries().await?.watch_routing(WatchRoutingRequest {}).await?;
    let mut routing = asked.into_inner();
    loop {
        let told = routing.message().await?.ok_or("the routing ended")?;
        let held = told.instances.iter().flat_map(|i| i.shards.iter().map(move |s| (i, s)));
        let held: Vec<_> = held.collect();
        let all_serve = held.iter().all(|(_, shard)| shard.state() == ShardState::Serving);
        let holders: BTreeMap<u32, String> =
            held.iter().map(|(i, s)| (s.shard, format!("http://{}", i.address))).collect();
        let busy: BTreeSet<_> = holders.values().collect();
        let once = (held.len(), holders.len()) == (shards as usize, shards as usize);
        if all_serve && once && busy.len() == tandem.queries.len() {
            return Ok(holders);
        }
    }
}

fn as_asked(answers: &[Answered], about: About) -> Result<(), Box<dyn Error>> {
    let strays = answers.iter().filter(|a| a.forwarded != (about == About::Others)).count();
    if strays == 0 { Ok(()) } else { Err(format!("{strays} answers of others than meant").into()) }
}

/// One question at a time, about its own and about others' rows in turn.
async fn one_by_one(tandem: &Tandem, settings: &Settings) -> Result<Value, Box<dyn Error>> {
    let own = lanes(tandem, settings, About::Own).await?.remove(0);
    let others = lanes(tandem, settings, About::Others).await?.remove(0);
    round(&[own.clone(), others.clone()], WARM_UP).await?;
    let mut queries = QueryServiceClient::connect(own.url.clone()).await?;
    let (mut local, mut forwarded) = (Vec::new(), Vec::new());
    for nth in 0..ONE_BY_ONE {
        // A step that shares no factor with any count of customers here, so all are asked about.
        let at = |lane: &Lane| lane.customers[nth * 7919 % lane.customers.len()];
        local.push(ask(&mut queries, at(&own)).await?);
        forwarded.push(ask(&mut queries, at(&others)).await?);
    }
    as_asked(&local, About::Own)?;
    as_asked(&forwarded, About::Others)?;
    let local = quantiles(local.iter().map(|a| a.micros));
    let forwarded = quantiles(forwarded.iter().map(|a| a.micros));
    Ok(json!({
        "bench": "instances_one_by_one", "instances": tandem.queries.len(),
        "local_p50_us": local.0, "local_p99_us": local.1,
        "forwarded_p50_us": forwarded.0, "forwarded_p99_us": forwarded.1,
        "p50_more_us": forwarded.0.saturating_sub(local.0),
    }))
}

/// All connections at once, spread over the instances; says and gives the CPU time of a read.
async fn cpu(
    tandem: &Tandem,
    settings: &Settings,
    about: About,
    compared_with: Option<f64>,
) -> Result<f64, Box<dyn Error>> {
    let lanes = lanes(tandem, settings, about).await?;
    let lanes: Vec<_> = lanes.into_iter().cycle().take(settings.connections).collect();
    let still = tandem.usage()?.cpu_seconds;
    tokio::time::sleep(IDLE).await;
    let idle = (tandem.usage()?.cpu_seconds - still) / IDLE.as_secs_f64();
    round(&lanes, WARM_UP).await?;
    let before = tandem.usage()?;
    let span = Duration::from_secs(settings.read_seconds);
    let answers = round(&lanes, span).await?;
    let after = tandem.usage()?;
    as_asked(&answers, about)?;
    #[allow(clippy::cast_precision_loss)] // far below 2^52
    let count = answers.len() as f64;
    let micros = (after.cpu_seconds - before.cpu_seconds) * 1e6 / count;
    let (p50_us, p99_us) = quantiles(answers.iter().map(|a| a.micros));
    say(&json!({
        "bench": "instances_cpu", "instances": tandem.queries.len(),
        "connections": settings.connections, "forwarded": about == About::Others,
        "requests_per_second": count / span.as_secs_f64(),
        "p50_us": p50_us, "p99_us": p99_us,
        "cpu_us_per_read": micros,
        "times": compared_with.map(|other| micros / other),
        "idle_cpu_ms_per_second": idle * 1e3,
        "peak_rss_mib": after.peak_rss_mib,
    }))?;
    Ok(micros)
}
