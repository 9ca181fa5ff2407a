//! What is printed once everything listens: where, the page, and five things to try.

use crate::Addresses;

/// The text: three lines that programs may rely on (`command`, `query`, `registry`, each with an
/// URL; the last only where there is an embedded registry), and five commands for people.
#[must_use]
pub fn welcome(at: &Addresses) -> String {
    let Addresses { command, queries, registry } = at;
    let query = &queries[0];
    let rest = queries[1..].iter().map(|at| format!("query    http://{at}\n"));
    let rest: String = rest.collect();
    let registry = registry.map(|at| format!("registry http://{at}\n")).unwrap_or_default();
    format!(
        r#"Tandem is running. Ctrl-C stops it; what it acknowledged stays.

command  http://{command}
query    http://{query}
{rest}{registry}
In a browser: http://{command}

Five things to try (grpcurl needs no files: the services describe themselves):

1. Register a customer. The answer's `receipt` proves the write.
grpcurl -plaintext -d '{{"customer_id":"ada","first_name":"Ada","last_name":"Lovelace"}}' {command} tandem.v1.CommandService/CreateCustomer

2. Place an order.
grpcurl -plaintext -d '{{"customer_id":"ada","order_id":"o-1","order_item_name":"Analytical Engine","order_place":"London"}}' {command} tandem.v1.CommandService/PlaceOrder

3. See the customer with its orders. Put a receipt into "freshness": {{"receipts": ["..."]}} and the answer is never older than that write.
grpcurl -plaintext -d '{{"customer_id":"ada"}}' {query} tandem.v1.QueryService/GetCustomerOrders

4. Ask for something wrong, and see every fault at once.
grpcurl -plaintext -d '{{"order_id":"{long}"}}' {command} tandem.v1.CommandService/PlaceOrder

5. See which shards are served, and how far each has read the log.
grpcurl -plaintext {query} tandem.v1.QueryService/ListInstances

"#,
        long = "x".repeat(129),
    )
}
