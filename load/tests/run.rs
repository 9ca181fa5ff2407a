//! Whole runs against both services in memory.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop where it is")]

mod fake;

use fake::{Fake, Faults};
use std::process::Output;
use std::time::Duration;
use tandem_load::tpch::{Order, Tables, order_id};
use tandem_load::{Fault, Outcome, Settings, Watch, run};
use tempfile::TempDir;

fn settings(fake: &Fake, folder: &TempDir) -> Settings {
    Settings {
        command: fake.url.clone(),
        query: vec![fake.url.clone()],
        scale: "0.001".parse().unwrap(),
        journal: folder.path().join("journal"),
        patience: Duration::from_millis(500),
        ..Settings::default()
    }
}

/// An order whose customer has so many that they don't fit on one page of the check.
fn order_of_many() -> Order {
    let tables = Tables::new("0.001".parse().unwrap());
    let orders: Vec<_> = tables.orders().collect();
    let of = |order: &Order| orders.iter().filter(|o| o.customer_id == order.customer_id).count();
    let found = orders.iter().find(|order| of(order) > 20);
    found.cloned().unwrap()
}

fn passed(outcome: &Outcome) {
    assert_eq!(outcome.exit_code(), 0, "{outcome}");
    assert!(outcome.to_string().ends_with("PASS\n"), "{outcome}");
}

#[tokio::test]
async fn everything_is_sent_once_and_found_and_a_second_run_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(Faults { unavailable_at_first: 100, ..Faults::default() }).await;
    let settings = Settings { sample: 1, ..settings(&fake, &folder) };
    let outcome = run(&settings, &Watch::default()).await;
    passed(&outcome);
    let load = outcome.load.as_ref().unwrap();
    assert_eq!((load.customers, load.orders, load.retries), (150, 1_500, 100));
    assert_eq!(load.command.unwrap().samples, 1_650);
    let followed = load.visible.latency.unwrap().samples;
    assert!((500..=1_650).contains(&followed), "{followed}");
    let tally = &outcome.check.as_ref().unwrap().tally;
    assert_eq!((tally.customers, tally.orders, tally.unacknowledged), (150, 1_500, 0));
    assert!(fake.rows().request_ids.values().all(|times| *times == 1));

    passed(&run(&settings, &Watch::default()).await);
    assert_eq!(fake.rows().request_ids.len(), 1_650);
    assert!(fake.rows().request_ids.values().all(|times| *times == 2));
    passed(&run(&Settings { check: true, ..settings }, &Watch::default()).await);
}

#[tokio::test]
async fn a_lost_order_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let lost = order_of_many();
    let faults = Faults { lose_order: Some(lost.order_id.clone()), ..Faults::default() };
    let fake = Fake::start(faults).await;
    let settings = Settings { sample: 1, concurrency: 4, ..settings(&fake, &folder) };
    let outcome = run(&settings, &Watch::default()).await;
    assert_eq!(outcome.exit_code(), 1);
    let said = outcome.to_string();
    let what = format!("order {} of {}", lost.order_id, lost.customer_id);
    let line = format!("{what}: expected {}, found no such order", lost.item_name);
    assert!(said.contains(&line) && said.contains("different: 1\n"), "{said}");
    assert_eq!(outcome.load.unwrap().visible.stale.first[0].what, what);

    let again = run(&Settings { check: true, ..settings }, &Watch::default()).await;
    assert_eq!(again.check.unwrap().tally.differences.count, 1);
}

#[tokio::test]
async fn an_answer_older_than_its_receipt_fails_though_all_is_there_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let hidden = Tables::new("0.001".parse().unwrap()).orders().next().unwrap();
    let faults = Faults { stale_once: Some(hidden.order_id.clone()), ..Faults::default() };
    let fake = Fake::start(faults).await;
    let settings = Settings { sample: 1, concurrency: 1, ..settings(&fake, &folder) };
    let outcome = run(&settings, &Watch::default()).await;
    assert_eq!(outcome.exit_code(), 1);
    assert_eq!(outcome.check.as_ref().unwrap().tally.differences.count, 0);
    assert!(outcome.to_string().contains("answered too old: 1\n"), "{outcome}");
}

#[tokio::test]
async fn after_a_crash_the_check_wants_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(Faults { crash_after: Some(700), ..Faults::default() }).await;
    let settings = settings(&fake, &folder);
    let outcome = run(&settings, &Watch::default()).await;
    assert!(matches!(outcome.fault, Some(Fault::Unavailable { .. })), "{outcome}");
    let load = outcome.load.as_ref().unwrap();
    assert_eq!((load.customers + load.orders, outcome.exit_code()), (700, 1));
    assert!(outcome.to_string().contains("--check"), "{outcome}");

    fake.restart();
    // Commands that were on the wire when the load gave up may still have arrived.
    let check = Settings { check: true, ..settings };
    let outcome = run(&check, &Watch::default()).await;
    passed(&outcome);
    let in_doubt = outcome.check.unwrap().tally.unacknowledged;

    let whole = std::fs::read_to_string(&check.journal).unwrap();
    let line = whole.lines().find(|line| line.starts_with("order ")).unwrap();
    let number: i64 = line["order ".len()..].parse().unwrap();
    std::fs::write(&check.journal, whole.replacen(&format!("\n{line}\n"), "\n", 1)).unwrap();
    let outcome = run(&check, &Watch::default()).await;
    passed(&outcome);
    assert_eq!(outcome.check.unwrap().tally.unacknowledged, in_doubt + 1);
    fake.rows().orders.retain(|(_, id), _| *id != order_id(number));
    passed(&run(&check, &Watch::default()).await);

    std::fs::write(&check.journal, &whole).unwrap();
    assert_eq!(run(&check, &Watch::default()).await.exit_code(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(Faults::default()).await;
    let command = fake::cut::wire(&fake, 5, 20_000).await;
    let settings = Settings { command, ..settings(&fake, &folder) };
    let outcome = run(&settings, &Watch::default()).await;
    passed(&outcome);
    assert!(outcome.load.unwrap().retries >= 5);
    assert_eq!(fake.rows().request_ids.len(), 1_650);
}

#[tokio::test]
async fn what_is_wrong_is_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let customer_id = order_of_many().customer_id;
    let faults = Faults { refuse_customer: Some(customer_id.clone()), ..Faults::default() };
    let fake = Fake::start(faults).await;
    let outcome = run(&settings(&fake, &folder), &Watch::default()).await;
    assert!(matches!(outcome.fault, Some(Fault::Refused { .. })), "{outcome}");
    let said = outcome.to_string();
    assert!(
        said.contains(&customer_id) && said.contains("InvalidArgument: customer_id: not liked")
    );
}

#[tokio::test]
async fn a_run_stops_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(Faults::default()).await;
    let settings = Settings { rate: Some(100.0), ..settings(&fake, &folder) };
    let watch = Watch::default();
    let stop = async {
        while fake.rows().request_ids.len() < 20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        watch.stop.cancel();
    };
    let (outcome, ()) = tokio::join!(run(&settings, &watch), stop);
    assert!(matches!(outcome.fault, Some(Fault::Interrupted)), "{outcome}");
    let sent = outcome.load.as_ref().unwrap();
    assert!((19..100).contains(&(sent.customers + sent.orders)), "{outcome}");
    passed(&run(&Settings { check: true, ..settings }, &Watch::default()).await);
}

async fn command_line(fake: &Fake, folder: &TempDir, more: &[&str]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tandem-load"));
    command.args(["--command", &fake.url, "--query", &fake.url, "--scale", "0.001"]);
    command.current_dir(folder).args(more);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exit_code_and_the_last_line_say_how_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(Faults::default()).await;
    let fine = command_line(&fake, &folder, &[]).await;
    let said = String::from_utf8(fine.stdout).unwrap();
    assert!(fine.status.success() && said.ends_with("PASS\n"), "{said}");
    assert!(fine.stderr.is_empty(), "no progress bar without a terminal");
    assert!(folder.path().join("tandem-load.journal").exists());

    let order = order_of_many();
    fake.rows().orders.remove(&(order.customer_id, order.order_id));
    let lossy = command_line(&fake, &folder, &["--check", "--json"]).await;
    assert_eq!(lossy.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&lossy.stdout).unwrap();
    assert_eq!(
        (&said["passed"], &said["check"]["differences"]["count"]),
        (&false.into(), &1.into())
    );

    let wrong = command_line(&fake, &folder, &["--rate", "0"]).await;
    assert_eq!(wrong.status.code(), Some(2));
    let unreadable = command_line(&fake, &folder, &["--check", "--journal", "none"]).await;
    assert_eq!(unreadable.status.code(), Some(1));
    assert!(String::from_utf8(unreadable.stdout).unwrap().starts_with("STOPPED: the journal none"));
}
