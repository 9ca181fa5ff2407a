//! What instances tell of each other, for operators and for clients that route by themselves.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tandem_eventlog::partition_for;
use tandem_proto::v1::{Instance, ShardState, WatchRoutingRequest, WatchRoutingResponse};
use tonic::Streaming;

use crate::fleet::Fleet;
use tandem_e2e::{
    eventually::PATIENCE,
    instances::{SHARDS, holders, three},
    services::Services,
    wire::customer,
};

async fn routing(instance: &Services) -> Streaming<WatchRoutingResponse> {
    instance.queries().watch_routing(WatchRoutingRequest {}).await.unwrap().into_inner()
}

async fn told(routing: &mut Streaming<WatchRoutingResponse>) -> WatchRoutingResponse {
    let told = tokio::time::timeout(PATIENCE, routing.message()).await;
    told.expect("it is told in time").unwrap().expect("it has no end of its own")
}

/// Reads on until what is told is so.
async fn until(
    routing: &mut Streaming<WatchRoutingResponse>,
    is_so: impl Fn(&WatchRoutingResponse) -> bool,
) -> WatchRoutingResponse {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let told = told(routing).await;
        if is_so(&told) {
            return told;
        }
        assert!(Instant::now() < deadline, "still {told:?}");
    }
}

fn ids(instances: &[Instance]) -> BTreeSet<&str> {
    instances.iter().map(|i| &*i.instance_id).collect()
}

#[tokio::test]
async fn each_instance_names_itself_first_and_all_others_with_their_shards() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    let holders = holders(&instances).await;
    for instance in &instances {
        let heard = instance.heard().await;
        assert_eq!((heard.instances.len(), heard.shard_count), (3, SHARDS));
        assert!(heard.ignored.is_empty(), "{:?}", heard.ignored);
        let own = instance.urls.query.strip_prefix("http://").unwrap();
        assert_eq!(heard.instances[0].address, own);
        for one in &heard.instances {
            assert_eq!((&*one.replica_set, &*one.zone), ("standalone", ""));
            assert!(!one.version.is_empty() && one.heard.is_some());
            assert_eq!(one.shards.len(), 2, "{one:?}");
            for shard in &one.shards {
                assert_eq!(holders[&shard.shard], one.instance_id);
                assert_eq!(shard.state(), ShardState::Serving);
                assert_eq!(shard.inputs.len(), 3, "{shard:?}");
                assert!(shard.staleness.is_some() && shard.detail.is_empty());
            }
        }
        let addresses: BTreeSet<_> = heard.instances.iter().map(|i| &*i.address).collect();
        assert_eq!(addresses.len(), 3);
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_client_that_routes_by_itself_is_never_passed_on() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    holders(&instances).await;
    let known = told(&mut routing(&instances[2]).await).await;
    for n in 0..30 {
        let id = format!("c-{n}");
        let receipt = tandem.create(customer(&id, "Ada")).await.receipt;
        let shard = partition_for(id.as_bytes(), known.shard_count).0;
        let holds = |i: &&Instance| i.shards.iter().any(|s| s.shard == shard);
        let holder = known.instances.iter().find(holds).unwrap();
        let at_it = |s: &&Services| s.urls.query == format!("http://{}", holder.address);
        let answer = instances.iter().find(at_it).unwrap().orders_of(&id, &receipt).await;
        let served = answer.served.unwrap();
        assert_eq!((served.instance_id, served.forwarded), (holder.instance_id.clone(), false));
    }
    tandem.stop(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_the_routing_hears_who_comes_what_they_serve_and_who_goes() {
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &["--shards=6"]).await;
    let own_id = fleet.first().own_id().await;
    let mut routing = routing(fleet.first()).await;
    let first = told(&mut routing).await;
    assert_eq!(ids(&first.instances), BTreeSet::from([&*own_id]));

    let another = fleet.another(data.path(), "another").await;
    let serving = |instance: &Instance| {
        let serves = |s: &&_| tandem_proto::v1::Shard::state(s) == ShardState::Serving;
        instance.shards.iter().filter(serves).count()
    };
    let both = until(&mut routing, |told| {
        told.instances.len() == 2 && told.instances.iter().all(|i| serving(i) == 3)
    });
    let both = both.await;
    assert_eq!(both.instances[0].instance_id, own_id);
    assert_eq!(ids(&both.instances), BTreeSet::from([&*own_id, "another"]));

    another.stop().await;
    let alone = until(&mut routing, |told| told.instances.len() == 1).await;
    assert_eq!(serving(&alone.instances[0]), 6, "it had taken them over before the other went");
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_routing_is_told_each_second_while_nothing_changes() {
    let data = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(data.path(), &["--query-instances=2"]).await;
    holders(&fleet.instances).await;
    let mut routing = routing(fleet.first()).await;
    told(&mut routing).await;
    told(&mut routing).await;
    let since = Instant::now();
    for _ in 0..3 {
        told(&mut routing).await;
    }
    // A slow machine makes it longer, never shorter.
    assert!(since.elapsed() > Duration::from_secs(1), "{:?}", since.elapsed());
    fleet.stop().await;
}
