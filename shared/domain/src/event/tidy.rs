//! Simplifying what schemars generates.

use serde_json::{Map, Value, json};

/// Simplifies a schema: no member is nullable, descriptions have no line breaks from the source, and the
/// values of a string are one enumeration.
pub(super) fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(rules) => {
            for keyword in ["anyOf", "oneOf"] {
                if let Some(Value::Array(choices)) = rules.get_mut(keyword) {
                    choices.retain(|choice| choice["type"] != "null");
                }
            }
            if let Some(Value::Array(types)) = rules.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    rules.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = rules.get("anyOf")
                && let [Value::Object(only)] = choices.as_slice()
            {
                let only = only.clone();
                rules.remove("anyOf");
                rules.extend(only);
            }
            if let Some(Value::String(text)) = rules.get_mut("description") {
                *text = unwrapped(text);
            }
            list_values(rules);
            rules.values_mut().for_each(tidy);
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Turns a choice between constant strings into an enumeration, with the meaning of each in the description.
fn list_values(rules: &mut Map<String, Value>) {
    let Some(choices) = rules.get("oneOf").and_then(Value::as_array) else {
        return;
    };
    let value = |choice: &Value| {
        let meaning = unwrapped(choice["description"].as_str().unwrap_or_default());
        Some((choice["const"].as_str()?.to_owned(), meaning))
    };
    let Some(values) = choices.iter().map(value).collect::<Option<Vec<_>>>() else {
        return;
    };
    let lines: Vec<String> = values.iter().map(|(value, meaning)| format!("- `{value}`: {meaning}")).collect();
    let summary = rules.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{}\n\n{}", unwrapped(summary), lines.join("\n"));
    rules.remove("oneOf");
    rules.insert("type".to_owned(), json!("string"));
    rules.insert("enum".to_owned(), Value::from_iter(values.into_iter().map(|(value, _)| value)));
    rules.insert("description".to_owned(), Value::String(description));
}

/// `text` without the line breaks of the source, keeping its paragraphs and lists.
pub(super) fn unwrapped(text: &str) -> String {
    let mut joined = String::new();
    for line in text.lines() {
        let starts = line.is_empty() || line.starts_with("- ") || joined.is_empty() || joined.ends_with('\n');
        if !starts {
            joined.push(' ');
        } else if !joined.is_empty() {
            joined.push('\n');
        }
        joined.push_str(line);
    }
    joined
}

/// Removes the definitions of members that the kind does not have.
pub(super) fn drop_unused_definitions(schema: &mut Value) {
    loop {
        let text = schema.to_string();
        let Some(definitions) = schema["$defs"].as_object_mut() else {
            return;
        };
        let count = definitions.len();
        definitions.retain(|name, _| text.contains(&format!("\"#/$defs/{name}\"")));
        if definitions.len() == count {
            return;
        }
    }
}
