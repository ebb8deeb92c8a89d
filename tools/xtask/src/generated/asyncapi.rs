//! The AsyncAPI document: the topic from a subscriber's view.

use fundhook_domain::{Kind, attributes_schema, event_schema};
use serde_json::{Map, Value, json};

use super::examples::Example;

/// The location of the schemas that messages share.
const SCHEMAS: &str = "#/components/schemas/";

/// The document (AsyncAPI 3.0): one channel, a message for each kind, and an example of each event type.
pub(super) fn document(examples: &[Example]) -> Value {
    let mut schemas = Map::new();
    let mut messages = Map::new();
    for kind in Kind::ALL {
        let name = take_schemas(kind, &mut schemas);
        messages.insert(kind.to_string(), message(kind, &name, examples));
    }
    let channel = "#/channels/events";
    let received: Vec<Value> =
        Kind::ALL.iter().map(|kind| json!({ "$ref": format!("{channel}/messages/{kind}") })).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fundhook's events, for those who subscribe to them",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Deposits, withdrawals, fees, recoveries, users, accounts and balances at providers of crypto funding: one stream of CloudEvents on an SNS topic. The application that this document describes is a subscriber. docs/events.md is the guide to the events.",
            "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        },
        "defaultContentType": CLOUD_EVENT,
        "servers": {
            "sns": {
                "host": "sns.{region}.amazonaws.com",
                "protocol": "sns",
                "description": "Amazon SNS in the account and region that the stack is deployed into.",
                "variables": { "region": { "description": "The stack's region.", "examples": ["us-east-1"] } },
            },
        },
        "channels": {
            "events": {
                "address": "{topicArn}",
                "title": "The topic",
                "description": "The SNS topic that a deployment of Fundhook publishes to. Delivered at least once; on a standard topic in any order, on a FIFO topic in the order of each resource's events. Subscribe a queue, a Lambda function or an HTTPS endpoint.",
                "parameters": {
                    "topicArn": {
                        "description": "The output TopicArn of the stack. It ends in .fifo when the stack was deployed with TopicType=fifo.",
                        "examples": ["arn:aws:sns:us-east-1:123456789012:fundhook-StandardTopic-1A2B3C4D5E6F"],
                    },
                },
                "messages": messages,
            },
        },
        "operations": {
            "receiveEvents": {
                "action": "receive",
                "channel": { "$ref": channel },
                "title": "Receive events",
                "description": "Handle an event whose `id` is not known yet, remember the id, then acknowledge. With raw message delivery the message is the event; without it, the event is the text in the member `Message` of what SNS delivers.",
                "messages": received,
            },
        },
        "components": { "schemas": schemas },
    })
}

/// The media type of an event.
const CLOUD_EVENT: &str = "application/cloudevents+json";

/// The message for events about `kind`.
fn message(kind: Kind, schema: &str, examples: &[Example]) -> Value {
    let of_kind = examples.iter().filter(|example| example.kind() == kind);
    let examples = of_kind.map(
        |example| json!({ "name": example.event_type(), "headers": example.attributes(), "payload": example.event() }),
    );
    json!({
        "name": kind.as_str(),
        "title": schema,
        "contentType": CLOUD_EVENT,
        "headers": attributes_schema(kind),
        "payload": { "$ref": format!("{SCHEMAS}{schema}") },
        "examples": examples.collect::<Vec<_>>(),
    })
}

/// Adds the schema of the events about `kind` and its definitions to `schemas`, and returns the schema's name.
fn take_schemas(kind: Kind, schemas: &mut Map<String, Value>) -> String {
    let mut schema = event_schema(kind);
    let name = schema["title"].as_str().unwrap_or_default().to_owned();
    if let Some(members) = schema.as_object_mut() {
        members.remove("$schema");
        if let Some(Value::Object(definitions)) = members.remove("$defs") {
            schemas.extend(definitions.into_iter().map(|(name, schema)| (name, adapted(schema))));
        }
    }
    schemas.insert(name.clone(), adapted(schema));
    name
}

/// The schema in AsyncAPI's dialect: references point to the components and have no sibling members, since JSON Schema
/// draft 7, on which AsyncAPI's schemas are based, ignores such members.
fn adapted(schema: Value) -> Value {
    match schema {
        Value::Object(mut rules) => {
            if let Some(Value::String(at)) = rules.remove("$ref") {
                let reference = json!({ "$ref": at.replacen("#/$defs/", SCHEMAS, 1) });
                if rules.is_empty() {
                    return reference;
                }
                rules.insert("allOf".to_owned(), json!([reference]));
                return Value::Object(rules);
            }
            Value::Object(rules.into_iter().map(|(name, rule)| (name, adapted(rule))).collect())
        }
        Value::Array(schemas) => Value::Array(schemas.into_iter().map(adapted).collect()),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}
