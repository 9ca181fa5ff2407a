//! Groups whose members are in this process: who is in, what each has, and telling them.

use super::share::share;
use crate::{LogError, Membership, Partition, TopicSpec};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// All groups, by name. Kept in order, so that the same joins and leaves give the same shares.
#[derive(Default)]
pub(super) struct Groups {
    by_name: Mutex<BTreeMap<String, Group>>,
}

struct Group {
    topic: TopicSpec,
    members: BTreeMap<String, watch::Sender<Vec<Partition>>>,
}

/// A place in a group; dropping it leaves.
struct Place {
    groups: Arc<Groups>,
    group: String,
    member: String,
    assigned: watch::Receiver<Vec<Partition>>,
}

impl Groups {
    /// Takes `member` into `group` and shares anew.
    pub(super) fn join(
        self: &Arc<Self>,
        group: &str,
        member: &str,
        topic: TopicSpec,
    ) -> Result<Box<dyn Membership>, LogError> {
        let mut groups = self.lock();
        let joined = groups
            .entry(group.to_owned())
            .or_insert_with(|| Group { topic: topic.clone(), members: BTreeMap::new() });
        if joined.topic != topic {
            return Err(LogError::Unsuitable(format!(
                "group {group} shares topic {}, {} was asked for: give each group one topic",
                joined.topic.name, topic.name
            )));
        }
        if joined.members.contains_key(member) {
            return Err(LogError::Unsuitable(format!(
                "group {group} has a member {member} already: give each member its own name"
            )));
        }
        let (tell, mut assigned) = watch::channel(Vec::new());
        // The first assignment is news even if it is empty.
        assigned.mark_changed();
        joined.members.insert(member.to_owned(), tell);
        joined.share();
        let (group, member) = (group.to_owned(), member.to_owned());
        Ok(Box::new(Place { groups: self.clone(), group, member, assigned }))
    }

    fn leave(&self, group: &str, member: &str) {
        let mut groups = self.lock();
        if let Some(left) = groups.get_mut(group) {
            left.members.remove(member);
            left.share();
            // An empty group is forgotten, so that the next may share another topic.
            if left.members.is_empty() {
                groups.remove(group);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Group>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    /// Shares anew and tells those members whose share is another now.
    fn share(&self) {
        let held = self.members.iter().map(|(name, tell)| (name.clone(), tell.borrow().clone()));
        let mut shares = share(self.topic.partitions, &held.collect());
        for (name, tell) in &self.members {
            let share = shares.remove(name).unwrap_or_default();
            tell.send_if_modified(|have| {
                let is_new = *have != share;
                *have = share;
                is_new
            });
        }
    }
}

#[async_trait]
impl Membership for Place {
    async fn leave(self: Box<Self>) {}

    async fn next(&mut self) -> Result<Vec<Partition>, LogError> {
        // The sender lives as long as this membership does.
        let gone = |_| LogError::Unavailable("the group is gone".into());
        self.assigned.changed().await.map_err(gone)?;
        Ok(self.assigned.borrow_and_update().clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.groups.leave(&self.group, &self.member);
    }
}
