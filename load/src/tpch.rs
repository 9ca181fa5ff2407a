//! The TPC-H tables `customer` and `orders` as Tandem's customers and orders: data that anyone can
//! make again, so that what was stored can be checked against what was sent.
//!
//! The rows are made one by one, in less than a microsecond each, and take no memory.

use crate::scale::Scale;
use std::sync::OnceLock;
use tpchgen::distribution::Distributions;
use tpchgen::generators as dbgen;
use tpchgen::text::TextPool;

/// How much text the comments are cut from. tpchgen's own pool is 300 MB and takes a second to
/// make; comments are not used here, and the other columns don't depend on the pool.
const TEXT_POOL_BYTES: i32 = 64 * 1024;

/// A customer, from a row of `customer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// `c_custkey`; counts from 1 without gaps.
    pub number: i64,
    /// The number as an id, such as `C000000001`.
    pub customer_id: String,
    /// The first half of `c_name`, always `Customer`.
    pub first_name: String,
    /// The other half of `c_name`, such as `#000000001`.
    pub last_name: String,
    /// Made from the number and `c_mktsegment`, such as `customer000000001@building.example`.
    pub email: String,
    /// `c_phone`.
    pub phone: String,
}

/// An order, from a row of `orders`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// `o_orderkey`; sparse, as TPC-H wants it.
    pub number: i64,
    /// The number as an id, such as `O000000001`.
    pub order_id: String,
    /// `o_custkey`: the [`Customer::number`] of the one who ordered.
    pub customer_number: i64,
    /// The customer's number as an id.
    pub customer_id: String,
    /// `orders` names no goods: priority, date and price, such as `5-LOW 1996-01-02 131251.81`.
    pub item_name: String,
    /// `o_clerk`, such as `Clerk#000000951`.
    pub place: String,
}

/// A row of either table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A customer.
    Customer(Customer),
    /// An order.
    Order(Order),
}

/// The id of the customer of this number.
#[must_use]
pub fn customer_id(number: i64) -> String {
    format!("C{number:09}")
}

/// The id of the order of this number.
#[must_use]
pub fn order_id(number: i64) -> String {
    format!("O{number:09}")
}

/// Both tables at one scale.
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    scale: Scale,
}

impl Tables {
    /// The tables at `scale`.
    #[must_use]
    pub fn new(scale: Scale) -> Self {
        Self { scale }
    }

    /// How many customers there are.
    #[must_use]
    pub fn customer_count(&self) -> u64 {
        let rows = dbgen::CustomerGenerator::calculate_row_count(self.scale.factor(), 1, 1);
        rows.unsigned_abs()
    }

    /// How many orders there are: ten for each customer. A third of the customers have none.
    #[must_use]
    pub fn order_count(&self) -> u64 {
        let rows = dbgen::OrderGenerator::calculate_row_count(self.scale.factor(), 1, 1);
        rows.unsigned_abs()
    }

    /// The customers, by number.
    pub fn customers(&self) -> impl Iterator<Item = Customer> + Send + use<> {
        dbgen::CustomerGenerator::new_with_distributions_and_text_pool(
            self.scale.factor(),
            1,
            1,
            Distributions::static_default(),
            text_pool(),
        )
        .into_iter()
        .map(|row| customer(&row))
    }

    /// The orders, by number.
    pub fn orders(&self) -> impl Iterator<Item = Order> + Send + use<> {
        dbgen::OrderGenerator::new_with_distributions_and_text_pool(
            self.scale.factor(),
            1,
            1,
            Distributions::static_default(),
            text_pool(),
        )
        .into_iter()
        .map(|row| order(&row))
    }

    /// Both tables mixed, ten orders after each customer. TPC-H draws an order's customer at
    /// random, so about half of the orders come before their customer.
    pub fn rows(&self) -> impl Iterator<Item = Row> + Send + use<> {
        let (mut customers, mut orders) = (self.customers(), self.orders());
        let mut turn = 0_u32;
        std::iter::from_fn(move || {
            let customers_turn = turn == 0;
            turn = (turn + 1) % 11;
            if customers_turn && let Some(customer) = customers.next() {
                return Some(Row::Customer(customer));
            }
            let order = orders.next().map(Row::Order);
            order.or_else(|| customers.next().map(Row::Customer))
        })
    }
}

fn customer(row: &dbgen::Customer<'_>) -> Customer {
    let number = row.c_custkey;
    let segment = row.c_mktsegment.to_ascii_lowercase();
    let name = row.c_name.to_string();
    let (first, last) = name.split_at(name.find('#').unwrap_or(name.len()));
    Customer {
        number,
        customer_id: customer_id(number),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        email: format!("customer{number:09}@{segment}.example"),
        phone: row.c_phone.to_string(),
    }
}

fn order(row: &dbgen::Order<'_>) -> Order {
    Order {
        number: row.o_orderkey,
        order_id: order_id(row.o_orderkey),
        customer_number: row.o_custkey,
        customer_id: customer_id(row.o_custkey),
        item_name: format!("{} {} {}", row.o_orderpriority, row.o_orderdate, row.o_totalprice),
        place: row.o_clerk.to_string(),
    }
}

fn text_pool() -> &'static TextPool {
    static POOL: OnceLock<TextPool> = OnceLock::new();
    POOL.get_or_init(|| TextPool::new(TEXT_POOL_BYTES, Distributions::static_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_default_scale_has_the_promised_rows() {
        let tables = Tables::new(Scale::default());
        assert_eq!((tables.customer_count(), tables.order_count()), (1_500, 15_000));
        let customers: Vec<_> = tables.customers().collect();
        let orders: Vec<_> = tables.orders().collect();
        assert_eq!((customers.len(), orders.len()), (1_500, 15_000));
        let known: HashSet<_> = customers.iter().map(|c| &c.customer_id).collect();
        let ids: HashSet<_> = orders.iter().map(|o| &o.order_id).collect();
        assert_eq!((known.len(), ids.len()), (1_500, 15_000));
        assert!(orders.iter().all(|o| known.contains(&o.customer_id)));
        let ordering: HashSet<_> = orders.iter().map(|o| o.customer_number).collect();
        assert!(ordering.len() <= 1_000, "{} customers have orders", ordering.len());
    }

    #[test]
    fn the_first_rows_are_those_of_dbgen() {
        let tables = Tables::new("1".parse().unwrap());
        let customer = tables.customers().next().unwrap();
        assert_eq!(customer.customer_id, "C000000001");
        assert_eq!((&*customer.first_name, &*customer.last_name), ("Customer", "#000000001"));
        assert_eq!(customer.email, "customer000000001@building.example");
        assert_eq!(customer.phone, "25-989-741-2988");
        let order = tables.orders().next().unwrap();
        assert_eq!((&*order.order_id, &*order.customer_id), ("O000000001", "C000036901"));
        assert!(order.item_name.starts_with("5-LOW 1996-01-02 "), "{}", order.item_name);
        assert_eq!(order.place, "Clerk#000000951");
    }

    #[test]
    fn mixed_rows_are_all_rows_and_some_orders_come_first() {
        let tables = Tables::new("0.001".parse().unwrap());
        let (mut customers, mut orders, mut early) = (HashSet::new(), HashSet::new(), 0);
        for row in tables.rows() {
            match row {
                Row::Customer(customer) => assert!(customers.insert(customer.number)),
                Row::Order(order) => {
                    early += u32::from(!customers.contains(&order.customer_number));
                    assert!(orders.insert(order.number));
                }
            }
        }
        assert_eq!((customers.len(), orders.len()), (150, 1_500));
        assert!(early > 300, "{early} orders come before their customer");
    }
}
