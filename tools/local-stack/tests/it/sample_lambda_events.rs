//! The files of `events/lambda` are what the functions hand each other for one sample webhook, made by the code itself.
//!
//! When the code's messages change, this test fails; `FUNDHOOK_WRITE_SAMPLES=1 cargo test -p fundhook-local-stack` writes them anew.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fundhook_domain::{EvidencePointer, NewFact, Provider, Resource, Timestamp, fold};
use fundhook_local_stack::Workspace;
use fundhook_local_stack::sending::gateway_request;
use fundhook_ports::chain;
use fundhook_providers::connect::{JwtMode, JwtSettings, Settings, TOKEN_ISSUER, verify};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::{Envelope, Headers, KeySet, Webhook, normalise};
use fundhook_sandbox::SigningKey;
use serde_json::{Value, json};

const URL: &str = "https://fundhook.example/webhooks/connect";
const SIGNED_AT: i64 = 1_760_484_866;

/// The webhooks that the samples are made from: a deposit, and something nobody knows.
const BODIES: [&str; 2] = ["deposits.submitted.json", "odd/unknown_event.json"];

fn events() -> PathBuf {
    Workspace::find().expect("the tests run in the workspace").root().join("events")
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("the samples are there; write the missing one as the head of this test says")
}

/// Compares with the file, or writes it when asked to.
fn check(function: &str, event: &Value) {
    let path = events().join("lambda").join(format!("{function}.json"));
    let made = format!("{event:#}\n");
    if std::env::var_os("FUNDHOOK_WRITE_SAMPLES").is_some() {
        std::fs::write(&path, &made).expect("the sample can be written");
    }
    let kept = String::from_utf8(read(&path)).expect("samples are text");
    assert_eq!(kept, made, "{} is out of date: see the head of this test", path.display());
}

fn key() -> SigningKey {
    let pem = String::from_utf8(read(&events().join("keys/test-key-connect.pem"))).expect("PEM is text");
    SigningKey::from_pem(&pem).expect("the test key is a key")
}

fn envelopes() -> Vec<Envelope> {
    let now = Timestamp::from_unix_seconds(SIGNED_AT).expect("in range");
    let keys = KeySet::from_jwks(&read(&events().join("keys/test-key-connect.jwks.json"))).expect("the key set is fit");
    let policy = TokenPolicy { issuer: TOKEN_ISSUER.into(), organization_id: None, leeway: Duration::from_secs(300) };
    let settings = Settings {
        webhook_urls: vec![URL.into()],
        tolerance: Duration::from_secs(300),
        jwt: JwtSettings { mode: JwtMode::Optional, header: "authorization".into(), policy },
    };
    let envelope = |file: &str| {
        let body = read(&events().join("connect").join(file));
        let headers: Headers = key().sign(URL, SIGNED_AT, &body).expect("the key signs").into_iter().collect();
        let webhook = Webhook { path: "/webhooks/connect".into(), headers, body };
        let verified = verify(webhook, &Provider::Connect.into(), &settings, &keys, now);
        let verified = verified.map_err(|(_, why)| chain(&why)).expect("the published key set fits the test key");
        Envelope::seal(verified, now, None)
    };
    BODIES.into_iter().map(envelope).collect()
}

fn from_queue(bodies: Vec<String>) -> Value {
    let record = |(index, body): (usize, String)| {
        json!({
            "messageId": format!("{index:08}-0000-4000-8000-000000000000"),
            "receiptHandle": "sample",
            "body": body,
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1760484866000" },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:sample",
            "awsRegion": "us-east-1",
        })
    };
    json!({ "Records": bodies.into_iter().enumerate().map(record).collect::<Vec<_>>() })
}

#[test]
fn the_receivers_sample_is_a_signed_webhook_as_the_gateway_hands_it_over() {
    let body = read(&events().join("connect").join(BODIES[0]));
    let headers = key().sign(URL, SIGNED_AT, &body).expect("the key signs");
    check("receiver", &gateway_request(URL, &headers, &body));
}

#[test]
fn the_samples_behind_it_are_what_each_function_sends_to_the_next() {
    let envelopes = envelopes();
    let bodies = envelopes.iter().map(|envelope| serde_json::to_string(envelope).expect("envelopes have a JSON form"));
    check("fan-out", &from_queue(bodies.collect()));

    let pointer = |line| EvidencePointer { object: "evidence/v1/2025/10/14/sample.ndjson.gz".into(), line };
    let statements: Vec<_> =
        envelopes.iter().zip(0..).flat_map(|(envelope, line)| normalise(envelope, pointer(line))).collect();
    let messages = statements
        .iter()
        .map(|statement| NewFact::from(statement.clone()).to_message().expect("statements have a JSON form"));
    check("state-updater", &from_queue(messages.collect()));

    let records = statements.into_iter().enumerate().map(|(index, statement)| {
        let resource = fold(Resource::unknown(statement.resource.clone()), statement).into_resource();
        let facts = resource.facts().iter().map(|fact| serde_json::to_string(fact).expect("facts have a JSON form"));
        let pk = json!({ "S": resource.id().to_string() });
        json!({
            "eventID": format!("{index:032x}"),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/sample/stream/2025-10-14T23:34:26.000",
            "dynamodb": {
                "ApproximateCreationDateTime": SIGNED_AT,
                "Keys": { "pk": pk },
                "NewImage": {
                    "pk": pk,
                    "version": { "N": resource.version().to_string() },
                    "facts": { "L": facts.map(|fact| json!({ "S": fact })).collect::<Vec<_>>() },
                },
                "SequenceNumber": format!("{:021}", index + 1),
                "SizeBytes": 1024,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        })
    });
    check("publisher", &json!({ "Records": records.collect::<Vec<_>>() }));
}

#[test]
fn the_schedule_wakes_the_reconciler_as_it_wakes_the_refresher() {
    let event = json!({
        "version": "0",
        "id": "00000000-0000-4000-8000-000000000000",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2025-10-14T23:35:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/sample"],
        "detail": {},
    });
    check("reconciler", &event);
    let refresher = read(&events().join("lambda/refresher.json"));
    assert_eq!(serde_json::from_slice::<Value>(&refresher).expect("samples are JSON"), event);
}
