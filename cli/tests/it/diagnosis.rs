//! `verify` names the reason why a signature of Connect does not verify.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook::diagnosis::{Cause, Diagnosis, diagnose};
use fundhook_domain::Timestamp;
use fundhook_providers::connect::{
    JwtMode, JwtSettings, SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER, TOKEN_ISSUER, signed_message,
};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::{KeySet, Rejection, Webhook};
use fundhook_sandbox::{SandboxKey, SignedHeaders};
use serde_json::json;

const URL: &str = "https://you.example/webhooks/connect";
const SIGNED_AT: i64 = 1_760_484_866;
const BODY: &[u8] =
    b"{\"event\": \"connect.deposits.pending\",\r\n \"deposit\": {\"id\": \"a \\\" b\", \"amount\": \".013\"}}";

/// One key for all tests: generating a key is slow in unoptimised code.
fn key() -> &'static SandboxKey {
    static KEY: std::sync::OnceLock<SandboxKey> = std::sync::OnceLock::new();
    KEY.get_or_init(|| SandboxKey::generate().expect("a key is generated"))
}

fn keys() -> KeySet {
    let jwks = json!({ "keys": [key().public_jwk()] }).to_string();
    KeySet::from_jwks(jwks.as_bytes()).expect("a published key is valid")
}

fn settings() -> Settings {
    let policy = TokenPolicy { issuer: TOKEN_ISSUER.into(), organization_id: None, leeway: Duration::from_secs(300) };
    Settings {
        webhook_urls: vec![URL.into()],
        tolerance: Duration::from_secs(300),
        jwt: JwtSettings { mode: JwtMode::Off, header: String::new(), policy },
    }
}

fn signed(url: &str, body: &[u8]) -> SignedHeaders {
    key().sign(url, SIGNED_AT, body).expect("the key signs")
}

fn diagnosed(headers: SignedHeaders, body: &[u8], after_seconds: i64) -> Diagnosis {
    let now = Timestamp::from_unix_seconds(SIGNED_AT + after_seconds).expect("in range");
    let webhook = Webhook { path: String::new(), headers: headers.into_iter().collect(), body: body.to_vec() };
    diagnose(&webhook, &settings(), &keys(), now)
}

/// Why the webhook does not verify. Panics if it does.
fn cause(headers: SignedHeaders, body: &[u8]) -> Cause {
    let cause = match diagnosed(headers, body, 1) {
        Diagnosis::Refused(cause) => Some(cause),
        Diagnosis::Verified { .. } => None,
    };
    cause.expect("a webhook that does not verify")
}

fn with_signature(url: &str, change: impl Fn(&str) -> String) -> SignedHeaders {
    let changed = |(name, value): (String, String)| {
        let value = if name == SIGNATURE_HEADER { change(&value) } else { value };
        (name, value)
    };
    signed(url, BODY).into_iter().map(changed).collect()
}

#[test]
fn a_webhook_signed_for_the_registered_url_verifies_and_its_key_is_named() {
    let key = keys().keys()[0].thumbprint().to_owned();
    assert_eq!(diagnosed(signed(URL, BODY), BODY, 299), Diagnosis::Verified { key, url: URL.into() });
}

#[test]
fn an_expired_signature_is_distinguished_from_a_wrong_one() {
    assert!(matches!(diagnosed(signed(URL, BODY), BODY, 301), Diagnosis::Refused(Cause::Stale(_))));
    assert!(matches!(diagnosed(signed(URL, BODY), BODY, -301), Diagnosis::Refused(Cause::Stale(_))));
    assert!(matches!(diagnosed(signed(URL, b"other"), BODY, 301), Diagnosis::Refused(Cause::OtherMessage { .. })));
}

#[test]
fn a_different_spelling_of_the_url_is_found() {
    for other in [
        "https://you.example/webhooks/connect/",
        "http://you.example/webhooks/connect",
        "you.example/webhooks/connect",
        "/webhooks/connect",
        "",
    ] {
        assert_eq!(cause(signed(other, BODY), BODY), Cause::OtherUrl(other.into()));
    }
}

#[test]
fn a_body_that_was_serialised_again_is_found() {
    let text = String::from_utf8(BODY.to_vec()).expect("text");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for (what, sent) in [
        ("compact JSON with sorted keys", json.to_string()),
        ("the body with a line break at its end", format!("{text}\n")),
        ("the body with LF line breaks", text.replace("\r\n", "\n")),
        ("an empty body", String::new()),
        (
            "JSON without white space between its parts",
            r#"{"event":"connect.deposits.pending","deposit":{"id":"a \" b","amount":".013"}}"#.to_owned(),
        ),
    ] {
        assert_eq!(cause(signed(URL, sent.as_bytes()), BODY), Cause::OtherBody(what));
    }
    let encoded = BASE64_STANDARD.encode(BODY);
    let decoded = cause(signed(URL, BODY), encoded.as_bytes());
    assert_eq!(decoded, Cause::OtherBody("the decoded body, if the body is base64"));
}

#[test]
fn a_base64_variant_is_named() {
    let to_url_safe = |text: &str| {
        BASE64_URL_SAFE_NO_PAD.encode(BASE64_STANDARD.decode(text).expect("the signature is in standard base64"))
    };
    // A signature of 256 bytes without `+` and `/` is valid in both alphabets. The probability is 1 in 10^4.
    assert_eq!(cause(with_signature(URL, to_url_safe), BODY), Cause::Base64Url { verifies: true });
    assert_eq!(cause(with_signature("https://other.example", to_url_safe), BODY), Cause::Base64Url { verifies: false });
}

#[test]
fn another_message_signed_with_the_right_key_is_distinguished_from_a_wrong_key() {
    let tampered = String::from_utf8(BODY.to_vec()).expect("text").replace(".013", ".913");
    let digest_of = |body| fundhook_domain::digest_hex(&signed_message(&SIGNED_AT.to_string(), URL, body));
    let expected = Cause::OtherMessage {
        key: keys().keys()[0].thumbprint().to_owned(),
        signed: digest_of(BODY),
        received: digest_of(tampered.as_bytes()),
    };
    assert_eq!(
        cause(signed(URL, BODY), tampered.as_bytes()),
        expected,
        "the signed digest is recovered from the signature"
    );

    let other = SandboxKey::generate().expect("a key is generated");
    let forged = other.sign(URL, SIGNED_AT, BODY).expect("the key signs");
    assert_eq!(cause(forged, BODY), Cause::WrongKey { keys: 1 });
}

#[test]
fn a_missing_header_is_named() {
    let without = |name: &str| signed(URL, BODY).into_iter().filter(|(known, _)| known != name).collect();
    for name in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
        assert_eq!(cause(without(name), BODY), Cause::Rejected(Rejection::HeaderMissing(name.into())));
    }
}

#[test]
fn a_private_key_can_be_read_back_from_its_pem() {
    let pem = key().to_pem().expect("the key has a PEM form");
    let read = SandboxKey::from_pem(&format!("a comment\n{pem}")).expect("what was written");
    assert_eq!(read.public_jwk(), key().public_jwk());
    assert!(SandboxKey::from_pem("-----BEGIN PUBLIC KEY-----").is_err());
}
