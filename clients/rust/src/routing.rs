//! Which instance serves which shard, for calls that go straight to the one that has the row.
//!
//! Routes are advice: an instance that no longer has the shard passes the call on, and one that
//! can't be reached is left for the usual way.

use crate::builder::Maker;
use crate::client::Core;
use crate::turns::Address;
use crate::watch::Watch;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tandem_partition::partition_for;
use tandem_proto::v1::{Instance, ShardState, WatchRoutingRequest, WatchRoutingResponse};
use tokio::task::AbortHandle;
use tonic::Request;

/// How long to wait before following again when that was given up, as when no instance runs.
const REST: Duration = Duration::from_secs(4);

/// More shards than any view has; what is said to have more is not taken in.
const MOST_SHARDS: u32 = 1 << 16;

/// The holders of each shard, the best one first.
type Holders = Vec<Vec<Arc<Address>>>;

/// What is known of where shards are.
pub(crate) struct Routing {
    maker: Maker,
    holders: RwLock<Holders>,
}

impl Routing {
    pub(crate) fn new(maker: Maker) -> Self {
        Self { maker, holders: RwLock::default() }
    }

    /// Who serves the customer's shard, unless nobody is known who answers.
    pub(crate) fn holder(&self, customer_id: &str) -> Option<Arc<Address>> {
        let holders = self.holders.read().unwrap_or_else(PoisonError::into_inner);
        let shards = u32::try_from(holders.len()).ok().filter(|shards| *shards > 0)?;
        let shard = partition_for(customer_id.as_bytes(), shards).0 as usize;
        holders.get(shard)?.iter().find(|address| !address.is_left_out()).cloned()
    }

    fn set(&self, holders: Holders) {
        *self.holders.write().unwrap_or_else(PoisonError::into_inner) = holders;
    }

    /// Takes in what an instance says. `known` has the addresses so far, whose connections go on.
    fn learn(&self, said: &WatchRoutingResponse, known: &mut HashMap<String, Arc<Address>>) {
        // A single instance has everything, wherever it is reached.
        if said.instances.len() < 2 || said.shard_count > MOST_SHARDS {
            return self.set(Holders::new());
        }
        let announced = |name: &String| said.instances.iter().any(|i| i.address == *name);
        known.retain(|name, _| announced(name));
        for Instance { address, .. } in &said.instances {
            if !known.contains_key(address)
                && let Ok(made) = self.maker.address(address)
            {
                known.insert(address.clone(), made);
            }
        }
        self.set((0..said.shard_count).map(|shard| holders(shard, said, known)).collect());
    }
}

/// Those that serve the shard, then those that hand it over. Where several serve it, as replica sets
/// do, shards take them in turn.
fn holders(
    shard: u32,
    said: &WatchRoutingResponse,
    known: &HashMap<String, Arc<Address>>,
) -> Vec<Arc<Address>> {
    let of_state = |state: ShardState| -> Vec<_> {
        let has = |i: &&Instance| i.shards.iter().any(|s| s.shard == shard && s.state() == state);
        let those = said.instances.iter().filter(has);
        those.filter_map(|instance| known.get(&instance.address).cloned()).collect()
    };
    let mut holders = of_state(ShardState::Serving);
    let turn = shard as usize % holders.len().max(1);
    holders.rotate_left(turn);
    holders.extend(of_state(ShardState::Draining));
    holders
}

/// The background task; ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Following(AbortHandle);

impl Following {
    pub(crate) fn start(core: &Arc<Core>) -> Self {
        Self(tokio::spawn(follow(Arc::clone(core))).abort_handle())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Follows on any instance, for ever.
async fn follow(core: Arc<Core>) {
    let Some(routing) = &core.routing else { return };
    let configured = core.queries.all().iter();
    let mut known: HashMap<_, _> =
        configured.map(|address| (address.name.clone(), Arc::clone(address))).collect();
    loop {
        let request = Request::new(WatchRoutingRequest::default());
        let mut watch = Watch::new(Arc::clone(&core), None, request);
        while let Some(Ok(said)) = watch.next().await {
            routing.learn(&said, &mut known);
        }
        // Who was where is not known any more; any instance will do until somebody says it again.
        routing.set(Holders::new());
        tokio::time::sleep(REST).await;
    }
}

impl fmt::Debug for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routing").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::testing;
    use axum::Router;
    use futures::stream::{self, StreamExt as _};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tandem_proto::v1::Shard;
    use tonic::Status;

    fn instance(address: &str, shards: &[(u32, ShardState)]) -> Instance {
        let shard = |(shard, state): &(u32, ShardState)| Shard {
            shard: *shard,
            state: (*state).into(),
            ..Shard::default()
        };
        let shards = shards.iter().map(shard).collect();
        Instance { address: address.into(), shards, ..Instance::default() }
    }

    fn learned(instances: Vec<Instance>, shard_count: u32) -> Vec<Vec<String>> {
        let routing = Routing::new(Maker::plain());
        let said = WatchRoutingResponse { instances, shard_count, ..Default::default() };
        routing.learn(&said, &mut HashMap::new());
        let holders = routing.holders.read().unwrap();
        let names =
            |of: &Vec<Arc<Address>>| of.iter().map(|address| address.name.clone()).collect();
        holders.iter().map(names).collect()
    }

    #[tokio::test]
    async fn those_that_serve_come_before_those_that_hand_over() {
        use ShardState::{Closed, Draining, Failed, Restoring, Serving};
        let instances = vec![
            instance("a:1", &[(0, Draining), (1, Serving), (2, Failed)]),
            instance("b:1", &[(0, Serving), (1, Serving), (2, Restoring)]),
            instance("no address", &[(0, Serving), (1, Closed)]),
        ];
        let expected = vec![vec!["b:1", "a:1"], vec!["b:1", "a:1"], vec![]];
        assert_eq!(learned(instances, 3), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn routes_that_are_followed_no_longer_are_forgotten_until_they_are_told_anew() {
        let opened = Arc::new(AtomicUsize::new(0));
        let follow = move |_: WatchRoutingRequest| {
            let both = [("a:1", 0), ("b:1", 1)];
            let both = both.map(|(name, shard)| instance(name, &[(shard, ShardState::Serving)]));
            let said = WatchRoutingResponse {
                instances: both.into(),
                shard_count: 2,
                ..Default::default()
            };
            let told = stream::iter([Ok(said)]);
            match opened.fetch_add(1, Ordering::Relaxed) {
                0 => told
                    .chain(stream::once(async {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        Err(Status::unimplemented("an older version, put back"))
                    }))
                    .boxed(),
                _ => told.chain(stream::pending()).boxed(),
            }
        };
        let line = testing::line(testing::streaming(Router::new(), follow), None);
        let client = Client::new(testing::core(vec![line], Some(Routing::new(Maker::plain()))));
        let mut known = vec![false];
        for _ in 0..80 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let is_known = client.core.routing.as_ref().unwrap().holder("ada").is_some();
            if known.last() != Some(&is_known) {
                known.push(is_known);
            }
        }
        assert_eq!(known, [false, true, false, true]);
    }

    #[tokio::test]
    async fn one_instance_and_nonsense_are_no_routes() {
        let one = || instance("a:1", &[(0, ShardState::Serving)]);
        assert!(learned(vec![one()], 1).is_empty());
        assert!(learned(vec![one(), instance("b:1", &[])], u32::MAX).is_empty());
        assert_eq!(learned(vec![one(), instance("b:1", &[])], 1), [["a:1"]]);
    }
}
