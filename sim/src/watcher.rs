//! Watches one customer: never back, never the same twice, and the latest at last.

use std::{rc::Rc, time::Duration};
use tandem_proto::v1;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Streaming};

use crate::{
    ledger::Positions,
    wire::{self, Document},
    world::World,
};

/// How long it takes at most, once nothing happens any more, until the latest has been seen.
const AT_LAST: Duration = Duration::from_secs(60);

/// How long a watch is silent until that is looked into.
const QUIET: Duration = Duration::from_secs(3);

struct Watcher {
    world: Rc<World>,
    rng: fastrand::Rng,
    id: String,
    shard: u32,
    token: String,
    last: Option<(Positions, Document)>,
}

/// Watches until everything has been seen.
pub(crate) async fn watch(world: Rc<World>, nth: u32) {
    let rng = world.rng(&format!("watcher {nth}"));
    let id = format!("c{nth}");
    let shard = world.shard_of(&id);
    let watcher =
        Watcher { world: world.clone(), rng, id, shard, token: String::new(), last: None };
    if let Err(what) = watcher.watch().await {
        world.found(what);
    }
}

impl Watcher {
    async fn watch(mut self) -> Result<(), String> {
        let mut rests_since = None;
        loop {
            sleep(Duration::from_millis(self.rng.u64(1..100))).await;
            if self.world.rest.is_cancelled() {
                let since = *rests_since.get_or_insert_with(Instant::now);
                match (self.has_all(), since.elapsed() > AT_LAST) {
                    (true, _) => return Ok(()),
                    (false, true) => {
                        let (id, last) = (&self.id, &self.last);
                        return Err(format!("a watcher of {id} never saw the latest: {last:?}"));
                    }
                    (false, false) => {}
                }
            }
            let Some((contact, address)) = self.world.contact(&mut self.rng) else { continue };
            let request = v1::WatchCustomerOrdersRequest {
                customer_id: self.id.clone(),
                resume_token: self.token.clone(),
                freshness: None,
            };
            let mut client = self.world.client(&address);
            match client.watch_customer_orders(request).await {
                Ok(documents) => self.follow(&contact, documents.into_inner()).await?,
                Err(status) => self.ended(&contact, &status)?,
            }
        }
    }

    /// Reads for a while, now faster, now slower, and now and then goes away by itself.
    async fn follow(
        &mut self,
        contact: &str,
        mut documents: Streaming<v1::WatchCustomerOrdersResponse>,
    ) -> Result<(), String> {
        for _ in 0..self.rng.u32(1..60) {
            // A quiet customer has no news.
            match timeout(QUIET, documents.message()).await {
                Ok(Ok(Some(document))) => self.see(document)?,
                Ok(Ok(None)) => return Err(format!("{contact} ended a watch without a status")),
                Ok(Err(status)) => return self.ended(contact, &status),
                Err(_) => {
                    self.judge_silence(contact)?;
                    if self.world.rest.is_cancelled() {
                        return Ok(());
                    }
                }
            }
            sleep(Duration::from_millis(self.rng.u64(0..200))).await;
        }
        Ok(())
    }

    /// A watch may end for a reason that says that it may be resumed.
    fn ended(&self, contact: &str, status: &tonic::Status) -> Result<(), String> {
        self.world.note(&format!("{contact} ends a watch with {:?}", status.code()));
        match status.code() {
            Code::Unavailable => Ok(()),
            _ => Err(format!("{contact} ends a watch with {status:?}")),
        }
    }

    fn see(&mut self, document: v1::WatchCustomerOrdersResponse) -> Result<(), String> {
        let served = document.served.ok_or("a document that doesn't say who served it")?;
        let any = v1::Freshness::default();
        let now = Instant::now();
        // It may have waited to be read, so how fresh it was isn't judged by now.
        let served = v1::Served {
            staleness: Some(prost_types::Duration { seconds: 3_000, nanos: 0 }),
            ..served
        };
        let positions = self.world.positions(self.shard, &served, now, &any)?;
        let seen = (document.customer.unwrap_or_default(), document.registered, document.orders);
        let (id, holder) = (&self.id, &served.instance_id);
        self.world.note(&format!("a watcher of {id} sees {positions:?} of {holder}"));
        if let Some((before, last)) = &self.last {
            if positions.iter().zip(before).any(|(now, before)| now < before) {
                return Err(format!(
                    "a watcher of {id} goes back from {before:?} to {positions:?} of {holder}"
                ));
            }
            if *last == seen {
                return Err(format!("a watcher of {id} sees the same again from {holder}"));
            }
        }
        let expected = wire::document(&self.world.ledger.borrow().fold(self.shard, positions), id);
        if seen != expected {
            return Err(format!("a watcher of {id} sees {seen:?}, not {expected:?}, of {holder}"));
        }
        (self.token, self.last) = (document.resume_token, Some((positions, seen)));
        Ok(())
    }

    /// A watch that is silent for long has told what there was.
    fn judge_silence(&self, contact: &str) -> Result<(), String> {
        let ledger = self.world.ledger.borrow();
        let before = ledger.ends_before(Instant::now() - QUIET, self.shard);
        let told = self.last.as_ref().is_some_and(|(positions, last)| {
            positions.iter().zip(before).all(|(told, there)| *told >= there)
                || *last == wire::document(&ledger.fold(self.shard, before), &self.id)
        });
        match !told && self.world.had_to_answer(contact, self.shard) {
            true => Err(format!("{contact} doesn't tell a watcher of {} of {before:?}", self.id)),
            false => Ok(()),
        }
    }

    /// Whether it has seen the document as it is now.
    fn has_all(&self) -> bool {
        let ledger = self.world.ledger.borrow();
        let rows = ledger.fold(self.shard, ledger.ends(self.shard));
        self.last.as_ref().is_some_and(|(_, last)| *last == wire::document(&rows, &self.id))
    }
}
