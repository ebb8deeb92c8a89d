//! zerohash's legacy signatures cover the body alone, so anyone who has seen such a request can send it again at any
//! time. They are accepted only if the operator enabled them, and never in place of a current signature.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Attestation, EvidenceClass, Scheme};
use fundhook_providers::zerohash::{
    LEGACY_RSA_SIGNATURE_HEADER, LEGACY_SIGNATURE_HEADER, RSA_SIGNATURE_HEADER, RsaPadding, SIGNATURE_HEADER, Settings,
    TIMESTAMP_HEADER, verify,
};
use fundhook_providers::{Envelope, Rejection, Secrets, Webhook};
use jsonwebtoken::Algorithm;
use serde_json::Value;

use crate::support::zerohash::{
    PREVIOUS_SECRET, SECRET, SIGNED_AT_MILLISECONDS as TIMESTAMP, both, feed, request, secrets, settings, shared,
    signature,
};
use crate::support::{RSA, RSA_NEXT, SIGNED_AT, TestKey, at, text};

const BODY: &[u8] = br#"{"fund_id":"1","success":true}"#;

/// The settings with legacy signatures enabled.
fn lenient() -> Settings {
    Settings { legacy: true, ..settings() }
}

fn verified_with(webhook: Webhook, settings: &Settings, secrets: &Secrets) -> Result<Attestation, Rejection> {
    crate::support::zerohash::verified_with(webhook, settings, secrets, at(SIGNED_AT))
}

/// The HMAC over only `BODY`.
fn hmac(secret: &str) -> String {
    shared(secret).sign(BODY)
}

/// The RSA signature over only `BODY`.
fn rsa(key: &TestKey, algorithm: Algorithm) -> String {
    hex::encode(key.sign(algorithm, BODY))
}

#[test]
fn signatures_made_by_python_and_openssl_verify() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/zerohash-signatures.json")).expect("JSON");
    let signatures = vectors["signatures"].as_array().expect("an array");
    let legacy = signatures.iter().filter(|vector| vector["timestamp"].is_null());
    assert_eq!(legacy.clone().count(), 4);
    for vector in legacy {
        let body = BASE64_STANDARD.decode(text(vector, "body_base64")).expect("base64");
        let scheme = text(vector, "scheme");
        let (header, padding, expected) = match scheme {
            "hmac" => (LEGACY_SIGNATURE_HEADER, RsaPadding::Pkcs1, Scheme::ZerohashLegacyHmacSha256),
            "rsa-pkcs1" => (LEGACY_RSA_SIGNATURE_HEADER, RsaPadding::Pkcs1, Scheme::ZerohashLegacyRsaSha256),
            "rsa-pss" => (LEGACY_RSA_SIGNATURE_HEADER, RsaPadding::Pss, Scheme::ZerohashLegacyRsaPssSha256),
            other => unreachable!("no scheme {other}"),
        };
        let settings = Settings { rsa_padding: padding, ..lenient() };
        let attestation = verified_with(request([(header, text(vector, "signature"))], &body), &settings, &both());
        let attestation = attestation.expect(scheme);
        assert_eq!((attestation.scheme, attestation.signed_at), (expected, None));
    }
}

#[test]
fn disabled_legacy_signatures_are_rejected_even_if_they_are_valid() {
    for sent in [
        vec![(LEGACY_SIGNATURE_HEADER, hmac(SECRET))],
        vec![(LEGACY_RSA_SIGNATURE_HEADER, rsa(&RSA, Algorithm::PS256))],
        vec![(LEGACY_RSA_SIGNATURE_HEADER, rsa(&RSA, Algorithm::RS256))],
        vec![(LEGACY_SIGNATURE_HEADER, hmac(SECRET)), (LEGACY_RSA_SIGNATURE_HEADER, rsa(&RSA, Algorithm::PS256))],
        vec![(LEGACY_SIGNATURE_HEADER, "no hex".to_owned())],
    ] {
        let rejected = verified_with(request(sent.clone(), BODY), &settings(), &both()).expect_err("off");
        assert_eq!(rejected, Rejection::LegacySignature, "{sent:?}");
        assert_eq!(rejected.code(), "legacy_signature");
        assert!(!rejected.may_be_a_new_key() && !rejected.is_malformed());
    }
}

#[test]
fn enabled_legacy_signatures_are_accepted_and_prove_no_time() {
    let webhook = request([(LEGACY_SIGNATURE_HEADER, hmac(SECRET))], BODY);
    for years in [0, 30] {
        let now = at(SIGNED_AT + years * 31_557_600);
        let verified = verify(webhook.clone(), &feed(), &lenient(), &secrets(), now).expect("verifies");
        let attestation = verified.attestation().clone();
        assert_eq!(attestation.scheme, Scheme::ZerohashLegacyHmacSha256);
        assert_eq!((attestation.class, attestation.signed_at), (EvidenceClass::SharedSecret, None));
        assert_eq!(attestation.key, shared(SECRET).name());
        // Without a signed time, a webhook without a date happened when it was received.
        let envelope = Envelope::seal(verified, now, None);
        assert_eq!(crate::support::statements::only_statement(&envelope).content.occurred_at, now);
    }
}

#[test]
fn legacy_signatures_are_verified_as_strictly_as_current_ones() {
    let (good_hmac, good_rsa) = (hmac(SECRET), rsa(&RSA, Algorithm::PS256));
    let rejected = || Err(Rejection::SignatureUnverified);
    let (by_hmac, by_rsa) = (Ok(Scheme::ZerohashLegacyHmacSha256), Ok(Scheme::ZerohashLegacyRsaPssSha256));
    let no_rsa_key = Err(Rejection::NoKeyForScheme { header: LEGACY_RSA_SIGNATURE_HEADER.to_owned() });
    let missing = Err(Rejection::HeaderMissing(LEGACY_SIGNATURE_HEADER.to_owned()));
    for (what, secrets, hmac, rsa, expected) in [
        ("HMAC valid", both(), good_hmac.as_str(), "", by_hmac.clone()),
        ("HMAC in capital letters", both(), &good_hmac.to_uppercase(), "", by_hmac.clone()),
        ("HMAC truncated", both(), &good_hmac[..32], "", rejected()),
        ("HMAC by another secret", both(), &hmac(PREVIOUS_SECRET), "", rejected()),
        ("HMAC over a timestamp too", both(), &signature(SECRET, BODY, TIMESTAMP), "", rejected()),
        ("RSA valid", both(), "", &good_rsa, by_rsa.clone()),
        ("RSA by another key", both(), "", &rsa(&RSA_NEXT, Algorithm::PS256), rejected()),
        ("RSA in another padding", both(), "", &rsa(&RSA, Algorithm::RS256), rejected()),
        ("both valid", both(), &good_hmac, &good_rsa, by_rsa),
        ("HMAC invalid, RSA valid", both(), &hmac(PREVIOUS_SECRET), &good_rsa, rejected()),
        ("HMAC valid, RSA invalid", both(), &good_hmac, &rsa(&RSA_NEXT, Algorithm::PS256), rejected()),
        ("HMAC valid, no RSA key", secrets(), &good_hmac, &good_rsa, by_hmac),
        ("RSA alone, no RSA key", secrets(), "", &good_rsa, no_rsa_key),
        ("neither", both(), "", "", missing),
    ] {
        let sent = [(LEGACY_SIGNATURE_HEADER, hmac), (LEGACY_RSA_SIGNATURE_HEADER, rsa)];
        let sent = sent.into_iter().filter(|(_, value)| !value.is_empty());
        let outcome = verified_with(request(sent, BODY), &lenient(), &secrets);
        assert_eq!(outcome.map(|attestation| attestation.scheme), expected, "{what}");
    }
    let repeated = [(LEGACY_SIGNATURE_HEADER, good_hmac.clone()), (LEGACY_SIGNATURE_HEADER, good_hmac)];
    let rejected = verified_with(request(repeated, BODY), &lenient(), &both());
    assert_eq!(rejected, Err(Rejection::HeaderRepeated(LEGACY_SIGNATURE_HEADER.to_owned())));
}

#[test]
fn a_request_with_any_current_header_never_falls_back_to_its_legacy_signature() {
    let legacy = [(LEGACY_SIGNATURE_HEADER, hmac(SECRET)), (LEGACY_RSA_SIGNATURE_HEADER, rsa(&RSA, Algorithm::PS256))];
    let (current, forged) = (signature(SECRET, BODY, TIMESTAMP), signature(PREVIOUS_SECRET, BODY, TIMESTAMP));
    let missing = |name: &str| Err(Rejection::HeaderMissing(name.to_owned()));
    for (what, sent, expected) in [
        ("a timestamp without its signature", vec![(TIMESTAMP_HEADER, TIMESTAMP)], missing(SIGNATURE_HEADER)),
        ("a signature without its timestamp", vec![(SIGNATURE_HEADER, &current)], missing(TIMESTAMP_HEADER)),
        ("an RSA signature without its timestamp", vec![(RSA_SIGNATURE_HEADER, "00")], missing(TIMESTAMP_HEADER)),
        ("an empty timestamp", vec![(TIMESTAMP_HEADER, "")], missing(TIMESTAMP_HEADER)),
        ("an empty signature", vec![(SIGNATURE_HEADER, "")], missing(TIMESTAMP_HEADER)),
        ("a timestamp header in another case", vec![("X-ZH-Hook-Timestamp", TIMESTAMP)], missing(SIGNATURE_HEADER)),
        (
            "a forged signature",
            vec![(TIMESTAMP_HEADER, TIMESTAMP), (SIGNATURE_HEADER, &forged)],
            Err(Rejection::SignatureUnverified),
        ),
    ] {
        let sent = sent.into_iter().map(|(name, value)| (name, value.to_owned())).chain(legacy.clone());
        let outcome = verified_with(request(sent, BODY), &lenient(), &both());
        assert_eq!(outcome.map(|attestation| attestation.scheme), expected, "{what}");
    }
    let stale =
        [(TIMESTAMP_HEADER, "1760480000".to_owned()), (SIGNATURE_HEADER, signature(SECRET, BODY, "1760480000"))];
    let outcome = verified_with(request(stale.into_iter().chain(legacy.clone()), BODY), &lenient(), &both());
    assert!(matches!(outcome, Err(Rejection::TimestampTooOld { .. })), "{outcome:?}");

    // With a valid current signature, the legacy one is not read.
    let good = [(TIMESTAMP_HEADER, TIMESTAMP.to_owned()), (SIGNATURE_HEADER, current)];
    let beside = [(LEGACY_SIGNATURE_HEADER, "no hex".to_owned())];
    for settings in [settings(), lenient()] {
        let attestation =
            verified_with(request(good.clone().into_iter().chain(beside.clone()), BODY), &settings, &both());
        assert_eq!(attestation.expect("verifies").scheme, Scheme::ZerohashHmacSha256);
    }
}
