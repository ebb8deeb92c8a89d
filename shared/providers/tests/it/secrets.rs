//! The secrets that an operator stores: how they are read, why entries are rejected, and that no message reveals a
//! secret.

use std::error::Error;

use fundhook_providers::{InvalidSecrets, Secrets, SharedSecret};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::zerohash::{PREVIOUS_SECRET, SECRET, read, secrets_of, shared};

/// A public key of 1,024 bits, which is too short.
const SHORT_PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDQgGaqQVoFVMpQVjwPBtTBeqDr
AzblvDCzlnoNrTxSfjkqlE7BLjA6bWbSuHjBjN/BZc2kaAEZ4HsN+yPYLCxIgntE
D2++aHXtmrWzOuJOAmL960ExLMiQAIoXMj/HfD5lugJdXRs3pX1htGom46hYMpXX
6s64YbReK/LQwYHEvQIDAQAB
-----END PUBLIC KEY-----
";
/// A public key for an elliptic curve, which zerohash does not use.
const EC_PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7UiyD/4mUsbi81h0KchQ5vpqVDah
2nQrZH805wi/cu+b+EI4WQPnauOfY/62Ru6OQV0gPS+57sIdyAg3R5h3fg==
-----END PUBLIC KEY-----
";

fn public_pem() -> &'static str {
    include_str!("../keys/test-key-rsa-2048.pub.pem")
}

fn invalid(json: &str) -> InvalidSecrets {
    Secrets::from_json(json).expect_err("invalid secrets")
}

/// Every text of an error: its message, those of its causes, and its debug output.
fn everything(error: &InvalidSecrets) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    text
}

#[test]
fn each_organization_has_its_own_secrets_and_the_default_one_has_no_name() {
    let stored = json!({
        "default": { "current": SECRET, "previous": PREVIOUS_SECRET },
        "acme": { "current": "the secret of acme" },
        "b-2": { "rsa_public_keys": [public_pem()] },
    });
    let all = read(&stored);
    let names: Vec<Option<&str>> = all.keys().map(|tenant| tenant.as_ref().map(|tenant| tenant.as_str())).collect();
    assert_eq!(names, [None, Some("acme"), Some("b-2")]);
    let mut fingerprints: Vec<&str> = all.values().map(Secrets::fingerprint).collect();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 3, "all are different");
}

#[test]
fn the_current_secret_signs() {
    let current = |entry: Value| secrets_of(&entry).current().map(|secret| secret.name().to_owned());
    let expected = Some(shared(SECRET).name().to_owned());
    assert_eq!(current(json!({ "current": SECRET })), expected);
    assert_eq!(current(json!({ "previous": PREVIOUS_SECRET, "current": SECRET })), expected);
    assert_eq!(current(json!({ "rsa_public_keys": [public_pem()] })), None);
}

#[test]
fn an_empty_document_has_no_organizations_and_is_valid() {
    assert!(read(&json!({})).is_empty());
}

#[test]
fn a_fingerprint_changes_only_with_what_is_stored() {
    let fingerprint = |entry: Value| secrets_of(&entry).fingerprint().to_owned();
    let current = fingerprint(json!({ "current": SECRET }));
    for same in [
        json!({ "current": SECRET, "previous": "" }),
        json!({ "current": SECRET, "previous": null }),
        json!({ "current": SECRET, "rsa_public_keys": [] }),
    ] {
        assert_eq!(fingerprint(same.clone()), current, "{same}");
    }
    let others = [
        json!({ "current": PREVIOUS_SECRET }),
        json!({ "current": SECRET, "previous": PREVIOUS_SECRET }),
        json!({ "current": PREVIOUS_SECRET, "previous": SECRET }),
        json!({ "current": format!("{SECRET} ") }),
        json!({ "current": SECRET, "rsa_public_keys": [public_pem()] }),
        json!({ "rsa_public_keys": [public_pem()] }),
        json!({ "rsa_public_keys": [include_str!("../keys/test-key-rsa-2048-next.pub.pem")] }),
    ];
    let mut seen = vec![current];
    for other in others {
        let new = fingerprint(other.clone());
        assert!(!seen.contains(&new), "{other} has the fingerprint of another entry");
        seen.push(new);
    }
}

#[test]
fn a_shared_secret_signs_as_rfc_4231_says() {
    // RFC 4231 section 4.2: a key of 20 bytes 0x0b, the data "Hi There".
    let secret = shared(&"\u{b}".repeat(20));
    assert_eq!(secret.sign(b"Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

#[test]
fn a_secret_that_is_too_short_is_rejected() {
    let fits = |text: &str| SharedSecret::new(&SecretString::from(text)).is_some();
    assert!(fits("0123456789abcdef"), "16 bytes");
    assert!(fits("üüüüüüüü"), "16 bytes in 8 characters");
    for short in ["", "hunter2", "0123456789abcde"] {
        assert!(!fits(short), "{short:?}");
    }
}

#[test]
fn the_error_of_an_invalid_entry_names_the_entry_and_the_reason() {
    let private = include_str!("../keys/test-key-rsa-2048.pem");
    let with = |entry: Value| json!({ "default": entry }).to_string();
    for (json, names) in [
        (String::new(), &["ends unexpectedly", "line 1"][..]),
        ("not JSON".to_owned(), &["not JSON"]),
        (format!("{SECRET:?}"), &["unexpected type"]),
        ("[]".to_owned(), &["unexpected type"]),
        ("null".to_owned(), &["unexpected type"]),
        // A secret instead of an organization's entry.
        (json!({ "current": SECRET }).to_string(), &["none of its entries", "\"default\":{\"current\""]),
        (with(json!(SECRET)), &["none of its entries"]),
        (with(json!([SECRET])), &["none of its entries"]),
        (with(json!({ "curent": SECRET })), &["unexpected type"]),
        (with(json!({ "current": SECRET, "comment": "ours" })), &["unexpected type"]),
        (with(json!({ "current": [SECRET] })), &["unexpected type"]),
        (with(json!({ "current": 1234567890123456_i64 })), &["unexpected type"]),
        (with(json!({ "current": SECRET, "rsa_public_keys": public_pem() })), &["unexpected type"]),
        (with(json!({})), &["\"default\"", "neither `current` nor `rsa_public_keys`"]),
        (with(json!({ "current": "", "previous": "" })), &["\"default\"", "neither"]),
        (with(json!({ "current": null })), &["\"default\"", "neither"]),
        (with(json!({ "rsa_public_keys": [] })), &["\"default\"", "neither"]),
        (with(json!({ "previous": SECRET })), &["\"default\"", "`previous` without `current`"]),
        (with(json!({ "current": "hunter2" })), &["`current`", "\"default\"", "shorter than 16"]),
        (with(json!({ "current": SECRET, "previous": "hunter2" })), &["`previous`", "\"default\"", "shorter than 16"]),
        (json!({ "acme": { "current": "hunter2" } }).to_string(), &["`current`", "\"acme\"", "shorter than 16"]),
        (
            json!({ "Acme": { "current": SECRET } }).to_string(),
            &["\"Acme\"", "neither `default` nor the name of a tenant"],
        ),
        (json!({ "": { "current": SECRET } }).to_string(), &["\"\"", "tenant"]),
        (json!({ "Default": { "current": SECRET } }).to_string(), &["\"Default\"", "tenant"]),
        (with(json!({ "rsa_public_keys": ["no key"] })), &["a public key", "\"default\"", "PEM"]),
        (with(json!({ "rsa_public_keys": [public_pem(), ""] })), &["a public key", "\"default\"", "PEM"]),
        (with(json!({ "rsa_public_keys": [private] })), &["a public key", "\"default\"", "PEM"]),
        (with(json!({ "rsa_public_keys": [EC_PUBLIC_KEY] })), &["a public key", "\"default\""]),
        (with(json!({ "rsa_public_keys": [SHORT_PUBLIC_KEY] })), &["a public key", "\"default\"", "2048 bits"]),
    ] {
        let error = invalid(&json);
        let text = everything(&error);
        for name in names {
            assert!(text.contains(name), "{json:.80} should name {name}: {text}");
        }
    }
}

#[test]
fn no_message_about_secrets_reveals_one() {
    let private = include_str!("../keys/test-key-rsa-2048.pem");
    let inner = private.lines().nth(10).expect("a long key");
    let hunter = "hunter2-hunter2-hunter2";
    for json in [
        hunter.to_owned(),
        format!("{hunter:?}"),
        format!(r#"{{"default":{{"current":"{hunter}"#),
        format!(r#"{{"default":{{"current":"{hunter}","current":"{hunter}"}}}}"#),
        json!({ "current": hunter }).to_string(),
        json!({ "default": hunter }).to_string(),
        json!({ "default": { "current": [hunter] } }).to_string(),
        json!({ "default": { "current": { "value": hunter } } }).to_string(),
        json!({ "default": { hunter: hunter } }).to_string(),
        json!({ "default": { "current": hunter, "previous": "hunter2" } }).to_string(),
        json!({ "default": { "current": "hunter2" } }).to_string(),
        json!({ "default": { "current": hunter, "rsa_public_keys": [hunter] } }).to_string(),
        json!({ "default": { "current": hunter, "rsa_public_keys": hunter } }).to_string(),
        json!({ "default": { "current": hunter, "rsa_public_keys": [private] } }).to_string(),
        json!({ "UPPER": { "current": hunter } }).to_string(),
    ] {
        let text = everything(&invalid(&json));
        assert!(!text.contains("hunter2"), "{json:.60}: {text}");
        assert!(!text.contains(inner), "{json:.60}: the private key is revealed");
        assert!(text.len() < 2000, "{json:.60}: {text}");
    }
}

#[test]
fn debug_output_of_secrets_reveals_none() {
    let secrets = secrets_of(&json!({ "current": SECRET, "previous": PREVIOUS_SECRET }));
    let shown = format!("{secrets:?} {secrets:#?} {:?} {:#?}", shared(SECRET), shared(PREVIOUS_SECRET));
    for secret in [SECRET, PREVIOUS_SECRET] {
        for part in [secret, &hex::encode(secret), &secret[..8]] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
    assert!(shown.contains(shared(SECRET).name()), "it shows the name: {shown}");
    assert_ne!(shared(SECRET).name(), shared(PREVIOUS_SECRET).name());
}
