//! What the layer costs over the plain stub, in CPU time of this process, in a loop of reads.

use serde_json::json;
use std::io::Write as _;
use std::time::Duration;
use tandem_client::v1::query_service_client::QueryServiceClient;
use tandem_client::{Client, Session, v1};
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

type Fault = Box<dyn std::error::Error>;

const WARM_UP: usize = 2_000;
const READS: usize = 10_000;
const BLOCK: usize = 500;
const ROUNDS: usize = 3;
const DEADLINE: Duration = Duration::from_secs(10);

/// Reads as a user of the plain stub writes them.
struct Plain {
    stub: QueryServiceClient<Channel>,
    customer_id: String,
    receipt: String,
}

impl Plain {
    async fn read(&mut self, times: usize) -> Result<(), Fault> {
        for _ in 0..times {
            let receipts = vec![self.receipt.clone()];
            let freshness = Some(v1::Freshness { receipts, max_staleness: None });
            let customer_id = self.customer_id.clone();
            let mut request = Request::new(v1::GetCustomerRequest { customer_id, freshness });
            request.set_timeout(DEADLINE);
            self.stub.get_customer(request).await?;
        }
        Ok(())
    }
}

/// The same through a session that keeps one receipt.
struct Layer {
    session: Session,
    customer_id: String,
}

impl Layer {
    async fn read(&mut self, times: usize) -> Result<(), Fault> {
        for _ in 0..times {
            let customer_id = self.customer_id.clone();
            let request = v1::GetCustomerRequest { customer_id, freshness: None };
            self.session.get_customer(request).await?;
        }
        Ok(())
    }
}

/// User and system time of all threads so far, in microseconds: nanoseconds of `schedstat`, since
/// `stat` counts in hundredths of a second.
fn cpu() -> Result<f64, Fault> {
    let mut nanos = 0_u64;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let said = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += said.split(' ').next().ok_or("no time in schedstat")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos).as_secs_f64() * 1e6)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

// One thread, so that what is measured is not how threads wake each other.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let query = std::env::args().nth(1).ok_or("usage: bench HOST:PORT")?;
    let command = std::env::var("TANDEM_COMMAND").unwrap_or_else(|_| "127.0.0.1:8090".into());
    let session = Client::connect(command, [&query])?.session();
    let customer = v1::CreateCustomerRequest {
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        ..Default::default()
    };
    let made = session.create_customer(customer).await?;
    let customer_id = made.customer.unwrap_or_default().customer_id;
    let channel = Endpoint::from_shared(format!("http://{query}"))?.connect().await?;
    let stub = QueryServiceClient::new(channel);
    let mut plain = Plain { stub, customer_id: customer_id.clone(), receipt: made.receipt };
    let mut layer = Layer { session, customer_id };

    plain.read(WARM_UP).await?;
    layer.read(WARM_UP).await?;
    let (mut plains, mut layers, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS * READS / BLOCK {
        let began = cpu()?;
        plain.read(BLOCK).await?;
        let between = cpu()?;
        layer.read(BLOCK).await?;
        let ended = cpu()?;
        plains.push((between - began) / 500.0);
        layers.push((ended - between) / 500.0);
        ratios.push((ended - between) / (between - began));
    }
    let round = |figure: f64| (figure * 1_000.0).round() / 1_000.0;
    let said = json!({
        "language": "rust",
        "plain_us": round(median(plains)),
        "layer_us": round(median(layers)),
        "ratio": round(median(ratios)),
    });
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}
