//! "It says no" and "it can't be asked now" are told apart, whatever answers.

#![allow(clippy::unwrap_used)] // helpers of tests, where a panic is the failure

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tandem_codec::{BasicAuth, Codec, DecodeError, RegistryError, RegistrySettings};
use tandem_domain::{CustomerEvent, CustomerId, Event, Topic};

const JSON: &str = "application/vnd.schemaregistry.v1+json";

fn json(status: u16, body: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, JSON)], body.to_owned()).into_response()
}

fn schema(name: &str, fields: &str) -> Response {
    let schema = format!(r#"{{"type":"record","name":"{name}","fields":[{fields}]}}"#);
    json(200, &format!("{{\"schema\":\"{}\"}}", schema.replace('"', "\\\"")))
}

type Asked = State<Arc<AtomicUsize>>;

async fn by_id(State(asked): Asked, Path(id): Path<u32>) -> Response {
    asked.fetch_add(1, Ordering::SeqCst);
    match id {
        1 => schema("CustomerRemoved", r#"{"name":"customerId","type":"string"}"#),
        2 => schema("CustomerRemoved", r#"{"name":"customerId","type":"int"}"#),
        3 => json(200, r#"{"schema":"syntax = \"proto3\";","schemaType":"PROTOBUF"}"#),
        4 => json(
            200,
            r#"{"schema":"\"x.Y\"","references":[{"name":"x.Y","subject":"y","version":1}]}"#,
        ),
        404 => json(404, r#"{"error_code":40403,"message":"Schema 404 not found"}"#),
        500 => json(500, r#"{"error_code":50001,"message":"Error in the backend data store"}"#),
        503 => json(503, r#"{"error_code":50302,"message":"Leader unknown"}"#),
        401 => json(401, r#"{"error_code":401,"message":"Unauthorized"}"#),
        // Something that is not a registry, and a registry's answer for a wrong path.
        600 => (StatusCode::NOT_FOUND, "<html>no such page</html>").into_response(),
        601 => (StatusCode::OK, "<html>welcome</html>").into_response(),
        602 => json(404, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#),
        603 => json(200, r#"{"hello":"world"}"#),
        _ => {
            tokio::time::sleep(std::time::Duration::from_secs(30)).await;
            json(200, "{}")
        }
    }
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{at}/")
}

fn connect(urls: Vec<String>) -> Codec {
    let basic_auth = None;
    Codec::connect(&RegistrySettings { urls, basic_auth, timeout_ms: 500 }).unwrap()
}

async fn codec() -> (Codec, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let router =
        Router::new().route("/schemas/ids/{id}", get(by_id)).with_state(Arc::clone(&asked));
    (connect(vec![serve(router).await]), asked)
}

fn removed(id: u32) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), &[2, b'c']].concat()
}

#[tokio::test]
async fn what_is_learned_is_kept() {
    let (codec, asked) = codec().await;
    let event = Event::Customer(CustomerEvent::Removed(CustomerId::new("c").unwrap()));
    let decode = || codec.decode(Topic::Customer, &removed(1));
    assert_eq!(decode(), Err(DecodeError::UnknownSchema(1)));
    for _ in 0..3 {
        codec.learn(1).await.unwrap();
        assert_eq!(decode(), Ok(event.clone()));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn unusable_schemas_are_final_and_asked_for_once() {
    let (codec, asked) = codec().await;
    let expected = [(2, "/customerId"), (3, "not Avro"), (4, "refers to other schemas")];
    for (id, words) in expected {
        for _ in 0..2 {
            let e = codec.learn(id).await.unwrap_err();
            assert!(matches!(e, RegistryError::Unusable { .. }), "{id}: {e:?}");
            assert!(e.to_string().contains(words), "{e}");
            let e = codec.decode(Topic::Customer, &removed(id)).unwrap_err();
            assert!(matches!(e, DecodeError::UnusableSchema { .. }), "{id}: {e:?}");
        }
    }
    assert_eq!(asked.load(Ordering::SeqCst), expected.len());
}

#[tokio::test]
async fn an_absent_schema_is_told_from_an_absent_registry() {
    let (codec, asked) = codec().await;
    for _ in 0..3 {
        assert_eq!(codec.learn(404).await, Err(RegistryError::Absent(404)));
        let unknown = codec.decode(Topic::Customer, &removed(404));
        assert_eq!(unknown, Err(DecodeError::UnknownSchema(404)));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    for id in [500, 503, 401, 600, 601, 602, 603, 700] {
        let e = codec.learn(id).await.unwrap_err();
        assert!(matches!(e, RegistryError::Unavailable(_)), "{id}: {e:?}");
    }
    let nobody = connect(vec!["http://127.0.0.1:1".to_owned()]).learn(1).await.unwrap_err();
    assert!(matches!(&nobody, RegistryError::Unavailable(e) if e.contains("refused")), "{nobody}");
}

#[tokio::test]
async fn the_second_address_is_asked_when_the_first_is_down() {
    let router = Router::new().route("/schemas/ids/{id}", get(by_id)).with_state(Arc::default());
    let codec = connect(vec!["http://127.0.0.1:1".to_owned(), serve(router).await]);
    codec.learn(1).await.unwrap();
}

#[tokio::test]
async fn a_refused_schema_is_told() {
    for (status, body, refused) in [
        (409, r#"{"error_code":409,"message":"Schema being registered is incompatible"}"#, true),
        (422, r#"{"error_code":42201,"message":"Invalid schema"}"#, true),
        (500, r#"{"error_code":50001,"message":"no"}"#, false),
        (404, "<html>", false),
    ] {
        let answer = move || async move { json(status, body) };
        let router = Router::new().route("/subjects/{subject}/versions", post(answer));
        let e = connect(vec![serve(router).await]).register_all().await.unwrap_err();
        assert_eq!(matches!(e, RegistryError::Refused { .. }), refused, "{status}: {e:?}");
    }
}

#[tokio::test]
async fn who_registers_at_the_same_moment_as_another_is_not_refused() {
    let first_fails = |State(asked): Asked| async move {
        match asked.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => json(409, r#"{"error_code":409,"message":"An artifact already exists."}"#),
            _ => json(200, r#"{"id":7}"#),
        }
    };
    let router = Router::new().route("/subjects/{subject}/versions", post(first_fails));
    let url = serve(router.with_state(Arc::new(AtomicUsize::new(0)))).await;
    connect(vec![url]).register_announcement().await.unwrap();
}

#[tokio::test]
async fn settings_are_checked_and_the_password_is_not_printed() {
    let auth = BasicAuth { user: "me".to_owned(), password: "sesame".to_owned() };
    let mut settings =
        RegistrySettings { urls: Vec::new(), basic_auth: Some(auth), timeout_ms: 100 };
    assert!(matches!(Codec::connect(&settings), Err(RegistryError::Settings(_))));
    settings.urls.push("http://localhost".to_owned());
    assert!(Codec::connect(&settings).is_ok());
    assert!(!format!("{settings:?}").contains("sesame"));
}
