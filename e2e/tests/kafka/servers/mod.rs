//! Kafka and the registry as tests get them: their own or shared, and gone when no longer held.

mod cluster;
mod process;
mod registry;

use tokio::sync::OnceCell;

pub(crate) use self::{cluster::Cluster, registry::Registry};

/// For all tests that need nothing special of them: topics and subjects are to be new ones.
pub(crate) struct Shared {
    pub(crate) cluster: Cluster,
    pub(crate) registry: Registry,
}

/// Started by the first test that asks. Nothing drops a static: they end when this process does,
/// however that is, because their standard input ends with it.
pub(crate) async fn shared() -> &'static Shared {
    static SHARED: OnceCell<Shared> = OnceCell::const_new();
    let start = async || {
        let (cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
        Shared { cluster, registry }
    };
    SHARED.get_or_init(start).await
}

/// Three nodes for all tests that break nothing; as [`shared`].
pub(crate) async fn shared_three_nodes() -> &'static Cluster {
    static SHARED: OnceCell<Cluster> = OnceCell::const_new();
    SHARED.get_or_init(|| Cluster::start(3)).await
}
