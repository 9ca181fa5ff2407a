//! `GetCustomerOrders` over gRPC, closed loop: each connection asks again once it has an answer.

use futures::future::try_join_all;
use serde_json::{Value, json};
use std::{
    error::Error,
    time::{Duration, Instant},
};
use tandem_load::tpch;
use tandem_proto::v1::GetCustomerOrdersRequest;

use crate::{Settings, process::Tandem};

const WARM_UP: Duration = Duration::from_secs(2);

pub(crate) async fn reads(tandem: &Tandem, settings: &Settings) -> Result<Value, Box<dyn Error>> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let customers = ((150_000.0 * settings.scale) as u64).max(1);
    round(tandem, settings.connections, customers, WARM_UP).await?;
    let before = tandem.usage()?;
    let span = Duration::from_secs(settings.read_seconds);
    let answers = round(tandem, settings.connections, customers, span).await?;
    let after = tandem.usage()?;
    let mut micros: Vec<u64> = answers.iter().map(|a| a.0).collect();
    micros.sort_unstable();
    #[allow(clippy::cast_precision_loss)]
    let count = micros.len() as f64;
    #[allow(clippy::cast_precision_loss)]
    let orders = answers.iter().map(|a| a.1).sum::<usize>() as f64;
    let at = |share: usize| micros.get((micros.len() * share / 100).min(micros.len() - 1));
    Ok(json!({
        "bench": "reads", "connections": settings.connections,
        "requests_per_second": count / span.as_secs_f64(),
        "p50_us": at(50), "p99_us": at(99),
        "orders_per_answer": orders / count,
        "server_cpu_us_per_request": (after.cpu_seconds - before.cpu_seconds) * 1e6 / count,
        "peak_rss_mib": after.peak_rss_mib,
    }))
}

/// Each answer's microseconds and number of orders.
async fn round(
    tandem: &Tandem,
    connections: usize,
    customers: u64,
    span: Duration,
) -> Result<Vec<(u64, usize)>, Box<dyn Error>> {
    let end = Instant::now() + span;
    let loops = (0..connections as u64).map(|lane| async move {
        let mut queries = tandem.queries().await?;
        let mut answers = Vec::new();
        let mut random = lane.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        while Instant::now() < end {
            // xorshift64: any spread of customers will do.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            #[allow(clippy::cast_possible_wrap)]
            let number = (random % customers) as i64 + 1;
            let request = GetCustomerOrdersRequest {
                customer_id: tpch::customer_id(number),
                ..GetCustomerOrdersRequest::default()
            };
            let asked = Instant::now();
            let answer = queries.get_customer_orders(request).await?.into_inner();
            #[allow(clippy::cast_possible_truncation)]
            answers.push((asked.elapsed().as_micros() as u64, answer.orders.len()));
        }
        Ok::<_, Box<dyn Error>>(answers)
    });
    Ok(try_join_all(loops).await?.into_iter().flatten().collect())
}
