//! The page as a browser gets it. What it does there is tested in `web/e2e`.

use super::{Answer, ask, get};
use reqwest::Method;
use tandem_e2e::launch::Launch;

#[tokio::test]
async fn the_page_knows_the_query_services_and_may_call_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).with("--query-instances", 2).start().await;
    let page = get(&format!("{}/", tandem.urls.command)).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let instances = tandem.instances().await;
    let urls: Vec<_> = instances.iter().map(|i| &*i.urls.query).collect();
    assert!(page.body.contains(&urls.join(" ")), "{}", page.body);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(policy.contains(&format!("connect-src 'self' {};", urls.join(" "))), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");

    let script = page.body.split("src=\"/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let request = ask(Method::GET, &format!("{}/{script}", tandem.urls.command));
    let request = request.header("accept-encoding", "gzip");
    let script = Answer::of_bytes(request.send().await.unwrap()).await;
    assert_eq!(script.header("content-type"), "text/javascript");
    assert_eq!(script.header("content-encoding"), "gzip");
    assert!(script.header("cache-control").contains("immutable"));
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn where_the_query_services_are_can_be_said() {
    let data = tempfile::tempdir().unwrap();
    let launch = Launch::on(data.path()).with("--query-url", "https://q.example,:9");
    let tandem = launch.start().await;
    let page = get(&format!("{}/", tandem.urls.command)).await;
    assert!(page.body.contains("https://q.example http://127.0.0.1:9"), "{}", page.body);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn both_services_describe_their_paths() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    for (url, paths) in [(&tandem.urls.command, 3), (&tandem.urls.query, 9)] {
        let described = get(&format!("{url}/openapi.json")).await.json();
        assert!(described["openapi"].as_str().unwrap().starts_with("3.1"), "{described}");
        assert_eq!(described["paths"].as_object().unwrap().len(), paths);
        assert!(described["components"]["schemas"]["Problem"].is_object());
    }
    tandem.stop(&[]).await;
}
