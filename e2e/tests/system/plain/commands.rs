//! What a form or JSON writes.

use super::{Answer, FORM, JSON, ask, get, post};
use reqwest::Method;
use serde_json::json;
use tandem_e2e::launch::Launch;

#[tokio::test]
async fn forms_and_json_are_taken_and_seen() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let (command, query) = (&tandem.urls.command, &tandem.urls.query);

    let form = "customerId=ada&firstName=%C3%84da&lastName=Lovelace+%26+Co&email=&phone=1815";
    let taken = post(&format!("{command}/create-customer"), FORM, form).await;
    assert_eq!(taken.status, 202, "{}", taken.body);
    let customer = taken.json();
    assert_eq!(customer["firstName"], "Äda");
    assert_eq!(customer["lastName"], "Lovelace & Co");

    let order = json!({
        "orderId": "o-1", "customerId": "ada", "orderItemName": "Engine", "orderPlace": "London",
        "orderPurchaseTime": "1970-01-01T00:00:00Z", "anything": ["else"],
    });
    let taken = post(&format!("{command}/create-order"), JSON, order.to_string()).await;
    assert_eq!(taken.status, 202, "{}", taken.body);
    let order = taken.json();
    let time = order["orderPurchaseTime"].as_str().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z'), "the server sets it: {time}");

    let receipt = order["receipt"].as_str().unwrap();
    let seen = get(&format!("{query}/store/customer-order/ada?receipt={receipt}")).await;
    let expected = json!([{
        "customerId": "ada", "firstName": "Äda", "lastName": "Lovelace & Co", "email": "",
        "phone": "1815", "orderId": "o-1", "orderItemName": "Engine", "orderPlace": "London",
        "orderPurchaseTime": time,
    }]);
    assert_eq!(seen.json(), expected);
    let names: Vec<_> = seen.body.split('"').skip(1).step_by(2).step_by(2).collect();
    assert_eq!(names[..3], ["customerId", "firstName", "lastName"], "in this order");

    let taken = post(&format!("{command}/create-greeting"), FORM, "message=hello").await;
    let (greeting, receipt) = (taken.json(), taken.json()["receipt"].clone());
    let receipt = receipt.as_str().unwrap();
    let seen = get(&format!("{query}/store/greetings?receipt={receipt}")).await;
    assert_eq!(seen.json()["greetings"][0]["message"], "hello");
    assert_eq!(seen.json()["greetings"][0]["greetingId"], greeting["greetingId"]);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn an_idempotency_key_makes_a_retry_safe() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let url = format!("{}/create-order", tandem.urls.command);
    let mut ids = Vec::new();
    for key in ["4b0f0a36-6c0a-4a0e-9d0e-0d1f6a2b7c11", "\"4b0f0a36-6c0a-4a0e-9d0e-0d1f6a2b7c11\""]
    {
        let request = ask(Method::POST, &url).header("content-type", FORM);
        let request = request.header("Idempotency-Key", key);
        let request = request.body("customerId=ada&orderItemName=Coffee");
        let taken = Answer::of(request.send().await.unwrap()).await.json();
        ids.push((taken["orderId"].clone(), taken["receipt"].as_str().unwrap().to_owned()));
    }
    assert_eq!(ids[0].0, ids[1].0);
    let url = format!("{}/store/customer-order/ada?receipt={}", tandem.urls.query, ids[1].1);
    assert_eq!(get(&url).await.json().as_array().unwrap().len(), 1);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_browser_gets_a_page_in_which_nothing_is_markup() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let send = async |body: &'static str| {
        let url = format!("{}/create-customer", tandem.urls.command);
        let request = ask(Method::POST, &url).header("content-type", FORM);
        let request = request.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        Answer::of(request.body(body).send().await.unwrap()).await
    };
    let taken =
        send("customerId=a%2Fb&firstName=%3Cscript%3Ealert(1)%3C/script%3E&lastName=L").await;
    assert_eq!(
        (taken.status.as_u16(), taken.header("content-type")),
        (202, "text/html; charset=utf-8")
    );
    assert!(taken.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{}", taken.body);
    assert!(!taken.body.contains("<script"), "{}", taken.body);
    assert!(taken.body.contains("href=\"/#/customers/a%2Fb\""), "{}", taken.body);
    assert!(taken.header("content-security-policy").contains("script-src 'self'"));

    let refused = send("customerId=x").await;
    assert_eq!(refused.status, 400);
    for name in ["firstName", "lastName"] {
        assert!(refused.body.contains(&format!("<b>{name}</b>")), "{}", refused.body);
    }
    tandem.stop(&[]).await;
}
