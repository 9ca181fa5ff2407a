//! A view that contradicts the log it is started on answers nothing and says what to do.

use std::path::Path;
use tandem_proto::v1::{
    GetCustomerRequest, ListCustomersRequest, ListOrdersRequest, Shard, ShardState,
};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

use tandem_e2e::{
    eventually::eventually,
    launch::Launch,
    services::{COMMAND, QUERY, health},
    tandem::Tandem,
    told::told,
    wire::{customer, customer_as_of},
};

/// What an operator does who restores a log from elsewhere.
fn copy(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).unwrap();
    }
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        assert!(entry.file_type().unwrap().is_file(), "the log's folder is flat");
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Waits until so many shards have failed and the others serve.
async fn failed(tandem: &Tandem, count: usize) -> Vec<Shard> {
    eventually("shards fail", async || {
        let shards = tandem.shards().await;
        let (failed, others): (Vec<_>, Vec<_>) =
            shards.into_iter().partition(|s| s.state() == ShardState::Failed);
        let settled = others.iter().all(|s| s.state() == ShardState::Serving);
        (failed.len() == count && failed.len() + others.len() == 4 && settled).then_some(failed)
    })
    .await
}

#[tokio::test]
async fn a_view_made_from_another_log_fails_and_says_what_to_do() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for home in [&data, &other] {
        let tandem = Launch::on(home.path()).start().await;
        tandem.create(customer("ada", "Ada")).await;
        tandem.stop(&[]).await;
    }
    copy(&other.path().join("log"), &data.path().join("log"));

    let tandem = Launch::on(data.path()).announced().await;
    for shard in failed(&tandem, 4).await {
        assert!(shard.detail.contains("another"), "{}", shard.detail);
        assert!(shard.detail.contains("move the view's folder away"), "{}", shard.detail);
    }
    let asked = GetCustomerRequest { customer_id: "ada".into(), freshness: None };
    let refused = told(tandem.queries().get_customer(asked).await);
    refused.is(Code::Unavailable, "SHARD_FAILED");
    let refused = told(tandem.queries().list_orders(ListOrdersRequest::default()).await);
    refused.is(Code::Unavailable, "SHARD_FAILED");

    let [(_, command), (_, query)] = tandem.channels();
    for service in [QUERY, ""] {
        assert_eq!(health(&query, service).await, Some(ServingStatus::NotServing));
    }
    eventually("commands are taken", async || {
        (health(&command, COMMAND).await == Some(ServingStatus::Serving)).then_some(())
    })
    .await;
    let receipt = tandem.create(customer("bob", "Bob")).await.receipt;
    tandem.stop(&["shard failed"]).await;

    // What the detail says to do mends it.
    std::fs::remove_dir_all(data.path().join("view")).unwrap();
    let tandem = Launch::on(data.path()).start().await;
    tandem.queries().get_customer(customer_as_of("bob", &receipt)).await.unwrap();
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_log_that_was_cut_fails_the_shards_that_were_ahead_of_it() {
    let (data, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (log, backup) = (data.path().join("log"), backup.path().join("log"));
    let tandem = Launch::on(data.path()).start().await;
    tandem.create(customer("ada", "Ada")).await;
    tandem.stop(&[]).await;
    copy(&log, &backup);
    let tandem = Launch::on(data.path()).start().await;
    let receipt = tandem.create(customer("ada", "Augusta")).await.receipt;
    tandem.queries().get_customer(customer_as_of("ada", &receipt)).await.unwrap();
    tandem.stop(&[]).await;
    copy(&backup, &log);

    let tandem = Launch::on(data.path()).announced().await;
    let [shard] = failed(&tandem, 1).await.try_into().unwrap();
    assert!(shard.detail.contains("the log was cut or replaced"), "{}", shard.detail);
    let refused = told(tandem.queries().list_customers(ListCustomersRequest::default()).await);
    refused.is(Code::Unavailable, "SHARD_FAILED");
    assert_eq!(refused.metadata["shard"], shard.shard.to_string());
    let partial = ListCustomersRequest { allow_partial: true, ..ListCustomersRequest::default() };
    let answer = tandem.queries().list_customers(partial).await.unwrap().into_inner();
    assert_eq!((answer.customers, answer.unreachable_shards), (vec![], vec![shard.shard]));
    tandem.stop(&["shard failed"]).await;
}
