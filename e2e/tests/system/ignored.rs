//! What instances ignore of others: said once, counted, and to no effect.

use std::collections::BTreeMap;
use tandem_codec::{ANNOUNCEMENTS, Announcement, Codec, ShardAnnounced};
use tandem_eventlog::{Headers, NewRecord, Partition, Position, TopicPartition, partition_for};
use tandem_proto::v1::{
    GetCustomerRequest, GetOrderRequest, IgnoredReason, ListCustomersRequest, ListInstancesRequest,
    WatchCustomerOrdersRequest, WatchRoutingRequest,
};
use tokio::net::TcpSocket;
use tonic::{Code, Request, Response};

use crate::{
    fleet::{Another, Fleet},
    warned,
};
use tandem_e2e::{
    eventually::eventually,
    instances::{holders, three},
    services::Services,
    told::told,
    wire::{as_of, customer, customer_as_of},
};

const SAID: &str = "further ones are only counted";

fn at() -> TopicPartition {
    TopicPartition { topic: ANNOUNCEMENTS.into(), partition: Partition(0) }
}

async fn append(fleet: &Fleet, id: &str, value: &[u8]) {
    let record = NewRecord {
        to: at(),
        timestamp_ms: 1_700_000_000_000,
        key: Some(id.to_owned().into()),
        value: Some(value.to_owned().into()),
        headers: Headers::default(),
    };
    fleet.running.log().append(record).await.unwrap();
}

/// The newest announcement of each instance, by address.
async fn announced(fleet: &Fleet, codec: &Codec) -> BTreeMap<String, Announcement> {
    codec.register_announcement().await.unwrap();
    let log = fleet.running.log();
    let [bounds] = log.bounds(&[at()]).await.unwrap().try_into().unwrap();
    let mut reader = log.read(&[Position { at: at(), offset: bounds.start }]).await.unwrap();
    eventually("all are announced", async || {
        let batch = reader.next(std::time::Duration::from_millis(50)).await.unwrap();
        let said = batch.records.iter().filter_map(|r| r.value.as_ref());
        let said: BTreeMap<_, _> = said
            .map(|value| codec.decode_announcement(value).unwrap())
            .map(|said| (said.address.clone(), said))
            .collect();
        (said.len() == fleet.instances.len()).then_some(said)
    })
    .await
}

fn address(instance: &Services) -> &str {
    instance.urls.query.strip_prefix("http://").unwrap()
}

/// What this instance ignores of who has that id.
async fn ignored(instance: &Services, id: &str) -> Vec<(IgnoredReason, u64)> {
    let ignored = instance.heard().await.ignored.into_iter();
    let its = ignored.filter(|i| i.instance_id == id);
    its.inspect(|i| assert!(!i.detail.is_empty())).map(|i| (i.reason(), i.count)).collect()
}

/// That an announcement like this one, told three times by somebody who claims to serve every
/// shard, changes nothing but a count.
async fn is_ignored(fleet: &Fleet, id: &str, value: &[u8], reason: IgnoredReason) {
    for count in 1..=3 {
        append(fleet, id, value).await;
        // Before the next one, which may take its place on the log.
        for instance in &fleet.instances {
            eventually(&format!("{id} is ignored"), async || {
                (ignored(instance, id).await == [(reason, count)]).then_some(())
            })
            .await;
            assert_eq!(instance.heard().await.instances.len(), fleet.instances.len(), "{id}");
        }
    }
    let warned = warned::of(&format!("instance_id=\"{id}\""));
    assert_eq!(warned.len(), fleet.instances.len(), "one line each: {warned:?}");
    assert!(warned.iter().all(|line| line.contains(SAID)), "{warned:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn announcements_that_make_no_sense_here_are_ignored() {
    warned::listen();
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &["--shards=4", "--query-instances=2"]).await;
    holders(&fleet.instances).await;
    let codec = fleet.codec();
    let announced = announced(&fleet, &codec).await;
    let own = &announced[address(fleet.first())];
    // Not there, and claims everything.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let shard = |n| ShardAnnounced {
        shard: n,
        state: "SERVING".into(),
        positions: vec![1_000_000; 3],
        ends: vec![1_000_000; 3],
        staleness_ms: 0,
        rejects: 0,
        detail: String::new(),
    };
    let stranger = |id: &str| Announcement {
        instance_id: id.into(),
        run: id.into(),
        address: nobody.local_addr().unwrap().to_string(),
        shards: (0..4).map(shard).collect(),
        ..own.clone()
    };
    let said = |said: Announcement| codec.encode_announcement(&said).unwrap();

    let newer = said(Announcement { protocol: own.protocol + 1, ..stranger("newer") });
    is_ignored(&fleet, "newer", &newer, IgnoredReason::OtherVersion).await;
    let mut reshaped = said(stranger("reshaped")).to_vec();
    reshaped[4] ^= 0x55; // another schema's id
    is_ignored(&fleet, "reshaped", &reshaped, IgnoredReason::OtherVersion).await;
    let elsewhere = said(Announcement { view: "4:x,y,z".into(), ..stranger("elsewhere") });
    is_ignored(&fleet, "elsewhere", &elsewhere, IgnoredReason::OtherLog).await;
    for (instance, id) in fleet.instances.iter().zip(["squatter-0", "squatter-1"]) {
        let taken = Announcement { address: address(instance).into(), ..stranger(id) };
        is_ignored(&fleet, id, &said(taken), IgnoredReason::AddressTaken).await;
    }
    is_ignored(&fleet, "junk", b"junk", IgnoredReason::Unreadable).await;
    is_ignored(&fleet, "empty", b"", IgnoredReason::Unreadable).await;
    let whole = said(stranger("cut"));
    is_ignored(&fleet, "cut", &whole[..whole.len() / 2], IgnoredReason::Unreadable).await;

    // An older process by the name of one of them.
    let (id, started_ms) = (&own.instance_id, own.started_ms - 1);
    let twin = said(Announcement { run: "twin".into(), started_ms, ..stranger(id) });
    is_ignored(&fleet, id, &twin, IgnoredReason::IdTaken).await;

    for n in 0..20 {
        let receipt = fleet.first().create(customer(&format!("c-{n}"), "Ada")).await.receipt;
        for instance in &fleet.instances {
            let asked = customer_as_of(&format!("c-{n}"), &receipt);
            instance.queries().get_customer(asked).await.unwrap();
        }
    }
    fleet.stop().await;
}

fn forged<T>(message: T, header: &'static str, value: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(header, value.parse().unwrap());
    request
}

#[tokio::test]
async fn a_forged_mark_is_refused_by_every_method_and_counted() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    tandem.create(customer("ada", "Ada")).await;
    let mut count = 0;
    for (header, value) in [("tandem-peer", "x"), ("tandem-peer", ""), ("tandem-shards", "0,1,2")] {
        macro_rules! refused {
            ($($method:ident $asked:expr),* $(,)?) => {$(
                let asked = forged($asked, header, value);
                let refused = instances[0].queries().$method(asked).await.map(|_| ());
                told(refused.map(Response::new)).is(Code::PermissionDenied, "FORGED_HEADER");
                count += 1;
            )*};
        }
        let (customer_id, order_id) = ("ada".to_owned(), "o-1".to_owned());
        refused! {
            get_customer GetCustomerRequest { customer_id: customer_id.clone(), freshness: None },
            get_order GetOrderRequest { order_id, ..GetOrderRequest::default() },
            get_customer_orders tandem_e2e::wire::orders_as_of("ada", ""),
            list_customers ListCustomersRequest::default(),
            list_orders tandem_proto::v1::ListOrdersRequest::default(),
            list_customer_orders tandem_proto::v1::ListCustomerOrdersRequest::default(),
            list_greetings tandem_proto::v1::ListGreetingsRequest::default(),
            list_rejects tandem_proto::v1::ListRejectsRequest::default(),
            watch_customer_orders WatchCustomerOrdersRequest {
                customer_id, ..WatchCustomerOrdersRequest::default()
            },
            list_instances ListInstancesRequest {},
            watch_routing WatchRoutingRequest {},
        }
    }
    let expected = vec![(IgnoredReason::ForgedHeader, count)];
    assert_eq!(ignored(&instances[0], "").await, expected);
    assert_eq!(ignored(&instances[1], "").await, [], "each counts its own");
    let logged = tandem.stderr();
    let said: Vec<_> = logged.lines().filter(|line| line.contains(SAID)).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("tandem-peer"), "{said:?}");
    tandem.stop(&[SAID]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_call_is_never_passed_on() {
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &["--shards=4", "--query-instances=2"]).await;
    let holders = holders(&fleet.instances).await;
    let announced = announced(&fleet, &fleet.codec()).await;
    let own_id = fleet.first().own_id().await;
    let runs: Vec<_> = fleet.instances.iter().map(|i| &*announced[address(i)].run).collect();
    let mut found = 0;
    for n in 0..20 {
        let id = format!("c-{n}");
        let receipt = fleet.first().create(customer(&id, "Ada")).await.receipt;
        let shard = partition_for(id.as_bytes(), 4).0;
        let mut asked = forged(customer_as_of(&id, &receipt), "tandem-peer", runs[0]);
        let shards = shard.to_string().parse().unwrap();
        asked.metadata_mut().insert("tandem-shards", shards);
        let answer = fleet.first().queries().get_customer(asked).await;
        match holders[&shard] == own_id {
            true => found += usize::from(!answer.unwrap().into_inner().served.unwrap().forwarded),
            false => told(answer).is(Code::Unavailable, "SHARD_NOT_HELD"),
        }
        // The other one's mark is good at the other one only.
        let other = forged(customer_as_of(&id, &receipt), "tandem-peer", runs[1]);
        let refused = told(fleet.first().queries().get_customer(other).await);
        refused.is(Code::PermissionDenied, "FORGED_HEADER");
    }
    assert!(found > 0 && found < 20, "{found}");
    fleet.stop().await;
}

/// An instance that says it is at `advertise`, where it isn't.
async fn lost(advertise: &str, fleet: &Fleet, data: &std::path::Path) -> Another {
    let mut settings = fleet.settings(data, "lost");
    settings.advertise = Some(advertise.into());
    let lost = fleet.another_on(fleet.running.log(), settings).await;
    let warned = eventually("it warns", async || {
        let warned = warned::of(&format!("address=\"{advertise}\""));
        (warned.len() > 1).then_some(warned)
    })
    .await;
    assert!(warned.iter().all(|line| line.contains("--advertise")), "{warned:?}");
    let heard = lost.services.heard().await.instances;
    assert_eq!((&*heard[0].instance_id, &*heard[0].address), ("lost", advertise));
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_where_it_says_is_not_announced() {
    warned::listen();
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &["--shards=4"]).await;
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let one = lost(&nobody.local_addr().unwrap().to_string(), &fleet, data.path()).await;
    eventually("it hears the other", async || {
        (one.services.heard().await.instances.len() == 2).then_some(())
    })
    .await;
    assert_eq!(fleet.first().heard().await.instances.len(), 1, "and is not heard itself");
    // Its shards are still answered for by who had them.
    let receipt = fleet.first().create(customer("ada", "Ada")).await.receipt;
    for instance in [fleet.first(), &one.services] {
        let answer = instance.queries().get_customer(customer_as_of("ada", &receipt)).await;
        answer.unwrap();
        let asked = ListCustomersRequest { freshness: as_of(&receipt), ..Default::default() };
        instance.queries().list_customers(asked).await.unwrap();
    }
    one.stop().await;

    // Somebody answers there, but somebody else.
    let other = lost(address(fleet.first()), &fleet, data.path()).await;
    assert_eq!(fleet.first().heard().await.instances.len(), 1);
    other.stop().await;
    fleet.stop().await;
}
