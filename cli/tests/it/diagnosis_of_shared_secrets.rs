//! `verify` names the reason why a signature with a shared secret does not verify.

use fundhook::diagnosis::{SecretCause, SecretDiagnosis, diagnose_striga, diagnose_zerohash};
use fundhook_domain::{Provider, Timestamp};
use fundhook_providers::zerohash::{self, RsaPadding, Settings};
use fundhook_providers::{Secrets, SharedSecret, Webhook, striga};
use fundhook_sandbox::{SignedHeaders, signed_with};

const SIGNED_AT: i64 = 1_760_484_866;
const BODY: &[u8] = br#"{ "fund_id": "1", "quantity": "100" }"#;
const SECRET: &str = "a-secret-of-some-length";

fn secret() -> SharedSecret {
    SharedSecret::new(&SECRET.to_owned().into()).expect("long enough")
}

fn secrets() -> Secrets {
    let stored = format!(r#"{{"default":{{"current":"another-secret-by-now","previous":"{SECRET}"}}}}"#);
    Secrets::from_json(&stored).expect("valid").remove(&None).expect("the default organization has secrets")
}

fn zerohash_headers(body: &[u8]) -> SignedHeaders {
    signed_with(&secret(), Provider::Zerohash, SIGNED_AT, body)
}

fn diagnosed(headers: SignedHeaders, body: &[u8], after_seconds: i64) -> SecretDiagnosis {
    let settings =
        Settings { tolerance: std::time::Duration::from_secs(300), rsa_padding: RsaPadding::default(), legacy: false };
    let now = Timestamp::from_unix_seconds(SIGNED_AT + after_seconds).expect("in range");
    let webhook = Webhook { path: String::new(), headers: headers.into_iter().collect(), body: body.to_vec() };
    diagnose_zerohash(&webhook, &settings, &secrets(), now)
}

/// Headers with a signature over `message`.
fn over(message: &[u8]) -> SignedHeaders {
    let timestamp = (SIGNED_AT * 1000).to_string();
    let headers = [(zerohash::TIMESTAMP_HEADER, timestamp), (zerohash::SIGNATURE_HEADER, secret().sign(message))];
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[test]
fn a_webhook_signed_with_the_previous_secret_verifies_and_the_secret_is_named() {
    let diagnosis = diagnosed(zerohash_headers(BODY), BODY, 0).to_string();
    assert_eq!(diagnosis, format!("verified with {}", secret().name()));
    assert!(!diagnosis.contains(SECRET));
}

#[test]
fn common_mistakes_of_senders_and_receivers_are_found() {
    let timestamp = (SIGNED_AT * 1000).to_string();
    let seconds = SIGNED_AT.to_string();
    let message = |parts: &[&[u8]]| parts.concat();
    for (what, headers, expected) in [
        ("a parsed body", zerohash_headers(br#"{"fund_id":"1","quantity":"100"}"#), "the body was changed in transit"),
        ("no timestamp", over(BODY), "the body without the timestamp"),
        ("the order", over(&message(&[timestamp.as_bytes(), BODY])), "the timestamp before the body"),
        ("the unit", over(&message(&[BODY, seconds.as_bytes()])), "in seconds"),
        ("another secret", signed_with_stranger(), "none of the given secrets made this signature"),
        ("no signature", SignedHeaders::new(), "is missing"),
    ] {
        let diagnosis = diagnosed(headers, BODY, 0).to_string();
        assert!(diagnosis.starts_with("not verified: ") && diagnosis.contains(expected), "{what}: {diagnosis}");
    }
}

fn signed_with_stranger() -> SignedHeaders {
    let stranger = SharedSecret::new(&"the-secret-of-a-stranger".to_owned().into()).expect("long enough");
    signed_with(&stranger, Provider::Zerohash, SIGNED_AT, BODY)
}

#[test]
fn an_expired_signature_is_distinguished_from_a_wrong_one() {
    let stale = diagnosed(zerohash_headers(BODY), BODY, 3600);
    assert!(matches!(stale, SecretDiagnosis::Refused(SecretCause::Stale(_))), "{stale}");
    let wrong = diagnosed(signed_with_stranger(), BODY, 3600);
    assert_eq!(wrong, SecretDiagnosis::Refused(SecretCause::WrongSecret));
}

#[test]
fn a_signature_in_base64_is_recognised() {
    use base64::prelude::{BASE64_STANDARD, Engine as _};

    let tag = hex::decode(secret().sign(BODY)).expect("hex");
    let headers = [(striga::SIGNATURE_HEADER.to_owned(), BASE64_STANDARD.encode(tag))];
    let webhook = Webhook { path: String::new(), headers: headers.into_iter().collect(), body: BODY.to_vec() };
    assert_eq!(diagnose_striga(&webhook, &secrets()), SecretDiagnosis::Refused(SecretCause::Base64));
}
