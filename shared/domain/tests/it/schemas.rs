//! The schemas describe the events exactly: a kind's schema names every member of its events, and every member that it
//! names occurs.

use std::collections::BTreeSet;

use fundhook_domain::{Event, Kind, Status, event_schema, event_types};
use serde_json::{Value, json};

use crate::support::whole::every_sort;
use crate::support::{deposit, events, json, status, unrecognized, whole_deposit, with};

/// The violations of `schema` in `value`, each with its path. `root` contains the definitions.
///
/// It supports the part of JSON Schema that the schemas use, and is stricter in one respect: a member that an object's
/// schema does not name is a violation, unless the schema allows any member, as it does for data of the platform or the
/// provider.
fn faults(root: &Value, schema: &Value, path: &str, value: &Value) -> Vec<String> {
    let Some(rules) = schema.as_object() else {
        return if *schema == json!(true) { Vec::new() } else { vec![format!("{path}: nothing is allowed here")] };
    };
    let mut found = Vec::new();
    for (keyword, rule) in rules {
        match keyword.as_str() {
            "$ref" => {
                let definition = rule.as_str().and_then(|at| root.pointer(at.strip_prefix('#')?));
                found.extend(match definition {
                    Some(definition) => faults(root, definition, path, value),
                    None => vec![format!("{path}: nothing is defined at {rule}")],
                });
            }
            "anyOf" | "oneOf" => {
                let all = rule.as_array().into_iter().flatten().map(|choice| faults(root, choice, path, value));
                let tried: Vec<Vec<String>> = all.collect();
                if !tried.iter().any(Vec::is_empty) {
                    found.push(format!("{path}: none of the choices fits: {tried:?}"));
                }
            }
            "const" if rule != value => found.push(format!("{path}: {value} is not {rule}")),
            "enum" if !rule.as_array().is_some_and(|names| names.contains(value)) => {
                found.push(format!("{path}: {value} is none of {rule}"));
            }
            "type" if !types_of(rule).iter().any(|name| is_of(name, value)) => {
                found.push(format!("{path}: {value} is not of the type {rule}"));
            }
            "required" => {
                let missing = types_of(rule).into_iter().filter(|name| value.get(name).is_none());
                found.extend(missing.map(|name| format!("{path}.{name}: it is required")));
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                found.extend(items.flat_map(|(at, item)| faults(root, rule, &format!("{path}[{at}]"), item)));
            }
            _ => {}
        }
    }
    let is_choice = ["$ref", "anyOf", "oneOf"].iter().any(|keyword| rules.contains_key(*keyword));
    if let Some(members) = value.as_object().filter(|_| !is_choice) {
        for (name, member) in members {
            let path = format!("{path}.{name}");
            match schema["properties"].get(name).or(rules.get("additionalProperties")) {
                Some(of_member) => found.extend(faults(root, of_member, &path, member)),
                None if rules.contains_key("type") => found.push(format!("{path}: the schema does not name it")),
                None => {}
            }
        }
    }
    found
}

/// The names in a keyword that has one or several.
fn types_of(rule: &Value) -> Vec<&str> {
    rule.as_str().into_iter().chain(rule.as_array().into_iter().flatten().filter_map(Value::as_str)).collect()
}

fn is_of(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => name == "number" || (name == "integer" && (number.is_u64() || number.is_i64())),
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}

fn event_faults(event: &Value, kind: Kind) -> Vec<String> {
    let schema = event_schema(kind);
    faults(&schema, &schema, "", event)
}

fn written(event: &Event) -> Value {
    serde_json::to_value(event).expect("JSON")
}

/// The events of `every_sort` about `kind`.
fn about(kind: Kind) -> Vec<Event> {
    every_sort().into_iter().filter(|event| event.data.resource.kind() == kind).collect()
}

#[test]
fn every_event_is_valid_by_its_kinds_schema() {
    for kind in Kind::ALL {
        for event in about(kind) {
            let event = written(&event);
            assert_eq!(event_faults(&event, kind), Vec::<String>::new(), "{event:#}");
        }
    }
    let life = [deposit("pending", 0), with(deposit("confirmed", 40), whole_deposit), deposit("submitted", 10)];
    for event in events(&life).iter().chain(&events(&[unrecognized()])) {
        assert_eq!(event_faults(&written(event), event.data.resource.kind()), Vec::<String>::new(), "{}", event.id);
    }
}

#[test]
fn the_schema_names_every_type_that_an_event_of_the_kind_has_and_each_of_them_occurs() {
    for kind in Kind::ALL {
        let schema = event_schema(kind);
        let types = event_types(kind);
        assert_eq!(schema["properties"]["type"]["enum"], json!(types));
        for status in Status::ALL.into_iter().filter(|status| status.kind() == kind) {
            assert!(types.contains(&format!("fundhook.{kind}.{status}")), "{status:?}");
        }
        let occurring: BTreeSet<String> = about(kind).into_iter().map(|event| event.event_type).collect();
        assert_eq!(occurring, types.into_iter().collect(), "{kind}");
    }
}

#[test]
fn every_member_that_a_schema_names_occurs_in_an_event_of_the_kind() {
    for kind in Kind::ALL {
        let schema = event_schema(kind);
        let names = |members: &Value| members.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
        let mut named = names(&schema["properties"]["data"]["properties"]);
        if Status::ALL.into_iter().filter(|status| status.kind() == kind).count() == 1 {
            assert!(named.remove("previous_status"), "{kind} has a single status, so never a previous one");
        }
        let occurring: BTreeSet<String> = about(kind).iter().flat_map(|event| names(&written(event)["data"])).collect();
        assert_eq!(occurring, named, "{kind}");

        let required = types_of(&schema["required"]).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(required, names(&schema["properties"]), "an event has all of its context attributes");
    }
}

#[test]
fn a_wrong_or_missing_member_is_a_violation() {
    let event = |kind: Kind, pointer: &str| {
        let all = about(kind).into_iter().map(|event| written(&event));
        let has_it = all.filter(|event| event.pointer(pointer).is_some());
        has_it.max_by_key(|event| event.to_string().len()).expect(pointer)
    };
    for (kind, pointer, member, value) in [
        (Kind::Deposit, "/data", "surprise", json!("x")),
        (Kind::Deposit, "/data", "status", json!("seen")),
        (Kind::Deposit, "/data", "kind", json!("withdrawal")),
        (Kind::Deposit, "/data", "provider", json!("bank")),
        (Kind::Deposit, "/data", "final", json!("true")),
        (Kind::Deposit, "/data/amount", "value", json!(1)),
        (Kind::Deposit, "/data/amount", "decimals", json!(18)),
        (Kind::Deposit, "/data/amount/network", "chain", json!("x")),
        (Kind::Deposit, "/data/evidence/attestation", "class", json!("hearsay")),
        (Kind::Deposit, "/data/history/0", "surprise", json!("x")),
        (Kind::Deposit, "", "type", json!("fundhook.deposit.changed")),
        (Kind::Deposit, "/data/credit", "decided_by", json!("a coin")),
        (Kind::Deposit, "/data/credit/net", "value", json!(1)),
        (Kind::Deposit, "/data/credit/fees/0", "borne_by", json!("the provider")),
        (Kind::Fee, "/data", "duplicate_of", json!("deposit#connect#1")),
        (Kind::Deposit, "/data", "also_named", json!(["deposit#connect#1"])),
        (Kind::Withdrawal, "/data", "side", json!("left")),
        (Kind::Deposit, "/data", "exchange", json!({})),
        (Kind::Deposit, "/data/hold", "reason", json!("a_whim")),
        (Kind::Deposit, "/data/hold", "needs", json!("patience")),
        (Kind::Withdrawal, "/data", "credit", json!({})),
        (Kind::Withdrawal, "/data", "hold", json!({})),
        (Kind::Exchange, "/data/exchange/sold", "value", json!(1)),
        (Kind::Fee, "/data", "conflicting", json!(["held"])),
        (Kind::Recovery, "/data", "conflicting", json!(["required"])),
        (Kind::Recovery, "/data/deposits/0", "surprise", json!("x")),
        (Kind::Balance, "/data", "nickname", json!("x")),
        (Kind::Unrecognized, "/data", "body_bytes", json!("8")),
    ] {
        let mut wrong = event(kind, pointer);
        assert_eq!(event_faults(&wrong, kind), Vec::<String>::new());
        wrong.pointer_mut(pointer).expect(pointer)[member] = value;
        let found = event_faults(&wrong, kind);
        assert!(found.iter().any(|fault| fault.contains(member)), "{kind} {pointer}/{member}: {found:?}");
    }
    for (kind, pointer, member) in [
        (Kind::Deposit, "", "sequence"),
        (Kind::Deposit, "/data", "late"),
        (Kind::Deposit, "/data", "history"),
        (Kind::Deposit, "/data/amount", "units"),
        (Kind::Deposit, "/data/credit", "net"),
        (Kind::Deposit, "/data/hold", "needs"),
        (Kind::Deposit, "/data/hold", "explanation"),
        (Kind::Recovery, "/data", "outstanding"),
        (Kind::Recovery, "/data", "expected"),
        (Kind::Participant, "/data/evidence", "archived"),
        (Kind::Unrecognized, "/data", "reason"),
    ] {
        let mut wrong = event(kind, pointer);
        let parent = wrong.pointer_mut(pointer).and_then(Value::as_object_mut).expect(pointer);
        parent.remove(member).expect("the member was there");
        let found = event_faults(&wrong, kind);
        assert!(found.iter().any(|fault| fault.contains(member)), "{kind} {pointer}/{member}: {found:?}");
    }
}

#[test]
fn data_of_the_platform_and_the_provider_may_have_any_member() {
    let open = json(r#"{"anything":[1,{"at":null}],"all":{}}"#);
    let event = every_sort().into_iter().find(|event| {
        event.data.status == Some(status(Kind::Deposit, "confirmed").as_str())
            && written(event)["data"]["session"].is_object()
    });
    let mut event = written(&event.expect("an event"));
    event["data"]["session"]["metadata"] = open.clone();
    event["data"]["provider_data"] = open;
    assert_eq!(event_faults(&event, Kind::Deposit), Vec::<String>::new());
    event["data"]["session"]["metadata"] = json!("a text");
    assert_eq!(event_faults(&event, Kind::Deposit), Vec::<String>::new());
}

/// Collects every keyword in `schema` and the target of every reference.
fn walk(schema: &Value, keywords: &mut BTreeSet<String>, references: &mut BTreeSet<String>) {
    if let Some(rules) = schema.as_object() {
        for (keyword, rule) in rules {
            keywords.insert(keyword.clone());
            match keyword.as_str() {
                "$ref" => {
                    references.insert(rule.as_str().expect("a reference").to_owned());
                }
                "properties" | "$defs" => {
                    let schemas = rule.as_object().expect("schemas by name").values();
                    schemas.for_each(|schema| walk(schema, keywords, references));
                }
                "items" | "additionalProperties" => walk(rule, keywords, references),
                "anyOf" | "oneOf" => {
                    rule.as_array().expect("choices").iter().for_each(|schema| walk(schema, keywords, references));
                }
                _ => {}
            }
        }
    }
}

#[test]
fn every_reference_has_a_definition_and_the_check_supports_every_keyword() {
    let checked =
        ["$ref", "additionalProperties", "anyOf", "const", "enum", "items", "oneOf", "properties", "required", "type"];
    // Keywords that repeat what the serialised types ensure, or that only document.
    let described = [
        "$defs",
        "$schema",
        "description",
        "examples",
        "format",
        "minLength",
        "minimum",
        "pattern",
        "title",
        "uniqueItems",
    ];
    for kind in Kind::ALL {
        let schema = event_schema(kind);
        let (mut keywords, mut references) = (BTreeSet::new(), BTreeSet::new());
        walk(&schema, &mut keywords, &mut references);
        for keyword in keywords {
            assert!(checked.contains(&keyword.as_str()) || described.contains(&keyword.as_str()), "{kind}: {keyword}");
        }
        let defined = schema["$defs"].as_object().expect("definitions").keys().map(|name| format!("#/$defs/{name}"));
        assert_eq!(references, defined.collect(), "{kind}: each definition is used, and each reference is defined");
    }
}
