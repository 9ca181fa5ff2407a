//! What was acknowledged stays, however the process ended.

use tandem_e2e::{launch::Launch, load::Load};

const SCALE: &str = "0.02";

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let home = tempfile::tempdir().unwrap();
    let (data, journal) = (home.path().join("data"), home.path().join("journal"));
    let launch = Launch::on(&data).at_quiet_ports();
    let tandem = launch.start().await;
    let mut load = Load::start(&tandem.urls, &journal, SCALE);
    load.acknowledged(800).await;
    tandem.kill9();
    drop(load);

    let tandem = launch.start().await;
    Load::check(&tandem.urls, &journal, SCALE).await;
    // Once more before what was folded is sure to be on the disk, and once more at rest.
    tandem.kill9();
    launch.start().await.kill9();
    let tandem = launch.start().await;
    Load::check(&tandem.urls, &journal, SCALE).await;
    tandem.stop(&[]).await;
    let tandem = launch.start().await;
    Load::check(&tandem.urls, &journal, SCALE).await;
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_load_goes_on_through_kills_and_finds_everything_in_the_end() {
    let home = tempfile::tempdir().unwrap();
    let (data, journal) = (home.path().join("data"), home.path().join("journal"));
    let launch = Launch::on(&data).at_quiet_ports();
    let mut tandem = launch.start().await;
    let mut load = Load::start(&tandem.urls, &journal, SCALE);
    for acknowledged in [500, 2_500, 6_000] {
        load.acknowledged(acknowledged).await;
        tandem.kill9();
        tandem = launch.start().await;
    }
    load.passes().await;
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_polite_end_under_load_is_clean_and_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (data, journal) = (home.path().join("data"), home.path().join("journal"));
    let tandem = Launch::on(&data).start().await;
    let mut load = Load::start(&tandem.urls, &journal, SCALE);
    load.acknowledged(800).await;
    tandem.stop(&[]).await;
    drop(load);

    let tandem = Launch::on(&data).start().await;
    Load::check(&tandem.urls, &journal, SCALE).await;
    tandem.stop(&[]).await;
}
