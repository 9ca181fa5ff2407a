//! The write side.

use super::Fake;
use tandem_proto::v1;
use tandem_proto::v1::command_service_server::CommandService;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl CommandService for Fake {
    async fn create_customer(
        &self,
        request: Request<v1::CreateCustomerRequest>,
    ) -> Result<Response<v1::CreateCustomerResponse>, Status> {
        self.up_for_command()?;
        let v1::CreateCustomerRequest {
            customer_id,
            first_name,
            last_name,
            email,
            phone,
            request_id,
        } = request.into_inner();
        let customer = v1::Customer { customer_id, first_name, last_name, email, phone };
        let mut rows = self.rows();
        let receipt = rows.written(&request_id);
        rows.customers.insert(customer.customer_id.clone(), customer.clone());
        Ok(Response::new(v1::CreateCustomerResponse { customer: Some(customer), receipt }))
    }

    async fn place_order(
        &self,
        request: Request<v1::PlaceOrderRequest>,
    ) -> Result<Response<v1::PlaceOrderResponse>, Status> {
        self.up_for_command()?;
        let v1::PlaceOrderRequest {
            order_id,
            customer_id,
            order_item_name,
            order_place,
            request_id,
        } = request.into_inner();
        if self.faults().refuse_customer.as_ref() == Some(&customer_id) {
            return Err(Status::invalid_argument("customer_id: not liked"));
        }
        let lost = self.faults().lose_order.as_ref() == Some(&order_id);
        let order = v1::Order {
            order_id,
            customer_id,
            order_item_name,
            order_place,
            order_purchase_time: Some(prost_types::Timestamp::default()),
        };
        let mut rows = self.rows();
        let receipt = rows.written(&request_id);
        if !lost {
            let key = (order.customer_id.clone(), order.order_id.clone());
            rows.orders.insert(key, order.clone());
        }
        Ok(Response::new(v1::PlaceOrderResponse { order: Some(order), receipt }))
    }

    async fn update_customer(
        &self,
        _: Request<v1::UpdateCustomerRequest>,
    ) -> Result<Response<v1::UpdateCustomerResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn remove_customer(
        &self,
        _: Request<v1::RemoveCustomerRequest>,
    ) -> Result<Response<v1::RemoveCustomerResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn update_order(
        &self,
        _: Request<v1::UpdateOrderRequest>,
    ) -> Result<Response<v1::UpdateOrderResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn cancel_order(
        &self,
        _: Request<v1::CancelOrderRequest>,
    ) -> Result<Response<v1::CancelOrderResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn send_greeting(
        &self,
        _: Request<v1::SendGreetingRequest>,
    ) -> Result<Response<v1::SendGreetingResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }
}
