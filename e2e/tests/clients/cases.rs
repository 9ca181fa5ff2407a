//! The table of cases, and how one is run: `clients/conformance/README.md` says what is in it.

use crate::{driver::Driver, expect::unmet, ground::Ground};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    case: String,
    #[serde(default)]
    bare: bool,
    steps: Vec<Step>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    r#do: Value,
    #[serde(default)]
    expect: Value,
    #[serde(default)]
    keep: BTreeMap<String, String>,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

impl Case {
    pub(crate) fn table(path: &str) -> Vec<Self> {
        let text = std::fs::read_to_string(path).expect("the table of cases");
        serde_json::from_str(&text).expect("the table of cases is as its README says")
    }

    pub(crate) fn name(&self) -> &str {
        &self.case
    }

    /// Runs its steps; gives what was not as expected.
    pub(crate) async fn run(&self, driver: &mut Driver, ground: &Ground) -> Result<(), String> {
        let mut names = ground.names();
        let id = uuid::Uuid::new_v4().simple().to_string();
        names.insert("id".into(), id[..12].into());
        if !self.bare {
            let client = json!({"op": "client", "name": "c", "command": "${command}", "query": "${queries}"});
            driver.ask(&filled(&client, &names)).await?;
            driver.ask(&json!({"op": "session", "name": "s", "client": "c"})).await?;
        }
        for (number, step) in self.steps.iter().enumerate() {
            for time in 0..step.times {
                names.insert("i".into(), time.to_string().into());
                let told = step.run(driver, &mut names).await;
                told.map_err(|fault| format!("step {}: {fault}", number + 1))?;
            }
        }
        if !self.bare {
            driver.ask(&json!({"op": "close", "client": "c"})).await?;
        }
        Ok(())
    }
}

impl Step {
    async fn run(&self, driver: &mut Driver, names: &mut Map<String, Value>) -> Result<(), String> {
        let line = filled(&self.r#do, names);
        let answer = driver.ask(&line).await.map_err(|fault| format!("{line}: {fault}"))?;
        let unmet = match &self.expect {
            Value::Null => answer.get("error").map(|error| format!("it failed: {error}")),
            expected => unmet(&filled(expected, names), &answer),
        };
        if let Some(unmet) = unmet {
            return Err(format!("{line}\n    {unmet}\n    whole answer: {answer}"));
        }
        for (name, pointer) in &self.keep {
            let found = answer.pointer(pointer).ok_or_else(|| format!("no {pointer}: {answer}"))?;
            names.insert(name.clone(), found.clone());
        }
        Ok(())
    }
}

/// Puts values in place of `${name}`: the value itself where that is the whole text, else its text.
fn filled(value: &Value, names: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => filled_text(text, names),
        Value::Array(elements) => elements.iter().map(|e| filled(e, names)).collect(),
        Value::Object(fields) => {
            let filled_fields = fields.iter().map(|(name, value)| {
                let name = filled_text(name, names);
                (name.as_str().unwrap_or_default().to_owned(), filled(value, names))
            });
            Value::Object(filled_fields.collect())
        }
        other => other.clone(),
    }
}

fn filled_text(text: &str, names: &Map<String, Value>) -> Value {
    let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    if let Some(value) = whole.and_then(|name| names.get(name)) {
        return value.clone();
    }
    let filled = names.iter().fold(text.to_owned(), |text, (name, value)| {
        value.as_str().map_or(text.clone(), |value| text.replace(&format!("${{{name}}}"), value))
    });
    assert!(!filled.contains("${"), "a name that nobody knows: {filled}");
    filled.into()
}
