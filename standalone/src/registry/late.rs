//! A registry that is asked before its log is there: it says so, until it has been opened.

use super::{Registry, refusal::Refusal};
use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use std::sync::{Arc, OnceLock};
use tower::Service as _;

/// A place for a registry. Cheap to clone; all clones are the same place.
#[derive(Clone, Default)]
pub struct Late(Arc<OnceLock<Router>>);

impl Late {
    /// The registry is open: it answers from now on.
    pub fn opened(&self, registry: &Registry) {
        self.0.get_or_init(|| registry.router());
    }

    /// The API, to be served at the root of some address.
    pub fn router(&self) -> Router {
        Router::new().fallback(pass).with_state(self.clone())
    }
}

async fn pass(State(Late(registry)): State<Late>, request: Request) -> Response {
    match registry.get() {
        Some(router) => router.clone().call(request).await.into_response(),
        None => Refusal::NotReady.into_response(),
    }
}
