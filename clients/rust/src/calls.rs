//! The contract's calls as a table: which request belongs to which method and response, and where
//! its freshness, receipt, rows and tokens are.

use tandem_proto::v1;
use tonic::Streaming;

/// The contract has all the calls that there are.
mod sealed {
    pub trait Sealed {}
}

/// A request of the contract.
pub trait Call: sealed::Sealed + prost::Message + Clone + Default + 'static {
    /// What it is answered with; for a watch, a message of its stream.
    type Response: prost::Message + Default + 'static;
    /// The method's name.
    const NAME: &'static str;
    #[doc(hidden)]
    const PATH: &'static str;
    #[doc(hidden)]
    const COMMAND: bool;
}

/// A request that changes something.
pub(crate) trait Command: Call {
    fn request_id(&mut self) -> &mut String;
    fn receipt(response: &Self::Response) -> &str;
}

/// A request that reads. Those that say nothing of the view have no freshness.
pub trait Query: Call {
    #[doc(hidden)]
    fn freshness(&mut self) -> Option<&mut Option<v1::Freshness>>;
    /// Whose rows it reads, if they are all of one customer.
    #[doc(hidden)]
    fn customer(&self) -> Option<&str>;
}

/// A request whose answer comes in pages.
pub trait List: Query {
    /// What is listed.
    type Row: Send + 'static;
    #[doc(hidden)]
    fn page_token(&mut self) -> &mut String;
    #[doc(hidden)]
    fn next_page_token(response: &Self::Response) -> &str;
    #[doc(hidden)]
    fn into_rows(response: Self::Response) -> Vec<Self::Row>;
}

/// A request whose answer is a stream that goes on.
pub trait Follow: Query {
    /// Makes the request one for what comes after `seen`.
    #[doc(hidden)]
    fn resume(&mut self, seen: &Self::Response);
}

/// What a try gives: a response, or a stream of them.
pub(crate) type Stream<C> = Streaming<<C as Call>::Response>;

macro_rules! calls {
    ($service:literal, $command:literal: $($name:literal $request:ident => $response:ident)*) => {$(
        impl sealed::Sealed for v1::$request {}

        impl Call for v1::$request {
            type Response = v1::$response;
            const NAME: &'static str = $name;
            const PATH: &'static str = concat!("/tandem.v1.", $service, "/", $name);
            const COMMAND: bool = $command;
        }
    )*};
}

calls! { "CommandService", true:
    "CreateCustomer" CreateCustomerRequest => CreateCustomerResponse
    "UpdateCustomer" UpdateCustomerRequest => UpdateCustomerResponse
    "RemoveCustomer" RemoveCustomerRequest => RemoveCustomerResponse
    "PlaceOrder" PlaceOrderRequest => PlaceOrderResponse
    "UpdateOrder" UpdateOrderRequest => UpdateOrderResponse
    "CancelOrder" CancelOrderRequest => CancelOrderResponse
    "SendGreeting" SendGreetingRequest => SendGreetingResponse
}

calls! { "QueryService", false:
    "GetCustomer" GetCustomerRequest => GetCustomerResponse
    "GetOrder" GetOrderRequest => GetOrderResponse
    "GetCustomerOrders" GetCustomerOrdersRequest => GetCustomerOrdersResponse
    "ListCustomers" ListCustomersRequest => ListCustomersResponse
    "ListOrders" ListOrdersRequest => ListOrdersResponse
    "ListCustomerOrders" ListCustomerOrdersRequest => ListCustomerOrdersResponse
    "ListGreetings" ListGreetingsRequest => ListGreetingsResponse
    "WatchCustomerOrders" WatchCustomerOrdersRequest => WatchCustomerOrdersResponse
    "ListInstances" ListInstancesRequest => ListInstancesResponse
    "WatchRouting" WatchRoutingRequest => WatchRoutingResponse
    "ListRejects" ListRejectsRequest => ListRejectsResponse
}

macro_rules! commands {
    ($($request:ident)*) => {$(
        impl Command for v1::$request {
            fn request_id(&mut self) -> &mut String {
                &mut self.request_id
            }

            fn receipt(response: &Self::Response) -> &str {
                &response.receipt
            }
        }
    )*};
}

commands! {
    CreateCustomerRequest UpdateCustomerRequest RemoveCustomerRequest PlaceOrderRequest
    UpdateOrderRequest CancelOrderRequest SendGreetingRequest
}

macro_rules! queries {
    ($($request:ident $(($customer:ident))?)*) => {$(
        impl Query for v1::$request {
            fn freshness(&mut self) -> Option<&mut Option<v1::Freshness>> {
                Some(&mut self.freshness)
            }

            fn customer(&self) -> Option<&str> {
                $(return Some(&self.$customer).filter(|id| !id.is_empty()).map(String::as_str);)?
                #[allow(unreachable_code)]
                None
            }
        }
    )*};
}

queries! {
    GetCustomerRequest(customer_id)
    GetOrderRequest(customer_id)
    GetCustomerOrdersRequest(customer_id)
    WatchCustomerOrdersRequest(customer_id)
    ListCustomersRequest ListOrdersRequest ListCustomerOrdersRequest ListGreetingsRequest
    ListRejectsRequest
}

macro_rules! of_instances {
    ($($request:ident)*) => {$(
        impl Query for v1::$request {
            fn freshness(&mut self) -> Option<&mut Option<v1::Freshness>> {
                None
            }

            fn customer(&self) -> Option<&str> {
                None
            }
        }
    )*};
}

of_instances! { ListInstancesRequest WatchRoutingRequest }

macro_rules! lists {
    ($($request:ident => $rows:ident: $row:ident)*) => {$(
        impl List for v1::$request {
            type Row = v1::$row;

            fn page_token(&mut self) -> &mut String {
                &mut self.page_token
            }

            fn next_page_token(response: &Self::Response) -> &str {
                &response.next_page_token
            }

            fn into_rows(response: Self::Response) -> Vec<Self::Row> {
                response.$rows
            }
        }
    )*};
}

lists! {
    GetCustomerOrdersRequest => orders: Order
    ListCustomersRequest => customers: Customer
    ListOrdersRequest => orders: Order
    ListCustomerOrdersRequest => customer_orders: CustomerOrder
    ListGreetingsRequest => greetings: Greeting
    ListRejectsRequest => rejects: Reject
}

impl Follow for v1::WatchCustomerOrdersRequest {
    fn resume(&mut self, seen: &Self::Response) {
        self.resume_token.clone_from(&seen.resume_token);
    }
}

impl Follow for v1::WatchRoutingRequest {
    /// Each message is the whole; whoever asks anew gets the next one at once.
    fn resume(&mut self, _: &Self::Response) {}
}
