//! Rows as commands.

use crate::tpch::{Customer, Order, Row};
use tandem_client::v1;
use uuid::Uuid;

/// The namespace of this tool's request ids; any fixed UUID would do.
const NAMESPACE: Uuid = Uuid::from_u128(0x7461_6e64_656d_5f6c_8000_6f61_642d_7631);

/// The command that registers the customer.
#[must_use]
pub fn create_customer(customer: &Customer) -> v1::CreateCustomerRequest {
    let Customer { customer_id, first_name, last_name, email, phone, .. } = customer.clone();
    let request_id =
        request_id(&["customer", &customer_id, &first_name, &last_name, &email, &phone]);
    v1::CreateCustomerRequest { customer_id, first_name, last_name, email, phone, request_id }
}

/// The command that places the order.
#[must_use]
pub fn place_order(order: &Order) -> v1::PlaceOrderRequest {
    let Order { order_id, customer_id, item_name, place, .. } = order.clone();
    let request_id = request_id(&["order", &customer_id, &order_id, &item_name, &place]);
    v1::PlaceOrderRequest {
        order_id,
        customer_id,
        order_item_name: item_name,
        order_place: place,
        request_id,
    }
}

/// What a message calls the row.
pub(crate) fn name(row: &Row) -> String {
    match row {
        Row::Customer(customer) => format!("customer {}", customer.customer_id),
        Row::Order(order) => format!("order {} of {}", order.order_id, order.customer_id),
    }
}

/// The same for the same command, today and tomorrow, so that sending it again is no second
/// command; another one for other content, such as an order number at another scale, which would
/// otherwise be taken for a repeat and not written.
fn request_id(content: &[&str]) -> String {
    Uuid::new_v5(&NAMESPACE, content.join("\n").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tpch::Tables;
    use std::collections::HashSet;

    #[test]
    fn request_ids_are_one_to_a_command_and_stay() {
        let ids = |scale: &str| -> HashSet<String> {
            let tables = Tables::new(scale.parse().unwrap());
            let orders = tables.orders().map(|order| place_order(&order).request_id);
            tables.customers().map(|c| create_customer(&c).request_id).chain(orders).collect()
        };
        let small = ids("0.001");
        assert_eq!(small.len(), 1_650);
        assert_eq!(small, ids("0.001"));
        let shared = small.intersection(&ids("0.002")).count();
        assert!(shared < 200, "{shared}: the customers are the same, the orders are not");
    }
}
