//! When a zerohash webhook is accepted by the HMAC over its body and timestamp, and each way in which one is rejected.
//! RSA is in `zerohash_rsa_signatures.rs`; signatures without a timestamp are in `zerohash_legacy_signatures.rs`.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Attestation, EvidenceClass, Feed, Scheme, Timestamp};
use fundhook_providers::zerohash::{
    NOTIFICATION_ID_HEADER, PAYLOAD_TYPE_HEADER, RSA_SIGNATURE_HEADER, RsaPadding, SIGNATURE_HEADER, Settings,
    TIMESTAMP_HEADER, signed_message, verify,
};
use fundhook_providers::{Envelope, Rejection, Webhook};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::zerohash::{
    PREVIOUS_SECRET, PUBLIC_PEM, SECRET, SIGNED_AT_MILLISECONDS as TIMESTAMP, both, feed, headers, request, secrets,
    secrets_of, settings, shared, signature, signed_at, verified_with,
};
use crate::support::{SIGNED_AT, TOLERANCE, at, text};

const BODY: &[u8] = br#"{"fund_id":"1","success":true}"#;
/// The fraction of a second in [`TIMESTAMP`].
const PART: Duration = Duration::from_millis(123);

/// The result of verifying `webhook` at the time of its signature, with the default settings and secret.
fn verified(webhook: Webhook) -> Result<Attestation, Rejection> {
    verified_with(webhook, &settings(), &secrets(), signed_at())
}

/// `BODY` with these values of the three signature headers; an empty one is omitted.
fn with(timestamp: &str, hmac: &str, rsa: &str) -> Webhook {
    let sent = [(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, hmac), (RSA_SIGNATURE_HEADER, rsa)];
    request(sent.into_iter().filter(|(_, value)| !value.is_empty()), BODY)
}

/// `BODY` with an HMAC over it and `timestamp`.
fn signed(timestamp: &str) -> Webhook {
    with(timestamp, &signature(SECRET, BODY, timestamp), "")
}

fn is_malformed(outcome: &Result<Attestation, Rejection>, header: &str) -> bool {
    matches!(outcome, Err(Rejection::HeaderMalformed { name, .. }) if name == header)
}

#[test]
fn signatures_made_by_python_and_openssl_verify() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/zerohash-signatures.json")).expect("JSON");
    let signatures = vectors["signatures"].as_array().expect("an array");
    let current = signatures.iter().filter(|vector| vector["timestamp"].is_string());
    assert_eq!(current.clone().count(), 10);
    for vector in current {
        let [what, scheme, timestamp, made] =
            ["what", "scheme", "timestamp", "signature"].map(|name| text(vector, name));
        let body = BASE64_STANDARD.decode(text(vector, "body_base64")).expect("base64");
        let (header, padding, expected) = match scheme {
            "hmac" => (SIGNATURE_HEADER, RsaPadding::Pkcs1, Scheme::ZerohashHmacSha256),
            "rsa-pkcs1" => (RSA_SIGNATURE_HEADER, RsaPadding::Pkcs1, Scheme::ZerohashRsaSha256),
            "rsa-pss" => (RSA_SIGNATURE_HEADER, RsaPadding::Pss, Scheme::ZerohashRsaPssSha256),
            other => unreachable!("no scheme {other}"),
        };
        let secrets = secrets_of(&json!({ "current": text(&vectors, "secret"), "rsa_public_keys": [PUBLIC_PEM] }));
        let settings = Settings { rsa_padding: padding, ..settings() };
        let now = Timestamp::from_unix_digits(timestamp).expect(timestamp);
        let webhook = request([(TIMESTAMP_HEADER, timestamp), (header, made)], &body);
        let attestation = verified_with(webhook, &settings, &secrets, now).expect(what);
        assert_eq!((attestation.scheme, attestation.signed_at), (expected, Some(now)), "{what}");
        if expected == Scheme::ZerohashHmacSha256 {
            // The tests' own signatures equal those of Python.
            assert_eq!(signature(text(&vectors, "secret"), &body, timestamp), made, "{what}");
        } else {
            assert_eq!(attestation.key, vectors["key_thumbprint"], "{what}");
        }
    }
}

#[test]
fn an_attestation_has_scheme_and_time_and_names_the_secret_without_revealing_it() {
    let attestation = verified(signed(TIMESTAMP)).expect("verifies");
    assert_eq!(attestation.class, EvidenceClass::SharedSecret);
    assert_eq!(attestation.signed_at, Some(signed_at()));
    // The first 16 digits of the HMAC-SHA256 of a fixed text, computed with Python.
    assert_eq!(attestation.key, "hmac:34f24d082ac0025d");
    assert!(!attestation.token_verified);
}

#[test]
fn a_verified_webhook_belongs_to_the_feed_that_it_was_verified_for() {
    for name in ["zerohash", "zerohash/acme"] {
        let feed: Feed = name.parse().expect(name);
        let verified = verify(signed(TIMESTAMP), &feed, &settings(), &secrets(), signed_at()).expect("verifies");
        let envelope = Envelope::seal(verified, signed_at(), None);
        assert_eq!((envelope.feed(), envelope.url()), (&feed, "/webhooks/zerohash"));
    }
}

#[test]
fn an_hmac_is_read_in_small_and_capital_letters_and_must_be_complete() {
    let good = signature(SECRET, BODY, TIMESTAMP);
    let mixed: String =
        good.char_indices().map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect();
    for hmac in [good.clone(), good.to_uppercase(), mixed, format!(" {good}\t")] {
        verified(with(TIMESTAMP, &hmac, "")).expect(&hmac);
    }
    for (what, hmac) in [
        ("half of it", good[..32].to_owned()),
        ("a byte less", good[..62].to_owned()),
        ("without its first byte", good[2..].to_owned()),
        ("a byte more", format!("{good}00")),
        ("twice", format!("{good}{good}")),
        ("zeros", "0".repeat(64)),
        ("one byte", "00".to_owned()),
        ("of only the body", shared(SECRET).sign(BODY)),
        ("of timestamp and body in reverse order", shared(SECRET).sign(&[TIMESTAMP.as_bytes(), BODY].concat())),
    ] {
        assert_eq!(verified(with(TIMESTAMP, &hmac, "")), Err(Rejection::SignatureUnverified), "{what}");
    }
    for (what, hmac) in [
        ("an odd number of digits", good[..63].to_owned()),
        ("base64", BASE64_STANDARD.encode(hex::decode(&good).expect("hex"))),
        ("0x before it", format!("0x{good}")),
        ("a name before it", format!("sha256={good}")),
        ("a blank inside", format!("{} {}", &good[..32], &good[32..])),
        ("two of them", format!("{good},{good}")),
        ("not ASCII", "é".repeat(32)),
    ] {
        let rejected = verified(with(TIMESTAMP, &hmac, ""));
        assert!(is_malformed(&rejected, SIGNATURE_HEADER), "{what}: {rejected:?}");
    }
}

#[test]
fn a_secret_verifies_while_it_is_the_current_or_the_previous_one() {
    let by = |secret: &str| with(TIMESTAMP, &signature(secret, BODY, TIMESTAMP), "");
    for (what, entry, believed) in [
        ("before a change", json!({ "current": PREVIOUS_SECRET }), [false, true]),
        ("during it", json!({ "current": SECRET, "previous": PREVIOUS_SECRET }), [true, true]),
        ("after it", json!({ "current": SECRET }), [true, false]),
        ("after it, with an empty previous secret", json!({ "current": SECRET, "previous": "" }), [true, false]),
    ] {
        for (secret, believed) in [SECRET, PREVIOUS_SECRET].into_iter().zip(believed) {
            let outcome = verified_with(by(secret), &settings(), &secrets_of(&entry), signed_at());
            let signer = shared(secret).name().to_owned();
            let expected = if believed { Ok(signer) } else { Err(Rejection::SignatureUnverified) };
            assert_eq!(outcome.map(|attestation| attestation.key), expected, "{what}");
        }
    }
    assert_eq!(verified(by("an unknown secret")), Err(Rejection::SignatureUnverified));
}

#[test]
fn a_timestamp_is_read_only_in_milliseconds_or_seconds() {
    for (timestamp, expected) in [(TIMESTAMP, signed_at()), ("1760484866", at(SIGNED_AT))] {
        assert_eq!(verified(signed(timestamp)).expect(timestamp).signed_at, Some(expected));
    }
    for timestamp in [
        "+1760484866",
        "-1760484866",
        "1760484866.0",
        "1760484866.123",
        "17604848661",
        "176048486612",
        "17604848661234",
        "1760484866123456",    // microseconds
        "1760484866123456789", // nanoseconds
        "0760484866",
        "0760484866123",
        "2025-10-14T23:34:26Z",
        "1.7604848e9",
        "0x68EF138200",
        "١٧٦٠٤٨٤٨٦٦",
        "now",
    ] {
        // The signature covers this text, so the form is the reason.
        let rejected = verified(signed(timestamp));
        assert!(is_malformed(&rejected, TIMESTAMP_HEADER), "{timestamp:?}: {rejected:?}");
    }
}

#[test]
fn a_timestamp_may_differ_by_at_most_the_tolerance() {
    let nanosecond = Duration::from_nanos(1);
    let tolerance = TOLERANCE.as_secs().cast_signed();
    let by = TOLERANCE + nanosecond;
    let too_old = || Err(Rejection::TimestampTooOld { by, allowed: TOLERANCE });
    let in_future = || Err(Rejection::TimestampInFuture { by, allowed: TOLERANCE });
    let before = |seconds, part| at(seconds - 1).plus(Duration::from_secs(1) + part - nanosecond);
    for (timestamp, part) in [(TIMESTAMP, PART), ("1760484866", Duration::ZERO)] {
        let at_instant = |now| verified_with(signed(timestamp), &settings(), &secrets(), now).map(|_| ());
        let (first, last) = (at(SIGNED_AT - tolerance).plus(part), at(SIGNED_AT + tolerance).plus(part));
        assert_eq!(at_instant(last), Ok(()), "{timestamp}");
        assert_eq!(at_instant(last.plus(nanosecond)), too_old(), "{timestamp}");
        assert_eq!(at_instant(first), Ok(()), "{timestamp}");
        assert_eq!(at_instant(before(SIGNED_AT - tolerance, part)), in_future(), "{timestamp}");
    }
    let exact = Settings { tolerance: Duration::ZERO, ..settings() };
    assert!(verified_with(signed(TIMESTAMP), &exact, &secrets(), signed_at()).is_ok());
    assert!(verified_with(signed(TIMESTAMP), &exact, &secrets(), at(SIGNED_AT)).is_err());
}

#[test]
fn a_change_of_any_byte_of_the_signed_parts_or_of_the_signature_is_detected() {
    let flipped = |bytes: &[u8], index: usize| {
        let mut bytes = bytes.to_vec();
        bytes[index] ^= 1;
        bytes
    };
    for index in 0..BODY.len() {
        let webhook = Webhook { body: flipped(BODY, index), ..signed(TIMESTAMP) };
        assert_eq!(verified(webhook), Err(Rejection::SignatureUnverified), "byte {index} of the body");
    }
    let hmac = hex::decode(signature(SECRET, BODY, TIMESTAMP)).expect("hex");
    for index in 0..hmac.len() {
        let webhook = with(TIMESTAMP, &hex::encode(flipped(&hmac, index)), "");
        assert_eq!(verified(webhook), Err(Rejection::SignatureUnverified), "byte {index} of the signature");
    }
    for index in 1..TIMESTAMP.len() {
        let other = String::from_utf8(flipped(TIMESTAMP.as_bytes(), index)).expect("digits");
        let now = Timestamp::from_unix_digits(&other).expect("milliseconds");
        let rejected = verified_with(with(&other, &hex::encode(&hmac), ""), &settings(), &secrets(), now);
        assert_eq!(rejected, Err(Rejection::SignatureUnverified), "digit {index} of the timestamp");
    }
    for body in [&b""[..], &BODY[1..], &BODY[..BODY.len() - 1], &[BODY, b"\n"].concat(), &[b" ", BODY].concat()] {
        let webhook = Webhook { body: body.to_vec(), ..signed(TIMESTAMP) };
        assert_eq!(verified(webhook), Err(Rejection::SignatureUnverified));
    }
}

/// Body and timestamp are signed without a separator, so digits can be moved from one to the other. That must not make
/// another webhook.
#[test]
fn digits_moved_between_body_and_timestamp_do_not_make_another_webhook() {
    // The last ten digits are a time in seconds, more than a year later.
    let timestamp = "1761800000123";
    let message = signed_message(BODY, timestamp);
    let mut verified = 0;
    for moved in 1..timestamp.len() {
        let (body, rest) = message.split_at(message.len() - moved);
        let rest = String::from_utf8(rest.to_vec()).expect("digits");
        let Ok(now) = Timestamp::from_unix_digits(&rest) else { continue };
        let sent = [(TIMESTAMP_HEADER, rest.clone()), (SIGNATURE_HEADER, signature(SECRET, BODY, timestamp))];
        let webhook = verify(request(sent, body), &feed(), &settings(), &secrets(), now).expect("the same bytes");
        let reason = crate::support::statements::reason(&Envelope::seal(webhook, now, None));
        assert!(reason.contains("not JSON"), "{rest}: {reason}");
        verified += 1;
    }
    assert_eq!(verified, 1, "the bytes are the same, so they verify");
}

#[test]
fn a_required_header_that_is_missing_empty_or_blank_is_named() {
    let hmac = signature(SECRET, BODY, TIMESTAMP);
    let missing = |name: &str| Err(Rejection::HeaderMissing(name.to_owned()));
    for blank in ["", " ", "\t"] {
        let without_timestamp = request([(TIMESTAMP_HEADER, blank), (SIGNATURE_HEADER, &hmac)], BODY);
        assert_eq!(verified(without_timestamp), missing(TIMESTAMP_HEADER), "{blank:?}");
        let without_signature = request([(TIMESTAMP_HEADER, TIMESTAMP), (SIGNATURE_HEADER, blank)], BODY);
        assert_eq!(verified(without_signature), missing(SIGNATURE_HEADER), "{blank:?}");
    }
    assert_eq!(verified(with("", &hmac, "")), missing(TIMESTAMP_HEADER));
    assert_eq!(verified(with("", "", "00")), missing(TIMESTAMP_HEADER));
    assert_eq!(verified(with(TIMESTAMP, "", "")), missing(SIGNATURE_HEADER));
    assert_eq!(verified(with("", "", "")), missing(SIGNATURE_HEADER));
}

#[test]
fn a_repeated_header_is_rejected_even_with_the_same_value() {
    for needed in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
        for spelling in [needed.to_owned(), needed.to_uppercase()] {
            let mut sent = headers(None, BODY);
            let value = sent.iter().find(|(name, _)| name == needed).expect("is sent").1.clone();
            sent.push((spelling.clone(), value));
            assert_eq!(verified(request(sent, BODY)), Err(Rejection::HeaderRepeated(needed.to_owned())), "{spelling}");
        }
    }
}

#[test]
fn headers_that_no_signature_covers_may_be_missing_or_arbitrary_and_change_no_fact() {
    let fact = |sent: Vec<(String, String)>| {
        let webhook = verify(request(sent, BODY), &feed(), &settings(), &secrets(), signed_at()).expect("verifies");
        crate::support::statements::only_statement(&Envelope::seal(webhook, signed_at(), None)).content.id
    };
    let sent = headers(Some("deposit_fund_complete"), BODY);
    let known = fact(sent.clone());
    for name in [NOTIFICATION_ID_HEADER, PAYLOAD_TYPE_HEADER] {
        let mut without = sent.clone();
        without.retain(|(known, _)| known != name);
        assert_eq!(fact(without.clone()), known, "without {name}");
        without.extend([(name.to_owned(), "another".to_owned()), (name.to_owned(), "another".to_owned())]);
        assert_eq!(fact(without), known, "with another {name}, twice");
    }
}

#[test]
fn a_rejected_webhook_is_returned_unchanged_for_another_try_with_newer_secrets() {
    let webhook = with(TIMESTAMP, &signature(SECRET, BODY, TIMESTAMP), "00");
    let older = secrets_of(&json!({ "current": PREVIOUS_SECRET }));
    let (returned, rejection) =
        verify(webhook.clone(), &feed(), &settings(), &older, signed_at()).expect_err("another secret");
    assert_eq!(returned, webhook);
    assert!(rejection.may_be_a_new_key());
    verified(returned).expect("verifies with the newer secret");
    for (rejected, why) in [(with("now", "00", ""), "malformed"), (signed("1760480000"), "too old")] {
        assert!(!verified(rejected).expect_err(why).may_be_a_new_key(), "{why}: no newer secret can help");
    }
}

proptest! {
    #[test]
    fn no_header_makes_verification_panic_or_succeed(timestamp in ".*", hmac in ".*|[0-9a-f]{64}", rsa in ".*") {
        let sent = [(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, hmac), (RSA_SIGNATURE_HEADER, rsa)];
        prop_assert!(verified_with(request(sent, BODY), &settings(), &both(), signed_at()).is_err());
    }

    #[test]
    fn only_what_was_signed_verifies(body in prop::collection::vec(any::<u8>(), 0..60), hmac in "[0-9a-f]{64}") {
        let signed = signature(SECRET, &body, TIMESTAMP);
        let sent = |hmac: &str| request([(TIMESTAMP_HEADER, TIMESTAMP), (SIGNATURE_HEADER, hmac)], &body);
        prop_assert!(verified(sent(&signed)).is_ok());
        prop_assert_eq!(verified(sent(&hmac)), Err(Rejection::SignatureUnverified));
    }
}
