//! What doesn't fit gets one clear message that says what to do: never a hang, never a wrong row.

use tandem_e2e::{
    process::Process,
    told::told,
    wire::{customer, customer_as_of},
};
use tandem_proto::v1::{GetCustomerRequest, ShardState};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tonic::Code;

use crate::{
    pair::{Pair, Servers},
    servers::{Cluster, Registry},
};

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_do_not_fit() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let servers = Servers::at(&cluster, registry.url());
    cluster.create_topic("customer", 3).await;
    let compacted = ["--config", "cleanup.policy=compact"];
    let made = ["--create", "--topic", "order", "--partitions", "4"];
    cluster.tool("topics", &[&made[..], &compacted].concat()).await;
    let pair = Pair::announced(&servers, "a", home.path()).await;
    let words = ["customer has 3 partitions", "--shards 3", "order has cleanup.policy=compact"];
    for process in [&pair.command, &pair.query] {
        process.warns(&[&["waiting_for=\"the log\""], &words[..]].concat()).await;
    }
    // Mended, they go on by themselves.
    for topic in ["customer", "order"] {
        cluster.tool("topics", &["--delete", "--topic", topic]).await;
    }
    pair.serving().await;
    pair.stop(&["not ready"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_again_under_a_running_view() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let servers = Servers::at(&cluster, registry.url());
    let pair = Pair::start(&servers, "a", home.path()).await;
    let receipt = pair.create(customer("ada", "Ada")).await.receipt;
    pair.queries().get_customer(customer_as_of("ada", &receipt)).await.unwrap();

    cluster.tool("topics", &["--delete", "--topic", "customer"]).await;
    cluster.create_topic("customer", 4).await;
    let shards = tandem_e2e::eventually::eventually("all shards have failed", async || {
        let shards = pair.shards().await;
        shards.iter().all(|shard| shard.state() == ShardState::Failed).then_some(shards)
    })
    .await;
    assert_eq!(shards.len(), 4);
    let asked = GetCustomerRequest { customer_id: "ada".into(), freshness: None };
    let refused = told(pair.queries().get_customer(asked).await);
    assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
    let said = pair.query.stderr();
    let failed: Vec<_> = said.lines().filter(|line| line.contains("shard failed")).collect();
    assert_eq!(failed.len(), 4, "{said}");
    for word in ["topic customer", "deleted", "remove the view's folder"] {
        assert!(failed[0].contains(word), "no {word:?} in {}", failed[0]);
    }
    let Pair { query, command, .. } = pair;
    query.stop(&["shard failed", "Kafka doesn't answer"]).await;
    command.stop(&["not ready", "refused"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_too_large_for_its_topic() {
    let home = tempfile::tempdir().unwrap();
    let (cluster, registry) = tokio::join!(Cluster::start(1), Registry::start());
    let pair = Pair::start(&Servers::at(&cluster, registry.url()), "a", home.path()).await;
    let small = ["--alter", "--entity-type", "topics", "--entity-name", "greetings"];
    let small = [&small[..], &["--add-config", "max.message.bytes=1000"]].concat();
    cluster.tool("configs", &small).await;
    let too_large = tandem_proto::v1::SendGreetingRequest {
        greeting_id: "g".into(),
        // lz4 finds nothing to leave out.
        message: (0..100).map(|_| uuid::Uuid::new_v4().to_string()).collect(),
        request_id: String::new(),
    };
    let refused = told(pair.commands().send_greeting(too_large).await);
    refused.is(Code::InvalidArgument, "RECORD_TOO_LARGE");
    assert_eq!(refused.metadata["max_bytes"], "1000");
    // The others are not held up.
    let receipt = pair.create(customer("ada", "Ada")).await.receipt;
    pair.queries().get_customer(customer_as_of("ada", &receipt)).await.unwrap();
    pair.greet("g", "short").await;
    pair.stop(&["not ready", "refused"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn something_else_answers_for_the_registry() {
    let cluster = &crate::servers::shared().await.cluster;
    for (status, kind, body, says) in [
        ("500 Internal Server Error", "application/json", "{}", "500"),
        ("200 OK", "text/html", "<html>Welcome to nginx!</html>", "check --registry"),
        ("200 OK", "application/json", r#"{"id": -1}"#, "id"),
    ] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        let registry = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", registry.local_addr().unwrap());
        let answering = tokio::spawn(async move {
            loop {
                let (mut stream, _) = registry.accept().await.unwrap();
                let _ = stream.read(&mut [0; 65_536]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let servers = Servers::at(cluster, &url);
        let process: Process = servers.start("command-svc", &["--command-addr", "127.0.0.1:0"]);
        process.announced("command").await;
        process.warns(&["waiting_for=\"the schema registry\"", &url, says]).await;
        process.stop(&["not ready"]).await;
        answering.abort();
    }
}
