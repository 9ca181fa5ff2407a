//! Clauses about sharing partitions in a group.

use super::tools::{eventually, new_topic};
use crate::{Log, LogError, Membership, Partition, TopicName};
use futures::future::select_all;

const PARTITIONS: u32 = 6;

/// The only member of a group gets all of its partitions.
pub async fn a_single_member_gets_all(log: &Log, prefix: &str) {
    let topic = shared_topic(log, prefix).await;
    let mut seats = [Seat::take(log, prefix, "a", &topic).await];
    settled("all", &mut seats, |seats| seats[0].has == all()).await;
}

/// A second member takes over about half; at the end each partition is with one of them.
pub async fn two_members_share(log: &Log, prefix: &str) {
    let topic = shared_topic(log, prefix).await;
    let mut seats =
        [Seat::take(log, prefix, "a", &topic).await, Seat::take(log, prefix, "b", &topic).await];
    settled("an even share", &mut seats, |seats| {
        is_shared(seats) && seats.iter().all(|seat| seat.has.len() == 3)
    })
    .await;
}

/// What a member had goes to those who stay when it leaves, and they keep what they have.
pub async fn a_leaver_gives_its_share_back(log: &Log, prefix: &str) {
    let topic = shared_topic(log, prefix).await;
    let mut seats = vec![
        Seat::take(log, prefix, "a", &topic).await,
        Seat::take(log, prefix, "b", &topic).await,
        Seat::take(log, prefix, "c", &topic).await,
    ];
    let even = |seats: &[Seat]| is_shared(seats) && seats.iter().all(|seat| seat.has.len() == 2);
    settled("an even share of three", &mut seats, even).await;
    let before: Vec<_> = seats.iter().map(|seat| seat.has.clone()).collect();
    drop(seats.remove(1));
    settled("a share of two", &mut seats, |seats| {
        is_shared(seats)
            && [0, 2].iter().zip(seats).all(|(was, seat)| {
                before[*was].iter().all(|partition| seat.has.contains(partition))
            })
    })
    .await;
    drop(seats.remove(0));
    settled("all", &mut seats, |seats| seats[0].has == all()).await;
}

/// Groups don't share with each other: a member of each has all.
pub async fn groups_do_not_share_with_each_other(log: &Log, prefix: &str) {
    let topic = shared_topic(log, prefix).await;
    let mut seats = [
        Seat::take(log, &format!("{prefix}-one"), "a", &topic).await,
        Seat::take(log, &format!("{prefix}-two"), "a", &topic).await,
    ];
    settled("all for each", &mut seats, |seats| seats.iter().all(|seat| seat.has == all())).await;
}

/// There is nothing to share of a topic that is not there.
pub async fn a_group_of_no_topic_is_unsuitable(log: &Log, prefix: &str) {
    let missing = TopicName::from(format!("{prefix}-missing").as_str());
    let joined = log.join(prefix, &"a".into(), &missing).await.map(|_| ());
    assert!(matches!(joined, Err(LogError::Unsuitable(_))), "{joined:?}");
}

/// The topic that a clause's groups share.
async fn shared_topic(log: &Log, prefix: &str) -> TopicName {
    new_topic(log, prefix, "shared", PARTITIONS).await
}

/// A membership and what it was told last.
struct Seat {
    membership: Box<dyn Membership>,
    has: Vec<Partition>,
}

impl Seat {
    async fn take(log: &Log, group: &str, member: &str, topic: &TopicName) -> Self {
        let membership = log.join(group, &member.into(), topic).await.unwrap();
        Self { membership, has: Vec::new() }
    }

    async fn hear(&mut self) {
        self.has = self.membership.next().await.unwrap();
        assert!(self.has.is_sorted_by(|a, b| a < b), "{:?}", self.has);
    }
}

/// Hears what the members are told until `done`.
async fn settled(what: &str, seats: &mut [Seat], done: impl Fn(&[Seat]) -> bool) {
    let hearing = async {
        while !done(seats) {
            select_all(seats.iter_mut().map(|seat| Box::pin(seat.hear()))).await;
        }
    };
    eventually(what, hearing).await;
}

/// Whether each partition is with exactly one of them.
fn is_shared(seats: &[Seat]) -> bool {
    let mut given: Vec<_> = seats.iter().flat_map(|seat| &seat.has).copied().collect();
    given.sort_unstable();
    given == all()
}

fn all() -> Vec<Partition> {
    (0..PARTITIONS).map(Partition).collect()
}
