//! What `tandem-rehome` can be told, as flags or in the environment.

use tandem_codec::{Codec, RegistryError, RegistryFlags};
use tandem_eventlog::LogSettings;

/// Re-publishes rejected records to their right place, once each.
///
/// Takes the view's rejects from a query service. A record in the wrong partition goes to the one
/// that its key belongs in; a record whose schema could not be had goes where it was, if it can be
/// read now. Other rejects stay: they would be rejected again. What was re-published counts as
/// written now, so it wins over what was written in between. A second run publishes nothing again;
/// two runs at once might.
///
/// Exits with 0 when nothing of what it can re-publish is left, with 1 otherwise.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "tandem-rehome", version)]
pub(crate) struct Settings {
    /// The log that the rejected records lie on.
    #[command(flatten)]
    pub(crate) log: LogSettings,
    /// The registry that their schemas are in.
    #[command(flatten)]
    pub(crate) registry: RegistryFlags,
    /// The query service whose rejects they are.
    #[arg(long, value_name = "URL", env = "TANDEM_QUERY", default_value = "http://127.0.0.1:8095")]
    pub(crate) query: String,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl Settings {
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.log.faults();
        if self.log.log.is_none() {
            faults.push("say where the log is: --log kafka://HOST:PORT,...".into());
        }
        faults.extend(self.registry.faults());
        if !self.registry.is_set() {
            faults.push("say where the schemas are: --registry URL".into());
        }
        faults
    }

    pub(crate) fn codec(&self) -> Result<Option<Codec>, RegistryError> {
        self.registry.connect()
    }
}
