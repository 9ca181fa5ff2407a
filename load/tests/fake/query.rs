//! The read side.

use super::Fake;
use futures::stream::BoxStream;
use tandem_proto::v1;
use tandem_proto::v1::query_service_server::QueryService;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl QueryService for Fake {
    type WatchCustomerOrdersStream =
        BoxStream<'static, Result<v1::WatchCustomerOrdersResponse, Status>>;
    type WatchRoutingStream = BoxStream<'static, Result<v1::WatchRoutingResponse, Status>>;

    async fn watch_customer_orders(
        &self,
        _: Request<v1::WatchCustomerOrdersRequest>,
    ) -> Result<Response<Self::WatchCustomerOrdersStream>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn watch_routing(
        &self,
        _: Request<v1::WatchRoutingRequest>,
    ) -> Result<Response<Self::WatchRoutingStream>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn get_customer(
        &self,
        request: Request<v1::GetCustomerRequest>,
    ) -> Result<Response<v1::GetCustomerResponse>, Status> {
        self.up_for_query()?;
        let asked = request.into_inner();
        let rows = self.rows();
        rows.fresh(asked.freshness.as_ref())?;
        let customer = rows.customers.get(&asked.customer_id).cloned();
        let customer = Some(customer.ok_or_else(|| Status::not_found("no such customer"))?);
        Ok(Response::new(v1::GetCustomerResponse { customer, served: None }))
    }

    async fn get_order(
        &self,
        request: Request<v1::GetOrderRequest>,
    ) -> Result<Response<v1::GetOrderResponse>, Status> {
        self.up_for_query()?;
        let asked = request.into_inner();
        let rows = self.rows();
        rows.fresh(asked.freshness.as_ref())?;
        let order = rows.orders.get(&(asked.customer_id, asked.order_id)).cloned();
        let order = Some(order.ok_or_else(|| Status::not_found("no such order"))?);
        Ok(Response::new(v1::GetOrderResponse { order, served: None }))
    }

    async fn get_customer_orders(
        &self,
        request: Request<v1::GetCustomerOrdersRequest>,
    ) -> Result<Response<v1::GetCustomerOrdersResponse>, Status> {
        self.up_for_query()?;
        let asked = request.into_inner();
        let rows = self.rows();
        rows.fresh(asked.freshness.as_ref())?;
        let id = &asked.customer_id;
        let customer = rows.customers.get(id).cloned();
        let registered = customer.is_some();
        let all = rows.orders.range((id.clone(), asked.page_token.clone())..);
        let mut orders: Vec<_> =
            all.take_while(|((owner, _), _)| owner == id).map(|(_, order)| order.clone()).collect();
        if !registered && orders.is_empty() {
            return Err(Status::not_found("neither customer nor orders"));
        }
        let hidden =
            self.faults().stale_once.take_if(|hidden| orders.iter().any(|o| o.order_id == *hidden));
        orders.retain(|order| hidden.as_ref() != Some(&order.order_id));
        let size =
            if asked.page_size == 0 { 100 } else { usize::try_from(asked.page_size).unwrap() };
        let next_page_token =
            orders.get(size).map(|order| order.order_id.clone()).unwrap_or_default();
        orders.truncate(size);
        Ok(Response::new(v1::GetCustomerOrdersResponse {
            customer: Some(
                customer.unwrap_or(v1::Customer { customer_id: id.clone(), ..Default::default() }),
            ),
            registered,
            orders,
            next_page_token,
            served: None,
        }))
    }

    async fn list_customers(
        &self,
        _: Request<v1::ListCustomersRequest>,
    ) -> Result<Response<v1::ListCustomersResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn list_orders(
        &self,
        _: Request<v1::ListOrdersRequest>,
    ) -> Result<Response<v1::ListOrdersResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn list_customer_orders(
        &self,
        _: Request<v1::ListCustomerOrdersRequest>,
    ) -> Result<Response<v1::ListCustomerOrdersResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn list_greetings(
        &self,
        _: Request<v1::ListGreetingsRequest>,
    ) -> Result<Response<v1::ListGreetingsResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn list_instances(
        &self,
        _: Request<v1::ListInstancesRequest>,
    ) -> Result<Response<v1::ListInstancesResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn list_rejects(
        &self,
        _: Request<v1::ListRejectsRequest>,
    ) -> Result<Response<v1::ListRejectsResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }
}
