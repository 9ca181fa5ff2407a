//! Says what this instance serves: on every change, and each second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tandem_codec::{Announcement, Codec, ShardAnnounced};
use tandem_eventlog::{Headers, Log, NewRecord};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    ShardStatus,
    cluster::{self, PROTOCOL},
    reads::Reads,
    retry::Retry,
};

/// How often an instance is heard at least.
const EVERY: Duration = Duration::from_secs(1);

/// How long several changes at once wait for each other.
const TOGETHER: Duration = Duration::from_millis(5);

/// How long one announcement may take: the next one says more.
const ONE_TRY: Duration = Duration::from_secs(1);

/// What an instance that others may ask tells of itself.
#[derive(Debug, Clone)]
pub struct Presence {
    /// Where the others reach it, host:port.
    pub address: String,
    /// Its zone; may be empty.
    pub zone: String,
    /// Its version.
    pub version: String,
    /// How many queries it has in hand; kept by whoever answers them.
    pub load: Arc<AtomicU32>,
    /// What its peers show when they call; made anew at each start.
    pub run: String,
}

impl Presence {
    /// An instance that has just been started.
    #[must_use]
    pub fn new(address: String, zone: String, version: &str) -> Self {
        let run = uuid::Uuid::new_v4().simple().to_string();
        Self { address, zone, version: version.into(), load: Arc::default(), run }
    }
}

/// What is said, and how.
pub(crate) struct Announcer {
    pub(crate) presence: Presence,
    pub(crate) instance_id: String,
    pub(crate) replica_set: String,
    pub(crate) view: String,
    pub(crate) log: Log,
    pub(crate) codec: Codec,
    pub(crate) reads: Reads,
    /// It is about to stop from when this is cancelled.
    pub(crate) leave: CancellationToken,
}

impl Announcer {
    /// Announces from when `open` is true until `left`, and then says that it is gone.
    pub(crate) async fn run(self, mut open: watch::Receiver<bool>, left: CancellationToken) {
        let opened = left.run_until_cancelled(open.wait_for(|open| *open)).await;
        let opened = opened.is_some_and(|opened| opened.is_ok());
        if !opened || !self.prepare(&left).await {
            return;
        }
        let started_ms = now_ms();
        let (mut news, mut heard) = (self.reads.news(), true);
        while !left.is_cancelled() {
            news.mark_unchanged();
            match self.codec.encode_announcement(&self.announcement(started_ms)) {
                Ok(value) => heard = self.append(Some(value), heard).await,
                Err(error) => tracing::error!(%error, "this instance can't be announced"),
            }
            tokio::select! {
                () = left.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
                _ = news.changed() => tokio::time::sleep(TOGETHER).await,
            }
        }
        self.append(None, heard).await;
    }

    /// Makes sure of the topic and the schema; false if it was told to stop before.
    async fn prepare(&self, left: &CancellationToken) -> bool {
        let mut retry = Retry::new(left);
        loop {
            let prepared = async {
                self.codec.register_announcement().await.map_err(|e| e.to_string())?;
                self.log.ensure_topics(&[cluster::topic()]).await.map_err(|e| e.to_string())
            };
            match retry.attempt(prepared).await {
                Ok(Ok(_)) => return true,
                Ok(Err(why)) => {
                    let wait_ms = retry.wait().as_millis();
                    tracing::warn!(why, wait_ms, "this instance can't be announced yet");
                }
                Err(_) => return false,
            }
            if retry.pause().await.is_err() {
                return false;
            }
        }
    }

    /// Whether it was appended. A log that is away is told of once, with `heard` when it was not.
    async fn append(&self, value: Option<bytes::Bytes>, heard: bool) -> bool {
        let record = NewRecord {
            to: cluster::place(),
            timestamp_ms: now_ms(),
            key: Some(self.instance_id.clone().into()),
            value,
            headers: Headers::default(),
        };
        let why = match tokio::time::timeout(ONE_TRY, self.log.append(record)).await {
            Ok(Ok(_)) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", ONE_TRY.as_secs()),
        };
        match heard {
            true => tracing::warn!(why, "this instance can't be announced; trying each second"),
            false => tracing::debug!(why, "not announced"),
        }
        false
    }

    fn announcement(&self, started_ms: i64) -> Announcement {
        let presence = &self.presence;
        Announcement {
            instance_id: self.instance_id.clone(),
            protocol: PROTOCOL,
            view: self.view.clone(),
            run: presence.run.clone(),
            started_ms,
            address: presence.address.clone(),
            replica_set: self.replica_set.clone(),
            zone: presence.zone.clone(),
            version: presence.version.clone(),
            leaving: self.leave.is_cancelled(),
            load: presence.load.load(Ordering::Relaxed).try_into().unwrap_or(i32::MAX),
            shards: self.reads.status().into_iter().map(shard).collect(),
        }
    }
}

fn shard(status: ShardStatus) -> ShardAnnounced {
    let number = |n: u64| n.try_into().unwrap_or(i64::MAX);
    ShardAnnounced {
        shard: status.shard.0.try_into().unwrap_or(i32::MAX),
        state: status.state.name().into(),
        positions: status.inputs.iter().map(|i| number(i.position)).collect(),
        ends: status.inputs.iter().map(|i| number(i.end)).collect(),
        staleness_ms: status.staleness.map_or(-1, |s| s.as_millis().try_into().unwrap_or(i64::MAX)),
        rejects: number(status.rejects),
        detail: status.detail.unwrap_or_default(),
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_millis().try_into().unwrap_or(i64::MAX)
}
