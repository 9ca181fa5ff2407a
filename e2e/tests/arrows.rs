//! Holds the arrows between Tandem's crates, which ARCHITECTURE.md draws and no compiler checks.
//!
//! `deny.toml` holds the one-door rules for the whole dependency graph; here they are checked
//! for our own manifests, so that `cargo test` alone tells. Development dependencies are free
//! of the arrows (a test may wire what it needs) but not of the doors.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Who may depend on whom. A crate that isn't on the left has no place here yet.
const ARROWS: &str = "
    domain      -> nothing
    proto       -> nothing
    partition   -> nothing
    eventlog    -> partition
    service     -> proto
    codec       -> domain
    processor   -> domain, codec, eventlog
    command-svc -> proto, domain, codec, eventlog, service
    query-svc   -> proto, processor, domain, service
    standalone  -> command-svc, query-svc, processor, eventlog, codec, service
    client      -> proto, partition
    load        -> client
    rehome      -> proto, domain, codec, eventlog
    sim         -> anything
    bench       -> anything
    e2e         -> anything
";

/// A third-party crate, and the only crates of ours that may name it.
const DOORS: &[(&str, &[&str])] = &[
    ("rdkafka", &["eventlog"]),
    ("apache-avro", &["codec"]),
    ("schema_registry_converter", &["codec"]),
    ("rocksdb", &["processor", "eventlog"]),
];

/// What a crate must not know, by the beginning of the other's name, and why.
const UNKNOWN_TO: &[(&str, &[&str], &str)] = &[
    (
        "domain",
        &[
            "tokio", "async", "futures", "mio", "tonic", "prost", "axum", "hyper", "http",
            "reqwest", "rocksdb", "rdkafka", "tempfile", "tracing",
        ],
        "the domain is pure: no I/O, no clock",
    ),
    (
        "processor",
        &["tonic", "prost", "axum", "hyper", "http", "tower"],
        "the processor never knows gRPC; query-svc hosts it",
    ),
];

const WRITTEN: &str = "the rule is in ARCHITECTURE.md and e2e/tests/arrows.rs";

#[derive(Debug, Default)]
struct Crate {
    /// Of every build: normal and build dependencies, optional ones too.
    shipped: BTreeSet<String>,
    /// Those that only tests, examples and benches use.
    development: BTreeSet<String>,
}

type Crates = BTreeMap<String, Crate>;

#[test]
fn dependencies_follow_the_arrows() {
    let metadata = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata = serde_json::from_slice(&metadata.stdout).expect("cargo metadata is JSON");
    let faults = faults(&crates(&metadata));
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Our crates go by the name on their folder: `tandem-codec` is `codec`.
fn short(name: &str) -> &str {
    name.strip_prefix("tandem-").unwrap_or(name)
}

fn crates(metadata: &Value) -> Crates {
    let mut crates = Crates::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let entry = crates.entry(short(text(&package["name"])).to_owned()).or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let name = text(&dependency["name"]).to_owned();
            match dependency["kind"].as_str() {
                Some("dev") => entry.development.insert(name),
                _ => entry.shipped.insert(name),
            };
        }
    }
    crates
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `None` stands for anything.
fn arrows() -> BTreeMap<&'static str, Option<BTreeSet<&'static str>>> {
    let rows = ARROWS.lines().filter_map(|line| line.split_once("->"));
    rows.map(|(from, to)| match to.trim() {
        "anything" => (from.trim(), None),
        "nothing" => (from.trim(), Some(BTreeSet::new())),
        names => (from.trim(), Some(names.split(',').map(str::trim).collect())),
    })
    .collect()
}

fn faults(crates: &Crates) -> Vec<String> {
    let arrows = arrows();
    let mut faults = Vec::new();
    for from in crates.keys().filter(|name| !arrows.contains_key(name.as_str())) {
        faults.push(format!("{from} has no row in the table of arrows: {WRITTEN}"));
    }
    for from in arrows.keys().filter(|name| !crates.contains_key(**name)) {
        faults
            .push(format!("{from} is in the table of arrows but not in the workspace: {WRITTEN}"));
    }
    for (from, manifest) in crates {
        if let Some(Some(allowed)) = arrows.get(from.as_str()) {
            let ours = manifest.shipped.iter().filter_map(|name| name.strip_prefix("tandem-"));
            for to in ours.filter(|to| !allowed.contains(to)) {
                faults.push(format!("{from} -> {to} is not an arrow of this project: {WRITTEN}"));
            }
        }
        faults.extend(doors_missed(from, manifest));
        faults.extend(known_but_must_not(from, manifest));
    }
    faults
}

fn doors_missed(from: &str, manifest: &Crate) -> Vec<String> {
    let missed = DOORS.iter().filter(|(name, door)| {
        let named = manifest.shipped.contains(*name) || manifest.development.contains(*name);
        named && !door.contains(&from)
    });
    missed
        .map(|(name, door)| {
            format!("{from} -> {name}: only {} may use {name}; {WRITTEN}", door.join(" and "))
        })
        .collect()
}

fn known_but_must_not(from: &str, manifest: &Crate) -> Vec<String> {
    let mut faults = Vec::new();
    for (_, unknown, reason) in UNKNOWN_TO.iter().filter(|(name, ..)| *name == from) {
        let named = manifest.shipped.iter();
        for to in named.filter(|to| unknown.iter().any(|start| to.starts_with(start))) {
            faults.push(format!("{from} -> {to}: {reason}; {WRITTEN}"));
        }
    }
    faults
}

/// A workspace that keeps every rule, and one more line of one manifest.
fn with(from: &str, kind: &str, to: &str) -> Vec<String> {
    let mut crates: Crates =
        arrows().into_keys().map(|name| (name.to_owned(), Crate::default())).collect();
    let manifest = crates.entry(from.to_owned()).or_default();
    match kind {
        "dev" => manifest.development.insert(to.to_owned()),
        _ => manifest.shipped.insert(to.to_owned()),
    };
    faults(&crates)
}

#[test]
fn a_wrong_line_is_named() {
    for (from, kind, to, expected) in [
        ("codec", "normal", "tandem-eventlog", "codec -> eventlog is not an arrow"),
        ("eventlog", "normal", "tandem-domain", "eventlog -> domain is not an arrow"),
        ("query-svc", "normal", "rocksdb", "only processor and eventlog may use rocksdb"),
        ("e2e", "dev", "rdkafka", "only eventlog may use rdkafka"),
        ("processor", "normal", "tonic-types", "the processor never knows gRPC"),
        ("domain", "normal", "tokio", "the domain is pure"),
        ("helpers", "normal", "serde", "helpers has no row in the table"),
    ] {
        let faults = with(from, kind, to);
        assert_eq!(faults.len(), 1, "{from} -> {to}: {faults:?}");
        assert!(faults[0].contains(expected), "{from} -> {to}: {}", faults[0]);
        assert!(faults[0].contains("ARCHITECTURE.md"), "{}", faults[0]);
    }
}

#[test]
fn a_right_line_is_not() {
    for (from, kind, to) in [
        ("processor", "normal", "rocksdb"),
        ("codec", "normal", "tandem-domain"),
        ("bench", "normal", "tandem-processor"),
        ("processor", "dev", "tandem-proto"),
        ("domain", "normal", "serde"),
    ] {
        assert_eq!(with(from, kind, to), Vec::<String>::new(), "{from} -> {to}");
    }
}
