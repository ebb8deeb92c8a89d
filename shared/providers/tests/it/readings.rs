//! Readings: the settings that webhooks are read with are part of a statement's reading and not of its fact's id.

use std::collections::BTreeMap;

use fundhook_domain::{Backfill, FeeBearer, HoldReason, Reading, Statement};
use fundhook_providers::{Envelope, IdKey, REVISION, ReadingSettings, ReasonMeaning};
use serde_json::json;

use crate::support::samples::Sample;
use crate::support::statements::{outcome, statements_with};
use crate::support::zerohash;

fn all_settings() -> Vec<ReadingSettings> {
    let bearer = |bearer| ReadingSettings { deposit_fees_borne_by: Some(bearer), ..ReadingSettings::default() };
    let codes = |codes: &[(&str, ReasonMeaning)]| ReadingSettings {
        reason_codes: codes.iter().map(|(code, meaning)| ((*code).to_owned(), *meaning)).collect(),
        ..ReadingSettings::default()
    };
    vec![
        ReadingSettings::default(),
        bearer(FeeBearer::Customer),
        bearer(FeeBearer::Platform),
        codes(&[("A", ReasonMeaning::Processed)]),
        codes(&[("A", ReasonMeaning::Expired)]),
        codes(&[("B", ReasonMeaning::Processed)]),
        codes(&[("A", ReasonMeaning::Processed), ("B", ReasonMeaning::Held(HoldReason::NotConverted))]),
        ReadingSettings {
            deposit_fees_borne_by: Some(FeeBearer::Customer),
            reason_codes: BTreeMap::from([("A".to_owned(), ReasonMeaning::Processed)]),
            ..ReadingSettings::default()
        },
    ]
}

#[test]
fn the_same_bytes_are_one_fact_and_another_reading_under_every_setting_that_matters() {
    for sample in Sample::all() {
        let read: Vec<Vec<Statement>> =
            all_settings().iter().map(|settings| statements_with(&sample.envelope(), settings)).collect();
        for (at, one) in read.iter().enumerate() {
            for (first, statement) in read[0].iter().zip(one) {
                assert_eq!(first.content.id, statement.content.id, "{}", sample.name);
                assert_eq!(first.resource, statement.resource, "{}", sample.name);
                let Reading { at: received, revision, settings } = &statement.content.reading;
                assert_eq!((*received, *revision), (statement.content.evidence.received_at, REVISION));
                // Only fund transactions depend on a setting; what does not has one reading under all of them.
                let depends = statement.content.event_type == "deposit_fund_complete";
                assert_eq!(settings.is_empty(), at == 0 || !depends, "the defaults have an empty digest");
                assert!(settings.len() == 16 || settings.is_empty());
                let known = |other: &Vec<Statement>| other[0].content.reading.settings == *settings;
                assert!(!depends || !read[..at].iter().any(known), "{}: two settings have one digest", sample.name);
            }
        }
    }
}

#[test]
fn a_setting_changes_what_is_stated_and_nothing_of_the_facts_id() {
    let body = json!({
        "fund_id": "f-1", "participant_code": "C", "fund_asset": "USDC", "quoted_currency": "USD", "quantity": "500",
        "rate": "1", "notional": "500", "deposit_fee_notional": "5", "success": true, "status_reason_code": "A",
    });
    let envelope = zerohash::envelope(None, body.to_string().as_bytes());
    let read = all_settings().iter().map(|settings| statements_with(&envelope, settings).remove(0)).collect::<Vec<_>>();
    let outcomes: Vec<String> = read.iter().map(outcome).collect();
    let (unknown, expired) = ("held: unknown_reason", "held: unknown_reason");
    let open = "held: fee_bearer_unknown";
    assert_eq!(outcomes, [unknown, unknown, unknown, open, expired, unknown, open, "confirmed"]);
    assert!(read.iter().all(|statement| statement.content.id == read[0].content.id));
}

#[test]
fn the_key_of_ids_changes_ids_and_is_told_by_no_reading() {
    let settings =
        |secret: &str| ReadingSettings { id_key: IdKey::new(&secret.to_owned().into()), ..ReadingSettings::default() };
    for sample in Sample::all() {
        let [first, again, other] =
            ["one", "one", "two"].map(|secret| statements_with(&sample.envelope(), &settings(secret)));
        assert_eq!(first, again, "{}: the same body has the same id", sample.name);
        for (one, another) in first.iter().zip(&other) {
            let is_digest =
                ["balance", "recovery"].contains(&one.resource.kind().as_str()) || sample.name == "deposit_failed";
            assert_eq!(one.resource != another.resource, is_digest, "{}: {}", sample.name, one.resource);
            assert_eq!(one.content.reading, another.content.reading, "{}", sample.name);
        }
        assert!(!format!("{:?}", settings("a secret")).contains("a secret"));
    }
}

#[test]
fn a_replayed_webhook_is_the_same_webhook_in_a_newer_reading_whatever_its_settings() {
    for sample in Sample::all() {
        let (received, at) = (sample.envelope(), "2030-01-01T00:00:00Z".parse().expect("a time"));
        let replayed = Envelope::from_json(&serde_json::to_string(&received.clone().replayed(at)).expect("JSON"));
        let replayed = replayed.expect("it passes a queue");
        assert_eq!(replayed.correlation_id(), received.correlation_id(), "{}", sample.name);
        assert_eq!(replayed.clone().as_received(), received, "{}", sample.name);
        for settings in all_settings() {
            let (first, again) = (statements_with(&received, &settings), statements_with(&replayed, &settings));
            for (mut one, another) in first.into_iter().zip(again) {
                assert!(another.content.reading.at > one.content.reading.at, "{}", sample.name);
                one.content.reading.at = at;
                assert_eq!(one, another, "{}: nothing else differs", sample.name);
            }
        }
    }
}

#[test]
fn what_a_backfill_reads_says_so_and_is_otherwise_the_same_row() {
    for backfill in [Backfill::Published, Backfill::RecordedOnly] {
        for sample in Sample::all() {
            let regular = sample.envelope();
            let marked = Envelope::from_json(&serde_json::to_string(&regular.clone().read_by(backfill)).expect("JSON"));
            let marked = marked.expect("it passes a queue");
            assert_eq!(marked.backfilled(), Some(backfill), "{}", sample.name);
            assert_eq!(marked.correlation_id(), regular.correlation_id(), "{}", sample.name);
            let settings = ReadingSettings::default();
            let (first, again) = (statements_with(&regular, &settings), statements_with(&marked, &settings));
            for (mut one, another) in first.into_iter().zip(again) {
                one.content.evidence.backfilled = Some(backfill);
                assert_eq!(one, another, "{}: nothing else differs", sample.name);
            }
        }
    }
}
