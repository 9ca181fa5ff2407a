//! A server with one service whose answers are chosen by what is asked.

use std::{future::pending, net::SocketAddr, sync::Arc, time::Duration};
use tandem_proto::v1::{
    self, command_service_client::CommandServiceClient, command_service_server as server,
};
use tandem_service::{
    bind, bounded,
    deadline::Deadline,
    grpc::{Limits, Serving, Shell},
    health::Health,
    status::{Fault, reason},
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, transport::Channel};
use tonic_types::StatusExt as _;

/// Answers by the greeting's message; everything else is turned down with a bare status.
pub(crate) struct Example {
    pub(crate) gate: Arc<Semaphore>,
}

macro_rules! bare {
    ($($method:ident($request:ident) -> $response:ident;)*) => {
        #[tonic::async_trait]
        impl server::CommandService for Example {
            async fn send_greeting(
                &self,
                request: Request<v1::SendGreetingRequest>,
            ) -> Result<Response<v1::SendGreetingResponse>, Status> {
                self.greet(request).await
            }
            $(async fn $method(
                &self,
                _: Request<v1::$request>,
            ) -> Result<Response<v1::$response>, Status> {
                Err(Status::aborted("bare"))
            })*
        }
    };
}

bare! {
    create_customer(CreateCustomerRequest) -> CreateCustomerResponse;
    update_customer(UpdateCustomerRequest) -> UpdateCustomerResponse;
    remove_customer(RemoveCustomerRequest) -> RemoveCustomerResponse;
    place_order(PlaceOrderRequest) -> PlaceOrderResponse;
    update_order(UpdateOrderRequest) -> UpdateOrderResponse;
    cancel_order(CancelOrderRequest) -> CancelOrderResponse;
}

impl Example {
    async fn greet(
        &self,
        request: Request<v1::SendGreetingRequest>,
    ) -> Result<Response<v1::SendGreetingResponse>, Status> {
        let deadline = Deadline::of(&request);
        match &*request.get_ref().message {
            "hang" => pending().await,
            "gate" => drop(self.gate.acquire().await),
            "until the deadline" => {
                let late = deadline.bound(pending::<()>()).await.unwrap_err();
                let fault = Fault::new(tonic::Code::DeadlineExceeded, "RICH", late.to_string());
                return Err(fault.into());
            }
            _ => {}
        }
        Ok(Response::new(v1::SendGreetingResponse::default()))
    }
}

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) serving: Serving,
    pub(crate) shutdown: CancellationToken,
    pub(crate) health: Health,
    pub(crate) gate: Arc<Semaphore>,
}

pub(crate) async fn start(limits: Limits) -> Server {
    let listener = bind::bind("127.0.0.1:0", "--test-addr").await.unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let shutdown = CancellationToken::new();
    let service = server::CommandServiceServer::new(Example { gate: gate.clone() });
    let plain = axum::Router::new().route("/plain", axum::routing::get(async || "plain\n"));
    let shell = Shell::new(limits)
        .unwrap()
        .add(bounded!(service))
        .await
        .http(plain, tandem_service::origins::Origins::default());
    let health = shell.health();
    let serving = shell.serve(listener, shutdown.clone()).unwrap();
    Server { addr: serving.local_addr(), serving, shutdown, health, gate }
}

impl Server {
    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.addr)).unwrap().connect().await.unwrap()
    }

    /// A client that connects when it is first used.
    pub(crate) fn client_lazy(&self) -> CommandServiceClient<Channel> {
        let endpoint = Channel::from_shared(format!("http://{}", self.addr)).unwrap();
        CommandServiceClient::new(endpoint.connect_lazy())
    }

    pub(crate) async fn client(&self) -> CommandServiceClient<Channel> {
        CommandServiceClient::new(self.channel().await)
    }
}

pub(crate) fn greeting(message: &str) -> v1::SendGreetingRequest {
    v1::SendGreetingRequest { message: message.into(), ..Default::default() }
}

/// Waits until `done`, or fails after five seconds.
pub(crate) async fn eventually(mut done: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + Duration::from_secs(5);
    while !done().await {
        assert!(tokio::time::Instant::now() < end, "did not come about in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The code and reason that an error carries; fails on one without details.
pub(crate) fn told(status: &Status) -> (tonic::Code, String) {
    let told = reason(status).unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"));
    let retry = status.get_details_retry_info().is_some();
    assert_eq!(retry, status.code() == tonic::Code::Unavailable, "{status:?}");
    (status.code(), told)
}
