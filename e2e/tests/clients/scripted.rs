//! A service that does what its caller's ids say: real ones seldom refuse twice and then answer, say
//! nothing, or break a watch off. What it found out about the caller stands in its answers.
//!
//! | id | what comes of it |
//! | --- | --- |
//! | `flaky-N-...` | N times UNAVAILABLE with `RetryInfo` of 400 ms, then an answer |
//! | `dropped-N-...` | N times UNAVAILABLE without details, as when a connection breaks |
//! | `broken-...` | INTERNAL |
//! | `silent-...` | nothing, ever |
//! | `tries-ID` | an answer about ID, whose tries it doesn't add to |
//! | `cut-...` | a watch of documents 1, 2 and 3 that breaks off after the first, ends after the second, and goes on by its token only |
//!
//! In answers the customer's `first_name` is how many tries there were, `last_name` is `patient`, or
//! `early` if one came before `RetryInfo` allowed it, `email` is the `authorization` of the last
//! one, and `phone` is the `request_id` that all of them had.

use axum::Router;
use futures::{StreamExt as _, stream, stream::BoxStream};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tandem_proto::{receipt, v1};
use tandem_service::{
    pushback,
    status::{Fault, FieldFault},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};
use tonic::{Code, Request, Response, Status, metadata::MetadataMap, server::Grpc};
use tonic_prost::ProstCodec;
use tonic_web::GrpcWebLayer;

const RETRY_AFTER: Duration = Duration::from_millis(400);

/// Timers of callers and of this process aren't the same one.
const TOLERANCE: Duration = Duration::from_millis(5);

/// Serves on a port of its own until the test ends; over TLS if told how. It is no tonic server,
/// since these end a call at its `grpc-timeout`, and here nobody does but the caller.
pub(crate) async fn serve(tls: Option<Arc<ServerConfig>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let pushback = axum::middleware::from_fn(pushback::pass);
    let routes = Script::default().routes().layer(pushback).layer(GrpcWebLayer::new());
    let tls = tls.map(TlsAcceptor::from);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let routes = routes.clone();
            match tls.clone() {
                None => drop(tokio::spawn(connection(stream, routes))),
                // A caller that doesn't trust the certificate breaks off; that is the case's point.
                Some(tls) => drop(tokio::spawn(async move {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, routes).await;
                    }
                })),
            }
        }
    });
    address
}

/// Answers in HTTP/1.1 or HTTP/2, as the caller speaks, until the caller has had enough.
async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, routes: Router) {
    let service = TowerToHyperService::new(routes);
    auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

#[derive(Default)]
struct Seen {
    tries: usize,
    request_ids: BTreeSet<String>,
    authorization: String,
    not_before: Option<Instant>,
    early: bool,
}

#[derive(Clone, Default)]
struct Script(Arc<Mutex<HashMap<String, Seen>>>);

impl Script {
    fn routes(self) -> Router {
        macro_rules! unary {
            ($router:ident, $method:literal, $call:path) => {{
                let script = self.clone();
                let serve = move |request| async move {
                    let call = tower::service_fn(move |request| $call(script.clone(), request));
                    Grpc::new(ProstCodec::default()).unary(call, request).await
                };
                $router.route(concat!("/tandem.v1.", $method), axum::routing::post(serve))
            }};
        }
        let router = Router::new();
        let router = unary!(router, "QueryService/GetCustomer", Self::get_customer);
        let router = unary!(router, "CommandService/CreateCustomer", Self::create_customer);
        let script = self.clone();
        let watch = move |request| async move {
            let call = tower::service_fn(move |request| script.clone().watch(request));
            Grpc::new(ProstCodec::default()).server_streaming(call, request).await
        };
        let path = "/tandem.v1.QueryService/WatchCustomerOrders";
        router.route(path, axum::routing::post(watch))
    }

    async fn get_customer(
        self,
        request: Request<v1::GetCustomerRequest>,
    ) -> Result<Response<v1::GetCustomerResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let customer = Some(self.act(&asked.customer_id, "", &metadata).await?);
        Ok(Response::new(v1::GetCustomerResponse { customer, served: Some(v1::Served::default()) }))
    }

    async fn create_customer(
        self,
        request: Request<v1::CreateCustomerRequest>,
    ) -> Result<Response<v1::CreateCustomerResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let customer = Some(self.act(&asked.customer_id, &asked.request_id, &metadata).await?);
        let proof =
            receipt::Proof { topic: "customer".into(), topic_tag: 1, partition: 0, position: 1 };
        let receipt = receipt::encode(&[proof]);
        Ok(Response::new(v1::CreateCustomerResponse { customer, receipt }))
    }

    /// Does what the id says, and notes how it was asked.
    async fn act(
        &self,
        id: &str,
        request_id: &str,
        metadata: &MetadataMap,
    ) -> Result<v1::Customer, Status> {
        let (word, rest) = id.split_once('-').unwrap_or((id, ""));
        if word == "tries" {
            return Ok(self.told(rest));
        }
        let tries = self.noted(id, request_id, metadata);
        let times = rest.split('-').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        match word {
            "flaky" if tries <= times => {
                let mut seen = self.0.lock().unwrap();
                seen.get_mut(id).unwrap().not_before = Some(Instant::now() + RETRY_AFTER);
                Err(Fault::unavailable("NOT_READY", "it is not ready yet; try again")
                    .retry_after(RETRY_AFTER)
                    .into())
            }
            "dropped" if tries <= times => Err(Status::unavailable("the connection broke")),
            "broken" => {
                Err(Fault::new(Code::Internal, "INTERNAL", "a fault of the service").into())
            }
            "silent" => std::future::pending().await,
            _ => Ok(self.told(id)),
        }
    }

    fn noted(&self, id: &str, request_id: &str, metadata: &MetadataMap) -> usize {
        let mut all = self.0.lock().unwrap();
        let seen = all.entry(id.to_owned()).or_default();
        seen.tries += 1;
        seen.early |= seen.not_before.is_some_and(|at| Instant::now() + TOLERANCE < at);
        seen.request_ids.insert(request_id.to_owned());
        let authorization = metadata.get("authorization").and_then(|value| value.to_str().ok());
        seen.authorization = authorization.unwrap_or_default().to_owned();
        seen.tries
    }

    fn told(&self, id: &str) -> v1::Customer {
        let all = self.0.lock().unwrap();
        let Some(seen) = all.get(id) else { return v1::Customer::default() };
        v1::Customer {
            customer_id: id.to_owned(),
            first_name: seen.tries.to_string(),
            last_name: if seen.early { "early" } else { "patient" }.into(),
            email: seen.authorization.clone(),
            phone: seen.request_ids.iter().cloned().collect::<Vec<_>>().join(" and "),
        }
    }

    async fn watch(
        self,
        request: Request<v1::WatchCustomerOrdersRequest>,
    ) -> Result<Response<BoxStream<'static, Result<v1::WatchCustomerOrdersResponse, Status>>>, Status>
    {
        let (metadata, _, asked) = request.into_parts();
        let customer = self.act(&asked.customer_id, "", &metadata).await?;
        let tries: usize = customer.first_name.parse().unwrap_or(1);
        let goes_on = if tries == 1 { String::new() } else { format!("token-{}", tries - 1) };
        if asked.resume_token != goes_on {
            let fault = FieldFault::new("resume_token", format!("is not {goes_on:?}"));
            return Err(Fault::invalid(vec![fault]).into());
        }
        let document = Ok(v1::WatchCustomerOrdersResponse {
            customer: Some(customer),
            resume_token: format!("token-{tries}"),
            ..Default::default()
        });
        let after = match tries {
            1 => stream::iter([Err(Status::unavailable("the connection broke"))]).boxed(),
            2 => stream::empty().boxed(),
            _ => stream::pending().boxed(),
        };
        Ok(Response::new(stream::iter([document]).chain(after).boxed()))
    }
}

/// An authority of its own and what it signs.
pub(crate) struct Certificates {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    ca: String,
}

impl Certificates {
    pub(crate) fn make() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Tandem's test authority");
        let ca = params.self_signed(&key).unwrap().pem();
        Self { issuer: rcgen::Issuer::new(params, key), ca }
    }

    pub(crate) fn ca(&self) -> &str {
        &self.ca
    }

    /// What a server of that name shows; it speaks HTTP/2 and HTTP/1.1.
    pub(crate) fn of(&self, name: &str) -> Arc<ServerConfig> {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }
}
