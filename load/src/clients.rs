//! The two services as seen from here: one connection each, with a deadline on every request.

use crate::fault::Fault;
use crate::patience::{GaveUp, Patience};
use crate::requests;
use crate::tpch::Row;
use std::time::Duration;
use tandem_proto::v1;
use tandem_proto::v1::command_service_client::CommandServiceClient;
use tandem_proto::v1::query_service_client::QueryServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

/// How long one try may take. The query service also waits no longer than this for the freshness
/// that it was asked for.
const DEADLINE: Duration = Duration::from_secs(10);

/// The command service.
#[derive(Debug)]
pub(crate) struct Commands {
    client: CommandServiceClient<Channel>,
    pub(crate) patience: Patience,
}

impl Commands {
    /// Connects when the first command is sent, and again whenever the connection is lost.
    pub(crate) fn connect(url: &str, patience: Duration) -> Result<Self, Fault> {
        let patience = Patience::new(format!("the command service at {url}"), patience);
        Ok(Self { client: CommandServiceClient::new(channel(url)?), patience })
    }

    /// Sends the row's command and returns its receipt.
    pub(crate) async fn send(&self, row: &Row) -> Result<String, Fault> {
        let receipt = match row {
            Row::Customer(customer) => {
                let call = || async {
                    let request = bounded(requests::create_customer(customer));
                    self.client.clone().create_customer(request).await
                };
                self.patience.call(call).await.map(|response| response.receipt)
            }
            Row::Order(order) => {
                let call = || async {
                    let request = bounded(requests::place_order(order));
                    self.client.clone().place_order(request).await
                };
                self.patience.call(call).await.map(|response| response.receipt)
            }
        };
        receipt.map_err(|gave_up| self.patience.fault(requests::name(row), gave_up))
    }
}

/// The query service.
#[derive(Debug)]
pub(crate) struct Queries {
    client: QueryServiceClient<Channel>,
    pub(crate) patience: Patience,
}

impl Queries {
    /// Connects when the first query is made, and again whenever the connection is lost.
    pub(crate) fn connect(url: &str, patience: Duration) -> Result<Self, Fault> {
        let patience = Patience::new(format!("the query service at {url}"), patience);
        Ok(Self { client: QueryServiceClient::new(channel(url)?), patience })
    }

    /// The customer, if there is one.
    pub(crate) async fn customer(
        &self,
        asked: &v1::GetCustomerRequest,
    ) -> Result<Option<v1::GetCustomerResponse>, Fault> {
        let call = || async { self.client.clone().get_customer(bounded(asked.clone())).await };
        self.found(self.patience.call(call).await, &asked.customer_id)
    }

    /// The order, if there is one.
    pub(crate) async fn order(
        &self,
        asked: &v1::GetOrderRequest,
    ) -> Result<Option<v1::GetOrderResponse>, Fault> {
        let call = || async { self.client.clone().get_order(bounded(asked.clone())).await };
        self.found(self.patience.call(call).await, &asked.order_id)
    }

    /// A page of the customer and its orders, if there is any of them.
    pub(crate) async fn customer_orders(
        &self,
        asked: &v1::GetCustomerOrdersRequest,
    ) -> Result<Option<v1::GetCustomerOrdersResponse>, Fault> {
        let call =
            || async { self.client.clone().get_customer_orders(bounded(asked.clone())).await };
        self.found(self.patience.call(call).await, &asked.customer_id)
    }

    fn found<T>(&self, answer: Result<T, GaveUp>, id: &str) -> Result<Option<T>, Fault> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(GaveUp::Answered(status)) if status.code() == Code::NotFound => Ok(None),
            Err(gave_up) => Err(self.patience.fault(format!("the query for {id}"), gave_up)),
        }
    }
}

fn bounded<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

fn channel(url: &str) -> Result<Channel, Fault> {
    let fault = |reason: &str| Fault::Url { url: url.to_owned(), reason: reason.to_owned() };
    let endpoint = Endpoint::from_shared(url.to_owned())
        .map_err(|error| fault(&innermost(&error).to_string()))?;
    match endpoint.uri().scheme_str() {
        Some("http") => {}
        Some("https") => return Err(fault("this tool does not speak TLS")),
        _ => return Err(fault("it has to begin with http://")),
    }
    Ok(endpoint
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(5))
        .keep_alive_timeout(Duration::from_secs(5))
        .connect_lazy())
}

fn innermost<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> &'a (dyn std::error::Error + 'static) {
    error.source().map_or(error, innermost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_looked_at_before_anything_is_sent() {
        for url in ["", "127.0.0.1:8090", "https://example.com", "http://a b"] {
            assert!(matches!(channel(url), Err(Fault::Url { .. })), "{url:?}");
        }
        assert!(channel("http://[::1]:8090").is_ok());
    }
}
