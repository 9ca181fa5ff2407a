//! Rows by id, how fresh they are, and who has them.

use super::get;
use tandem_e2e::{
    launch::Launch,
    wire::{customer, order},
};

#[tokio::test]
async fn what_is_unknown_is_no_content_or_nothing() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let query = &tandem.urls.query;
    for path in ["customer/nobody", "order/none", "order/none?customer_id=nobody"] {
        let none = get(&format!("{query}/store/{path}")).await;
        assert_eq!((none.status.as_u16(), &*none.body), (204, ""), "{path}");
    }
    let none = get(&format!("{query}/store/customer-order/nobody")).await;
    assert_eq!((none.status.as_u16(), &*none.body), (200, "[]"));

    // An order whose customer isn't known has a row, with an empty customer.
    let placed = tandem.place(order("later", "o-1", "Engine")).await;
    let url = format!("{query}/store/customer-order/later?receipt={}", placed.receipt);
    let row = &get(&url).await.json()[0];
    assert_eq!((&row["customerId"], &row["firstName"]), (&"later".into(), &"".into()));

    // A customer without orders has none.
    let created = tandem.create(customer("ada", "Ada")).await;
    let url = format!("{query}/store/customer-order/ada?receipt={}", created.receipt);
    assert_eq!(get(&url).await.body, "[]");
    let ada = get(&format!("{query}/store/customer/ada?receipt={}", created.receipt)).await;
    assert_eq!(ada.json()["firstName"], "Ada");
    assert_eq!(ada.header("tandem-forwarded"), "false");
    assert!(ada.header("tandem-staleness-ms").parse::<u64>().is_ok());
    // A position is a receipt.
    let url = format!("{query}/store/customer/ada?receipt={}", ada.header("tandem-position"));
    assert_eq!(get(&url).await.status, 200);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn what_was_answered_before_is_answered_anew_once_it_changed() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let url = format!("{}/store/customer-order/ada", tandem.urls.query);
    let placed = tandem.place(order("ada", "o-1", "Engine")).await;
    let first = get(&format!("{url}?receipt={}", placed.receipt)).await;
    let again = get(&url).await;
    assert_eq!((&again.body, first.json().as_array().unwrap().len()), (&first.body, 1));
    for name in ["tandem-instance", "tandem-position", "content-type"] {
        assert_eq!(
            (again.header(name), again.header(name).is_empty()),
            (first.header(name), false)
        );
    }
    let placed = tandem.place(order("ada", "o-1", "Loom")).await;
    let changed = get(&format!("{url}?receipt={}", placed.receipt)).await;
    assert_eq!(changed.json()[0]["orderItemName"], "Loom");
    assert_eq!(changed.json()[0]["firstName"], "");
    let created = tandem.create(customer("ada", "Ada")).await;
    let changed = get(&format!("{url}?receipt={}", created.receipt)).await;
    assert_eq!(changed.json()[0]["firstName"], "Ada");
    assert_ne!(changed.header("tandem-position"), first.header("tandem-position"));
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn ids_are_decoded_once_whatever_they_hold() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    for (id, in_path) in [
        ("a/b", "a%2Fb"),
        ("100%", "100%25"),
        ("%2F", "%252F"),
        ("a+b c?d#e", "a+b%20c%3Fd%23e"),
        ("Äda 🦀", "%C3%84da%20%F0%9F%A6%80"),
        ("all", "%61ll"),
        ("../../", "%2E%2E%2F..%2F"),
        ("\"<>", "%22%3C%3E"),
    ] {
        let placed = tandem.place(order(id, id, "Engine")).await;
        let base = format!("{}/store", tandem.urls.query);
        let url = format!("{base}/customer-order/{in_path}?receipt={}", placed.receipt);
        assert_eq!(get(&url).await.json()[0]["customerId"], id, "{url}");
        let url = format!("{base}/order/{in_path}?receipt={}", placed.receipt);
        assert_eq!(get(&url).await.json()["orderId"], id, "{url}");
    }
    let url = format!("{}/store/customer/%FF", tandem.urls.query);
    let problem = get(&url).await.problem(400, "INVALID_REQUEST");
    assert_eq!(problem["errors"][0]["field"], "id");
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn an_order_of_two_customers_is_a_conflict_until_one_is_named() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let query = &tandem.urls.query;
    let mut receipts = Vec::new();
    for id in ["ada", "bob"] {
        receipts
            .push(format!("receipt={}", tandem.place(order(id, "o-1", "Engine")).await.receipt));
    }
    let url = format!("{query}/store/order/o-1?{}", receipts.join("&"));
    get(&url).await.problem(409, "ORDER_ID_AMBIGUOUS");
    let named = get(&format!("{url}&customer_id=bob")).await;
    assert_eq!(named.json()["customerId"], "bob");
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn what_is_not_ready_says_so_in_time() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let query = &tandem.urls.query;
    let placed = tandem.place(order("ada", "o-1", "Engine")).await;
    // A receipt of something that will never come: the same proof, later.
    let mut proofs = tandem_proto::receipt::decode(&placed.receipt).unwrap();
    proofs[0].position += 1_000;
    let later = tandem_proto::receipt::encode(&proofs);
    for path in ["customer/ada", "order/o-1", "customer-order/ada", "customers", "orders"] {
        let url = format!("{query}/store/{path}?receipt={later}&timeout=200ms");
        let unready = get(&url).await;
        let problem = unready.problem(503, "VIEW_BEHIND");
        assert_eq!(unready.header("retry-after"), "1", "{path}");
        assert!(problem["metadata"]["needed"].is_string(), "{problem}");
    }
    let url = format!("{query}/store/customer/ada?timeout=2h&max_staleness=x");
    let problem = get(&url).await.problem(400, "INVALID_REQUEST");
    let fields: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| &e["field"]).collect();
    assert_eq!(fields, ["timeout", "max_staleness"]);
    let url = format!("{query}/store/customer/ada?reciept={later}&timeout=2m&page_token=%FF");
    get(&url).await.problem(400, "INVALID_REQUEST");
    let url = format!("{query}/store/customer/ada?reciept={later}&timeout=2m");
    let problem = get(&url).await.problem(400, "INVALID_REQUEST");
    let fields: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| &e["field"]).collect();
    assert_eq!(fields, ["reciept", "timeout"], "a misspelt one is not passed over");
    let wrong = get(&format!("{query}/store/customer/ada?receipt=nonsense")).await;
    assert_eq!(wrong.problem(400, "INVALID_REQUEST")["errors"][0]["field"], "receipt");
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn any_instance_answers_and_says_whose_answer_it_is() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).with("--query-instances", 3).start().await;
    let instances = tandem.instances().await;
    let receipt = tandem.place(order("ada", "o-1", "Engine")).await.receipt;
    let (mut bodies, mut forwarded, mut of) = (Vec::new(), Vec::new(), Vec::new());
    for instance in &instances {
        let url = format!("{}/store/customer-order/ada?receipt={receipt}", instance.urls.query);
        let answer = get(&url).await;
        of.push(answer.header("tandem-instance").to_owned());
        forwarded.push(answer.header("tandem-forwarded").to_owned());
        bodies.push(answer.body);
    }
    forwarded.sort();
    assert_eq!(forwarded, ["false", "true", "true"]);
    assert!(bodies.iter().all(|body| *body == bodies[0]) && of.iter().all(|id| *id == of[0]));

    let query = &tandem.urls.query;
    let all = get(&format!("{query}/store/instances")).await.json();
    assert_eq!(all["instances"].as_array().unwrap().len(), 3);
    assert_eq!(all["shardCount"], 4);
    for shard in 0..4 {
        let of = get(&format!("{query}/store/instances/{shard}")).await.json();
        let held = &of["instances"][0]["shards"];
        assert_eq!(held.as_array().unwrap().len(), 1);
        assert_eq!(
            (&held[0]["shard"], &held[0]["state"]),
            (&shard.into(), &"SHARD_STATE_SERVING".into())
        );
    }
    get(&format!("{query}/store/instances/4")).await.problem(404, "NO_SUCH_SHARD");
    get(&format!("{query}/store/instances/x")).await.problem(400, "INVALID_REQUEST");
    tandem.stop(&[]).await;
}
