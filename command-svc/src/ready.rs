//! What has to be there before a command can be taken: the log's topics and the schemas' ids.

use crate::accept::Acceptor;
use std::{fmt::Display, time::Duration};
use tandem_domain::Topic;
use tandem_eventlog::{Kept, LogError, TopicId, TopicSpec};

/// The first pause between tries; each one is twice the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause: what an operator mended is noticed within it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long one try may take. Something that hangs is then named in the log and asked anew.
const ONE_TRY: Duration = Duration::from_secs(30);

/// Ends when commands can be taken, however long that takes. It never gives up, not even on what
/// only the operator can mend, because the mending needs no restart then.
pub(crate) async fn prepare(acceptor: &Acceptor) {
    until_done("the schema registry", || acceptor.codec().register_all()).await;
    until_done("the log", || ensure_topics(acceptor)).await;
}

async fn ensure_topics(acceptor: &Acceptor) -> Result<(), LogError> {
    let partitions = acceptor.shards();
    let spec = |t: Topic| TopicSpec { name: t.name().into(), partitions, kept: Kept::Forever };
    let ids = acceptor.log().ensure_topics(&Topic::ALL.map(spec)).await?;
    let ids: [TopicId; Topic::ALL.len()] = ids.try_into().map_err(|ids: Vec<_>| {
        LogError::Unavailable(format!("it gave {} topic ids of {}", ids.len(), Topic::ALL.len()))
    })?;
    acceptor.topics_are(ids);
    Ok(())
}

async fn until_done<F, E>(of: &'static str, attempt: impl Fn() -> F)
where
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match tokio::time::timeout(ONE_TRY, attempt()).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", ONE_TRY.as_secs()),
        };
        tracing::warn!(waiting_for = of, %error, retry_in_ms = pause.as_millis(), "not ready");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
