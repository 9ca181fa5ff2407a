//! Events as Avro bodies, and Avro bodies as events, under the same bounds for every producer.

use crate::{
    DecodeError, EncodeError,
    error::reason,
    kind::Kind,
    shapes::{
        AnyRecord, CustomerIdShape, CustomerShape, GreetingShape, OrderIdShape, OrderShape, Text,
        Time,
    },
};
use apache_avro::{reader::datum::GenericDatumReader, writer::datum::GenericDatumWriter};
use serde::{Deserialize, Serialize};
use tandem_domain::{
    Customer, CustomerEvent, CustomerId, Event, Greeting, GreetingId, IdFault, Millis, Order,
    OrderEvent, OrderId, check_text,
};

/// Appends the event's Avro body to `value`.
pub(crate) fn write(event: &Event, value: &mut Vec<u8>) -> Result<(), EncodeError> {
    let kind = Kind::of(event);
    let to = kind.writer();
    match event {
        Event::Customer(CustomerEvent::Registered(c) | CustomerEvent::Updated(c)) => {
            put(to, value, &customer_out(c))
        }
        Event::Customer(CustomerEvent::Removed(id)) => {
            put(to, value, &CustomerIdShape { customer_id: id.as_str() })
        }
        Event::Order(OrderEvent::Placed(o) | OrderEvent::Updated(o)) => {
            put(to, value, &order_out(o))
        }
        Event::Order(OrderEvent::Cancelled { customer_id, order_id }) => {
            let shape =
                OrderIdShape { customer_id: customer_id.as_str(), order_id: order_id.as_str() };
            put(to, value, &shape)
        }
        Event::Greeting(g) => put(to, value, &greeting_out(g)),
    }
    .map_err(|reason| EncodeError::Unencodable { record: kind.name(), reason })
}

fn put<T: Serialize>(
    to: &GenericDatumWriter<'_>,
    value: &mut Vec<u8>,
    shape: &T,
) -> Result<(), String> {
    to.write_ser(value, shape).map(|_| ()).map_err(|e| reason(&e.to_string()))
}

fn customer_out(c: &Customer) -> CustomerShape<&str> {
    CustomerShape {
        customer_id: c.customer_id.as_str(),
        first_name: &c.first_name,
        last_name: &c.last_name,
        email: &c.email,
        phone: &c.phone,
    }
}

fn order_out(o: &Order) -> OrderShape<&str> {
    OrderShape {
        order_id: o.order_id.as_str(),
        customer_id: o.customer_id.as_str(),
        order_item_name: &o.order_item_name,
        order_place: &o.order_place,
        order_purchase_time: Time(o.order_purchase_time.0),
    }
}

fn greeting_out(g: &Greeting) -> GreetingShape<&str> {
    GreetingShape {
        greeting_id: g.greeting_id.as_str(),
        message: &g.message,
        timestamp: Time(g.timestamp.0),
    }
}

/// Reads one body as an event of `kind`; `reader` knows the schema it was written with.
pub(crate) fn read(
    kind: Kind,
    reader: &GenericDatumReader<'_>,
    body: &[u8],
) -> Result<Event, DecodeError> {
    let body = Body { record: kind.name(), reader, bytes: body };
    Ok(match kind {
        Kind::CustomerRegistered => Event::Customer(CustomerEvent::Registered(body.customer()?)),
        Kind::CustomerUpdated => Event::Customer(CustomerEvent::Updated(body.customer()?)),
        Kind::CustomerRemoved => {
            let CustomerIdShape { customer_id } = body.take()?;
            Event::Customer(CustomerEvent::Removed(body.id("customerId", customer_id)?))
        }
        Kind::OrderPlaced => Event::Order(OrderEvent::Placed(body.order()?)),
        Kind::OrderUpdated => Event::Order(OrderEvent::Updated(body.order()?)),
        Kind::OrderCancelled => {
            let OrderIdShape { customer_id, order_id } = body.take()?;
            Event::Order(OrderEvent::Cancelled {
                customer_id: body.id("customerId", customer_id)?,
                order_id: body.id("orderId", order_id)?,
            })
        }
        Kind::GreetingSent => Event::Greeting(body.greeting()?),
    })
}

struct Body<'a> {
    record: &'static str,
    reader: &'a GenericDatumReader<'a>,
    bytes: &'a [u8],
}

impl Body<'_> {
    /// The whole body as one record: what is left over is a fault, not a surprise for later.
    fn take<T: for<'de> Deserialize<'de>>(&self) -> Result<T, DecodeError> {
        let mut rest = self.bytes;
        let AnyRecord(shape) =
            self.reader.read_deser(&mut rest).map_err(|e| self.fault(rest, &e))?;
        if rest.is_empty() {
            return Ok(shape);
        }
        Err(DecodeError::TrailingBytes { record: self.record, extra: rest.len() })
    }

    #[cold]
    fn fault(&self, rest: &[u8], error: &apache_avro::Error) -> DecodeError {
        let len = self.bytes.len();
        let reason = reason(&error.to_string());
        DecodeError::Body { record: self.record, at: len - rest.len(), len, reason }
    }

    fn customer(&self) -> Result<Customer, DecodeError> {
        let shape: CustomerShape<Text> = self.take()?;
        Ok(Customer {
            customer_id: self.id("customerId", shape.customer_id)?,
            first_name: self.text("firstName", shape.first_name)?,
            last_name: self.text("lastName", shape.last_name)?,
            email: self.text("email", shape.email)?,
            phone: self.text("phone", shape.phone)?,
        })
    }

    fn order(&self) -> Result<Order, DecodeError> {
        let shape: OrderShape<Text> = self.take()?;
        Ok(Order {
            order_id: self.id("orderId", shape.order_id)?,
            customer_id: self.id("customerId", shape.customer_id)?,
            order_item_name: self.text("orderItemName", shape.order_item_name)?,
            order_place: self.text("orderPlace", shape.order_place)?,
            order_purchase_time: Millis(shape.order_purchase_time.0),
        })
    }

    fn greeting(&self) -> Result<Greeting, DecodeError> {
        let shape: GreetingShape<Text> = self.take()?;
        Ok(Greeting {
            greeting_id: self.id("greetingId", shape.greeting_id)?,
            message: self.text("message", shape.message)?,
            timestamp: Millis(shape.timestamp.0),
        })
    }

    fn id<I: Id>(&self, field: &'static str, text: Text) -> Result<I, DecodeError> {
        I::take(text.0).map_err(|fault| DecodeError::Id { record: self.record, field, fault })
    }

    fn text(&self, field: &'static str, text: Text) -> Result<String, DecodeError> {
        check_text(&text.0, false).map_err(|fault| DecodeError::Text {
            record: self.record,
            field,
            fault,
        })?;
        Ok(text.0)
    }
}

/// The three kinds of id, which the domain makes one type each.
trait Id: Sized {
    fn take(text: String) -> Result<Self, IdFault>;
}

macro_rules! id {
    ($($name:ident),*) => {
        $(impl Id for $name {
            fn take(text: String) -> Result<Self, IdFault> {
                Self::new(text)
            }
        })*
    };
}

id!(CustomerId, OrderId, GreetingId);
