//! Receipts and staleness: how a caller says how fresh an answer has to be, and that it is.

use prost_types::Duration as Span;
use std::time::{Duration, Instant};
use tandem_proto::{
    receipt,
    v1::{Freshness, GetCustomerRequest, ListCustomersRequest},
};
use tonic::{Code, Request};

use tandem_e2e::{
    launch::Launch,
    told::told,
    wire::{as_of, customer, customer_as_of, order, order_as_of},
};

const NEVER: u64 = 1_000_000;

fn at_most_old(max: Duration) -> GetCustomerRequest {
    let max_staleness = Some(Span::try_from(max).unwrap());
    let freshness = Some(Freshness { receipts: Vec::new(), max_staleness });
    GetCustomerRequest { customer_id: "ada".into(), freshness }
}

#[tokio::test]
async fn a_read_that_shows_a_receipt_sees_that_write() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    for n in 0..200 {
        let (id, name) = (format!("c-{}", n % 7), format!("name {n}"));
        let receipt = tandem.create(customer(&id, &name)).await.receipt;
        let asked = customer_as_of(&id, &receipt);
        let answer = tandem.queries().get_customer(asked).await.unwrap().into_inner();
        assert_eq!(answer.customer.unwrap().first_name, name);
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn the_position_of_an_answer_is_a_receipt_too() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let mut last = String::new();
    for n in 0..20 {
        last = tandem.create(customer(&format!("c-{n}"), "Ada")).await.receipt;
        let asked =
            ListCustomersRequest { freshness: as_of(&last), ..ListCustomersRequest::default() };
        let answer = tandem.queries().list_customers(asked).await.unwrap().into_inner();
        let position = answer.served.unwrap().position;
        let proofs = receipt::decode(&position).unwrap();
        let [needed] = receipt::decode(&last).unwrap().try_into().unwrap();
        assert!(proofs.iter().any(|p| {
            (&p.topic, p.partition) == (&needed.topic, needed.partition)
                && p.position >= needed.position
        }));
        let again = customer_as_of(&format!("c-{n}"), &position);
        tandem.queries().get_customer(again).await.unwrap();
    }
    let receipts = vec![last; 33];
    let freshness = Some(Freshness { receipts, max_staleness: None });
    let asked = GetCustomerRequest { customer_id: "c-1".into(), freshness };
    told(tandem.queries().get_customer(asked).await).names(&["freshness.receipts"]);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_receipt_ahead_of_the_log_ends_within_the_deadline_and_says_how_far_behind() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let receipt = tandem.place(order("ada", "o-1", "Engine")).await.receipt;
    let mut proofs = receipt::decode(&receipt).unwrap();
    proofs[0].position += NEVER;
    let ahead = receipt::encode(&proofs);

    let deadline = Duration::from_secs(1);
    let mut asked = Request::new(order_as_of("ada", "o-1", &ahead));
    asked.set_timeout(deadline);
    let started = Instant::now();
    let refused = told(tandem.queries().get_order(asked).await);
    assert!(started.elapsed() < deadline, "{:?}", started.elapsed());
    refused.is(Code::DeadlineExceeded, "VIEW_BEHIND");
    assert_eq!(refused.metadata["position"], "1");
    assert_eq!(refused.metadata["needed"], (NEVER + 1).to_string());
    assert_eq!(refused.metadata["shard"], proofs[0].partition.to_string());
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_receipt_that_is_none_of_this_log_is_refused_by_name() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tandem = Launch::on(data.path()).start().await;
    let elsewhere = Launch::on(other.path()).start().await;
    let here = tandem.create(customer("ada", "Ada")).await.receipt;
    let there = elsewhere.create(customer("ada", "Ada")).await.receipt;

    let mut far = receipt::decode(&here).unwrap();
    far[0].partition = 99;
    let mut unknown = receipt::decode(&here).unwrap();
    unknown[0].topic = "elsewhere".into();
    let (far, unknown) = (receipt::encode(&far), receipt::encode(&unknown));
    let mut cut = here.clone();
    cut.pop();
    for wrong in [&*there, &*far, &*unknown, &*cut, "", "nonsense", "ü"] {
        let refused = told(tandem.queries().get_customer(customer_as_of("ada", wrong)).await);
        refused.names(&["freshness.receipts[0]"]);
    }
    let receipts = vec![here, there, "nonsense".into()];
    let freshness = Some(Freshness { receipts, max_staleness: None });
    let asked = GetCustomerRequest { customer_id: "ada".into(), freshness };
    let refused = told(tandem.queries().get_customer(asked).await);
    refused.names(&["freshness.receipts[1]", "freshness.receipts[2]"]);
    tandem.stop(&[]).await;
    elsewhere.stop(&[]).await;
}

#[tokio::test]
async fn an_answer_is_no_older_than_max_staleness() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let receipt = tandem.create(customer("ada", "Ada")).await.receipt;
    tandem.queries().get_customer(customer_as_of("ada", &receipt)).await.unwrap();
    let max = Duration::from_millis(500);
    for _ in 0..50 {
        let answer = tandem.queries().get_customer(at_most_old(max)).await.unwrap().into_inner();
        let staleness = Duration::try_from(answer.served.unwrap().staleness.unwrap()).unwrap();
        assert!(staleness <= max, "{staleness:?}");
    }

    // Nothing is ever known to be as fresh as this.
    let mut asked = Request::new(at_most_old(Duration::ZERO));
    asked.set_timeout(Duration::from_secs(1));
    let refused = told(tandem.queries().get_customer(asked).await);
    refused.is(Code::DeadlineExceeded, "VIEW_STALE");

    let max_staleness = Some(Span { seconds: -1, nanos: 0 });
    let freshness = Some(Freshness { receipts: Vec::new(), max_staleness });
    let asked = GetCustomerRequest { customer_id: "ada".into(), freshness };
    told(tandem.queries().get_customer(asked).await).names(&["freshness.max_staleness"]);
    tandem.stop(&[]).await;
}
