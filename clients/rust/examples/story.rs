//! Registers a customer, places orders, reads and watches them, on a running Tandem.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is there to be read")]

use futures::TryStreamExt as _;
use std::process::ExitCode;
use tandem_client::{Client, Error, Kind, v1};

fn addresses(variable: &str, default: &str) -> Vec<String> {
    let given = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    given.split(',').map(|address| address.trim().to_owned()).collect()
}

fn order(customer_id: &str, item: &str) -> v1::PlaceOrderRequest {
    let (customer_id, order_item_name) = (customer_id.to_owned(), item.to_owned());
    v1::PlaceOrderRequest { customer_id, order_item_name, ..Default::default() }
}

fn orders_of(customer_id: &str, page_size: i32) -> v1::GetCustomerOrdersRequest {
    let customer_id = customer_id.to_owned();
    v1::GetCustomerOrdersRequest { customer_id, page_size, ..Default::default() }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = tell().await else { return ExitCode::SUCCESS };
    let kind = error.downcast_ref().map(Error::kind);
    let hint = if kind == Some(Kind::Unavailable) {
        "; is Tandem running? (make run QUERY_INSTANCES=3)"
    } else {
        ""
    };
    eprintln!("{error}{hint}");
    ExitCode::FAILURE
}

async fn tell() -> Result<(), Box<dyn std::error::Error>> {
    let command = addresses("TANDEM_COMMAND", "127.0.0.1:8090").remove(0);
    let queries = addresses("TANDEM_QUERY", "127.0.0.1:8095,127.0.0.1:8096,127.0.0.1:8097");
    let session = Client::connect(&command, &queries)?.session();
    let (first_name, last_name) = ("Ada".to_owned(), "Lovelace".to_owned());
    let ada = v1::CreateCustomerRequest { first_name, last_name, ..Default::default() };
    let ada = session.create_customer(ada).await?.customer.unwrap_or_default();
    let name = format!("{} {}", ada.first_name, ada.last_name);
    println!("registered {name}");
    for item in ["tea", "ink", "paper"] {
        session.place_order(order(&ada.customer_id, item)).await?;
    }
    println!("placed 3 orders");

    // Whoever shows the receipts reads what was written, from any instance.
    for query in &queries {
        let elsewhere = Client::connect(&command, [query])?.session();
        elsewhere.keep(session.receipts());
        let found = elsewhere.get_customer_orders(orders_of(&ada.customer_id, 0)).await?;
        assert_eq!(found.orders.len(), 3, "{query} shows what was written");
    }
    println!("read 3 orders of {name} from each of {} instances", queries.len());

    let customer_id = ada.customer_id.clone();
    let watched = v1::WatchCustomerOrdersRequest { customer_id, ..Default::default() };
    let mut watch = session.watch_customer_orders(watched);
    println!("watch: {} orders", watch.next().await.ok_or("it ended")??.orders.len());
    session.place_order(order(&ada.customer_id, "lamp oil")).await?;
    println!("watch: {} orders", watch.next().await.ok_or("it ended")??.orders.len());

    let pages: Vec<_> = session.pages(orders_of(&ada.customer_id, 2)).try_collect().await?;
    let sizes: Vec<_> = pages.iter().map(|page| page.orders.len().to_string()).collect();
    println!("pages of 2: {}", sizes.join(" "));

    let refused = session.place_order(order("", "")).await.err().ok_or("it was accepted")?;
    assert_eq!(refused.kind(), Kind::InvalidArgument);
    println!("refused: {}", refused.reason());
    for violation in refused.violations() {
        println!("  {} {}", violation.field, violation.description);
    }
    Ok(())
}
