//! When a Connect webhook is accepted, and each way in which one is rejected.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, Engine as _};
use fundhook_domain::{EvidenceClass, Feed, Scheme, Timestamp};
use fundhook_providers::connect::{self, SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER, signed_message};
use fundhook_providers::{Envelope, KeySet, Rejection, VerifiedWebhook, Webhook};
use jsonwebtoken::Algorithm;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    ED25519, P256, RSA, RSA_NEXT, SIGNED_AT, TOLERANCE, TestKey, URL, at, feed, headers, key_set, settings, text,
};

const BODY: &[u8] = br#"{"event":"connect.deposits.pending","deposit":{"id":"1"}}"#;

/// The result of verifying `webhook` at the time of its signature, with the default settings and the key set of `RSA`.
fn verify(webhook: Webhook) -> Result<VerifiedWebhook, Rejection> {
    verify_with(webhook, &settings(), &RSA.set(), at(SIGNED_AT))
}

fn verify_with(
    webhook: Webhook,
    settings: &Settings,
    keys: &KeySet,
    now: Timestamp,
) -> Result<VerifiedWebhook, Rejection> {
    connect::verify(webhook, &feed(), settings, keys, now).map_err(|(_, rejection)| rejection)
}

/// `BODY` with `timestamp` and `signature` as headers; the other headers are valid.
fn request(timestamp: &str, signature: &str) -> Webhook {
    crate::support::request([(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature)], BODY)
}

/// `BODY`, signed by `key` with `algorithm`.
fn signed_with(key: &TestKey, algorithm: Algorithm) -> Webhook {
    let timestamp = SIGNED_AT.to_string();
    let signature = key.sign(algorithm, &signed_message(&timestamp, URL, BODY));
    request(&timestamp, &BASE64_STANDARD.encode(signature))
}

fn is_malformed(outcome: &Result<VerifiedWebhook, Rejection>, header: &str) -> bool {
    matches!(outcome, Err(Rejection::HeaderMalformed { name, .. }) if name == header)
}

#[test]
fn signatures_made_by_openssl_verify() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/connect-signatures.json")).expect("JSON");
    let signatures = vectors["signatures"].as_array().expect("an array");
    assert_eq!(signatures.len(), 3);
    for vector in signatures {
        let [what, timestamp, url, signature] =
            ["what", "timestamp", "url", "signature"].map(|name| text(vector, name));
        let body = BASE64_STANDARD.decode(text(vector, "body_base64")).expect("base64");
        let webhook = crate::support::request([(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature)], &body);
        let settings = Settings { webhook_urls: vec![url.to_owned()], ..settings() };
        let now = at(timestamp.parse().expect("seconds"));
        let verified = verify_with(webhook, &settings, &RSA.set(), now).expect(what);
        assert_eq!(verified.body(), body, "{what}");
        assert_eq!(verified.attestation().key, vectors["key_thumbprint"], "{what}");
        // The scheme is deterministic, so the tests' own signatures equal those of openssl.
        assert_eq!(RSA.signature(timestamp, url, &body), signature, "{what}");
    }
}

#[test]
fn an_attestation_has_key_time_and_scheme() {
    let verified = verify(crate::support::webhook(&RSA, BODY)).expect("verifies");
    let attestation = verified.attestation();
    assert_eq!(attestation.scheme, Scheme::ConnectRsaSha256);
    assert_eq!(attestation.class, EvidenceClass::Asymmetric);
    assert_eq!(attestation.key, RSA.set().keys()[0].thumbprint());
    assert_eq!(attestation.signed_at, Some(at(SIGNED_AT)));
    assert!(!attestation.token_verified);
}

#[test]
fn a_verified_webhook_belongs_to_the_feed_that_it_was_verified_for() {
    for name in ["connect", "connect/acme"] {
        let feed: Feed = name.parse().expect(name);
        let webhook = crate::support::webhook(&RSA, BODY);
        let verified = connect::verify(webhook, &feed, &settings(), &RSA.set(), at(SIGNED_AT)).expect("verifies");
        assert_eq!(Envelope::seal(verified, at(SIGNED_AT), None).feed(), &feed);
    }
}

#[test]
fn a_required_header_that_is_missing_empty_or_blank_is_named() {
    for needed in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
        for left in [None, Some(""), Some(" "), Some("\t ")] {
            let mut sent = headers(&RSA, SIGNED_AT, BODY);
            sent.retain_mut(|(name, value)| {
                if name == needed {
                    *value = left.unwrap_or_default().to_owned();
                }
                name != needed || left.is_some()
            });
            let rejected = verify(crate::support::request(sent, BODY));
            assert_eq!(rejected, Err(Rejection::HeaderMissing(needed.to_owned())), "{left:?}");
        }
    }
}

#[test]
fn a_repeated_header_is_rejected_even_with_the_same_value() {
    for needed in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
        for spelling in [needed.to_owned(), needed.to_uppercase()] {
            let mut sent = headers(&RSA, SIGNED_AT, BODY);
            let value = sent.iter().find(|(name, _)| name == needed).expect("is sent").1.clone();
            sent.push((spelling.clone(), value));
            let rejected = verify(crate::support::request(sent, BODY));
            assert_eq!(rejected, Err(Rejection::HeaderRepeated(needed.to_owned())), "{spelling}");
        }
    }
}

#[test]
fn headers_that_the_signature_does_not_require_may_be_missing_or_arbitrary() {
    for (name, value) in [("client-id", "anyone"), ("x-zh-hook-payload-type", "anything"), ("host", "evil.example")] {
        let mut sent = headers(&RSA, SIGNED_AT, BODY);
        sent.retain(|(known, _)| known != name);
        verify(crate::support::request(sent.iter().cloned(), BODY)).expect("without it");
        sent.extend([(name.to_owned(), value.to_owned()), (name.to_owned(), value.to_owned())]);
        verify(crate::support::request(sent, BODY)).expect("with another, twice");
    }
}

#[test]
fn header_names_are_case_insensitive_and_values_are_trimmed() {
    for spell in [str::to_uppercase, str::to_lowercase] {
        let sent =
            headers(&RSA, SIGNED_AT, BODY).into_iter().map(|(name, value)| (spell(&name), format!(" {value}\t")));
        let webhook = crate::support::request(sent, BODY);
        let envelope = Envelope::seal(verify(webhook).expect("verifies"), at(SIGNED_AT), None);
        assert_eq!(envelope.header(TIMESTAMP_HEADER), Some(SIGNED_AT.to_string().as_str()));
        assert_eq!(envelope.header("client-id"), Some("Connect"));
    }
}

#[test]
fn a_timestamp_that_is_not_whole_seconds_is_malformed() {
    for timestamp in [
        "+1760484866",
        "-1760484866",
        "1760484866.0",
        "1760484866,1760484866",
        "1760484866s",
        "1.760484866e9",
        "0x68EF1382",
        "1760484866 1",
        "١٧٦٠٤٨٤٨٦٦",
        "2025-10-14T23:34:26Z",
        "1760484866000",       // milliseconds: the year 57757
        "1760484866000000000", // nanoseconds
        "99999999999999999999999999",
    ] {
        // The signature covers this text, so the form is the reason.
        let rejected = verify(request(timestamp, &RSA.signature(timestamp, URL, BODY)));
        assert!(is_malformed(&rejected, TIMESTAMP_HEADER), "{timestamp:?}: {rejected:?}");
    }
}

#[test]
fn a_signature_that_is_not_standard_base64_is_malformed() {
    let timestamp = SIGNED_AT.to_string();
    let bytes = RSA.sign(Algorithm::RS256, &signed_message(&timestamp, URL, BODY));
    let good = BASE64_STANDARD.encode(&bytes);
    let base64url = BASE64_URL_SAFE.encode(&bytes);
    assert_ne!(base64url, good, "the signature has a character that differs between the alphabets");
    for (what, signature) in [
        ("base64url", base64url),
        ("hex", format!("0x{}", "ab".repeat(256))),
        ("a character outside the alphabet", format!("!{}", &good[1..])),
        ("a blank inside", format!("{} {}", &good[..100], &good[100..])),
        ("truncated within a group of four", good[..good.len() - 3].to_owned()),
        ("too much padding", format!("{good}=")),
        ("too little padding", good[..good.len() - 1].to_owned()),
        ("two of them", format!("{good},{good}")),
    ] {
        let rejected = verify(request(&timestamp, &signature));
        assert!(is_malformed(&rejected, SIGNATURE_HEADER), "{what}: {rejected:?}");
    }
}

#[test]
fn a_signature_is_read_with_and_without_padding() {
    let timestamp = SIGNED_AT.to_string();
    let bytes = RSA.sign(Algorithm::RS256, &signed_message(&timestamp, URL, BODY));
    for signature in [BASE64_STANDARD.encode(&bytes), BASE64_STANDARD_NO_PAD.encode(&bytes)] {
        verify(request(&timestamp, &signature)).expect(&signature);
    }
}

#[test]
fn a_signature_of_another_length_or_content_does_not_verify() {
    let timestamp = SIGNED_AT.to_string();
    let good = RSA.sign(Algorithm::RS256, &signed_message(&timestamp, URL, BODY));
    for (what, signature) in [
        ("a byte too short", good[..255].to_vec()),
        ("without its first byte", good[1..].to_vec()),
        ("a zero byte before it", [&[0], good.as_slice()].concat()),
        ("a zero byte after it", [good.as_slice(), &[0]].concat()),
        ("all zeros", vec![0; 256]),
        ("the number one", [vec![0; 255], vec![1]].concat()),
        ("all ones", vec![0xff; 256]),
        ("one byte", vec![0]),
    ] {
        let rejected = verify(request(&timestamp, &BASE64_STANDARD.encode(signature)));
        assert_eq!(rejected, Err(Rejection::SignatureUnverified), "{what}");
    }
}

#[test]
fn a_change_of_any_byte_of_the_signed_parts_or_of_the_signature_is_detected() {
    let timestamp = SIGNED_AT.to_string();
    let signature = RSA.sign(Algorithm::RS256, &signed_message(&timestamp, URL, BODY));
    let flipped = |bytes: &[u8], index: usize| {
        let mut bytes = bytes.to_vec();
        bytes[index] ^= 1;
        bytes
    };
    let encoded = BASE64_STANDARD.encode(&signature);
    for index in 0..BODY.len() {
        let webhook = Webhook { body: flipped(BODY, index), ..request(&timestamp, &encoded) };
        assert_eq!(verify(webhook), Err(Rejection::SignatureUnverified), "byte {index} of the body");
    }
    for index in 0..signature.len() {
        let webhook = request(&timestamp, &BASE64_STANDARD.encode(flipped(&signature, index)));
        assert_eq!(verify(webhook), Err(Rejection::SignatureUnverified), "byte {index} of the signature");
    }
    for index in 0..timestamp.len() {
        let other = String::from_utf8(flipped(timestamp.as_bytes(), index)).expect("digits");
        let now = at(other.parse().expect("seconds"));
        let rejected = verify_with(request(&other, &encoded), &settings(), &RSA.set(), now);
        assert_eq!(rejected, Err(Rejection::SignatureUnverified), "digit {index} of the timestamp");
    }
    for index in 0..URL.len() {
        let other = String::from_utf8(flipped(URL.as_bytes(), index)).expect("ASCII");
        let settings = Settings { webhook_urls: vec![other], ..settings() };
        let rejected = verify_with(request(&timestamp, &encoded), &settings, &RSA.set(), at(SIGNED_AT));
        assert_eq!(rejected, Err(Rejection::SignatureUnverified), "character {index} of the URL");
    }
}

#[test]
fn added_and_removed_bytes_are_detected() {
    for body in [&b""[..], &BODY[1..], &BODY[..BODY.len() - 1], &[BODY, b"\n"].concat(), &[b" ", BODY].concat()] {
        let webhook = Webhook { body: body.to_vec(), ..crate::support::webhook(&RSA, BODY) };
        assert_eq!(verify(webhook), Err(Rejection::SignatureUnverified));
    }
}

#[test]
fn a_timestamp_with_leading_zeros_verifies_only_in_its_signed_form() {
    let padded = format!("0{SIGNED_AT}");
    verify(request(&padded, &RSA.signature(&padded, URL, BODY))).expect("as signed");
    let rejected = verify(request(&padded, &RSA.signature(&SIGNED_AT.to_string(), URL, BODY)));
    assert_eq!(rejected, Err(Rejection::SignatureUnverified));
}

#[test]
fn a_timestamp_may_differ_by_at_most_the_tolerance() {
    let nanosecond = Duration::from_nanos(1);
    let tolerance = TOLERANCE.as_secs().cast_signed();
    // A nanosecond before the instant `seconds`.
    let before = |seconds| at(seconds - 1).plus(Duration::from_secs(1) - nanosecond);
    let verified_at = |now| verify_with(crate::support::webhook(&RSA, BODY), &settings(), &RSA.set(), now).map(|_| ());

    assert_eq!(verified_at(at(SIGNED_AT + tolerance)), Ok(()));
    let by = TOLERANCE + nanosecond;
    let too_old = Rejection::TimestampTooOld { by, allowed: TOLERANCE };
    assert_eq!(verified_at(at(SIGNED_AT + tolerance).plus(nanosecond)), Err(too_old));

    assert_eq!(verified_at(at(SIGNED_AT - tolerance)), Ok(()));
    let in_future = Rejection::TimestampInFuture { by, allowed: TOLERANCE };
    assert_eq!(verified_at(before(SIGNED_AT - tolerance)), Err(in_future));
}

#[test]
fn a_signature_by_another_key_is_rejected() {
    assert_eq!(verify(crate::support::webhook(&RSA_NEXT, BODY)), Err(Rejection::SignatureUnverified));
}

#[test]
fn a_key_is_trusted_while_it_is_in_the_set() {
    let sets = [
        ("before a rotation", key_set(&[RSA.jwk()]), [true, false]),
        ("while both are published", key_set(&[RSA_NEXT.jwk(), RSA.jwk()]), [true, true]),
        ("after it", key_set(&[RSA_NEXT.jwk()]), [false, true]),
    ];
    for (what, set, believed) in sets {
        for (key, believed) in [&RSA, &RSA_NEXT].into_iter().zip(believed) {
            let verified = verify_with(crate::support::webhook(key, BODY), &settings(), &set, at(SIGNED_AT));
            let signer = key.set().keys()[0].thumbprint().to_owned();
            let expected = if believed { Ok(signer) } else { Err(Rejection::SignatureUnverified) };
            assert_eq!(verified.map(|verified| verified.attestation().key.clone()), expected, "{what}");
        }
    }
}

#[test]
fn each_registered_url_verifies_and_the_envelope_names_it() {
    let (deposits, withdrawals) = ("https://fundhook.example/d", "https://fundhook.example/w");
    let timestamp = SIGNED_AT.to_string();
    for registered in [[deposits, withdrawals], [withdrawals, deposits]] {
        let settings = Settings { webhook_urls: registered.map(str::to_owned).to_vec(), ..settings() };
        let sent_to = |url| {
            let webhook = request(&timestamp, &RSA.signature(&timestamp, url, BODY));
            verify_with(webhook, &settings, &RSA.set(), at(SIGNED_AT))
        };
        for url in [deposits, withdrawals] {
            let verified = sent_to(url).expect(url);
            assert_eq!(Envelope::seal(verified, at(SIGNED_AT), None).url(), url);
        }
        for url in [URL, "https://fundhook.example/d/", "http://fundhook.example/d", "https://FUNDHOOK.example/d", ""] {
            assert_eq!(sent_to(url), Err(Rejection::SignatureUnverified), "{url:?}");
        }
    }
}

#[test]
fn only_pkcs1_with_sha256_is_a_request_signature() {
    let every_key = [RSA.jwk_with(&json!({ "alg": null })), P256.jwk(), ED25519.jwk()];
    for (key, algorithm, believed) in [
        (&RSA, Algorithm::RS256, true),
        (&RSA, Algorithm::PS256, false),
        (&RSA, Algorithm::RS384, false),
        (&RSA, Algorithm::RS512, false),
        (&P256, Algorithm::ES256, false),
        (&ED25519, Algorithm::EdDSA, false),
    ] {
        let verified = verify_with(signed_with(key, algorithm), &settings(), &key_set(&every_key), at(SIGNED_AT));
        let expected = if believed { Ok(()) } else { Err(Rejection::SignatureUnverified) };
        assert_eq!(verified.map(|_| ()), expected, "{algorithm:?}");
    }
}

#[test]
fn a_key_published_for_another_use_verifies_no_request() {
    for (changes, believed) in [
        (json!({ "alg": "RS256", "use": "sig" }), true),
        (json!({ "alg": null, "use": null }), true),
        (json!({ "use": "enc" }), false),
        (json!({ "use": "SIG" }), false),
        (json!({ "use": "" }), false),
        (json!({ "alg": "PS256" }), false),
        (json!({ "alg": "RS384" }), false),
        (json!({ "alg": "RS512" }), false),
        (json!({ "alg": "RSA-OAEP" }), false),
        (json!({ "alg": "HS256" }), false),
        (json!({ "alg": "rs256" }), false),
        (json!({ "alg": "none" }), false),
    ] {
        // Together with a key that makes the set valid and cannot have made the signature.
        let set = key_set(&[RSA.jwk_with(&changes), P256.jwk()]);
        let verified = verify_with(crate::support::webhook(&RSA, BODY), &settings(), &set, at(SIGNED_AT));
        let expected = if believed { Ok(()) } else { Err(Rejection::SignatureUnverified) };
        assert_eq!(verified.map(|_| ()), expected, "{changes}");
    }
}

#[test]
fn a_rejected_webhook_is_returned_unchanged_for_another_try_with_newer_keys() {
    let webhook = crate::support::webhook(&RSA_NEXT, BODY);
    let (returned, rejection) =
        connect::verify(webhook.clone(), &feed(), &settings(), &RSA.set(), at(SIGNED_AT)).expect_err("another key");
    assert_eq!(returned, webhook);
    assert!(rejection.may_be_a_new_key());
    verify_with(returned, &settings(), &RSA_NEXT.set(), at(SIGNED_AT)).expect("verifies with the newer set");
}

proptest! {
    #[test]
    fn no_header_makes_verification_panic_or_succeed(timestamp in ".*", signature in ".*", token in ".*") {
        let sent = [(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature), ("authorization", token)];
        let verified = verify(crate::support::request(sent, BODY));
        prop_assert!(verified.is_err());
    }

    #[test]
    fn no_token_header_makes_verification_panic(token in ".*") {
        let mut sent = headers(&RSA, SIGNED_AT, BODY);
        sent.push(("authorization".to_owned(), token.clone()));
        let verified = verify(crate::support::request(sent, BODY));
        // An empty header and credentials of another scheme are ignored. Nothing else that is not a JWT is.
        let scheme = token.trim().split_once(' ').map(|(scheme, _)| scheme.to_ascii_lowercase());
        let is_scheme = |scheme: String| {
            scheme != "bearer" && scheme.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
        };
        prop_assert_eq!(verified.is_ok(), token.trim().is_empty() || scheme.is_some_and(is_scheme));
        prop_assert!(!verified.is_ok_and(|verified| verified.attestation().token_verified));
    }
}
