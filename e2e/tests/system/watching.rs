//! Following a customer: its document, then again after each change, through any instance.

use tandem_eventlog::partition_for;
use tandem_proto::v1::{
    Customer, UpdateCustomerRequest, WatchCustomerOrdersRequest, WatchCustomerOrdersResponse,
};

use tandem_e2e::{
    instances::{SHARDS, holders, three},
    services::Services,
    told::told,
    wire::{customer, order},
};

/// The instance that has the customer's rows, and one that hasn't.
async fn holder_and_other<'a>(instances: &'a [Services], id: &str) -> [&'a Services; 2] {
    let holder = holders(instances).await.remove(&partition_for(id.as_bytes(), SHARDS).0).unwrap();
    let (mut at, mut elsewhere) = (None, None);
    for instance in instances {
        let is_it = instance.own_id().await == holder;
        *(if is_it { &mut at } else { &mut elsewhere }) = Some(instance);
    }
    [at.unwrap(), elsewhere.unwrap()]
}

/// It has to be what a query is told as of the same write.
async fn agrees(services: &Services, document: &WatchCustomerOrdersResponse, receipt: &str) {
    let id = document.customer.as_ref().unwrap().customer_id.clone();
    let now = services.orders_of(&id, receipt).await;
    let said = (&document.customer, document.registered, &document.orders);
    assert_eq!(said, (&now.customer, now.registered, &now.orders));
    assert!(!document.more_orders && !document.resume_token.is_empty());
}

#[tokio::test]
async fn a_watcher_is_told_the_document_and_each_change_through_any_instance() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let [holder, other] = holder_and_other(&instances, "ada").await;
    // Unknown so far.
    let mut watches = [holder.watch("ada", "").await, other.watch("ada", "").await];
    for watch in &mut watches {
        let first = watch.next().await;
        let blank = Customer { customer_id: "ada".into(), ..Customer::default() };
        assert_eq!((first.customer, first.registered, first.orders), (Some(blank), false, vec![]));
    }
    // Another customer's changes are none of its.
    tandem.create(customer("adb", "Other")).await;
    for step in 0..6 {
        let update = UpdateCustomerRequest {
            customer_id: "ada".into(),
            first_name: "Augusta".into(),
            last_name: "King".into(),
            ..UpdateCustomerRequest::default()
        };
        let receipt = match step {
            0 => tandem.place(order("ada", "o-2", "Engine")).await.receipt,
            1 => tandem.create(customer("ada", "Ada")).await.receipt,
            2 => tandem.place(order("ada", "o-1", "Cards")).await.receipt,
            3 => tandem.commands().update_customer(update).await.unwrap().into_inner().receipt,
            4 => tandem.cancel("ada", "o-2").await,
            _ => tandem.remove("ada").await,
        };
        for (watch, is_forwarded) in watches.iter_mut().zip([false, true]) {
            let document = watch.next().await;
            agrees(&tandem, &document, &receipt).await;
            let served = document.served.unwrap();
            let expected = (holder.own_id().await, is_forwarded);
            assert_eq!((served.instance_id, served.forwarded), expected, "step {step}");
        }
    }
    drop(watches);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_resumed_watch_repeats_nothing_and_misses_nothing_at_any_instance() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let pair = holder_and_other(&instances, "ada").await;
    let receipt = tandem.create(customer("ada", "0")).await.receipt;
    tandem.orders_of("ada", &receipt).await;
    let mut last = pair[0].watch("ada", "").await.next().await;
    for n in 1..9 {
        // Nothing happened in between: the first that it hears of is the next change.
        let mut quiet = pair[n % 2].watch("ada", &last.resume_token).await;
        tandem.create(customer("ada", &n.to_string())).await;
        let document = quiet.next().await;
        assert_eq!(document.customer.unwrap().first_name, n.to_string());
        drop(quiet);

        // Something did: it hears of it at once, and that is all.
        let receipt = tandem.place(order("ada", &format!("o-{n}"), "Engine")).await.receipt;
        let mut behind = pair[(n + 1) % 2].watch("ada", &document.resume_token).await;
        let missed = behind.next().await;
        agrees(&tandem, &missed, &receipt).await;
        let receipt = tandem.cancel("ada", &format!("o-{n}")).await;
        last = behind.next().await;
        agrees(&tandem, &last, &receipt).await;
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn changes_that_come_fast_are_told_in_order_to_the_last_one() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let receipt = tandem.create(customer("ada", "0000")).await.receipt;
    tandem.orders_of("ada", &receipt).await;
    let follow = async |instance: &Services| {
        let (mut watch, mut last) = (instance.watch("ada", "").await, String::new());
        while last != "0500" {
            let name = watch.next().await.customer.unwrap().first_name;
            assert!(name > last, "{name} after {last}");
            last = name;
        }
    };
    let writer = async {
        for n in 1..=500 {
            tandem.create(customer("ada", &format!("{n:04}"))).await;
        }
    };
    tokio::join!(writer, follow(&instances[0]), follow(&instances[1]), follow(&instances[2]));
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_token_of_another_customer_or_of_nothing_is_refused_by_name() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let token = tandem.watch("ada", "").await.next().await.resume_token;
    let cut = token[1..].to_owned();
    for instance in &instances {
        for (id, token) in [("bob", &*token), ("ada", &cut), ("ada", "nonsense")] {
            let asked = WatchCustomerOrdersRequest {
                customer_id: id.into(),
                resume_token: token.into(),
                freshness: None,
            };
            let refused = instance.queries().watch_customer_orders(asked).await.map(|_| ());
            told(refused.map(tonic::Response::new)).names(&["resume_token"]);
        }
        let asked = WatchCustomerOrdersRequest::default();
        let refused = instance.queries().watch_customer_orders(asked).await.map(|_| ());
        told(refused.map(tonic::Response::new)).names(&["customer_id"]);
    }
    tandem.stop(&[]).await;
}
