//! JSON Schemas of the events, generated from the types that are serialised.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::tidy::{drop_unused_definitions, tidy, unwrapped};
use super::{BalanceBody, CONFLICTING, DUPLICATE, EventData, OVERDUE, RecoveryBody, SURPLUS, TransferBody, UPDATED};
use crate::{
    AccountDetails, DepositStatus, ExchangeStatus, ExternalAccountStatus, FeeStatus, Feed, Kind, ParticipantStatus,
    Provider, RecoveryStatus, ResourceId, Status, StatusRule, Tenant, Timestamp, UnrecognizedDetails, WithdrawalStatus,
};

/// The meanings of the event types that do not name a status, and that are the same for all kinds.
const OUTCOMES: [(&str, &str); 4] = [
    (UPDATED, "The status is the same, and more is known, or a webhook arrived late. What may be booked is the same."),
    (
        CONFLICTING,
        "The provider made statements that exclude each other: the resource needs review. Nothing may be booked automatically.",
    ),
    (
        OVERDUE,
        "The resource has been in a status that is not final for longer than usual. Published once for each time that it reaches the status.",
    ),
    (
        SURPLUS,
        "More was returned than had arrived before: the recovery needs review. `surplus` says how much. Published again when the amount changes.",
    ),
];

/// What `duplicate` means for `kind`.
fn duplicate_meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::Withdrawal => {
            "The provider states that this id and another one name the same withdrawal: `duplicate_of`, which has all that was stated under this id and counts in its place."
        }
        Kind::Deposit
        | Kind::Fee
        | Kind::Exchange
        | Kind::Recovery
        | Kind::Participant
        | Kind::ExternalAccount
        | Kind::Balance
        | Kind::Unrecognized => {
            "The deposit is confirmed, and its coin is credited under another deposit: `duplicate_of`."
        }
    }
}

/// The message attributes, in the order in which they are sent, and their meanings.
const ATTRIBUTES: [(&str, &str); 9] = [
    ("type", "The event's `type`."),
    ("kind", "The kind of resource."),
    ("provider", "The provider that reports it."),
    (
        "status",
        "The resource's status after the change. It is `duplicate` while another resource counts in its place (`duplicate_of`), and `conflicting` while statements exclude each other: neither may be booked automatically. Missing while no webhook has reported a status.",
    ),
    ("asset", "The asset's code (`BTC`), when known."),
    ("network", "The network's slug (`base`), when known."),
    ("account", "The user's identifier, which provider and platform share, when known."),
    ("reference_id", "The platform's identifier of the funding attempt, when there is one."),
    ("tenant", "The organization, when a deployment serves several."),
];

/// Every `type` that an event about `kind` can have.
pub fn event_types(kind: Kind) -> Vec<String> {
    let statuses = statuses(kind).into_iter().map(Status::as_str);
    let others: &[&str] = match kind {
        Kind::Deposit | Kind::Withdrawal => &[UPDATED, DUPLICATE, CONFLICTING, OVERDUE],
        Kind::Exchange => &[UPDATED, CONFLICTING, OVERDUE],
        Kind::Recovery => &[UPDATED, SURPLUS, OVERDUE],
        Kind::Fee => &[UPDATED, CONFLICTING],
        Kind::Participant | Kind::ExternalAccount | Kind::Balance => &[UPDATED],
        // The resource is named by its body, so its only further statement is another reading of the same body.
        Kind::Unrecognized => &[UPDATED],
    };
    statuses.chain(others.iter().copied()).map(|outcome| format!("fundhook.{kind}.{outcome}")).collect()
}

/// The JSON Schema (draft 2020-12) of the events about `kind`: a CloudEvent in JSON and its data.
///
/// Members that it does not name are allowed: a later version may add some.
pub fn event_schema(kind: Kind) -> Value {
    let name = pascal(kind);
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut data = data_schema(kind, &mut generator);
    data["title"] = json!(format!("{name}EventData"));
    let mut definitions = generator.take_definitions(true);
    let history = definitions.remove("HistoryEntry").unwrap_or_default();
    definitions.insert(format!("{name}Status"), status_schema(kind));
    definitions.insert(format!("{name}HistoryEntry"), with_status(history, kind));
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("{name}Event"),
        "description": format!("A CloudEvent (version 1.0, JSON format) about a change of a resource of the kind {kind}."),
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "sequence", "correlationid", "datacontenttype", "data"],
        "properties": {
            "specversion": { "const": "1.0", "description": "The version of CloudEvents." },
            "id": {
                "type": "string",
                "description": "<subject>#<number>: the same change has the same id however often it is published. Remember the ids that were handled and skip those.",
                "pattern": format!("^{kind}#[^#]+#.+#[1-9][0-9]*$"),
            },
            "source": {
                "type": "string",
                "format": "uri-reference",
                "description": "The provider, and the tenant when there are several: /fundhook/connect/acme.",
                "pattern": format!("^/fundhook/{}$", Feed::pattern()),
                "examples": ["/fundhook/connect", "/fundhook/zerohash/acme"],
            },
            "type": { "type": "string", "enum": event_types(kind), "description": types_described(kind) },
            "subject": { "$ref": "#/$defs/ResourceId", "description": "The resource that changed." },
            "time": {
                "$ref": "#/$defs/Timestamp",
                "description": "When it happened, according to the provider; when it was sent, if the provider does not say. Of an `overdue` event, since when the next statement has been overdue.",
            },
            "sequence": {
                "type": "string",
                "description": "The number of the event among the resource's events, counted from 1 without gaps; in ten digits, so that the order of the texts is the order of the numbers.",
                "pattern": "^[0-9]{10,}$",
                "examples": ["0000000001"],
            },
            "correlationid": {
                "$ref": "#/$defs/CorrelationId",
                "description": "The id of the webhook that caused the event, which is also in every log line about it. Of an event that no webhook caused, that of the last webhook before.",
            },
            "datacontenttype": { "const": "application/json", "description": "The media type of `data`." },
            "data": data,
        },
        "$defs": definitions,
    });
    tidy(&mut schema);
    drop_unused_definitions(&mut schema);
    schema
}

/// The JSON Schema of the message attributes of the events about `kind`, as an object: what a subscription's filter
/// policy can select by. Each is a string. Attributes that it does not name are not sent.
pub fn attributes_schema(kind: Kind) -> Value {
    let mut sent = vec!["type", "kind", "provider"];
    let known: &[&str] = match kind {
        Kind::Deposit | Kind::Withdrawal | Kind::Fee | Kind::Exchange => {
            &["asset", "network", "account", "reference_id"]
        }
        Kind::Recovery => {
            sent.extend(["asset", "account"]);
            &["asset", "network", "account"]
        }
        Kind::Balance => &["asset", "network", "account"],
        Kind::Participant | Kind::ExternalAccount => &["account"],
        Kind::Unrecognized => &[],
    };
    let has = |name: &str| sent.contains(&name) || known.contains(&name) || ["status", "tenant"].contains(&name);
    let mut properties = Map::new();
    for (name, description) in ATTRIBUTES.into_iter().filter(|(name, _)| has(name)) {
        let mut property = json!({ "type": "string", "minLength": 1, "description": description });
        match name {
            "type" => property["enum"] = json!(event_types(kind)),
            "kind" => property["enum"] = json!([kind.as_str()]),
            // The outcomes that describe a status: not those after which the status is the same.
            "status" => {
                let types = event_types(kind);
                let outcomes = types
                    .iter()
                    .filter_map(|name| name.rsplit('.').next())
                    .filter(|name| ![UPDATED, OVERDUE, SURPLUS].contains(name));
                property["enum"] = Value::from_iter(outcomes);
            }
            "provider" => property["enum"] = Value::from_iter(Provider::ALL.map(Provider::as_str)),
            "tenant" => property["pattern"] = json!(format!("^{}$", Tenant::PATTERN)),
            _ => {}
        }
        properties.insert(name.to_owned(), property);
    }
    json!({ "type": "object", "required": sent, "properties": properties })
}

fn statuses(kind: Kind) -> Vec<Status> {
    Status::ALL.into_iter().filter(|status| status.kind() == kind).collect()
}

/// The schema of `data` for `kind`: the members of every event, and those of this kind.
fn data_schema(kind: Kind, generator: &mut SchemaGenerator) -> Value {
    // The subject and the time have these types in every schema.
    generator.subschema_for::<ResourceId>();
    generator.subschema_for::<Timestamp>();
    let mut data = EventData::json_schema(generator).to_value();
    let body = match kind {
        Kind::Deposit | Kind::Withdrawal | Kind::Fee | Kind::Exchange => TransferBody::json_schema(generator),
        Kind::Recovery => RecoveryBody::json_schema(generator),
        Kind::Participant | Kind::ExternalAccount => AccountDetails::json_schema(generator),
        Kind::Balance => BalanceBody::json_schema(generator),
        Kind::Unrecognized => UnrecognizedDetails::json_schema(generator),
    };
    add_properties(&mut data, body.to_value());

    let name = pascal(kind);
    let properties = &mut data["properties"];
    properties["kind"] = json!({ "const": kind.as_str(), "description": properties["kind"]["description"] });
    properties["provider"]["enum"] = Value::from_iter(Provider::ALL.map(Provider::as_str));
    properties["tenant"]["pattern"] = json!(format!("^{}$", Tenant::PATTERN));
    for member in ["status", "previous_status"] {
        let description = properties[member]["description"].take();
        properties[member] = json!({ "$ref": format!("#/$defs/{name}Status"), "description": description });
    }
    properties["history"]["items"] = json!({ "$ref": format!("#/$defs/{name}HistoryEntry") });
    let can_conflict =
        kind.status_rule() == StatusRule::Furthest && event_types(kind).iter().any(|name| name.ends_with(CONFLICTING));
    if can_conflict {
        let conflicting = &mut properties["conflicting"];
        conflicting["items"] = json!({ "$ref": format!("#/$defs/{name}Status") });
        conflicting["uniqueItems"] = json!(true);
    } else {
        without(&mut data, "conflicting");
        without(&mut data, "conflict_about");
    }
    // A person decides about conflicts, and about a surplus.
    if !can_conflict && kind != Kind::Recovery {
        without(&mut data, "decision");
    }
    // Of a kind without an end, fewer statements are kept than an event lists.
    if kind.status_rule() == StatusRule::Latest || kind == Kind::Unrecognized {
        without(&mut data, "history_omitted");
    }
    if !matches!(kind, Kind::Deposit | Kind::Withdrawal) {
        without(&mut data, "duplicate_of");
    }
    // No list contains the others.
    if !matches!(kind, Kind::Deposit | Kind::Withdrawal | Kind::Recovery | Kind::Unrecognized) {
        without(&mut data, "backfilled");
    }
    if kind != Kind::Withdrawal {
        without(&mut data, "also_named");
    }
    if kind != Kind::Deposit {
        ["credit", "hold", "conflict_with", "booked_by", "resembles"]
            .into_iter()
            .for_each(|member| without(&mut data, member));
    }
    if kind != Kind::Exchange {
        without(&mut data, "exchange");
    }
    data
}

/// The statuses of `kind` and their meanings.
fn status_schema(kind: Kind) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let generator = &mut generator;
    let schema = match kind {
        Kind::Deposit => DepositStatus::json_schema(generator),
        Kind::Withdrawal => WithdrawalStatus::json_schema(generator),
        Kind::Fee => FeeStatus::json_schema(generator),
        Kind::Exchange => ExchangeStatus::json_schema(generator),
        Kind::Recovery => RecoveryStatus::json_schema(generator),
        Kind::Participant => ParticipantStatus::json_schema(generator),
        Kind::ExternalAccount => ExternalAccountStatus::json_schema(generator),
        Kind::Balance => only(Status::Balance, "The amount in the account changed."),
        Kind::Unrecognized => only(Status::Unrecognized, "A verified webhook arrived that was not recognized."),
    };
    schema.to_value()
}

/// The schema of the only status of a kind, in the form that schemars generates for several.
fn only(status: Status, meaning: &str) -> schemars::Schema {
    schemars::json_schema!({
        "description": "The only status of this kind.",
        "oneOf": [{ "type": "string", "const": status.as_str(), "description": meaning }],
    })
}

/// The schema of a history entry whose status is one of `kind`.
fn with_status(mut entry: Value, kind: Kind) -> Value {
    let status = &mut entry["properties"]["status"];
    let description = status["description"].take();
    *status = json!({ "$ref": format!("#/$defs/{}Status", pascal(kind)), "description": description });
    entry
}

/// The description of the event types: a sentence for each.
fn types_described(kind: Kind) -> String {
    let status = status_schema(kind);
    let reached = status["oneOf"].as_array().into_iter().flatten();
    let reached = reached.map(|choice| (choice["const"].as_str(), choice["description"].as_str()));
    let outcomes = OUTCOMES.into_iter().chain([(DUPLICATE, duplicate_meaning(kind))]);
    let others = outcomes.map(|(outcome, meaning)| (Some(outcome), Some(meaning)));
    let meanings: Vec<(String, &str)> = reached
        .chain(others)
        .filter_map(|(outcome, meaning)| Some((format!("fundhook.{kind}.{}", outcome?), meaning?)))
        .collect();
    let line = |name: String| {
        let meaning = meanings.iter().find(|(named, _)| *named == name).map_or("", |(_, meaning)| *meaning);
        format!("- `{name}`: {}", unwrapped(meaning))
    };
    let lines: Vec<String> = event_types(kind).into_iter().map(line).collect();
    format!("What happened.\n\n{}", lines.join("\n"))
}

/// The kind's name in the titles of schemas: `ExternalAccount`.
fn pascal(kind: Kind) -> String {
    let words = kind.as_str().split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}

/// Adds the properties of `body` to those of `data`.
fn add_properties(data: &mut Value, mut body: Value) {
    if let (Some(properties), Value::Object(of_body)) = (data["properties"].as_object_mut(), body["properties"].take())
    {
        properties.extend(of_body);
    }
    if let (Some(required), Value::Array(of_body)) = (data["required"].as_array_mut(), body["required"].take()) {
        required.extend(of_body);
    }
}

fn without(data: &mut Value, property: &str) {
    if let Some(properties) = data["properties"].as_object_mut() {
        properties.remove(property);
    }
}
