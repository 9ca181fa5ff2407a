//! Whether an answer has what a case expects of it; pure.

use serde_json::Value;

/// Says at which place of the answer it first is not as expected.
///
/// An object has to have at least the fields that are expected (none if none are), a list exactly as
/// many elements. A
/// text that begins with `~` is a regular expression, `*` is anything that is there. What is empty
/// may be left out, as protobuf's JSON does.
pub(crate) fn unmet(expected: &Value, found: &Value) -> Option<String> {
    at("", expected, found)
}

fn at(place: &str, expected: &Value, found: &Value) -> Option<String> {
    let differs = || Some(format!("{place} is {found} instead of {expected}"));
    match (expected, found) {
        (Value::Object(none), Value::Object(has)) if none.is_empty() && !has.is_empty() => {
            differs()
        }
        (Value::Object(fields), Value::Object(has)) => fields.iter().find_map(|(name, value)| {
            at(&format!("{place}/{name}"), value, has.get(name).unwrap_or(&Value::Null))
        }),
        (Value::Array(each), Value::Array(has)) if each.len() == has.len() => {
            let pairs = each.iter().zip(has).enumerate();
            pairs.into_iter().find_map(|(i, (e, h))| at(&format!("{place}/{i}"), e, h))
        }
        (Value::String(text), _) if text == "*" => found.is_null().then(differs).flatten(),
        (Value::String(text), Value::String(has)) if text.starts_with('~') => {
            let pattern = regex::Regex::new(&text[1..]).expect("a regular expression");
            if pattern.is_match(has) { None } else { differs() }
        }
        (_, Value::Null) if is_empty(expected) => None,
        _ if expected == found => None,
        _ => differs(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Bool(true) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::unmet;
    use serde_json::json;

    #[test]
    fn what_is_met() {
        for (expected, found) in [
            (json!({"a": {"b": 1}}), json!({"a": {"b": 1, "c": 2}, "d": 3})),
            (json!({"a": "", "b": 0, "c": [], "d": false}), json!({})),
            (json!(["~^x", "*"]), json!(["xy", 7])),
        ] {
            assert_eq!(unmet(&expected, &found), None);
        }
    }

    #[test]
    fn what_is_not() {
        for (expected, found, place) in [
            (json!({"a": {"b": 1}}), json!({"a": {"b": 2}}), "/a/b"),
            (json!({"a": "x"}), json!({}), "/a"),
            (json!({"a": ""}), json!({"a": "x"}), "/a"),
            (json!({"a": []}), json!({"a": [1]}), "/a"),
            (json!({"a": {}}), json!({"a": {"b": 1}}), "/a"),
            (json!([1, 2]), json!([1]), ""),
            (json!("~^x"), json!("yx"), ""),
            (json!({"a": "*"}), json!({}), "/a"),
        ] {
            let told = unmet(&expected, &found).expect("a difference");
            assert!(told.starts_with(&format!("{place} is ")), "{told}");
        }
    }
}
