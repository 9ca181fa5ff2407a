//! Several query services on one log: what they say of each other, and following a customer
//! through them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use tandem_proto::v1::{
    ListInstancesRequest, ListInstancesResponse, ShardState, WatchCustomerOrdersRequest,
    WatchCustomerOrdersResponse,
};
use tonic::{Status, Streaming};

use crate::{
    eventually::{PATIENCE, eventually},
    launch::Launch,
    services::Services,
    tandem::Tandem,
};

/// Two for each of three instances.
pub const SHARDS: u32 = 6;

/// One process with three query services.
pub async fn three(data: &Path) -> (Tandem, Vec<Services>) {
    let launch = Launch::on(data).with("--query-instances", 3).with("--shards", SHARDS);
    let tandem = launch.start().await;
    let instances = tandem.instances().await;
    (tandem, instances)
}

/// Which instance serves each shard, once each is served by one, none is idle, and all of them
/// say the same.
pub async fn holders(instances: &[Services]) -> BTreeMap<u32, String> {
    eventually("each shard has one holder, and all agree who", async || {
        let mut said = BTreeSet::new();
        for instance in instances {
            said.insert(holders_heard(&instance.heard().await, instances.len())?);
        }
        (said.len() == 1).then(|| said.pop_first()).flatten()
    })
    .await
}

fn holders_heard(heard: &ListInstancesResponse, count: usize) -> Option<BTreeMap<u32, String>> {
    let held = heard.instances.iter().flat_map(|i| i.shards.iter().map(move |s| (i, s)));
    let held: Vec<_> = held.collect();
    let all_serve = held.iter().all(|(_, shard)| shard.state() == ShardState::Serving);
    let holders: BTreeMap<_, _> =
        held.iter().map(|(i, shard)| (shard.shard, i.instance_id.clone())).collect();
    let busy: BTreeSet<_> = holders.values().collect();
    let once = holders.len() == held.len() && holders.len() == heard.shard_count as usize;
    let complete = busy.len() == count && heard.instances.len() == count;
    (all_serve && once && complete).then_some(holders)
}

/// A watch of one customer.
pub struct Watch(Streaming<WatchCustomerOrdersResponse>);

impl Watch {
    /// The next document.
    pub async fn next(&mut self) -> WatchCustomerOrdersResponse {
        self.message().await.unwrap().expect("a watch has no end of its own")
    }

    /// Reads to the end; gives how it ended.
    pub async fn ended(mut self) -> Status {
        loop {
            if let Err(status) = self.message().await {
                return status;
            }
        }
    }

    async fn message(&mut self) -> Result<Option<WatchCustomerOrdersResponse>, Status> {
        tokio::time::timeout(PATIENCE, self.0.message()).await.expect("it comes in time")
    }
}

impl Services {
    /// What this instance says of all, itself first.
    pub async fn heard(&self) -> ListInstancesResponse {
        self.queries().list_instances(ListInstancesRequest {}).await.unwrap().into_inner()
    }

    /// What this instance calls itself.
    pub async fn own_id(&self) -> String {
        self.heard().await.instances[0].instance_id.clone()
    }

    /// Follows a customer, from what the token says was seen.
    pub async fn watch(&self, customer_id: &str, resume_token: &str) -> Watch {
        let (customer_id, resume_token) = (customer_id.into(), resume_token.into());
        let asked = WatchCustomerOrdersRequest { customer_id, resume_token, freshness: None };
        Watch(self.queries().watch_customer_orders(asked).await.unwrap().into_inner())
    }
}
