//! Every sample webhook becomes the event that it must become, with the evidence for it.

use std::collections::BTreeMap;

use fundhook::subscription::Delivery;
use fundhook_domain::{EvidencePointer, ResourceId, Timestamp};
use fundhook_providers::Envelope;
use fundhook_tests::{Platform, run, sample, samples, verify_again};
use serde_json::Value;
use tokio::sync::OnceCell;

/// A file, and the event that it becomes after those above it about the same resource.
const TABLE: &str = "
file                              | event               | resource            | previous  | amount     | network | account | time
deposits.pending.6e735627.json    | deposit.pending     | deposit 6e735627    |           | 1 BTC      | bitcoin | abc123  | 2025-10-03T21:24:54Z
deposits.submitted.json           | deposit.submitted   | deposit 6e735627    | pending   | 1 BTC      | bitcoin | abc123  | 2025-10-03T21:25:34Z
deposits.confirmed.json           | deposit.confirmed   | deposit 6e735627    | submitted | 1 BTC      | bitcoin | abc123  | 2025-10-03T21:26:13Z
deposits.on_hold.json             | deposit.held        | deposit ddcfa16a    |           | 3400 USDC  | base    | abc123  | 2025-10-07T20:14:50Z
deposits.confirmed.after_hold.json| deposit.confirmed   | deposit ddcfa16a    | held      | 3400 USDC  | base    | abc123  | 2025-10-07T20:41:12Z
deposits.pending.json             | deposit.pending     | deposit c55481bf    |           | 0.013 BTC  | bitcoin | abc123  | 2025-10-07T19:44:50Z
deposits.failed.json              | deposit.failed      | deposit 3b6351e8    |           | 1 BTC      | bitcoin | abc123  | 2025-10-07T20:14:50Z
deposits.abandoned.json           | deposit.abandoned   | deposit f6490a8e    |           | 25 USDC    | base    | abc123  | 2025-10-08T08:32:11Z
deposits.unexpected.json          | deposit.unexpected  | deposit 5f339a3b    |           | 0.0042 BTC | bitcoin |         | 2025-10-08T09:12:27Z
withdrawal.initiated.json         | withdrawal.initiated| withdrawal f2d4a13e |           | 0.013 BTC  | bitcoin | USER01  | 2025-07-24T15:42:07.123456789Z
withdrawal.broadcasted.json       | withdrawal.broadcast| withdrawal f2d4a13e | initiated | 0.013 BTC  | bitcoin | USER01  | 2025-07-24T15:42:31.123456789Z
withdrawal.confirmed.json         | withdrawal.confirmed| withdrawal f2d4a13e | broadcast | 0.013 BTC  | bitcoin | USER01  | 2025-07-24T15:42:07.123456789Z
withdrawal.failed.json            | withdrawal.failed   | withdrawal 7eccfc60 |           | 0.013 BTC  | bitcoin | USER01  | 2025-07-24T16:03:09.250Z
odd/non_ascii.json                | deposit.pending     | deposit f18af0ff    |           | 0.5 BTC    | bitcoin | abc123  | 2025-10-08T10:15:00Z
odd/null_transaction_fields.json  | deposit.failed      | deposit e7554624    |           | 1 BTC      | bitcoin | abc123  | 2025-10-07T20:14:50Z
odd/unknown_event.json            | unrecognized.seen   | unrecognized        |           |            |         |         |
odd/not_json.txt                  | unrecognized.seen   | unrecognized        |           |            |         |         |
";

/// A line of the table, read.
struct Line {
    file: &'static str,
    event: &'static str,
    resource: ResourceId,
    /// Which event of its resource it is, from 1.
    sequence: u64,
    previous: Option<&'static str>,
    amount: Option<(&'static str, &'static str)>,
    network: Option<&'static str>,
    account: Option<&'static str>,
    time: Option<&'static str>,
}

impl Line {
    fn id(&self) -> String {
        format!("{}#{}", self.resource, self.sequence)
    }

    fn kind(&self) -> &'static str {
        self.event.split_once('.').expect("kind and status").0
    }

    fn status(&self) -> &'static str {
        self.event.split_once('.').expect("kind and status").1
    }
}

fn table() -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for text in TABLE.trim().lines().skip(1) {
        let cells = text.split('|').map(str::trim).map(|cell| (!cell.is_empty()).then_some(cell));
        let cells: [Option<&str>; 8] = cells.collect::<Vec<_>>().try_into().expect("eight cells");
        let [file, event, named, previous, amount, network, account, time] = cells;
        let [file, event, named] = [file, event, named].map(|cell| cell.expect("the first three are never empty"));
        let resource = resource_of(file, event);
        let (kind, short) = named.split_once(' ').unwrap_or((named, ""));
        assert!(resource.to_string().starts_with(&format!("{kind}#connect#{short}")), "{file} is about {resource}");
        let sequence = 1 + lines.iter().filter(|line| line.resource == resource).count() as u64;
        let amount = amount.map(|amount| amount.split_once(' ').expect("value and asset"));
        lines.push(Line { file, event, resource, sequence, previous, amount, network, account, time });
    }
    lines
}

/// The resource that a file is about.
fn resource_of(file: &str, event: &str) -> ResourceId {
    let body = sample(file);
    let (kind, _) = event.split_once('.').expect("kind and status");
    let native = match kind {
        "unrecognized" => fundhook_domain::digest_hex(&body),
        _ => {
            let json: Value = serde_json::from_slice(&body).expect("JSON");
            json["deposit"]["id"].as_str().expect("an id").to_owned()
        }
    };
    format!("{kind}#connect#{native}").parse().expect("a resource's id")
}

/// What became of the files: sent once, for all tests of this module.
async fn told() -> &'static [(Line, Delivery)] {
    static TOLD: OnceCell<Vec<(Line, Delivery)>> = OnceCell::const_new();
    TOLD.get_or_init(async || {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let lines = table();
        // What is about one resource is sent in the order of the table, one after the other is through.
        let last = lines.iter().map(|line| line.sequence).max().expect("lines");
        for turn in 1..=last {
            let lines: Vec<&Line> = lines.iter().filter(|line| line.sequence == turn).collect();
            let bodies: Vec<Vec<u8>> = lines.iter().map(|line| sample(line.file)).collect();
            platform.send_all(bodies.iter().map(Vec::as_slice)).await;
            listener.hear(lines.iter().map(|line| line.id())).await;
        }
        let mut told = Vec::new();
        for line in lines {
            let delivery = listener.event(&line.id()).await;
            told.push((line, delivery));
        }
        told
    })
    .await
}

#[test]
fn every_sample_is_in_the_table() {
    let table = table();
    let mut told: Vec<&str> = table.iter().map(|line| line.file).collect();
    let mut samples = samples();
    told.sort_unstable();
    samples.sort_unstable();
    assert_eq!(told, samples);
}

#[test]
fn every_sample_becomes_the_event_that_the_table_says() {
    run(async {
        for (line, delivery) in told().await {
            let text = |pointer: &str| delivery.event.pointer(pointer).and_then(Value::as_str);
            let seen = (text("/type"), text("/data/status"), text("/data/previous_status"));
            let event_type = format!("fundhook.{}", line.event);
            assert_eq!(seen, (Some(&*event_type), Some(line.status()), line.previous), "{}", line.file);

            let amount = text("/data/amount/value").zip(text("/data/amount/asset"));
            assert_eq!(amount, line.amount, "{}", line.file);
            assert_eq!(text("/data/amount/units"), line.amount.map(|_| "major"), "{}", line.file);
            assert_eq!(text("/data/amount/network/slug"), line.network, "{}", line.file);
            assert_eq!(text("/data/account"), line.account, "{}", line.file);
            assert_eq!(delivery.event["data"]["late"], Value::Bool(false), "{}", line.file);
            if line.time.is_some() {
                assert_eq!(text("/time"), line.time, "{}", line.file);
            }
        }
    });
}

#[test]
fn every_event_is_a_cloudevent_about_its_resource() {
    run(async {
        for (line, delivery) in told().await {
            let text = |pointer: &str| delivery.event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            // The attributes that CloudEvents 1.0 requires.
            assert_eq!(text("/specversion"), "1.0", "{}", line.file);
            assert_eq!(text("/id"), line.id(), "{}", line.file);
            assert!(text("/source").starts_with('/') && text("/source").ends_with("connect"), "{}", text("/source"));
            assert!(!text("/type").is_empty(), "{}", line.file);
            // Those that Fundhook promises beside them.
            assert_eq!(text("/subject"), line.resource.to_string(), "{}", line.file);
            assert_eq!(text("/data/resource"), line.resource.to_string(), "{}", line.file);
            assert_eq!(text("/datacontenttype"), "application/json", "{}", line.file);
            assert!(text("/time").parse::<Timestamp>().is_ok(), "{}", text("/time"));
            assert_eq!(text("/sequence").parse(), Ok(line.sequence), "{}", line.file);
            assert_eq!(text("/sequence").len(), 10, "texts of one length are in the order of their numbers");
        }
    });
}

#[test]
fn filter_policies_can_choose_by_what_an_event_says() {
    run(async {
        for (line, delivery) in told().await {
            let event_type = format!("fundhook.{}", line.event);
            let known = [
                ("type", Some(&*event_type)),
                ("kind", Some(line.kind())),
                ("status", Some(line.status())),
                ("provider", Some("connect")),
                ("asset", line.amount.map(|(_, asset)| asset)),
                ("network", line.network),
                ("account", line.account),
            ];
            let expected: BTreeMap<String, String> = known
                .iter()
                .filter_map(|(name, value)| Some(((*name).to_owned(), value.as_deref()?.to_owned())))
                .collect();
            assert_eq!(delivery.attributes, expected, "{}", line.file);
        }
    });
}

#[test]
fn the_evidence_of_every_event_holds_the_webhook_and_verifies_again() {
    run(async {
        let platform = Platform::shared().await;
        let keys = platform.published_keys().await;
        for (line, delivery) in told().await {
            let evidence = &delivery.event["data"]["evidence"];
            let envelope: Envelope = platform.evidence(&pointer(evidence)).await;
            assert_eq!(envelope.body(), sample(line.file), "{}: the bytes are those that were sent", line.file);

            let verified = verify_again(&envelope, &keys).map_err(|why| why.to_string());
            let attestation = verified.expect(line.file).attestation().clone();
            assert_eq!(&attestation, envelope.attestation(), "{}", line.file);
            assert_eq!(evidence["attestation"], serde_json::to_value(&attestation).expect("JSON"), "{}", line.file);
            assert_eq!(evidence["attestation"]["class"], "asymmetric", "{}", line.file);
            assert_eq!(evidence["received_at"], envelope.received_at().to_string(), "{}", line.file);
        }
    });
}

fn pointer(evidence: &Value) -> EvidencePointer {
    serde_json::from_value(evidence["archived"].clone()).expect("a pointer into the archive")
}

#[test]
fn a_text_that_mentions_a_deposit_does_not_touch_it() {
    run(async {
        let lines = told().await;
        let (line, _) = lines.iter().find(|(line, _)| line.file == "deposits.confirmed.json").expect("in the table");
        let resource = Platform::shared().await.resource(&line.resource).await;
        assert_eq!(resource.version(), 3, "not_json.txt names {} and is no statement about it", line.resource);
    });
}
