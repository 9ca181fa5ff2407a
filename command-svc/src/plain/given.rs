//! Reads a form or JSON, and names everything that is wrong with it at once, by the names that its
//! sender gave.

use axum::extract::Request;
use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use percent_encoding::percent_decode;
use tandem_service::{plain, problem::Problem, status::FieldFault};
use tonic::Status;
use utoipa::{IntoParams, IntoResponses};

use super::forms::Form;
use crate::trace::TRACEPARENT;

/// Reason of a body that is neither a form nor JSON.
const BODY_UNREADABLE: &str = "BODY_UNREADABLE";
/// Reason of a body of a type that isn't taken.
const TYPE_UNSUPPORTED: &str = "TYPE_UNSUPPORTED";

/// The header that makes sending a form again safe.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The same, for the description.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `read` reads")]
pub(super) struct Idempotency {
    /// A UUID that makes sending this again safe: the same ids are made, and there is one effect.
    #[param(rename = "Idempotency-Key", format = Uuid, nullable = false)]
    idempotency_key: Option<String>,
}

/// What a form may get instead of being taken, for the description.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what `read` and the method refuse")]
pub(super) enum Refused {
    /// Fields are missing or wrong: `errors` has all of them. Nothing was written.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(#[to_schema] Problem),
    /// A page of another origin may not call here.
    #[response(status = 403, content_type = "application/problem+json")]
    Foreign(#[to_schema] Problem),
    /// The body did not come in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(#[to_schema] Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    Large(#[to_schema] Problem),
    /// The body is neither a form nor JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    Type(#[to_schema] Problem),
    /// It can't be taken just now; send it again, with the same Idempotency-Key.
    #[response(status = 503, content_type = "application/problem+json")]
    Away(#[to_schema] Problem),
}

/// Reads the request that a form makes.
///
/// # Errors
/// A [`Problem`] for its sender to mend.
pub(super) async fn read<F: Form>(request: Request) -> Result<tonic::Request<F::Request>, Problem> {
    let (head, body) = request.into_parts();
    let kind = Kind::of(&head.headers)?;
    let form: F = kind.read(&plain::body(body).await?)?;
    let (request, faults) = form.request(request_id(&head.headers));
    if !faults.is_empty() {
        let more = F::PARSE(request).err().unwrap_or_default();
        return Err(Problem::invalid(together(faults, more)));
    }
    let mut asked = tonic::Request::new(request);
    if let Some(parent) = head.headers.get(TRACEPARENT) {
        asked.metadata_mut().as_mut().insert(TRACEPARENT, parent.clone());
    }
    Ok(asked)
}

/// All faults by the form's names; of a field that isn't a text nothing else is said.
fn together(faults: Vec<FieldFault>, more: Vec<FieldFault>) -> Vec<FieldFault> {
    let is_new = |fault: &FieldFault| !faults.iter().any(|f| f.field == fault.field);
    let more: Vec<_> = more.into_iter().filter(is_new).collect();
    let all = faults.into_iter().chain(more);
    all.map(|f| FieldFault { field: name(&f.field), ..f }).collect()
}

/// What an error is called here.
pub(super) fn problem(status: &Status) -> Problem {
    Problem::told(status, name)
}

/// A field's name in forms and JSON, from the contract's.
fn name(field: &str) -> String {
    if field == "request_id" {
        return IDEMPOTENCY_KEY.to_owned();
    }
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_ascii_uppercase() + rest
    })
}

/// The key as it is, or in the quotes that its draft standard puts it in. What isn't a text can't be
/// a UUID either, and is told so.
fn request_id(headers: &HeaderMap) -> String {
    let key = headers.get(IDEMPOTENCY_KEY).map(|key| key.to_str().unwrap_or("?").trim());
    let quoted = key.and_then(|key| key.strip_prefix('"')?.strip_suffix('"'));
    match quoted.or(key) {
        // Given and empty is not the same as not given.
        Some("") => "?".to_owned(),
        key => key.unwrap_or_default().to_owned(),
    }
}

/// How a body is written.
#[derive(Clone, Copy)]
enum Kind {
    Form,
    Json,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            let text = "the body is compressed; send it as it is";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, TYPE_UNSUPPORTED, text));
        }
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        match &*kind.to_ascii_lowercase() {
            "application/json" => Ok(Self::Json),
            "application/x-www-form-urlencoded" => Ok(Self::Form),
            _ => {
                let text = format!(
                    "the body is {}; send application/x-www-form-urlencoded or application/json",
                    if kind.is_empty() { "of no Content-Type" } else { kind }
                );
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, TYPE_UNSUPPORTED, text))
            }
        }
    }

    fn read<F: Form>(self, body: &[u8]) -> Result<F, Problem> {
        let read = match self {
            // curl calls everything a form unless it is told otherwise.
            Self::Form if body.trim_ascii_start().first() == Some(&b'{') => {
                Err("it looks like JSON; send it with Content-Type: application/json".to_owned())
            }
            // Other bytes would become the same sign, and two ids one.
            Self::Form if percent_decode(body).decode_utf8().is_err() => {
                Err("it is not UTF-8 when percent-decoded".to_owned())
            }
            Self::Form => serde_urlencoded::from_bytes(body).map_err(|e| e.to_string()),
            // serde takes a list for an object's values in turn.
            Self::Json if body.trim_ascii_start().first() == Some(&b'[') => {
                Err("it is a list; send an object".to_owned())
            }
            Self::Json => serde_json::from_slice(body).map_err(|e| e.to_string()),
        };
        read.map_err(|error| {
            let text = format!("the body can't be read: {error}");
            Problem::new(StatusCode::BAD_REQUEST, BODY_UNREADABLE, text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::forms::CustomerForm, *};
    use axum::body::Body;

    async fn refused(kind: &str, body: &'static str) -> Problem {
        let request = Request::post("/").header("content-type", kind).body(Body::from(body));
        read::<CustomerForm>(request.unwrap()).await.unwrap_err()
    }

    #[tokio::test]
    async fn every_fault_is_named_as_its_sender_knows_it() {
        let body = r#"{"customerId": 7, "firstName": ["Ada"], "phone": {}, "email": null}"#;
        let problem = refused("application/json; charset=utf-8", body).await;
        let fields: Vec<_> = problem.errors.iter().map(|e| &*e.field).collect();
        assert_eq!(fields, ["customerId", "firstName", "phone", "lastName"]);
        assert_eq!(problem.errors[0].description, "must be a text, not a number");
        assert_eq!(name("request_id"), "Idempotency-Key");
        assert_eq!((name("order_item_name"), name("x__")), ("orderItemName".into(), "x".into()));
    }

    #[tokio::test]
    async fn what_cannot_be_read_says_so() {
        for (kind, body, status) in [
            ("text/plain", "", 415),
            ("", "{}", 415),
            ("application/json", "{", 400),
            ("application/json", "[]", 400),
            ("application/json", r#"{"phone": "1", "phone": "2"}"#, 400),
            ("application/x-www-form-urlencoded", "phone=1&phone=2", 400),
            ("application/x-www-form-urlencoded", "phone=%ff", 400),
            ("application/x-www-form-urlencoded", r#"{"phone": "1"}"#, 400),
        ] {
            assert_eq!(refused(kind, body).await.status, status, "{kind} {body}");
        }
    }

    #[tokio::test]
    async fn json_that_is_called_a_form_is_told_how_to_be_json() {
        let body = r#"{"firstName": "Ada", "lastName": "L"}"#;
        let problem = refused("application/x-www-form-urlencoded", body).await;
        assert_eq!(problem.reason, BODY_UNREADABLE);
        assert!(problem.detail.contains("Content-Type: application/json"), "{}", problem.detail);
    }

    #[tokio::test]
    async fn a_form_and_json_make_the_same_request() {
        let form = "customerId=a%2Fb+c&firstName=%C3%84da&lastName=L&orderPurchaseTime=1970";
        let json = r#"{"customerId": "a/b c", "firstName": "Äda", "lastName": "L", "x": 1}"#;
        let key = "4b0f0a36-6c0a-4a0e-9d0e-0d1f6a2b7c11";
        let mut made = Vec::new();
        for (kind, body, key) in [
            ("application/x-www-form-urlencoded", form, key.to_owned()),
            ("application/json", json, format!("\"{key}\"")),
        ] {
            let request = Request::post("/").header("content-type", kind);
            let request = request.header(IDEMPOTENCY_KEY, key).body(Body::from(body)).unwrap();
            made.push(read::<CustomerForm>(request).await.unwrap().into_inner());
        }
        assert_eq!(made[0], made[1]);
        assert_eq!((&*made[0].customer_id, &*made[0].request_id), ("a/b c", key));
    }
}
