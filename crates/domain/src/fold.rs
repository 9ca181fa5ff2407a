//! The rules by which an event changes a row: pure, so that every copy of the view agrees.
//!
//! The caller says what is there (asked for only where a rule needs it) and gets the one change
//! to make. What is there is passed as a closure because most events replace a row without
//! looking, and looking costs a read of the store.

use crate::{Customer, CustomerEvent, CustomerId, Order, OrderEvent, OrderId};

/// The one change that a customer event makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerChange {
    /// Write this row.
    Put(Customer),
    /// Take the row away.
    Delete(CustomerId),
}

/// The one change that an order event makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderChange {
    /// Write this row.
    Put(Order),
    /// Take this row away.
    Delete(Order),
}

/// The event speaks of a row that isn't there, so it makes no sense: a reject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchRow {
    /// A removal of a customer that isn't there.
    #[error("customer {0} is not known, so it can't be removed")]
    Customer(CustomerId),
    /// A cancellation of an order that isn't there.
    #[error("customer {0} has no order {1}, so it can't be cancelled")]
    Order(CustomerId, OrderId),
}

/// Folds a customer event. `exists` tells whether the customer's row is there now.
///
/// # Errors
/// [`NoSuchRow`] when an unknown customer is removed; `E` when `exists` failed.
pub fn fold_customer<E: From<NoSuchRow>>(
    event: CustomerEvent,
    exists: impl FnOnce(&CustomerId) -> Result<bool, E>,
) -> Result<CustomerChange, E> {
    match event {
        CustomerEvent::Registered(c) | CustomerEvent::Updated(c) => Ok(CustomerChange::Put(c)),
        CustomerEvent::Removed(id) if exists(&id)? => Ok(CustomerChange::Delete(id)),
        CustomerEvent::Removed(id) => Err(NoSuchRow::Customer(id).into()),
    }
}

/// Folds an order event. `before` gives the order's row as it is now.
///
/// # Errors
/// [`NoSuchRow`] when an unknown order is cancelled; `E` when `before` failed.
pub fn fold_order<E: From<NoSuchRow>>(
    event: OrderEvent,
    before: impl FnOnce(&CustomerId, &OrderId) -> Result<Option<Order>, E>,
) -> Result<OrderChange, E> {
    match event {
        OrderEvent::Placed(order) => Ok(OrderChange::Put(order)),
        OrderEvent::Updated(mut order) => {
            if let Some(old) = before(&order.customer_id, &order.order_id)? {
                order.order_purchase_time = old.order_purchase_time;
            }
            Ok(OrderChange::Put(order))
        }
        OrderEvent::Cancelled { customer_id, order_id } => match before(&customer_id, &order_id)? {
            Some(order) => Ok(OrderChange::Delete(order)),
            None => Err(NoSuchRow::Order(customer_id, order_id).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Millis;

    fn order(time: i64, item: &str) -> Order {
        Order {
            order_id: OrderId::new("o").unwrap(),
            customer_id: CustomerId::new("c").unwrap(),
            order_item_name: item.into(),
            order_place: String::new(),
            order_purchase_time: Millis(time),
        }
    }

    fn fold(event: OrderEvent, before: Option<Order>) -> Result<OrderChange, NoSuchRow> {
        fold_order(event, |_, _| Ok(before))
    }

    #[test]
    fn an_update_keeps_the_purchase_time() {
        let got = fold(OrderEvent::Updated(order(9, "new")), Some(order(1, "old")));
        assert_eq!(got, Ok(OrderChange::Put(order(1, "new"))));
        let got = fold(OrderEvent::Updated(order(9, "new")), None);
        assert_eq!(got, Ok(OrderChange::Put(order(9, "new"))));
    }

    #[test]
    fn placing_again_replaces_without_looking() {
        let got =
            fold_order::<NoSuchRow>(OrderEvent::Placed(order(9, "new")), |_, _| unreachable!());
        assert_eq!(got, Ok(OrderChange::Put(order(9, "new"))));
    }

    #[test]
    fn what_is_not_there_cannot_go() {
        let o = order(1, "x");
        let cancel = OrderEvent::Cancelled {
            customer_id: o.customer_id.clone(),
            order_id: o.order_id.clone(),
        };
        assert!(matches!(fold(cancel.clone(), Some(o)), Ok(OrderChange::Delete(..))));
        assert!(matches!(fold(cancel, None), Err(NoSuchRow::Order(..))));
        let id = CustomerId::new("c").unwrap();
        let remove = |known| fold_customer(CustomerEvent::Removed(id.clone()), |_| Ok(known));
        assert_eq!(remove(true), Ok(CustomerChange::Delete(id.clone())));
        assert_eq!(remove(false), Err(NoSuchRow::Customer(id.clone())));
    }
}
