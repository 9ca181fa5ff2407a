//! Which topics there are, in memory and in the store.

use super::{
    keys::{self, Lane},
    refused,
    store::{Store, reading_from},
    tail::Tail,
};
use crate::{Kept, LogError, Offset, Partition, TopicId, TopicName, TopicPartition, TopicSpec};
use rocksdb::{DB, WriteBatch};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

/// A topic as it is stored, under its name.
#[derive(serde::Serialize, serde::Deserialize)]
struct Stored {
    number: u32,
    id: String,
    partitions: u32,
    compacted: bool,
}

/// A topic that is open.
pub(super) struct Topic {
    number: u32,
    id: TopicId,
    spec: TopicSpec,
    tails: Vec<Tail>,
}

/// One partition of an open topic, found once and then kept.
#[derive(Clone)]
pub(super) struct Place {
    topic: Arc<Topic>,
    partition: Partition,
}

/// All topics, by name. Topics are only ever added.
pub(super) struct Topics {
    by_name: RwLock<BTreeMap<TopicName, Arc<Topic>>>,
}

impl Topics {
    /// Loads all topics and finds where their partitions end.
    pub(super) fn load(store: &Store) -> Result<Self, LogError> {
        let stored = store.with(|db| {
            let mut stored = Vec::new();
            let range = reading_from(&keys::FIRST_TOPIC, &keys::AFTER_TOPICS);
            for entry in db.iterator_opt(rocksdb::IteratorMode::Start, range) {
                stored.push(entry?);
            }
            Ok(stored)
        })?;
        let mut by_name = BTreeMap::new();
        for (key, value) in stored {
            let name = keys::topic_name(&key).map(TopicName::from);
            let (Some(name), Ok(stored)) = (name, postcard::from_bytes(&value)) else {
                return Err(LogError::Unsuitable(
                    "the log was stored by another version: start with that version, or with \
                     another --data-dir"
                        .into(),
                ));
            };
            let topic = store.with(|db| Topic::open(name.clone(), stored, db))?;
            by_name.insert(name, Arc::new(topic));
        }
        Ok(Self { by_name: RwLock::new(by_name) })
    }

    /// Creates what is missing of `asked` and checks the rest; gives each one's id. The topics
    /// are written in one batch, so either all are there afterwards or nothing has changed.
    pub(super) fn ensure(
        &self,
        store: &Store,
        asked: &[TopicSpec],
    ) -> Result<Vec<TopicId>, LogError> {
        // Held during the one write, so that two callers don't create the same topic twice. That
        // is a sync of the disk at most, once at the start of a process.
        let mut open = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = open.clone();
        let mut batch = WriteBatch::default();
        for spec in asked {
            match all.get(&spec.name) {
                Some(topic) => check(&topic.spec, spec)?,
                None => {
                    let topic = Topic::create(spec, next_number(&all), &mut batch)?;
                    all.insert(spec.name.clone(), Arc::new(topic));
                }
            }
        }
        if !batch.is_empty() {
            store.write_durably(batch)?;
        }
        *open = all;
        Ok(asked.iter().filter_map(|spec| Some(open.get(&spec.name)?.id.clone())).collect())
    }

    /// The partition that is called that.
    pub(super) fn find(&self, at: &TopicPartition) -> Result<Place, LogError> {
        let open = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let topic = open.get(&at.topic).ok_or_else(|| refused::no_topic(&at.topic))?;
        if at.partition.0 >= topic.spec.partitions {
            return Err(refused::no_partition(at, topic.spec.partitions));
        }
        Ok(Place { topic: topic.clone(), partition: at.partition })
    }

    /// What the topic of that name is like.
    pub(super) fn spec(&self, name: &TopicName) -> Result<TopicSpec, LogError> {
        let open = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        open.get(name).map(|topic| topic.spec.clone()).ok_or_else(|| refused::no_topic(name))
    }

    /// Every partition of every topic.
    pub(super) fn places(&self) -> Vec<Place> {
        let open = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        open.values()
            .flat_map(|topic| {
                (0..topic.spec.partitions)
                    .map(|n| Place { topic: topic.clone(), partition: Partition(n) })
            })
            .collect()
    }
}

impl Topic {
    fn create(spec: &TopicSpec, number: u32, batch: &mut WriteBatch) -> Result<Self, LogError> {
        if spec.partitions == 0 {
            return Err(refused::no_partitions(&spec.name));
        }
        let id = uuid::Uuid::new_v4().to_string();
        let stored = Stored {
            number,
            id: id.clone(),
            partitions: spec.partitions,
            compacted: spec.kept == Kept::Compacted,
        };
        let value = postcard::to_stdvec(&stored)
            .map_err(|error| LogError::Unsuitable(format!("topic {}: {error}", spec.name)))?;
        batch.put(keys::topic(spec.name.as_str()), value);
        let tails = (0..spec.partitions).map(|_| Tail::at(Offset(0))).collect();
        Ok(Self { number, id: TopicId(id.into()), spec: spec.clone(), tails })
    }

    fn open(name: TopicName, stored: Stored, db: &DB) -> Result<Self, rocksdb::Error> {
        let Stored { number, id, partitions, compacted } = stored;
        let kept = if compacted { Kept::Compacted } else { Kept::Forever };
        let tails = (0..partitions)
            .map(|n| end_in(db, Lane { topic: number, partition: Partition(n) }).map(Tail::at))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            number,
            id: TopicId(id.into()),
            spec: TopicSpec { name, partitions, kept },
            tails,
        })
    }
}

impl Place {
    /// Where its records lie in the store.
    pub(super) fn lane(&self) -> Lane {
        Lane { topic: self.topic.number, partition: self.partition }
    }

    /// Its end, known to all.
    pub(super) fn tail(&self) -> &Tail {
        &self.topic.tails[self.partition.0 as usize]
    }

    pub(super) fn topic_id(&self) -> &TopicId {
        &self.topic.id
    }

    pub(super) fn is_compacted(&self) -> bool {
        self.topic.spec.kept == Kept::Compacted
    }

    /// Its name in the port's words.
    pub(super) fn name(&self) -> TopicPartition {
        TopicPartition { topic: self.topic.spec.name.clone(), partition: self.partition }
    }
}

/// Where a partition ends, by its last record. Compaction never takes the last one away.
pub(super) fn end_in(db: &DB, lane: Lane) -> Result<Offset, rocksdb::Error> {
    let mut records = db.raw_iterator_opt(reading_from(&lane.key(Offset(0)), &lane.after()));
    records.seek_to_last();
    records.status()?;
    Ok(records.key().and_then(|key| lane.offset(key)).map_or(Offset(0), Offset::next))
}

fn next_number(topics: &BTreeMap<TopicName, Arc<Topic>>) -> u32 {
    topics.values().map(|topic| topic.number + 1).max().unwrap_or(0)
}

fn check(have: &TopicSpec, asked: &TopicSpec) -> Result<(), LogError> {
    if have.partitions != asked.partitions {
        return Err(refused::other_count(have, asked));
    }
    if have.kept != asked.kept {
        return Err(refused::other_kept(have, asked));
    }
    Ok(())
}
