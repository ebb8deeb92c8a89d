//! When a Striga webhook is accepted, and each way in which one is rejected. Striga signs no time; a replay has no
//! effect because the same body is the same fact.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Attestation, EvidenceClass, Feed, Scheme};
use fundhook_providers::striga::{SIGNATURE_HEADER, verify};
use fundhook_providers::{Envelope, Rejection, Secrets, Webhook};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::striga::{PREVIOUS_SECRET, SECRET, feed, request, secrets, webhook};
use crate::support::zerohash::{secrets_of, shared};
use crate::support::{SIGNED_AT, at, text};

const BODY: &[u8] = br#"{"type":"ON_CHAIN_DEPOSIT_PENDING","id":"1","timestamp":"2024-09-10T12:05:39.448Z"}"#;

fn verified(webhook: Webhook) -> Result<Attestation, Rejection> {
    verified_with(webhook, &secrets())
}

fn verified_with(webhook: Webhook, secrets: &Secrets) -> Result<Attestation, Rejection> {
    let verified = verify(webhook, &feed(), secrets);
    verified.map(|verified| verified.attestation().clone()).map_err(|(_, rejection)| rejection)
}

/// `BODY` with `signature` in its header.
fn with(signature: &str) -> Webhook {
    request([(SIGNATURE_HEADER, signature)], BODY)
}

#[test]
fn signatures_made_by_python_verify() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/striga-signatures.json")).expect("JSON");
    let signatures = vectors["signatures"].as_array().expect("an array");
    assert_eq!(signatures.len(), 4);
    let secret = text(&vectors, "secret");
    let secrets = secrets_of(&json!({ "current": secret }));
    for vector in signatures {
        let what = text(vector, "what");
        let body = BASE64_STANDARD.decode(text(vector, "body_base64")).expect("base64");
        verified_with(request([(SIGNATURE_HEADER, text(vector, "signature"))], &body), &secrets).expect(what);
        // The tests' own signatures equal those of Python.
        assert_eq!(shared(secret).sign(&body), text(vector, "signature"), "{what}");
    }
}

#[test]
fn an_attestation_has_the_scheme_and_no_time() {
    let attestation = verified(webhook(BODY)).expect("verifies");
    assert_eq!(attestation.scheme, Scheme::StrigaHmacSha256);
    assert_eq!((attestation.class, attestation.signed_at), (EvidenceClass::SharedSecret, None));
    // The first 16 digits of the HMAC-SHA256 of a fixed text, computed with Python.
    assert_eq!(attestation.key, "hmac:63613bb3305c6a1e");
    assert!(!attestation.token_verified);
}

#[test]
fn a_verified_webhook_belongs_to_the_feed_that_it_was_verified_for() {
    for name in ["striga", "striga/acme"] {
        let feed: Feed = name.parse().expect(name);
        let envelope = Envelope::seal(verify(webhook(BODY), &feed, &secrets()).expect("verifies"), at(SIGNED_AT), None);
        assert_eq!((envelope.feed(), envelope.url()), (&feed, "/webhooks/striga/tx"));
    }
}

#[test]
fn an_hmac_is_read_in_small_and_capital_letters_and_must_be_complete() {
    let good = shared(SECRET).sign(BODY);
    for signature in [good.clone(), good.to_uppercase(), format!(" {good}\t")] {
        verified(with(&signature)).expect(&signature);
    }
    for (what, signature) in [
        ("half of it", good[..32].to_owned()),
        ("a byte less", good[..62].to_owned()),
        ("a byte more", format!("{good}00")),
        ("twice", format!("{good}{good}")),
        ("zeros", "0".repeat(64)),
        ("by another secret", shared(PREVIOUS_SECRET).sign(BODY)),
        ("of another body", shared(SECRET).sign(b"{}")),
        // The provider's sample code signs the body after parsing and serialising it. Only the received bytes count.
        ("of the same JSON in other bytes", shared(SECRET).sign(&[BODY, b"\n"].concat())),
    ] {
        assert_eq!(verified(with(&signature)), Err(Rejection::SignatureUnverified), "{what}");
    }
    for (what, signature) in [
        ("an odd number of digits", good[..63].to_owned()),
        ("base64", BASE64_STANDARD.encode(hex::decode(&good).expect("hex"))),
        ("a name before it", format!("sha256={good}")),
        ("two of them", format!("{good},{good}")),
        ("not ASCII", "é".repeat(32)),
    ] {
        let rejected = verified(with(&signature));
        assert!(
            matches!(&rejected, Err(Rejection::HeaderMalformed { name, .. }) if name == SIGNATURE_HEADER),
            "{what}: {rejected:?}"
        );
    }
}

#[test]
fn a_secret_verifies_while_it_is_the_current_or_the_previous_one() {
    for (what, entry, believed) in [
        ("before a change", json!({ "current": PREVIOUS_SECRET }), [false, true]),
        ("during it", json!({ "current": SECRET, "previous": PREVIOUS_SECRET }), [true, true]),
        ("after it", json!({ "current": SECRET }), [true, false]),
    ] {
        for (secret, believed) in [SECRET, PREVIOUS_SECRET].into_iter().zip(believed) {
            let outcome = verified_with(with(&shared(secret).sign(BODY)), &secrets_of(&entry));
            let expected =
                if believed { Ok(shared(secret).name().to_owned()) } else { Err(Rejection::SignatureUnverified) };
            assert_eq!(outcome.map(|attestation| attestation.key), expected, "{what}");
        }
    }
}

#[test]
fn a_public_key_cannot_verify_an_hmac() {
    let public = secrets_of(&json!({ "rsa_public_keys": [include_str!("../keys/test-key-rsa-2048.pub.pem")] }));
    let rejected = verified_with(webhook(BODY), &public).expect_err("no secret");
    assert_eq!(rejected, Rejection::NoKeyForScheme { header: SIGNATURE_HEADER.to_owned() });
    assert!(rejected.may_be_a_new_key());
}

#[test]
fn a_signature_that_is_missing_empty_blank_or_repeated_is_named() {
    let missing = Err(Rejection::HeaderMissing(SIGNATURE_HEADER.to_owned()));
    assert_eq!(verified(request([("x-signature", "00")], BODY)), missing);
    for blank in ["", " ", "\t"] {
        assert_eq!(verified(with(blank)), missing, "{blank:?}");
    }
    let good = shared(SECRET).sign(BODY);
    for spelling in ["signature", "Signature", "SIGNATURE"] {
        verified(request([(spelling, &good)], BODY)).expect(spelling);
        let twice = request([(SIGNATURE_HEADER, &good), (spelling, &good)], BODY);
        assert_eq!(verified(twice), Err(Rejection::HeaderRepeated(SIGNATURE_HEADER.to_owned())), "{spelling}");
    }
}

#[test]
fn a_change_of_any_byte_of_the_body_or_of_the_signature_is_detected() {
    let flipped = |bytes: &[u8], index: usize| {
        let mut bytes = bytes.to_vec();
        bytes[index] ^= 1;
        bytes
    };
    for index in 0..BODY.len() {
        let changed = Webhook { body: flipped(BODY, index), ..webhook(BODY) };
        assert_eq!(verified(changed), Err(Rejection::SignatureUnverified), "byte {index} of the body");
    }
    let signature = hex::decode(shared(SECRET).sign(BODY)).expect("hex");
    for index in 0..signature.len() {
        let changed = with(&hex::encode(flipped(&signature, index)));
        assert_eq!(verified(changed), Err(Rejection::SignatureUnverified), "byte {index} of the signature");
    }
}

#[test]
fn a_replay_verifies_and_is_the_same_fact() {
    let fact = |received_at| {
        let verified = verify(webhook(BODY), &feed(), &secrets()).expect("verifies");
        crate::support::statements::only_statement(&Envelope::seal(verified, at(received_at), None)).content.id
    };
    assert_eq!(fact(SIGNED_AT), fact(SIGNED_AT + 31_557_600));
}

#[test]
fn a_rejected_webhook_is_returned_unchanged_for_another_try_with_newer_secrets() {
    let older = secrets_of(&json!({ "current": PREVIOUS_SECRET }));
    let (returned, rejection) = verify(webhook(BODY), &feed(), &older).expect_err("another secret");
    assert_eq!(returned, webhook(BODY));
    assert!(rejection.may_be_a_new_key());
    verified(returned).expect("verifies with the newer secret");
}

proptest! {
    #[test]
    fn no_header_makes_verification_panic_or_succeed(signature in ".*|[0-9a-fA-F]{64}") {
        prop_assert!(verified(with(&signature)).is_err());
    }
}
