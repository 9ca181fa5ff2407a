//! A thread of work: what was written in it is in what is read in it next, on any instance.

use crate::calls::{Call, Command, Follow, List, Query};
use crate::client::{Client, in_millis};
use crate::error::Error;
use crate::lists::{self, Pages, Rows};
use crate::receipts::{MOST_UNREAD, Receipts};
use crate::timeout::taken_timeout;
use crate::watch::Watch;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tandem_proto::v1;
use tokio::time::Instant;
use tonic::{IntoRequest, Request, Status};
use uuid::Uuid;

/// Keeps the receipts of what was written in it, merged into one, and shows them with each read. It
/// is meant for one user's thread of work; two users in one only wait for each other's writes. Cheap
/// to make and to clone; clones are the same session and may be used from several threads at once.
///
/// It has a method for each call of the contract. Each takes the contract's message, or one in a
/// [`Request`], whose [`set_timeout`](Request::set_timeout) is then the deadline of the call with all
/// its tries and whose metadata goes along. A command without `request_id` gets one, the same for all
/// its tries. Dropping a call's future cancels it; whether a command took effect isn't known then.
///
/// Each fails with an [`Error`] if the call can't be answered: by its
/// [`kind`](Error::kind), the caller changes the request, tries again, or asks the operator.
#[derive(Debug, Clone)]
pub struct Session {
    client: Client,
    receipts: Arc<Mutex<Receipts>>,
}

impl Session {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, receipts: Arc::default() }
    }

    /// Puts receipts of elsewhere into this session: of another one's [`Self::receipts`], of commands
    /// of a plain stub, or the `position` of an answer.
    pub fn keep<R: AsRef<str>>(&self, receipts: impl IntoIterator<Item = R>) {
        let mut kept = self.kept();
        receipts.into_iter().for_each(|receipt| kept.keep(receipt.as_ref()));
    }

    /// Takes out what another session has to show to read what was written in this one: one receipt
    /// for all that can be merged.
    #[must_use]
    pub fn receipts(&self) -> Vec<String> {
        self.kept().all().to_vec()
    }

    /// The pages of a list, each asked for when it is taken.
    pub fn pages<L: List>(&self, request: impl IntoRequest<L>) -> Pages<L::Response> {
        lists::pages(self.clone(), request.into_request())
    }

    /// The rows of a list; the next page is asked for when the one before is used up. Those of
    /// [`v1::GetCustomerOrdersRequest`] are the customer's orders.
    pub fn rows<L: List>(&self, request: impl IntoRequest<L>) -> Rows<L::Row> {
        lists::rows(self.clone(), request.into_request())
    }

    /// A customer and its orders: the document as it is now, then as it is after each change. It goes
    /// on by its `resume_token` when it is interrupted, and ends with an error after eight
    /// interruptions in a row, or at once when it can't get better by itself. Drop it to end it.
    pub fn watch_customer_orders(
        &self,
        request: impl IntoRequest<v1::WatchCustomerOrdersRequest>,
    ) -> Watch<v1::WatchCustomerOrdersResponse> {
        self.watch(request.into_request())
    }

    /// The instances and what each of them serves, at once and after each change; it goes on in the
    /// same way.
    pub fn watch_routing(
        &self,
        request: impl IntoRequest<v1::WatchRoutingRequest>,
    ) -> Watch<v1::WatchRoutingResponse> {
        self.watch(request.into_request())
    }

    fn watch<F: Follow>(&self, request: Request<F>) -> Watch<F::Response> {
        Watch::new(Arc::clone(&self.client.core), Some(self.clone()), request)
    }

    async fn command<C: Command>(&self, mut request: Request<C>) -> Result<C::Response, Error> {
        let request_id = request.get_mut().request_id();
        if request_id.is_empty() {
            *request_id = Uuid::new_v4().to_string();
        }
        if self.kept().is_full() {
            Box::pin(self.settle(&mut request, MOST_UNREAD)).await?;
        }
        let response = self.client.core.call(request, None).await?;
        self.kept().keep(C::receipt(&response));
        Ok(response)
    }

    pub(crate) async fn query<Q: Query>(
        &self,
        mut request: Request<Q>,
    ) -> Result<<Q as Call>::Response, Error> {
        self.show(&mut request).await?;
        let holder = self.client.core.holder(request.get_ref());
        self.client.core.call(request, holder).await
    }

    /// Adds what there is to show to what a request brings along.
    pub(crate) async fn show<Q: Query>(&self, request: &mut Request<Q>) -> Result<(), Error> {
        while let Some(freshness) = request.get_mut().freshness() {
            let Err(room) = self.kept().show(freshness) else { break };
            Box::pin(self.settle(request, room)).await?;
        }
        Ok(())
    }

    /// Puts positions in the place of receipts that can't be merged until there is `room` for the
    /// rest, which takes of the request's time.
    async fn settle<C: Call>(&self, request: &mut Request<C>, room: usize) -> Result<(), Error> {
        let (core, began) = (&self.client.core, Instant::now());
        let limit = taken_timeout(request.metadata_mut()).unwrap_or(core.timeout);
        let left = || in_millis(limit.saturating_sub(began.elapsed()));
        loop {
            let Some(receipts) = self.kept().surplus(room) else { break };
            let freshness = Some(v1::Freshness { receipts: receipts.clone(), max_staleness: None });
            let page = v1::ListCustomersRequest { page_size: 1, freshness, ..Default::default() };
            let mut page = Request::new(page);
            page.set_timeout(left());
            let page = core.call(page, None).await.map_err(|error| error.unsent(C::NAME))?;
            let position = page.served.unwrap_or_default().position;
            if position.is_empty() {
                let what = "ListCustomers: the answer doesn't say its position";
                return Err(Error::from(Status::internal(what)).unsent(C::NAME));
            }
            self.kept().settled(&receipts, &position);
        }
        request.set_timeout(left());
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Receipts> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

macro_rules! methods {
    ($($how:ident { $($(#[$doc:meta])* $name:ident($request:ident) -> $response:ident;)* })*) => {
        /// The contract's calls with one response each.
        impl Session {$($(
            $(#[$doc])*
            pub async fn $name(
                &self,
                request: impl IntoRequest<v1::$request>,
            ) -> Result<v1::$response, Error> {
                self.$how(request.into_request()).await
            }
        )*)*}
    };
}

methods! {
    command {
        /// Registers a customer, or replaces the one of that id.
        create_customer(CreateCustomerRequest) -> CreateCustomerResponse;
        /// States a customer anew: every field is replaced.
        update_customer(UpdateCustomerRequest) -> UpdateCustomerResponse;
        /// Removes a customer; its orders stay.
        remove_customer(RemoveCustomerRequest) -> RemoveCustomerResponse;
        /// Places an order.
        place_order(PlaceOrderRequest) -> PlaceOrderResponse;
        /// States an order anew: every field is replaced, save the time of purchase.
        update_order(UpdateOrderRequest) -> UpdateOrderResponse;
        /// Cancels an order.
        cancel_order(CancelOrderRequest) -> CancelOrderResponse;
        /// Sends a greeting.
        send_greeting(SendGreetingRequest) -> SendGreetingResponse;
    }
    query {
        /// One customer by id.
        get_customer(GetCustomerRequest) -> GetCustomerResponse;
        /// One order by id.
        get_order(GetOrderRequest) -> GetOrderResponse;
        /// A customer and a page of its orders; [`Self::rows`] and [`Self::pages`] have all of them.
        get_customer_orders(GetCustomerOrdersRequest) -> GetCustomerOrdersResponse;
        /// A page of the customers.
        list_customers(ListCustomersRequest) -> ListCustomersResponse;
        /// A page of the orders.
        list_orders(ListOrdersRequest) -> ListOrdersResponse;
        /// A page of the orders joined with their customers.
        list_customer_orders(ListCustomerOrdersRequest) -> ListCustomerOrdersResponse;
        /// A page of the greetings.
        list_greetings(ListGreetingsRequest) -> ListGreetingsResponse;
        /// The instances and what each of them serves.
        list_instances(ListInstancesRequest) -> ListInstancesResponse;
        /// A page of the records that could not be folded.
        list_rejects(ListRejectsRequest) -> ListRejectsResponse;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use axum::Router;
    use futures::{StreamExt as _, TryStreamExt as _};
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicU64, Ordering};
    use tandem_proto::receipt::{self, Proof};
    use tonic::Status;

    fn receipt(partition: u32, position: u64) -> String {
        let proof = Proof { topic: "order".into(), topic_tag: 7, partition, position };
        receipt::encode(&[proof])
    }

    /// A service that writes orders to 4 partitions, each answered with its receipt.
    fn writing() -> (Client, Arc<AtomicU64>) {
        let written = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&written);
        let place = move |_: Request<v1::PlaceOrderRequest>| {
            let nth = counted.fetch_add(1, Ordering::Relaxed);
            let receipt = receipt((nth % 4) as u32, nth);
            async { Ok(v1::PlaceOrderResponse { order: None, receipt }) }
        };
        let get = async |request: Request<v1::GetCustomerRequest>| {
            let shown = request.into_inner().freshness.unwrap_or_default().receipts;
            let customer = Some(v1::Customer { phone: shown.join(" "), ..Default::default() });
            Ok(v1::GetCustomerResponse { customer, served: None })
        };
        let router = testing::answering(Router::new(), place);
        (testing::client(testing::answering(router, get)), written)
    }

    async fn shown(session: &Session) -> String {
        let answer = session.get_customer(v1::GetCustomerRequest::default()).await.unwrap();
        answer.customer.unwrap().phone
    }

    #[tokio::test]
    async fn what_was_written_from_many_tasks_is_shown_in_one_receipt() {
        let (client, written) = writing();
        let session = client.session();
        assert_eq!((shown(&session).await, session.receipts()), (String::new(), vec![]));
        let writers = (0..40).map(|_| {
            let session = session.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    session.place_order(v1::PlaceOrderRequest::default()).await.unwrap();
                    shown(&session).await;
                }
            })
        });
        futures::future::join_all(writers).await.into_iter().for_each(|done| done.unwrap());
        assert_eq!(written.load(Ordering::Relaxed), 2_000);
        let proofs = receipt::decode(&shown(&session).await).unwrap();
        let positions: Vec<_> = proofs.iter().map(|proof| proof.position).collect();
        assert_eq!(positions, [1_996, 1_997, 1_998, 1_999]);
    }

    #[tokio::test]
    async fn receipts_go_from_session_to_session_and_no_further() {
        let (client, _) = writing();
        let (one, other) = (client.session(), client.session());
        one.place_order(v1::PlaceOrderRequest::default()).await.unwrap();
        assert_eq!(shown(&other).await, "");
        other.keep(one.receipts());
        assert_eq!((shown(&other).await, other.receipts()), (receipt(0, 0), one.receipts()));
    }

    type Asked = Arc<Mutex<Vec<Vec<String>>>>;

    /// A service whose receipts are of a newer kind, and which receipts it was asked to reflect.
    fn newer(settles: bool) -> (Client, Asked, Arc<AtomicU64>) {
        let (asked, written) = (Asked::default(), Arc::new(AtomicU64::new(0)));
        let (noted, counted) = (Arc::clone(&asked), Arc::clone(&written));
        let place = move |_: Request<v1::PlaceOrderRequest>| {
            let receipt = format!("newer {}", counted.fetch_add(1, Ordering::Relaxed));
            async { Ok(v1::PlaceOrderResponse { order: None, receipt }) }
        };
        let list = move |request: Request<v1::ListCustomersRequest>| {
            let mut noted = noted.lock().unwrap();
            noted.push(request.into_inner().freshness.unwrap_or_default().receipts);
            let position = format!("newer position {}", noted.len());
            let served = Some(v1::Served { position, ..Default::default() });
            let page = v1::ListCustomersResponse { served, ..Default::default() };
            let answer = if settles { Ok(page) } else { Err(Status::internal("broken")) };
            async { answer }
        };
        let get = async |request: Request<v1::GetCustomerRequest>| {
            let shown = request.into_inner().freshness.unwrap_or_default().receipts;
            let customer = Some(v1::Customer { phone: shown.join("|"), ..Default::default() });
            Ok(v1::GetCustomerResponse { customer, served: None })
        };
        let router = testing::answering(Router::new(), place);
        let router = testing::answering(testing::answering(router, list), get);
        (testing::client(router), asked, written)
    }

    #[tokio::test]
    async fn receipts_of_a_newer_service_are_settled_and_none_is_lost() {
        let (client, asked, _) = newer(true);
        let session = client.session();
        for _ in 0..40 {
            session.place_order(v1::PlaceOrderRequest::default()).await.unwrap();
        }
        let rest: Vec<_> = (32..40).map(|n| format!("newer {n}")).collect();
        assert_eq!(shown(&session).await, format!("{}|newer position 1", rest.join("|")));
        let oldest: Vec<_> = (0..32).map(|n| format!("newer {n}")).collect();
        assert_eq!(*asked.lock().unwrap(), [oldest]);
    }

    #[tokio::test]
    async fn what_cannot_be_settled_is_told_and_nothing_is_sent() {
        let (client, asked, written) = newer(false);
        let session = client.session();
        session.keep((0..1_024).map(|n| format!("newer {n}")));
        let place = session.place_order(v1::PlaceOrderRequest::default()).await.unwrap_err();
        let get = session.get_customer(v1::GetCustomerRequest::default()).await.unwrap_err();
        for (error, call) in [(place, "PlaceOrder"), (get, "GetCustomer")] {
            let start = format!("{call} was not sent: the session's receipts could not be settled");
            assert!(error.code() == tonic::Code::Internal && error.message().starts_with(&start));
        }
        assert_eq!((asked.lock().unwrap().len(), written.load(Ordering::Relaxed)), (2, 0));
        assert_eq!(session.receipts().len(), 1_024);
    }

    #[tokio::test(start_paused = true)]
    async fn all_tries_of_a_command_have_one_request_id_and_the_callers_metadata() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let place = move |request: Request<v1::PlaceOrderRequest>| {
            let trace = request.metadata().get("trace").unwrap().to_str().unwrap().to_owned();
            let timeout = request.metadata().contains_key("grpc-timeout");
            let mut noted = noted.lock().unwrap();
            noted.push((request.into_inner(), trace, timeout));
            let answer = match noted.len() {
                1 | 2 => Err(Status::unavailable("broke")),
                _ => Ok(v1::PlaceOrderResponse::default()),
            };
            async { answer }
        };
        let session = testing::client(testing::answering(Router::new(), place)).session();
        let order = v1::PlaceOrderRequest { order_id: "tea".into(), ..Default::default() };
        let mut request = Request::new(order.clone());
        request.metadata_mut().insert("trace", "7".parse().unwrap());
        session.place_order(request).await.unwrap();
        let seen = seen.lock().unwrap();
        let ids: BTreeSet<_> = seen.iter().map(|(order, ..)| order.request_id.clone()).collect();
        assert_eq!((seen.len(), ids.len()), (3, 1));
        assert!(Uuid::parse_str(ids.first().unwrap()).is_ok());
        for (sent, trace, timeout) in seen.iter() {
            let sent = v1::PlaceOrderRequest { request_id: String::new(), ..sent.clone() };
            assert_eq!((&sent, &**trace, timeout), (&order, "7", &true));
        }
    }

    #[tokio::test]
    async fn pages_are_asked_for_as_they_are_needed() {
        let asked = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&asked);
        let list = move |request: Request<v1::ListOrdersRequest>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let from: u64 = request.into_inner().page_token.parse().unwrap_or(0);
            let order = |n: u64| v1::Order { order_id: n.to_string(), ..Default::default() };
            let next_page_token = if from < 6 { (from + 3).to_string() } else { String::new() };
            let orders = (from..from + 3).map(order).collect();
            async { Ok(v1::ListOrdersResponse { orders, next_page_token, ..Default::default() }) }
        };
        let session = testing::client(testing::answering(Router::new(), list)).session();
        let rows = || session.rows(v1::ListOrdersRequest::default());
        assert_eq!(rows().take(3).count().await, 3);
        assert_eq!(asked.swap(0, Ordering::Relaxed), 1);
        let all: Vec<_> = rows().map_ok(|order| order.order_id).try_collect().await.unwrap();
        assert_eq!(all.join(""), "012345678");
        assert_eq!(asked.swap(0, Ordering::Relaxed), 3);
        assert_eq!(session.pages(v1::ListOrdersRequest::default()).count().await, 3);
    }
}
