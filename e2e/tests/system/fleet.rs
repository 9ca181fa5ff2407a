//! Everything in this process, and more query services beside it on the same log: so that a test
//! can write to the log behind their backs, and stop one of them.

use std::path::Path;
use tandem_codec::{Codec, RegistrySettings};
use tandem_eventlog::Log;
use tandem_processor::Settings as Folding;
use tandem_query_svc::{Settings, start};
use tandem_service::bind::bind;
use tandem_standalone::Running;
use tokio::runtime::{Handle, Runtime};
use tokio_util::sync::CancellationToken;

use tandem_e2e::services::{Services, Urls};

/// The set that `tandem` is in unless told otherwise.
pub(crate) const SET: &str = "standalone";

/// `tandem` in this process, and each of its query services by itself.
pub(crate) struct Fleet {
    pub(crate) running: Running,
    pub(crate) instances: Vec<Services>,
}

/// One more query service on the log of a [`Fleet`].
pub(crate) struct Another {
    pub(crate) services: Services,
    // Before the rest: what is dropped first ends first.
    runtime: Own,
    stop: CancellationToken,
    running: tandem_query_svc::Running,
}

/// A runtime that may be dropped anywhere: it is not waited for.
struct Own(Option<Runtime>);

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Fleet {
    pub(crate) async fn start(data: &Path, flags: &[&str]) -> Self {
        let (data, any) = (data.to_str().unwrap(), "127.0.0.1:0");
        let places = ["--command-addr", any, "--query-addr", any, "--registry-addr", any];
        let args = [&["tandem", "--data-dir", data], places.as_slice(), flags].concat();
        let settings = <tandem_standalone::Settings as clap::Parser>::parse_from(args);
        let running = tandem_standalone::start(settings, Handle::current()).await.unwrap();
        let at = running.addresses();
        let url = |address| format!("http://{address}");
        let services = at.queries.iter().map(|query| {
            let (command, registry) = (url(at.command), url(at.registry.unwrap()));
            Services::at(Urls { command, query: url(*query), registry })
        });
        let instances: Vec<_> = services.collect();
        for instance in &instances {
            instance.serving().await;
        }
        Self { running, instances }
    }

    /// The one that commands are sent through.
    pub(crate) fn first(&self) -> &Services {
        &self.instances[0]
    }

    /// A codec that knows the registry of this fleet.
    pub(crate) fn codec(&self) -> Codec {
        let urls = vec![self.first().urls.registry.clone()];
        let settings = RegistrySettings { urls, basic_auth: None, timeout_ms: 5_000 };
        Codec::connect(&settings).unwrap()
    }

    /// What an instance of the set `standalone` by this name is told.
    pub(crate) fn settings(&self, data: &Path, id: &str) -> Settings {
        let shards = self.running.reads().shards().count().try_into().unwrap();
        Settings::new(Folding::new(data.join(id), shards, SET, id))
    }

    /// One more instance, on this fleet's log.
    pub(crate) async fn another(&self, data: &Path, id: &str) -> Another {
        self.another_on(self.running.log(), self.settings(data, id)).await
    }

    /// One more instance. It answers, and is not waited for any longer.
    pub(crate) async fn another_on(&self, log: Log, settings: Settings) -> Another {
        // A runtime of its own, so that it can end in the middle of everything.
        let runtime = Runtime::new().unwrap();
        let (stop, codec, fold) =
            (CancellationToken::new(), self.codec(), runtime.handle().clone());
        let starting = runtime.spawn({
            let stop = stop.clone();
            async move {
                let socket = bind("127.0.0.1:0", "--query-addr").await.unwrap();
                start(settings, log, codec, fold, socket, stop).await.unwrap()
            }
        });
        let (running, runtime) = (starting.await.unwrap(), Own(Some(runtime)));
        let query = format!("http://{}", running.local_addr());
        let services = Services::at(Urls { query, ..self.first().urls.clone() });
        Another { services, runtime, stop, running }
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

impl Another {
    /// Ends it in order.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.running.drained().await;
    }

    /// Ends it where it stands. It says nothing to anybody; its place in the group is free.
    pub(crate) fn abort(self) {
        drop(self.runtime);
    }
}
