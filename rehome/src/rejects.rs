//! The rejects of the view that can be re-published, by partition and offset.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
};
use tandem_domain::Topic;
use tandem_eventlog::{Offset, Partition};
use tandem_proto::v1::{ListRejectsRequest, RejectCode, query_service_client::QueryServiceClient};

/// How many a page has: the most that the query service gives.
const PAGE: i32 = 1_000;

/// Offsets of rejected records.
pub(crate) type Rejects = BTreeMap<(Topic, Partition), BTreeSet<Offset>>;

/// Asks for all rejects and keeps those that may be folded in another place or by now.
pub(crate) async fn list(query: &str) -> Result<Rejects, Box<dyn Error>> {
    let mut client = QueryServiceClient::connect(query.to_owned())
        .await
        .map_err(|e| format!("the query service at {query} can't be reached: {e}"))?;
    let mut rejects = Rejects::new();
    let mut page_token = String::new();
    loop {
        let request = ListRejectsRequest { page_size: PAGE, page_token, ..Default::default() };
        let page = client.list_rejects(request).await?.into_inner();
        for reject in page.rejects {
            let topic = Topic::ALL.into_iter().find(|topic| topic.name() == reject.topic);
            let code = reject.code();
            if let Some(topic) = topic
                && matches!(code, RejectCode::WrongPartition | RejectCode::Schema)
            {
                let at = (topic, Partition(reject.partition));
                rejects.entry(at).or_default().insert(Offset(reject.offset));
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(rejects);
        }
    }
}
