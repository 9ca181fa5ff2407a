//! Makes topics that are missing and checks those that are there.

use super::{
    Inner,
    native::Described,
    properties::KafkaSettings,
    refused,
    watch::{self, PATIENCE},
};
use crate::{Kept, LogError, TopicId, TopicName, TopicSpec};
use rdkafka::{
    admin::{
        AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication,
    },
    config::FromClientConfigAndContext,
    error::RDKafkaErrorCode,
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long new topics may take until every partition has a leader.
const APPEAR: Duration = Duration::from_secs(20);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What the port's `ensure_topics` says, on Kafka.
pub(super) async fn ensure(
    kafka: &Arc<Inner>,
    specs: &[TopicSpec],
) -> Result<Vec<TopicId>, LogError> {
    let names: Vec<TopicName> = specs.iter().map(|spec| spec.name.clone()).collect();
    let found = look(kafka, &names).await?;
    check(kafka, specs, &found).await?;
    let missing: Vec<&TopicSpec> =
        specs.iter().zip(&found).filter(|(_, f)| f.is_none()).map(|(spec, _)| spec).collect();
    if missing.is_empty() {
        return Ok(take(kafka, specs, &found));
    }
    create(kafka, &missing).await?;
    let give_up = Instant::now() + APPEAR;
    loop {
        let found = look(kafka, &names).await?;
        if found.iter().all(|f| f.as_ref().is_some_and(|f| f.leaderless == 0)) {
            // Another process may have made them meanwhile, and in another way.
            check(kafka, specs, &found).await?;
            return Ok(take(kafka, specs, &found));
        }
        if Instant::now() > give_up {
            return Err(refused::unavailable(&kafka.context, "new topics have no leader yet"));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The largest batch that a topic takes, in bytes.
pub(super) async fn max_message_bytes(kafka: &Arc<Inner>, topic: &TopicName) -> Option<usize> {
    let configs = configs(kafka, &[topic]).await.ok()?;
    configs.first()?.get("max.message.bytes")?.parse().ok()
}

async fn look(kafka: &Arc<Inner>, names: &[TopicName]) -> Result<Vec<Option<Described>>, LogError> {
    let names = names.to_vec();
    kafka.ask(move |inner| watch::describe(inner.watch.asker(), &names)).await
}

fn take(kafka: &Inner, specs: &[TopicSpec], found: &[Option<Described>]) -> Vec<TopicId> {
    let found = specs.iter().zip(found.iter().flatten());
    found.map(|(spec, topic)| kafka.watch.uses(&spec.name, topic)).collect()
}

/// Names everything that doesn't fit, of all topics that are there.
async fn check(
    kafka: &Arc<Inner>,
    specs: &[TopicSpec],
    found: &[Option<Described>],
) -> Result<(), LogError> {
    let there: Vec<(&TopicSpec, &Described)> =
        specs.iter().zip(found).filter_map(|(spec, f)| Some((spec, f.as_ref()?))).collect();
    if there.is_empty() {
        return Ok(());
    }
    let names: Vec<&TopicName> = there.iter().map(|(spec, _)| &spec.name).collect();
    let configs = configs(kafka, &names).await?;
    let faults: Vec<String> = there
        .iter()
        .zip(&configs)
        .flat_map(|((spec, topic), config)| faults(spec, topic, config, &kafka.settings))
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(LogError::Unsuitable(faults.join("; "))) }
}

/// What of a topic doesn't fit, and what to do about it.
fn faults(
    spec: &TopicSpec,
    topic: &Described,
    config: &HashMap<String, String>,
    settings: &KafkaSettings,
) -> Vec<String> {
    let TopicSpec { name, partitions, kept } = spec;
    let mut faults = Vec::new();
    if topic.partitions != *partitions {
        faults.push(format!(
            "topic {name} has {} partitions and {partitions} were asked for: give --shards {}, or \
             use another cluster, as a topic's partitions can't be changed without losing which \
             record is where",
            topic.partitions, topic.partitions
        ));
    }
    let of = |key: &str| config.get(key).map_or("", String::as_str);
    let mend = |settings: &str| {
        format!(
            "mend it with: kafka-configs.sh --alter --entity-type topics --entity-name {name} \
             --add-config {settings}"
        )
    };
    let policy = of("cleanup.policy");
    match kept {
        Kept::Forever if policy != "delete" => faults.push(format!(
            "topic {name} has cleanup.policy={policy} (compacted) and its records must be kept \
             for ever: what compaction removed is gone; if that is nothing yet, {}",
            mend("cleanup.policy=delete,retention.ms=-1,retention.bytes=-1")
        )),
        Kept::Forever => {
            for key in ["retention.ms", "retention.bytes"].into_iter().filter(|k| of(k) != "-1") {
                faults.push(format!(
                    "topic {name} has {key}={} and its records must be kept for ever: {}",
                    of(key),
                    mend(&format!("{key}=-1"))
                ));
            }
        }
        Kept::Compacted if policy != "compact" => faults.push(format!(
            "topic {name} has cleanup.policy={policy} (kept for ever, or for a time) and must be \
             compacted: {}",
            mend("cleanup.policy=compact")
        )),
        Kept::Compacted => {}
    }
    if let Some(wanted) = settings.replication_factor
        && topic.replicas < u32::from(wanted)
    {
        faults.push(format!(
            "topic {name} is kept on {} brokers and --replication-factor is {wanted}: add replicas \
             with kafka-reassign-partitions.sh, or lower the setting",
            topic.replicas
        ));
    }
    if let Some(wanted) = settings.min_insync_replicas
        && of("min.insync.replicas").parse().unwrap_or(0) < wanted
    {
        faults.push(format!(
            "topic {name} has min.insync.replicas={} and --min-insync-replicas is {wanted}: {}",
            of("min.insync.replicas"),
            mend(&format!("min.insync.replicas={wanted}"))
        ));
    }
    faults
}

type Admin = AdminClient<super::context::Context>;

fn admin(kafka: &Inner) -> Result<Admin, LogError> {
    Admin::from_config_and_context(&kafka.settings.producer(), kafka.context.clone())
        .map_err(|e| super::unsuitable(&e))
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

/// Each topic's settings, in the order asked.
async fn configs(
    kafka: &Inner,
    names: &[&TopicName],
) -> Result<Vec<HashMap<String, String>>, LogError> {
    let asked: Vec<_> = names.iter().map(|n| ResourceSpecifier::Topic(n.as_str())).collect();
    let what = "its topics' settings";
    let answers = admin(kafka)?
        .describe_configs(&asked, &options())
        .await
        .map_err(|e| refused::failed_call(&kafka.context, what, &e))?;
    let entries = |config: ConfigResource| {
        let entries = config.entries.into_iter();
        entries.filter_map(|entry| Some((entry.name, entry.value?))).collect()
    };
    answers
        .into_iter()
        .map(|answer| answer.map(entries).map_err(|c| refused::failed(&kafka.context, what, c)))
        .collect()
}

async fn create(kafka: &Inner, specs: &[&TopicSpec]) -> Result<(), LogError> {
    let settings = &kafka.settings;
    let replicas = settings.replication_factor.map_or(-1, i32::from); // -1: the cluster's default
    let min_insync = settings.min_insync_replicas.map(|n| n.to_string());
    let new = specs.iter().map(|spec| new_topic(spec, replicas, min_insync.as_deref()));
    let topics: Vec<NewTopic<'_>> = new.collect();
    let answers = admin(kafka)?
        .create_topics(&topics, &options())
        .await
        .map_err(|e| refused::failed_call(&kafka.context, "new topics", &e))?;
    for answer in answers {
        match answer {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, RDKafkaErrorCode::InvalidReplicationFactor)) => {
                return Err(LogError::Unsuitable(format!(
                    "topic {name} can't be made on so many brokers: start more, or lower \
                     --replication-factor"
                )));
            }
            Err((name, code)) => {
                return Err(refused::failed(&kafka.context, &format!("making topic {name}"), code));
            }
        }
    }
    tracing::info!(topics = ?specs.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), "made");
    Ok(())
}

fn new_topic<'a>(spec: &'a TopicSpec, replicas: i32, min_insync: Option<&'a str>) -> NewTopic<'a> {
    let partitions = i32::try_from(spec.partitions).unwrap_or(i32::MAX);
    let topic = NewTopic::new(spec.name.as_str(), partitions, TopicReplication::Fixed(replicas));
    let topic = match spec.kept {
        Kept::Forever => topic
            .set("cleanup.policy", "delete")
            .set("retention.ms", "-1")
            .set("retention.bytes", "-1"),
        // Rolled each hour: Kafka compacts no segment that it still appends to, and would append to
        // one for a week.
        Kept::Compacted => topic.set("cleanup.policy", "compact").set("segment.ms", "3600000"),
    };
    match min_insync {
        Some(min) => topic.set("min.insync.replicas", min),
        None => topic,
    }
}
