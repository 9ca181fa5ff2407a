//! A cluster that lets nobody in without a certificate and a password: what librdkafka needs for
//! that is passed through to every client that Tandem makes, and is never printed.

use std::path::Path;

use tandem_e2e::wire::{customer, customer_as_of};
use tokio::process::Command;

use crate::{
    pair::{Pair, Servers},
    servers::{Cluster, Registry},
};

/// TLS both ways, then a password. `@FOLDER@` has the certificates.
const SECURED: &str = "
listeners=SASL_SSL://127.0.0.1:@PORT@,CONTROLLER://127.0.0.1:@CONTROLLER_PORT@
advertised.listeners=SASL_SSL://127.0.0.1:@PORT@
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=\\
  org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username=broker password=b user_broker=b user_ada=lovelace;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\\
  org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location=@FOLDER@/broker.both
ssl.truststore.type=PEM
ssl.truststore.location=@FOLDER@/ca.pem
";

/// Users that SCRAM knows have to be there when storage is formatted.
const SCRAM_USERS: &str = "--add-scram\nSCRAM-SHA-512=[name=ada,password=lovelace]\n";

#[tokio::test(flavor = "multi_thread")]
async fn with_certificates_and_passwords() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().to_str().unwrap();
    make_certificates(home.path()).await;
    let properties = SECURED.replace("@FOLDER@", folder);
    let cluster = Cluster::formatted(1, &properties, SCRAM_USERS);
    let (cluster, registry) = tokio::join!(cluster, Registry::start());
    let with = |mechanism, password, certificate| {
        let servers = Servers::at(&cluster, registry.url());
        let properties = [
            "security.protocol=SASL_SSL".to_owned(),
            format!("ssl.ca.location={folder}/ca.pem"),
            format!("ssl.certificate.location={folder}/{certificate}.pem"),
            format!("ssl.key.location={folder}/{certificate}.key"),
            format!("sasl.mechanism={mechanism}"),
            "sasl.username=ada".to_owned(),
            format!("sasl.password={password}"),
        ];
        properties.iter().fold(servers, |servers, property| servers.with("--kafka", property))
    };
    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        let servers = with(mechanism, "lovelace", "client");
        let pair = Pair::start(&servers, mechanism, &home.path().join(mechanism)).await;
        let receipt = pair.create(customer("ada", mechanism)).await.receipt;
        let shown = pair.queries().get_customer(customer_as_of("ada", &receipt)).await;
        assert_eq!(shown.unwrap().into_inner().customer.unwrap().first_name, mechanism);
        for said in [pair.command.stderr(), pair.query.stderr()] {
            assert!(!said.contains("lovelace"), "{said}");
        }
        pair.stop(&["not ready"]).await;
    }
    let refused = [
        (with("PLAIN", "hunter2", "client"), "wrong credentials"),
        (with("SCRAM-SHA-512", "hunter2", "client"), "wrong credentials"),
        (with("PLAIN", "lovelace", "stranger"), "check security.protocol and ssl.*"),
        (Servers::at(&cluster, registry.url()), "security.protocol"),
    ];
    for (servers, says) in refused {
        let process = servers.start("command-svc", &["--command-addr", "127.0.0.1:0"]);
        process.announced("command").await;
        process.warns(&["waiting_for=\"the log\"", says]).await;
        assert!(!process.stderr().contains("hunter2"), "{}", process.stderr());
        process.stop(&["not ready", "Kafka"]).await;
    }
}

/// An authority with a broker and a client, and a stranger that it doesn't know.
async fn make_certificates(folder: &Path) {
    make_certificate(folder, "ca", &[]).await;
    make_certificate(folder, "broker", &["-CA", "ca.pem", "-CAkey", "ca.key"]).await;
    make_certificate(folder, "client", &["-CA", "ca.pem", "-CAkey", "ca.key"]).await;
    make_certificate(folder, "stranger", &[]).await;
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    std::fs::write(folder.join("broker.both"), read("broker.key") + &read("broker.pem")).unwrap();
}

async fn make_certificate(folder: &Path, name: &str, signed_by: &[&str]) {
    let (key, certificate, subject) =
        (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
        .args(["-subj", &subject, "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-keyout", &key, "-out", &certificate])
        .args(signed_by)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
