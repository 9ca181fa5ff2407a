//! Subjects and their versions.

use super::wire::{Answer, Body, Params, Path, SchemaRequest, answer};
use crate::registry::{
    Registry, decide,
    refusal::Refusal,
    state::{Version, Which},
};
use axum::extract::State;
use serde::Serialize;

#[derive(Serialize)]
struct VersionAnswer<'a> {
    subject: &'a str,
    version: u32,
    id: u32,
    guid: &'a str,
    schema: &'a str,
}

#[derive(Serialize)]
struct RegisteredAnswer<'a> {
    id: u32,
    version: u32,
    guid: &'a str,
    schema: &'a str,
}

#[derive(Serialize)]
struct CheckAnswer {
    is_compatible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<String>>,
}

fn shown(subject: &str, version: u32, of: &Version) -> Answer {
    let schema = &of.schema;
    let (id, guid, schema) = (schema.id, &*schema.guid, &*schema.text);
    answer(&VersionAnswer { subject, version, id, guid, schema })
}

pub(super) async fn list(State(registry): State<Registry>, params: Params) -> Answer {
    let prefix = params.subject_prefix.unwrap_or_default();
    // Confluent's wildcard for "all contexts", which some clients send by default.
    let prefix = if prefix == ":*:" { String::new() } else { prefix };
    let state = registry.state();
    let subjects = state.subjects(params.deleted).filter(|name| name.starts_with(&prefix));
    answer(&subjects.collect::<Vec<_>>())
}

pub(super) async fn look_up(
    State(registry): State<Registry>,
    Path(subject): Path<String>,
    params: Params,
    Body(request): Body<SchemaRequest>,
) -> Answer {
    let offered = request.offered(&subject)?;
    let state = registry.state();
    state.some_versions(&subject, params.deleted)?;
    let (version, found) = decide::find_same(&state, &subject, &offered.parsed, params.deleted)
        .ok_or(Refusal::NoSuchSchema)?;
    shown(&subject, version, found)
}

pub(super) async fn register(
    State(registry): State<Registry>,
    Path(subject): Path<String>,
    Body(request): Body<SchemaRequest>,
) -> Answer {
    let offered = request.offered(&subject)?;
    let decide = move |state: &_| decide::register(state, subject, offered);
    let decide::Registered { id, version } = registry.change(decide).await?;
    let state = registry.state();
    let schema = state.by_id(id)?;
    answer(&RegisteredAnswer { id, version, guid: &schema.guid, schema: &schema.text })
}

pub(super) async fn versions(
    State(registry): State<Registry>,
    Path(subject): Path<String>,
    params: Params,
) -> Answer {
    let state = registry.state();
    let versions = state.some_versions(&subject, params.deleted)?;
    answer(&versions.into_iter().map(|(n, _)| n).collect::<Vec<_>>())
}

pub(super) async fn version(
    State(registry): State<Registry>,
    Path((subject, version)): Path<(String, String)>,
    params: Params,
) -> Answer {
    let state = registry.state();
    let (version, found) = state.find(&subject, Which::parse(&version)?, params.deleted)?;
    shown(&subject, version, found)
}

pub(super) async fn text(
    State(registry): State<Registry>,
    Path((subject, version)): Path<(String, String)>,
    params: Params,
) -> Answer {
    let state = registry.state();
    let (_, found) = state.find(&subject, Which::parse(&version)?, params.deleted)?;
    super::wire::text(&found.schema.text)
}

/// There are no references, so nobody refers to anything.
pub(super) async fn referenced_by(
    State(registry): State<Registry>,
    Path((subject, version)): Path<(String, String)>,
) -> Answer {
    registry.state().find(&subject, Which::parse(&version)?, true)?;
    answer(&[0_u32; 0])
}

pub(super) async fn delete_all(
    State(registry): State<Registry>,
    Path(subject): Path<String>,
    params: Params,
) -> Answer {
    let permanent = params.permanent;
    let decide = move |state: &_| decide::delete_subject(state, &subject, permanent);
    answer(&registry.change(decide).await?)
}

pub(super) async fn delete_one(
    State(registry): State<Registry>,
    Path((subject, version)): Path<(String, String)>,
    params: Params,
) -> Answer {
    let (which, permanent) = (Which::parse(&version)?, params.permanent);
    let decide = move |state: &_| decide::delete_version(state, &subject, which, permanent);
    answer(&registry.change(decide).await?)
}

pub(super) async fn check(
    State(registry): State<Registry>,
    Path(subject): Path<String>,
    params: Params,
    Body(request): Body<SchemaRequest>,
) -> Answer {
    let offered = request.offered(&subject)?;
    checked(&params, decide::check(&registry.state(), &subject, &offered.parsed))
}

pub(super) async fn check_one(
    State(registry): State<Registry>,
    Path((subject, version)): Path<(String, String)>,
    params: Params,
    Body(request): Body<SchemaRequest>,
) -> Answer {
    let which = Which::parse(&version)?;
    let offered = request.offered(&subject)?;
    let state = registry.state();
    checked(&params, decide::check_against(&state, &subject, which, &offered.parsed)?)
}

fn checked(params: &Params, reasons: Vec<String>) -> Answer {
    let is_compatible = reasons.is_empty();
    answer(&CheckAnswer { is_compatible, messages: params.verbose.then_some(reasons) })
}
