//! Any JSON that a provider signs is recorded. No webhook is lost, and none becomes a dead letter.

use std::collections::BTreeMap;

use fastrand::Rng;
use fundhook_domain::{FactId, Kind, Provider, Resource, ResourceId};
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{Platform, Queue, eventually, run, samples, seeded, webhook};
use serde_json::{Value, json};

/// How many bodies are made for each provider.
const BODIES: usize = 16;

/// In how many places a body differs from its sample at most, apart from the ids.
const CHANGES_MAX: usize = 3;

/// The members that hold ids. Each body gets new ones.
const NAMES: [&str; 18] = [
    "id",
    "fund_id",
    "deposit_id",
    "payment_id",
    "withdrawal_request_id",
    "external_account_id",
    "participant_code",
    "account_label",
    "reference_id",
    "accountId",
    "syncedOwnerId",
    "userId",
    "hash",
    "transaction_id",
    "transaction_hash",
    "on_chain_transaction_id",
    "txHash",
    "nonce",
];

/// A random JSON value, nested at most `depth` deep.
fn random_json(random: &mut Rng, depth: usize) -> Value {
    match random.usize(..if depth == 0 { 12 } else { 14 }) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(..)),
        3 => json!(format!("{}.{}", random.u32(..), random.u64(..))),
        4 => json!("-1"),
        5 => json!("1e3"),
        6 => json!(""),
        7 => json!("2025-10-03T21:26:13Z"),
        8 => json!(format!("{:x}", random.u64(..))),
        9 => json!(format!("🏦 {}", random.u64(..))),
        10 => json!(format!("a\u{0}\n\u{FFFE} {}", random.u64(..))),
        11 => json!("9".repeat(random.usize(1..3000))),
        12 => (0..random.usize(..4)).map(|_| random_json(random, depth - 1)).collect(),
        _ => json!({ "id": random_json(random, depth - 1), "amount": random_json(random, depth - 1) }),
    }
}

/// The JSON pointers of all values in `json`, with `pointer` as a prefix.
fn places(json: &Value, pointer: &str) -> Vec<String> {
    let inside: Vec<String> = match json {
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| places(value, &format!("{pointer}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, item)| places(item, &format!("{pointer}/{at}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    [pointer.to_owned()].into_iter().chain(inside).collect()
}

/// The sample with new ids and with random values in some places.
fn altered(sample: &Webhook, random: &mut Rng) -> Webhook {
    let mut body: Value = serde_json::from_slice(&sample.body).expect("JSON");
    for place in places(&body, "") {
        let name = place.rsplit('/').next().unwrap_or_default();
        if let Some(value) = body.pointer_mut(&place).filter(|value| value.is_string() && NAMES.contains(&name)) {
            *value = json!(format!("{:016x}", random.u64(..)));
        }
    }
    for _ in 0..random.usize(..=CHANGES_MAX) {
        let places = places(&body, "");
        if let Some(value) = random.choice(places).and_then(|place| body.pointer_mut(&place)) {
            *value = random_json(random, 2);
        }
    }
    Webhook { body: body.to_string().into_bytes(), ..sample.clone() }
}

#[test]
fn any_json_that_a_provider_signs_is_recorded_and_none_becomes_a_dead_letter() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let mut random = seeded();
        let mut webhooks = Vec::new();
        for provider in Provider::ALL {
            let folder = format!("{provider}/");
            let files = samples().into_iter().filter(|file| file.starts_with(&folder) && file.ends_with(".json"));
            // Strict parsers do not read a body with a byte order mark.
            let is_json = |file: &String| serde_json::from_slice::<Value>(&webhook(file).body).is_ok();
            let files: Vec<String> = files.filter(is_json).collect();
            for _ in 0..BODIES {
                let file = random.choice(&files).expect("each provider has samples");
                webhooks.push(altered(&webhook(file), &mut random));
            }
        }
        let mut expected: BTreeMap<ResourceId, Vec<FactId>> = BTreeMap::new();
        for webhook in &webhooks {
            for statement in platform.statements(webhook).await {
                expected.entry(statement.resource).or_default().push(statement.content.id);
            }
        }
        let understood = expected.keys().filter(|id| id.kind() != Kind::Unrecognized).count();
        assert!(understood > BODIES / 2, "most of {} resources are unrecognized", expected.len());
        platform.deliver(&webhooks).await;

        for (id, facts) in &expected {
            let what = format!("{id} has the facts {facts:?}");
            let has =
                |resource: &Resource, fact: &FactId| resource.facts().iter().any(|known| known.content.id() == fact);
            let look = async || platform.resource(id).await;
            eventually(&what, look, |resource| facts.iter().all(|fact| has(resource, fact))).await;
        }
        listener.receive(expected.keys().map(|id| format!("{id}#1"))).await;
        platform.settled().await;
        for queue in Queue::ALL {
            assert_eq!(platform.dead_letters(queue).await, 0, "dead letters of the {queue:?} queue");
        }
    });
}
