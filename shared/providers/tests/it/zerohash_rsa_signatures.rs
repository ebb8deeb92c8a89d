//! zerohash may sign with RSA too, over the same bytes as the HMAC. The padding is a setting, and of two signatures
//! both must be valid.

use fundhook_domain::{EvidenceClass, Scheme};
use fundhook_providers::zerohash::{
    RSA_SIGNATURE_HEADER, RsaPadding, SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER, signed_message,
};
use fundhook_providers::{Rejection, Webhook};
use jsonwebtoken::Algorithm;
use serde_json::json;

use crate::support::zerohash::{
    PREVIOUS_SECRET, PUBLIC_PEM, SECRET, SIGNED_AT_MILLISECONDS as TIMESTAMP, both, public_keys, request, secrets,
    secrets_of, settings, signature, signed_at, verified_with,
};
use crate::support::{RSA, RSA_NEXT, TestKey};

const BODY: &[u8] = br#"{"fund_id":"1","success":true}"#;

/// `BODY` with [`TIMESTAMP`] and these signatures; an empty one is omitted.
fn with(hmac: &str, rsa: &str) -> Webhook {
    let sent = [(TIMESTAMP_HEADER, TIMESTAMP), (SIGNATURE_HEADER, hmac), (RSA_SIGNATURE_HEADER, rsa)];
    request(sent.into_iter().filter(|(_, value)| !value.is_empty()), BODY)
}

/// The RSA signature by `key` over `BODY` and [`TIMESTAMP`].
fn rsa(key: &TestKey, algorithm: Algorithm) -> String {
    hex::encode(key.sign(algorithm, &signed_message(BODY, TIMESTAMP)))
}

#[test]
fn an_rsa_signature_verifies_only_with_the_configured_padding() {
    let (pkcs1, pss) = (rsa(&RSA, Algorithm::RS256), rsa(&RSA, Algorithm::PS256));
    for (what, padding, signature, expected) in [
        ("PKCS#1 as PKCS#1", RsaPadding::Pkcs1, &pkcs1, Ok(Scheme::ZerohashRsaSha256)),
        ("PSS as PSS", RsaPadding::Pss, &pss, Ok(Scheme::ZerohashRsaPssSha256)),
        ("PSS as PKCS#1", RsaPadding::Pkcs1, &pss, Err(Rejection::SignatureUnverified)),
        ("PKCS#1 as PSS", RsaPadding::Pss, &pkcs1, Err(Rejection::SignatureUnverified)),
        ("PKCS#1, SHA-512", RsaPadding::Pkcs1, &rsa(&RSA, Algorithm::RS512), Err(Rejection::SignatureUnverified)),
        ("PSS, SHA-512", RsaPadding::Pss, &rsa(&RSA, Algorithm::PS512), Err(Rejection::SignatureUnverified)),
        (
            "PKCS#1, another key",
            RsaPadding::Pkcs1,
            &rsa(&RSA_NEXT, Algorithm::RS256),
            Err(Rejection::SignatureUnverified),
        ),
        ("PSS, another key", RsaPadding::Pss, &rsa(&RSA_NEXT, Algorithm::PS256), Err(Rejection::SignatureUnverified)),
        ("PKCS#1, truncated", RsaPadding::Pkcs1, &pkcs1[..510].to_owned(), Err(Rejection::SignatureUnverified)),
        ("PSS, truncated", RsaPadding::Pss, &pss[..510].to_owned(), Err(Rejection::SignatureUnverified)),
        ("PKCS#1, capital letters", RsaPadding::Pkcs1, &pkcs1.to_uppercase(), Ok(Scheme::ZerohashRsaSha256)),
        ("PSS, capital letters", RsaPadding::Pss, &pss.to_uppercase(), Ok(Scheme::ZerohashRsaPssSha256)),
    ] {
        let settings = Settings { rsa_padding: padding, ..settings() };
        let outcome = verified_with(with("", signature), &settings, &public_keys(), signed_at());
        assert_eq!(outcome.map(|attestation| attestation.scheme), expected, "{what}");
    }
    let attestation = verified_with(with("", &pss), &settings(), &public_keys(), signed_at());
    let attestation = attestation.expect("verifies");
    assert_eq!(attestation.class, EvidenceClass::Asymmetric);
    assert_eq!(attestation.key, RSA.set().keys()[0].thumbprint());
}

#[test]
fn each_stored_public_key_verifies() {
    let next = include_str!("../keys/test-key-rsa-2048-next.pub.pem");
    let secrets = secrets_of(&json!({ "rsa_public_keys": [next, PUBLIC_PEM] }));
    for key in [&RSA, &RSA_NEXT] {
        let webhook = with("", &rsa(key, Algorithm::PS256));
        let attestation = verified_with(webhook, &settings(), &secrets, signed_at()).expect("verifies");
        assert_eq!(attestation.key, key.set().keys()[0].thumbprint());
    }
}

#[test]
fn every_signature_that_has_a_key_must_verify() {
    let (hmac, forged_hmac) = (signature(SECRET, BODY, TIMESTAMP), signature(PREVIOUS_SECRET, BODY, TIMESTAMP));
    let (rsa, forged_rsa) = (rsa(&RSA, Algorithm::PS256), rsa(&RSA_NEXT, Algorithm::PS256));
    let no_key = |header: &str| Err(Rejection::NoKeyForScheme { header: header.to_owned() });
    let (by_hmac, by_rsa) = (Ok(Scheme::ZerohashHmacSha256), Ok(Scheme::ZerohashRsaPssSha256));
    let rejected = || Err(Rejection::SignatureUnverified);
    let (secret, key, both) = (secrets(), public_keys(), both());
    for (what, secrets, hmac, rsa, expected) in [
        ("both valid, both keys: the stronger one is attested", &both, hmac.as_str(), rsa.as_str(), by_rsa.clone()),
        ("HMAC invalid", &both, forged_hmac.as_str(), rsa.as_str(), rejected()),
        ("RSA invalid", &both, hmac.as_str(), forged_rsa.as_str(), rejected()),
        ("both invalid", &both, forged_hmac.as_str(), forged_rsa.as_str(), rejected()),
        ("HMAC alone, both keys", &both, hmac.as_str(), "", by_hmac.clone()),
        ("RSA alone, both keys", &both, "", rsa.as_str(), by_rsa.clone()),
        ("both valid, no RSA key", &secret, hmac.as_str(), rsa.as_str(), by_hmac.clone()),
        ("RSA invalid, no RSA key", &secret, hmac.as_str(), forged_rsa.as_str(), by_hmac),
        ("HMAC invalid, no RSA key", &secret, forged_hmac.as_str(), rsa.as_str(), rejected()),
        ("RSA alone, no RSA key", &secret, "", rsa.as_str(), no_key(RSA_SIGNATURE_HEADER)),
        ("both valid, no secret", &key, hmac.as_str(), rsa.as_str(), by_rsa),
        ("RSA invalid, no secret", &key, hmac.as_str(), forged_rsa.as_str(), rejected()),
        ("HMAC alone, no secret", &key, hmac.as_str(), "", no_key(SIGNATURE_HEADER)),
    ] {
        let outcome = verified_with(with(hmac, rsa), &settings(), secrets, signed_at());
        assert_eq!(outcome.map(|attestation| attestation.scheme), expected, "{what}");
    }
    // A malformed signature is rejected whether or not it has a key.
    let rejected = verified_with(with(&hmac, "abc"), &settings(), &secret, signed_at());
    assert!(
        matches!(&rejected, Err(Rejection::HeaderMalformed { name, .. }) if name == RSA_SIGNATURE_HEADER),
        "{rejected:?}"
    );
}

#[test]
fn a_repeated_signature_is_rejected_even_with_the_same_value() {
    let rsa = rsa(&RSA, Algorithm::PS256);
    let sent = [(TIMESTAMP_HEADER, TIMESTAMP), (RSA_SIGNATURE_HEADER, &rsa), (RSA_SIGNATURE_HEADER, &rsa)];
    let rejected = verified_with(request(sent, BODY), &settings(), &public_keys(), signed_at());
    assert_eq!(rejected, Err(Rejection::HeaderRepeated(RSA_SIGNATURE_HEADER.to_owned())));
}
