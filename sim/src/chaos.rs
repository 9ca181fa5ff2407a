//! What befalls the instances: joins, leaves, crashes, cut lines, slow shards, late words.

use std::{rc::Rc, time::Duration};
use tandem_processor::simulation::{MemoryDisk, Step};
use tokio::time::{Instant, sleep};

use crate::{
    ledger::SHARDS,
    node::{self, Life},
    world::{Kind, World},
};

/// How many instances there are at most: the store of each shard costs memory.
const MOST: usize = 6;

const STEPS: [Step; 4] = [Step::Gathered, Step::Written, Step::Published, Step::Flushed];

struct Chaos {
    world: Rc<World>,
    rng: fastrand::Rng,
    sets: Vec<&'static str>,
    count: u32,
}

/// Starts some instances and lets things happen to them for `lasts`; then mends everything.
pub(crate) async fn reign(world: Rc<World>, lasts: Duration) {
    let mut rng = world.rng("chaos");
    // Where instances die there are two copies of everything, and deaths lie apart, so that it can be
    // told what had to be answered.
    let is_deadly = world.kind == Kind::Deadly;
    let sets = if is_deadly || rng.bool() { vec!["a", "b"] } else { vec!["a"] };
    let mut chaos = Chaos { world, rng, sets, count: 0 };
    for nth in 0..chaos.rng.usize(if is_deadly { 4..7 } else { 2..5 }) {
        chaos.join(nth);
    }
    let end = Instant::now() + lasts;
    while Instant::now() < end {
        let ms = if is_deadly { 3_500..9_000 } else { 300..2_500 };
        sleep(Duration::from_millis(chaos.rng.u64(ms))).await;
        chaos.something();
    }
    // What was begun ends by itself within seconds; every set is to have somebody.
    for node in chaos.world.nodes.borrow().values() {
        node.disk.cut_at(Step::Written, u32::MAX);
    }
    sleep(Duration::from_secs(10)).await;
    for nth in 0..chaos.sets.len() {
        let set = chaos.sets[nth];
        if !chaos.up().iter().any(|(_, of)| of == set) {
            chaos.join(nth);
        }
    }
    chaos.world.rest.cancel();
}

impl Chaos {
    /// Those that run and aren't about to stop: id and set.
    fn up(&self) -> Vec<(String, String)> {
        let nodes = self.world.nodes.borrow();
        let up = nodes.values().filter(|node| node.is_up() && !node.is_leaving());
        up.map(|node| (node.id.clone(), node.set.clone())).collect()
    }

    fn something(&mut self) {
        let up = self.up();
        let Some((id, set)) = self.rng.choice(&up).cloned() else { return self.join(0) };
        // In a calm world nobody leaves a set before another of it serves: there would be nobody to
        // go on.
        let is_last = {
            let nodes = self.world.nodes.borrow();
            !nodes.values().any(|n| n.id != id && n.set == set && n.is_serving())
        };
        let kind = self.world.kind;
        match self.rng.u32(if kind == Kind::Deadly { 4..13 } else { 0..16 }) {
            0..3 if up.len() < MOST => {
                let nth = self.rng.usize(0..self.sets.len());
                self.join(nth);
            }
            3..6 if !(kind == Kind::Calm && is_last) => self.leave(&id),
            _ if kind == Kind::Calm => {}
            6 => self.with(&id, |node, _| node.disk.power().cancel()),
            7..10 => self.with(&id, |node, rng| {
                let step = *rng.choice(&STEPS).unwrap_or(&Step::Written);
                node.disk.cut_at(step, rng.u32(1..4));
            }),
            _ if kind == Kind::Deadly => self.restart(),
            10 => self.cut(&up),
            11 => self.for_a_while(
                &id,
                |node, rng| node.weather.slow(Some(rng.u32(0..SHARDS))),
                |node| {
                    node.weather.slow(None);
                },
            ),
            12 => self.for_a_while(
                &id,
                |node, rng| {
                    node.weather.delay_announcements(Duration::from_millis(rng.u64(0..3_000)));
                },
                |node| node.weather.delay_announcements(Duration::ZERO),
            ),
            13 => self.for_a_while(
                &id,
                |node, _| node.weather.away(true),
                |node| {
                    node.weather.away(false);
                },
            ),
            _ => self.restart(),
        }
    }

    fn join(&mut self, nth: usize) {
        self.count += 1;
        let id = format!("{}{}", self.sets[nth % self.sets.len()], self.count);
        let zone = if self.rng.bool() { "x" } else { "y" };
        let set = self.sets[nth % self.sets.len()];
        node::start(&self.world, &id, set, zone, MemoryDisk::default());
    }

    fn leave(&mut self, id: &str) {
        self.world.note(&format!("{id} is told to leave"));
        self.with(id, |node, _| node.leave());
    }

    /// One that has gone comes back, with what is on its disk.
    fn restart(&mut self) {
        let nodes = self.world.nodes.borrow();
        let ended = nodes
            .values()
            .filter(|node| matches!(&node.life, Life::Down { task } if task.is_finished()));
        let ended: Vec<_> = ended
            .map(|n| (n.id.clone(), n.set.clone(), n.zone.clone(), n.disk.switched_on()))
            .collect();
        drop(nodes);
        if self.up().len() < MOST
            && let Some((id, set, zone, disk)) = self.rng.choice(ended)
        {
            node::start(&self.world, &id, &set, &zone, disk);
        }
    }

    fn with(&mut self, id: &str, act: impl FnOnce(&mut node::Node, &mut fastrand::Rng)) {
        if let Some(node) = self.world.nodes.borrow_mut().get_mut(id) {
            act(node, &mut self.rng);
        }
    }

    /// Does something to an instance and mends it after a while.
    fn for_a_while(
        &mut self,
        id: &str,
        act: impl FnOnce(&mut node::Node, &mut fastrand::Rng),
        mend: impl FnOnce(&mut node::Node) + 'static,
    ) {
        let lasts = Duration::from_millis(self.rng.u64(300..5_000));
        self.with(id, |node, rng| {
            node.disturb(lasts);
            act(node, rng);
        });
        let (world, id) = (self.world.clone(), id.to_owned());
        tokio::task::spawn_local(async move {
            sleep(lasts).await;
            if let Some(node) = world.nodes.borrow_mut().get_mut(&id) {
                mend(node);
            }
        });
    }

    /// Cuts two instances off from each other for a while.
    fn cut(&mut self, up: &[(String, String)]) {
        let pair = self.rng.choose_multiple(up, 2);
        let [one, other] = &pair[..] else { return };
        let (one, other) = (one.0.clone(), other.0.clone());
        let lasts = Duration::from_millis(self.rng.u64(300..8_000));
        self.world.note(&format!("{one} and {other} are cut off"));
        let at = |id: &str| format!("{id}:1");
        self.world.net.cut(&at(&one), &at(&other), true);
        for id in [&one, &other] {
            self.with(id, |node, _| node.disturb(lasts + Duration::from_secs(4)));
        }
        let world = self.world.clone();
        tokio::task::spawn_local(async move {
            sleep(lasts).await;
            world.net.cut(&at(&one), &at(&other), false);
        });
    }
}
