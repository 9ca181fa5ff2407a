//! `GetCustomerOrders` over gRPC, closed loop: each connection asks again once it has an answer.

use futures::future::try_join_all;
use serde_json::{Value, json};
use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};
use tandem_load::tpch;
use tandem_proto::v1::{GetCustomerOrdersRequest, query_service_client::QueryServiceClient};
use tonic::transport::Channel;

use crate::{Settings, process::Tandem};

pub(crate) const WARM_UP: Duration = Duration::from_secs(2);

/// A connection, and whom it asks about.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) url: String,
    pub(crate) customers: Arc<[i64]>,
}

/// An answer as it is counted.
pub(crate) struct Answered {
    pub(crate) micros: u64,
    orders: usize,
    pub(crate) forwarded: bool,
}

/// The numbers of all customers of the settings' scale.
pub(crate) fn customers(scale: f64) -> impl Iterator<Item = i64> {
    #[allow(clippy::cast_possible_truncation)]
    let count = ((150_000.0 * scale) as i64).max(1);
    1..=count
}

pub(crate) async fn reads(tandem: &Tandem, settings: &Settings) -> Result<Value, Box<dyn Error>> {
    let lane =
        Lane { url: tandem.queries[0].clone(), customers: customers(settings.scale).collect() };
    let lanes = vec![lane; settings.connections];
    round(&lanes, WARM_UP).await?;
    let before = tandem.usage()?;
    let span = Duration::from_secs(settings.read_seconds);
    let answers = round(&lanes, span).await?;
    let after = tandem.usage()?;
    #[allow(clippy::cast_precision_loss)]
    let count = answers.len() as f64;
    #[allow(clippy::cast_precision_loss)]
    let orders = answers.iter().map(|a| a.orders).sum::<usize>() as f64;
    let (p50_us, p99_us) = quantiles(answers.iter().map(|a| a.micros));
    Ok(json!({
        "bench": "reads", "connections": settings.connections,
        "requests_per_second": count / span.as_secs_f64(),
        "p50_us": p50_us, "p99_us": p99_us,
        "orders_per_answer": orders / count,
        "server_cpu_us_per_request": (after.cpu_seconds - before.cpu_seconds) * 1e6 / count,
        "peak_rss_mib": after.peak_rss_mib,
    }))
}

/// The middle, and what one in a hundred exceeds; zero of nothing.
pub(crate) fn quantiles(micros: impl Iterator<Item = u64>) -> (u64, u64) {
    let mut micros: Vec<u64> = micros.collect();
    micros.sort_unstable();
    let at = |share: usize| micros.get(micros.len() * share / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

/// Asks on all lanes at once for as long as that.
pub(crate) async fn round(lanes: &[Lane], span: Duration) -> Result<Vec<Answered>, Box<dyn Error>> {
    let end = Instant::now() + span;
    let loops = (0u64..).zip(lanes).map(|(nth, lane)| async move {
        let mut queries = QueryServiceClient::connect(lane.url.clone()).await?;
        let mut answers = Vec::new();
        let mut random = nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        while Instant::now() < end {
            // xorshift64: any spread of customers will do.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            #[allow(clippy::cast_possible_truncation)]
            let number = lane.customers[random as usize % lane.customers.len()];
            answers.push(ask(&mut queries, number).await?);
        }
        Ok::<_, Box<dyn Error>>(answers)
    });
    Ok(try_join_all(loops).await?.into_iter().flatten().collect())
}

/// Asks for one customer and its orders.
pub(crate) async fn ask(
    queries: &mut QueryServiceClient<Channel>,
    number: i64,
) -> Result<Answered, Box<dyn Error>> {
    let request = GetCustomerOrdersRequest {
        customer_id: tpch::customer_id(number),
        ..GetCustomerOrdersRequest::default()
    };
    let asked = Instant::now();
    let answer = queries.get_customer_orders(request).await?.into_inner();
    #[allow(clippy::cast_possible_truncation)]
    let micros = asked.elapsed().as_micros() as u64;
    let forwarded = answer.served.is_some_and(|served| served.forwarded);
    Ok(Answered { micros, orders: answer.orders.len(), forwarded })
}
