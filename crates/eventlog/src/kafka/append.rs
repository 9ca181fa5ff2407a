//! Appends records: one idempotent producer for the whole process.

use super::{context::Context, properties::KafkaSettings, refused};
use crate::{LogError, NewRecord, Offset};
use rdkafka::{
    config::FromClientConfigAndContext,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer},
};
use std::sync::{Arc, Mutex, PoisonError};

type Sender = FutureProducer<Context>;

/// Sends records.
pub(super) struct Appender {
    settings: KafkaSettings,
    context: Context,
    /// Made anew after an error that it can't recover from.
    sender: Mutex<Arc<Sender>>,
}

/// Why a record wasn't appended.
pub(super) enum Refused {
    /// It is larger than the topic, or this process, takes.
    TooLarge,
    Other(LogError),
}

impl Appender {
    pub(super) fn new(settings: KafkaSettings, context: Context) -> Result<Self, LogError> {
        let sender = Mutex::new(Arc::new(new_sender(&settings, &context)?));
        Ok(Self { settings, context, sender })
    }

    /// Sends a record; it is on its way, in order, when this returns. Await [`Self::confirmed`].
    pub(super) fn send(&self, record: &NewRecord) -> Result<Sent, Refused> {
        let sender = self.sender();
        let mut headers = OwnedHeaders::new_with_capacity(8);
        for (key, value) in record.headers.iter() {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let mut send = FutureRecord::<[u8], [u8]>::to(record.to.topic.as_str())
            .partition(super::watch::raw(record.to.partition))
            .timestamp(record.timestamp_ms)
            .headers(headers);
        send.key = record.key.as_deref();
        send.payload = record.value.as_deref();
        match sender.send_result(send) {
            Ok(delivery) => Ok(Sent { delivery, sender }),
            Err((error, _)) => Err(self.refusal(&error, &sender)),
        }
    }

    /// Waits until the record is durable, and gives its offset.
    pub(super) async fn confirmed(&self, sent: Sent) -> Result<Offset, Refused> {
        let what = "the outcome of an append isn't known";
        match sent.delivery.await {
            Ok(Ok(delivery)) => match u64::try_from(delivery.offset) {
                Ok(offset) => Ok(Offset(offset)),
                // The broker had it from an earlier try, and no longer knows where.
                Err(_) => Err(Refused::Other(refused::unavailable(&self.context, what))),
            },
            Ok(Err((error, _))) => Err(self.refusal(&error, &sent.sender)),
            Err(_) => Err(Refused::Other(refused::unavailable(&self.context, what))),
        }
    }

    fn refusal(&self, error: &KafkaError, sender: &Arc<Sender>) -> Refused {
        if let Some((code, why)) = sender.client().fatal_error() {
            self.replace(sender, code, &why);
        }
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => Refused::TooLarge,
            Some(RDKafkaErrorCode::QueueFull) => Refused::Other(refused::unavailable(
                &self.context,
                "records come faster than it takes them",
            )),
            _ => Refused::Other(refused::failed_call(&self.context, "an append", error)),
        }
    }

    /// Makes a new sender in place of one that is of no more use.
    fn replace(&self, old: &Arc<Sender>, code: RDKafkaErrorCode, why: &str) {
        let mut current = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&current, old) {
            return;
        }
        tracing::warn!(%code, why, "the producer can't go on; making a new one");
        match new_sender(&self.settings, &self.context) {
            Ok(new) => *current = Arc::new(new),
            Err(error) => tracing::error!(%error, "no new producer can be made"),
        }
    }

    fn sender(&self) -> Arc<Sender> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A record on its way.
pub(super) struct Sent {
    delivery: DeliveryFuture,
    sender: Arc<Sender>,
}

fn new_sender(settings: &KafkaSettings, context: &Context) -> Result<Sender, LogError> {
    Sender::from_config_and_context(&settings.producer(), context.clone())
        .map_err(|e| super::unsuitable(&e))
}
