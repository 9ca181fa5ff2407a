//! What librdkafka says by itself: to the log, and remembered as the reason when something fails.

use rdkafka::{
    ClientContext, Statistics,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long what librdkafka said explains what fails.
const EXPLAINS_FOR: Duration = Duration::from_secs(30);

/// What a client's trouble is, by its own words. Shared by all clients of one log.
#[derive(Clone)]
pub(super) struct Context {
    brokers: Arc<str>,
    last: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Context {
    pub(super) fn new(brokers: &str) -> Self {
        Self { brokers: brokers.into(), last: Arc::default() }
    }

    /// Puts the reason, where one is known, behind what failed.
    pub(super) fn explain(&self, failed: &str) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = last.as_ref().filter(|(at, _)| at.elapsed() < EXPLAINS_FOR);
        match reason {
            Some((_, reason)) => {
                format!("Kafka at {}: {failed}: {reason}{}", self.brokers, remedy(reason))
            }
            // Brokers that want TLS hang up on those who speak without, and say nothing.
            None => format!(
                "Kafka at {}: {failed}; if this lasts, check the addresses, and security.protocol \
                 among the --kafka properties",
                self.brokers
            ),
        }
    }

    fn remember(&self, reason: String) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), reason));
    }
}

/// What to do where librdkafka's words tell; it has codes for it, and doesn't give them here.
fn remedy(reason: &str) -> &'static str {
    if reason.contains("SASL authentication error") {
        "; wrong credentials? Check sasl.* among the --kafka properties"
    } else if reason.contains("SSL") {
        "; check security.protocol and ssl.* among the --kafka properties"
    } else {
        ""
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        use RDKafkaLogLevel::{Alert, Critical, Debug, Emerg, Error, Info, Notice, Warning};
        match level {
            Emerg | Alert | Critical => tracing::error!(facility, "librdkafka: {message}"),
            // A connection that failed is tried again, several times a second; who waits for it
            // says so. Properties for another kind of client are passed over.
            Error | Warning if matches!(facility, "FAIL" | "ERROR" | "CONFWARN") => {
                tracing::debug!(facility, "librdkafka: {message}");
            }
            Error | Warning => tracing::info!(facility, "librdkafka: {message}"),
            Notice | Info | Debug => tracing::debug!(facility, "librdkafka: {message}"),
        }
    }

    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
        // That all brokers are down follows from what was said of each, which is the reason.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.remember(reason.to_owned());
        }
    }
}

impl ConsumerContext for Context {}
