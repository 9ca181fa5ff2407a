//! Each service as a process of its own, while neither Kafka nor the registry is there: it
//! answers, says what it waits for, and ends in order. With Kafka they are met in `tests/kafka`.

use std::{
    path::Path,
    time::{Duration, Instant},
};
use tandem_proto::v1::{
    CreateCustomerRequest, GetCustomerRequest, ListInstancesRequest,
    command_service_client::CommandServiceClient, query_service_client::QueryServiceClient,
};
use tokio::net::TcpSocket;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::health_check_response::ServingStatus;

use tandem_e2e::{
    process::Process,
    services::{COMMAND, QUERY, health},
    told::told,
    wire::customer,
};

/// How long an end may take that has nothing to drain.
const SECONDS: Duration = Duration::from_secs(5);

/// A port that is ours and at which nothing listens.
struct Nowhere(TcpSocket);

impl Nowhere {
    fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }
}

/// With a log and a registry at which nothing listens.
fn with_nothing_there(binary: &str, nowhere: &Nowhere, args: &[&str]) -> Process {
    let log = format!("kafka://{}", nowhere.address());
    let registry = format!("http://{}", nowhere.address());
    Process::start(binary, &[&["--log", &log, "--registry", &registry], args].concat())
}

/// Ends it politely: in order, and soon.
async fn stop(process: Process) {
    let asked = Instant::now();
    let waits = ["waiting_for=", "can't be heard; trying again", "can't be announced yet"];
    process.stop(&waits).await;
    assert!(asked.elapsed() < SECONDS, "it took {:?}", asked.elapsed());
}

fn channel(url: &str) -> Channel {
    Endpoint::from_shared(url.to_owned()).unwrap().connect_lazy()
}

async fn is_not_serving(channel: &Channel, service: &str) {
    for service in [service, ""] {
        assert_eq!(health(channel, service).await, Some(ServingStatus::NotServing));
    }
}

/// Exit code 1, and one line that says all of these words.
async fn check_health_says(binary: &str, flag: &str, address: &str, words: &[&str]) {
    let (code, stdout, stderr) = Process::run(binary, &["--check-health", flag, address]).await;
    assert_eq!((code, &*stdout, stderr.lines().count()), (Some(1), "", 1), "{stderr}");
    for word in [&[binary, address], words].concat() {
        assert!(stderr.contains(word), "no {word:?} in {stderr}");
    }
}

#[tokio::test]
async fn the_command_service_answers_before_anything_is_there() {
    let nowhere = Nowhere::new();
    let args = ["--command-addr", "127.0.0.1:0"];
    let alone = with_nothing_there("command-svc", &nowhere, &args);
    let url = alone.announced("command").await;
    let channel = channel(&url);
    is_not_serving(&channel, COMMAND).await;
    let mut client = CommandServiceClient::new(channel.clone());
    // That it says when to try again is checked of every UNAVAILABLE.
    let refused = told(client.create_customer(customer("ada", "Ada")).await);
    refused.is(Code::Unavailable, "NOT_READY");
    let refused = told(client.create_customer(CreateCustomerRequest::default()).await);
    refused.names(&["first_name", "last_name"]);
    alone.waits_for("the schema registry").await;
    let address = url.strip_prefix("http://").unwrap();
    check_health_says("command-svc", "--command-addr", address, &[COMMAND, "NOT_SERVING"]).await;
    is_not_serving(&channel, COMMAND).await;
    stop(alone).await;
}

#[tokio::test]
async fn the_query_service_answers_before_anything_is_there() {
    let (nowhere, data) = (Nowhere::new(), tempfile::tempdir().unwrap());
    let args = ["--query-addr", "127.0.0.1:0", "--data-dir", data.path().to_str().unwrap()];
    let alone = with_nothing_there("query-svc", &nowhere, &args);
    let url = alone.announced("query").await;
    let channel = channel(&url);
    is_not_serving(&channel, QUERY).await;
    let mut client = QueryServiceClient::new(channel.clone());
    let asked = GetCustomerRequest { customer_id: "ada".into(), freshness: None };
    told(client.get_customer(asked).await).is(Code::Unavailable, "NOT_READY");
    let answer = client.list_instances(ListInstancesRequest::default()).await.unwrap();
    let [instance] = answer.into_inner().instances.try_into().unwrap();
    let address = url.strip_prefix("http://").unwrap();
    assert_eq!((&*instance.address, instance.shards), (address, vec![]));
    let (_, port) = address.rsplit_once(':').unwrap();
    assert!(instance.instance_id.ends_with(&format!(":{port}")), "{}", instance.instance_id);
    alone.waits_for("the log").await;
    check_health_says("query-svc", "--query-addr", address, &[QUERY, "NOT_SERVING"]).await;
    is_not_serving(&channel, QUERY).await;
    stop(alone).await;
}

#[tokio::test]
async fn the_processor_waits_too() {
    let (nowhere, data) = (Nowhere::new(), tempfile::tempdir().unwrap());
    let args = ["--data-dir", data.path().to_str().unwrap()];
    let alone = with_nothing_there("processor", &nowhere, &args);
    let view = alone.announced("view").await;
    assert_eq!(Path::new(&view), data.path().join("view"));
    alone.waits_for("the log").await;
    stop(alone).await;
}

#[tokio::test]
async fn all_in_one_process_waits_for_kafka_as_well() {
    let (nowhere, data) = (Nowhere::new(), tempfile::tempdir().unwrap());
    let log = format!("kafka://{}", nowhere.address());
    let args = [
        ["--command-addr", "127.0.0.1:0", "--query-addr", "127.0.0.1:0"].as_slice(),
        &["--registry-addr", "127.0.0.1:0", "--data-dir", data.path().to_str().unwrap()],
        &["--log", &log],
    ];
    let alone = Process::start("tandem", &args.concat());
    let (command, query) = (alone.announced("command").await, alone.announced("query").await);
    let registry = alone.announced("registry").await;
    is_not_serving(&channel(&command), COMMAND).await;
    is_not_serving(&channel(&query), QUERY).await;
    let answer = reqwest::get(format!("{registry}/subjects")).await.unwrap();
    assert_eq!(answer.status(), 503, "the schemas lie on the log too");
    alone.waits_for("the log").await;
    assert!(!data.path().join("log").exists(), "no embedded log beside it");
    stop(alone).await;
}

#[tokio::test]
async fn all_in_one_process_without_a_registry_of_its_own() {
    let (nowhere, data) = (Nowhere::new(), tempfile::tempdir().unwrap());
    let registry = format!("http://{}", nowhere.address());
    let args = [
        ["--command-addr", "127.0.0.1:0", "--query-addr", "127.0.0.1:0"].as_slice(),
        &["--data-dir", data.path().to_str().unwrap(), "--registry", &registry],
    ];
    let alone = Process::start("tandem", &args.concat());
    let (command, _) = (alone.announced("command").await, alone.announced("query").await);
    assert!(!alone.stdout().contains("registry http://"), "{}", alone.stdout());
    is_not_serving(&channel(&command), COMMAND).await;
    alone.waits_for("the schema registry").await;
    stop(alone).await;
}

#[tokio::test]
async fn check_health_needs_a_service_that_is_there() {
    let nowhere = Nowhere::new();
    let address = nowhere.address();
    let words = ["does not answer", "refused"];
    check_health_says("command-svc", "--command-addr", &address, &words).await;
    check_health_says("query-svc", "--query-addr", &address, &words).await;
    check_health_says("query-svc", "--query-addr", "127.0.0.1:0", &["port 0"]).await;
}

#[tokio::test]
async fn check_health_is_content_with_a_service_that_serves() {
    let data = tempfile::tempdir().unwrap();
    let tandem = tandem_e2e::launch::Launch::on(data.path()).start().await;
    let urls = [
        ("command-svc", "--command-addr", &tandem.urls.command),
        ("query-svc", "--query-addr", &tandem.urls.query),
    ];
    for (binary, flag, url) in urls {
        // As the service would be told that is to be reached from other machines.
        let (_, port) = url.rsplit_once(':').unwrap();
        let everywhere = format!("0.0.0.0:{port}");
        let told = Process::run(binary, &["--check-health", flag, &everywhere]).await;
        assert_eq!(told, (Some(0), String::new(), String::new()), "{binary}");
    }
    // Another service than its own is not what it asks for.
    let query = tandem.urls.query.strip_prefix("http://").unwrap();
    check_health_says("command-svc", "--command-addr", query, &[COMMAND]).await;
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn what_is_missing_is_said_at_once() {
    for binary in ["command-svc", "query-svc", "processor"] {
        let (code, stdout, stderr) = Process::run(binary, &[]).await;
        assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
        for words in ["--log kafka://HOST:PORT", "--registry http://HOST:PORT"] {
            assert!(stderr.contains(words), "{binary}: no {words:?} in {stderr}");
        }
        let args = ["--log", "127.0.0.1:9092", "--registry", "http://ada:hunter2@127.0.0.1:8081"];
        let (code, _, stderr) = Process::run(binary, &args).await;
        assert_eq!(code, Some(2), "{stderr}");
        for words in ["--log is \"127.0.0.1:9092\"; give kafka://", "use --registry-user"] {
            assert!(stderr.contains(words), "{binary}: no {words:?} in {stderr}");
        }
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
}

#[tokio::test]
async fn a_taken_port_is_said_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let elsewhere = ["--log", "kafka://127.0.0.1:1", "--registry", "http://127.0.0.1:1"];
    for (binary, flag) in [("command-svc", "--command-addr"), ("query-svc", "--query-addr")] {
        let args = [elsewhere.as_slice(), &[flag, &address]].concat();
        let (code, _, stderr) = Process::run(binary, &args).await;
        assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
        assert!(stderr.contains(flag) && stderr.contains(&address), "{stderr}");
    }
}
