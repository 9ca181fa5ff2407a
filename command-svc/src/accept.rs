//! Accepts a command: decide what happened, encode it, find its partition, append it, prove it.

use crate::{
    Clock, cloud_event,
    command::{Command, Goods, Wish},
    ids::Ids,
    status::Refusal,
};
use std::sync::{Arc, OnceLock};
use tandem_codec::Codec;
use tandem_domain::{
    CustomerEvent, CustomerId, Event, EventId, Greeting, Millis, Order, OrderEvent, OrderId, Topic,
};
use tandem_eventlog::{Log, NewRecord, Offset, Partition, TopicId, TopicPartition, partition_for};
use tandem_proto::receipt::{self, Proof, topic_tag};
use tandem_service::deadline::Deadline;
use tokio::sync::Semaphore;

/// Appends under way at a time. An append goes on when its caller has gone, so the bound on calls
/// doesn't bound these: while the log hangs, callers that give up and come again would pile them
/// up without end.
const MAX_APPENDS: usize = 4096;

/// What accepted a command's event is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// What was written.
    pub(crate) event: Event,
    /// Proof of it.
    pub(crate) receipt: String,
}

/// What a call brings along besides its command.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) deadline: Deadline,
    pub(crate) traceparent: Option<String>,
}

/// Turns commands into records on the log.
pub(crate) struct Acceptor {
    shards: u32,
    clock: Clock,
    log: Log,
    codec: Codec,
    appends: Arc<Semaphore>,
    /// The tags of [`Topic::ALL`], known once the topics are there.
    tags: OnceLock<[u64; Topic::ALL.len()]>,
}

impl Acceptor {
    pub(crate) fn new(shards: u32, clock: Clock, log: Log, codec: Codec) -> Self {
        let appends = Arc::new(Semaphore::new(MAX_APPENDS));
        Self { shards, clock, log, codec, appends, tags: OnceLock::new() }
    }

    /// Decides the command and answers once its event is durable.
    pub(crate) async fn accept(
        &self,
        command: Command,
        context: Context,
    ) -> Result<Accepted, Refusal> {
        let tags = self.tags.get().ok_or(Refusal::NotReady)?;
        let now = self.clock.now();
        let (id, event) = decide(command, now);
        let record = self.record(&event, &id, now, context.traceparent.as_deref())?;
        let partition = record.to.partition;
        let offset = self.append(record, context.deadline).await?;
        let proof = prove(event.topic(), tags, partition, offset);
        Ok(Accepted { receipt: receipt::encode(&[proof]), event })
    }

    fn record(
        &self,
        event: &Event,
        id: &EventId,
        now: Millis,
        traceparent: Option<&str>,
    ) -> Result<NewRecord, Refusal> {
        let key = event.key().as_bytes();
        let partition = partition_for(key, self.shards);
        Ok(NewRecord {
            to: TopicPartition { topic: event.topic().name().into(), partition },
            timestamp_ms: now.0,
            key: Some(key.to_vec().into()),
            value: Some(self.codec.encode(event)?),
            headers: cloud_event::headers(event, id, now, traceparent),
        })
    }

    /// The append runs as a task of its own, so that a caller who goes away doesn't stop it half
    /// way: once begun it ends, durable or refused, whether or not anybody still waits for it.
    async fn append(&self, record: NewRecord, deadline: Deadline) -> Result<Offset, Refusal> {
        let slot = self.appends.clone().try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let log = self.log.clone();
        let append = tokio::spawn(async move {
            let result = log.append(record).await;
            drop(slot);
            result
        });
        let ended = deadline.bound(append).await.map_err(|_| Refusal::Unconfirmed)?;
        Ok(ended.map_err(|_| Refusal::Broken)??)
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    pub(crate) fn codec(&self) -> &Codec {
        &self.codec
    }

    pub(crate) fn shards(&self) -> u32 {
        self.shards
    }

    /// Takes the ids of [`Topic::ALL`]; commands are accepted from then on.
    pub(crate) fn topics_are(&self, ids: [TopicId; Topic::ALL.len()]) {
        self.tags.get_or_init(|| ids.map(|TopicId(id)| topic_tag(&id)));
    }
}

/// What happens when the command is taken, and the event's id. Pure but for ids that are made
/// without a `request_id`.
fn decide(command: Command, now: Millis) -> (EventId, Event) {
    let Command { request_id, wish } = command;
    let ids = Ids { request_id, method: wish.method() };
    let event = match wish {
        Wish::CreateCustomer { customer_id, person } => {
            let customer = person.called(customer_id.unwrap_or_else(|| ids.customer()));
            Event::Customer(CustomerEvent::Registered(customer))
        }
        Wish::UpdateCustomer(customer) => Event::Customer(CustomerEvent::Updated(customer)),
        Wish::RemoveCustomer(id) => Event::Customer(CustomerEvent::Removed(id)),
        Wish::PlaceOrder { order_id, customer_id, goods } => {
            let order_id = order_id.unwrap_or_else(|| ids.order());
            Event::Order(OrderEvent::Placed(order(order_id, customer_id, goods, now)))
        }
        Wish::UpdateOrder { order_id, customer_id, goods } => {
            Event::Order(OrderEvent::Updated(order(order_id, customer_id, goods, now)))
        }
        Wish::CancelOrder { order_id, customer_id } => {
            Event::Order(OrderEvent::Cancelled { customer_id, order_id })
        }
        Wish::SendGreeting { greeting_id, message } => {
            let greeting_id = greeting_id.unwrap_or_else(|| ids.greeting());
            Event::Greeting(Greeting { greeting_id, message, timestamp: now })
        }
    };
    (ids.event(), event)
}

fn order(order_id: OrderId, customer_id: CustomerId, goods: Goods, now: Millis) -> Order {
    let Goods { item_name: order_item_name, place: order_place } = goods;
    Order { order_id, customer_id, order_item_name, order_place, order_purchase_time: now }
}

fn prove(
    topic: Topic,
    tags: &[u64; Topic::ALL.len()],
    partition: Partition,
    offset: Offset,
) -> Proof {
    Proof {
        topic: topic.name().to_owned(),
        topic_tag: tags[topic as usize],
        partition: partition.0,
        position: offset.next().0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_lie_where_they_are_looked_for() {
        for (n, topic) in Topic::ALL.into_iter().enumerate() {
            assert_eq!(topic as usize, n);
        }
    }
}
