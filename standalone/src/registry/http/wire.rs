//! Requests and answers in Confluent's shapes.

use crate::registry::{decide::Offered, refusal::Refusal};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tandem_codec::compatibility::Parsed;

const JSON: HeaderValue = HeaderValue::from_static("application/vnd.schemaregistry.v1+json");

/// An answer, or why there is none.
pub(super) type Answer = Result<Response, Refusal>;

pub(super) fn answer(body: &impl Serialize) -> Answer {
    let body = serde_json::to_string(body).map_err(|e| Refusal::Unavailable(e.to_string()))?;
    Ok(raw(StatusCode::OK, body))
}

/// Text that is JSON already, as schemas are.
pub(super) fn text(json: &str) -> Answer {
    Ok(raw(StatusCode::OK, json.to_owned()))
}

fn raw(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Refusal::Unavailable(reason) = &self {
            tracing::error!(reason, "the schema registry can't answer");
        }
        let body = serde_json::json!({ "error_code": self.code(), "message": self.to_string() });
        raw(self.status(), body.to_string())
    }
}

pub(super) async fn no_such_path() -> Refusal {
    Refusal::NoSuchPath
}

pub(super) async fn no_such_method() -> Refusal {
    Refusal::NoSuchMethod
}

/// A body in JSON, whatever its content type says: clients use several, and all mean JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await.map_err(|e| {
            if e.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Refusal::TooLarge
            } else {
                Refusal::BadRequest(e.body_text())
            }
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|e| Refusal::BadRequest(e.to_string()))
    }
}

/// What a path names, percent-decoded once.
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|e| Refusal::BadRequest(e.body_text()))
    }
}

/// The parameters that change what is done. Others that clients send (`format`, `normalize`,
/// `fetchMaxId`) make no difference here and are passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Params {
    #[serde(deserialize_with = "flag")]
    pub(super) deleted: bool,
    #[serde(deserialize_with = "flag")]
    pub(super) permanent: bool,
    #[serde(deserialize_with = "flag")]
    pub(super) verbose: bool,
    #[serde(deserialize_with = "flag")]
    pub(super) default_to_global: bool,
    pub(super) subject: Option<String>,
    pub(super) subject_prefix: Option<String>,
}

/// Java's reading of a flag: `true` in any case, as Python's client writes `True`, is yes; all
/// else is no, which is the harmless side of every flag here.
fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    let text = String::deserialize(from)?;
    Ok(text.eq_ignore_ascii_case("true"))
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|query| query.0).map_err(|e| Refusal::BadRequest(e.body_text()))
    }
}

/// A schema as it is offered for registration, look-up or a check.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SchemaRequest {
    schema: Option<String>,
    schema_type: Option<String>,
    references: Option<Vec<Value>>,
    metadata: Option<Value>,
    rule_set: Option<Value>,
    id: Option<i64>,
}

impl SchemaRequest {
    /// What is offered; `subject` only for the message.
    pub(super) fn offered(self, subject: &str) -> Result<Offered, Refusal> {
        let unsupported = |what: &str| Err(Refusal::NotSupported(what.to_owned()));
        match self.schema_type.as_deref() {
            None | Some("" | "AVRO") => {}
            Some(other) => return unsupported(&format!("schemas of type {other}, only AVRO")),
        }
        if self.references.is_some_and(|r| !r.is_empty()) {
            return unsupported("references to other schemas; spell the types out");
        }
        if self.metadata.is_some() || self.rule_set.is_some() {
            return unsupported("metadata and rules");
        }
        if self.id.is_some_and(|id| id > 0) {
            return Err(Refusal::NotImporting(subject.to_owned()));
        }
        let text = self.schema.filter(|s| !s.trim().is_empty());
        let text = text.ok_or_else(|| Refusal::InvalidSchema("it is empty".to_owned()))?;
        let parsed = Parsed::parse(&text).map_err(Refusal::InvalidSchema)?;
        Ok(Offered { text, parsed })
    }
}
