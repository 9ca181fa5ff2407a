//! Requests in few words, and answers that have to come.

use std::collections::BTreeMap;
use tandem_proto::receipt;
use tandem_proto::v1::{
    CancelOrderRequest, CreateCustomerRequest, CreateCustomerResponse, Freshness,
    GetCustomerOrdersRequest, GetCustomerOrdersResponse, GetCustomerRequest, GetOrderRequest,
    Instance, ListInstancesRequest, PlaceOrderRequest, PlaceOrderResponse, RemoveCustomerRequest,
    SendGreetingRequest, Shard,
};
use tonic::Status;

use crate::services::Services;

pub fn customer(id: &str, first_name: &str) -> CreateCustomerRequest {
    CreateCustomerRequest {
        customer_id: id.into(),
        first_name: first_name.into(),
        last_name: "Lovelace".into(),
        email: "ada@example.org".into(),
        phone: "1815".into(),
        request_id: String::new(),
    }
}

pub fn order(customer_id: &str, order_id: &str, item: &str) -> PlaceOrderRequest {
    PlaceOrderRequest {
        order_id: order_id.into(),
        customer_id: customer_id.into(),
        order_item_name: item.into(),
        order_place: "London".into(),
        request_id: String::new(),
    }
}

/// The answer reflects what this receipt, or an answer's position, proves.
pub fn as_of(receipt: &str) -> Option<Freshness> {
    Some(Freshness { receipts: vec![receipt.into()], max_staleness: None })
}

/// The answer reflects what all of these prove. A request may show fewer receipts than a run of
/// writes gives, so one is made of the last of each partition.
pub fn as_of_all(receipts: &[String]) -> Option<Freshness> {
    let mut last: BTreeMap<_, receipt::Proof> = BTreeMap::new();
    for proof in receipts.iter().flat_map(|receipt| receipt::decode(receipt).unwrap()) {
        let newest = last.entry((proof.topic.clone(), proof.partition)).or_insert(proof.clone());
        newest.position = newest.position.max(proof.position);
    }
    as_of(&receipt::encode(&last.into_values().collect::<Vec<_>>()))
}

pub fn customer_as_of(id: &str, receipt: &str) -> GetCustomerRequest {
    GetCustomerRequest { customer_id: id.into(), freshness: as_of(receipt) }
}

pub fn order_as_of(customer: &str, order: &str, receipt: &str) -> GetOrderRequest {
    GetOrderRequest {
        order_id: order.into(),
        customer_id: customer.into(),
        freshness: as_of(receipt),
    }
}

pub fn orders_as_of(customer: &str, receipt: &str) -> GetCustomerOrdersRequest {
    GetCustomerOrdersRequest {
        customer_id: customer.into(),
        freshness: as_of(receipt),
        ..GetCustomerOrdersRequest::default()
    }
}

/// A UUID that no other test uses.
pub fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

impl Services {
    pub async fn create(&self, request: CreateCustomerRequest) -> CreateCustomerResponse {
        self.commands().create_customer(request).await.unwrap().into_inner()
    }

    pub async fn place(&self, request: PlaceOrderRequest) -> PlaceOrderResponse {
        self.commands().place_order(request).await.unwrap().into_inner()
    }

    /// Gives the receipt.
    pub async fn cancel(&self, customer_id: &str, order_id: &str) -> String {
        let (order_id, customer_id) = (order_id.into(), customer_id.into());
        let asked = CancelOrderRequest { order_id, customer_id, request_id: String::new() };
        self.commands().cancel_order(asked).await.unwrap().into_inner().receipt
    }

    /// Gives the receipt.
    pub async fn remove(&self, customer_id: &str) -> String {
        let asked = RemoveCustomerRequest {
            customer_id: customer_id.into(),
            ..RemoveCustomerRequest::default()
        };
        self.commands().remove_customer(asked).await.unwrap().into_inner().receipt
    }

    /// Gives the receipt.
    pub async fn greet(&self, id: &str, message: &str) -> String {
        let (greeting_id, message) = (id.into(), message.into());
        let asked = SendGreetingRequest { greeting_id, message, request_id: String::new() };
        self.commands().send_greeting(asked).await.unwrap().into_inner().receipt
    }

    pub async fn orders_of(&self, id: &str, receipt: &str) -> GetCustomerOrdersResponse {
        self.queries().get_customer_orders(orders_as_of(id, receipt)).await.unwrap().into_inner()
    }

    /// As of whenever the instance that answers is.
    pub async fn orders_now(&self, id: &str) -> GetCustomerOrdersResponse {
        let asked = GetCustomerOrdersRequest { customer_id: id.into(), ..Default::default() };
        self.queries().get_customer_orders(asked).await.unwrap().into_inner()
    }

    /// The shards of the instance that is asked.
    pub async fn shards(&self) -> Vec<Shard> {
        self.instances().await.unwrap().swap_remove(0).shards
    }

    /// The instance that is asked, and those that it hears of.
    pub async fn instances(&self) -> Result<Vec<Instance>, Status> {
        let answer = self.queries().list_instances(ListInstancesRequest {}).await?;
        Ok(answer.into_inner().instances)
    }
}
