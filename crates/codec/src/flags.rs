//! Which schema registry a process is told to use, as flags or in the environment.

use crate::{BasicAuth, Codec, RegistryError, RegistrySettings};
use clap::Args;
use std::{convert::Infallible, fmt, str::FromStr};

/// The longest that one question may take: whoever asks has to hear in time that it hangs.
const LONGEST_TIMEOUT_MS: u64 = 60_000;

/// Settings of the schema registry, to be flattened into a process's own.
#[derive(Debug, Clone, Args)]
pub struct RegistryFlags {
    /// The schema registry, one that speaks Confluent's REST API: http:// or https://, several
    /// addresses of one registry with commas between. For https the system's certificates are
    /// trusted; SSL_CERT_FILE in the environment names a file of others.
    #[arg(long, env = "TANDEM_REGISTRY", value_name = "URL[,URL...]", value_delimiter = ',')]
    registry: Vec<String>,
    /// Who asks, where the registry wants to know.
    #[arg(long, env = "TANDEM_REGISTRY_USER", value_name = "NAME")]
    registry_user: Option<String>,
    /// The user's password. Prefer the environment: other users of the machine can see flags.
    #[arg(long, env = "TANDEM_REGISTRY_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    registry_password: Option<Password>,
    /// How long one question to the registry may take, milliseconds.
    #[arg(long, env = "TANDEM_REGISTRY_TIMEOUT_MS", value_name = "MS", default_value_t = 5_000)]
    registry_timeout_ms: u64,
}

/// A text that is never printed.
#[derive(Clone)]
struct Password(String);

impl FromStr for Password {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl RegistryFlags {
    /// Whether a registry is named at all.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.urls().next().is_some()
    }

    /// Everything that is wrong with them, a sentence a fault; a process that needs a registry
    /// says so itself when none is set.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = self.urls().filter_map(url_fault).collect();
        if self.user().is_some() && !self.is_set() {
            faults.push("there is a --registry-user but no --registry URL".into());
        }
        if self.password().is_some() && self.user().is_none() {
            faults.push("there is a --registry-password but no --registry-user".into());
        }
        if self.user().is_some_and(|user| user.contains(':')) {
            faults.push("--registry-user has a colon, which ends a name on the wire".into());
        }
        if !(1..=LONGEST_TIMEOUT_MS).contains(&self.registry_timeout_ms) {
            let given = self.registry_timeout_ms;
            faults
                .push(format!("--registry-timeout-ms is {given}; give 1 to {LONGEST_TIMEOUT_MS}"));
        }
        faults
    }

    /// How to ask the registry, if one is named.
    #[must_use]
    pub fn settings(&self) -> Option<RegistrySettings> {
        let password = || self.password().unwrap_or_default().to_owned();
        let auth = |user: &str| BasicAuth { user: user.to_owned(), password: password() };
        self.is_set().then(|| RegistrySettings {
            urls: self.urls().map(str::to_owned).collect(),
            basic_auth: self.user().map(auth),
            timeout_ms: self.registry_timeout_ms,
        })
    }

    /// A codec that asks the registry, if one is named. Does no I/O.
    ///
    /// # Errors
    /// [`RegistryError::Settings`].
    pub fn connect(&self) -> Result<Option<Codec>, RegistryError> {
        self.settings().as_ref().map(Codec::connect).transpose()
    }

    // A variable that is set to nothing means "not set", as it does in compose files.

    fn urls(&self) -> impl Iterator<Item = &str> {
        self.registry.iter().map(|url| url.trim()).filter(|url| !url.is_empty())
    }

    fn user(&self) -> Option<&str> {
        self.registry_user.as_deref().filter(|user| !user.is_empty())
    }

    fn password(&self) -> Option<&str> {
        self.registry_password.as_ref().map(|password| &*password.0).filter(|text| !text.is_empty())
    }
}

/// What is wrong with an address. One with a user in it is not repeated: a password may follow.
fn url_fault(url: &str) -> Option<String> {
    if url.contains('@') {
        let text = "--registry has a user inside an URL, where it would be printed; use \
                    --registry-user, and TANDEM_REGISTRY_PASSWORD in the environment";
        return Some(text.to_owned());
    }
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#', ':']).next().unwrap_or_default());
    match host {
        Some(host) if !host.is_empty() => None,
        _ => Some(format!("--registry is {url:?}; give http://HOST:PORT or https://HOST:PORT")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Example {
        #[command(flatten)]
        registry: RegistryFlags,
    }

    fn flags(args: &[&str]) -> RegistryFlags {
        Example::parse_from([&["x"], args].concat()).registry
    }

    #[test]
    fn addresses_and_a_user() {
        let args = ["--registry=http://a:8081, https://b/ccompat/v7", "--registry-user=ada"];
        let args = [args.as_slice(), &["--registry-password=hunter2"]].concat();
        let flags = flags(&args);
        assert_eq!(flags.faults(), [""; 0]);
        let settings = flags.settings().unwrap();
        assert_eq!(settings.urls, ["http://a:8081", "https://b/ccompat/v7"]);
        assert_eq!(settings.timeout_ms, 5_000);
        let auth = settings.basic_auth.as_ref().unwrap();
        assert_eq!((&*auth.user, &*auth.password), ("ada", "hunter2"));
        assert!(flags.connect().unwrap().is_some());
        let shown = format!("{flags:?} {settings:?}");
        assert!(shown.contains("ada") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn nothing_set_is_no_registry_and_no_fault() {
        for args in [[].as_slice(), &["--registry=", "--registry-user=", "--registry-password="]] {
            let flags = flags(args);
            assert_eq!(flags.faults(), [""; 0]);
            assert!(flags.settings().is_none() && flags.connect().unwrap().is_none());
        }
    }

    #[test]
    fn all_faults_at_once() {
        let table: [(&[&str], &[&str]); 6] = [
            (&["--registry=registry:8081"], &["--registry is \"registry:8081\"; give http://"]),
            (&["--registry=http://,ftp://x"], &["is \"http://\"; give", "is \"ftp://x\"; give"]),
            (&["--registry=http://ada:hunter2@a"], &["use --registry-user"]),
            (&["--registry-password=hunter2"], &["--registry-password but no --registry-user"]),
            (
                &["--registry-user=a:b", "--registry-timeout-ms=0"],
                &["no --registry URL", "has a colon", "--registry-timeout-ms is 0; give 1 to"],
            ),
            (&["--registry=https://a", "--registry-timeout-ms=60001"], &["give 1 to 60000"]),
        ];
        for (args, expected) in table {
            let faults = flags(args).faults();
            assert_eq!(faults.len(), expected.len(), "{args:?}: {faults:?}");
            for (fault, words) in faults.iter().zip(expected) {
                assert!(fault.contains(words), "{fault}");
                assert!(!fault.contains("hunter2"), "{fault}");
            }
        }
    }

    #[test]
    fn the_help_does_not_tell_the_password() {
        use clap::CommandFactory as _;
        let command = Example::command();
        let arg = command.get_arguments().find(|arg| arg.get_id() == "registry_password").unwrap();
        assert!(arg.is_hide_env_values_set());
    }
}
