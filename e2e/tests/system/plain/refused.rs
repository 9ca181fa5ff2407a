//! What bad input gets, and that it leaves nothing behind.

use super::{Answer, FORM, JSON, ask, get, post};
use reqwest::Method;
use tandem_e2e::{
    launch::Launch,
    wire::{customer, order},
};

#[tokio::test]
async fn every_faulty_field_is_named_and_nothing_is_written() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let (command, query) = (&tandem.urls.command, &tandem.urls.query);
    let fields = |answer: &Answer| -> Vec<String> {
        let problem = answer.problem(400, "INVALID_REQUEST");
        let errors = problem["errors"].as_array().unwrap().iter();
        errors.map(|e| e["field"].as_str().unwrap().to_owned()).collect()
    };
    let long = format!("customerId={}&email={}", "x".repeat(129), "y".repeat(4097));
    let refused = post(&format!("{command}/create-customer"), FORM, long).await;
    assert_eq!(fields(&refused), ["customerId", "firstName", "lastName", "email"]);
    let refused = post(&format!("{command}/create-order"), JSON, r#"{"orderPlace": 7}"#).await;
    assert_eq!(fields(&refused), ["orderPlace", "customerId", "orderItemName"]);
    let request = ask(Method::POST, &format!("{command}/create-greeting"));
    let request = request.header("content-type", JSON).header("idempotency-key", "no-uuid");
    let refused = Answer::of(request.body("{}").send().await.unwrap()).await;
    assert_eq!(fields(&refused), ["Idempotency-Key", "message"]);

    // What is written now comes after anything that was written before.
    let ada = tandem.create(customer("ada", "Ada")).await.receipt;
    let order = tandem.place(order("ada", "o-1", "Engine")).await.receipt;
    let greeting = tandem.greet("g-1", "hello").await;
    for (list, receipt) in [("customers", ada), ("orders", order), ("greetings", greeting)] {
        let seen = get(&format!("{query}/store/{list}?receipt={receipt}")).await;
        assert_eq!(seen.json()[list].as_array().unwrap().len(), 1, "{list}");
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn bodies_types_paths_and_methods() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let (command, query) = (&tandem.urls.command, &tandem.urls.query);
    let path = format!("{command}/create-greeting");

    let large = format!("message={}", "x".repeat(2 << 20));
    post(&path, FORM, large).await.problem(413, "BODY_TOO_LARGE");
    post(&path, "text/plain", "hello").await.problem(415, "TYPE_UNSUPPORTED");
    let bare = ask(Method::POST, &path).body("message=x").send().await.unwrap();
    Answer::of(bare).await.problem(415, "TYPE_UNSUPPORTED");
    post(&path, JSON, "{").await.problem(400, "BODY_UNREADABLE");

    for url in [command, query] {
        for unknown in
            ["/store", "/store/customer/", "/create-customer/", "/assets/none.js", "/x/y"]
        {
            get(&format!("{url}{unknown}")).await.problem(404, "NO_SUCH_PATH");
        }
    }
    for (url, allow) in [
        (path, "POST"),
        (format!("{command}/"), "GET,HEAD"),
        (format!("{query}/store/customers"), "GET,HEAD"),
        (format!("{query}/store/customer-order/all"), "GET,HEAD"),
    ] {
        let refused = Answer::of(ask(Method::DELETE, &url).send().await.unwrap()).await;
        refused.problem(405, "METHOD_NOT_ALLOWED");
        assert_eq!(refused.header("allow"), allow, "{url}");
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn pages_of_other_origins_may_not_call_unless_allowed() {
    let data = tempfile::tempdir().unwrap();
    let allowed = "https://shop.example";
    let tandem = Launch::on(data.path()).with("--allow-origin", allowed).start().await;
    let (command, query) = (&tandem.urls.command, &tandem.urls.query);
    let from = async |method: Method, url: String, origin: &str| {
        let request = ask(method, &url).header("origin", origin);
        let request = request.header("content-type", FORM).body("message=x");
        Answer::of(request.send().await.unwrap()).await
    };
    let greet = format!("{command}/create-greeting");
    for (origin, taken) in [
        (&**command, true),
        (allowed, true),
        (&**query, false),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let answer = from(Method::POST, greet.clone(), origin).await;
        let shown = answer.header("access-control-allow-origin");
        match taken {
            true => assert_eq!((answer.status.as_u16(), shown), (202, origin)),
            false => {
                answer.problem(403, "ORIGIN_NOT_ALLOWED");
                assert_eq!(shown, "");
            }
        }
    }
    // The pair's page reads the view; another page's browser isn't allowed to show it the answer.
    for (origin, allowed) in [(&**command, true), ("https://evil.example", false)] {
        let answer = from(Method::GET, format!("{query}/store/customers"), origin).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin") == origin, allowed);
        let path = format!("{query}/tandem.v1.QueryService/GetCustomer");
        let asked = ask(Method::OPTIONS, &path)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,grpc-timeout,x-grpc-web");
        let answer = Answer::of(asked.send().await.unwrap()).await;
        assert_eq!(answer.header("access-control-allow-origin") == origin, allowed);
    }
    tandem.stop(&[]).await;
}

/// Over HTTP/2, where there is no `Host`, and with a gRPC call, which a browser may send without
/// asking if it calls it text.
#[tokio::test]
async fn pages_of_other_origins_may_not_call_over_grpc_either() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    for (origin, taken) in [(&*tandem.urls.command.clone(), true), ("https://evil.example", false)]
    {
        let mut request = tonic::Request::new(customer("ada", "Ada"));
        request.metadata_mut().insert("origin", origin.parse().unwrap());
        let code = tandem.commands().create_customer(request).await.err().map(|e| e.code());
        assert_eq!(code, (!taken).then_some(tonic::Code::PermissionDenied), "{origin}");
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_wrong_origin_in_the_settings_is_said() {
    let home = tempfile::tempdir().unwrap();
    let launch = Launch::on(&home.path().join("data")).with("--allow-origin", "shop.example");
    let refused = launch.refused().await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("--allow-origin has \"shop.example\"; give"), "{refused:?}");
}
