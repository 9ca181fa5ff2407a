//! `--query-instances`: several query services in one process.

use std::net::TcpListener;

use tandem_e2e::{
    instances::{SHARDS, holders, three},
    launch::Launch,
    load::Load,
    services::Services,
    wire::{customer, customer_as_of},
};

const SCALE: &str = "0.02";

#[tokio::test]
async fn they_listen_on_consecutive_ports() {
    let data = tempfile::tempdir().unwrap();
    let (launch, first) = Launch::on(data.path()).with_instances(3);
    let tandem = launch.start().await;
    let instances = tandem.instances().await;
    let ports: Vec<_> = (first..first + 3).map(|p| format!("http://127.0.0.1:{p}")).collect();
    assert!(instances.iter().map(|i| &i.urls.query).eq(&ports));
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_taken_port_among_them_is_said_in_one_line_and_leaves_no_traces() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let (launch, first) = Launch::on(&data).with_instances(3);
    for nth in [1, 2] {
        let address = format!("127.0.0.1:{}", first + nth);
        let taken = TcpListener::bind(&address).unwrap();
        launch.refused().await.says(&["--query-addr", &address, "taken"]);
        drop(taken);
    }
    let launch = launch.with("--query-addr", "127.0.0.1:65534");
    launch.refused().await.says(&["--query-addr", "127.0.0.1:65536"]);
    assert!(!data.exists());
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_kills_through_each_of_them() {
    let home = tempfile::tempdir().unwrap();
    let (data, journal) = (home.path().join("data"), home.path().join("journal"));
    let (launch, _) = Launch::on(&data).at_quiet_ports().with_instances(3);
    let mut tandem = launch.start().await;
    let mut load = Load::start(&tandem.urls, &journal, SCALE);
    for acknowledged in [500, 2_500] {
        load.acknowledged(acknowledged).await;
        tandem.kill9();
        tandem = launch.start().await;
    }
    load.passes().await;
    for _ in 0..2 {
        let instances = tandem.instances().await;
        for instance in &instances {
            Load::check(&instance.urls, &journal, SCALE).await;
        }
        tandem.kill9();
        tandem = launch.start().await;
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn they_can_be_fewer_or_more_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, _) = three(data.path()).await;
    let receipt = tandem.create(customer("ada", "Ada")).await.receipt;
    tandem.stop(&[]).await;
    for count in [1, 4] {
        let launch = Launch::on(data.path()).with("--shards", SHARDS);
        let tandem = launch.with("--query-instances", count).start().await;
        let instances = tandem.instances().await;
        assert_eq!(instances.len(), count);
        holders(&instances).await;
        let in_turn = Services::in_turn(&instances);
        for _ in 0..count {
            let asked = customer_as_of("ada", &receipt);
            in_turn.queries().get_customer(asked).await.unwrap();
        }
        tandem.stop(&[]).await;
    }
}

#[tokio::test]
async fn ctrl_c_ends_all_of_them_well() {
    let data = tempfile::tempdir().unwrap();
    let (tandem, instances) = three(data.path()).await;
    tandem.create(customer("ada", "Ada")).await;
    let mut watch = instances[1].watch("ada", "").await;
    watch.next().await;
    tandem.interrupt();
    let (ended, ()) = tokio::join!(watch.ended(), tandem.ended_well(&[]));
    tandem_e2e::told::of(&ended).is(tonic::Code::Unavailable, "GOING_AWAY");
}
