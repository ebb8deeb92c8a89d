//! Validates the events against the published schemas, with third-party validators.
//!
//! The schemas allow unknown members, so that later versions can add some. Here they are strict: a member that no schema
//! names is an error.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use fundhook::subscription::Delivery;
use fundhook_domain::Kind;
use fundhook_local_stack::Workspace;
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

/// The file to which CI saves all received events, one per line, for the official SDK of CloudEvents.
const SAVED_EVENTS: &str = "FUNDHOOK_SAVED_EVENTS";

/// The validators of a kind's events and of their message attributes.
struct Promise {
    event: Validator,
    attributes: Validator,
}

static PROMISES: LazyLock<BTreeMap<&'static str, Promise>> = LazyLock::new(|| {
    let schemas = Workspace::find().expect("the tests run inside the workspace").root().join("schemas");
    let asyncapi = read(&schemas.join("asyncapi.json"));
    let promise = |kind: Kind| {
        let event = read(&schemas.join(format!("{kind}.json")));
        let attributes = asyncapi["channels"]["events"]["messages"][kind.as_str()]["headers"].clone();
        (kind.as_str(), Promise { event: strict(event), attributes: strict(attributes) })
    };
    Kind::ALL.into_iter().map(promise).collect()
});

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("the schemas exist; `cargo xtask docs` writes them");
    serde_json::from_str(&text).expect("schemas are JSON")
}

fn strict(mut schema: Value) -> Validator {
    close(&mut schema);
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    options.build(&schema).map_err(|fault| fault.to_string()).expect("the schema is valid")
}

/// Forbids members that an object's schema does not name. Objects without named members stay open: their content is the
/// provider's or the platform's.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(rules) => {
            if rules.get("properties").is_some_and(Value::is_object) {
                rules.entry("additionalProperties").or_insert(json!(false));
            }
            rules.values_mut().for_each(close);
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The violations of the schema of the kind that an event's type names.
pub fn event_faults(event: &Value) -> Vec<String> {
    match promise(event) {
        Some(promise) => faults(&promise.event, event),
        None => vec![format!("no schema for the type {}", event["type"])],
    }
}

/// The violations in the message attributes of an event.
pub fn attribute_faults(event: &Value, attributes: &Value) -> Vec<String> {
    promise(event).map_or_else(Vec::new, |promise| faults(&promise.attributes, attributes))
}

/// Asserts that a delivery matches its schema, and saves its event for CI.
pub(crate) fn assert_as_promised(delivery: &Delivery) {
    let found =
        [event_faults(&delivery.event), attribute_faults(&delivery.event, &json!(delivery.attributes))].concat();
    assert!(found.is_empty(), "{} violates its schema: {found:#?}\n{:#}", delivery.id(), delivery.event);
    save(&delivery.event);
}

/// Appends the event to the file that CI names, if any.
pub fn save(event: &Value) {
    if let Some(path) = std::env::var_os(SAVED_EVENTS) {
        let file = fs::File::options().create(true).append(true).open(path);
        // One write, so that concurrent tests do not mix their lines.
        let written = file.and_then(|mut file| file.write_all(format!("{event}\n").as_bytes()));
        written.expect("the file that CI names can be written");
    }
}

fn promise(event: &Value) -> Option<&'static Promise> {
    let (_, kind, _) = event["type"].as_str().and_then(parts)?;
    PROMISES.get(kind)
}

/// The parts of a type: `fundhook`, the kind, and the outcome.
fn parts(event_type: &str) -> Option<(&str, &str, &str)> {
    let mut parts = event_type.splitn(3, '.');
    Some((parts.next()?, parts.next()?, parts.next()?))
}

fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}
