//! The contract's methods: each parses, asks, renders.

use futures::{Stream, StreamExt as _, stream::BoxStream};
use std::{sync::Arc, time::Duration};
use tandem_domain::{CustomerId, OrderId};
use tandem_processor::{Need, Partition};
use tandem_proto::v1::{self, query_service_server::QueryService};
use tandem_service::{deadline::Deadline, status::Fault};
use tokio::{sync::Semaphore, time::sleep};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};

use crate::{
    ask::{Asked, Instances, Miss},
    gather::{Part, refusal},
    list::{self, list},
    page::Last,
    parse::{Paging, Parsing, listing},
    peers::{Client, Envelope, Trace},
    plain::LONG_ANSWERS,
    render, status,
    watch::{self, Watched},
};

/// How often the instances are told to those who follow them, when nothing changes.
const ROUTING_EVERY: Duration = Duration::from_secs(1);

/// How many watches there may be at a time: each holds a task and at most two documents.
const WATCHES: usize = 4096;

/// How long several changes at once wait for each other.
const TOGETHER: Duration = Duration::from_millis(20);

/// The query service's methods.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) instances: Arc<Instances>,
    stopping: CancellationToken,
    watches: Arc<Semaphore>,
    /// For answers of many pages over plain HTTP.
    pub(crate) long_answers: Arc<Semaphore>,
}

/// A question about a customer's orders, as it was asked and as it is meant.
pub(crate) struct AboutOrders {
    pub(crate) request: v1::GetCustomerOrdersRequest,
    pub(crate) id: CustomerId,
    /// The last order that was given out.
    pub(crate) after: Option<OrderId>,
    pub(crate) paging: Paging,
    pub(crate) need: Need,
    pub(crate) asked: Asked,
    pub(crate) shard: Partition,
}

impl AboutOrders {
    /// The token to go on with behind that order.
    pub(crate) fn behind(&self, order_id: &str) -> String {
        self.paging.bound.token(Last { first: order_id.into(), ..Last::default() })
    }
}

type Answer<T> = Result<Response<T>, Status>;

/// One method of a list: its rows, its name, and how a peer is asked for it.
macro_rules! listed {
    ($api:ident, $request:ident, $name:literal, $method:ident, $kind:expr) => {{
        let asked = $api.asked(&$request)?;
        let mut request = $request.into_inner();
        let whole = request.clone();
        let listing = listing!(&$api.instances.reads, $name, request)?;
        let remote = |mut client: Client, envelope: Envelope| {
            let request = envelope.with(whole.clone());
            async move { client.$method(request).await }
        };
        list(&$api.instances, $kind, listing, &asked, remote).await
    }};
}

impl Api {
    pub(crate) fn new(instances: Arc<Instances>, stopping: CancellationToken) -> Self {
        let watches = Arc::new(Semaphore::new(WATCHES));
        let long_answers = Arc::new(Semaphore::new(LONG_ANSWERS));
        Self { instances, stopping, watches, long_answers }
    }

    fn asked<T>(&self, request: &Request<T>) -> Result<Asked, Fault> {
        let caller = self.instances.peers.caller(request.metadata())?;
        let (deadline, trace) = (Deadline::of(request), Trace::of(request.metadata()));
        Ok(Asked { caller, deadline, trace })
    }

    fn parsing(&self) -> Parsing<'_> {
        Parsing::new(&self.instances.reads)
    }

    pub(crate) fn served(&self, stamp: &tandem_processor::Stamp) -> Option<v1::Served> {
        Some(render::served(&self.instances.me.instance_id, stamp))
    }

    async fn customer_here(
        &self,
        id: &CustomerId,
        need: &Need,
        deadline: Deadline,
    ) -> Result<v1::GetCustomerResponse, Miss> {
        let reads = &self.instances.reads;
        let read = reads
            .read(reads.shard_of(id.as_bytes()), need, deadline.at(), |view| view.customer(id));
        let (customer, stamp) = read.await?;
        let customer = Some(render::customer(customer.ok_or_else(|| status::no_customer(id))?));
        Ok(v1::GetCustomerResponse { customer, served: self.served(&stamp) })
    }

    /// Reads a question about a customer's orders.
    pub(crate) fn about_orders(
        &self,
        request: Request<v1::GetCustomerOrdersRequest>,
    ) -> Result<AboutOrders, Fault> {
        let asked = self.asked(&request)?;
        let request = request.into_inner();
        let mut parsing = self.parsing();
        let need = parsing.freshness(request.freshness.clone());
        let id = parsing.customer_id(&request.customer_id);
        let same = v1::GetCustomerOrdersRequest {
            customer_id: request.customer_id.clone(),
            ..v1::GetCustomerOrdersRequest::default()
        };
        let page = (request.page_size, &*request.page_token);
        let paging = parsing.paging(page, "GetCustomerOrders", &same);
        let (id, paging) = parsing.done(id.zip(paging))?;
        let after = paging.after.as_ref().map(|last| OrderId::new(&*last.first));
        let after = after.transpose().map_err(|_| status::nothing_of(&id))?;
        let shard = self.instances.reads.shard_of(id.as_bytes());
        Ok(AboutOrders { request, id, after, paging, need, asked, shard })
    }

    async fn customer_orders_here(
        &self,
        about: &AboutOrders,
        deadline: Deadline,
    ) -> Result<v1::GetCustomerOrdersResponse, Miss> {
        let AboutOrders { id, after, paging, .. } = about;
        let read = self.instances.reads.read(about.shard, &about.need, deadline.at(), |view| {
            view.customer_orders(id, after.as_ref(), paging.limit)
        });
        let ((customer, page), stamp) = read.await?;
        if customer.is_none() && page.rows.is_empty() && after.is_none() {
            return Err(status::nothing_of(id).into());
        }
        let last = page.rows.last().filter(|_| page.more);
        let next_page_token = last.map(|o| about.behind(o.order_id.as_str())).unwrap_or_default();
        let blank = || v1::Customer { customer_id: id.as_str().into(), ..v1::Customer::default() };
        Ok(v1::GetCustomerOrdersResponse {
            registered: customer.is_some(),
            customer: Some(customer.map_or_else(blank, render::customer)),
            next_page_token,
            orders: page.rows.into_iter().map(render::order).collect(),
            served: self.served(&stamp),
        })
    }

    async fn order_here(
        &self,
        id: &OrderId,
        of: &CustomerId,
        need: &Need,
        deadline: Deadline,
    ) -> Result<v1::GetOrderResponse, Miss> {
        let reads = &self.instances.reads;
        let read = reads
            .read(reads.shard_of(of.as_bytes()), need, deadline.at(), |view| view.order(of, id));
        let (order, stamp) = read.await?;
        let order = Some(render::order(order.ok_or_else(|| status::no_order(id))?));
        Ok(v1::GetOrderResponse { order, served: self.served(&stamp) })
    }

    /// Looks in these shards for an order by its id alone.
    async fn find_here(
        &self,
        id: &OrderId,
        need: &Need,
        shards: Vec<Partition>,
        deadline: Deadline,
    ) -> Result<Part<Option<v1::GetOrderResponse>>, Fault> {
        let mut part = Part { answer: None, missing: Vec::new() };
        for shard in shards {
            let read = self.instances.reads.read(shard, need, deadline.at(), |view| {
                match view.who_ordered(id)?.as_slice() {
                    [] => Ok(Ok(None)),
                    [one] => Ok(Ok(view.order(one, id)?)),
                    _ => Ok(Err(())),
                }
            });
            match read.await {
                Ok((found, stamp)) => match found.map_err(|()| status::ambiguous(id))? {
                    Some(_) if part.answer.is_some() => return Err(status::ambiguous(id)),
                    Some(order) => {
                        let order = Some(render::order(order));
                        part.answer =
                            Some(v1::GetOrderResponse { order, served: self.served(&stamp) });
                    }
                    None => {}
                },
                Err(why) => part.missing.push((shard, status::unserved(why).into())),
            }
        }
        Ok(part)
    }

    /// Finds an order by its id alone. Every shard has to answer, as any may have another order
    /// of that id.
    async fn find_order(
        &self,
        request: &v1::GetOrderRequest,
        id: &OrderId,
        need: &Need,
        asked: &Asked,
    ) -> Result<v1::GetOrderResponse, Status> {
        let local = |shards, deadline| self.find_here(id, need, shards, deadline);
        let remote = |mut client: Client, envelope: Envelope| {
            let request = envelope.with(request.clone());
            async move {
                let found = match client.get_order(request).await {
                    Ok(found) => Some(found.into_inner()),
                    Err(status) if status.code() == Code::NotFound => None,
                    Err(status) => return Err(status),
                };
                Ok(Response::new(Part { answer: found, missing: Vec::new() }))
            }
        };
        let gathered = self.instances.all(need, asked, local, remote).await?;
        let missing: Vec<_> = gathered.missing.iter().map(|(shard, _)| *shard).collect();
        if let Some(status) = refusal(gathered.missing, asked) {
            return Err(status);
        }
        if !missing.is_empty() {
            return Err(status::not_here(&missing).into());
        }
        let me = &self.instances.me.instance_id;
        let mut found = gathered.answers.into_iter().flatten();
        match (found.next(), found.next()) {
            (Some(mut one), None) => {
                if let Some(served) = &mut one.served {
                    served.forwarded = served.instance_id != *me;
                }
                Ok(one)
            }
            (None, _) => Err(status::no_order(id).into()),
            (Some(_), Some(_)) => Err(status::ambiguous(id).into()),
        }
    }

    pub(crate) fn all_instances(&self) -> v1::ListInstancesResponse {
        let Instances { reads, cluster, me, .. } = &*self.instances;
        let this = v1::Instance {
            instance_id: me.instance_id.clone(),
            address: me.address.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            shards: reads.status().into_iter().map(render::shard).collect(),
            replica_set: me.replica_set.clone(),
            zone: me.zone.clone(),
            heard: Some(prost_types::Duration::default()),
        };
        let others = cluster.peers();
        let others = others.iter().map(|peer| render::peer(peer));
        v1::ListInstancesResponse {
            instances: std::iter::once(this).chain(others).collect(),
            ignored: render::ignored(cluster.ignored()),
            shard_count: u32::try_from(reads.shards().count()).unwrap_or(u32::MAX),
        }
    }

    /// What [`Self::all_instances`] says now, and after each change.
    fn routing(&self) -> impl Stream<Item = Result<v1::WatchRoutingResponse, Status>> + use<> {
        let api = self.clone();
        let news = self.instances.reads.news();
        futures::stream::unfold((api, news, None), |(api, mut news, told)| async move {
            let cluster = &api.instances.cluster;
            if let Some(told) = told {
                let moved = async {
                    loop {
                        let changed = cluster.changed();
                        if cluster.structure() != told {
                            break;
                        }
                        changed.await;
                    }
                };
                tokio::select! {
                    () = api.stopping.cancelled() => return None,
                    () = sleep(ROUTING_EVERY) => {}
                    _ = news.changed() => sleep(TOGETHER).await,
                    () = moved => sleep(TOGETHER).await,
                }
            }
            // Before the look, so that what changes during it is told next.
            news.mark_unchanged();
            let told = Some(cluster.structure());
            let v1::ListInstancesResponse { instances, ignored, shard_count } = api.all_instances();
            let routing = v1::WatchRoutingResponse { instances, ignored, shard_count };
            Some((Ok(routing), (api, news, told)))
        })
    }
}

#[tonic::async_trait]
impl QueryService for Api {
    type WatchCustomerOrdersStream =
        BoxStream<'static, Result<v1::WatchCustomerOrdersResponse, Status>>;
    type WatchRoutingStream = BoxStream<'static, Result<v1::WatchRoutingResponse, Status>>;

    async fn get_customer(
        &self,
        request: Request<v1::GetCustomerRequest>,
    ) -> Answer<v1::GetCustomerResponse> {
        let asked = self.asked(&request)?;
        let request = request.into_inner();
        let mut parsing = self.parsing();
        let need = parsing.freshness(request.freshness.clone());
        let id = parsing.customer_id(&request.customer_id);
        let id = parsing.done(id)?;
        let shard = self.instances.reads.shard_of(id.as_bytes());
        let local = |deadline| self.customer_here(&id, &need, deadline);
        let remote = |mut client: Client, envelope: Envelope| {
            let request = envelope.with(request.clone());
            async move { client.get_customer(request).await }
        };
        self.instances.one(shard, &need, &asked, local, remote).await.map(Response::new)
    }

    async fn get_order(
        &self,
        request: Request<v1::GetOrderRequest>,
    ) -> Answer<v1::GetOrderResponse> {
        let asked = self.asked(&request)?;
        let request = request.into_inner();
        let mut parsing = self.parsing();
        let need = parsing.freshness(request.freshness.clone());
        let of = Some(&*request.customer_id).filter(|id| !id.is_empty());
        let of = of.and_then(|id| parsing.customer_id(id));
        let id = parsing.order_id(&request.order_id);
        let id = parsing.done(id)?;
        let Some(of) = of else {
            return self.find_order(&request, &id, &need, &asked).await.map(Response::new);
        };
        let shard = self.instances.reads.shard_of(of.as_bytes());
        let local = |deadline| self.order_here(&id, &of, &need, deadline);
        let remote = |mut client: Client, envelope: Envelope| {
            let request = envelope.with(request.clone());
            async move { client.get_order(request).await }
        };
        self.instances.one(shard, &need, &asked, local, remote).await.map(Response::new)
    }

    async fn get_customer_orders(
        &self,
        request: Request<v1::GetCustomerOrdersRequest>,
    ) -> Answer<v1::GetCustomerOrdersResponse> {
        let about = self.about_orders(request)?;
        let local = |deadline| self.customer_orders_here(&about, deadline);
        let remote = |mut client: Client, envelope: Envelope| {
            let request = envelope.with(about.request.clone());
            async move { client.get_customer_orders(request).await }
        };
        self.instances
            .one(about.shard, &about.need, &about.asked, local, remote)
            .await
            .map(Response::new)
    }

    async fn list_customers(
        &self,
        request: Request<v1::ListCustomersRequest>,
    ) -> Answer<v1::ListCustomersResponse> {
        listed!(self, request, "ListCustomers", list_customers, &list::CUSTOMERS)
    }

    async fn list_orders(
        &self,
        request: Request<v1::ListOrdersRequest>,
    ) -> Answer<v1::ListOrdersResponse> {
        let mut parsing = self.parsing();
        let sort = parsing.sort(request.get_ref().sort);
        let sort = parsing.done(sort)?;
        listed!(self, request, "ListOrders", list_orders, &list::orders(sort))
    }

    async fn list_customer_orders(
        &self,
        request: Request<v1::ListCustomerOrdersRequest>,
    ) -> Answer<v1::ListCustomerOrdersResponse> {
        listed!(self, request, "ListCustomerOrders", list_customer_orders, &list::JOINED)
    }

    async fn list_greetings(
        &self,
        request: Request<v1::ListGreetingsRequest>,
    ) -> Answer<v1::ListGreetingsResponse> {
        listed!(self, request, "ListGreetings", list_greetings, &list::GREETINGS)
    }

    async fn list_rejects(
        &self,
        request: Request<v1::ListRejectsRequest>,
    ) -> Answer<v1::ListRejectsResponse> {
        listed!(self, request, "ListRejects", list_rejects, &list::REJECTS)
    }

    async fn watch_customer_orders(
        &self,
        request: Request<v1::WatchCustomerOrdersRequest>,
    ) -> Answer<Self::WatchCustomerOrdersStream> {
        let Asked { caller, trace, .. } = self.asked(&request)?;
        let request = request.into_inner();
        let mut parsing = self.parsing();
        let need = parsing.freshness(request.freshness);
        let id = parsing.customer_id(&request.customer_id);
        let seen = id.as_ref().and_then(|id| parsing.seen(&request.resume_token, id));
        let (id, (seen, positions)) = parsing.done(id.zip(seen))?;
        let shard = self.instances.reads.shard_of(id.as_bytes());
        let watched = Watched { id, shard, caller, trace, need, seen, positions };
        let permit = self.watches.clone().try_acquire_owned();
        let permit = permit.map_err(|_| status::too_many_watches())?;
        let stream = watch::watch(self.instances.clone(), watched, self.stopping.clone(), permit);
        Ok(Response::new(stream.boxed()))
    }

    async fn list_instances(
        &self,
        request: Request<v1::ListInstancesRequest>,
    ) -> Answer<v1::ListInstancesResponse> {
        self.instances.peers.caller(request.metadata())?;
        Ok(Response::new(self.all_instances()))
    }

    async fn watch_routing(
        &self,
        request: Request<v1::WatchRoutingRequest>,
    ) -> Answer<Self::WatchRoutingStream> {
        self.instances.peers.caller(request.metadata())?;
        Ok(Response::new(self.routing().boxed()))
    }
}
