//! Settings are typed, loaded once, and can be shown as they took effect, without their secrets.
//!
//! Each process derives its own clap struct, with `env` beside every flag, and implements
//! [`Settings`] to check what no single field can tell. clap reports the first value that it
//! can't read and stops; everything that [`Settings::faults`] finds is reported together.

use clap::{
    ArgMatches, Command, CommandFactory, FromArgMatches, error::ErrorKind, parser::ValueSource,
};
use std::{any::TypeId, convert::Infallible, ffi::OsString, fmt, str::FromStr};

/// What is shown in place of a secret.
const HIDDEN: &str = "***";

/// A setting whose name has one of these words is a secret, whatever its type: settings of crates
/// that don't know [`Secret`] are shown too.
const SECRET_SETTINGS: [&str; 2] = ["password", "secret"];

/// A value `KEY=VALUE` is shown without its value when the key has one of these words. Rather too
/// many than too few: `ssl.key.location` is hidden so that `ssl.key.pem` is.
const SECRET_KEYS: [&str; 7] = ["password", "secret", "pem", "credential", "token", "key", "jaas"];

/// What a process can be told.
pub trait Settings: CommandFactory + FromArgMatches {
    /// Everything that is wrong with values that can each be read: one sentence a fault, naming
    /// the flag and what to do.
    fn faults(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A text that is never shown. Any setting of this type is redacted wherever settings are shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// The settings as they took effect: its `Display` is one `name = value (where from)` a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective(Vec<Row>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    name: String,
    value: String,
    from: &'static str,
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Row { name, value, from }) in self.0.iter().enumerate() {
            let end = if n == 0 { "" } else { "\n" };
            write!(f, "{end}{name} = {value} ({from})")?;
        }
        Ok(())
    }
}

/// Reads the settings from the command line and the environment.
///
/// # Errors
/// clap's error, which is also how help and version come out: let it print itself and end the
/// process (`error.exit()`).
pub fn load<S: Settings>() -> Result<(S, Effective), clap::Error> {
    load_from(std::env::args_os())
}

/// As [`load`], from the given command line; its first item is the program's name.
///
/// # Errors
/// As [`load`].
pub fn load_from<S: Settings>(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<(S, Effective), clap::Error> {
    let mut command = S::command();
    let matches = command.try_get_matches_from_mut(args)?;
    let settings = S::from_arg_matches(&matches).map_err(|e| e.format(&mut command))?;
    let faults = settings.faults();
    if !faults.is_empty() {
        return Err(command.error(ErrorKind::ValueValidation, faults.join("\n  ")));
    }
    Ok((settings, effective(&command, &matches)))
}

fn effective(command: &Command, matches: &ArgMatches) -> Effective {
    let rows = command.get_arguments().filter_map(|arg| {
        let id = arg.get_id().as_str();
        let from = match matches.value_source(id)? {
            ValueSource::CommandLine => "command line",
            ValueSource::EnvVariable => "environment",
            _ => "default",
        };
        let secret = arg.get_value_parser().type_id() == TypeId::of::<Secret>()
            || names_one_of(id, &SECRET_SETTINGS);
        let value = if secret { HIDDEN.to_owned() } else { shown_values(matches, id) };
        Some(Row { name: id.to_owned(), value, from })
    });
    Effective(rows.collect())
}

fn shown_values(matches: &ArgMatches, id: &str) -> String {
    let values = matches.get_raw(id).into_iter().flatten();
    values.map(|value| shown(&value.to_string_lossy())).collect::<Vec<_>>().join(",")
}

/// A value, without the secret where it is `KEY=VALUE` and the key names one.
fn shown(value: &str) -> String {
    match value.split_once('=') {
        Some((key, _)) if names_one_of(key, &SECRET_KEYS) => format!("{key}={HIDDEN}"),
        _ => value.to_owned(),
    }
}

fn names_one_of(name: &str, words: &[&str]) -> bool {
    let name = name.to_lowercase();
    words.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Example {
        #[arg(long, default_value = "127.0.0.1:8090")]
        addr: String,
        #[arg(long)]
        password: Option<Secret>,
        #[arg(long, default_value_t = 8)]
        low: u32,
        #[arg(long, default_value_t = 9)]
        high: u32,
        #[arg(long)]
        other_password: Option<String>,
        #[arg(long = "kafka")]
        properties: Vec<String>,
    }

    impl Settings for Example {
        fn faults(&self) -> Vec<String> {
            let mut faults = Vec::new();
            if self.low > self.high {
                faults.push("--low must not exceed --high; lower it".into());
            }
            if self.addr.is_empty() {
                faults.push("--addr must not be empty; pass host:port".into());
            }
            faults
        }
    }

    #[test]
    fn shows_what_took_effect_without_secrets() {
        let args = ["x", "--password", "hunter2", "--low", "3"];
        let (settings, effective) = load_from::<Example>(args).unwrap();
        assert_eq!(settings.password.as_ref().map(Secret::reveal), Some("hunter2"));
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(
            effective.to_string(),
            "addr = 127.0.0.1:8090 (default)\npassword = *** (command line)\n\
             low = 3 (command line)\nhigh = 9 (default)"
        );
    }

    #[test]
    fn hides_secrets_that_are_not_of_the_type() {
        let args = [
            ["x", "--other-password=hunter2", "--kafka=sasl.password=hunter2"].as_slice(),
            &["--kafka=sasl.username=ada", "--kafka=SSL.Key.PEM=hunter2"],
            &["--kafka=sasl.jaas.config=x password=hunter2", "--kafka=acks=all=1"],
        ];
        let (_, effective) = load_from::<Example>(args.concat()).unwrap();
        let text = effective.to_string();
        assert!(!text.contains("hunter2"), "{text}");
        let ends = "other_password = *** (command line)\nproperties = sasl.password=***,\
                    sasl.username=ada,SSL.Key.PEM=***,sasl.jaas.config=***,acks=all=1 \
                    (command line)";
        assert!(text.ends_with(ends), "{text}");
    }

    #[test]
    fn reports_all_faults_together() {
        let args = ["x", "--addr", "", "--low", "10"];
        let text = load_from::<Example>(args).unwrap_err().to_string();
        assert!(text.contains("--low must not exceed"), "{text}");
        assert!(text.contains("--addr must not be empty"), "{text}");
    }
}
