//! The documents about the events are correct: docs/events.md, the schemas and the AsyncAPI document.

use std::collections::BTreeSet;
use std::path::PathBuf;

use fundhook_domain::{Kind, event_types};
use fundhook_local_stack::Workspace;
use fundhook_tests::{attribute_faults, event_faults, save};
use jsonschema::Draft;
use serde_json::{Value, json};

fn root() -> PathBuf {
    Workspace::find().expect("the tests run inside the workspace").root().to_owned()
}

fn guide() -> String {
    std::fs::read_to_string(root().join("docs/events.md")).expect("docs/events.md exists")
}

fn asyncapi() -> Value {
    let text = std::fs::read(root().join("schemas/asyncapi.json")).expect("`cargo xtask docs` writes it");
    serde_json::from_slice(&text).expect("JSON")
}

fn types() -> Vec<String> {
    Kind::ALL.into_iter().flat_map(event_types).collect()
}

/// The blocks of JSON of a page, each with its heading.
fn blocks(page: &str) -> Vec<(&str, Value)> {
    let mut blocks = Vec::new();
    let mut heading = "";
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line == "```json" {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let json = serde_json::from_str(&text.join("\n")).map_err(|fault| format!("{heading}: {fault}"));
            blocks.push((heading, json.expect("blocks of JSON are JSON")));
        } else if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim();
        }
    }
    blocks
}

/// The blocks of docs/events.md that are events.
fn events(page: &str) -> Vec<(&str, Value)> {
    blocks(page).into_iter().filter(|(_, json)| json.get("specversion").is_some()).collect()
}

#[test]
fn the_page_describes_exactly_the_existing_types_once_and_has_an_event_of_each() {
    let guide = guide();
    let headings = guide.lines().filter_map(|line| line.strip_prefix("### `fundhook."));
    let described: Vec<String> = headings.map(|rest| format!("fundhook.{}", rest.trim_end_matches('`'))).collect();
    assert_eq!(described, types());

    let shown: Vec<(String, String)> = events(&guide)
        .into_iter()
        .map(|(heading, event)| (heading.trim_matches('`').to_owned(), event["type"].as_str().unwrap_or("").to_owned()))
        .collect();
    let each_under_its_own: Vec<(String, String)> = types().into_iter().map(|name| (name.clone(), name)).collect();
    assert_eq!(shown, each_under_its_own);
}

#[test]
fn every_event_in_the_page_matches_its_kinds_schema() {
    for (heading, event) in events(&guide()) {
        assert_eq!(event_faults(&event), Vec::<String>::new(), "{heading}");
        save(&event);
    }
}

#[test]
fn the_pages_filter_policies_use_existing_attributes_and_values() {
    let asyncapi = asyncapi();
    let guide = guide();
    let policies: Vec<(&str, Value)> =
        blocks(&guide).into_iter().filter(|(heading, _)| heading.contains("ilter")).collect();
    assert!(policies.len() >= 5, "a policy by kind, status, account, reference_id and provider");
    let messages = asyncapi["channels"]["events"]["messages"].as_object().expect("messages");
    for (heading, policy) in policies {
        for (attribute, values) in policy.as_object().expect("a policy is an object") {
            let known = messages.values().filter_map(|message| message["headers"]["properties"].get(attribute));
            let rules: Vec<&Value> = known.collect();
            assert!(!rules.is_empty(), "{heading}: no message has the attribute {attribute}");
            let words: BTreeSet<&str> =
                rules.iter().filter_map(|rule| rule["enum"].as_array()).flatten().filter_map(Value::as_str).collect();
            let values = values.as_array().expect("a list of values").iter().filter_map(Value::as_str);
            values
                .for_each(|value| assert!(words.is_empty() || words.contains(value), "{heading}: {attribute} {value}"));
        }
    }
}

#[test]
fn the_asyncapi_document_has_a_valid_example_of_every_type() {
    let document = asyncapi();
    let messages = document["channels"]["events"]["messages"].as_object().expect("messages");
    let mut shown = BTreeSet::new();
    for message in messages.values() {
        // Against the document's own schemas, and against the strict ones of schemas/.
        let own = json!({ "$ref": message["payload"]["$ref"], "components": document["components"] });
        let own = jsonschema::options().with_draft(Draft::Draft7).build(&own).expect("a schema");
        for example in message["examples"].as_array().expect("examples") {
            let (name, event) = (&example["name"], &example["payload"]);
            let faults: Vec<String> = own.iter_errors(event).map(|fault| fault.to_string()).collect();
            assert_eq!(faults, Vec::<String>::new(), "{name}");
            assert_eq!(event_faults(event), Vec::<String>::new(), "{name}");
            assert_eq!(attribute_faults(event, &example["headers"]), Vec::<String>::new(), "{name}");
            assert_eq!(*name, event["type"]);
            shown.insert(name.as_str().expect("a name").to_owned());
        }
    }
    assert_eq!(shown, types().into_iter().collect());
}

/// An event of docs/events.md.
fn shown(event_type: &str) -> Value {
    let guide = guide();
    let event = events(&guide).into_iter().find(|(heading, _)| heading.contains(event_type));
    event.expect("the page has the type").1
}

fn confirmed() -> Value {
    shown("deposit.confirmed")
}

#[test]
fn an_unknown_member_is_an_error_except_in_the_providers_and_the_platforms_data() {
    for at in [
        "",
        "/data",
        "/data/amount",
        "/data/amount/network",
        "/data/credit",
        "/data/credit/net",
        "/data/credit/fees/0",
        "/data/history/0",
        "/data/evidence/attestation",
    ] {
        let mut event = confirmed();
        event.pointer_mut(at).expect(at)["surprise"] = json!("x");
        let faults = event_faults(&event);
        assert!(faults.iter().any(|fault| fault.contains("surprise")), "{at}: {faults:?}");
    }
    for (of, at) in [("deposit.confirmed", "/data/provider_data"), ("deposit.submitted", "/data/session/metadata")] {
        let mut event = shown(of);
        event.pointer_mut(at).expect(at)["surprise"] = json!({ "anything": [1, null] });
        assert_eq!(event_faults(&event), Vec::<String>::new(), "{at}");
    }
}

#[test]
fn an_invalid_value_is_an_error() {
    for (at, value) in [
        ("/specversion", json!("0.3")),
        ("/id", json!("deposit#connect#1")),
        ("/source", json!("fundhook")),
        ("/type", json!("fundhook.deposit.credited")),
        ("/time", json!("2025-10-03 21:26:13")),
        ("/time", json!("2025-13-03T21:26:13Z")),
        ("/sequence", json!("3")),
        ("/subject", json!("connect")),
        ("/data/status", json!("seen")),
        ("/data/amount/value", json!(1)),
        ("/data/amount/value", json!("1.0")),
        ("/data/amount/value", json!("1e3")),
        ("/data/history/0/status", json!("charged")),
        ("/data/evidence/attestation/scheme", json!("none")),
        ("/data/account", json!(null)),
    ] {
        let mut event = confirmed();
        *event.pointer_mut(at).expect(at) = value.clone();
        assert_ne!(event_faults(&event), Vec::<String>::new(), "{at} may not be {value}");
    }
    assert_ne!(event_faults(&json!("not JSON")), Vec::<String>::new());

    let event = confirmed();
    let attributes = json!({ "type": event["type"], "kind": "deposit", "status": "confirmed", "provider": "connect" });
    assert_eq!(attribute_faults(&event, &attributes), Vec::<String>::new());
    for (name, value) in [("surprise", "x"), ("status", "seen"), ("account", "")] {
        let mut changed = attributes.clone();
        changed[name] = json!(value);
        assert_ne!(attribute_faults(&event, &changed), Vec::<String>::new(), "{name}");
    }
}
