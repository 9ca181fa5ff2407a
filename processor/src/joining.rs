//! What comes before the first shard: the log's topics and a place in the group, waited for as
//! long as it takes.

use std::time::Duration;
use tandem_eventlog::{LogError, Member, Membership, TopicId};
use tokio_util::sync::CancellationToken;

use crate::{
    assignment::Ground,
    input_topics,
    retry::{Retry, Stopped},
};

/// How long one try may take. A log that hangs is then named and asked anew.
const ONE_TRY: Duration = Duration::from_secs(30);

/// What a group's name begins with: others have groups on the same cluster.
const GROUP: &str = "tandem-";

/// What there is once the log has been reached.
pub(crate) struct Joined {
    /// Which making of each input topic the log has.
    pub(crate) topics: Vec<TopicId>,
    pub(crate) membership: Box<dyn Membership>,
}

/// Makes or checks the topics and joins the group. It never gives up, not even on what only the
/// operator can mend, because the mending needs no restart then.
pub(crate) async fn join(ground: &Ground, stop: &CancellationToken) -> Result<Joined, Stopped> {
    let mut retry = Retry::new(stop);
    loop {
        let tried = tokio::time::timeout(ONE_TRY, try_once(ground));
        let error = match retry.attempt(tried).await? {
            Ok(Ok(joined)) => return Ok(joined),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", ONE_TRY.as_secs()),
        };
        let wait = retry.wait();
        tracing::warn!(waiting_for = "the log", %error, retry_in_ms = wait.as_millis(), "not ready");
        retry.pause().await?;
    }
}

async fn try_once(ground: &Ground) -> Result<Joined, LogError> {
    let inputs = input_topics(ground.shards);
    let topics = ground.log.ensure_topics(&inputs).await?;
    let (group, shared) = (format!("{GROUP}{}", ground.replica_set), &inputs[0].name);
    let member = Member { id: ground.instance_id.clone(), is_static: ground.is_static };
    let membership = ground.log.join(&group, &member, shared).await?;
    Ok(Joined { topics, membership })
}
