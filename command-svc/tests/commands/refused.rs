//! How commands are refused, and what becomes of those that were not confirmed.

use crate::{
    scripted::Mood,
    support::{System, event, eventually, told},
};
use std::{sync::Arc, time::Duration};
use tandem_domain::{Event, Topic};
use tandem_eventlog::LogError;
use tandem_proto::v1;
use tokio::sync::Notify;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

fn greet(message: &str) -> v1::SendGreetingRequest {
    v1::SendGreetingRequest { message: message.into(), ..Default::default() }
}

#[tokio::test]
async fn all_faulty_fields_at_once() {
    let system = System::ready().await;
    let request = v1::PlaceOrderRequest {
        order_id: "a\nb".into(),
        order_place: "x".repeat(5000),
        request_id: "x".into(),
        ..Default::default()
    };
    let status = system.client().await.place_order(request).await.unwrap_err();
    assert_eq!(told(&status), (Code::InvalidArgument, "INVALID_REQUEST".into()));
    let violations = status.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = violations.iter().map(|v| &*v.field).collect();
    assert_eq!(fields, ["request_id", "order_id", "customer_id", "order_item_name", "order_place"]);
    assert!(system.records(Topic::Order).await.is_empty());
}

#[tokio::test]
async fn what_the_log_says_becomes_a_code() {
    let system = System::ready().await;
    let mut client = system.client().await;
    let table = [
        (LogError::Unavailable("x".into()), Code::Unavailable, "LOG_UNAVAILABLE"),
        (LogError::TooLarge { bytes: 2, max: 1 }, Code::InvalidArgument, "RECORD_TOO_LARGE"),
        (LogError::Unsuitable("x".into()), Code::FailedPrecondition, "LOG_UNSUITABLE"),
    ];
    for (error, code, reason) in table {
        system.log.is(Mood::Refuses(error));
        let status = client.send_greeting(greet("hi")).await.unwrap_err();
        assert_eq!(told(&status), (code, reason.into()));
    }
    system.log.is(Mood::Breaks);
    let status = client.send_greeting(greet("hi")).await.unwrap_err();
    assert_eq!(told(&status), (Code::Internal, "INTERNAL".into()));
    system.log.is(Mood::Works);
    client.send_greeting(greet("hi")).await.unwrap();
}

#[tokio::test]
async fn an_append_that_hangs_is_told_in_time_and_still_ends() {
    let system = System::ready().await;
    let until = Arc::new(Notify::new());
    system.log.is(Mood::Hangs(until.clone()));
    let mut request = Request::new(greet("hi"));
    request.set_timeout(Duration::from_millis(500));
    let status = system.client().await.send_greeting(request).await.unwrap_err();
    // Not DEADLINE_EXCEEDED, which says nothing of whether trying again may help.
    assert_eq!(told(&status), (Code::Unavailable, "UNCONFIRMED".into()));
    for words in ["took effect is not known", "same request_id"] {
        assert!(status.message().contains(words), "{status:?}");
    }
    until.notify_one();
    eventually(async || system.records(Topic::Greetings).await.len() == 1).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_its_append() {
    let system = System::ready().await;
    let until = Arc::new(Notify::new());
    system.log.is(Mood::Hangs(until.clone()));
    let mut client = system.client().await;
    let call = tokio::spawn(async move { client.send_greeting(greet("gone")).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    call.abort();
    call.await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(100)).await;
    until.notify_one();
    eventually(async || system.records(Topic::Greetings).await.len() == 1).await;
    let (_, record) = system.record(Topic::Greetings).await;
    let Event::Greeting(greeting) = event(Topic::Greetings, &record) else { panic!() };
    assert_eq!(greeting.message, "gone");
}
