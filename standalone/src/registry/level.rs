//! Compatibility levels: which earlier schemas a new one is checked against, and which way.

use serde::{Deserialize, Serialize};
use tandem_codec::compatibility::{Parsed, check};

/// Confluent's compatibility levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Level {
    None,
    #[default]
    Backward,
    BackwardTransitive,
    Forward,
    ForwardTransitive,
    Full,
    FullTransitive,
}

impl Level {
    /// Reads the level's name in capitals or not, as Confluent does.
    pub(super) fn parse(name: &str) -> Option<Level> {
        serde_json::from_value(name.to_uppercase().into()).ok()
    }

    fn is_transitive(self) -> bool {
        matches!(self, Level::BackwardTransitive | Level::ForwardTransitive | Level::FullTransitive)
    }

    /// Why `new` can't follow `earlier` (oldest first); nothing when it can.
    pub(super) fn check<'a>(
        self,
        new: &Parsed,
        earlier: impl DoubleEndedIterator<Item = (u32, &'a Parsed)>,
    ) -> Vec<String> {
        let checked = if self.is_transitive() { usize::MAX } else { 1 };
        earlier
            .rev()
            .take(checked)
            .flat_map(|(version, old)| {
                let reasons = self.check_one(new, old);
                reasons.into_iter().map(move |reason| format!("version {version}: {reason}"))
            })
            .collect()
    }

    fn check_one(self, new: &Parsed, old: &Parsed) -> Vec<String> {
        let backward = || prefixed("the new schema can't read what the old one wrote", new, old);
        let forward = || prefixed("the old schema can't read what the new one writes", old, new);
        match self {
            Level::None => Vec::new(),
            Level::Backward | Level::BackwardTransitive => backward(),
            Level::Forward | Level::ForwardTransitive => forward(),
            Level::Full | Level::FullTransitive => [backward(), forward()].concat(),
        }
    }
}

fn prefixed(what: &str, reader: &Parsed, writer: &Parsed) -> Vec<String> {
    check(reader, writer).into_iter().map(|reason| format!("{what}: {reason}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fields: &str) -> Parsed {
        Parsed::parse(&format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#)).unwrap()
    }

    #[test]
    fn names() {
        assert_eq!(Level::parse("FULL_TRANSITIVE"), Some(Level::FullTransitive));
        assert_eq!(Level::parse("none"), Some(Level::None));
        assert_eq!(Level::parse("SIDEWAYS"), None);
    }

    #[test]
    fn directions_and_reach() {
        let (a, b) = (r#"{"name":"a","type":"int"}"#, r#"{"name":"b","type":"int"}"#);
        let b_default = r#"{"name":"b","type":"int","default":0}"#;
        let one = record(a);
        let both = record(&format!("{a},{b}"));
        let with_default = record(&format!("{a},{b_default}"));
        // level, new schema, earlier ones, may follow
        let table: [(Level, &Parsed, &[&Parsed], bool); 12] = [
            (Level::None, &both, &[&one], true),
            (Level::Backward, &both, &[&one], false),
            (Level::Backward, &with_default, &[&one], true),
            (Level::Backward, &one, &[&both], true),
            (Level::Forward, &both, &[&one], true),
            (Level::Forward, &one, &[&both], false),
            (Level::Full, &with_default, &[&one], true),
            (Level::Full, &one, &[&with_default], true),
            (Level::Full, &both, &[&one], false),
            (Level::Backward, &both, &[&one, &with_default], true),
            (Level::BackwardTransitive, &both, &[&one, &with_default], false),
            (Level::ForwardTransitive, &one, &[&both, &with_default], false),
        ];
        for (level, new, earlier, expected) in table {
            let got = level
                .check(new, (1..).zip(earlier.iter().copied()).collect::<Vec<_>>().into_iter());
            assert_eq!(got.is_empty(), expected, "{level:?}: {got:?}");
        }
    }
}
