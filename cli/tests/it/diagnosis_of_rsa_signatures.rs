//! `verify` says whether an RSA signature of zerohash would verify with the other padding, and which setting to change.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook::diagnosis::{SecretCause, SecretDiagnosis, diagnose_zerohash};
use fundhook_domain::{Scheme, Timestamp};
use fundhook_providers::zerohash::{
    LEGACY_RSA_SIGNATURE_HEADER, LEGACY_SIGNATURE_HEADER, RSA_SIGNATURE_HEADER, RsaPadding, SIGNATURE_HEADER, Settings,
    TIMESTAMP_HEADER,
};
use fundhook_providers::{Rejection, Secrets, Webhook};
use serde_json::{Value, json};

const PUBLIC_PEM: &str = include_str!("../../../shared/providers/tests/keys/test-key-rsa-2048.pub.pem");
const ANOTHER_PEM: &str = include_str!("../../../shared/providers/tests/keys/test-key-rsa-2048-next.pub.pem");
const SECRET: &str = "zerohash test secret 0123456789abcdef";
const ANOTHER_SECRET: &str = "zerohash test secret of last year";
const TIMESTAMP: &str = "1760484866123";
const BODY: &[u8] = br#"{"fund_id":"1","success":true}"#;

/// The current and the legacy headers.
const GENERATIONS: [Headers; 2] = [
    Headers { hmac: SIGNATURE_HEADER, rsa: RSA_SIGNATURE_HEADER, timestamp: Some(TIMESTAMP) },
    Headers { hmac: LEGACY_SIGNATURE_HEADER, rsa: LEGACY_RSA_SIGNATURE_HEADER, timestamp: None },
];

struct Headers {
    hmac: &'static str,
    rsa: &'static str,
    timestamp: Option<&'static str>,
}

impl Headers {
    /// The signature over [`BODY`] that OpenSSL or Python made with `scheme`.
    fn signature(&self, scheme: &str) -> String {
        let vectors = include_str!("../../../shared/providers/tests/vectors/zerohash-signatures.json");
        let vectors: Value = serde_json::from_str(vectors).expect("JSON");
        let is_it = |vector: &&Value| {
            vector["scheme"] == scheme
                && vector["timestamp"].as_str() == self.timestamp
                && vector["body_base64"] == BASE64_STANDARD.encode(BODY)
        };
        let mut vectors = vectors["signatures"].as_array().expect("an array").iter();
        let vector = vectors.find(is_it).expect("a signature over the body");
        vector["signature"].as_str().expect("hex").to_owned()
    }

    fn webhook(&self, hmac: Option<String>, rsa: Option<String>, body: &[u8]) -> Webhook {
        let timestamp = self.timestamp.map(str::to_owned);
        let headers = [(self.hmac, hmac), (self.rsa, rsa), (TIMESTAMP_HEADER, timestamp)];
        let sent = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Webhook { path: String::new(), headers: sent.collect(), body: body.to_vec() }
    }

    /// The diagnosis of a webhook with `BODY` that is signed with `padding`.
    fn diagnosed(&self, padding: RsaPadding, configured: RsaPadding, stored: &Value, after: i64) -> SecretDiagnosis {
        let webhook = self.webhook(None, Some(self.signature(&scheme(padding))), BODY);
        diagnosed(&webhook, configured, stored, after)
    }
}

/// The name of the vectors with `padding`.
fn scheme(padding: RsaPadding) -> String {
    format!("rsa-{}", padding.as_str())
}

fn diagnosed(webhook: &Webhook, configured: RsaPadding, stored: &Value, after_seconds: i64) -> SecretDiagnosis {
    let settings = Settings { tolerance: Duration::from_secs(300), rsa_padding: configured, legacy: true };
    let stored = json!({ "default": stored }).to_string();
    let secrets = Secrets::from_json(&stored).expect("valid").remove(&None).expect("the default organization");
    let now = Timestamp::from_unix_seconds(1_760_484_866 + after_seconds).expect("in range");
    diagnose_zerohash(webhook, &settings, &secrets, now)
}

fn public_key() -> Value {
    json!({ "rsa_public_keys": [ANOTHER_PEM, PUBLIC_PEM] })
}

#[test]
fn a_signature_with_the_configured_padding_verifies() {
    for headers in GENERATIONS {
        for (padding, expected) in [
            (RsaPadding::Pkcs1, [Scheme::ZerohashRsaSha256, Scheme::ZerohashLegacyRsaSha256]),
            (RsaPadding::Pss, [Scheme::ZerohashRsaPssSha256, Scheme::ZerohashLegacyRsaPssSha256]),
        ] {
            let diagnosis = headers.diagnosed(padding, padding, &public_key(), 0);
            let scheme = match &diagnosis {
                SecretDiagnosis::Verified(attestation) => Some(attestation.scheme),
                SecretDiagnosis::Refused(_) => None,
            };
            assert_eq!(scheme, Some(expected[usize::from(headers.timestamp.is_none())]), "{diagnosis}");
        }
    }
}

#[test]
fn a_signature_with_the_other_padding_is_recognized_and_the_setting_is_named() {
    for headers in GENERATIONS {
        for configured in RsaPadding::ALL {
            // An hour later, the timestamp is too old as well: the padding is still the cause to solve first.
            for after_seconds in [0, 3600] {
                let diagnosis = headers.diagnosed(configured.other(), configured, &public_key(), after_seconds);
                assert_eq!(diagnosis, SecretDiagnosis::Refused(SecretCause::OtherPadding { configured }));
                let (configured, other) = (configured.as_str(), configured.other().as_str());
                assert_eq!(
                    diagnosis.to_string(),
                    format!(
                        "not verified: the RSA signature does not verify with the padding `{configured}`; it verifies with \
                         `{other}`. Set the parameter `ZerohashRsaPadding` of the stack to `{other}`; for this command, \
                         `--rsa-padding {other}`"
                    )
                );
            }
        }
    }
}

#[test]
fn a_signature_by_another_key_verifies_with_neither_padding() {
    let stored = json!({ "rsa_public_keys": [ANOTHER_PEM] });
    for headers in GENERATIONS {
        for (made_with, configured) in
            RsaPadding::ALL.into_iter().flat_map(|made_with| RsaPadding::ALL.map(|configured| (made_with, configured)))
        {
            let diagnosis = headers.diagnosed(made_with, configured, &stored, 0);
            assert_eq!(diagnosis, SecretDiagnosis::Refused(SecretCause::WrongRsaKey));
            let text = diagnosis.to_string();
            assert!(text.contains("neither with the padding `pkcs1` nor with `pss`"), "{text}");
        }
    }
}

#[test]
fn a_body_that_was_changed_in_transit_is_recognized_by_its_rsa_signature() {
    for headers in GENERATIONS {
        let changed = [BODY, b"\n"].concat();
        let webhook = headers.webhook(None, Some(headers.signature("rsa-pss")), &changed);
        let diagnosis = diagnosed(&webhook, RsaPadding::Pss, &public_key(), 0);
        assert!(matches!(diagnosis, SecretDiagnosis::Refused(SecretCause::OtherBody(_))), "{diagnosis}");
    }
}

#[test]
fn of_two_signatures_the_one_that_does_not_verify_is_explained() {
    let pss = RsaPadding::Pss;
    let other_padding = SecretCause::OtherPadding { configured: pss };
    let one_secret = |secret: &str, pem: &str| json!({ "current": secret, "rsa_public_keys": [pem] });
    for headers in GENERATIONS {
        for (what, stored, scheme, expected) in [
            ("the padding", one_secret(SECRET, PUBLIC_PEM), "rsa-pkcs1", other_padding.clone()),
            ("the padding and the secret", one_secret(ANOTHER_SECRET, PUBLIC_PEM), "rsa-pkcs1", other_padding.clone()),
            ("the secret", one_secret(ANOTHER_SECRET, PUBLIC_PEM), "rsa-pss", SecretCause::WrongSecret),
            ("the key", one_secret(SECRET, ANOTHER_PEM), "rsa-pss", SecretCause::WrongRsaKey),
            ("the key and the secret", one_secret(ANOTHER_SECRET, ANOTHER_PEM), "rsa-pss", SecretCause::WrongRsaKey),
        ] {
            let webhook = headers.webhook(Some(headers.signature("hmac")), Some(headers.signature(scheme)), BODY);
            assert_eq!(diagnosed(&webhook, pss, &stored, 0), SecretDiagnosis::Refused(expected), "{what}");
        }
        // Without a key, an RSA signature does not count.
        let webhook = headers.webhook(Some(headers.signature("hmac")), Some(headers.signature("rsa-pkcs1")), BODY);
        let diagnosis = diagnosed(&webhook, pss, &json!({ "current": SECRET }), 0);
        assert!(matches!(diagnosis, SecretDiagnosis::Verified(_)), "{diagnosis}");
        let webhook = headers.webhook(None, Some(headers.signature("rsa-pkcs1")), BODY);
        let diagnosis = diagnosed(&webhook, pss, &json!({ "current": SECRET }), 0);
        let no_key = Rejection::NoKeyForScheme { header: headers.rsa.to_owned() };
        assert_eq!(diagnosis, SecretDiagnosis::Refused(SecretCause::Rejected(no_key)));
    }
}

#[test]
fn a_legacy_hmac_over_a_changed_body_is_recognized() {
    let [_, legacy] = GENERATIONS;
    let webhook = legacy.webhook(Some(legacy.signature("hmac")), None, &[BODY, b"\n"].concat());
    let diagnosis = diagnosed(&webhook, RsaPadding::Pss, &json!({ "current": SECRET }), 0);
    assert!(matches!(diagnosis, SecretDiagnosis::Refused(SecretCause::OtherBody(_))), "{diagnosis}");
}
