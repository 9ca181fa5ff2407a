//! The codec: encodes and decodes with what it knows, and learns what it doesn't.

use crate::{
    DecodeError, EncodeError, RegistryError, RegistrySettings, cache::Cache, frame, kind::Kind,
    registry::Registry, wire, writer::Writer,
};
use bytes::Bytes;
use std::sync::{Arc, OnceLock};
use tandem_domain::{Event, Topic};

/// The largest text or byte string that is decoded at all. It bounds what a hostile length can
/// make apache-avro allocate; the domain's own bounds are far smaller, and fields that are only
/// skipped may be larger than those.
const MAX_ALLOCATION_BYTES: usize = 16 * 1024 * 1024;

/// Room for a usual event, so that encoding allocates once.
const USUAL_VALUE_BYTES: usize = 256;

/// Encodes and decodes events. Cheap to clone; all clones share what was learned.
#[derive(Clone)]
pub struct Codec(Arc<Inner>);

struct Inner {
    /// Only a codec with fixed ids, for tests, has none.
    registry: Option<Registry>,
    cache: Cache,
    /// The ids that our own schemas are written with, at the index `kind as usize`.
    ids: [OnceLock<u32>; Kind::ALL.len()],
    /// The id that announcements are written with.
    announced: OnceLock<u32>,
}

impl Codec {
    /// A codec that knows no schema yet. Does no I/O.
    ///
    /// # Errors
    /// [`RegistryError::Settings`].
    pub fn connect(settings: &RegistrySettings) -> Result<Self, RegistryError> {
        Ok(Self::new(Some(Registry::new(settings)?)))
    }

    fn new(registry: Option<Registry>) -> Self {
        // One value for the whole process; only this crate uses apache-avro.
        apache_avro::util::max_allocation_bytes(MAX_ALLOCATION_BYTES);
        let (ids, announced) = Default::default();
        Self(Arc::new(Inner { registry, cache: Cache::default(), ids, announced }))
    }

    /// A codec whose own schemas have the ids 1 to 8 and which knows no registry.
    #[cfg(any(test, feature = "test-support"))]
    #[must_use]
    pub fn with_fixed_ids() -> Self {
        let codec = Self::new(None);
        for (kind, id) in Kind::ALL.into_iter().zip(1..) {
            codec.registered(kind, id);
        }
        codec.announced().get_or_init(|| 8);
        codec
    }

    pub(crate) fn registry(&self) -> Option<&Registry> {
        self.0.registry.as_ref()
    }

    pub(crate) fn announced(&self) -> &OnceLock<u32> {
        &self.0.announced
    }

    /// Registers the schemas that events are written with, which makes [`Self::encode`] work.
    /// Whoever only reads need not call it. Safe to call again.
    ///
    /// # Errors
    /// [`RegistryError::Unavailable`] (try again), [`RegistryError::Refused`].
    pub async fn register_all(&self) -> Result<(), RegistryError> {
        let Some(registry) = &self.0.registry else { return Ok(()) };
        for kind in Kind::ALL {
            let id = registry.register(kind).await?;
            self.registered(kind, id);
        }
        Ok(())
    }

    fn registered(&self, kind: Kind, id: u32) {
        let kept = *self.0.ids[kind as usize].get_or_init(|| id);
        if kept != id {
            // Somebody emptied the registry. Records already written say the old id, and a
            // registry that gives ids twice can't be trusted with either.
            tracing::warn!(record = kind.name(), kept, given = id, "schema has another id now");
        }
        self.0.cache.put(id, Writer::Ours(kind));
    }

    /// Encodes an event as a record's value.
    ///
    /// # Errors
    /// [`EncodeError::NotRegistered`] until [`Self::register_all`] has succeeded.
    pub fn encode(&self, event: &Event) -> Result<Bytes, EncodeError> {
        let kind = Kind::of(event);
        let id = self.0.ids[kind as usize].get().ok_or(EncodeError::NotRegistered(kind.name()))?;
        let mut value = frame::start(*id, USUAL_VALUE_BYTES);
        wire::write(event, &mut value)?;
        Ok(value.into())
    }

    /// Decodes the value of a record of `topic`, with schemas known by now.
    ///
    /// # Errors
    /// [`DecodeError::UnknownSchema`]: call [`Self::learn`] with the id, then decode again. Any
    /// other error is final for these bytes.
    pub fn decode(&self, topic: Topic, value: &[u8]) -> Result<Event, DecodeError> {
        let (id, body) = frame::split(value).map_err(DecodeError::NotFramed)?;
        self.0.cache.get(id).ok_or(DecodeError::UnknownSchema(id))?.decode(id, topic, body)
    }

    /// Fetches a schema from the registry and keeps it. `Ok` says that [`Self::decode`] knows it.
    ///
    /// # Errors
    /// [`RegistryError::Unavailable`]: nothing is known; try again, after a pause.
    /// [`RegistryError::Absent`], [`RegistryError::Unusable`]: final; the record can't be read.
    /// The registry is not asked again about an unusable schema, and for some seconds not about
    /// an absent one, so calling this for every such record is fine.
    pub async fn learn(&self, id: u32) -> Result<(), RegistryError> {
        let writer = match self.0.cache.get(id) {
            Some(writer) => writer,
            None => self.fetch(id).await?,
        };
        match &*writer {
            Writer::Ours(_) | Writer::Other(..) => Ok(()),
            Writer::Unusable(reason) => Err(RegistryError::Unusable { id, reason: reason.clone() }),
        }
    }

    async fn fetch(&self, id: u32) -> Result<Arc<Writer>, RegistryError> {
        let registry = self.0.registry.as_ref().ok_or(RegistryError::Absent(id))?;
        if self.0.cache.is_absent(id) {
            return Err(RegistryError::Absent(id));
        }
        match registry.fetch(id).await {
            Ok(writer) => Ok(self.0.cache.put(id, writer)),
            Err(e) => {
                if matches!(e, RegistryError::Absent(_)) {
                    self.0.cache.put_absent(id);
                }
                Err(e)
            }
        }
    }
}
