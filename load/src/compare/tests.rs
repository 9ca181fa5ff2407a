use super::*;

fn one() -> ExpectedCustomer {
    let tables = Tables::new("0.001".parse().unwrap());
    let all = expected(&tables, None);
    assert_eq!(all.len(), 150);
    all.into_iter().find(|c| c.orders.len() > 3).unwrap()
}

fn stored(row: &Order) -> v1::Order {
    v1::Order {
        order_id: row.order_id.clone(),
        customer_id: row.customer_id.clone(),
        order_item_name: row.item_name.clone(),
        order_place: row.place.clone(),
        order_purchase_time: Some(prost_types::Timestamp::default()),
    }
}

fn all_of(expected: &ExpectedCustomer) -> Found {
    let Customer { customer_id, first_name, last_name, email, phone, .. } =
        expected.customer.row.clone();
    Found {
        customer: Some(v1::Customer { customer_id, first_name, last_name, email, phone }),
        registered: true,
        orders: expected.orders.iter().map(|order| stored(&order.row)).collect(),
    }
}

fn compared(expected: &ExpectedCustomer, found: Found) -> Tally {
    let mut tally = Tally::default();
    tally.compare(expected, found);
    tally
}

fn only(tally: &Tally) -> (&str, &str, &str) {
    assert_eq!(tally.differences.count, 1, "{tally:?}");
    let Difference { what, expected, found } = &tally.differences.first[0];
    (what, expected, found)
}

#[test]
fn the_same_is_no_difference() {
    let one = one();
    let tally = compared(&one, all_of(&one));
    let orders = one.orders.len() as u64;
    assert_eq!(tally, Tally { customers: 1, orders, ..Tally::default() });
}

#[test]
fn each_kind_of_difference_is_named() {
    let one = one();
    let order = |found: &Found| {
        format!("order {} of {}", found.orders[1].order_id, found.orders[1].customer_id)
    };

    let mut found = all_of(&one);
    let what = order(&found);
    found.orders.remove(1);
    let item = &*one.orders[1].row.item_name;
    assert_eq!(only(&compared(&one, found)), (&*what, item, "no such order"));

    let mut found = all_of(&one);
    found.orders.push(found.orders[1].clone());
    assert_eq!(only(&compared(&one, found)), (&*what, "once", "more than once"));

    let mut found = all_of(&one);
    found.orders.push(v1::Order { order_id: "X".into(), ..found.orders[1].clone() });
    let (extra, expected, _) = only(&compared(&one, found)).to_owned_parts();
    assert!(extra.starts_with("order X of ") && expected == "no such order");

    let mut found = all_of(&one);
    found.orders[1].order_place = "elsewhere".into();
    let (field, _, value) = only(&compared(&one, found)).to_owned_parts();
    assert_eq!((field, &*value), (format!("{what}, order_place"), "\"elsewhere\""));

    let mut found = all_of(&one);
    found.orders[1].order_purchase_time = None;
    assert_eq!(only(&compared(&one, found)).2, "none");

    let mut found = all_of(&one);
    found.registered = false;
    assert_eq!(only(&compared(&one, found)).2, "not registered");
}

trait ToOwnedParts {
    fn to_owned_parts(self) -> (String, String, String);
}

impl ToOwnedParts for (&str, &str, &str) {
    fn to_owned_parts(self) -> (String, String, String) {
        (self.0.to_owned(), self.1.to_owned(), self.2.to_owned())
    }
}

#[test]
fn what_was_not_acknowledged_may_be_there_but_not_wrong() {
    let mut one = one();
    one.customer.required = false;
    one.orders[1].required = false;
    let required = one.orders.len() as u64 - 1;
    let there = compared(&one, all_of(&one));
    let expected = Tally { orders: required, unacknowledged: 2, ..Tally::default() };
    assert_eq!(there, expected);

    let mut gone = all_of(&one);
    gone.orders.remove(1);
    gone.registered = false;
    assert_eq!(compared(&one, gone), Tally { unacknowledged: 0, ..expected });

    let mut wrong = all_of(&one);
    wrong.orders[1].order_item_name = "other".into();
    assert_eq!(compared(&one, wrong).differences.count, 1);
}

#[test]
fn nothing_found_is_a_difference_for_each_row_and_few_are_shown() {
    let mut tally = Tally::default();
    for expected in expected(&Tables::new("0.001".parse().unwrap()), None) {
        tally.compare(&expected, Found::default());
    }
    assert_eq!(tally.differences.count, 1_650);
    assert_eq!(tally.differences.first.len(), SHOWN);
}

#[test]
fn a_journal_says_what_is_required() {
    let tables = Tables::new("0.001".parse().unwrap());
    let order = tables.orders().next().unwrap();
    let journal = Acknowledged {
        customers: [150].into(),
        orders: [order.number].into(),
        ..Acknowledged::default()
    };
    let expected = expected(&tables, Some(&journal));
    assert_eq!(expected.len(), 2);
    let required = expected.iter().flat_map(|c| &c.orders).filter(|o| o.required);
    assert_eq!(required.map(|o| o.row.number).collect::<Vec<_>>(), [order.number]);
    assert!(!expected[0].customer.required && expected[1].customer.required);
}
