//! What the registry knows: a pure function of the entries on the log, in order.

use super::{entry::Entry, level::Level, refusal::Refusal};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tandem_codec::compatibility::Parsed;

/// A schema with its id, shared by all versions that have it.
pub(super) struct Schema {
    pub(super) id: u32,
    /// The schema's name everywhere, made from its identity. Newer clients know schemas by it.
    pub(super) guid: String,
    /// The text as it was first registered.
    pub(super) text: String,
    pub(super) parsed: Parsed,
}

/// One version of a subject.
pub(super) struct Version {
    pub(super) schema: Arc<Schema>,
    /// Deleted softly: not offered any more, still found by whoever asks for deleted ones.
    pub(super) deleted: bool,
}

/// Which version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Latest,
    Number(u32),
}

impl Which {
    pub(super) fn parse(text: &str) -> Result<Which, Refusal> {
        match text {
            "latest" | "-1" => Ok(Which::Latest),
            _ => text
                .parse::<i32>()
                .ok()
                .and_then(|n| u32::try_from(n).ok())
                .filter(|n| *n > 0)
                .map(Which::Number)
                .ok_or_else(|| Refusal::InvalidVersion(text.to_owned())),
        }
    }
}

/// Everything that is known.
#[derive(Default)]
pub(super) struct State {
    subjects: BTreeMap<String, BTreeMap<u32, Version>>,
    ids: BTreeMap<u32, Arc<Schema>>,
    by_identity: HashMap<String, u32>,
    global_level: Option<Level>,
    levels: BTreeMap<String, Level>,
    last_id: u32,
}

impl State {
    /// Changes what is known by one entry of the log.
    ///
    /// # Errors
    /// Why the entry contradicts what is known or can't be understood.
    pub(super) fn apply(&mut self, entry: Entry) -> Result<(), String> {
        match entry {
            Entry::Version { subject, version, id, schema, deleted } => {
                let schema = self.intern(id, schema)?;
                self.subjects
                    .entry(subject)
                    .or_default()
                    .insert(version, Version { schema, deleted });
            }
            Entry::Forget { subject, version } => self.forget(&subject, version),
            Entry::Level { subject: None, level } => self.global_level = level,
            Entry::Level { subject: Some(subject), level: Some(level) } => {
                self.levels.insert(subject, level);
            }
            Entry::Level { subject: Some(subject), level: None } => {
                self.levels.remove(&subject);
            }
            Entry::GivenIds { last } => self.last_id = self.last_id.max(last),
        }
        Ok(())
    }

    fn intern(&mut self, id: u32, text: String) -> Result<Arc<Schema>, String> {
        let parsed = Parsed::parse(&text)?;
        if let Some(known) = self.ids.get(&id) {
            let same = known.parsed.identity() == parsed.identity();
            return if same { Ok(Arc::clone(known)) } else { Err(format!("id {id} is taken")) };
        }
        let guid = guid_of(&parsed);
        self.by_identity.insert(parsed.identity().to_owned(), id);
        self.last_id = self.last_id.max(id);
        let schema = Arc::new(Schema { id, guid, text, parsed });
        self.ids.insert(id, Arc::clone(&schema));
        Ok(schema)
    }

    fn forget(&mut self, subject: &str, version: u32) {
        let Some(versions) = self.subjects.get_mut(subject) else { return };
        let gone = versions.remove(&version);
        if versions.is_empty() {
            self.subjects.remove(subject);
        }
        let Some(Version { schema, .. }) = gone else { return };
        let mut all = self.subjects.values().flat_map(BTreeMap::values);
        if !all.any(|v| v.schema.id == schema.id) {
            self.ids.remove(&schema.id);
            self.by_identity.remove(schema.parsed.identity());
        }
    }

    /// The subjects that have a version to show.
    pub(super) fn subjects(&self, deleted: bool) -> impl Iterator<Item = &String> {
        let shown = move |versions: &BTreeMap<u32, Version>| {
            versions.values().any(|v| deleted || !v.deleted)
        };
        self.subjects.iter().filter(move |(_, versions)| shown(versions)).map(|(name, _)| name)
    }

    /// A subject's versions, ascending; `deleted` shows softly deleted ones too.
    pub(super) fn versions(
        &self,
        subject: &str,
        deleted: bool,
    ) -> impl DoubleEndedIterator<Item = (u32, &Version)> {
        let all = self.subjects.get(subject).into_iter().flatten();
        all.map(|(n, v)| (*n, v)).filter(move |(_, v)| deleted || !v.deleted)
    }

    /// As [`Self::versions`], and there is at least one.
    pub(super) fn some_versions(
        &self,
        subject: &str,
        deleted: bool,
    ) -> Result<Vec<(u32, &Version)>, Refusal> {
        let versions: Vec<_> = self.versions(subject, deleted).collect();
        if versions.is_empty() {
            return Err(Refusal::NoSuchSubject(subject.to_owned()));
        }
        Ok(versions)
    }

    pub(super) fn find(
        &self,
        subject: &str,
        which: Which,
        deleted: bool,
    ) -> Result<(u32, &Version), Refusal> {
        let versions = self.some_versions(subject, deleted)?;
        match which {
            Which::Latest => versions.last().copied(),
            Which::Number(n) => versions.iter().find(|(version, _)| *version == n).copied(),
        }
        .ok_or_else(|| match which {
            Which::Latest => Refusal::NoSuchVersion("latest".to_owned()),
            Which::Number(n) => Refusal::NoSuchVersion(n.to_string()),
        })
    }

    pub(super) fn by_id(&self, id: u32) -> Result<&Arc<Schema>, Refusal> {
        self.ids.get(&id).ok_or_else(|| Refusal::NoSuchId(id.to_string()))
    }

    pub(super) fn by_guid(&self, guid: &str) -> Result<&Arc<Schema>, Refusal> {
        let mut all = self.ids.values();
        all.find(|s| s.guid == guid).ok_or_else(|| Refusal::NoSuchId(guid.to_owned()))
    }

    /// The id that this schema has, under whatever subject.
    pub(super) fn id_of(&self, schema: &Parsed) -> Option<u32> {
        self.by_identity.get(schema.identity()).copied()
    }

    /// Where a schema is used: subjects and versions.
    pub(super) fn uses(&self, id: u32, deleted: bool) -> Vec<(&str, u32)> {
        let mut uses = Vec::new();
        for subject in self.subjects.keys() {
            let versions = self.versions(subject, deleted).filter(|(_, v)| v.schema.id == id);
            uses.extend(versions.map(|(n, _)| (subject.as_str(), n)));
        }
        uses
    }

    pub(super) fn last_id(&self) -> u32 {
        self.last_id
    }

    pub(super) fn global_level(&self) -> Level {
        self.global_level.unwrap_or_default()
    }

    /// The level that a subject has of its own.
    pub(super) fn own_level(&self, subject: &str) -> Option<Level> {
        self.levels.get(subject).copied()
    }

    /// The level that counts for a subject.
    pub(super) fn level(&self, subject: &str) -> Level {
        self.own_level(subject).unwrap_or_else(|| self.global_level())
    }
}

fn guid_of(schema: &Parsed) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, schema.identity().as_bytes()).to_string()
}
