//! The embedded registry over HTTP, as clients see it.

#![allow(clippy::unwrap_used)] // helpers of tests, where a panic is the failure

use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use tandem_codec::{Codec, RegistryError, RegistrySettings};
use tandem_domain::{CustomerEvent, CustomerId, Event, Topic};
use tandem_eventlog::{Log, embedded::Embedded};
use tandem_standalone::registry;

struct Server {
    address: String,
    client: Client,
}

async fn serve(log: Log) -> Server {
    let router = registry::open(log, registry::TOPIC).await.unwrap().router();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Server { address, client: Client::new() }
}

async fn in_memory() -> Server {
    serve(Embedded::open_in_memory().unwrap()).await
}

impl Server {
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.address));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/vnd.schemaregistry.v1+json")
                .body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind, "application/vnd.schemaregistry.v1+json", "{path}");
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, None).await
    }

    async fn ok(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.ask(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    async fn register(&self, subject: &str, schema: &str) -> Value {
        let path = format!("/subjects/{subject}/versions");
        self.ok("POST", &path, Some(json!({ "schema": schema }))).await
    }

    /// The error code that a request is refused with; the status is its first three digits.
    async fn code(&self, method: &str, path: &str, body: Option<Value>) -> u64 {
        let (status, answer) = self.ask(method, path, body).await;
        let code = answer["error_code"].as_u64().unwrap_or_default();
        assert!(answer["message"].as_str().is_some_and(|m| !m.is_empty()), "{answer}");
        assert!(code.to_string().starts_with(&status.to_string()), "{status}: {answer}");
        code
    }

    fn codec(&self) -> Codec {
        let urls = vec![self.address.clone()];
        Codec::connect(&RegistrySettings { urls, basic_auth: None, timeout_ms: 5_000 }).unwrap()
    }
}

fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#)
}

const A: &str = r#"{"name":"a","type":"int"}"#;
const B: &str = r#"{"name":"b","type":"int","default":0}"#;
const Z: &str = r#"{"name":"z","type":"int"}"#;

#[tokio::test]
async fn the_codec_works_with_it() {
    let server = in_memory().await;
    let writer = server.codec();
    writer.register_all().await.unwrap();
    writer.register_all().await.unwrap();
    let event = Event::Customer(CustomerEvent::Removed(CustomerId::new("c").unwrap()));
    let value = writer.encode(&event).unwrap();
    let reader = server.codec();
    reader.learn(3).await.unwrap();
    assert_eq!(reader.decode(Topic::Customer, &value), Ok(event));
    assert_eq!(reader.learn(99).await, Err(RegistryError::Absent(99)));
    let subjects = server.get("/subjects?subjectPrefix=customer-").await.1;
    let expected = ["Registered", "Removed", "Updated"];
    assert_eq!(subjects, json!(expected.map(|name| format!("customer-tandem.v1.Customer{name}"))));
}

#[tokio::test]
async fn the_codec_is_told_when_the_subject_holds_another_schema() {
    let server = in_memory().await;
    server.register("customer-tandem.v1.CustomerRegistered", "\"int\"").await;
    let refused = server.codec().register_all().await.unwrap_err();
    assert!(matches!(refused, RegistryError::Refused { .. }), "{refused:?}");
}

#[tokio::test]
async fn schemas_are_found_in_all_the_ways_clients_ask() {
    let server = in_memory().await;
    let (one, two) = (record(A), record(&format!("{A},{B}")));
    assert_eq!(server.register("s", &one).await["id"], 1);
    assert_eq!(server.register("s", &one).await["version"], 1);
    assert_eq!(server.register("s", &two).await["id"], 2);
    assert_eq!(server.register("t", &two).await["id"], 2);
    let schema = server.ok("GET", "/schemas/ids/2?deleted=true&subject=s", None).await;
    assert_eq!(schema["schema"], two.as_str());
    let guid = schema["guid"].as_str().unwrap();
    let by_guid = server.ok("GET", &format!("/schemas/guids/{guid}?deleted=true"), None).await;
    assert_eq!(by_guid, schema);
    let parsed: Value = serde_json::from_str(&two).unwrap();
    assert_eq!(server.get("/schemas/ids/2/schema").await.1, parsed);
    assert_eq!(server.get("/subjects/s/versions/latest/schema").await.1, parsed);
    let uses = json!([{"subject":"s","version":2},{"subject":"t","version":1}]);
    assert_eq!(server.get("/schemas/ids/2/versions").await.1, uses);
    assert_eq!(server.get("/schemas/ids/2/subjects").await.1, json!(["s", "t"]));
    assert_eq!(server.get("/schemas/types").await.1, json!(["AVRO"]));
    assert_eq!(server.get("/subjects").await.1, json!(["s", "t"]));
    assert_eq!(server.get("/subjects/s/versions").await.1, json!([1, 2]));
    assert_eq!(server.get("/subjects/s/versions/latest").await.1["version"], 2);
    let first = server.get("/subjects/s/versions/1").await.1;
    assert_eq!(
        (&first["subject"], &first["id"], &first["version"]),
        (&json!("s"), &json!(1), &json!(1))
    );
    let found = server
        .ok("POST", "/subjects/s?normalize=True&deleted=False", Some(json!({"schema": one})))
        .await;
    assert_eq!(found, first);
}

#[tokio::test]
async fn what_is_not_there_or_not_right_has_confluents_codes() {
    let server = in_memory().await;
    server.register("s", &record(A)).await;
    let with = |schema: &str| Some(json!({ "schema": schema }));
    let table: [(&str, &str, Option<Value>, u64); 25] = [
        ("GET", "/subjects/x/versions", None, 40401),
        ("GET", "/subjects/x/versions/latest", None, 40401),
        ("POST", "/subjects/x", with("\"int\""), 40401),
        ("DELETE", "/subjects/x", None, 40401),
        ("GET", "/subjects/s/versions/9", None, 40402),
        ("GET", "/subjects/s/versions/nine", None, 42202),
        ("GET", "/schemas/ids/9", None, 40403),
        ("GET", "/schemas/ids/nine", None, 40403),
        ("GET", "/schemas/guids/none", None, 40403),
        ("POST", "/subjects/s", with("\"int\""), 40403),
        ("DELETE", "/subjects/s?permanent=true", None, 40405),
        ("DELETE", "/subjects/s/versions/1?permanent=true", None, 40407),
        ("GET", "/config/s", None, 40408),
        ("GET", "/mode/s", None, 40409),
        ("POST", "/subjects/s/versions", with("{"), 42201),
        ("POST", "/subjects/s/versions", with(""), 42201),
        ("POST", "/subjects/s/versions", Some(json!({"schema":"x","schemaType":"PROTOBUF"})), 422),
        ("POST", "/subjects/s/versions", Some(json!({"schema":"\"int\"","id":7})), 42205),
        ("PUT", "/config", Some(json!({"compatibility":"SIDEWAYS"})), 42203),
        ("PUT", "/config/s", Some(json!({"compatibility":"FULL","alias":"t"})), 422),
        ("PUT", "/mode", Some(json!({"mode":"IMPORT"})), 42204),
        ("POST", "/subjects/s/versions", Some(json!([])), 400),
        ("POST", "/subjects/s/versions", with(&"x".repeat(1 << 20)), 413),
        ("GET", "/associations/resources/x", None, 404),
        ("PATCH", "/subjects", None, 405),
    ];
    for (method, path, body, code) in table {
        assert_eq!(server.code(method, path, body).await, code, "{method} {path}");
    }
    let reference = json!([{"name": "x.Y", "subject": "y", "version": 1}]);
    let body = json!({"schema": "\"x.Y\"", "references": reference});
    assert_eq!(server.code("POST", "/subjects/s/versions", Some(body)).await, 422);
}

#[tokio::test]
async fn an_incompatible_schema_is_refused_with_reasons() {
    let server = in_memory().await;
    server.register("s", &record(A)).await;
    let body = || Some(json!({ "schema": record(&format!("{A},{Z}")) }));
    let (status, refused) = server.ask("POST", "/subjects/s/versions", body()).await;
    assert_eq!((status, &refused["error_code"]), (409, &json!(409)));
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("version 1") && message.contains("/z"), "{message}");
    for path in ["", "/1", "/latest"] {
        let path = format!("/compatibility/subjects/s/versions{path}");
        let quiet = server.ok("POST", &path, body()).await;
        assert_eq!(quiet, json!({"is_compatible": false}));
        let verbose = server.ok("POST", &format!("{path}?verbose=True"), body()).await;
        assert!(verbose["messages"][0].as_str().unwrap().contains("/z"), "{verbose}");
    }
    let unknown = server.ok("POST", "/compatibility/subjects/x/versions/latest", body()).await;
    assert_eq!(unknown, json!({"is_compatible": true}));
    let set = server.ok("PUT", "/config/s", Some(json!({"compatibility": "none"}))).await;
    assert_eq!(set, json!({"compatibility": "NONE"}));
    server.ok("POST", "/subjects/s/versions", body()).await;
}

#[tokio::test]
async fn levels_modes_and_contexts() {
    let server = in_memory().await;
    let level = |level: &str| json!({ "compatibilityLevel": level });
    assert_eq!(server.get("/config").await.1, level("BACKWARD"));
    server.ok("PUT", "/config", Some(json!({"compatibility": "FULL_TRANSITIVE"}))).await;
    assert_eq!(server.get("/config").await.1, level("FULL_TRANSITIVE"));
    assert_eq!(server.get("/config/s?defaultToGlobal=true").await.1, level("FULL_TRANSITIVE"));
    assert_eq!(server.ok("DELETE", "/config", None).await, level("FULL_TRANSITIVE"));
    assert_eq!(server.get("/config").await.1, level("BACKWARD"));
    server.ok("PUT", "/config/s", Some(json!({"compatibility": "NONE"}))).await;
    assert_eq!(server.get("/config/s").await.1, level("NONE"));
    assert_eq!(server.ok("DELETE", "/config/s", None).await, level("NONE"));
    assert_eq!(server.get("/mode").await.1, json!({"mode": "READWRITE"}));
    assert_eq!(server.get("/contexts").await.1, json!(["."]));
    assert_eq!(server.get("/").await.1, json!({}));
}

#[tokio::test]
async fn a_subject_may_have_any_name() {
    let server = in_memory().await;
    // Encoded once by the client: "a/b %2F ü?".
    let path = "a%2Fb%20%252F%20%C3%BC%3F";
    server.register(path, "\"int\"").await;
    assert_eq!(server.get("/subjects").await.1, json!(["a/b %2F ü?"]));
    assert_eq!(server.get(&format!("/subjects/{path}/versions")).await.1, json!([1]));
}

async fn open(folder: &Path) -> (Arc<Embedded>, Server) {
    let log = Embedded::open(folder).unwrap();
    let server = serve(log.clone()).await;
    (log, server)
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (log, server) = open(folder.path()).await;
    server.register("s", &record(A)).await;
    server.register("s", &record(&format!("{A},{B}"))).await;
    server.register("gone", "\"int\"").await;
    server.ok("DELETE", "/subjects/gone", None).await;
    assert_eq!(server.ok("DELETE", "/subjects/gone?permanent=true", None).await, json!([1]));
    server.ok("DELETE", "/subjects/s/versions/2", None).await;
    server.ok("PUT", "/config/s", Some(json!({"compatibility": "NONE"}))).await;
    log.close().await;
    let (_log, server) = open(folder.path()).await;
    assert_eq!(server.get("/subjects?deleted=true").await.1, json!(["s"]));
    assert_eq!(server.get("/subjects/s/versions").await.1, json!([1]));
    assert_eq!(server.get("/subjects/s/versions?deleted=true").await.1, json!([1, 2]));
    assert_eq!(server.get("/config/s").await.1["compatibilityLevel"], "NONE");
    assert_eq!(server.get("/schemas/ids/2").await.0, 200);
    assert_eq!(server.code("GET", "/schemas/ids/3", None).await, 40403);
    let next = server.register("s", &record(Z)).await;
    assert_eq!((&next["id"], &next["version"]), (&json!(4), &json!(3)));
}

#[tokio::test]
async fn many_at_once_get_ids_of_their_own() {
    let server = Arc::new(in_memory().await);
    let one = |n: u32| {
        let server = Arc::clone(&server);
        async move {
            let schema = format!(r#"{{"type":"fixed","name":"F","size":{}}}"#, n / 2 + 1);
            server.register(&format!("s{n}"), &schema).await["id"].as_u64().unwrap()
        }
    };
    let tasks: Vec<_> = (0..64).map(|n| tokio::spawn(one(n))).collect();
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.unwrap());
    }
    assert!(ids.chunks(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids, (1..=32).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_topic_of_somebody_else_is_refused() {
    let log = Embedded::open_in_memory().unwrap();
    drop(registry::open(log.clone(), registry::TOPIC).await.unwrap());
    let at = tandem_eventlog::TopicPartition {
        topic: registry::TOPIC.into(),
        partition: tandem_eventlog::Partition(0),
    };
    let record = tandem_eventlog::NewRecord {
        to: at,
        timestamp_ms: 0,
        key: Some("who knows".into()),
        value: None,
        headers: tandem_eventlog::Headers::default(),
    };
    tandem_eventlog::EventLog::append(&*log, record).await.unwrap();
    let refused = registry::open(log, registry::TOPIC).await.err().unwrap().to_string();
    assert!(refused.contains("offset 0") && refused.contains("another registry"), "{refused}");
}
