//! A small schema registry in this process, so that a start with one command needs no other
//! server and the code path is the same as with a big one.
//!
//! It speaks the part of Confluent's REST API that Confluent's own clients and
//! `schema_registry_converter` use. Schemas lie on the log, on a compacted topic of the
//! registry's own, in the words that Confluent uses on `_schemas`, and in memory, as they do
//! there.
//!
//! - `state`: what is known, changed only by entries of the log; `decide`: what a request
//!   changes, as entries. Both are pure.
//! - `journal`: entries to and from the log. A request is answered when its entries are durable.
//! - `http`: the API; `refusal`: Confluent's error codes; `late`: until the log is there.
//!
//! Absent on purpose: other formats than Avro, references between schemas, metadata and rules,
//! contexts, modes other than READWRITE, passwords, and a second registry on the same log (ids
//! would collide). What is absent is refused with a message, never ignored. `normalize` has no
//! effect: schemas are always compared without spaces and without the order of attributes.

mod decide;
mod entry;
mod http;
mod journal;
mod late;
mod level;
mod refusal;
mod state;

pub use late::Late;

use journal::Journal;
use refusal::Refusal;
use state::State;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tandem_eventlog::{Log, LogError};
use tokio::sync::Mutex;

/// The registry's topic on the embedded log: the name that Confluent's registry gives its own.
pub const TOPIC: &str = "_schemas";

/// The registry's topic on Kafka, where `_schemas` may be another registry's.
pub const TOPIC_ON_KAFKA: &str = "tandem-schemas";

/// The registry. Cheap to clone; all clones are the same registry.
#[derive(Clone)]
pub struct Registry(Arc<Shared>);

struct Shared {
    state: RwLock<State>,
    /// Held from deciding to being durable, so that no two requests decide on the same state and
    /// no id is given twice.
    journal: Mutex<Journal>,
}

/// The registry can't be opened. The operator has to act, as the log says.
#[derive(Debug, thiserror::Error)]
#[error("the schema registry can't be opened: {0}")]
pub struct OpenError(#[from] LogError);

/// Opens the registry on `log`, where `topic` is made when it is missing.
///
/// # Errors
/// [`OpenError`] with what the log says, or when the topic holds what this registry doesn't write.
pub async fn open(log: Log, topic: &str) -> Result<Registry, OpenError> {
    let mut state = State::default();
    let mut journal = Journal::open(log, topic).await?;
    journal.catch_up(|entry| state.apply(entry)).await?;
    let (state, journal) = (RwLock::new(state), Mutex::new(journal));
    Ok(Registry(Arc::new(Shared { state, journal })))
}

impl Registry {
    /// The API, to be served at the root of some address.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides, makes durable, and only then changes what is known.
    ///
    /// Runs as a task of its own: a client that hangs up must not leave half of it undone.
    async fn change<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&State) -> Result<decide::Decision<T>, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let registry = self.clone();
        let task = tokio::spawn(async move { registry.change_whole(decide).await });
        task.await.map_err(|e| Refusal::Unavailable(e.to_string()))?
    }

    async fn change_whole<T>(
        &self,
        decide: impl FnOnce(&State) -> Result<decide::Decision<T>, Refusal>,
    ) -> Result<T, Refusal> {
        let mut journal = self.0.journal.lock().await;
        // An append that failed may be on the log all the same. Deciding without it could give
        // its id away a second time.
        self.catch_up(&mut journal).await?;
        let decision = decide(&self.state())?;
        for entry in &decision.entries {
            journal.append(entry).await?;
        }
        self.catch_up(&mut journal).await?;
        Ok(decision.answer)
    }

    async fn catch_up(&self, journal: &mut Journal) -> Result<(), LogError> {
        let shared = &self.0.state;
        let state = || shared.write().unwrap_or_else(PoisonError::into_inner);
        journal.catch_up(|entry| state().apply(entry)).await
    }
}
