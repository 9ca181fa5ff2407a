use super::*;

fn offered(text: &str) -> Offered {
    Offered { text: text.to_owned(), parsed: Parsed::parse(text).unwrap() }
}

fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#)
}

const A: &str = r#"{"name":"a","type":"int"}"#;
const B: &str = r#"{"name":"b","type":"int","default":0}"#;

fn apply<T>(state: &mut State, decision: Result<Decision<T>, Refusal>) -> Result<T, Refusal> {
    let decision = decision?;
    for entry in decision.entries {
        state.apply(entry).unwrap();
    }
    Ok(decision.answer)
}

fn register(state: &mut State, subject: &str, text: &str) -> Result<(u32, u32), Refusal> {
    let decision = super::register(state, subject.to_owned(), offered(text));
    apply(state, decision).map(|r| (r.id, r.version))
}

fn delete(state: &mut State, subject: &str, permanent: bool) -> Result<Vec<u32>, Refusal> {
    let decision = delete_subject(state, subject, permanent);
    apply(state, decision)
}

fn delete_one(state: &mut State, version: u32, permanent: bool) -> Result<u32, Refusal> {
    let decision = delete_version(state, "s", Which::Number(version), permanent);
    apply(state, decision)
}

#[test]
fn ids_are_per_schema_and_versions_per_subject() {
    let mut state = State::default();
    let (one, two) = (record(A), record(&format!("{A},{B}")));
    assert_eq!(register(&mut state, "s", &one), Ok((1, 1)));
    assert_eq!(register(&mut state, "s", &one.replace(':', " : ")), Ok((1, 1)));
    assert_eq!(register(&mut state, "s", &two), Ok((2, 2)));
    assert_eq!(register(&mut state, "t", &two), Ok((2, 1)));
    assert_eq!(register(&mut state, "t", "\"int\""), Err(incompatible("t", &state, "\"int\"")));
    assert_eq!(state.uses(2, false), [("s", 2), ("t", 1)]);
}

fn incompatible(subject: &str, state: &State, text: &str) -> Refusal {
    let reasons = check(state, subject, &offered(text).parsed);
    assert!(!reasons.is_empty());
    Refusal::Incompatible { subject: subject.to_owned(), reasons }
}

#[test]
fn the_level_of_the_subject_counts_before_the_global_one() {
    let mut state = State::default();
    register(&mut state, "s", &record(A)).unwrap();
    let other = record(r#"{"name":"z","type":"int"}"#);
    assert!(register(&mut state, "s", &other).is_err());
    apply(&mut state, Ok(set_level(Some("s".to_owned()), Level::None))).unwrap();
    apply(&mut state, Ok(set_level(None, Level::Full))).unwrap();
    assert_eq!((state.level("s"), state.level("t")), (Level::None, Level::Full));
    assert_eq!(register(&mut state, "s", &other), Ok((2, 2)));
    let cleared = clear_level(&state, Some("s".to_owned()));
    assert_eq!(apply(&mut state, cleared), Ok(Level::None));
    assert_eq!(state.level("s"), Level::Full);
    let again = clear_level(&state, Some("s".to_owned())).unwrap_err();
    assert_eq!(again, Refusal::NoSuchSubject("s".to_owned()));
}

#[test]
fn a_subject_is_deleted_softly_first() {
    let mut state = State::default();
    let s = || "s".to_owned();
    register(&mut state, "s", &record(A)).unwrap();
    register(&mut state, "s", &record(&format!("{A},{B}"))).unwrap();
    assert_eq!(delete(&mut state, "x", false), Err(Refusal::NoSuchSubject("x".to_owned())));
    assert_eq!(delete(&mut state, "s", true), Err(Refusal::SubjectIsNotDeleted(s())));
    assert_eq!(delete(&mut state, "s", false), Ok(vec![1, 2]));
    assert_eq!(delete(&mut state, "s", false), Err(Refusal::SubjectIsDeleted(s())));
    assert!(state.by_id(1).is_ok(), "records with a softly deleted schema stay readable");
    // Registered again, it is a new version with the old id.
    assert_eq!(register(&mut state, "s", &record(A)), Ok((1, 3)));
    assert_eq!(delete(&mut state, "s", false), Ok(vec![3]));
    assert_eq!(delete(&mut state, "s", true), Ok(vec![1, 2, 3]));
    assert!(state.by_id(1).is_err());
}

#[test]
fn a_version_is_deleted_softly_first() {
    let mut state = State::default();
    let s = || "s".to_owned();
    register(&mut state, "s", &record(A)).unwrap();
    register(&mut state, "s", &record(&format!("{A},{B}"))).unwrap();
    assert_eq!(delete_one(&mut state, 2, true), Err(Refusal::VersionIsNotDeleted(s(), 2)));
    assert_eq!(delete_one(&mut state, 2, false), Ok(2));
    assert_eq!(delete_one(&mut state, 2, false), Err(Refusal::VersionIsDeleted(s(), 2)));
    assert_eq!(state.find("s", Which::Latest, false).map(|(n, _)| n), Ok(1));
    assert_eq!(state.find("s", Which::Latest, true).map(|(n, _)| n), Ok(2));
    assert_eq!(delete_one(&mut state, 2, true), Ok(2));
    assert_eq!(delete_one(&mut state, 2, true), Err(Refusal::NoSuchVersion("2".to_owned())));
}

#[test]
fn ids_are_never_given_again() {
    let mut state = State::default();
    register(&mut state, "s", &record(A)).unwrap();
    delete(&mut state, "s", false).unwrap();
    // Tombstones may be compacted away; the entry that keeps the ids stays.
    let entries = delete_subject(&state, "s", true).unwrap().entries;
    let mut reopened = State::default();
    for entry in entries.into_iter().filter(|e| !matches!(e, Entry::Forget { .. })) {
        reopened.apply(entry).unwrap();
    }
    assert_eq!(register(&mut reopened, "s", &record(B)), Ok((2, 1)));
}

#[test]
fn versions_are_read_as_confluent_reads_them() {
    for text in ["latest", "-1"] {
        assert_eq!(Which::parse(text), Ok(Which::Latest));
    }
    assert_eq!(Which::parse("7"), Ok(Which::Number(7)));
    for text in ["0", "-2", "x", "", "2147483648", "1.0"] {
        assert_eq!(Which::parse(text), Err(Refusal::InvalidVersion(text.to_owned())));
    }
}

#[test]
fn a_contradiction_on_the_log_is_told() {
    let mut state = State::default();
    let entry = |schema: &str| Entry::Version {
        subject: "s".to_owned(),
        version: 1,
        id: 1,
        schema: schema.to_owned(),
        deleted: false,
    };
    state.apply(entry("\"int\"")).unwrap();
    assert!(state.apply(entry("\"string\"")).is_err());
    assert!(state.apply(entry("{")).is_err());
}
