//! A place in a consumer group: who has which partitions. The member reads nothing itself.
//!
//! It subscribes to the topic, so that the group's coordinator shares its partitions and notices
//! who died, and pauses what it is given.

use super::context::Context;
use crate::{LogError, Membership, Partition, TopicName};
use async_trait::async_trait;
use rdkafka::{
    ClientConfig, ClientContext, Offset, TopicPartitionList,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};
use tokio::sync::watch;

/// How long a turn of the member's thread waits for something to happen: leaving takes as long.
const TURN: Duration = Duration::from_millis(50);
/// How long leaving is waited for, should the group's coordinator not answer.
const LEAVE: Duration = Duration::from_secs(1);
/// How long to wait before joining anew after the group refused.
const PAUSE: Duration = Duration::from_secs(2);

type Member = BaseConsumer<MemberContext>;

/// A place in a group; dropping it leaves.
pub(super) struct Place {
    assigned: watch::Receiver<Option<Vec<Partition>>>,
    leaves: Arc<AtomicBool>,
    /// Ends when the member has left.
    attends: Mutex<mpsc::Receiver<()>>,
}

impl Place {
    /// Joins on a thread of its own: the group's coordinator may take its time.
    pub(super) fn join(
        config: ClientConfig,
        context: Context,
        topic: &TopicName,
    ) -> Result<Self, LogError> {
        let (tell, assigned) = watch::channel(None);
        let leaves = Arc::new(AtomicBool::new(false));
        let (until_left, attends) = mpsc::channel();
        let context = MemberContext { context, has: Arc::default(), tell };
        // Made once here, so that a property that isn't one is told at once.
        let mut member = Some(take_seat(&config, &context, topic).map_err(|e| unsuitable(&e))?);
        let (told, topic) = (leaves.clone(), topic.clone());
        let attend = move || {
            let _until_left: mpsc::Sender<()> = until_left;
            while !told.load(Ordering::Relaxed) {
                match member.take().map_or_else(|| take_seat(&config, &context, &topic), Ok) {
                    Ok(seat) => attend(&seat, &told),
                    Err(error) => tracing::warn!(%error, "the group can't be joined"),
                }
                if !told.load(Ordering::Relaxed) {
                    thread::sleep(PAUSE);
                }
            }
        };
        thread::Builder::new()
            .name("kafka-group".into())
            .spawn(attend)
            .map_err(|e| LogError::Unavailable(format!("no thread to be had: {e}")))?;
        Ok(Self { assigned, leaves, attends: Mutex::new(attends) })
    }
}

#[async_trait]
impl Membership for Place {
    async fn leave(self: Box<Self>) {
        // Dropping it waits for the group's coordinator.
        if let Err(error) = tokio::task::spawn_blocking(move || drop(self)).await {
            tracing::error!(%error, "the group was not left in order");
        }
    }

    async fn next(&mut self) -> Result<Vec<Partition>, LogError> {
        loop {
            let gone = |_| LogError::Unavailable("the group's thread has ended".into());
            self.assigned.changed().await.map_err(gone)?;
            if let Some(assigned) = self.assigned.borrow_and_update().clone() {
                return Ok(assigned);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leaves.store(true, Ordering::Relaxed);
        // Mostly the process ends next, and a member that goes without a word keeps its partitions
        // from the others until its session has timed out.
        let attends = self.attends.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = attends.recv_timeout(LEAVE);
    }
}

fn take_seat(
    config: &ClientConfig,
    context: &MemberContext,
    topic: &TopicName,
) -> KafkaResult<Member> {
    let member = Member::from_config_and_context(config, context.clone())?;
    // Who takes a seat has nothing yet.
    context.has.lock().unwrap_or_else(PoisonError::into_inner).clear();
    member.subscribe(&[topic.as_str()])?;
    Ok(member)
}

/// Serves the group until the member leaves, or can't go on.
fn attend(seat: &Member, leaves: &AtomicBool) {
    while !leaves.load(Ordering::Relaxed) {
        match seat.poll(TURN) {
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                tracing::warn!(%error, "the group refuses this member; joining anew");
                return;
            }
            Some(Err(error)) => tracing::debug!(%error, "the group"),
            Some(Ok(_)) | None => {}
        }
    }
}

fn unsuitable(error: &KafkaError) -> LogError {
    LogError::Unsuitable(format!("the group can't be joined: {error}; mend the --kafka property"))
}

/// Hears what the group assigns.
#[derive(Clone)]
struct MemberContext {
    context: Context,
    has: Arc<Mutex<BTreeSet<Partition>>>,
    tell: watch::Sender<Option<Vec<Partition>>>,
}

impl ClientContext for MemberContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }
}

impl ConsumerContext for MemberContext {
    /// Both protocols tell only what changes. Offsets are set so that none are asked for.
    fn rebalance(&self, seat: &Member, error: RDKafkaRespErr, changed: &mut TopicPartitionList) {
        let partitions: Vec<Partition> = changed
            .elements()
            .iter()
            .filter_map(|e| u32::try_from(e.partition()).ok().map(Partition))
            .collect();
        let mut has = self.has.lock().unwrap_or_else(PoisonError::into_inner);
        if error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let done = changed
                .set_all_offsets(Offset::End)
                .and_then(|()| seat.incremental_assign(changed))
                .and_then(|()| seat.pause(changed));
            log_failure(done);
            has.extend(partitions);
        } else {
            // Lost is not taken away: the group couldn't be reached. Whoever holds a partition
            // goes on with it, until the group says otherwise.
            let is_lost = seat.assignment_lost();
            log_failure(seat.incremental_unassign(changed));
            has.retain(|partition| !partitions.contains(partition));
            if is_lost {
                tracing::warn!("the group was lost; holding what is held until it is back");
                return;
            }
        }
        let all: Vec<Partition> = has.iter().copied().collect();
        self.tell.send_if_modified(|told| {
            let is_new = told.as_ref() != Some(&all);
            *told = Some(all);
            is_new
        });
    }

    fn pre_rebalance(&self, _: &Member, _: &Rebalance<'_>) {}
}

fn log_failure(done: KafkaResult<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "the group's assignment can't be taken as it is");
    }
}
