//! How rows are named in a shard's store.
//!
//! Ids have no control characters, so a zero byte ends them: rows sort by id in byte order, and no
//! id is a prefix of another. In `view` a customer's row is followed by its orders' rows:
//!
//! ```text
//! view         customer-id 00                    the customer
//!              customer-id 00 order-id           an order of it
//! order_index  order-id 00 customer-id           (no value)
//! order_times  time customer-id 00 order-id      (no value)
//! greetings    greeting-id                       a greeting
//! event_ids    topic kind id                     the record time it was folded at
//! rejects      topic offset (u64, big endian)    why
//! ```

use tandem_domain::{CustomerId, Millis, Order, OrderId, Topic};

/// Where a customer's rows start: its own row, then its orders.
pub(crate) fn customer(id: &CustomerId) -> Vec<u8> {
    pair(id.as_bytes(), b"")
}

/// An order's row.
pub(crate) fn order(customer: &CustomerId, order: &OrderId) -> Vec<u8> {
    pair(customer.as_bytes(), order.as_bytes())
}

/// An order's entry in the index.
pub(crate) fn order_index(order: &OrderId, customer: &CustomerId) -> Vec<u8> {
    pair(order.as_bytes(), customer.as_bytes())
}

/// An order's entry in the index by time of purchase. An order that is placed again at another time
/// leaves its earlier entry behind, as looking for it would make every new order cost a look-up:
/// an entry counts only if the order's row has that time.
pub(crate) fn order_time(order: &Order) -> Vec<u8> {
    at_time(order.order_purchase_time, &order.customer_id, &order.order_id)
}

/// The same from its parts.
pub(crate) fn at_time(time: Millis, customer: &CustomerId, order: &OrderId) -> Vec<u8> {
    let mut key = ((time.0 ^ i64::MIN).cast_unsigned()).to_be_bytes().to_vec();
    key.extend(pair(customer.as_bytes(), order.as_bytes()));
    key
}

/// Reads a key that [`order_time`] made.
pub(crate) fn split_time(key: &[u8]) -> Option<(Millis, &[u8], &[u8])> {
    let (time, ids) = key.split_first_chunk()?;
    let (customer, order) = split(ids)?;
    Some((Millis(u64::from_be_bytes(*time).cast_signed() ^ i64::MIN), customer, order))
}

/// The first key behind every key that starts with `id 00`.
pub(crate) fn behind(id: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(id.len() + 1);
    key.extend_from_slice(id);
    key.push(1);
    key
}

/// The two ids of a `view` or `order_index` key; the second is empty for a customer's own row.
pub(crate) fn split(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = key.iter().position(|b| *b == 0)?;
    Some((&key[..end], &key[end + 1..]))
}

/// Remembers an event id. Ids are remembered per topic, because the order in which a shard's
/// topics are read is not the same in every copy, while each topic's own order is. A UUID takes
/// sixteen bytes instead of its text.
pub(crate) fn event_id(topic: Topic, id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(2 + id.len());
    key.push(topic_byte(topic));
    match uuid::Uuid::try_parse(id) {
        Ok(uuid) => {
            key.push(0);
            key.extend_from_slice(uuid.as_bytes());
        }
        Err(_) => {
            key.push(1);
            key.extend_from_slice(id.as_bytes());
        }
    }
    key
}

/// A reject's row.
pub(crate) fn reject(topic: Topic, offset: u64) -> Vec<u8> {
    let mut key = vec![topic_byte(topic)];
    key.extend_from_slice(&offset.to_be_bytes());
    key
}

/// Reads a key that [`reject`] made.
pub(crate) fn split_reject(key: &[u8]) -> Option<(Topic, u64)> {
    let (topic, offset) = key.split_first()?;
    let topic = *Topic::ALL.get(usize::from(*topic))?;
    Some((topic, u64::from_be_bytes(offset.try_into().ok()?)))
}

/// A topic's place in [`Topic::ALL`]; stored, so the order there must not change.
pub(crate) const fn topic_byte(topic: Topic) -> u8 {
    match topic {
        Topic::Customer => 0,
        Topic::Order => 1,
        Topic::Greetings => 2,
    }
}

fn pair(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(first.len() + 1 + second.len());
    key.extend_from_slice(first);
    key.push(0);
    key.extend_from_slice(second);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_and_strangers() {
        let id = |s: &str| CustomerId::new(s).unwrap();
        let o = |s: &str| OrderId::new(s).unwrap();
        let a = customer(&id("a"));
        let a_order = order(&id("a"), &o("ü"));
        assert!(a < a_order && a_order < behind(b"a"));
        for other in ["a/b", "a ", "aa", "B", "..", "{x}"] {
            let key = customer(&id(other));
            assert!(key < a || key >= behind(b"a"), "{other}");
        }
        assert_eq!(split(&a_order), Some((&b"a"[..], "ü".as_bytes())));
        assert_eq!(split(&a), Some((&b"a"[..], &b""[..])));
    }

    #[test]
    fn times_sort_as_numbers_do() {
        let (c, o) = (CustomerId::new("c").unwrap(), OrderId::new("o").unwrap());
        let times = [i64::MIN, -1, 0, 1, i64::MAX].map(|t| at_time(Millis(t), &c, &o));
        assert!(times.is_sorted());
        assert_eq!(split_time(&times[1]), Some((Millis(-1), &b"c"[..], &b"o"[..])));
    }

    #[test]
    fn topic_bytes_are_places() {
        for (at, topic) in Topic::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(topic_byte(topic)), at);
            assert_eq!(split_reject(&reject(topic, 7)), Some((topic, 7)));
        }
    }
}
