//! The connections to the services, and how one call is made over them.

use crate::builder::{Builder, Misconfigured};
use crate::calls::{Call, Query, Stream};
use crate::error::Error;
use crate::line::Line;
use crate::routing::{Following, Routing};
use crate::session::Session;
use crate::timeout::taken_timeout;
use crate::tries::Tries;
use crate::turns::{Address, Turns};
use http::uri::PathAndQuery;
use std::sync::Arc;
use std::time::Duration;
use tandem_proto::v1::command_service_client::CommandServiceClient;
use tandem_proto::v1::query_service_client::QueryServiceClient;
use tokio::time::Instant;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// The longest that any call is waited for, whatever its deadline says; services wait no longer.
const LONGEST: Duration = Duration::from_secs(3_600);

/// A client of a command service and of query services. Cheap to clone; its connections are closed
/// when the last clone is gone, with the sessions, lists and watches that were made of it.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) core: Arc<Core>,
    /// Ends the following of routes with the last clone.
    _following: Option<Arc<Following>>,
}

/// What all clones share. The background task holds it too, so it must not hold the task.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) commands: Turns,
    pub(crate) queries: Turns,
    pub(crate) timeout: Duration,
    pub(crate) tries: u32,
    pub(crate) routing: Option<Routing>,
}

impl Client {
    /// A client in plain text with the usual deadlines, of the command service at `command` and the
    /// query services at `queries`, each `host:port`.
    ///
    /// # Errors
    /// [`Misconfigured`] if an address can't be one.
    pub fn connect<Q: Into<String>>(
        command: impl Into<String>,
        queries: impl IntoIterator<Item = Q>,
    ) -> Result<Self, Misconfigured> {
        Self::builder(command, queries).build()
    }

    /// The same, with more to say about it.
    pub fn builder<Q: Into<String>>(
        command: impl Into<String>,
        queries: impl IntoIterator<Item = Q>,
    ) -> Builder {
        Builder::new(command.into(), queries.into_iter().map(Into::into).collect())
    }

    pub(crate) fn new(core: Core) -> Self {
        let core = Arc::new(core);
        let following = core.routing.is_some().then(|| Arc::new(Following::start(&core)));
        Self { core, _following: following }
    }

    /// A session without receipts.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(self.clone())
    }

    /// The plain stub of the command service, on this client's connection.
    #[must_use]
    pub fn commands(&self) -> CommandServiceClient<Line> {
        let turns = &self.core.commands;
        CommandServiceClient::new(turns.get(turns.current()).line.clone())
    }

    /// The plain stub of the query service whose turn it is, on this client's connection.
    #[must_use]
    pub fn queries(&self) -> QueryServiceClient<Line> {
        let turns = &self.core.queries;
        QueryServiceClient::new(turns.get(turns.current()).line.clone())
    }
}

impl Core {
    pub(crate) fn turns<C: Call>(&self) -> &Turns {
        if C::COMMAND { &self.commands } else { &self.queries }
    }

    /// Who has the rows that are asked for, if that is followed and known.
    pub(crate) fn holder<Q: Query>(&self, asked: &Q) -> Option<Arc<Address>> {
        self.routing.as_ref()?.holder(asked.customer()?)
    }

    /// Makes a call with one response, with all its tries.
    pub(crate) async fn call<C: Call>(
        &self,
        request: Request<C>,
        first: Option<Arc<Address>>,
    ) -> Result<C::Response, Error> {
        let (mut metadata, _, message) = request.into_parts();
        let limit = taken_timeout(&mut metadata).unwrap_or(self.timeout).min(LONGEST);
        let (began, turns, most) = (Instant::now(), self.turns::<C>(), self.tries);
        let tries = Tries { call: C::NAME, turns, first, began, limit, most };
        tries
            .run(|address, left| {
                let mut request = request_of(&metadata, &message);
                request.set_timeout(in_millis(left));
                async move { once(&address, request).await }
            })
            .await
    }
}

/// Rounded up, so that first tries say the same, which costs nothing on the wire when repeated.
pub(crate) fn in_millis(left: Duration) -> Duration {
    let millis = left.as_micros().div_ceil(1_000);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

pub(crate) fn request_of<C: Call>(metadata: &MetadataMap, message: &C) -> Request<C> {
    Request::from_parts(metadata.clone(), tonic::Extensions::default(), message.clone())
}

async fn once<C: Call>(address: &Address, request: Request<C>) -> Result<C::Response, Error> {
    let mut grpc = ready::<C>(address).await?;
    let path = PathAndQuery::from_static(C::PATH);
    let answer = grpc.unary(request, path, ProstCodec::default()).await;
    address.give_back(grpc);
    answer.map(Response::into_inner).map_err(|status| failed::<C>(address, status))
}

/// Opens a stream at one address.
pub(crate) async fn open<C: Call>(
    address: &Address,
    request: Request<C>,
) -> Result<Stream<C>, Error> {
    let mut grpc = ready::<C>(address).await?;
    let path = PathAndQuery::from_static(C::PATH);
    let answer = grpc.server_streaming(request, path, ProstCodec::default()).await;
    address.give_back(grpc);
    answer.map(Response::into_inner).map_err(|status| failed::<C>(address, status))
}

async fn ready<C: Call>(address: &Address) -> Result<Grpc<Line>, Error> {
    let mut grpc = address.grpc();
    let ready = grpc.ready().await.map_err(Status::from_error);
    ready.map_err(|status| failed::<C>(address, status))?;
    Ok(grpc)
}

fn failed<C: Call>(address: &Address, status: Status) -> Error {
    Error::of(C::NAME, &address.name, status)
}
