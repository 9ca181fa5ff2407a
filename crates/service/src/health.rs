//! Whether each service of the process can do its work, told over `grpc.health.v1.Health`.
//!
//! A service is NOT_SERVING until it says otherwise, and the process as a whole (the service
//! named "") is SERVING when all of its services are. tonic-health begins the other way round,
//! which would send callers to a process that can't answer them yet.

use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Mutex;
use tonic::server::NamedService;
use tonic_health::{ServingStatus, server::HealthReporter};

/// A handle to the process's health; clones share it.
#[derive(Debug, Clone)]
pub struct Health {
    reporter: HealthReporter,
    // The lock spans the report too, so that two changes at once can't be reported out of order.
    services: Arc<Mutex<BTreeMap<&'static str, bool>>>,
}

impl Health {
    pub(crate) fn new(reporter: HealthReporter) -> Self {
        Self { reporter, services: Arc::default() }
    }

    /// Says that `S` does its work from now on.
    pub async fn serving<S: NamedService>(&self) {
        self.set(S::NAME, true).await;
    }

    /// Says that `S` can't do its work now.
    pub async fn not_serving<S: NamedService>(&self) {
        self.set(S::NAME, false).await;
    }

    pub(crate) async fn set(&self, name: &'static str, serving: bool) {
        let mut services = self.services.lock().await;
        services.insert(name, serving);
        self.reporter.set_service_status(name, word(serving)).await;
        let all = services.values().all(|s| *s);
        self.reporter.set_service_status("", word(all)).await;
    }

    /// Says NOT_SERVING for everything and ends every watch, because a watch never ends by
    /// itself and would hold up the drain to its bound.
    pub(crate) async fn close(&self) {
        let mut services = self.services.lock().await;
        let mut reporter = self.reporter.clone();
        let names: Vec<_> = services.keys().copied().chain([""]).collect();
        for name in names {
            reporter.set_service_status(name, ServingStatus::NotServing).await;
            // What was set last is still delivered to watchers before their stream ends.
            reporter.clear_service_status(name).await;
        }
        services.clear();
    }
}

fn word(serving: bool) -> ServingStatus {
    if serving { ServingStatus::Serving } else { ServingStatus::NotServing }
}
