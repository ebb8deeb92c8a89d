//! Which webhooks are the same fact, and that facts of different organizations are always different.

use std::time::Duration;

use fundhook_domain::{Details, EvidencePointer, FactId, Feed, Provider, ResourceId, Statement, Tenant, Timestamp};
use fundhook_providers::connect::{self, PAYLOAD_TYPE_HEADER, SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER};
use fundhook_providers::{Envelope, ReadingSettings, Webhook, normalise};

use crate::support::samples::Sample;
use crate::support::statements::{only_statement, statements};
use crate::support::{RSA, SIGNED_AT, URL, at, envelope, envelope_of, feed, headers, settings};

const BODY: &[u8] = include_bytes!("../../../../events/connect/deposits.confirmed.json");

#[test]
fn a_facts_id_does_not_depend_on_anything_outside_the_body() {
    let known = only_statement(&envelope(BODY)).content.id;
    let fact = |webhook: Webhook, url: &str, now: Timestamp, received_at: Timestamp, line: u32| -> FactId {
        let settings = Settings { webhook_urls: vec![url.to_owned()], ..settings() };
        let verified = connect::verify(webhook, &feed(), &settings, &RSA.set(), now).expect("verifies");
        let envelope = Envelope::seal(verified, received_at, None);
        normalise(&envelope, EvidencePointer { object: "another".to_owned(), line }, &ReadingSettings::default())
            .remove(0)
            .content
            .id
    };
    let now = at(SIGNED_AT);
    let with = |headers: Vec<(String, String)>| crate::support::request(headers, BODY);

    let received_later = fact(crate::support::webhook(&RSA, BODY), URL, now, now.plus(Duration::from_nanos(250)), 1);
    let signed_later = fact(with(headers(&RSA, SIGNED_AT + 60, BODY)), URL, now, now, 2);
    let mut named_otherwise = headers(&RSA, SIGNED_AT, BODY);
    named_otherwise.retain(|(name, _)| name != "client-id" && name != PAYLOAD_TYPE_HEADER);
    named_otherwise.push((PAYLOAD_TYPE_HEADER.to_owned(), "connect_withdrawal.status_changed".to_owned()));
    let named_otherwise = fact(with(named_otherwise), URL, now, now, 3);
    let elsewhere = "https://fundhook.example/withdrawals";
    let timestamp = SIGNED_AT.to_string();
    let signature = RSA.signature(&timestamp, elsewhere, BODY);
    let sent_elsewhere =
        crate::support::request([(TIMESTAMP_HEADER, &timestamp), (SIGNATURE_HEADER, &signature)], BODY);
    let sent_elsewhere = fact(sent_elsewhere, elsewhere, now, now, 4);
    for (what, fact) in [
        ("received later", received_later),
        ("signed again later", signed_later),
        ("with other headers", named_otherwise),
        ("sent to another URL", sent_elsewhere),
    ] {
        assert_eq!(fact, known, "{what}");
    }

    let in_other_bytes = [BODY, b"\n"].concat();
    assert_ne!(only_statement(&envelope(&in_other_bytes)).content.id, known, "other bytes are another fact");
}

#[test]
fn a_facts_id_is_made_of_its_resource_its_event_name_and_its_body() {
    for sample in Sample::all() {
        for statement in sample.statements() {
            let expected = FactId::of(&statement.resource, &statement.content.event_type, &sample.body);
            assert_eq!(statement.content.id, expected, "{}", sample.name);
        }
    }
}

#[test]
fn the_same_unrecognized_webhook_is_one_resource() {
    for provider in Provider::ALL {
        let resource = |body: &[u8]| only_statement(&envelope_of(&Feed::from(provider), None, body)).resource;
        assert_eq!(resource(b"who knows"), resource(b"who knows"), "{provider}");
        assert_ne!(resource(b"who knows"), resource(b"who knows?"), "{provider}");
    }
}

/// Every resource that `statement` names.
fn named(statement: &Statement) -> Vec<ResourceId> {
    let others = match &statement.content.details {
        Details::Transfer(transfer) => transfer.related.iter().cloned().collect(),
        Details::Recovery(recovery) => recovery.related().into_iter().collect(),
        Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => Vec::new(),
    };
    [vec![statement.resource.clone()], others].concat()
}

#[test]
fn every_resource_that_a_tenants_webhook_names_belongs_to_the_tenant() {
    let acme: Tenant = "acme".parse().expect("a tenant");
    for sample in Sample::all() {
        let tenants = Feed::new(sample.provider, Some(acme.clone()));
        let of_tenant = statements(&envelope_of(&tenants, sample.payload_type(), &sample.body));
        let of_default = sample.statements();
        assert_eq!(of_tenant.len(), of_default.len(), "{}", sample.name);
        for (of_tenant, of_default) in of_tenant.iter().zip(&of_default) {
            for (resource, default) in named(of_tenant).iter().zip(named(of_default)) {
                assert_eq!(resource.feed().tenant(), Some(&acme), "{}: {resource}", sample.name);
                assert_eq!(default.feed().tenant(), None, "{}: {default}", sample.name);
                let provider = default.feed().provider();
                let expected = default.to_string().replacen(provider.as_str(), &format!("{provider}/acme"), 1);
                assert_eq!(resource.to_string(), expected, "{}: nothing else differs", sample.name);
            }
            assert_ne!(
                of_tenant.content.id, of_default.content.id,
                "{}: organizations share no resource or fact",
                sample.name
            );
        }
    }
}
