//! `tandem.v1.CommandService`: each method parses, accepts, renders.

use crate::{
    accept::{Accepted, Acceptor, Context},
    parse::{self, Parsed},
    render,
    status::{Hearer, Refusal},
    trace,
};
use std::{sync::Arc, time::Duration};
use tandem_proto::v1::{
    CancelOrderRequest, CancelOrderResponse, CreateCustomerRequest, CreateCustomerResponse,
    PlaceOrderRequest, PlaceOrderResponse, RemoveCustomerRequest, RemoveCustomerResponse,
    SendGreetingRequest, SendGreetingResponse, UpdateCustomerRequest, UpdateCustomerResponse,
    UpdateOrderRequest, UpdateOrderResponse, command_service_server::CommandService,
};
use tandem_service::{deadline::Deadline, telemetry::Throttle};
use tonic::{Request, Response, Status};

/// The service as gRPC calls it.
pub(crate) struct Api {
    acceptor: Arc<Acceptor>,
    warnings: Throttle,
}

type Answer<T> = Result<Response<T>, Status>;

impl Api {
    pub(crate) fn new(acceptor: Arc<Acceptor>) -> Self {
        Self { acceptor, warnings: Throttle::new(Duration::from_secs(1)) }
    }

    async fn take<R>(
        &self,
        request: Request<R>,
        parse: fn(R) -> Parsed,
    ) -> Result<Accepted, Status> {
        let deadline = Deadline::of(&request);
        let context = Context { deadline, traceparent: trace::parent(request.metadata()) };
        let accepted = match parse(request.into_inner()) {
            Ok(command) => self.acceptor.accept(command, context).await,
            Err(fields) => Err(Refusal::Invalid(fields)),
        };
        accepted.map_err(|refusal| self.refuse(refusal))
    }

    /// Tells the caller, and in the log whoever else has to act.
    fn refuse(&self, refusal: Refusal) -> Status {
        match refusal.hearer() {
            Hearer::Caller => tracing::debug!(%refusal, "a command was refused"),
            Hearer::Operator => {
                if let Some(kept_back) = self.warnings.pass() {
                    tracing::warn!(%refusal, kept_back, "commands are refused");
                }
            }
            Hearer::Programmer => tracing::error!(%refusal, "a command was refused"),
        }
        refusal.fault().into()
    }
}

#[tonic::async_trait]
impl CommandService for Api {
    async fn create_customer(
        &self,
        request: Request<CreateCustomerRequest>,
    ) -> Answer<CreateCustomerResponse> {
        let Accepted { event, receipt } = self.take(request, parse::create_customer).await?;
        let customer = render::customer(event);
        Ok(Response::new(CreateCustomerResponse { customer, receipt }))
    }

    async fn update_customer(
        &self,
        request: Request<UpdateCustomerRequest>,
    ) -> Answer<UpdateCustomerResponse> {
        let Accepted { event, receipt } = self.take(request, parse::update_customer).await?;
        let customer = render::customer(event);
        Ok(Response::new(UpdateCustomerResponse { customer, receipt }))
    }

    async fn remove_customer(
        &self,
        request: Request<RemoveCustomerRequest>,
    ) -> Answer<RemoveCustomerResponse> {
        let Accepted { receipt, .. } = self.take(request, parse::remove_customer).await?;
        Ok(Response::new(RemoveCustomerResponse { receipt }))
    }

    async fn place_order(&self, request: Request<PlaceOrderRequest>) -> Answer<PlaceOrderResponse> {
        let Accepted { event, receipt } = self.take(request, parse::place_order).await?;
        Ok(Response::new(PlaceOrderResponse { order: render::order(event), receipt }))
    }

    async fn update_order(
        &self,
        request: Request<UpdateOrderRequest>,
    ) -> Answer<UpdateOrderResponse> {
        let Accepted { event, receipt } = self.take(request, parse::update_order).await?;
        Ok(Response::new(UpdateOrderResponse { order: render::order(event), receipt }))
    }

    async fn cancel_order(
        &self,
        request: Request<CancelOrderRequest>,
    ) -> Answer<CancelOrderResponse> {
        let Accepted { receipt, .. } = self.take(request, parse::cancel_order).await?;
        Ok(Response::new(CancelOrderResponse { receipt }))
    }

    async fn send_greeting(
        &self,
        request: Request<SendGreetingRequest>,
    ) -> Answer<SendGreetingResponse> {
        let Accepted { event, receipt } = self.take(request, parse::send_greeting).await?;
        Ok(Response::new(SendGreetingResponse { greeting: render::greeting(event), receipt }))
    }
}
