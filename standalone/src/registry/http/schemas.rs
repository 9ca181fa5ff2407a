//! Schemas by their ids.

use super::wire::{Answer, Params, Path, answer, text};
use crate::registry::{Registry, refusal::Refusal, state::Schema};
use axum::extract::State;
use serde::Serialize;

#[derive(Serialize)]
struct SchemaAnswer<'a> {
    schema: &'a str,
    guid: &'a str,
}

#[derive(Serialize)]
struct Use<'a> {
    subject: &'a str,
    version: u32,
}

fn shown(schema: &Schema) -> Answer {
    answer(&SchemaAnswer { schema: &schema.text, guid: &schema.guid })
}

/// An id that is not a number names no schema.
fn id(text: &str) -> Result<u32, Refusal> {
    text.parse().map_err(|_| Refusal::NoSuchId(text.to_owned()))
}

pub(super) async fn types() -> Answer {
    answer(&["AVRO"])
}

/// Softly deleted schemas are found with or without `deleted`: records may carry their ids.
pub(super) async fn by_id(State(registry): State<Registry>, Path(text): Path<String>) -> Answer {
    shown(registry.state().by_id(id(&text)?)?)
}

pub(super) async fn text_by_id(
    State(registry): State<Registry>,
    Path(id_text): Path<String>,
) -> Answer {
    text(&registry.state().by_id(id(&id_text)?)?.text)
}

pub(super) async fn by_guid(State(registry): State<Registry>, Path(guid): Path<String>) -> Answer {
    shown(registry.state().by_guid(&guid)?)
}

pub(super) async fn versions_by_id(
    State(registry): State<Registry>,
    Path(text): Path<String>,
    params: Params,
) -> Answer {
    let state = registry.state();
    let id = state.by_id(id(&text)?)?.id;
    let uses = state.uses(id, params.deleted).into_iter();
    let uses = uses.filter(|(subject, _)| wanted(&params, subject));
    answer(&uses.map(|(subject, version)| Use { subject, version }).collect::<Vec<_>>())
}

pub(super) async fn subjects_by_id(
    State(registry): State<Registry>,
    Path(text): Path<String>,
    params: Params,
) -> Answer {
    let state = registry.state();
    let id = state.by_id(id(&text)?)?.id;
    let uses = state.uses(id, params.deleted).into_iter().map(|(subject, _)| subject);
    let mut subjects: Vec<_> = uses.filter(|subject| wanted(&params, subject)).collect();
    subjects.dedup();
    answer(&subjects)
}

fn wanted(params: &Params, subject: &str) -> bool {
    params.subject.as_deref().is_none_or(|only| only == subject)
}
