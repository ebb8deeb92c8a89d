//! The JSON of every sort of event: the attributes of CloudEvents 1.0, and every digit of every amount.

use fundhook_domain::{Event, NewFact, Resource, Statement, Timestamp, events_after, fold};
use serde_json::{Value, json};

use crate::support::whole::every_sort;
use crate::support::{deposit, events, json, members, quantity, whole_deposit, with};

fn confirmed() -> Statement {
    with(deposit("confirmed", 40), whole_deposit)
}

#[test]
fn every_event_has_the_attributes_that_cloudevents_requires() {
    for event in every_sort() {
        let json = serde_json::to_value(&event).expect("JSON");
        // [cloudevents], "Required Attributes": non-empty strings.
        for name in ["id", "source", "specversion", "type"] {
            assert!(json[name].as_str().is_some_and(|text| !text.is_empty()), "{name} of {json:#}");
        }
        assert_eq!(json["specversion"], "1.0");
        assert_eq!(json["datacontenttype"], "application/json");
        assert_eq!(json["subject"], event.data.resource.to_string());
        let time = json["time"].as_str().expect("a time");
        assert_eq!(time.parse::<Timestamp>().expect("RFC 3339"), event.time);
        // [cloudevents], "Naming Convention": context attributes are lower-case letters and digits.
        let names = json.as_object().expect("an object").keys();
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
        }
        // `id` is unique within the source, and is what a subscriber remembers.
        assert_eq!(json["id"], format!("{}#{}", event.data.resource, event.sequence));
    }
}

#[test]
fn the_order_of_the_sequence_texts_is_the_order_of_the_events() {
    let statements: Vec<Statement> = (0..12).map(|seconds| deposit("held", seconds)).collect();
    let events = events(&statements);
    let sequence = |event: &Event| serde_json::to_value(event).expect("JSON")["sequence"].clone();
    let texts: Vec<String> = events.iter().map(|event| sequence(event).as_str().expect("text").to_owned()).collect();
    assert_eq!(texts.len(), 12);
    assert!(texts.is_sorted_by(|one, next| one < next), "{texts:?}");
}

/// Collects every number in `json`, with its path.
fn numbers(path: &str, json: &Value, found: &mut Vec<(String, String)>) {
    match json {
        Value::Number(number) => found.push((path.to_owned(), number.to_string())),
        Value::Array(values) => values.iter().for_each(|value| numbers(path, value, found)),
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| numbers(&format!("{path}.{name}"), value, found))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[test]
fn no_amount_is_a_json_number() {
    for event in every_sort() {
        let json = serde_json::to_value(&event).expect("JSON");
        let mut found = Vec::new();
        numbers("", &json, &mut found);
        // The only numbers are counts and those in the platform's metadata.
        let allowed = [".data.session.metadata.", ".data.evidence.archived.line", ".data.body_bytes"];
        for (path, number) in found {
            let is_allowed = path.ends_with("_omitted") || allowed.iter().any(|known| path.starts_with(known));
            assert!(is_allowed, "{path} is the number {number}");
        }
    }
}

#[test]
fn amounts_and_the_platforms_numbers_keep_every_digit() {
    let digits = "119078888888888888887.000000000000000000000000000000000000001";
    let metadata = r#"{"big":119078888888888888887,"small":0.10,"exponent":1e400,"negative":-0.0}"#;
    let statement = with(confirmed(), |details| {
        details.quantity = Some(quantity(digits));
        details.session.metadata = Some(json(metadata));
        details.provider_data = members(r#"{"fee":0.000000000000000000000000000000000000001}"#);
    });
    // From the queue's message through fold to the event.
    let message = NewFact::from(statement).to_message().expect("a message");
    let fact = NewFact::from_message(&message).expect("a fact to record");
    let resource = fold(Resource::unknown(fact.resource.clone()), fact).into_resource();
    let text = serde_json::to_string(&events_after(&resource, 0)).expect("JSON");
    let read: Value = serde_json::from_str(&text).expect("JSON");
    let read = &read[0];
    assert_eq!(read["data"]["amount"]["value"], json!(digits));
    assert_eq!(read["data"]["amount"]["units"], "major");
    assert_eq!(read["data"]["session"]["metadata"], json(metadata));
    for written in ["119078888888888888887,", "0.10", "-0.0", "0.000000000000000000000000000000000000001"] {
        assert!(text.contains(written), "{written} is written differently in {text}");
    }
}
