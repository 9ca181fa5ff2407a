//! The client for Rust asks the instance that has the customer itself, so nothing is passed on.

use crate::ground::Ground;
use tandem_client::{Client, Session, v1};
use tandem_e2e::eventually::eventually;

async fn is_passed_on(session: &Session, id: &str) -> bool {
    let request = v1::GetCustomerRequest { customer_id: id.to_owned(), ..Default::default() };
    session.get_customer(request).await.unwrap().served.unwrap().forwarded
}

pub(crate) async fn passes_nothing_on() {
    let ground = Ground::prepare().await;
    let (command, queries) = ground.services();
    let client = Client::builder(command, queries).route_directly(true).build().unwrap();
    let session = client.session();
    let ids: Vec<_> = (0..30).map(|n| format!("direct-{n}")).collect();
    for id in &ids {
        let customer = v1::CreateCustomerRequest {
            customer_id: id.clone(),
            first_name: "Ada".into(),
            last_name: "Lovelace".into(),
            ..Default::default()
        };
        session.create_customer(customer).await.unwrap();
    }
    // Until the routes are told, calls go the usual way.
    for id in &ids {
        let direct = async || (!is_passed_on(&session, id).await).then_some(());
        eventually("the customer's instance is asked", direct).await;
    }
    for id in &ids {
        assert!(!is_passed_on(&session, id).await, "{id}");
        let orders = v1::GetCustomerOrdersRequest { customer_id: id.clone(), ..Default::default() };
        let orders = session.get_customer_orders(orders).await.unwrap();
        assert!(!orders.served.unwrap().forwarded, "{id}");
        let watch =
            v1::WatchCustomerOrdersRequest { customer_id: id.clone(), ..Default::default() };
        let document = session.watch_customer_orders(watch).next().await.unwrap().unwrap();
        assert!(!document.served.unwrap().forwarded, "{id}");
    }
    drop((session, client));
    ground.end().await;
}
