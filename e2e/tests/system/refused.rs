//! Starts that are refused: one line that says what to do, and nothing left behind.

use std::net::TcpListener;

use tandem_e2e::{
    launch::Launch,
    wire::{customer, customer_as_of},
};

#[tokio::test]
async fn a_taken_port_is_said_by_its_flag_and_leaves_no_traces() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--command-addr", "--query-addr", "--registry-addr"] {
        Launch::on(&data).with(flag, &address).refused().await.says(&[flag, &address]);
        assert!(!data.exists(), "{flag}");
    }
    let refused = Launch::on(&data).with("--query-addr", "127.0.0.1:no").refused().await;
    refused.says(&["--query-addr", "127.0.0.1:no"]);
    assert!(!data.exists());
}

#[tokio::test]
async fn a_data_folder_in_use_is_not_touched() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let receipt = tandem.create(customer("ada", "Ada")).await.receipt;
    for _ in 0..2 {
        let refused = Launch::on(data.path()).refused().await;
        refused.says(&["in use", "--data-dir"]);
    }
    tandem.queries().get_customer(customer_as_of("ada", &receipt)).await.unwrap();
    let receipt = tandem.create(customer("bob", "Bob")).await.receipt;
    tandem.queries().get_customer(customer_as_of("bob", &receipt)).await.unwrap();
    tandem.stop(&[]).await;
    Launch::on(data.path()).start().await.stop(&[]).await;
}

#[tokio::test]
async fn another_number_of_shards_is_refused_with_the_right_one() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let receipt = tandem.create(customer("ada", "Ada")).await.receipt;
    tandem.stop(&[]).await;
    for shards in [8, 2] {
        Launch::on(data.path()).with("--shards", shards).refused().await.says(&["--shards 4"]);
    }
    let tandem = Launch::on(data.path()).with("--shards", 4).start().await;
    tandem.queries().get_customer(customer_as_of("ada", &receipt)).await.unwrap();
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn settings_that_make_no_sense_are_a_usage_error() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let wrong = Launch::on(&data).with("--shards", 0).with("--cache-mib", 1);
    let refused = wrong.refused().await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("--shards is 0"), "{refused:?}");
    assert!(refused.stderr.contains("--cache-mib is 1"), "all at once: {refused:?}");
    let refused = Launch::on(&data).with("--shards", "many").refused().await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(!data.exists());
}

#[tokio::test]
async fn a_data_folder_that_is_a_file_is_refused_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("data");
    std::fs::write(&file, "mine").unwrap();
    Launch::on(&file).refused().await.says(&["--data-dir", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}
