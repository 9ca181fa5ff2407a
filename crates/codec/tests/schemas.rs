//! Whatever stands in the registry, judging it does no harm.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tandem_codec::compatibility::{Parsed, check};

const WORDS: [&str; 22] = [
    "record",
    "enum",
    "fixed",
    "array",
    "map",
    "null",
    "int",
    "long",
    "string",
    "bytes",
    "R",
    "E",
    "n.R",
    "decimal",
    "uuid",
    "date",
    "duration",
    "timestamp-millis",
    "",
    ".",
    "big-decimal",
    "double",
];

const NAMES: [&str; 14] = [
    "type",
    "name",
    "namespace",
    "fields",
    "symbols",
    "items",
    "values",
    "size",
    "default",
    "aliases",
    "logicalType",
    "precision",
    "scale",
    "doc",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(&WORDS[..]).prop_map(Value::from),
        prop_oneof![Just(-1i64), Just(0), Just(12), Just(16), any::<i64>()].prop_map(Value::from),
        Just(Value::Null),
        any::<f64>().prop_map(|n| json!(n)),
    ]
}

/// JSON that is nearly a schema, wrong in ways that nobody thought of.
fn nearly_a_schema() -> impl Strategy<Value = Value> {
    let tree = leaf().prop_recursive(5, 40, 6, |inner| {
        let attribute = (prop::sample::select(&NAMES[..]), inner.clone());
        let object = prop::collection::vec(attribute, 0..6).prop_map(object);
        let field = inner.clone().prop_map(|t| json!({"name": "f", "type": t}));
        let fields = prop::collection::vec(field, 0..4);
        prop_oneof![
            object,
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            fields.prop_map(|fields| json!({"type": "record", "name": "R", "fields": fields})),
            inner.prop_map(|items| json!({"type": "array", "items": items})),
        ]
    });
    let kind = prop::sample::select(&WORDS[..9]);
    (tree, kind, any::<bool>()).prop_map(|(mut tree, kind, typed)| {
        if let (Value::Object(map), true) = (&mut tree, typed) {
            map.insert("type".to_owned(), kind.into());
        }
        tree
    })
}

fn object(attributes: Vec<(&'static str, Value)>) -> Value {
    Value::Object(attributes.into_iter().map(|(n, v)| (n.to_owned(), v)).collect::<Map<_, _>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn judging_does_no_harm(a in nearly_a_schema(), b in nearly_a_schema()) {
        if let (Ok(a), Ok(b)) = (Parsed::parse(&a.to_string()), Parsed::parse(&b.to_string())) {
            let _ = check(&a, &b);
            prop_assert!(check(&a, &a).len() < 100);
        }
    }
}
