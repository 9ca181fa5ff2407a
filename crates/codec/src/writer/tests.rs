use super::*;
use apache_avro::{types::Value, writer::datum::GenericDatumWriter};
use tandem_domain::{CustomerEvent, Topic};

fn schema(name: &str, fields: &str) -> String {
    format!(r#"{{"type":"record","name":"{name}","namespace":"acme","fields":[{fields}]}}"#)
}

fn customer(fields: &str) -> String {
    schema("CustomerRegistered", fields)
}

const ID: &str = r#"{"name":"customerId","type":"string"}"#;

fn unusable(text: &str) -> String {
    match Writer::judge(text) {
        Writer::Unusable(reason) => reason,
        _ => panic!("{text} is usable"),
    }
}

/// Writes `fields` with the foreign schema and decodes them with it.
fn through(text: &str, topic: Topic, fields: &[(&str, Value)]) -> Result<Event, DecodeError> {
    let writer = Writer::judge(text);
    if let Writer::Unusable(reason) = &writer {
        panic!("{text}: {reason}");
    }
    let parsed = Schema::parse_str(text).unwrap();
    let record = fields.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    let body = GenericDatumWriter::builder(&parsed)
        .build()
        .unwrap()
        .write_value_to_vec(Value::Record(record))
        .unwrap();
    let whole = writer.decode(1, topic, &body)?;
    for cut in 0..body.len() {
        let got = writer.decode(1, topic, &body[..cut]);
        assert!(matches!(got, Err(DecodeError::Body { .. })), "cut at {cut}: {got:?}");
    }
    Ok(whole)
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn registered(event: Event) -> tandem_domain::Customer {
    match event {
        Event::Customer(CustomerEvent::Registered(c)) => c,
        other => panic!("{other:?}"),
    }
}

#[test]
fn our_own_schemas_are_told() {
    for kind in Kind::ALL {
        assert!(matches!(Writer::judge(kind.schema_text()), Writer::Ours(k) if k == kind));
        // Another namespace, and a time without its logical type, are the same bytes.
        let other = kind
            .schema_text()
            .replace("tandem.v1", "acme")
            .replace(r#"{"type": "long", "logicalType": "timestamp-millis"}"#, r#""long""#);
        assert!(matches!(Writer::judge(&other), Writer::Ours(k) if k == kind));
    }
}

#[test]
fn fields_may_be_added_left_out_and_reordered() {
    let extra = r#"{"name":"tags","type":{"type":"map","values":{"type":"array","items":"int"}}},
        {"name":"rank","type":["null","int"],"default":null},
        {"name":"lastName","type":"string"}"#;
    let fields = format!("{extra},{ID}");
    let tags = [("a".to_owned(), Value::Array(vec![Value::Int(1), Value::Int(2)]))];
    let got = through(
        &customer(&fields),
        Topic::Customer,
        &[
            ("tags", Value::Map(tags.into_iter().collect())),
            ("rank", Value::Union(1, Box::new(Value::Int(7)))),
            ("lastName", text("Miller")),
            ("customerId", text("c1")),
        ],
    );
    let c = registered(got.unwrap());
    assert_eq!((c.customer_id.as_str(), c.last_name.as_str()), ("c1", "Miller"));
    assert_eq!((c.first_name.as_str(), c.email.as_str(), c.phone.as_str()), ("", "", ""));
}

#[test]
fn types_are_promoted() {
    let schema = customer(&format!(
        r#"{ID},{{"name":"email","type":["null","string"]}},{{"name":"phone","type":"bytes"}}"#
    ));
    let with = |email: Value, phone: &[u8]| {
        let phone = Value::Bytes(phone.to_vec());
        let fields = [("customerId", text("c")), ("email", email), ("phone", phone)];
        through(&schema, Topic::Customer, &fields)
    };
    let c = registered(with(Value::Union(1, Box::new(text("e"))), b"12").unwrap());
    assert_eq!((c.email.as_str(), c.phone.as_str()), ("e", "12"));
    // Avro resolves a union by the value that was written, and null is no text.
    let null = with(Value::Union(0, Box::new(Value::Null)), b"12");
    assert!(matches!(null, Err(DecodeError::Body { .. })), "{null:?}");
    let bad = with(Value::Union(1, Box::new(text("e"))), &[0xff]);
    assert!(matches!(bad, Err(DecodeError::Body { .. })), "{bad:?}");
}

#[test]
fn an_int_is_a_time() {
    let schema = schema(
        "GreetingSent",
        r#"{"name":"timestamp","type":"int"},{"name":"greetingId","type":"string"}"#,
    );
    let fields = [("timestamp", Value::Int(-5)), ("greetingId", text("g"))];
    match through(&schema, Topic::Greetings, &fields).unwrap() {
        Event::Greeting(g) => assert_eq!((g.timestamp.0, g.message.as_str()), (-5, "")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_on_the_wrong_topic_is_told() {
    let writer = Writer::judge(Kind::OrderPlaced.schema_text());
    let got = writer.decode(1, Topic::Customer, &[]).unwrap_err().to_string();
    assert_eq!(got, "OrderPlaced does not belong on topic 'customer', but on 'order'");
}

#[test]
fn what_cannot_be_read_is_said_once_and_for_all() {
    let time = r#"{"name":"greetingId","type":"string"},{"name":"timestamp","type":"#;
    let table = [
        ("{".to_owned(), "not sound Avro"),
        (r#""string""#.to_owned(), "not a record"),
        (schema("SomethingElse", ID), "none of the events"),
        (customer(r#"{"name":"email","type":"string"}"#), "/customerId: "),
        (
            customer(r#"{"name":"customerId","type":"int"}"#),
            "writes int and the reader reads string",
        ),
        (schema("GreetingSent", &format!("{time}\"string\"}}")), "/timestamp: "),
        (
            schema(
                "GreetingSent",
                &format!(r#"{time}{{"type":"long","logicalType":"timestamp-micros"}}}}"#),
            ),
            "only timestamp-millis",
        ),
    ];
    for (text, expected) in table {
        let got = unusable(&text);
        assert!(got.contains(expected), "{text}: {got}");
    }
}

#[test]
fn schemas_that_ask_for_endless_work_are_refused() {
    let with = |field: &str| customer(&format!(r#"{ID},{{"name":"x","type":{field}}}"#));
    let node = r#"{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]}"#;
    assert!(unusable(&with(node)).contains("acme.N is recursive"));
    let itself = r#"["null","acme.CustomerRegistered"]"#;
    assert!(unusable(&with(itself)).contains("recursive"));
    let empty = r#"{"type":"record","name":"E","fields":[{"name":"n","type":"null"}]}"#;
    for items in [r#""null""#, r#"{"type":"fixed","name":"F","size":0}"#, empty] {
        let array = format!(r#"{{"type":"array","items":{items}}}"#);
        assert!(unusable(&with(&array)).contains("without bytes"), "{items}");
    }
    let twice = r#"{"type":"array","items":{"type":"record","name":"I","fields":[
        {"name":"i","type":"int"}]}},"default":[]},{"name":"y","type":"I""#;
    assert!(matches!(Writer::judge(&with(twice)), Writer::Other(..)));
}

#[test]
fn schemas_that_are_huge_once_spelled_out_are_refused() {
    let mut fields = ID.to_owned();
    let mut inner = r#""null""#.to_owned();
    for level in 0..6 {
        let ten: Vec<_> = (0..10)
            .map(|i| format!(r#"{{"name":"f{i}","type":{}}}"#, if i == 0 { &inner } else { "REF" }))
            .collect();
        let reference = if level == 0 { r#""null""#.into() } else { format!("\"L{}\"", level - 1) };
        let ten = ten.join(",").replace("REF", &reference);
        inner = format!(r#"{{"type":"record","name":"L{level}","fields":[{ten}]}}"#);
    }
    fields.push_str(&format!(r#",{{"name":"bomb","type":{inner}}}"#));
    assert!(unusable(&customer(&fields)).contains("more than 1000 types"));
}
