//! Every sample webhook produces the events in the table, with its evidence.
//!
//! The table is `accepted.txt` in this directory.

use std::collections::{BTreeMap, BTreeSet};

use fundhook::subscription::Delivery;
use fundhook_domain::{EvidencePointer, Timestamp};
use fundhook_providers::Envelope;
use fundhook_tests::{Platform, run, samples, webhook};
use serde_json::Value;
use tokio::sync::OnceCell;

/// A line of the table: a file and one of its events. Lines about one resource are in the order of its events.
struct Line {
    file: &'static str,
    event: &'static str,
    resource: Named,
    /// The sequence number of the resource's event.
    sequence: u64,
    previous: Option<&'static str>,
    amount: Option<&'static str>,
    network: Option<&'static str>,
    account: Option<&'static str>,
    time: Option<&'static str>,
    and: Vec<&'static str>,
}

/// A resource as the table names it: `deposit zerohash 363b5b15`, or `fee striga 20a7cc2a…debit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    kind: &'static str,
    feed: &'static str,
    native: &'static str,
    /// The file, which identifies an unrecognized webhook.
    file: &'static str,
}

impl Named {
    fn read(cell: &'static str, file: &'static str) -> Self {
        let mut words = cell.splitn(3, ' ');
        let kind = words.next().expect("a kind");
        let feed = words.next().expect("a feed");
        let file = if kind == "unrecognized" { file } else { "" };
        Self { kind, feed, native: words.next().unwrap_or_default(), file }
    }

    /// Whether this is the resource `id`.
    fn is(&self, id: &str) -> bool {
        let start = format!("{}#{}#", self.kind, self.feed);
        let Some(native) = id.strip_prefix(&start) else {
            return false;
        };
        if !self.file.is_empty() {
            return native == fundhook_domain::digest_hex(&webhook(self.file).body);
        }
        let (from, to) = self.native.split_once('…').unwrap_or((self.native, ""));
        native.starts_with(from) && native.ends_with(to)
    }
}

impl Line {
    fn kind(&self) -> &'static str {
        self.event.split_once('.').expect("kind and outcome").0
    }

    /// Whether `delivery` is the event of this line.
    fn is(&self, delivery: &Delivery) -> bool {
        self.resource.is(delivery.text("/subject")) && delivery.text("/sequence").parse() == Ok(self.sequence)
    }
}

fn table() -> Vec<Line> {
    let text = include_str!("accepted.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut lines: Vec<Line> = Vec::new();
    for text in text.skip(1) {
        let mut cells = text.split('|').map(str::trim).map(|cell| Some(cell).filter(|cell| !cell.is_empty()));
        let mut cell = || cells.next().flatten();
        let file = cell().or_else(|| lines.last().map(|line| line.file)).expect("the first line names a file");
        let event = cell().expect("a line names an event");
        let resource = Named::read(cell().expect("a line names a resource"), file);
        let (previous, amount, network, account, time) = (cell(), cell(), cell(), cell(), cell());
        let and = cell().map(|and| and.split(", ").collect()).unwrap_or_default();
        let sequence = 1 + lines.iter().filter(|line| line.resource == resource).count() as u64;
        lines.push(Line { file, event, resource, sequence, previous, amount, network, account, time, and });
    }
    lines
}

/// Groups the files into rounds. The files of one round are sent concurrently. Files about one resource or coin are in
/// different rounds, in the order of the table.
fn turns(lines: &[Line]) -> Vec<Vec<&'static str>> {
    let mut free_at: BTreeMap<Named, usize> = BTreeMap::new();
    let mut turns: Vec<Vec<&'static str>> = Vec::new();
    let mut files: Vec<&'static str> = lines.iter().map(|line| line.file).collect();
    files.dedup();
    for file in files {
        let own = lines.iter().filter(|line| line.file == file);
        let coins = own.clone().flat_map(|line| &line.and).filter_map(|and| and.strip_prefix("duplicate of "));
        let coins = coins.map(|cell| Named::read(cell, file));
        let about: Vec<Named> = own.map(|line| line.resource).chain(coins).collect();
        let turn = about.iter().filter_map(|named| free_at.get(named)).max().copied().unwrap_or(0);
        free_at.extend(about.into_iter().map(|named| (named, turn + 1)));
        turns.resize(turns.len().max(turn + 1), Vec::new());
        turns[turn].push(file);
    }
    turns
}

/// The events of all files, sent once for all tests of this module.
async fn published() -> &'static [(Line, Delivery)] {
    static RESULTS: OnceCell<Vec<(Line, Delivery)>> = OnceCell::const_new();
    RESULTS
        .get_or_init(async || {
            let platform = Platform::shared().await;
            let mut listener = platform.listen().await;
            let lines = table();
            for files in turns(&lines) {
                let webhooks: Vec<_> = files.iter().map(|file| webhook(file)).collect();
                platform.deliver(&webhooks).await;
                for line in lines.iter().filter(|line| files.contains(&line.file)) {
                    let what = format!("{} of {} ({:?} #{})", line.event, line.file, line.resource, line.sequence);
                    listener.receive_one(&what, |delivery| line.is(delivery)).await;
                }
            }
            let mut published = Vec::new();
            for line in lines {
                let delivery = listener.receive_one("received before", |delivery| line.is(delivery)).await;
                published.push((line, delivery));
            }
            published
        })
        .await
}

#[test]
fn every_sample_is_in_the_table() {
    let published: BTreeSet<String> = table().iter().map(|line| line.file.to_owned()).collect();
    let samples: BTreeSet<String> = samples().into_iter().collect();
    assert_eq!(published, samples);
}

/// The amount of an event, in whole coins if the unit is known: `0.2 POL`, `7 grains POL`.
fn amount(data: &Value) -> Option<String> {
    let amount = ["amount", "outstanding", "refunded"].iter().find_map(|name| data.get(*name))?;
    let text = |name: &str| amount.get(name).and_then(Value::as_str);
    let counted = match text("major") {
        Some(major) => major.to_owned(),
        None => format!("{} {}", text("value")?, text("units")?),
    };
    Some(text("asset").map_or(counted.clone(), |asset| format!("{counted} {asset}")))
}

#[test]
fn every_sample_produces_the_events_in_the_table() {
    run(async {
        for (line, delivery) in published().await {
            let named = format!("{} of {}", line.event, line.file);
            let text = |pointer: &str| delivery.event.pointer(pointer).and_then(Value::as_str);
            let event_type = format!("fundhook.{}", line.event);
            assert_eq!((text("/type"), text("/data/previous_status")), (Some(&*event_type), line.previous), "{named}");
            let (_, outcome) = line.event.split_once('.').expect("kind and outcome");
            if !["updated", "duplicate", "conflicting"].contains(&outcome) {
                assert_eq!(text("/data/status"), Some(outcome), "{named}");
            }
            let data = &delivery.event["data"];
            assert_eq!(amount(data).as_deref(), line.amount, "{named}");
            let network = ["amount", "outstanding"].iter().find_map(|name| data[name]["network"]["slug"].as_str());
            assert_eq!(network, line.network, "{named}");
            match (text("/data/account"), line.account) {
                (Some(account), Some(expected)) => assert!(account.starts_with(expected), "{named}: {account}"),
                (account, expected) => assert_eq!(account, expected, "{named}"),
            }
            if line.time.is_some() {
                assert_eq!(text("/time"), line.time, "{named}");
            }
            assert_eq!(data["late"], Value::Bool(line.and.contains(&"late")), "{named}");
            line.and.iter().for_each(|claim| assert_claim(claim, data, &named));
        }
    });
}

/// Checks a claim in the last column.
fn assert_claim(claim: &'static str, data: &Value, named: &str) {
    let text = |pointer: &str| data.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let is_about = |cell: &'static str, id: &str| Named::read(cell, "").is(id);
    let (word, rest) = claim.split_once(' ').unwrap_or((claim, ""));
    match word {
        "late" => {}
        "credit" => {
            let net = format!("{} {}", text("/credit/net/value"), text("/credit/net/asset"));
            assert_eq!(net, rest, "{named}");
        }
        "held" => assert_eq!(text("/hold/reason"), rest, "{named}"),
        "reference" => assert_eq!(text("/reference_id"), rest, "{named}"),
        "total" => assert_eq!(text("/total/major"), rest, "{named}"),
        "reason" => {
            let reason = [text("/status_reason"), text("/reason")].concat();
            assert!(reason.starts_with(rest), "{named}: {reason}");
        }
        "with" => {
            let related = data["related"].as_array().cloned().unwrap_or_default();
            assert!(related.iter().filter_map(Value::as_str).any(|id| is_about(rest, id)), "{named}: {related:?}");
        }
        "conflicts" => {
            let cell = rest.strip_prefix("with ").expect("a conflict names the other deposit");
            let with = data["conflict_with"].as_array().cloned().unwrap_or_default();
            assert!(with.iter().filter_map(Value::as_str).any(|id| is_about(cell, id)), "{named}: {with:?}");
            assert_eq!(data.get("credit"), None, "{named}: nothing may be booked");
        }
        "duplicate" => {
            let cell = rest.strip_prefix("of ").expect("a duplicate names its original");
            assert!(is_about(cell, text("/duplicate_of")), "{named}: {}", text("/duplicate_of"));
        }
        _ => assert_eq!(claim, "", "{named}: unknown word in the last column"),
    }
}

/// The status that a filter sees of a deposit which is confirmed and must not be credited.
fn not_creditable(line: &Line) -> Option<&'static str> {
    let is_conflicting = line.and.iter().any(|claim| claim.starts_with("conflicts "));
    let is_duplicate = line.event.ends_with(".duplicate");
    is_conflicting.then_some("conflicting").or(is_duplicate.then_some("duplicate"))
}

#[test]
fn every_event_is_a_cloudevent_about_its_resource() {
    run(async {
        for (line, delivery) in published().await {
            let text = |pointer: &str| delivery.event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            // The attributes that CloudEvents 1.0 requires.
            assert_eq!(text("/specversion"), "1.0", "{}", line.file);
            assert_eq!(text("/id"), format!("{}#{}", text("/subject"), line.sequence), "{}", line.file);
            assert_eq!(text("/source"), format!("/fundhook/{}", line.resource.feed), "{}", line.file);
            assert!(!text("/type").is_empty(), "{}", line.file);
            // The attributes that Fundhook adds.
            assert!(line.resource.is(text("/subject")), "{}: {}", line.file, text("/subject"));
            assert_eq!(text("/data/resource"), text("/subject"), "{}", line.file);
            assert_eq!(text("/datacontenttype"), "application/json", "{}", line.file);
            assert!(text("/time").parse::<Timestamp>().is_ok(), "{}", text("/time"));
            assert_eq!(text("/sequence").parse(), Ok(line.sequence), "{}", line.file);
            assert_eq!(text("/sequence").len(), 10, "equal lengths make the text order the numeric order");
        }
    });
}

#[test]
fn message_attributes_for_filter_policies_match_the_event() {
    run(async {
        for (line, delivery) in published().await {
            let text = |pointer: &str| delivery.event.pointer(pointer).and_then(Value::as_str);
            let event_type = format!("fundhook.{}", line.event);
            let asset =
                ["amount", "outstanding"].iter().find_map(|name| delivery.event["data"][name]["asset"].as_str());
            let known = [
                ("type", Some(&*event_type)),
                ("kind", Some(line.kind())),
                // A filter for confirmed deposits must not match a duplicate or a conflict.
                ("status", not_creditable(line).or(text("/data/status"))),
                ("provider", Some(line.resource.feed)),
                ("asset", asset.or_else(|| text("/data/asset"))),
                ("network", line.network.or_else(|| text("/data/network/slug"))),
                ("account", text("/data/account")),
                ("reference_id", text("/data/reference_id")),
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
fn the_evidence_of_every_event_contains_the_webhook_and_can_be_verified_again() {
    run(async {
        let platform = Platform::shared().await;
        for (line, delivery) in published().await {
            let evidence = &delivery.event["data"]["evidence"];
            // A recovery has the evidence of its latest fact, and an update that of the status. Each webhook has its own.
            // So has a conflict that another deposit's webhook made.
            let is_others = !line.file.starts_with(line.resource.feed);
            let is_update = line.kind() == "recovery" || line.event.ends_with(".updated") || is_others;
            let stands = !is_update && delivery.event["data"]["late"] == Value::Bool(false);
            let envelope: Envelope = platform.evidence(&pointer(evidence)).await;
            if stands {
                assert_eq!(
                    envelope.body(),
                    webhook(line.file).body,
                    "{}: the archived bytes are the sent bytes",
                    line.file
                );
            }
            let verified = platform.verify_again(&envelope).await.map_err(|why| why.to_string());
            let attestation = verified.expect(line.file).attestation().clone();
            assert_eq!(&attestation, envelope.attestation(), "{}", line.file);
            assert_eq!(evidence["attestation"], serde_json::to_value(&attestation).expect("JSON"), "{}", line.file);
            let class = if envelope.feed().to_string() == "connect" { "asymmetric" } else { "shared_secret" };
            assert_eq!(evidence["attestation"]["class"], class, "{}", line.file);
            assert_eq!(evidence["received_at"], envelope.received_at().to_string(), "{}", line.file);
        }
    });
}

fn pointer(evidence: &Value) -> EvidencePointer {
    serde_json::from_value(evidence["archived"].clone()).expect("a pointer into the archive")
}

#[test]
fn a_text_that_mentions_a_deposit_does_not_change_it() {
    run(async {
        let confirmed = "connect/deposits.confirmed.json";
        let published = published().await.iter().find(|(line, _)| line.file == confirmed);
        let (_, delivery) = published.expect("in the table");
        let id = delivery.text("/subject").parse().expect("a resource's id");
        let resource = Platform::shared().await.resource(&id).await;
        assert_eq!(resource.version(), 3, "not_json.txt mentions {id} but is not a statement about it");
    });
}

#[test]
fn one_reference_finds_all_its_deposits() {
    run(async {
        published().await;
        let platform = Platform::shared().await;
        let found = platform.found_by("by-reference", "reference_id", "abc123").await;
        let natives: BTreeSet<&str> = found.iter().map(|id| id.native()).collect();
        let expected = ["363b5b15-02bd-4797-892f-8baa4eec60d9", "6b83ea08-a78a-4887-8a59-d95e54199cc0"];
        assert_eq!(natives, BTreeSet::from(expected), "the late deposit has the old session's reference");
    });
}
