//! Asks the schema registry, and tells "it says no" from "it can't be asked now".

use crate::{RegistryError, error::reason, kind::Kind, writer::Writer};
use schema_registry_converter::{
    async_impl::schema_registry::{SrSettings, get_schema_by_id, post_schema},
    error::SRCError,
    schema_registry_common::{RawError, SchemaType, SuppliedSchema},
};
use std::{error::Error, fmt, time::Duration};

/// Where the registry is and how to ask it. For `https`, the system's certificates are trusted;
/// `SSL_CERT_FILE` in the environment adds a private one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrySettings {
    /// Base addresses of one registry, asked in this order until one answers.
    pub urls: Vec<String>,
    /// Name and password, where the registry asks for them.
    pub basic_auth: Option<BasicAuth>,
    /// How long one question may take, in milliseconds.
    pub timeout_ms: u64,
}

/// A name and a password. The password is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicAuth {
    /// Who asks.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Confluent's codes for "there is no such subject, version or schema". A 404 without one of
/// these comes from something that is not a registry, or from a wrong path, and proves nothing.
const ABSENT_CODES: [u32; 3] = [40401, 40402, 40403];

/// The code for "this schema can't be registered here".
const CONFLICT: u32 = 409;

/// A registry that can be asked.
pub(crate) struct Registry {
    client: SrSettings,
    /// Where it is, for whoever has to look.
    addresses: String,
}

impl Registry {
    /// Does no I/O.
    pub(crate) fn new(settings: &RegistrySettings) -> Result<Self, RegistryError> {
        // The client puts a path behind the address, which must not end in a slash then.
        let mut urls = settings.urls.iter().map(|url| url.trim().trim_end_matches('/').to_owned());
        let first =
            urls.next().ok_or_else(|| RegistryError::Settings("there is no address".to_owned()))?;
        let mut builder = SrSettings::new_builder(first);
        for url in urls {
            builder.add_url(url);
        }
        if let Some(auth) = &settings.basic_auth {
            builder.set_basic_authorization(&auth.user, Some(&auth.password));
        }
        builder.set_timeout(Duration::from_millis(settings.timeout_ms));
        let client = builder.build().map_err(|e| RegistryError::Settings(words(&e)))?;
        Ok(Self { client, addresses: settings.urls.join(",") })
    }

    /// Registers our schema of this kind, or finds it registered, and gives its id.
    pub(crate) async fn register(&self, kind: Kind) -> Result<u32, RegistryError> {
        self.register_text(kind.subject(), &kind.full_name(), kind.schema_text()).await
    }

    /// Registers the schema `text` of the record `name` under `subject`.
    pub(crate) async fn register_text(
        &self,
        subject: String,
        name: &str,
        text: &str,
    ) -> Result<u32, RegistryError> {
        let post = || {
            let schema = SuppliedSchema::new(Some(name.into()), SchemaType::Avro, text.into());
            post_schema(&self.client, subject.clone(), schema)
        };
        let mut posted = post().await;
        // Of two that register the same at the same moment a registry may refuse one with the code
        // for what is incompatible. Asked again, it says what it means.
        if posted.as_ref().err().and_then(answer).is_some_and(|a| a.error_code == CONFLICT) {
            posted = post().await;
        }
        match posted {
            Ok(registered) => Ok(registered.id),
            Err(e) => Err(match answer(&e) {
                Some(a) if a.error_code == CONFLICT || (42200..42300).contains(&a.error_code) => {
                    RegistryError::Refused { subject, reason: reason(&a.message) }
                }
                _ => self.unavailable(&e),
            }),
        }
    }

    /// Fetches a schema and judges it.
    pub(crate) async fn fetch(&self, id: u32) -> Result<Writer, RegistryError> {
        let schema = get_schema_by_id(id, &self.client).await.map_err(|e| match answer(&e) {
            Some(a) if ABSENT_CODES.contains(&a.error_code) => RegistryError::Absent(id),
            _ => self.unavailable(&e),
        })?;
        Ok(if schema.schema_type != SchemaType::Avro {
            Writer::Unusable("it is not Avro".to_owned())
        } else if schema.references.is_empty() {
            Writer::judge(&schema.schema)
        } else {
            Writer::Unusable("it refers to other schemas, which is not supported".to_owned())
        })
    }

    fn unavailable(&self, error: &SRCError) -> RegistryError {
        let (addresses, words) = (&self.addresses, words(error));
        RegistryError::Unavailable(format!("{addresses}: {words}; if this lasts, check --registry"))
    }
}

/// What the registry itself said, if that is where the error comes from.
fn answer(error: &SRCError) -> Option<&RawError> {
    error.source()?.downcast_ref::<RawError>()
}

fn words(error: &SRCError) -> String {
    let mut words = error.error.clone();
    let mut cause = error.source();
    // The HTTP client hides the useful part (refused, timed out) some causes down.
    for _ in 0..6 {
        let Some(inner) = cause else { break };
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    reason(&words)
}
