//! Two copies of the view: each answers by itself, and the one that lags is passed over.

use async_trait::async_trait;
use std::{path::Path, sync::Arc, time::Duration};
use tandem_eventlog::{
    Batch, Bounds, EventLog, Log, LogError, Member, Membership, NewRecord, Offset, Position,
    Reader, TopicId, TopicName, TopicPartition, TopicSpec,
};
use tandem_processor::Settings as Folding;
use tandem_proto::v1::{Freshness, GetCustomerRequest, GetCustomerResponse, ShardState};
use tandem_query_svc::Settings;
use tokio::sync::watch;

use crate::fleet::{Another, Fleet};
use tandem_e2e::{
    eventually::eventually,
    services::Services,
    wire::{as_of, as_of_all, customer, order},
};

/// A log of which nothing new of the view's topics can be read while it is stalled.
struct Stalling {
    log: Log,
    stalled: watch::Receiver<bool>,
}

struct StallingReader {
    reader: Box<dyn Reader>,
    stalled: watch::Receiver<bool>,
}

#[async_trait]
impl Reader for StallingReader {
    async fn next(&mut self, max_wait: Duration) -> Result<Batch, LogError> {
        let mut stalls = self.stalled.clone();
        loop {
            let _ = self.stalled.wait_for(|stalled| !stalled).await;
            tokio::select! {
                // First, so that nothing written after a stall is read in it.
                biased;
                _ = stalls.wait_for(|stalled| *stalled) => {}
                batch = self.reader.next(max_wait) => return batch,
            }
        }
    }
}

#[async_trait]
impl EventLog for Stalling {
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicId>, LogError> {
        self.log.ensure_topics(topics).await
    }

    async fn append(&self, record: NewRecord) -> Result<Offset, LogError> {
        self.log.append(record).await
    }

    async fn read(&self, from: &[Position]) -> Result<Box<dyn Reader>, LogError> {
        let reader = self.log.read(from).await?;
        let is_of_view = from.iter().any(|p| p.at.topic == TopicName::from("customer"));
        let stalled = self.stalled.clone();
        Ok(if is_of_view { Box::new(StallingReader { reader, stalled }) } else { reader })
    }

    async fn bounds(&self, of: &[TopicPartition]) -> Result<Vec<Bounds>, LogError> {
        self.log.bounds(of).await
    }

    async fn join(
        &self,
        group: &str,
        member: &Member,
        topic: &TopicName,
    ) -> Result<Box<dyn Membership>, LogError> {
        self.log.join(group, member, topic).await
    }
}

/// An instance that has a whole copy of its own, once it and the others know of each other.
async fn set_b(fleet: &Fleet, data: &Path, log: Log) -> Another {
    let settings = Settings::new(Folding::new(data.join("b"), 4, "b", "b"));
    let b = fleet.another_on(log, settings).await;
    b.services.serving().await;
    for instance in [fleet.first(), &b.services] {
        eventually("it serves all, and is known to", async || {
            let heard = instance.heard().await.instances;
            let mut shards = heard.iter().flat_map(|i| &i.shards);
            let serves = shards.all(|s| s.state() == ShardState::Serving);
            let each_has_all = heard.iter().all(|i| i.shards.len() == 4);
            (heard.len() == 2 && serves && each_has_all).then_some(())
        })
        .await;
    }
    b
}

async fn ada(services: &Services, freshness: Option<Freshness>) -> GetCustomerResponse {
    let asked = GetCustomerRequest { customer_id: "ada".into(), freshness };
    services.queries().get_customer(asked).await.unwrap().into_inner()
}

/// The name that is shown, by whom, and whether it was passed on.
fn seen(answer: GetCustomerResponse) -> (String, String, bool) {
    let served = answer.served.unwrap();
    (answer.customer.unwrap().first_name, served.instance_id, served.forwarded)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_set_has_a_whole_copy_and_answers_by_itself() {
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &["--shards=4"]).await;
    let b = set_b(&fleet, data.path(), fleet.running.log()).await;
    let a = fleet.first().own_id().await;
    let mut receipts = Vec::new();
    for n in 0..20 {
        receipts.push(fleet.first().create(customer(&format!("c-{n}"), "Ada")).await.receipt);
        for (instance, id) in [(fleet.first(), &*a), (&b.services, "b")] {
            let freshness = as_of_all(&receipts);
            let asked = GetCustomerRequest { customer_id: format!("c-{n}"), freshness };
            let answer = instance.queries().get_customer(asked).await.unwrap().into_inner();
            let served = answer.served.unwrap();
            assert_eq!((&*served.instance_id, served.forwarded), (id, false));
        }
    }
    // No row twice, though each is there twice.
    let both =
        Services::in_turn(&[fleet.first(), &b.services].map(|s| Services::at(s.urls.clone())));
    assert_eq!(both.all_customers(3, &as_of_all(&receipts)).await.len(), 20);
    b.stop().await;
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_lags_is_passed_over_for_one_that_has_what_was_seen() {
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &["--shards=4"]).await;
    let (stall, stalled) = watch::channel(false);
    let log = Arc::new(Stalling { log: fleet.running.log(), stalled });
    let b = set_b(&fleet, data.path(), log).await;
    let a = fleet.first().own_id().await;
    let receipt = fleet.first().create(customer("ada", "Ada")).await.receipt;
    assert_eq!(seen(ada(&b.services, as_of(&receipt)).await), ("Ada".into(), "b".into(), false));

    stall.send_replace(true);
    let receipt = fleet.first().create(customer("ada", "Augusta")).await.receipt;
    let there = ada(fleet.first(), as_of(&receipt)).await;
    let position = there.served.as_ref().unwrap().position.clone();
    let newest = ("Augusta".to_owned(), a.clone(), true);
    // Whoever asks for nothing gets what the nearest has.
    assert_eq!(seen(ada(&b.services, None).await), ("Ada".into(), "b".into(), false));
    for proof in [&receipt, &position] {
        assert_eq!(seen(ada(&b.services, as_of(proof)).await), newest);
    }
    let max_staleness = Some(prost_types::Duration { seconds: 1, nanos: 0 });
    let fresh = Freshness { receipts: vec![], max_staleness };
    // Once it has lagged for longer than that. Until then its own rows are fresh enough.
    eventually("it is too stale", async || {
        let answer = seen(ada(&b.services, Some(fresh.clone())).await);
        (answer == newest).then_some(())
    })
    .await;
    // A list takes each shard from who is fresh enough, too.
    let listed = b.services.all_customers(1_000, &as_of(&position)).await;
    assert_eq!(listed[0].first_name, "Augusta");

    stall.send_replace(false);
    assert_eq!(seen(ada(&b.services, as_of(&position)).await).0, "Augusta");
    eventually("it answers by itself again", async || {
        let own = ("Augusta".to_owned(), "b".to_owned(), false);
        (seen(ada(&b.services, as_of(&position)).await) == own).then_some(())
    })
    .await;
    b.stop().await;
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_resumed_at_a_copy_that_lags_is_not_taken_back() {
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &["--shards=4"]).await;
    let (stall, stalled) = watch::channel(false);
    let log = Arc::new(Stalling { log: fleet.running.log(), stalled });
    let b = set_b(&fleet, data.path(), log).await;
    let receipt = fleet.first().create(customer("ada", "Ada")).await.receipt;
    ada(&b.services, as_of(&receipt)).await;
    stall.send_replace(true);
    let receipt = fleet.first().create(customer("ada", "Augusta")).await.receipt;
    ada(fleet.first(), as_of(&receipt)).await;
    let newest = fleet.first().watch("ada", "").await.next().await;
    assert_eq!(newest.customer.unwrap().first_name, "Augusta");

    // There, the row is still the old one.
    assert_eq!(ada(&b.services, None).await.customer.unwrap().first_name, "Ada");
    let mut resumed = b.services.watch("ada", &newest.resume_token).await;
    let receipt = fleet.first().place(order("ada", "o-1", "Engine")).await.receipt;
    let next = resumed.next().await;
    assert_eq!((next.customer.unwrap().first_name, next.orders.len()), ("Augusta".into(), 1));
    drop(resumed);
    stall.send_replace(false);
    ada(&b.services, as_of(&receipt)).await;
    b.stop().await;
    fleet.stop().await;
}
