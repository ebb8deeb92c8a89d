//! Which JWTs are accepted, and each way in which one is rejected.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_providers::connect::{self, JwtMode, JwtSettings, Settings};
use fundhook_providers::jose::{TokenPolicy, TokenRejection, verify_token};
use fundhook_providers::{KeySet, Rejection};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::support::{
    ED25519, P256, RSA, RSA_NEXT, SIGNED_AT, TOLERANCE, TestKey, at, changed, feed, headers, key_set, settings,
};

/// The organization of the decoded JWT in [connect-guide §4].
const ORGANIZATION: &str = "4789efea-e034-4e6f-b8a0-5289aacec427";
const BODY: &[u8] = br#"{"event":"connect.deposits.pending","deposit":{"id":"1"}}"#;

/// Every test key, without an `alg` that would limit its use.
fn every_key() -> KeySet {
    key_set(&[&RSA, &P256, &ED25519].map(|key| key.jwk_with(&json!({ "alg": null }))))
}

fn policy() -> TokenPolicy {
    TokenPolicy { organization_id: Some(ORGANIZATION.to_owned()), ..settings().jwt.policy }
}

/// The claims of the JWT in [connect-guide §4], valid for an hour, with `changes` merged.
fn claims_with(changes: &Value) -> Value {
    let claims = json!({
        "iss": "connect",
        "sub": "3dfb9dc0-9c00-4673-bc2e-5024ae62166d",
        "iat": SIGNED_AT,
        "exp": SIGNED_AT + 3600,
        "jti": "9b2e0b75-00dc-4f5f-a11b-c48d46b16e15",
        "organization": { "id": ORGANIZATION },
        "account": { "id": "16b0e957-f3fd-41d0-b312-f2ec291de6e4", "reference_id": "USER01" },
        "session": { "id": "16b0e957-f3fd-41d0-b312-f2ec291de6e4" },
    });
    changed(claims, changes)
}

fn claims() -> Value {
    claims_with(&json!({}))
}

/// The two parts of a compact JWS that are signed [rfc-7515 §7.1].
fn signing_input(header: &Value, payload: &[u8]) -> String {
    let encoded = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
    format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(payload))
}

/// A token with `header` and `claims`, signed by `key` with `algorithm` whatever the header says.
fn token(key: &TestKey, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
    let input = signing_input(header, claims.to_string().as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(algorithm, input.as_bytes()));
    format!("{input}.{signature}")
}

/// A token with `claims` and a valid signature.
fn claiming(claims: &Value) -> String {
    token(&RSA, Algorithm::RS256, &json!({ "alg": "RS256", "typ": "JWT" }), claims)
}

/// The result of verifying `token` at the time when the webhook was signed.
fn verify(token: &str) -> Result<(), TokenRejection> {
    verify_token(token, &every_key(), &policy(), at(SIGNED_AT))
}

#[test]
fn each_asymmetric_algorithm_verifies_by_a_key_of_its_type() {
    for (name, key, algorithm) in [
        ("RS256", &RSA, Algorithm::RS256),
        ("PS256", &RSA, Algorithm::PS256),
        ("ES256", &P256, Algorithm::ES256),
        ("EdDSA", &ED25519, Algorithm::EdDSA),
    ] {
        let good = token(key, algorithm, &json!({ "alg": name }), &claims());
        assert_eq!(verify(&good), Ok(()), "{name}");
        // An untrusted `kid` is ignored.
        let named = token(key, algorithm, &json!({ "alg": name, "kid": "../../etc/passwd" }), &claims());
        assert_eq!(verify(&named), Ok(()), "{name}");

        let without = key_set(&[RSA_NEXT.jwk()]);
        assert_eq!(
            verify_token(&good, &without, &policy(), at(SIGNED_AT)),
            Err(TokenRejection::SignatureUnverified),
            "{name} by a key outside the set"
        );
    }
}

#[test]
fn a_token_without_a_signature_is_rejected_however_none_is_spelled() {
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let input = signing_input(&json!({ "alg": name, "typ": "JWT" }), claims().to_string().as_bytes());
        for token in [format!("{input}."), input.clone(), format!("{input}.AA")] {
            assert_eq!(verify(&token), Err(TokenRejection::Malformed), "{token}");
        }
    }
    // The signature is missing although the header names an algorithm.
    let input = signing_input(&json!({ "alg": "RS256" }), claims().to_string().as_bytes());
    assert_eq!(verify(&format!("{input}.")), Err(TokenRejection::SignatureUnverified));
}

#[test]
fn a_public_key_is_never_used_as_an_hmac_secret() {
    let public_pem = include_str!("../keys/test-key-rsa-2048.pub.pem");
    let (_, armoured) = public_pem.split_once("-----BEGIN PUBLIC KEY-----\n").expect("a PEM file");
    let (base64, _) = armoured.split_once("\n-----END PUBLIC KEY-----").expect("a PEM file");
    let der = BASE64_STANDARD.decode(base64.replace('\n', "")).expect("base64");
    let modulus = RSA.jwk()["n"].as_str().expect("a text").to_owned();
    let secrets: [(&str, Vec<u8>); 6] = [
        ("the PEM file", public_pem.into()),
        ("the PEM armour", format!("-----BEGIN PUBLIC KEY-----\n{armoured}").into()),
        ("the DER bytes", der),
        ("the modulus", BASE64_URL_SAFE_NO_PAD.decode(&modulus).expect("base64url")),
        ("the JWK", RSA.jwk().to_string().into()),
        ("nothing", Vec::new()),
    ];
    for (what, secret) in secrets {
        for (name, algorithm) in [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)]
        {
            let input = signing_input(&json!({ "alg": name }), claims().to_string().as_bytes());
            let key = EncodingKey::from_secret(&secret);
            let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, algorithm).expect("an HMAC");
            let forged = format!("{input}.{signature}");
            assert_eq!(verify(&forged), Err(TokenRejection::AlgorithmNotAllowed), "{name} with {what}");
            // The same digest with the name of an algorithm that is allowed.
            let renamed = signing_input(&json!({ "alg": "RS256" }), claims().to_string().as_bytes());
            let signature = jsonwebtoken::crypto::sign(renamed.as_bytes(), &key, algorithm).expect("an HMAC");
            let forged = format!("{renamed}.{signature}");
            assert_eq!(verify(&forged), Err(TokenRejection::SignatureUnverified), "{name} with {what}, as RS256");
        }
    }
}

#[test]
fn an_asymmetric_algorithm_that_is_not_allowed_is_rejected() {
    for (name, algorithm) in [
        ("RS384", Algorithm::RS384),
        ("RS512", Algorithm::RS512),
        ("PS384", Algorithm::PS384),
        ("PS512", Algorithm::PS512),
    ] {
        let token = token(&RSA, algorithm, &json!({ "alg": name }), &claims());
        assert_eq!(verify(&token), Err(TokenRejection::AlgorithmNotAllowed), "{name}");
    }
}

#[test]
fn a_signature_of_one_algorithm_never_verifies_as_another() {
    let signers =
        [(&RSA, Algorithm::RS256), (&RSA, Algorithm::PS256), (&P256, Algorithm::ES256), (&ED25519, Algorithm::EdDSA)];
    for (key, algorithm) in signers {
        for claimed in ["RS256", "PS256", "ES256", "EdDSA"] {
            let token = token(key, algorithm, &json!({ "alg": claimed }), &claims());
            let is_honest = format!("{algorithm:?}") == claimed;
            let expected = if is_honest { Ok(()) } else { Err(TokenRejection::SignatureUnverified) };
            assert_eq!(verify(&token), expected, "{algorithm:?} as {claimed}");
        }
    }
}

#[test]
fn a_key_that_names_its_algorithm_verifies_no_other() {
    for (published, believed) in [("RS256", [true, false]), ("PS256", [false, true]), ("RS512", [false, false])] {
        let set = key_set(&[RSA.jwk_with(&json!({ "alg": published })), P256.jwk()]);
        for ((name, algorithm), believed) in
            [("RS256", Algorithm::RS256), ("PS256", Algorithm::PS256)].into_iter().zip(believed)
        {
            let token = token(&RSA, algorithm, &json!({ "alg": name }), &claims());
            let expected = if believed { Ok(()) } else { Err(TokenRejection::SignatureUnverified) };
            assert_eq!(
                verify_token(&token, &set, &policy(), at(SIGNED_AT)),
                expected,
                "{name} by a key for {published}"
            );
        }
    }
}

#[test]
fn a_key_in_the_token_is_never_used() {
    for (member, value) in [
        ("jwk", RSA_NEXT.jwk()),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let header = json!({ "alg": "RS256", member: value });
        // The header alone suffices to reject it, whether a trusted key or the attacker's key signed it.
        for key in [&RSA, &RSA_NEXT] {
            let token = token(key, Algorithm::RS256, &header, &claims());
            assert_eq!(verify(&token), Err(TokenRejection::NamesAKey(member)));
        }
    }
}

#[test]
fn a_critical_extension_is_rejected() {
    for (crit, extension) in
        [(json!(["b64"]), json!({ "b64": false })), (json!(["x"]), json!({ "x": 1 })), (json!([]), json!({}))]
    {
        let header = changed(json!({ "alg": "RS256", "crit": crit }), &extension);
        let token = token(&RSA, Algorithm::RS256, &header, &claims());
        assert_eq!(verify(&token), Err(TokenRejection::CriticalExtension), "{header}");
    }
}

#[test]
fn a_text_that_is_not_a_compact_jwt_is_malformed() {
    let good = claiming(&claims());
    let (input, signature) = good.rsplit_once('.').expect("three parts");
    let (header, payload) = input.split_once('.').expect("three parts");
    let padded = BASE64_URL_SAFE.encode(r#"{"alg":"RS256"} "#);
    for token in [
        "",
        ".",
        "..",
        "...",
        "garbage",
        "a.b.c",
        "Bearer",
        header,
        input,
        &format!("{good}.{signature}"),
        &format!("{header}.{header}.{payload}.{signature}.{signature}"),
        &format!("{good}="),
        &format!("{{}}.{payload}.{signature}"),
        &format!("{padded}.{payload}.{signature}"),
        &format!("{}.{payload}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","alg":"none"}"#)),
        &format!("{}.{payload}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT"}"#)),
        &format!("{}.{payload}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(r#""RS256""#)),
        "\u{1f600}.\u{1f600}.\u{1f600}",
    ] {
        assert_eq!(verify(token), Err(TokenRejection::Malformed), "{token:?}");
    }
}

#[test]
fn any_change_to_a_signed_token_is_detected() {
    let good = claiming(&claims());
    let other = claiming(&claims_with(&json!({ "sub": "another" })));
    let part = |token: &str, index: usize| token.split('.').nth(index).expect("three parts").to_owned();
    for token in [
        format!("{}.{}.{}", part(&good, 0), part(&other, 1), part(&good, 2)),
        format!("{}.{}.{}", part(&good, 0), part(&good, 1), part(&other, 2)),
        format!("{}.{}.{}", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#), part(&good, 1), part(&good, 2)),
        format!("{good}A"),
        format!("{}.{}.{}", part(&good, 0), part(&good, 1), &part(&good, 2)[4..]),
    ] {
        assert_eq!(verify(&token), Err(TokenRejection::SignatureUnverified), "{token}");
    }
}

#[test]
fn a_signed_payload_that_is_not_an_object_of_claims_is_malformed() {
    for payload in [&b""[..], b"[]", b"null", b"\"connect\"", b"not json", b"\xff\xfe", b"{} {}"] {
        let input = signing_input(&json!({ "alg": "RS256" }), payload);
        let signature = BASE64_URL_SAFE_NO_PAD.encode(RSA.sign(Algorithm::RS256, input.as_bytes()));
        assert_eq!(verify(&format!("{input}.{signature}")), Err(TokenRejection::Malformed), "{payload:?}");
    }
}

#[test]
fn a_token_is_valid_between_its_times_extended_by_the_leeway() {
    let leeway = TOLERANCE.as_secs().cast_signed();
    let rfc_3339 = |seconds: i64| json!(at(seconds).to_string());
    let with_fraction = |seconds: i64| -> Value { serde_json::from_str(&format!("{seconds}.999")).expect("a number") };
    for form in [|seconds: i64| json!(seconds), rfc_3339, with_fraction] {
        for (claim, seconds, expected) in [
            ("exp", SIGNED_AT - leeway + 1, Ok(())),
            ("exp", SIGNED_AT - leeway, Err(TokenRejection::Expired)),
            ("exp", SIGNED_AT - 86_400, Err(TokenRejection::Expired)),
            ("nbf", SIGNED_AT + leeway, Ok(())),
            ("nbf", SIGNED_AT + leeway + 1, Err(TokenRejection::NotYetValid)),
            ("iat", SIGNED_AT + leeway, Ok(())),
            ("iat", SIGNED_AT + leeway + 1, Err(TokenRejection::NotYetValid)),
        ] {
            let claims = claims_with(&json!({ claim: form(seconds) }));
            assert_eq!(verify(&claiming(&claims)), expected, "{claim}: {}", claims[claim]);
        }
    }
}

#[test]
fn the_rfc_3339_times_of_the_seed_are_read_to_the_nanosecond_and_with_their_offset() {
    // SIGNED_AT is 2025-10-14T23:34:26Z; the leeway is five minutes.
    for (expires, expected) in [
        ("2025-10-14T23:29:26.000000001Z", Ok(())),
        ("2025-10-14T23:29:26.000000000Z", Err(TokenRejection::Expired)),
        ("2025-10-15T01:29:26.000000001+02:00", Ok(())),
        ("2025-10-15T01:29:26+02:00", Err(TokenRejection::Expired)),
        ("2025-07-24T15:42:07.123456789Z", Err(TokenRejection::Expired)),
    ] {
        assert_eq!(verify(&claiming(&claims_with(&json!({ "exp": expires })))), expected, "{expires}");
    }
}

#[test]
fn a_malformed_claim_is_named() {
    let number = |text: &str| -> Value { serde_json::from_str(text).expect("a number") };
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            json!(true),
            json!([SIGNED_AT]),
            json!({ "seconds": SIGNED_AT }),
            json!(""),
            json!("soon"),
            json!(SIGNED_AT.to_string()),
            json!("2025-10-14"),
            // Far in the future or in the past, depending on whether the exponent is read.
            number("1.7e99"),
            number("9999999999.9e-9"),
            number("1E10"),
            number("99999999999999999999"),
            json!(i64::MIN),
        ] {
            let token = claiming(&claims_with(&json!({ claim: value })));
            assert_eq!(verify(&token), Err(TokenRejection::Claim(claim)), "{claim}: {value}");
        }
    }
    for issuer in [json!(["connect"]), json!({ "name": "connect" }), json!(1), json!(true)] {
        let token = claiming(&claims_with(&json!({ "iss": issuer })));
        assert_eq!(verify(&token), Err(TokenRejection::Claim("iss")), "{issuer}");
    }
    for organization in [
        json!("4789efea-e034-4e6f-b8a0-5289aacec427"),
        json!(1),
        json!([]),
        json!({ "id": 4789 }),
        json!({ "id": null }),
        json!({ "id": [ORGANIZATION] }),
    ] {
        let token = claiming(&claims_with(&json!({ "organization": organization })));
        assert_eq!(verify(&token), Err(TokenRejection::Claim("organization.id")), "{organization}");
    }
    // Claims that are not checked may have any form.
    for claim in ["sub", "jti", "aud", "account", "session", "extra"] {
        for value in [json!({ "a": 1 }), json!([1, 2]), json!(0.5), json!(true)] {
            assert_eq!(verify(&claiming(&claims_with(&json!({ claim: value })))), Ok(()), "{claim}: {value}");
        }
    }
}

#[test]
fn expiry_and_issuer_are_required_and_other_times_are_not() {
    for (missing, expected) in [
        ("exp", Err(TokenRejection::Claim("exp"))),
        ("iss", Err(TokenRejection::Claim("iss"))),
        ("iat", Ok(())),
        ("nbf", Ok(())),
        ("sub", Ok(())),
    ] {
        assert_eq!(verify(&claiming(&claims_with(&json!({ missing: null })))), expected, "without {missing}");
    }
}

#[test]
fn a_token_of_another_issuer_is_rejected() {
    for issuer in ["Connect", "connect ", "https://connect.example", ""] {
        let token = claiming(&claims_with(&json!({ "iss": issuer })));
        assert_eq!(verify(&token), Err(TokenRejection::Issuer), "{issuer:?}");
    }
}

#[test]
fn a_token_for_another_organization_is_rejected_if_one_is_configured() {
    let another = json!({ "id": "00000000-0000-0000-0000-000000000000" });
    for (organization, configured, expected) in [
        (json!({ "id": ORGANIZATION }), Some(ORGANIZATION), Ok(())),
        (another.clone(), Some(ORGANIZATION), Err(TokenRejection::Organization)),
        (json!({ "id": ORGANIZATION.to_uppercase() }), Some(ORGANIZATION), Err(TokenRejection::Organization)),
        (json!({ "id": "" }), Some(ORGANIZATION), Err(TokenRejection::Organization)),
        (json!({ "name": "without an id" }), Some(ORGANIZATION), Ok(())),
        (Value::Null, Some(ORGANIZATION), Ok(())),
        (another, None, Ok(())),
        (json!("of any form"), None, Ok(())),
        (Value::Null, None, Ok(())),
    ] {
        let policy = TokenPolicy { organization_id: configured.map(str::to_owned), ..policy() };
        let token = claiming(&claims_with(&json!({ "organization": organization })));
        let verified = verify_token(&token, &every_key(), &policy, at(SIGNED_AT));
        assert_eq!(verified, expected, "{organization}, {configured:?} is configured");
    }
}

/// Whether a token was verified for a webhook with `values` as its token headers.
fn webhook_with(mode: JwtMode, header: &str, values: &[&str]) -> Result<bool, Rejection> {
    let jwt = JwtSettings { mode, header: header.to_owned(), policy: policy() };
    let mut sent = headers(&RSA, SIGNED_AT, BODY);
    sent.extend(values.iter().map(|value| (header.to_owned(), (*value).to_owned())));
    let webhook = crate::support::request(sent, BODY);
    let verified = connect::verify(webhook, &feed(), &Settings { jwt, ..settings() }, &every_key(), at(SIGNED_AT));
    verified.map(|verified| verified.attestation().token_verified).map_err(|(_, rejection)| rejection)
}

#[test]
fn a_token_is_ignored_optional_or_required_as_configured() {
    let good = claiming(&claims());
    let expired = claiming(&claims_with(&json!({ "exp": 0 })));
    let missing = || Rejection::TokenMissing("x-connect-jwt".to_owned());
    let rejected = || Rejection::Token(TokenRejection::Expired);
    for (mode, without, with_good, with_expired) in [
        (JwtMode::Off, Ok(false), Ok(false), Ok(false)),
        (JwtMode::Optional, Ok(false), Ok(true), Err(rejected())),
        (JwtMode::Required, Err(missing()), Ok(true), Err(rejected())),
    ] {
        assert_eq!(webhook_with(mode, "x-connect-jwt", &[]), without, "{mode:?}");
        assert_eq!(webhook_with(mode, "x-connect-jwt", &[" "]), without, "{mode:?}");
        assert_eq!(webhook_with(mode, "x-connect-jwt", &[&good]), with_good, "{mode:?}");
        assert_eq!(webhook_with(mode, "x-connect-jwt", &[&expired]), with_expired, "{mode:?}");
    }
}

#[test]
fn a_token_may_have_the_prefix_bearer() {
    let good = claiming(&claims());
    for value in [good.clone(), format!("Bearer {good}"), format!("bearer {good}"), format!("BEARER   {good} ")] {
        assert_eq!(webhook_with(JwtMode::Required, "authorization", &[&value]), Ok(true), "{value}");
    }
    for value in [
        format!("Bearer{good}"),
        format!("Bearer Bearer {good}"),
        format!("Bearer Basic {good}"),
        "Bearer".to_owned(),
        "Basic".to_owned(),
        format!("{good} {good}"),
        format!("Basic:{good} {good}"),
    ] {
        for mode in [JwtMode::Optional, JwtMode::Required] {
            let rejected = webhook_with(mode, "authorization", &[&value]);
            assert_eq!(rejected, Err(Rejection::Token(TokenRejection::Malformed)), "{mode:?}: {value}");
        }
    }
}

#[test]
fn credentials_of_another_scheme_are_not_a_token() {
    let good = claiming(&claims());
    for (value, scheme) in [
        ("Basic dXNlcjpwYXNzd29yZA==", "Basic"),
        ("basic dXNlcjpwYXNzd29yZA==", "Basic"),
        ("BASIC   dXNlcjpwYXNzd29yZA== ", "Basic"),
        (r#"Digest username="user", realm="fundhook", response="0""#, "Digest"),
        ("negotiate YII=", "Negotiate"),
        ("AWS4-HMAC-SHA256 Credential=canary-4711", "other"),
        ("canary-4711 canary", "other"),
        (&format!("Basic {good}"), "Basic"),
        (&format!("Basic Bearer {good}"), "Basic"),
        (&format!("DPoP {good}"), "other"),
    ] {
        for header in ["authorization", "x-connect-jwt"] {
            assert_eq!(webhook_with(JwtMode::Off, header, &[value]), Ok(false), "{value}");
            assert_eq!(webhook_with(JwtMode::Optional, header, &[value]), Ok(false), "{value}: it is ignored");
            let rejected = webhook_with(JwtMode::Required, header, &[value]).expect_err(value);
            assert_eq!(rejected, Rejection::NotAToken { header: header.to_owned(), scheme }, "{value}");
            assert_eq!(
                rejected.to_string(),
                format!("the header `{header}` carries {scheme} credentials and not a token")
            );
            assert_eq!(rejected.code(), "token_missing");
            assert!(!rejected.is_malformed() && !rejected.may_be_a_new_key());
        }
    }
}

#[test]
fn credentials_of_another_scheme_never_replace_a_valid_signature() {
    let mut sent = headers(&RSA_NEXT, SIGNED_AT, BODY);
    sent.push(("authorization".to_owned(), "Basic dXNlcjpwYXNzd29yZA==".to_owned()));
    let webhook = crate::support::request(sent, BODY);
    let rejected =
        connect::verify(webhook, &feed(), &settings(), &every_key(), at(SIGNED_AT)).map_err(|(_, rejection)| rejection);
    assert_eq!(rejected.map(|_| ()), Err(Rejection::SignatureUnverified));
}

#[test]
fn two_tokens_are_rejected_even_if_both_are_valid() {
    let good = claiming(&claims());
    for mode in [JwtMode::Optional, JwtMode::Required] {
        for first in [&good, "Basic dXNlcjpwYXNzd29yZA=="] {
            let rejected = webhook_with(mode, "authorization", &[first, &good]);
            assert_eq!(rejected, Err(Rejection::HeaderRepeated("authorization".to_owned())));
        }
    }
}

#[test]
fn a_valid_token_never_replaces_a_valid_signature() {
    let mut sent = headers(&RSA_NEXT, SIGNED_AT, BODY);
    sent.push(("authorization".to_owned(), claiming(&claims())));
    let webhook = crate::support::request(sent, BODY);
    let rejected =
        connect::verify(webhook, &feed(), &settings(), &every_key(), at(SIGNED_AT)).map_err(|(_, rejection)| rejection);
    assert_eq!(rejected.map(|_| ()), Err(Rejection::SignatureUnverified));
}

#[test]
fn a_token_of_an_unknown_key_may_verify_with_a_newer_set() {
    let by_another = token(&RSA_NEXT, Algorithm::RS256, &json!({ "alg": "RS256" }), &claims());
    let rejected = webhook_with(JwtMode::Optional, "authorization", &[&by_another]).expect_err("an unknown key");
    assert_eq!(rejected, Rejection::Token(TokenRejection::SignatureUnverified));
    assert!(rejected.may_be_a_new_key());
    for claims in [json!({ "exp": 0 }), json!({ "iss": "another" }), json!({ "organization": { "id": "another" } })] {
        let rejected = webhook_with(JwtMode::Optional, "authorization", &[&claiming(&claims_with(&claims))]);
        assert!(!rejected.expect_err("a claim is wrong").may_be_a_new_key(), "{claims}: no newer key can help");
    }
}
