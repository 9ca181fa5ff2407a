//! How a client is made, and what can be wrong with that.

use crate::client::{Client, Core};
use crate::line::{BoxError, Line, Token, bearer};
use crate::policy::POLICY;
use crate::routing::Routing;
use crate::turns::{Address, Turns};
use futures::FutureExt as _;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;
use tonic::transport::{ClientTlsConfig, Endpoint};

/// How long a connection may take to be made, and TLS to be agreed on.
const CONNECTING: Duration = Duration::from_secs(2);
/// A ping after this much silence, so that a host that is gone is noticed.
const PING_AFTER: Duration = Duration::from_secs(10);
/// How long a ping may take to be answered.
const PING_WITHIN: Duration = Duration::from_secs(5);

/// What is wrong with how a client was to be made. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum Misconfigured {
    /// Not `host:port`.
    #[error("{address:?} is not host:port, as 127.0.0.1:8095 is: {reason}")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No address to ask.
    #[error("a client needs the address of at least one query service")]
    NoQueryService,
    /// A token would be readable on the wire.
    #[error("a token goes out over TLS only: ask for TLS too, or leave the token out")]
    TokenWithoutTls,
    /// A token that is empty, or with characters that no header can have.
    #[error("the token is empty, or no text that a header can have")]
    Token,
    /// The certificates could not be used, or the system has none.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
    /// Connections are kept by the runtime, so there has to be one.
    #[error("a client has to be made inside a tokio runtime")]
    NoRuntime,
}

/// Makes a [`Client`].
#[derive(Clone)]
pub struct Builder {
    command: String,
    queries: Vec<String>,
    tls: Option<ClientTlsConfig>,
    token: Option<Result<Token, ()>>,
    timeout: Duration,
    tries: u32,
    route_directly: bool,
}

impl Builder {
    pub(crate) fn new(command: String, queries: Vec<String>) -> Self {
        let (tls, token) = (None, None);
        let (timeout, tries) = (POLICY.timeout, POLICY.tries);
        Self { command, queries, tls, token, timeout, tries, route_directly: false }
    }

    /// Speaks TLS, and trusts whom the system trusts.
    #[must_use]
    pub fn tls(self) -> Self {
        self.tls_with(ClientTlsConfig::new().with_native_roots())
    }

    /// Speaks TLS in a way of the caller's, who says whom to trust (`ClientTlsConfig::new()` alone
    /// trusts nobody): given certificates by `.ca_certificate(..)`, the system's by
    /// `.with_native_roots()`.
    #[must_use]
    pub fn tls_with(mut self, tls: ClientTlsConfig) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Shows this token with each call; only with [`Self::tls`].
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(bearer(token).map(Token::Fixed).ok_or(()));
        self
    }

    /// Shows the token that `fetch` gives, which is asked before each try of a call and takes of the
    /// call's time; only with [`Self::tls`]. When it fails, the call is UNAUTHENTICATED.
    #[must_use]
    pub fn token_from<F, T, E>(mut self, fetch: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let fetch = move || {
            let fetched = fetch();
            async { fetched.await.map_err(Into::into) }.boxed()
        };
        self.token = Some(Ok(Token::Fetched(Arc::new(fetch))));
        self
    }

    /// How long a call may take with all its tries, unless it says otherwise; 10 s if not set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a call is tried at most, in place of the service config's five. For callers that
    /// have a patience of their own: with 1, UNAVAILABLE is told at once, and only an address that
    /// can't be reached is still passed over.
    #[must_use]
    pub fn tries(mut self, most: u32) -> Self {
        self.tries = most.max(1);
        self
    }

    /// Follows which instance serves which shard, and asks the one that has the customer itself
    /// instead of having the call passed on, which halves what such a read costs the services. For
    /// the reads of one customer: `GetCustomer`, `GetOrder` with `customer_id`, `GetCustomerOrders`,
    /// `WatchCustomerOrders`. The instances have to be reachable at the addresses that they announce,
    /// else calls go the usual way. Off if not set.
    #[must_use]
    pub fn route_directly(mut self, on: bool) -> Self {
        self.route_directly = on;
        self
    }

    /// Makes the client. Nothing is connected before it is needed, so that it doesn't matter whether
    /// the services run yet.
    ///
    /// # Errors
    /// [`Misconfigured`] if what was given can't be right.
    pub fn build(self) -> Result<Client, Misconfigured> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Misconfigured::NoRuntime);
        }
        if self.token.is_some() && self.tls.is_none() {
            return Err(Misconfigured::TokenWithoutTls);
        }
        let token = self.token.transpose().map_err(|()| Misconfigured::Token)?;
        let maker = Maker { tls: self.tls, token };
        let commands = Turns::new(vec![maker.address(&self.command)?]);
        let queries = self.queries.iter().map(|address| maker.address(address));
        let queries = queries.collect::<Result<Vec<_>, _>>()?;
        if queries.is_empty() {
            return Err(Misconfigured::NoQueryService);
        }
        let routing = self.route_directly.then(|| Routing::new(maker));
        let (timeout, tries) = (self.timeout, self.tries);
        let core = Core { commands, queries: Turns::new(queries), timeout, tries, routing };
        Ok(Client::new(core))
    }
}

/// Makes what is needed to call an address.
#[derive(Clone)]
pub(crate) struct Maker {
    tls: Option<ClientTlsConfig>,
    token: Option<Token>,
}

impl Maker {
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { tls: None, token: None }
    }

    /// Makes the channel of an address, which connects when the first call needs it.
    pub(crate) fn address(&self, address: &str) -> Result<Arc<Address>, Misconfigured> {
        let fault = |reason: &str| Misconfigured::Address {
            address: address.to_owned(),
            reason: reason.to_owned(),
        };
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
            .map_err(|error| fault(&innermost(&error)))?;
        let authority = endpoint.uri().authority();
        if authority.is_none_or(|a| a.as_str() != address || address.contains('@')) {
            return Err(fault("there is more or less in it"));
        }
        if authority.and_then(|authority| authority.port_u16()).is_none() {
            return Err(fault("it has no port"));
        }
        let mut endpoint = endpoint
            .connect_timeout(CONNECTING)
            .http2_keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PING_WITHIN)
            .keep_alive_while_idle(true);
        if let Some(tls) = &self.tls {
            let tls = tls.clone().timeout(CONNECTING);
            let fault = |error| Misconfigured::Tls(innermost(&error));
            endpoint = endpoint.tls_config(tls).map_err(fault)?;
        }
        let line = Line::new(endpoint.connect_lazy(), self.token.clone());
        Ok(Arc::new(Address::new(address.to_owned(), line)))
    }
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(command: &str, query: &str) -> Builder {
        Client::builder(command, [query])
    }

    #[tokio::test]
    async fn addresses_are_looked_at_before_anything_is_sent() {
        for wrong in ["", "host", "http://127.0.0.1:1", "a b:1", "a@b:1", "a:1/path", "a:99999"] {
            for client in [client(wrong, "127.0.0.1:1"), client("127.0.0.1:1", wrong)] {
                let error = client.build().unwrap_err();
                assert!(matches!(error, Misconfigured::Address { .. }), "{wrong:?}: {error}");
            }
        }
        for right in ["127.0.0.1:1", "[::1]:1", "some.host:65535"] {
            assert!(client(right, right).build().is_ok(), "{right}");
        }
        let none = Client::builder("127.0.0.1:1", Vec::<String>::new()).build();
        assert!(matches!(none.unwrap_err(), Misconfigured::NoQueryService));
    }

    #[tokio::test]
    async fn a_token_needs_tls_and_has_to_be_one() {
        let client = || client("127.0.0.1:1", "127.0.0.1:1");
        let fetched = || client().token_from(async || Ok::<_, BoxError>("secret".to_owned()));
        for client in [client().token("secret"), fetched()] {
            assert!(matches!(client.build().unwrap_err(), Misconfigured::TokenWithoutTls));
        }
        assert!(fetched().tls_with(ClientTlsConfig::new()).build().is_ok());
        let error =
            client().tls_with(ClientTlsConfig::new()).token("two\nlines").build().unwrap_err();
        assert!(matches!(error, Misconfigured::Token) && !error.to_string().contains("lines"));
    }

    #[test]
    fn outside_a_runtime_it_says_so() {
        let error = client("127.0.0.1:1", "127.0.0.1:1").build().unwrap_err();
        assert!(matches!(error, Misconfigured::NoRuntime));
    }
}
