//! What a request changes: from what is known to entries for the log. Pure.

use super::{
    entry::Entry,
    level::Level,
    refusal::Refusal,
    state::{State, Version, Which},
};
use tandem_codec::compatibility::Parsed;

/// What is to become durable, in this order, before the answer is given.
#[derive(Debug)]
pub(super) struct Decision<T> {
    pub(super) entries: Vec<Entry>,
    pub(super) answer: T,
}

/// What a registration came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Registered {
    pub(super) id: u32,
    pub(super) version: u32,
}

/// A schema as somebody offers it.
pub(super) struct Offered {
    pub(super) text: String,
    pub(super) parsed: Parsed,
}

/// Registers a schema, or finds it registered under this subject.
pub(super) fn register(
    state: &State,
    subject: String,
    offered: Offered,
) -> Result<Decision<Registered>, Refusal> {
    if let Some((version, found)) = find_same(state, &subject, &offered.parsed, false) {
        let answer = Registered { id: found.schema.id, version };
        return Ok(Decision { entries: Vec::new(), answer });
    }
    let reasons = check(state, &subject, &offered.parsed);
    if !reasons.is_empty() {
        return Err(Refusal::Incompatible { subject, reasons });
    }
    // Softly deleted versions keep their numbers.
    let version = state.versions(&subject, true).last().map_or(1, |(last, _)| last + 1);
    // The same schema has the same id under every subject.
    let id = state.id_of(&offered.parsed).unwrap_or(state.last_id() + 1);
    let schema = offered.text;
    let entry = Entry::Version { subject, version, id, schema, deleted: false };
    Ok(Decision { entries: vec![entry], answer: Registered { id, version } })
}

/// The newest version of the subject that has this very schema.
pub(super) fn find_same<'a>(
    state: &'a State,
    subject: &str,
    schema: &Parsed,
    deleted: bool,
) -> Option<(u32, &'a Version)> {
    let same = |v: &Version| v.schema.parsed.identity() == schema.identity();
    state.versions(subject, deleted).rev().find(|(_, v)| same(v))
}

/// Why a schema can't follow under this subject, by the subject's level.
pub(super) fn check(state: &State, subject: &str, schema: &Parsed) -> Vec<String> {
    let earlier = state.versions(subject, false).map(|(n, v)| (n, &v.schema.parsed));
    state.level(subject).check(schema, earlier)
}

/// Why a schema can't follow this one version.
pub(super) fn check_against(
    state: &State,
    subject: &str,
    which: Which,
    schema: &Parsed,
) -> Result<Vec<String>, Refusal> {
    let (version, earlier) = match (state.find(subject, which, false), which) {
        (Ok(found), _) => found,
        // As in Confluent's registry, anything may follow nothing.
        (Err(_), Which::Latest) => return Ok(Vec::new()),
        (Err(e), Which::Number(_)) => return Err(e),
    };
    let earlier = std::iter::once((version, &earlier.schema.parsed));
    Ok(state.level(subject).check(schema, earlier))
}

/// Deletes all versions of a subject: softly, or those softly deleted for good.
pub(super) fn delete_subject(
    state: &State,
    subject: &str,
    permanent: bool,
) -> Result<Decision<Vec<u32>>, Refusal> {
    let all = state.some_versions(subject, true)?;
    let live: Vec<_> = state.versions(subject, false).collect();
    let (mut entries, answer) = if permanent {
        if !live.is_empty() {
            return Err(Refusal::SubjectIsNotDeleted(subject.to_owned()));
        }
        let versions: Vec<_> = all.iter().map(|(n, _)| *n).collect();
        (forget(state, subject, &versions), versions)
    } else {
        if live.is_empty() {
            return Err(Refusal::SubjectIsDeleted(subject.to_owned()));
        }
        let entries = live.iter().map(|(n, v)| soften(subject, *n, v)).collect();
        (entries, live.iter().map(|(n, _)| *n).collect())
    };
    if state.own_level(subject).is_some() {
        entries.push(Entry::Level { subject: Some(subject.to_owned()), level: None });
    }
    Ok(Decision { entries, answer })
}

/// Deletes one version: softly, or a softly deleted one for good.
pub(super) fn delete_version(
    state: &State,
    subject: &str,
    which: Which,
    permanent: bool,
) -> Result<Decision<u32>, Refusal> {
    // "latest" means the latest that the request can mean.
    let deleted = permanent || which != Which::Latest;
    let (n, version) = state.find(subject, which, deleted)?;
    let entries = match (permanent, version.deleted) {
        (true, true) => forget(state, subject, &[n]),
        (false, false) => vec![soften(subject, n, version)],
        (true, false) => return Err(Refusal::VersionIsNotDeleted(subject.to_owned(), n)),
        (false, true) => return Err(Refusal::VersionIsDeleted(subject.to_owned(), n)),
    };
    Ok(Decision { entries, answer: n })
}

fn soften(subject: &str, version: u32, of: &Version) -> Entry {
    Entry::Version {
        subject: subject.to_owned(),
        version,
        id: of.schema.id,
        schema: of.schema.text.clone(),
        deleted: true,
    }
}

fn forget(state: &State, subject: &str, versions: &[u32]) -> Vec<Entry> {
    let given = Entry::GivenIds { last: state.last_id() };
    let forget = |n: &u32| Entry::Forget { subject: subject.to_owned(), version: *n };
    std::iter::once(given).chain(versions.iter().map(forget)).collect()
}

/// Sets the level of a subject, or of all that have none.
pub(super) fn set_level(subject: Option<String>, level: Level) -> Decision<Level> {
    Decision { entries: vec![Entry::Level { subject, level: Some(level) }], answer: level }
}

/// Takes a level back, and gives what it was.
pub(super) fn clear_level(
    state: &State,
    subject: Option<String>,
) -> Result<Decision<Level>, Refusal> {
    let answer = match &subject {
        None => state.global_level(),
        Some(name) => state.own_level(name).ok_or_else(|| Refusal::NoSuchSubject(name.clone()))?,
    };
    Ok(Decision { entries: vec![Entry::Level { subject, level: None }], answer })
}

#[cfg(test)]
mod tests;
