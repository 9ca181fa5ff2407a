//! Lists: in pages that lead from one to the next, and whole.

use super::get;
use futures::future::join_all;
use serde_json::Value;
use tandem_e2e::{
    launch::Launch,
    tandem::Tandem,
    wire::{as_of_all, customer, order},
};

/// More than fit into one of the pages that a whole list is read in.
const MANY: usize = 2_300;

/// Places orders of some customers; gives a receipt for all of them.
async fn filled(tandem: &Tandem, count: usize) -> String {
    let place =
        |n: usize| tandem.place(order(&format!("c-{}", n % 7), &format!("o-{n:05}"), "Pin"));
    let placed = join_all((0..count).map(place)).await;
    let receipts: Vec<_> = placed.into_iter().map(|placed| placed.receipt).collect();
    as_of_all(&receipts).unwrap().receipts.remove(0)
}

fn ids(list: &Value, rows: &str) -> Vec<String> {
    let rows = list[rows].as_array().unwrap().iter();
    rows.map(|row| row["orderId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_lead_from_one_to_the_next() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).with("--query-instances", 2).start().await;
    let receipt = filled(&tandem, 25).await;
    let query = &tandem.urls.query;
    let mut path = format!("/store/orders?page_size=10&sort=order_id&receipt={receipt}");
    let (mut all, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = get(&format!("{query}{path}")).await;
        let list = page.json();
        let found = ids(&list, "orders");
        sizes.push(found.len());
        all.extend(found);
        let token = list["nextPageToken"].as_str().unwrap();
        let link = page.header("link").to_owned();
        assert_eq!(link.is_empty(), token.is_empty());
        let Some(next) = link.strip_prefix('<').and_then(|l| l.strip_suffix(">; rel=\"next\""))
        else {
            break;
        };
        assert!(next.contains(token) && next.contains("sort=order_id"), "{next}");
        path = next.to_owned();
    }
    assert_eq!(sizes, [10, 10, 5]);
    let expected: Vec<_> = (0..25).map(|n| format!("o-{n:05}")).collect();
    assert_eq!(all, expected);

    for (parameter, field) in [
        ("page_size=0", "page_size"),
        ("page_size=1001", "page_size"),
        ("page_size=x", "page_size"),
        ("page_token=nonsense", "page_token"),
        ("sort=price", "sort"),
        ("allow_partial=perhaps", "allow_partial"),
    ] {
        let refused = get(&format!("{query}/store/orders?{parameter}")).await;
        let problem = refused.problem(400, "INVALID_REQUEST");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn without_a_page_size_there_is_one_answer_with_everything() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).with("--query-instances", 2).start().await;
    let receipt = filled(&tandem, MANY).await;
    let query = &tandem.urls.query;
    let expected: Vec<_> = (0..MANY).map(|n| format!("o-{n:05}")).collect();
    let whole = get(&format!("{query}/store/orders?receipt={receipt}&sort=order_id")).await;
    assert_eq!((whole.header("link"), whole.header("transfer-encoding")), ("", "chunked"));
    let list = whole.json();
    assert_eq!(ids(&list, "orders"), expected);
    assert_eq!(
        (&list["nextPageToken"], &list["unreachableShards"]),
        (&"".into(), &Value::from([0; 0]))
    );
    let joined = get(&format!("{query}/store/customer-order/all?receipt={receipt}")).await.json();
    assert_eq!(ids(&joined, "customerOrders").len(), MANY);

    // From a page on: everything behind it.
    let page = get(&format!("{query}/store/orders?page_size=300&sort=order_id")).await.json();
    let token = page["nextPageToken"].as_str().unwrap();
    let rest = get(&format!("{query}/store/orders?page_token={token}&sort=order_id")).await.json();
    assert_eq!(ids(&rest, "orders"), expected[300..]);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_customer_may_have_more_orders_than_a_page_holds() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).start().await;
    let place = |n: usize| tandem.place(order("ada", &format!("o-{n:05}"), "Pin"));
    let placed = join_all((0..MANY).map(place)).await;
    let receipts: Vec<_> = placed.into_iter().map(|placed| placed.receipt).collect();
    let receipt = as_of_all(&receipts).unwrap().receipts.remove(0);
    let url = format!("{}/store/customer-order/ada?receipt={receipt}", tandem.urls.query);
    let rows = get(&url).await.json();
    let found: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["orderId"].clone()).collect();
    let expected: Vec<_> = (0..MANY).map(|n| Value::from(format!("o-{n:05}"))).collect();
    assert_eq!(found, expected);
    tandem.stop(&[]).await;
}

#[tokio::test]
async fn a_wide_customer_is_not_multiplied_in_memory() {
    let data = tempfile::tempdir().unwrap();
    let tandem = Launch::on(data.path()).with("--query-instances", 2).start().await;
    let wide = "x".repeat(4096);
    let mut customer = customer("ada", &wide);
    (customer.last_name, customer.email, customer.phone) = (wide.clone(), wide.clone(), wide);
    let created = tandem.create(customer).await.receipt;
    let place = |n: usize| tandem.place(order("ada", &format!("o-{n:05}"), "Pin"));
    let placed = join_all((0..300).map(place)).await;
    let receipts: Vec<_> = placed.into_iter().map(|p| p.receipt).chain([created]).collect();
    let receipt = as_of_all(&receipts).unwrap().receipts.remove(0);
    // Five MiB as JSON, of which a page holds one.
    let urls = tandem.instances().await.into_iter().map(|instance| instance.urls.query.clone());
    let paths = ["/store/customer-order/ada", "/store/customer-order/all"];
    for path in urls.flat_map(|url| paths.map(|path| format!("{url}{path}"))) {
        let answer = get(&format!("{path}?receipt={receipt}")).await;
        assert_eq!(answer.header("transfer-encoding"), "chunked", "{path}");
        let list = answer.json();
        let rows = list.as_array().or(list["customerOrders"].as_array()).unwrap();
        assert_eq!(rows.len(), 300, "{path}");
        assert_eq!(rows[299]["phone"].as_str().unwrap().len(), 4096);
    }
    tandem.stop(&[]).await;
}
