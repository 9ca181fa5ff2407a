//! The REST API: reads requests, asks the state or makes a change, writes answers.

mod config;
mod schemas;
mod subjects;
mod wire;

use super::Registry;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, post},
};
use wire::{Answer, answer, no_such_method, no_such_path};

/// The largest request: a schema is text that people write. The log takes no larger record.
const MAX_BODY_BYTES: usize = 1024 * 1024;

pub(super) fn router(registry: Registry) -> Router {
    Router::new()
        .route("/", get(root))
        .route("/contexts", get(contexts))
        .merge(schema_routes())
        .merge(subject_routes())
        .merge(config_routes())
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(registry)
}

fn schema_routes() -> Router<Registry> {
    Router::new()
        .route("/schemas/types", get(schemas::types))
        .route("/schemas/ids/{id}", get(schemas::by_id))
        .route("/schemas/ids/{id}/schema", get(schemas::text_by_id))
        .route("/schemas/ids/{id}/versions", get(schemas::versions_by_id))
        .route("/schemas/ids/{id}/subjects", get(schemas::subjects_by_id))
        .route("/schemas/guids/{guid}", get(schemas::by_guid))
}

fn subject_routes() -> Router<Registry> {
    Router::new()
        .route("/subjects", get(subjects::list))
        .route("/subjects/{subject}", post(subjects::look_up).delete(subjects::delete_all))
        .route("/subjects/{subject}/versions", get(subjects::versions).post(subjects::register))
        .route(
            "/subjects/{subject}/versions/{version}",
            get(subjects::version).delete(subjects::delete_one),
        )
        .route("/subjects/{subject}/versions/{version}/schema", get(subjects::text))
        .route("/subjects/{subject}/versions/{version}/referencedby", get(subjects::referenced_by))
        .route("/compatibility/subjects/{subject}/versions", post(subjects::check))
        .route("/compatibility/subjects/{subject}/versions/{version}", post(subjects::check_one))
}

fn config_routes() -> Router<Registry> {
    let global = get(config::get).put(config::set).delete(config::clear);
    let own = get(config::get_own).put(config::set_own).merge(delete(config::clear_own));
    Router::new()
        .route("/config", global)
        .route("/config/{subject}", own)
        .route("/mode", get(config::mode).put(config::set_mode))
        .route("/mode/{subject}", get(config::mode_own).put(config::set_mode))
}

async fn root() -> Answer {
    answer(&serde_json::Map::new())
}

/// Contexts are absent: there is only the default one.
async fn contexts() -> Answer {
    answer(&["."])
}
