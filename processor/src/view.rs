//! What can be asked of one shard, from one consistent snapshot of its store.

use rocksdb::{ReadOptions, SnapshotWithThreadMode};
use tandem_domain::{Customer, CustomerId, Greeting, GreetingId, Millis, Order, OrderId, Topic};

use crate::{
    StoreError, keys,
    rows::{self, Reject, SeenOrder},
    state::State,
    store::{self, Family, Store},
};

/// The most bytes of rows that a page is made of, so that a thousand large rows don't make one
/// large message.
const PAGE_BYTES: usize = 1 << 20;

/// Some rows of a longer list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub rows: Vec<T>,
    /// Whether there are more behind them.
    pub more: bool,
}

/// An order with its customer, where the customer is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedOrder {
    /// The customer; `None` while it is not registered.
    pub customer: Option<Customer>,
    /// The order.
    pub order: Order,
}

/// A row of a customer and its orders.
pub enum Seen<'a> {
    /// The customer.
    Customer(Customer),
    /// One of its orders.
    Order(SeenOrder<'a>),
}

/// Whether a row was taken; if not, the page ends before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was.
    Yes,
    /// There was no room.
    No,
}

/// One shard at one moment.
pub struct View<'s> {
    store: &'s Store,
    snapshot: SnapshotWithThreadMode<'s, rocksdb::DB>,
}

/// What a scan does after a row.
enum Then {
    Next,
    Seek(Vec<u8>),
    Stop,
}

/// Collects rows up to the bounds of a page.
struct Filling<T> {
    page: Page<T>,
    limit: usize,
    bytes: usize,
}

impl<T> Filling<T> {
    fn new(limit: usize) -> Self {
        Self { page: Page { rows: Vec::new(), more: false }, limit, bytes: 0 }
    }

    /// Whether one more row fits; if not, the page is marked as having more behind it.
    fn takes(&mut self, bytes: usize) -> bool {
        let full = self.page.rows.len() >= self.limit
            || (self.bytes + bytes > PAGE_BYTES && !self.page.rows.is_empty());
        self.page.more |= full;
        self.bytes += bytes;
        !full
    }
}

/// What a customer takes in a row, about.
fn text_bytes(c: &Customer) -> usize {
    c.first_name.len() + c.last_name.len() + c.email.len() + c.phone.len()
}

impl<'s> View<'s> {
    pub(crate) fn new(store: &'s Store) -> Self {
        Self { store, snapshot: store.db().snapshot() }
    }

    /// The state that this snapshot is of.
    pub(crate) fn state(&self) -> Result<State, StoreError> {
        match self.snapshot.get_pinned(store::STATE_KEY)? {
            Some(row) => rows::decode(&row),
            None => Err(StoreError::Corrupt("a readable store has no state".into())),
        }
    }

    /// A customer.
    ///
    /// # Errors
    /// [`StoreError`], here and below: the store can't be read.
    pub fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
        let row = self.get(Family::View, &keys::customer(id))?;
        row.map(|row| rows::decode_customer(id.as_bytes(), &row)).transpose()
    }

    /// An order of a customer.
    ///
    /// # Errors
    /// See [`Self::customer`].
    pub fn order(&self, of: &CustomerId, id: &OrderId) -> Result<Option<Order>, StoreError> {
        let row = self.get(Family::View, &keys::order(of, id))?;
        row.map(|row| rows::decode_order(of.as_bytes(), id.as_bytes(), &row)).transpose()
    }

    /// The customers that have an order of that id; at most two, as the second makes it ambiguous.
    ///
    /// # Errors
    /// See [`Self::customer`].
    pub fn who_ordered(&self, id: &OrderId) -> Result<Vec<CustomerId>, StoreError> {
        let mut found = Vec::new();
        let mut from = id.as_bytes().to_vec();
        from.push(0);
        self.scan(Family::OrderIndex, from, Some(keys::behind(id.as_bytes())), |key, _| {
            let customer = split(key)?.1;
            found.push(CustomerId::from_bytes(customer).map_err(StoreError::corrupt)?);
            Ok(if found.len() < 2 { Then::Next } else { Then::Stop })
        })?;
        Ok(found)
    }

    /// A customer and a page of its orders, those behind `after`: one scan over neighbours.
    ///
    /// # Errors
    /// See [`Self::customer`].
    pub fn customer_orders(
        &self,
        id: &CustomerId,
        after: Option<&OrderId>,
        limit: usize,
    ) -> Result<(Option<Customer>, Page<Order>), StoreError> {
        let (mut customer, mut rows) = (None, Vec::new());
        let more = self.see_customer_orders(id, after, limit, |row| {
            match row {
                Seen::Customer(seen) => customer = Some(seen),
                Seen::Order(seen) => rows.push(seen.taken(id.clone())?),
            }
            Ok(Taken::Yes)
        })?;
        Ok((customer, Page { rows, more }))
    }

    /// The same, each row as it lies in the store: the customer, if it is registered, before its
    /// orders. Gives whether there are more orders behind those that were taken.
    ///
    /// # Errors
    /// See [`Self::customer`]; and those of `see`.
    pub fn see_customer_orders(
        &self,
        id: &CustomerId,
        after: Option<&OrderId>,
        limit: usize,
        mut see: impl FnMut(Seen<'_>) -> Result<Taken, StoreError>,
    ) -> Result<bool, StoreError> {
        let mut filling = Filling::<()>::new(limit);
        let from = match after {
            None => keys::customer(id),
            Some(after) => {
                if let Some(customer) = self.customer(id)? {
                    see(Seen::Customer(customer))?;
                }
                next(keys::order(id, after))
            }
        };
        self.scan(Family::View, from, Some(keys::behind(id.as_bytes())), |key, row| {
            let (of, order) = split(key)?;
            if order.is_empty() {
                see(Seen::Customer(rows::decode_customer(of, row)?))?;
            } else if filling.takes(key.len() + row.len()) {
                filling.page.rows.push(());
                if see(Seen::Order(rows::see_order(order, row)?))? == Taken::No {
                    filling.page.more = true;
                    return Ok(Then::Stop);
                }
            } else {
                return Ok(Then::Stop);
            }
            Ok(Then::Next)
        })?;
        Ok(filling.page.more)
    }

    /// A page of customers by id, those behind `after`.
    ///
    /// # Errors
    /// See [`Self::customer`].
    pub fn customers(
        &self,
        after: Option<&CustomerId>,
        limit: usize,
    ) -> Result<Page<Customer>, StoreError> {
        let mut filling = Filling::new(limit);
        let from = after.map(|id| keys::behind(id.as_bytes())).unwrap_or_default();
        self.scan(Family::View, from, None, |key, row| {
            let (of, order) = split(key)?;
            if order.is_empty() {
                if !filling.takes(key.len() + row.len()) {
                    return Ok(Then::Stop);
                }
                filling.page.rows.push(rows::decode_customer(of, row)?);
            }
            Ok(Then::Seek(keys::behind(of)))
        })?;
        Ok(filling.page)
    }

    /// A page of orders by customer id and order id, those behind `after`, joined.
    ///
    /// # Errors
    /// See [`Self::customer`].
    pub fn joined_orders(
        &self,
        after: Option<(&CustomerId, &OrderId)>,
        limit: usize,
    ) -> Result<Page<JoinedOrder>, StoreError> {
        let mut filling = Filling::new(limit);
        // With what it takes, as each of its orders is given with it.
        let (mut customer, mut customer_bytes) = (None, 0);
        let mut from = Vec::new();
        if let Some((of, order)) = after {
            customer = self.customer(of)?;
            customer_bytes = customer.as_ref().map_or(0, text_bytes);
            from = next(keys::order(of, order));
        }
        self.scan(Family::View, from, None, |key, row| {
            let (of, order) = split(key)?;
            if order.is_empty() {
                customer = Some(rows::decode_customer(of, row)?);
                customer_bytes = row.len();
            } else if filling.takes(key.len() + row.len() + customer_bytes) {
                customer = customer.take().filter(|c| c.customer_id.as_bytes() == of);
                customer_bytes = customer.as_ref().map_or(0, |_| customer_bytes);
                let order = rows::decode_order(of, order, row)?;
                filling.page.rows.push(JoinedOrder { customer: customer.clone(), order });
            } else {
                return Ok(Then::Stop);
            }
            Ok(Then::Next)
        })?;
        Ok(filling.page)
    }

    /// A page of orders by order id and customer id, those behind `after`.
    ///
    /// # Errors
    /// See [`Self::customer`].
    pub fn orders_by_id(
        &self,
        after: Option<(&OrderId, &CustomerId)>,
        limit: usize,
    ) -> Result<Page<Order>, StoreError> {
        let mut filling = Filling::new(limit);
        let from = after.map(|(o, c)| next(keys::order_index(o, c))).unwrap_or_default();
        self.scan(Family::OrderIndex, from, None, |key, _| {
            let (order, of) = split(key)?;
            let of = CustomerId::from_bytes(of).map_err(StoreError::corrupt)?;
            let id = OrderId::from_bytes(order).map_err(StoreError::corrupt)?;
            let found = self.get(Family::View, &keys::order(&of, &id))?;
            let row = found.ok_or_else(|| {
                StoreError::Corrupt(format!("the index names order {id} of {of}, which is missing"))
            })?;
            if !filling.takes(key.len() + row.len()) {
                return Ok(Then::Stop);
            }
            filling.page.rows.push(rows::decode_order(of.as_bytes(), order, &row)?);
            Ok(Then::Next)
        })?;
        Ok(filling.page)
    }

    /// A page of orders by time of purchase, customer id and order id, or the other way round,
    /// those behind `after`.
    ///
    /// # Errors
    /// See [`Self::customer`].
    pub fn orders_by_time(
        &self,
        after: Option<(Millis, &CustomerId, &OrderId)>,
        latest_first: bool,
        limit: usize,
    ) -> Result<Page<Order>, StoreError> {
        let mut filling = Filling::new(limit);
        let from = after.map(|(time, of, order)| keys::at_time(time, of, order));
        let visit = |key: &[u8], _: &[u8]| {
            let entry = keys::split_time(key);
            let (time, of, order) = entry.ok_or_else(|| StoreError::corrupt("a time's key"))?;
            let id = |e| StoreError::corrupt(e);
            let of = CustomerId::from_bytes(of).map_err(id)?;
            let order = OrderId::from_bytes(order).map_err(id)?;
            let Some(found) = self.order(&of, &order)?.filter(|o| o.order_purchase_time == time)
            else {
                return Ok(Then::Next);
            };
            if !filling.takes(key.len() + found.order_item_name.len() + found.order_place.len()) {
                return Ok(Then::Stop);
            }
            filling.page.rows.push(found);
            Ok(Then::Next)
        };
        match latest_first {
            true => self.scan_back(Family::OrderTimes, from, visit)?,
            false => {
                self.scan(Family::OrderTimes, from.map(next).unwrap_or_default(), None, visit)?;
            }
        }
        Ok(filling.page)
    }

    /// A page of greetings by id, those behind `after`.
    ///
    /// # Errors
    /// See [`Self::customer`].
    pub fn greetings(
        &self,
        after: Option<&GreetingId>,
        limit: usize,
    ) -> Result<Page<Greeting>, StoreError> {
        let mut filling = Filling::new(limit);
        let from = after.map(|id| next(id.as_bytes().to_vec())).unwrap_or_default();
        self.scan(Family::Greetings, from, None, |key, row| {
            if !filling.takes(key.len() + row.len()) {
                return Ok(Then::Stop);
            }
            filling.page.rows.push(rows::decode_greeting(key, row)?);
            Ok(Then::Next)
        })?;
        Ok(filling.page)
    }

    /// A page of rejects by topic and offset, those behind `after`.
    ///
    /// # Errors
    /// See [`Self::customer`].
    pub fn rejects(
        &self,
        after: Option<(Topic, u64)>,
        limit: usize,
    ) -> Result<Page<Reject>, StoreError> {
        let mut filling = Filling::new(limit);
        let from = after.map(|(t, o)| next(keys::reject(t, o))).unwrap_or_default();
        self.scan(Family::Rejects, from, None, |key, row| {
            if !filling.takes(key.len() + row.len()) {
                return Ok(Then::Stop);
            }
            let at = keys::split_reject(key);
            let (topic, offset) = at.ok_or_else(|| StoreError::corrupt("a reject's key"))?;
            filling.page.rows.push(rows::decode_reject(topic, offset, row)?);
            Ok(Then::Next)
        })?;
        Ok(filling.page)
    }

    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.snapshot.get_cf(self.store.family(family)?, key)?)
    }

    /// Visits rows from `from` up to, and without, `to`.
    fn scan(
        &self,
        family: Family,
        from: Vec<u8>,
        to: Option<Vec<u8>>,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<Then, StoreError>,
    ) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        if let Some(to) = to {
            options.set_iterate_upper_bound(to);
        }
        let family = self.store.family(family)?;
        let mut rows = self.snapshot.raw_iterator_cf_opt(family, options);
        rows.seek(from);
        while let (Some(key), Some(row)) = (rows.key(), rows.value()) {
            match visit(key, row)? {
                Then::Next => rows.next(),
                Then::Seek(to) => rows.seek(to),
                Then::Stop => break,
            }
        }
        Ok(rows.status()?)
    }

    /// Visits rows backwards, from the last one before `before`, or from the very last.
    fn scan_back(
        &self,
        family: Family,
        before: Option<Vec<u8>>,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<Then, StoreError>,
    ) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        if let Some(before) = before {
            options.set_iterate_upper_bound(before);
        }
        let mut rows = self.snapshot.raw_iterator_cf_opt(self.store.family(family)?, options);
        rows.seek_to_last();
        while let (Some(key), Some(row)) = (rows.key(), rows.value()) {
            match visit(key, row)? {
                Then::Next => rows.prev(),
                Then::Seek(to) => rows.seek_for_prev(to),
                Then::Stop => break,
            }
        }
        Ok(rows.status()?)
    }
}

/// The first key behind `key`.
fn next(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

fn split(key: &[u8]) -> Result<(&[u8], &[u8]), StoreError> {
    keys::split(key).ok_or_else(|| StoreError::corrupt("a key without an end of its first id"))
}
