//! What has to hold once nothing happens any more.

use std::{collections::BTreeSet, rc::Rc, time::Duration};
use tandem_processor::{GONE_AFTER, Need, Page};
use tandem_proto::v1;
use tokio::time::{Instant, sleep};

use crate::{
    ledger::{Rows, SHARDS},
    lists::{self, List},
    world::World,
};

/// How long it takes at most until all is at rest: a shard that nobody takes is held for long.
const AT_MOST: Duration = Duration::from_secs(120);

/// Waits for rest, and looks at everything then.
pub(crate) async fn check(world: &Rc<World>) -> Result<(), String> {
    let end = Instant::now() + AT_MOST;
    while !world.is_at_rest() {
        if Instant::now() > end {
            let nodes = world.nodes.borrow();
            let held: Vec<_> = nodes
                .values()
                .filter(|node| node.is_up())
                .map(|node| (&node.id, node.is_serving(), node.shards()))
                .collect();
            return Err(format!("it does not come to rest: {held:?}"));
        }
        sleep(Duration::from_millis(100)).await;
    }
    sleep(GONE_AFTER + Duration::from_secs(1)).await;
    copies(world).await?;
    answers(world).await
}

/// Every copy of every shard is the plain fold of the log.
async fn copies(world: &World) -> Result<(), String> {
    let reads: Vec<_> = {
        let nodes = world.nodes.borrow();
        nodes.values().filter_map(|node| Some((node.id.clone(), node.reads()?))).collect()
    };
    for (id, reads) in reads {
        for status in reads.status() {
            let need = Need::default();
            let read = reads.read(status.shard, &need, Instant::now(), |view| {
                let rows = Rows {
                    customers: all(view.customers(None, usize::MAX)?)
                        .map(|c| (c.customer_id.as_str().into(), c))
                        .collect(),
                    orders: all(view.joined_orders(None, usize::MAX)?)
                        .map(|joined| joined.order)
                        .map(|o| ((o.customer_id.as_str().into(), o.order_id.as_str().into()), o))
                        .collect(),
                    greetings: all(view.greetings(None, usize::MAX)?)
                        .map(|g| (g.greeting_id.as_str().into(), g))
                        .collect(),
                    rejects: all(view.rejects(None, usize::MAX)?)
                        .map(|r| (r.topic, r.offset))
                        .collect(),
                };
                Ok(rows)
            });
            let (rows, _) = read.await.map_err(|e| format!("at rest {id} answers {e}"))?;
            let shard = status.shard.0;
            let ledger = world.ledger.borrow();
            let expected = ledger.fold(shard, ledger.ends(shard));
            let rejects = u64::try_from(expected.rejects.len()).unwrap_or(u64::MAX);
            if rows != expected || status.rejects != rejects {
                return Err(format!(
                    "shard {shard} of {id} is {rows:?} with {} rejects, a plain fold gives \
                     {expected:?}",
                    status.rejects
                ));
            }
        }
    }
    Ok(())
}

fn all<T>(page: Page<T>) -> std::vec::IntoIter<T> {
    page.rows.into_iter()
}

/// Every instance gives every list whole, and knows exactly those that are there.
async fn answers(world: &World) -> Result<(), String> {
    let up: Vec<(String, String)> = {
        let nodes = world.nodes.borrow();
        let up = nodes.values().filter(|node| node.is_up());
        up.map(|node| (node.id.clone(), node.address.clone())).collect()
    };
    let there: BTreeSet<&str> = up.iter().map(|(id, _)| &**id).collect();
    for (id, address) in &up {
        for list in List::ALL {
            lists::whole(world, address, list).await?;
        }
        let asked = world.client(address).list_instances(v1::ListInstancesRequest {}).await;
        let known = asked.map_err(|s| format!("{id} answers ListInstances with {s:?}"))?;
        let known = known.into_inner();
        let heard: BTreeSet<&str> = known.instances.iter().map(|i| &*i.instance_id).collect();
        if heard != there || known.shard_count != SHARDS || !known.ignored.is_empty() {
            return Err(format!("{id} knows {heard:?}, there are {there:?}; {:?}", known.ignored));
        }
    }
    Ok(())
}
