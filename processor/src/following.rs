//! Follows the topic of announcements and keeps what is known of the other instances up to date.

use std::time::Duration;
use tandem_codec::{AnnouncementFault, Codec};
use tandem_eventlog::{Log, LogError, Offset, Position, Reader, Record};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    cluster::{Cluster, Ignored, Me, Table, place, topic},
    retry::{Retry, Stopped},
};

/// How long the follower waits for news before it looks who has gone silent.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Follows the announcements until `stop`, however long the log is away in between.
///
/// It starts at the end: whoever is there announces itself within a second, and those who are not
/// would only seem to be.
pub(crate) async fn follow(
    cluster: Cluster,
    me: Me,
    log: Log,
    codec: Codec,
    stop: CancellationToken,
) {
    let mut retry = Retry::new(&stop);
    loop {
        let ended = match open(&log, &codec, &mut retry).await {
            Ok(Ok(mut reader)) => {
                cluster.update(|table| {
                    table.listens();
                    false
                });
                listen(&cluster, &me, &codec, &mut *reader, &mut retry).await
            }
            Ok(Err(why)) => Ok(why),
            Err(Stopped) => return,
        };
        let Ok(why) = ended else { return };
        let wait_ms = retry.wait().as_millis();
        tracing::warn!(why, wait_ms, "the other instances can't be heard; trying again");
        if retry.pause().await.is_err() {
            return;
        }
    }
}

async fn open(
    log: &Log,
    codec: &Codec,
    retry: &mut Retry,
) -> Result<Result<Box<dyn Reader>, String>, Stopped> {
    let opened = async {
        codec.register_announcement().await.map_err(|e| e.to_string())?;
        let said = |e: LogError| e.to_string();
        log.ensure_topics(&[topic()]).await.map_err(said)?;
        let end = log.bounds(&[place()]).await.map_err(said)?.first().map_or(Offset(0), |b| b.end);
        log.read(&[Position { at: place(), offset: end }]).await.map_err(said)
    };
    retry.attempt(opened).await
}

/// Hears until the topic can't be read; says why.
async fn listen(
    cluster: &Cluster,
    me: &Me,
    codec: &Codec,
    reader: &mut dyn Reader,
    retry: &mut Retry,
) -> Result<String, Stopped> {
    loop {
        let batch = retry.attempt(reader.next(LOOK_EVERY)).await?;
        let batch = match batch {
            Ok(batch) => batch,
            Err(e) => {
                cluster.update(Table::forget_silent);
                match e {
                    LogError::Unavailable(_) if retry.pause().await.is_ok() => continue,
                    e => return Ok(e.to_string()),
                }
            }
        };
        retry.succeeded();
        let now = Instant::now();
        cluster.update(|table| {
            for record in &batch.records {
                take(table, me, codec, record, now);
            }
            table.forget_silent() || !batch.records.is_empty()
        });
    }
}

fn take(table: &mut Table, me: &Me, codec: &Codec, record: &Record, now: Instant) {
    let id = record.key.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let Some(value) = &record.value else { return table.forget(&id) };
    match codec.decode_announcement(value) {
        Ok(said) => table.hear(me, said, now),
        Err(e @ AnnouncementFault::OtherSchema(_)) => {
            table.ignore(&id, Ignored::OtherVersion, format!("announcement of {id}: {e}"));
        }
        Err(e) => table.ignore(&id, Ignored::Unreadable, format!("announcement of {id}: {e}")),
    }
}
