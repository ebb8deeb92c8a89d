//! Envelopes keep every byte of a webhook, and everything that verifying it again requires.

use fundhook_domain::{EvidenceClass, Feed, NewFact, Provider, Scheme};
use fundhook_providers::{Envelope, EnvelopeError, Headers, Webhook, connect, striga, zerohash};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::samples::Sample;
use crate::support::statements::statements;
use crate::support::{RSA, envelope};

/// `envelope` as it is read from the queue.
fn read_back(envelope: &Envelope) -> Envelope {
    Envelope::from_json(&serde_json::to_string(envelope).expect("JSON")).expect("an envelope")
}

/// The envelope of `sample` in a preview. It is received when the verified one is sent.
fn unverified(sample: &Sample) -> Envelope {
    let feed = Feed::from(sample.provider);
    let payload_type =
        sample.payload_type().or((sample.provider == Provider::Connect).then_some("connect_deposit.status_changed"));
    let payload_type = payload_type.map(|name| ("X-ZH-Hook-Payload-Type", name));
    let headers: Headers = payload_type.into_iter().chain([("x-zh-hook-signature-256", "made up")]).collect();
    let webhook = Webhook { path: format!("/webhooks/{feed}"), headers, body: sample.body.clone() };
    Envelope::unverified(webhook, feed, sample.statements()[0].content.evidence.sent_at())
}

/// The headers `names` that `envelope` kept.
fn kept<'a>(envelope: &'a Envelope, names: &[&'static str]) -> Vec<(&'static str, &'a str)> {
    names.iter().filter_map(|name| Some((*name, envelope.header(name)?))).collect()
}

#[test]
fn an_archived_envelope_of_connect_can_be_verified_again() {
    let body = include_bytes!("../../../../events/connect/odd/non_ascii.json");
    let read = read_back(&crate::support::envelope(body));
    assert_eq!(read.url(), crate::support::URL);
    let webhook =
        crate::support::request(kept(&read, &[connect::TIMESTAMP_HEADER, connect::SIGNATURE_HEADER]), &read.body());
    let settings = connect::Settings { webhook_urls: vec![read.url().to_owned()], ..crate::support::settings() };
    let signed_at = read.attestation().signed_at.expect("the signature covers a time");
    let verified = connect::verify(webhook, read.feed(), &settings, &RSA.set(), signed_at).expect("verifies");
    assert_eq!(verified.attestation(), read.attestation());
    assert_eq!(verified.body(), body);
}

#[test]
fn an_archived_envelope_of_zerohash_can_be_verified_again_and_keeps_its_identifying_headers() {
    let body = include_bytes!("../../../../events/zerohash/fund.success.json");
    let read = read_back(&crate::support::zerohash::envelope(Some("deposit_fund_complete"), body));
    assert_eq!(read.url(), crate::support::zerohash::PATH);
    assert_eq!(read.header(zerohash::PAYLOAD_TYPE_HEADER), Some("deposit_fund_complete"));
    assert!(read.header(zerohash::NOTIFICATION_ID_HEADER).is_some(), "the provider's support needs it");
    let headers = kept(&read, &[zerohash::TIMESTAMP_HEADER, zerohash::SIGNATURE_HEADER]);
    let webhook = crate::support::zerohash::request(headers, &read.body());
    let signed_at = read.attestation().signed_at.expect("the signature covers a time");
    let (settings, secrets) = (crate::support::zerohash::settings(), crate::support::zerohash::secrets());
    let verified = zerohash::verify(webhook, read.feed(), &settings, &secrets, signed_at).expect("verifies");
    assert_eq!(verified.attestation(), read.attestation());
    assert_eq!(verified.body(), body);
}

#[test]
fn an_archived_envelope_of_striga_can_be_verified_again() {
    let body = include_bytes!("../../../../events/striga/deposit.confirmed.json");
    let read = read_back(&crate::support::striga::envelope(body));
    assert_eq!(read.url(), crate::support::striga::PATH);
    let webhook = crate::support::striga::request(kept(&read, &[striga::SIGNATURE_HEADER]), &read.body());
    let verified = striga::verify(webhook, read.feed(), &crate::support::striga::secrets()).expect("verifies");
    assert_eq!(verified.attestation(), read.attestation());
    assert_eq!(verified.body(), body);
}

#[test]
fn an_envelope_keeps_every_byte_of_a_body() {
    let control_characters = "\u{1}\u{0}\u{1f}\"".repeat(100);
    for (what, body, form) in [
        ("text", &br#"{ "event" : "connect.deposits.pending", "deposit" : { "id" : "1" } }"#[..], "text"),
        ("line breaks and blanks", b"\r\n  { a: 1, b: 2, c: 3, d: 4 }\t\n", "text"),
        ("composed and decomposed accents", "Café Café ☕ 日本語 👩‍👩‍👧‍👦 and more".as_bytes(), "text"),
        ("a byte order mark", "\u{feff}{} with something after it".as_bytes(), "text"),
        ("a replacement character that was sent", "\u{fffd} with something after it".as_bytes(), "text"),
        ("nothing", b"", "text"),
        ("Latin-1", b"Z\xfcrich", "base64"),
        ("a surrogate in UTF-8", b"\xed\xa0\x80", "base64"),
        ("a sequence cut short", b"{\"a\":\"\xf0\x9f\x92", "base64"),
        ("control characters, six times as long when escaped", control_characters.as_bytes(), "base64"),
        ("only quotes", &[b'"'; 300], "base64"),
        ("every byte twice", &(0..=255).chain(0..=255).collect::<Vec<u8>>(), "base64"),
    ] {
        let sealed = envelope(body);
        assert_eq!(sealed.body().as_ref(), body, "{what}");
        let json = serde_json::to_string(&sealed).expect("JSON");
        let members: Value = serde_json::from_str(&json).expect("JSON");
        assert!(members["body"].get(form).is_some(), "{what} is kept as {form}: {}", members["body"]);
        let read = Envelope::from_json(&json).expect(what);
        assert_eq!(read.body().as_ref(), body, "{what}");
        assert_eq!(read, sealed, "{what}");
    }
}

#[test]
fn a_message_that_is_not_an_envelope_of_this_version_is_rejected() {
    let good = serde_json::to_value(envelope(b"\xff")).expect("JSON");
    let read = |changes: Value| Envelope::from_json(&crate::support::changed(good.clone(), &changes).to_string());
    read(json!({})).expect("an envelope");
    assert!(matches!(read(json!({ "v": 2 })), Err(EnvelopeError::Version(2))));
    assert!(matches!(read(json!({ "body": { "base64": "*" } })), Err(EnvelopeError::Body(_))));
    for changes in [
        json!({ "feed": "unknown" }),
        json!({ "feed": "connect/" }),
        json!({ "feed": null }),
        json!({ "body": "text" }),
        json!({ "url": null }),
        json!({ "v": -1 }),
    ] {
        assert!(matches!(read(changes.clone()), Err(EnvelopeError::Shape(_))), "{changes}");
    }
}

#[test]
fn an_unverified_envelope_has_the_statements_of_a_verified_one() {
    for sample in Sample::all() {
        let envelope = unverified(&sample);
        assert_eq!(envelope.body().as_ref(), sample.body, "{}", sample.name);
        let unverified = statements(&envelope);
        let verified = sample.statements();
        assert_eq!(unverified.len(), verified.len(), "{}", sample.name);
        for (mut unverified, verified) in unverified.into_iter().zip(verified) {
            let attestation = &unverified.content.evidence.attestation;
            assert_eq!((attestation.scheme, attestation.class), (Scheme::Unverified, EvidenceClass::Unverified));
            assert_eq!((attestation.key.as_str(), attestation.signed_at), ("none", None));
            unverified.content.evidence = verified.content.evidence.clone();
            unverified.content.reading.at = verified.content.reading.at;
            assert_eq!(unverified, verified, "{}", sample.name);
        }
    }
}

#[test]
fn an_unverified_envelope_cannot_pass_a_queue_and_neither_can_its_statements() {
    let verified = serde_json::to_value(envelope(b"{}")).expect("JSON");
    for member in ["scheme", "class"] {
        let attestation = crate::support::changed(verified["attestation"].clone(), &json!({ member: "unverified" }));
        let json = crate::support::changed(verified.clone(), &json!({ "attestation": attestation })).to_string();
        assert!(matches!(Envelope::from_json(&json), Err(EnvelopeError::Shape(_))), "{json}");
    }
    for sample in Sample::all() {
        let envelope = unverified(&sample);
        let json = serde_json::to_string(&envelope).expect("JSON");
        assert!(matches!(Envelope::from_json(&json), Err(EnvelopeError::Shape(_))), "{json}");
        for statement in statements(&envelope) {
            let message = NewFact::from(statement).to_message().expect("JSON");
            assert!(NewFact::from_message(&message).is_err(), "{message}");
        }
    }
}

#[test]
fn the_envelope_of_the_largest_webhook_fits_into_a_queue_message() {
    const QUEUE_MESSAGE_BYTES_MAX: usize = 1024 * 1024;
    const BODY_BYTES_MAX: usize = 256 * 1024;
    for filler in ["x", "\u{1}", "\"", "ü", "{\"a\":[0]},"] {
        let mut body = filler.repeat(BODY_BYTES_MAX / filler.len()).into_bytes();
        body.resize(BODY_BYTES_MAX, b'!');
        let envelope = serde_json::to_string(&envelope(&body)).expect("JSON");
        assert!(envelope.len() < QUEUE_MESSAGE_BYTES_MAX / 2, "{filler:?}: {} bytes", envelope.len());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_kept_and_have_the_same_statements(body in prop::collection::vec(any::<u8>(), 0..600)) {
        let sealed = envelope(&body);
        let read = read_back(&sealed);
        prop_assert!(read.body() == body.as_slice());
        prop_assert_eq!(&read, &sealed);
        prop_assert_eq!(statements(&read).len(), 1);
        prop_assert_eq!(statements(&read), statements(&sealed));
    }

    #[test]
    fn any_text_is_kept_and_its_envelope_is_never_much_longer(body in "(\\{|\")?[\\x00-\\u{7ff}\"\\\\]{0,300}") {
        let sealed = envelope(body.as_bytes());
        let json = serde_json::to_string(&sealed).expect("JSON");
        prop_assert!(json.len() <= body.len().div_ceil(3) * 4 + 1200, "{} bytes for {}", json.len(), body.len());
        prop_assert!(Envelope::from_json(&json).expect("an envelope").body() == body.as_bytes());
    }
}
