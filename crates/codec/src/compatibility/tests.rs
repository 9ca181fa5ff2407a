use super::*;

fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","namespace":"n","fields":[{fields}]}}"#)
}

fn field(name: &str, schema: &str) -> String {
    format!(r#"{{"name":"{name}","type":{schema}}}"#)
}

fn reasons(reader: &str, writer: &str) -> Vec<String> {
    check(&Parsed::parse(reader).unwrap(), &Parsed::parse(writer).unwrap())
}

#[test]
fn fields_may_be_added_with_a_default_and_removed() {
    let a = record(&field("a", r#""string""#));
    let ab = record(&format!(
        "{},{}",
        field("a", r#""string""#),
        r#"{"name":"b","type":"long","default":0}"#
    ));
    let ac = record(&format!("{},{}", field("a", r#""string""#), field("c", r#""long""#)));
    assert_eq!(reasons(&ab, &a), [""; 0]);
    assert_eq!(reasons(&a, &ac), [""; 0]);
    let got = reasons(&ac, &a);
    assert_eq!(got.len(), 1);
    assert!(got[0].starts_with("/c: ") && got[0].contains("no default"), "{got:?}");
}

#[test]
fn types() {
    // reader, writer, may be read
    let table = [
        (r#""long""#, r#""int""#, true),
        (r#""int""#, r#""long""#, false),
        (r#""double""#, r#""float""#, true),
        (r#""string""#, r#""bytes""#, true),
        (r#""int""#, r#""string""#, false),
        (r#""string""#, r#""int""#, false),
        (r#"["null","string"]"#, r#""string""#, true),
        (r#""string""#, r#"["null","string"]"#, false),
        (r#"["null","string"]"#, r#"["null","string","int"]"#, false),
        (r#"["null","string","int"]"#, r#"["string","null"]"#, true),
        (r#"{"type":"array","items":"long"}"#, r#"{"type":"array","items":"int"}"#, true),
        (r#"{"type":"map","values":"int"}"#, r#"{"type":"map","values":"string"}"#, false),
        (
            r#"{"type":"fixed","name":"F","size":2}"#,
            r#"{"type":"fixed","name":"F","size":3}"#,
            false,
        ),
        (
            r#"{"type":"enum","name":"E","symbols":["A","B","C"]}"#,
            r#"{"type":"enum","name":"E","symbols":["A","B"]}"#,
            true,
        ),
        (
            r#"{"type":"enum","name":"E","symbols":["A"]}"#,
            r#"{"type":"enum","name":"E","symbols":["A","B"]}"#,
            false,
        ),
        (
            r#"{"type":"enum","name":"E","symbols":["A"],"default":"A"}"#,
            r#"{"type":"enum","name":"E","symbols":["A","B"]}"#,
            true,
        ),
        (r#"{"type":"long","logicalType":"timestamp-millis"}"#, r#""long""#, true),
    ];
    for (reader, writer, readable) in table {
        let (r, w) = (record(&field("x", reader)), record(&field("x", writer)));
        let got = reasons(&r, &w);
        assert_eq!(got.is_empty(), readable, "{reader} reads {writer}: {got:?}");
        assert!(got.iter().all(|reason| reason.starts_with("/x: ")), "{got:?}");
    }
}

#[test]
fn every_faulty_field_is_named_with_its_path() {
    let inner =
        |t: &str| format!(r#"{{"type":"record","name":"I","fields":[{}]}}"#, field("deep", t));
    let reader =
        record(&format!("{},{}", field("i", &inner(r#""int""#)), field("new", r#""string""#)));
    let writer = record(&field("i", &inner(r#""string""#)));
    let got = reasons(&reader, &writer);
    assert_eq!(got.len(), 2, "{got:?}");
    assert_eq!(got[0], "/i/deep: the writer writes string and the reader reads int");
    assert!(got[1].starts_with("/new: "));
}

#[test]
fn names_and_aliases() {
    let named = |name: &str| format!(r#"{{"type":"record","name":"{name}","fields":[]}}"#);
    assert_eq!(reasons(&named("A"), &named("A")), [""; 0]);
    assert_eq!(reasons(&named("A"), &named("B")).len(), 1);
    let renamed = record(r#"{"name":"b","aliases":["a"],"type":"string"}"#);
    assert_eq!(reasons(&renamed, &record(&field("a", r#""string""#))), [""; 0]);
}

#[test]
fn recursive_schemas_end() {
    let list =
        record(&format!("{},{}", field("v", r#""int""#), field("next", r#"["null","n.R"]"#)));
    assert_eq!(reasons(&list, &list), [""; 0]);
}

#[test]
fn identity_ignores_spaces_and_order_and_keeps_meaning() {
    let id = |text: &str| Parsed::parse(text).unwrap().identity().to_owned();
    assert_eq!(id(r#""string""#), id(r#"{ "type" : "string" }"#));
    assert_eq!(id("string"), id(r#""string""#));
    assert_eq!(
        id(r#"{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"int"}}]}"#),
        id(r#"{ "name":"R", "fields":[{"type":"int","name":"a"}], "type":"record"}"#)
    );
    let a = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":1}]}"#;
    assert_ne!(id(a), id(&a.replace(":1", ":2")));
}

#[test]
fn bad_schemas_are_refused_with_a_reason() {
    for text in ["", "{", "17", r#""strange""#, r#"{"type":"record"}"#, "a b"] {
        let refused = Parsed::parse(text).err().unwrap_or_default();
        assert!(!refused.is_empty(), "{text}");
    }
}
