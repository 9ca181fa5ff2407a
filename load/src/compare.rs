//! What has to be there against what was found; pure.

use crate::journal::Acknowledged;
use crate::tpch::{Customer, Order, Tables};
use std::collections::HashMap;
use tandem_client::v1;

/// How many differences are kept to be shown; all are counted.
pub const SHOWN: usize = 20;

/// One thing that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// What it is about.
    pub what: String,
    /// How it has to be.
    pub expected: String,
    /// How it is.
    pub found: String,
}

/// All differences, the first of them in full.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Differences {
    /// How many there are.
    pub count: u64,
    /// The first [`SHOWN`].
    pub first: Vec<Difference>,
}

impl Differences {
    pub(crate) fn add(&mut self, what: String, expected: &str, found: &str) {
        self.count += 1;
        if self.first.len() < SHOWN {
            let (expected, found) = (expected.to_owned(), found.to_owned());
            self.first.push(Difference { what, expected, found });
        }
    }

    fn field(&mut self, row: &str, field: &str, expected: &str, found: &str) {
        if expected != found {
            self.add(format!("{row}, {field}"), &format!("{expected:?}"), &format!("{found:?}"));
        }
    }
}

/// A row, and whether it has to be there. One that was not acknowledged may be there or not, but
/// if it is, it has to be right.
#[derive(Debug)]
pub(crate) struct Expected<T> {
    pub(crate) row: T,
    pub(crate) required: bool,
}

/// What has to be found of one customer.
#[derive(Debug)]
pub(crate) struct ExpectedCustomer {
    pub(crate) customer: Expected<Customer>,
    pub(crate) orders: Vec<Expected<Order>>,
}

/// Everything in the tables, by customer. With a journal, only what it names is required, and
/// customers of whom it names nothing are left out.
pub(crate) fn expected(tables: &Tables, journal: Option<&Acknowledged>) -> Vec<ExpectedCustomer> {
    let mut orders: HashMap<i64, Vec<Expected<Order>>> = HashMap::new();
    for row in tables.orders() {
        let required = journal.is_none_or(|journal| journal.orders.contains(&row.number));
        orders.entry(row.customer_number).or_default().push(Expected { row, required });
    }
    let customers = tables.customers().map(|row| {
        let required = journal.is_none_or(|journal| journal.customers.contains(&row.number));
        let orders = orders.remove(&row.number).unwrap_or_default();
        ExpectedCustomer { customer: Expected { row, required }, orders }
    });
    customers.filter(|c| c.customer.required || c.orders.iter().any(|o| o.required)).collect()
}

/// What the view has of one customer.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The customer as it came with the first page, and whether it is registered.
    pub(crate) customer: Option<v1::Customer>,
    pub(crate) registered: bool,
    /// The orders of all pages.
    pub(crate) orders: Vec<v1::Order>,
}

/// The outcome over all customers.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Customers that had to be there.
    pub customers: u64,
    /// Orders that had to be there.
    pub orders: u64,
    /// Rows that are there and right although their command was not acknowledged: those that
    /// were under way when the service or the load died.
    pub unacknowledged: u64,
    /// What is not as it has to be.
    pub differences: Differences,
}

impl Tally {
    /// Compares one customer and its orders.
    pub(crate) fn compare(&mut self, expected: &ExpectedCustomer, found: Found) {
        self.customers += u64::from(expected.customer.required);
        let id = &expected.customer.row.customer_id;
        let registered = if found.registered { found.customer } else { None };
        match (&registered, expected.customer.required) {
            (Some(customer), required) => {
                self.unacknowledged += u64::from(!required);
                self.customer(&expected.customer.row, customer);
            }
            (None, true) => {
                self.differences.add(format!("customer {id}"), "registered", "not registered");
            }
            (None, false) => {}
        }
        self.orders(expected, found.orders);
    }

    fn customer(&mut self, expected: &Customer, found: &v1::Customer) {
        let row = format!("customer {}", expected.customer_id);
        let differences = &mut self.differences;
        differences.field(&row, "customer_id", &expected.customer_id, &found.customer_id);
        differences.field(&row, "first_name", &expected.first_name, &found.first_name);
        differences.field(&row, "last_name", &expected.last_name, &found.last_name);
        differences.field(&row, "email", &expected.email, &found.email);
        differences.field(&row, "phone", &expected.phone, &found.phone);
    }

    fn orders(&mut self, expected: &ExpectedCustomer, found: Vec<v1::Order>) {
        let owner = &expected.customer.row.customer_id;
        let mut by_id: HashMap<String, v1::Order> = HashMap::with_capacity(found.len());
        for order in found {
            let id = order.order_id.clone();
            if by_id.insert(id.clone(), order).is_some() {
                self.differences.add(format!("order {id} of {owner}"), "once", "more than once");
            }
        }
        for Expected { row, required } in &expected.orders {
            self.orders += u64::from(*required);
            match by_id.remove(&row.order_id) {
                Some(order) => {
                    self.unacknowledged += u64::from(!*required);
                    self.order(row, &order);
                }
                None if *required => {
                    let what = format!("order {} of {owner}", row.order_id);
                    self.differences.add(what, &row.item_name, "no such order");
                }
                None => {}
            }
        }
        let mut others: Vec<_> = by_id.into_values().collect();
        others.sort_by(|a, b| a.order_id.cmp(&b.order_id));
        for order in others {
            let what = format!("order {} of {owner}", order.order_id);
            self.differences.add(what, "no such order", &order.order_item_name);
        }
    }

    fn order(&mut self, expected: &Order, found: &v1::Order) {
        let row = format!("order {} of {}", expected.order_id, expected.customer_id);
        let differences = &mut self.differences;
        differences.field(&row, "customer_id", &expected.customer_id, &found.customer_id);
        differences.field(&row, "order_item_name", &expected.item_name, &found.order_item_name);
        differences.field(&row, "order_place", &expected.place, &found.order_place);
        if found.order_purchase_time.is_none() {
            differences.add(format!("{row}, order_purchase_time"), "a time", "none");
        }
    }
}

#[cfg(test)]
mod tests;
