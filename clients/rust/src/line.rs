//! A connection to one address that shows the caller's token, for the layer and plain stubs alike.

use futures::future::{BoxFuture, Either, ErrInto, FutureExt as _, TryFutureExt as _};
use http::header::{AUTHORIZATION, HeaderValue};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::transport::{Channel, channel};
use tonic::{Code, Status};
use tower::Service;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Response = http::Response<Body>;

/// Where a token comes from.
#[derive(Clone)]
pub(crate) enum Token {
    /// Always the same, dressed as a header.
    Fixed(HeaderValue),
    /// Asked for each time.
    Fetched(Arc<dyn Fn() -> BoxFuture<'static, Result<String, BoxError>> + Send + Sync>),
}

/// The channel of one address. Cheap to clone; all clones share one connection, which is made when
/// the first call needs it, and again after it broke.
#[derive(Clone)]
pub struct Line {
    channel: Channel,
    token: Option<Token>,
}

impl Line {
    pub(crate) fn new(channel: Channel, token: Option<Token>) -> Self {
        Self { channel, token }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

/// The header that shows `token`, if it can be one. It is never printed.
pub(crate) fn bearer(token: &str) -> Option<HeaderValue> {
    if token.is_empty() {
        return None;
    }
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

impl Service<http::Request<Body>> for Line {
    type Response = Response;
    type Error = BoxError;
    type Future = Either<
        ErrInto<channel::ResponseFuture, BoxError>,
        BoxFuture<'static, Result<Response, BoxError>>,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.channel.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        match &self.token {
            None => {}
            Some(Token::Fixed(bearer)) => {
                request.headers_mut().insert(AUTHORIZATION, bearer.clone());
            }
            Some(Token::Fetched(fetch)) => {
                let fetched = fetch();
                // The clone isn't ready; this one is, and goes with the call.
                let clone = self.channel.clone();
                let mut ready = std::mem::replace(&mut self.channel, clone);
                let call = async move {
                    let token = fetched.await.map_err(no_token)?;
                    let bearer = bearer(&token).ok_or("it is no text that a header can have");
                    request.headers_mut().insert(AUTHORIZATION, bearer.map_err(no_token)?);
                    Ok(ready.call(request).await?)
                };
                return Either::Right(call.boxed());
            }
        }
        Either::Left(self.channel.call(request).err_into())
    }
}

fn no_token(why: impl Into<BoxError>) -> BoxError {
    let why = why.into();
    let text = format!("the token could not be had: {why}");
    let mut status = Status::new(Code::Unauthenticated, text);
    status.set_source(Arc::from(why));
    Box::new(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use axum::Router;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tandem_proto::v1;
    use tandem_proto::v1::query_service_client::QueryServiceClient;

    /// What the service sees of the token, through a plain stub.
    async fn seen(token: Option<Token>) -> QueryServiceClient<Line> {
        let get = async |request: tonic::Request<v1::GetCustomerRequest>| {
            let token = request.metadata().get("authorization").cloned();
            let phone = token.map(|t| t.to_str().unwrap().to_owned()).unwrap_or_default();
            let customer = Some(v1::Customer { phone, ..Default::default() });
            Ok(v1::GetCustomerResponse { customer, served: None })
        };
        QueryServiceClient::new(testing::line(testing::answering(Router::new(), get), token))
    }

    async fn token(stub: &mut QueryServiceClient<Line>) -> Result<String, Status> {
        let answer = stub.get_customer(v1::GetCustomerRequest::default()).await?;
        Ok(answer.into_inner().customer.unwrap().phone)
    }

    #[tokio::test]
    async fn a_fetched_token_is_fetched_each_time() {
        let times = AtomicU32::new(0);
        let fetch = move || match times.fetch_add(1, Ordering::Relaxed) {
            2 => futures::future::ready(Err("the issuer is away".into())).boxed(),
            nth => futures::future::ready(Ok(format!("token-{nth}"))).boxed(),
        };
        let mut stub = seen(Some(Token::Fetched(Arc::new(fetch)))).await;
        assert_eq!(token(&mut stub).await.unwrap(), "Bearer token-0");
        assert_eq!(token(&mut stub).await.unwrap(), "Bearer token-1");
        let status = token(&mut stub).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(status.message().contains("the issuer is away"), "{status:?}");
        assert_eq!(token(&mut stub).await.unwrap(), "Bearer token-3");
    }

    #[tokio::test]
    async fn a_fixed_one_is_shown_and_none_is_not_and_neither_is_printed() {
        let fixed = bearer("secret").unwrap();
        assert!(!format!("{fixed:?}").contains("secret"));
        let mut stub = seen(Some(Token::Fixed(fixed))).await;
        assert_eq!(token(&mut stub).await.unwrap(), "Bearer secret");
        assert_eq!(token(&mut seen(None).await).await.unwrap(), "");
    }
}
