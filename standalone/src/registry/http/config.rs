//! Compatibility levels and modes.

use super::wire::{Answer, Body, Params, Path, answer};
use crate::registry::{Registry, decide, level::Level, refusal::Refusal};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What asking for a level gives.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LevelAnswer {
    compatibility_level: Level,
}

/// What setting a level gives, which Confluent spells in another way.
#[derive(Serialize)]
struct SetAnswer {
    compatibility: Level,
}

/// Settings other than the level would change what registering does, so they are refused.
#[derive(Deserialize)]
pub(super) struct SetRequest {
    compatibility: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl SetRequest {
    fn level(self) -> Result<Level, Refusal> {
        let harmless = |name: &str, value: &Value| value.is_null() || name == "normalize";
        let mut others = self.others.iter().filter(|(name, value)| !harmless(name, value));
        if let Some((name, _)) = others.next() {
            return Err(Refusal::NotSupported(format!("the setting '{name}'")));
        }
        let name = self.compatibility.unwrap_or_default();
        Level::parse(&name).ok_or(Refusal::InvalidLevel(name))
    }
}

fn shown(compatibility_level: Level) -> Answer {
    answer(&LevelAnswer { compatibility_level })
}

pub(super) async fn get(State(registry): State<Registry>) -> Answer {
    shown(registry.state().global_level())
}

pub(super) async fn get_own(
    State(registry): State<Registry>,
    Path(subject): Path<String>,
    params: Params,
) -> Answer {
    let state = registry.state();
    match state.own_level(&subject) {
        Some(level) => shown(level),
        None if params.default_to_global => shown(state.global_level()),
        None => Err(Refusal::NoLevel(subject)),
    }
}

pub(super) async fn set(
    State(registry): State<Registry>,
    Body(request): Body<SetRequest>,
) -> Answer {
    put(&registry, None, request).await
}

pub(super) async fn set_own(
    State(registry): State<Registry>,
    Path(subject): Path<String>,
    Body(request): Body<SetRequest>,
) -> Answer {
    put(&registry, Some(subject), request).await
}

async fn put(registry: &Registry, subject: Option<String>, request: SetRequest) -> Answer {
    let level = request.level()?;
    let compatibility = registry.change(move |_| Ok(decide::set_level(subject, level))).await?;
    answer(&SetAnswer { compatibility })
}

pub(super) async fn clear(State(registry): State<Registry>) -> Answer {
    shown(registry.change(|state| decide::clear_level(state, None)).await?)
}

pub(super) async fn clear_own(
    State(registry): State<Registry>,
    Path(subject): Path<String>,
) -> Answer {
    shown(registry.change(|state| decide::clear_level(state, Some(subject))).await?)
}

/// The only mode there is.
const MODE: &str = "READWRITE";

#[derive(Serialize, Deserialize)]
pub(super) struct Mode {
    mode: String,
}

fn the_mode() -> Answer {
    answer(&Mode { mode: MODE.to_owned() })
}

pub(super) async fn mode() -> Answer {
    the_mode()
}

pub(super) async fn mode_own(Path(subject): Path<String>, params: Params) -> Answer {
    if params.default_to_global { the_mode() } else { Err(Refusal::NoMode(subject)) }
}

pub(super) async fn set_mode(Body(request): Body<Mode>) -> Answer {
    if request.mode == MODE { the_mode() } else { Err(Refusal::InvalidMode(request.mode)) }
}
