//! The two services as this run uses them: what it asks of them, and for how long it goes on.

use crate::fault::Fault;
use crate::patience::{GaveUp, Patience};
use crate::requests;
use crate::settings::Settings;
use crate::tpch::Row;
use tandem_client::{Client, Error, Kind, Misconfigured, Session, v1};
use tonic::transport::Uri;

/// A client of both services, which connects when it is first used, and again whenever a connection
/// is lost. It tries once only: how often something is sent again is for [`Patience`] to say.
pub(crate) fn connect(settings: &Settings) -> Result<Client, Fault> {
    let queries = settings.query.iter().map(|url| address(url));
    let queries = queries.collect::<Result<Vec<_>, _>>()?;
    let client = Client::builder(address(&settings.command)?, queries)
        .tries(1)
        .route_directly(settings.route_directly);
    client.build().map_err(|fault| match fault {
        Misconfigured::Address { address, reason } => Fault::Url { url: address, reason },
        other => Fault::Url { url: settings.query.join(","), reason: other.to_string() },
    })
}

/// `host:port` of a URL.
fn address(url: &str) -> Result<String, Fault> {
    let fault = |reason: &str| Fault::Url { url: url.to_owned(), reason: reason.to_owned() };
    let uri: Uri = url.parse().map_err(|error| fault(&format!("{error}")))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(fault("this tool does not speak TLS")),
        _ => return Err(fault("it has to begin with http://")),
    }
    let host = uri.host().ok_or_else(|| fault("it has no host"))?;
    Ok(format!("{host}:{}", uri.port_u16().unwrap_or(80)))
}

/// The command service.
#[derive(Debug)]
pub(crate) struct Commands {
    session: Session,
    pub(crate) patience: Patience,
}

impl Commands {
    pub(crate) fn of(client: &Client, settings: &Settings) -> Self {
        let who = format!("the command service at {}", settings.command);
        Self { session: client.session(), patience: Patience::new(who, settings.patience) }
    }

    /// Sends the row's command and returns its receipt.
    pub(crate) async fn send(&self, row: &Row) -> Result<String, Fault> {
        let receipt = match row {
            Row::Customer(customer) => {
                let call = || self.session.create_customer(requests::create_customer(customer));
                self.patience.call(call).await.map(|response| response.receipt)
            }
            Row::Order(order) => {
                let call = || self.session.place_order(requests::place_order(order));
                self.patience.call(call).await.map(|response| response.receipt)
            }
        };
        receipt.map_err(|gave_up| self.patience.fault(requests::name(row), gave_up))
    }
}

/// The query services.
#[derive(Debug)]
pub(crate) struct Queries {
    /// Nothing is written in it, so that each query shows the receipts that it brings along alone.
    session: Session,
    pub(crate) patience: Patience,
}

impl Queries {
    pub(crate) fn of(client: &Client, settings: &Settings) -> Self {
        let who = format!("the query service at {}", settings.query.join(", "));
        Self { session: client.session(), patience: Patience::new(who, settings.patience) }
    }

    /// The customer, if there is one.
    pub(crate) async fn customer(
        &self,
        asked: &v1::GetCustomerRequest,
    ) -> Result<Option<v1::GetCustomerResponse>, Fault> {
        self.found(|| self.session.get_customer(asked.clone()), &asked.customer_id).await
    }

    /// The order, if there is one.
    pub(crate) async fn order(
        &self,
        asked: &v1::GetOrderRequest,
    ) -> Result<Option<v1::GetOrderResponse>, Fault> {
        self.found(|| self.session.get_order(asked.clone()), &asked.order_id).await
    }

    /// A page of the customer and its orders, if there is any of them.
    pub(crate) async fn customer_orders(
        &self,
        asked: &v1::GetCustomerOrdersRequest,
    ) -> Result<Option<v1::GetCustomerOrdersResponse>, Fault> {
        self.found(|| self.session.get_customer_orders(asked.clone()), &asked.customer_id).await
    }

    async fn found<T, A>(&self, call: impl FnMut() -> A, id: &str) -> Result<Option<T>, Fault>
    where
        A: Future<Output = Result<T, Error>>,
    {
        match self.patience.call(call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(GaveUp::Answered(error)) if error.kind() == Kind::NotFound => Ok(None),
            Err(gave_up) => Err(self.patience.fault(format!("the query for {id}"), gave_up)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_looked_at_before_anything_is_sent() {
        for url in ["", "127.0.0.1:8090", "https://example.com", "http://a b"] {
            let (command, query) = (url.to_owned(), vec![url.to_owned()]);
            let commands = Settings { command, ..Settings::default() };
            let queries = Settings { query, ..Settings::default() };
            for settings in [commands, queries] {
                assert!(matches!(connect(&settings), Err(Fault::Url { .. })), "{url:?}");
            }
        }
        assert_eq!(address("http://[::1]:8090/").unwrap(), "[::1]:8090");
        assert_eq!(address("http://query").unwrap(), "query:80");
    }
}
