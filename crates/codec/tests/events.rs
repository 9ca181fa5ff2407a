//! Every event survives the codec, and no bytes do harm.

#![allow(clippy::unwrap_used)] // helpers of tests, where a panic is the failure

use apache_avro::{Schema, reader::datum::GenericDatumReader, types::Value};
use proptest::prelude::*;
use tandem_codec::{Codec, DecodeError, EncodeError, RegistrySettings};
use tandem_domain::{
    Customer, CustomerEvent, CustomerId, Event, Greeting, GreetingId, Millis, Order, OrderEvent,
    OrderId, Topic,
};

fn id() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{1,32}"
}

fn customer() -> impl Strategy<Value = Customer> {
    (id(), any::<String>(), any::<String>(), any::<String>(), any::<String>()).prop_map(
        |(id, first_name, last_name, email, phone)| Customer {
            customer_id: CustomerId::new(id).unwrap(),
            first_name,
            last_name,
            email,
            phone,
        },
    )
}

fn order() -> impl Strategy<Value = Order> {
    (id(), id(), any::<String>(), any::<String>(), any::<i64>()).prop_map(
        |(order_id, customer_id, order_item_name, order_place, time)| Order {
            order_id: OrderId::new(order_id).unwrap(),
            customer_id: CustomerId::new(customer_id).unwrap(),
            order_item_name,
            order_place,
            order_purchase_time: Millis(time),
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let cancelled =
        |o: Order| OrderEvent::Cancelled { customer_id: o.customer_id, order_id: o.order_id };
    prop_oneof![
        customer().prop_map(|c| Event::Customer(CustomerEvent::Registered(c))),
        customer().prop_map(|c| Event::Customer(CustomerEvent::Updated(c))),
        customer().prop_map(|c| Event::Customer(CustomerEvent::Removed(c.customer_id))),
        order().prop_map(|o| Event::Order(OrderEvent::Placed(o))),
        order().prop_map(|o| Event::Order(OrderEvent::Updated(o))),
        order().prop_map(move |o| Event::Order(cancelled(o))),
        (id(), any::<String>(), any::<i64>()).prop_map(|(id, message, time)| {
            Event::Greeting(Greeting {
                greeting_id: GreetingId::new(id).unwrap(),
                message,
                timestamp: Millis(time),
            })
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn events_survive(event in event()) {
        let codec = Codec::with_fixed_ids();
        let value = codec.encode(&event).unwrap();
        prop_assert_eq!(codec.decode(event.topic(), &value), Ok(event));
    }

    /// apache-avro's own reading of the same bytes, by way of its generic values.
    #[test]
    fn bodies_are_what_the_schema_says(event in event()) {
        let value = Codec::with_fixed_ids().encode(&event).unwrap();
        let path = format!("{}/schemas/{}.avsc", env!("CARGO_MANIFEST_DIR"), event.type_name());
        let schema = Schema::parse_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut rest = &value[5..];
        let reader = GenericDatumReader::builder(&schema).build().unwrap();
        let Value::Record(fields) = reader.read_value(&mut rest).unwrap() else {
            panic!("{schema:?}")
        };
        prop_assert!(rest.is_empty());
        let shown = format!("{event:?}");
        for (name, field) in fields {
            let shown_field = match field {
                Value::String(text) => format!("{text:?}"),
                Value::TimestampMillis(millis) => format!("Millis({millis})"),
                other => panic!("{name}: {other:?}"),
            };
            prop_assert!(shown.contains(&shown_field), "{} has no {}", shown, shown_field);
        }
    }

    #[test]
    fn cut_and_lengthened_values_are_refused(event in event(), more in 1usize..9) {
        let codec = Codec::with_fixed_ids();
        let mut value = codec.encode(&event).unwrap().to_vec();
        for cut in 0..value.len() {
            prop_assert!(codec.decode(event.topic(), &value[..cut]).is_err(), "cut at {}", cut);
        }
        value.resize(value.len() + more, 0);
        let got = codec.decode(event.topic(), &value);
        prop_assert!(
            matches!(got, Err(DecodeError::TrailingBytes { extra, .. }) if extra == more),
            "{:?}", got
        );
    }

    #[test]
    fn no_bytes_do_harm(id in 1u32..8, body in prop::collection::vec(any::<u8>(), 0..80)) {
        let codec = Codec::with_fixed_ids();
        let value = [&[0][..], &id.to_be_bytes(), &body].concat();
        for topic in Topic::ALL {
            let _ = codec.decode(topic, &value);
            let _ = codec.decode(topic, &body);
        }
    }

    #[test]
    fn no_change_does_harm(event in event(), at in any::<prop::sample::Index>(), byte: u8) {
        let codec = Codec::with_fixed_ids();
        let mut value = codec.encode(&event).unwrap().to_vec();
        let at = at.index(value.len());
        value[at] = byte;
        if let Ok(read) = codec.decode(event.topic(), &value) {
            let again = codec.encode(&read).unwrap();
            prop_assert_eq!(codec.decode(event.topic(), &again), Ok(read));
        }
    }
}

fn settings() -> RegistrySettings {
    let urls = vec!["http://127.0.0.1:1".to_owned()];
    RegistrySettings { urls, basic_auth: None, timeout_ms: 100 }
}

fn removed(value: &[u8]) -> Result<Event, String> {
    let framed = [&[0, 0, 0, 0, 3][..], value].concat();
    Codec::with_fixed_ids().decode(Topic::Customer, &framed).map_err(|e| e.to_string())
}

#[test]
fn a_reject_says_what_is_wrong() {
    let codec = Codec::with_fixed_ids();
    let said = |value: &[u8]| codec.decode(Topic::Customer, value).unwrap_err().to_string();
    assert!(said(b"").ends_with("it has only 0 bytes"));
    assert!(said(br#"{"customerId":"c"}"#).ends_with("its first byte is 0x7b"));
    assert_eq!(said(&[0, 0, 0, 0, 99, 1]), "schema 99 is not known");
    assert_eq!(removed(&[0]).unwrap_err(), "CustomerRemoved: customerId must not be empty");
    let said = removed(&[4, b'a', 0]).unwrap_err();
    assert_eq!(said, "CustomerRemoved: customerId has a control character at byte 1; remove it");
    let said = removed(&[4, b'a', 0xff]).unwrap_err();
    assert!(said.starts_with("CustomerRemoved does not decode at byte 3 of 3: "), "{said}");
    // A length of 2^62: refused without allocating it.
    let said = removed(&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).unwrap_err();
    assert!(said.starts_with("CustomerRemoved does not decode at byte 9 of 9: "), "{said}");
    // A negative length.
    assert!(removed(&[3, b'a', b'b']).is_err());
}

#[test]
fn foreign_text_is_bounded_too() {
    let codec = Codec::with_fixed_ids();
    let with = |phone: usize| {
        let customer = Customer {
            customer_id: CustomerId::new("c").unwrap(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            phone: "x".repeat(phone),
        };
        let event = Event::Customer(CustomerEvent::Updated(customer));
        codec.decode(Topic::Customer, &codec.encode(&event).unwrap())
    };
    assert!(with(4096).is_ok());
    let said = with(4097).unwrap_err().to_string();
    assert!(said.starts_with("CustomerUpdated: phone is 4097 bytes long"), "{said}");
}

#[test]
fn without_ids_nothing_is_encoded() {
    let codec = Codec::connect(&settings()).unwrap();
    let event = Event::Customer(CustomerEvent::Removed(CustomerId::new("c").unwrap()));
    assert_eq!(codec.encode(&event), Err(EncodeError::NotRegistered("CustomerRemoved")));
}
