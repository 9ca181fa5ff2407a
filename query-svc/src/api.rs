//! The contract's methods: each parses, asks, renders.

use tandem_domain::{CustomerId, Order, OrderId};
use tandem_processor::{Need, Reads, Stamp};
use tandem_proto::v1::{self, query_service_server::QueryService};
use tandem_service::{deadline::Deadline, status::Fault};
use tonic::{Request, Response, Status};

use crate::{
    list::{self, list},
    page::Last,
    parse::{Paging, Parsing, listing},
    render, status,
};

/// The query service's methods.
pub(crate) struct Api {
    reads: Reads,
    instance_id: String,
    address: String,
}

type Answer<T> = Result<Response<T>, Status>;

impl Api {
    pub(crate) fn new(reads: Reads, instance_id: String, address: String) -> Self {
        Self { reads, instance_id, address }
    }

    fn served(&self, stamp: &Stamp) -> Option<v1::Served> {
        Some(render::served(&self.instance_id, stamp))
    }

    async fn customer_orders(
        &self,
        (id, paging, need): (CustomerId, Paging, Need),
        deadline: Deadline,
    ) -> Result<v1::GetCustomerOrdersResponse, Fault> {
        let after = paging.after.as_ref().map(|last| OrderId::new(&*last.first));
        let after = after.transpose().map_err(|_| status::nothing_of(&id))?;
        let shard = self.reads.shard_of(id.as_bytes());
        let read = self.reads.read(shard, &need, deadline.at(), |view| {
            view.customer_orders(&id, after.as_ref(), paging.limit)
        });
        let ((customer, page), stamp) = read.await.map_err(status::unserved)?;
        if customer.is_none() && page.rows.is_empty() && after.is_none() {
            return Err(status::nothing_of(&id));
        }
        let last = page.rows.last().filter(|_| page.more);
        let last = last.map(|o| Last { first: o.order_id.as_str().into(), ..Last::default() });
        let blank = || v1::Customer { customer_id: id.as_str().into(), ..v1::Customer::default() };
        Ok(v1::GetCustomerOrdersResponse {
            registered: customer.is_some(),
            customer: Some(customer.map_or_else(blank, render::customer)),
            next_page_token: last.map(|l| paging.bound.token(l)).unwrap_or_default(),
            orders: page.rows.into_iter().map(render::order).collect(),
            served: self.served(&stamp),
        })
    }

    /// Finds an order by its id alone. Every shard has to answer, as any may have another order
    /// of that id.
    async fn find_order(
        &self,
        id: &OrderId,
        need: &Need,
        deadline: Deadline,
    ) -> Result<(Order, Stamp), Fault> {
        let mut found = None;
        for shard in self.reads.shards() {
            let read = self.reads.read(shard, need, deadline.at(), |view| {
                let who = view.who_ordered(id)?;
                match who.as_slice() {
                    [] => Ok(Ok(None)),
                    [one] => Ok(Ok(view.order(one, id)?)),
                    _ => Ok(Err(())),
                }
            });
            let (here, stamp) = read.await.map_err(status::unserved)?;
            match here.map_err(|()| status::ambiguous(id))? {
                Some(_) if found.is_some() => return Err(status::ambiguous(id)),
                Some(order) => found = Some((order, stamp)),
                None => {}
            }
        }
        found.ok_or_else(|| status::no_order(id))
    }

    async fn order(
        &self,
        (id, of, need): (OrderId, Option<CustomerId>, Need),
        deadline: Deadline,
    ) -> Result<(Order, Stamp), Fault> {
        let Some(of) = of else { return self.find_order(&id, &need, deadline).await };
        let shard = self.reads.shard_of(of.as_bytes());
        let read = self.reads.read(shard, &need, deadline.at(), |view| view.order(&of, &id));
        let (order, stamp) = read.await.map_err(status::unserved)?;
        Ok((order.ok_or_else(|| status::no_order(&id))?, stamp))
    }
}

#[tonic::async_trait]
impl QueryService for Api {
    async fn get_customer(
        &self,
        request: Request<v1::GetCustomerRequest>,
    ) -> Answer<v1::GetCustomerResponse> {
        let deadline = Deadline::of(&request);
        let request = request.into_inner();
        let mut parsing = Parsing::new(&self.reads);
        let need = parsing.freshness(request.freshness);
        let id = parsing.customer_id(&request.customer_id);
        let id = parsing.done(id)?;
        let shard = self.reads.shard_of(id.as_bytes());
        let read = self.reads.read(shard, &need, deadline.at(), |view| view.customer(&id));
        let (customer, stamp) = read.await.map_err(status::unserved)?;
        let customer = Some(render::customer(customer.ok_or_else(|| status::no_customer(&id))?));
        Ok(Response::new(v1::GetCustomerResponse { customer, served: self.served(&stamp) }))
    }

    async fn get_order(
        &self,
        request: Request<v1::GetOrderRequest>,
    ) -> Answer<v1::GetOrderResponse> {
        let deadline = Deadline::of(&request);
        let request = request.into_inner();
        let mut parsing = Parsing::new(&self.reads);
        let need = parsing.freshness(request.freshness);
        let of = Some(&*request.customer_id).filter(|id| !id.is_empty());
        let of = of.and_then(|id| parsing.customer_id(id));
        let id = parsing.order_id(&request.order_id);
        let id = parsing.done(id)?;
        let (order, stamp) = self.order((id, of, need), deadline).await?;
        let order = Some(render::order(order));
        Ok(Response::new(v1::GetOrderResponse { order, served: self.served(&stamp) }))
    }

    async fn get_customer_orders(
        &self,
        request: Request<v1::GetCustomerOrdersRequest>,
    ) -> Answer<v1::GetCustomerOrdersResponse> {
        let deadline = Deadline::of(&request);
        let mut request = request.into_inner();
        let mut parsing = Parsing::new(&self.reads);
        let need = parsing.freshness(request.freshness.take());
        let id = parsing.customer_id(&request.customer_id);
        let (size, token) = (request.page_size, std::mem::take(&mut request.page_token));
        request.page_size = 0;
        let paging = parsing.paging((size, &token), "GetCustomerOrders", &request);
        let asked = parsing.done(id.zip(paging))?;
        let answer = self.customer_orders((asked.0, asked.1, need), deadline).await?;
        Ok(Response::new(answer))
    }

    async fn list_customers(
        &self,
        request: Request<v1::ListCustomersRequest>,
    ) -> Answer<v1::ListCustomersResponse> {
        let deadline = Deadline::of(&request);
        let mut request = request.into_inner();
        let asked = listing!(&self.reads, "ListCustomers", request)?;
        let listed = list(&self.reads, &list::CUSTOMERS, asked, deadline).await?;
        Ok(Response::new(v1::ListCustomersResponse {
            served: self.served(&listed.stamp),
            customers: listed.rows,
            next_page_token: listed.next_page_token,
            unreachable_shards: listed.unreachable,
        }))
    }

    async fn list_orders(
        &self,
        request: Request<v1::ListOrdersRequest>,
    ) -> Answer<v1::ListOrdersResponse> {
        let deadline = Deadline::of(&request);
        let mut request = request.into_inner();
        let mut parsing = Parsing::new(&self.reads);
        let sort = parsing.sort(request.sort);
        let sort = parsing.done(sort)?;
        let asked = listing!(&self.reads, "ListOrders", request)?;
        let listed = list(&self.reads, &list::orders(sort), asked, deadline).await?;
        Ok(Response::new(v1::ListOrdersResponse {
            served: self.served(&listed.stamp),
            orders: listed.rows,
            next_page_token: listed.next_page_token,
            unreachable_shards: listed.unreachable,
        }))
    }

    async fn list_customer_orders(
        &self,
        request: Request<v1::ListCustomerOrdersRequest>,
    ) -> Answer<v1::ListCustomerOrdersResponse> {
        let deadline = Deadline::of(&request);
        let mut request = request.into_inner();
        let asked = listing!(&self.reads, "ListCustomerOrders", request)?;
        let listed = list(&self.reads, &list::JOINED, asked, deadline).await?;
        Ok(Response::new(v1::ListCustomerOrdersResponse {
            served: self.served(&listed.stamp),
            customer_orders: listed.rows,
            next_page_token: listed.next_page_token,
            unreachable_shards: listed.unreachable,
        }))
    }

    async fn list_greetings(
        &self,
        request: Request<v1::ListGreetingsRequest>,
    ) -> Answer<v1::ListGreetingsResponse> {
        let deadline = Deadline::of(&request);
        let mut request = request.into_inner();
        let asked = listing!(&self.reads, "ListGreetings", request)?;
        let listed = list(&self.reads, &list::GREETINGS, asked, deadline).await?;
        Ok(Response::new(v1::ListGreetingsResponse {
            served: self.served(&listed.stamp),
            greetings: listed.rows,
            next_page_token: listed.next_page_token,
            unreachable_shards: listed.unreachable,
        }))
    }

    async fn list_rejects(
        &self,
        request: Request<v1::ListRejectsRequest>,
    ) -> Answer<v1::ListRejectsResponse> {
        let deadline = Deadline::of(&request);
        let mut request = request.into_inner();
        let asked = listing!(&self.reads, "ListRejects", request)?;
        let listed = list(&self.reads, &list::REJECTS, asked, deadline).await?;
        Ok(Response::new(v1::ListRejectsResponse {
            served: self.served(&listed.stamp),
            rejects: listed.rows,
            next_page_token: listed.next_page_token,
            unreachable_shards: listed.unreachable,
        }))
    }

    async fn list_instances(
        &self,
        _: Request<v1::ListInstancesRequest>,
    ) -> Answer<v1::ListInstancesResponse> {
        let me = v1::Instance {
            instance_id: self.instance_id.clone(),
            address: self.address.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            shards: self.reads.status().into_iter().map(render::shard).collect(),
        };
        Ok(Response::new(v1::ListInstancesResponse { instances: vec![me] }))
    }
}
