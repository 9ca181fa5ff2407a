//! What a `request_id` does: a retry yields the same ids, from any instance.

use crate::support::{System, header};
use std::collections::HashSet;
use tandem_domain::Topic;
use tandem_proto::v1;

const REQUEST_ID: &str = "018f0c5c-1e9d-7b4f-8a2c-736d17be490f";

fn create(request_id: &str) -> v1::CreateCustomerRequest {
    v1::CreateCustomerRequest {
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        request_id: request_id.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_retry_yields_the_same_ids_from_any_instance() {
    let mut ids = HashSet::new();
    for system in [System::ready().await, System::ready().await] {
        let mut client = system.client().await;
        // However the UUID is written, it is the same one.
        for request_id in [REQUEST_ID, &REQUEST_ID.to_uppercase()] {
            let answer = client.create_customer(create(request_id)).await.unwrap().into_inner();
            ids.insert(answer.customer.unwrap().customer_id);
        }
        for (_, record) in system.records(Topic::Customer).await {
            ids.insert(header(&record, "ce_id").to_owned());
        }
    }
    assert_eq!(ids.len(), 2, "{ids:?}");
}

#[tokio::test]
async fn without_a_request_id_each_command_is_its_own() {
    let system = System::ready().await;
    let mut client = system.client().await;
    for _ in 0..2 {
        client.create_customer(create("")).await.unwrap();
    }
    let records = system.records(Topic::Customer).await;
    let ids: HashSet<_> = records.iter().map(|(_, r)| header(r, "ce_id")).collect();
    let keys: HashSet<_> = records.iter().map(|(_, r)| r.key.clone()).collect();
    assert_eq!((ids.len(), keys.len()), (2, 2));
}

#[tokio::test]
async fn one_request_id_for_two_methods_makes_two_events() {
    let system = System::ready().await;
    let mut client = system.client().await;
    let answer = client.create_customer(create(REQUEST_ID)).await.unwrap().into_inner();
    let customer_id = answer.customer.unwrap().customer_id;
    let remove = v1::RemoveCustomerRequest { customer_id, request_id: REQUEST_ID.into() };
    client.remove_customer(remove).await.unwrap();
    let records = system.records(Topic::Customer).await;
    let ids: HashSet<_> = records.iter().map(|(_, r)| header(r, "ce_id")).collect();
    assert_eq!(ids.len(), 2);
}
