//! What has to be there before a command can be taken: the log's topics and the schemas' ids.

use crate::accept::Acceptor;
use tandem_domain::Topic;
use tandem_eventlog::{Kept, LogError, TopicId, TopicSpec};
use tandem_service::ready::until_done;

/// Ends when commands can be taken, however long that takes.
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
