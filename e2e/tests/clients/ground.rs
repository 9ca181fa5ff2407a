//! What the clients are run against: a real command service with three query services, the scripted
//! service with and without TLS, an address where nobody listens, and one that says nothing.

use crate::scripted::{self, Certificates};
use serde_json::{Map, Value};
use std::net::{SocketAddr, TcpListener};
use tandem_e2e::{instances, tandem::Tandem, wire::customer};
use tandem_proto::receipt;
use tempfile::TempDir;
use tokio::net::TcpSocket;

pub(crate) struct Ground {
    tandem: Tandem,
    queries: Vec<String>,
    scripted: [SocketAddr; 3],
    future: String,
    dead: TcpSocket,
    hung: TcpListener,
    folder: TempDir,
}

impl Ground {
    pub(crate) async fn prepare() -> Self {
        let folder = TempDir::new().unwrap();
        let (tandem, instances) = instances::three(&folder.path().join("data")).await;
        instances::holders(&instances).await;
        let queries = instances.iter().map(|one| address(&one.urls.query)).collect();
        let future = future(&tandem).await;
        let certificates = Certificates::make();
        std::fs::write(folder.path().join("ca.pem"), certificates.ca()).unwrap();
        let scripted = [
            scripted::serve(None).await,
            scripted::serve(Some(certificates.of("127.0.0.1"))).await,
            scripted::serve(Some(certificates.of("elsewhere.example"))).await,
        ];
        // Bound and not listening: nobody else gets this port, and whoever calls is refused.
        let dead = TcpSocket::new_v4().unwrap();
        dead.bind(([127, 0, 0, 1], 0).into()).unwrap();
        // The system takes connections, and nobody takes them from it.
        let hung = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { tandem, queries, scripted, future, dead, hung, folder }
    }

    /// The names that stand in the table of cases.
    pub(crate) fn names(&self) -> Map<String, Value> {
        let [scripted, tls, misnamed] = self.scripted;
        let mut names = Map::from_iter([
            ("command".into(), address(&self.tandem.urls.command).into()),
            ("queries".into(), self.queries.clone().into()),
            ("dead".into(), self.dead.local_addr().unwrap().to_string().into()),
            ("hung".into(), self.hung.local_addr().unwrap().to_string().into()),
            ("scripted".into(), scripted.to_string().into()),
            ("tls".into(), tls.to_string().into()),
            ("misnamed".into(), misnamed.to_string().into()),
            ("ca".into(), self.ca().into()),
            ("future".into(), self.future.clone().into()),
        ]);
        let each = self.queries.iter().enumerate();
        names.extend(each.map(|(i, query)| (format!("query{i}"), query.clone().into())));
        names
    }

    /// The environment of drivers and examples. Node's fetch takes further certificates from there
    /// only.
    pub(crate) fn settings(&self, further: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = [
            ("TANDEM_COMMAND", address(&self.tandem.urls.command)),
            ("TANDEM_QUERY", self.queries.join(",")),
            ("NODE_EXTRA_CA_CERTS", self.ca()),
        ];
        let further = further.iter().map(|(name, value)| (*name, (*value).to_owned()));
        own.into_iter().chain(further).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Where the command service is, and the query services.
    pub(crate) fn services(&self) -> (String, Vec<String>) {
        (address(&self.tandem.urls.command), self.queries.clone())
    }

    fn ca(&self) -> String {
        self.folder.path().join("ca.pem").to_str().unwrap().to_owned()
    }

    /// Nothing that clients did may have made a service warn.
    pub(crate) async fn end(self) {
        self.tandem.stop(&[]).await;
    }
}

fn address(url: &str) -> String {
    url.trim_start_matches("http://").to_owned()
}

/// A receipt of customers, in every shard, that nobody will ever write.
async fn future(tandem: &Tandem) -> String {
    let written = tandem.create(customer("future", "Ada")).await.receipt;
    let proof = receipt::decode(&written).unwrap().swap_remove(0);
    let far = |partition| receipt::Proof { partition, position: 1 << 40, ..proof.clone() };
    receipt::encode(&(0..instances::SHARDS).map(far).collect::<Vec<_>>())
}
