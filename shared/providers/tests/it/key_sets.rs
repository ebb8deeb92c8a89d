//! Which key sets are accepted, and which of their keys are used.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_providers::KeySet;
use fundhook_providers::jose::InvalidKeySet;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::support::{ED25519, P256, RSA, RSA_NEXT, jwks, key_set};

/// The key of [rfc-7638 §3.1].
const RFC_7638_KEY: &str = r#"{
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29"
}"#;

fn invalid(document: impl AsRef<[u8]>) -> InvalidKeySet {
    KeySet::from_jwks(document.as_ref()).expect_err("an invalid set")
}

/// The first `bytes` bytes of the modulus of `RSA`, with another first byte.
fn modulus_of(bytes: usize, first: u8) -> String {
    let modulus =
        RSA.jwk()["n"].as_str().map(|n| BASE64_URL_SAFE_NO_PAD.decode(n)).expect("a string").expect("base64url");
    let mut modulus = modulus[..bytes].to_vec();
    modulus[0] = first;
    BASE64_URL_SAFE_NO_PAD.encode(modulus)
}

#[test]
fn a_document_that_is_not_a_key_set_is_invalid() {
    for document in ["", "not json", "<html></html>", "{\"keys\":[", "\u{feff}{\"keys\":[]}"] {
        assert!(matches!(invalid(document), InvalidKeySet::NotJson(_)), "{document:?}");
    }
    for document in ["null", "[]", "{}", "\"keys\"", r#"{"keys":null}"#, r#"{"keys":{}}"#, r#"{"Keys":[]}"#] {
        assert!(matches!(invalid(document), InvalidKeySet::NoKeysArray), "{document:?}");
    }
    // A single key is not a set.
    assert!(matches!(invalid(RSA.jwk().to_string()), InvalidKeySet::NoKeysArray));
    assert!(matches!(invalid(r#"{"keys":[]}"#), InvalidKeySet::Empty));
}

#[test]
fn a_set_with_a_symmetric_or_private_key_is_invalid_whatever_else_it_contains() {
    let symmetric = json!({ "kty": "oct", "alg": "HS256", "k": "c2VjcmV0" });
    let mut cases = vec![(symmetric, "k")];
    for key in [&RSA, &P256, &ED25519] {
        cases.push((key.jwk_with(&json!({ "d": "AQAB" })), "d"));
    }
    for member in ["p", "q", "dp", "dq", "qi", "oth"] {
        cases.push((RSA.jwk_with(&json!({ member: "AQAB" })), member));
    }
    for (secret, expected) in cases {
        for (keys, expected_index) in [(vec![secret.clone()], 0), (vec![RSA_NEXT.jwk(), secret.clone()], 1)] {
            let invalid = invalid(jwks(&keys));
            assert!(
                matches!(invalid, InvalidKeySet::SecretKey { index, member } if (index, member) == (expected_index, expected)),
                "{secret}: {invalid:?}"
            );
        }
    }
}

#[test]
fn a_set_without_a_key_that_can_verify_signatures_is_invalid() {
    for (what, key) in [
        ("for encryption", RSA.jwk_with(&json!({ "use": "enc" }))),
        ("for another use", RSA.jwk_with(&json!({ "use": "tls" }))),
        ("for encryption by its algorithm", RSA.jwk_with(&json!({ "alg": "RSA-OAEP-256" }))),
        ("RSA of 1,024 bits", RSA.jwk_with(&json!({ "n": modulus_of(128, 0xff) }))),
        ("RSA of 2,047 bits", RSA.jwk_with(&json!({ "n": modulus_of(256, 0x7f) }))),
        ("a modulus that is not base64url", RSA.jwk_with(&json!({ "n": "!" }))),
        ("no modulus", RSA.jwk_with(&json!({ "n": null }))),
        ("an unsupported curve", P256.jwk_with(&json!({ "crv": "secp256k1", "alg": null }))),
        ("another unsupported curve", P256.jwk_with(&json!({ "crv": "P-521", "alg": "ES512" }))),
        ("a point cut short", P256.jwk_with(&json!({ "x": "AQAB" }))),
        ("no point", P256.jwk_with(&json!({ "y": null }))),
        ("an Edwards key cut short", ED25519.jwk_with(&json!({ "x": "AQAB" }))),
        ("key agreement", ED25519.jwk_with(&json!({ "crv": "X25519", "alg": null }))),
        ("an algorithm of another type of key", ED25519.jwk_with(&json!({ "alg": "RS256" }))),
        ("an unsupported type", json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AQAB" })),
        ("no type", json!({})),
        ("not an object", json!("key")),
        ("null", Value::Null),
    ] {
        assert!(matches!(invalid(jwks(std::slice::from_ref(&key))), InvalidKeySet::NoUsableKey(_)), "{what}");
        let beside_a_valid_one = key_set(&[key, RSA_NEXT.jwk()]);
        assert_eq!(beside_a_valid_one.keys().len(), 1, "{what}: it is ignored");
        assert_eq!(beside_a_valid_one.fingerprint(), RSA_NEXT.set().fingerprint(), "{what}: as if it were missing");
    }
}

#[test]
fn each_type_of_key_verifies_only_with_its_own_algorithms() {
    let unnamed = json!({ "alg": null });
    for (key, may_verify) in [
        (RSA.jwk(), &[Algorithm::RS256][..]),
        (RSA.jwk_with(&json!({ "alg": "PS256" })), &[Algorithm::PS256]),
        (RSA.jwk_with(&unnamed), &[Algorithm::RS256, Algorithm::PS256]),
        (RSA.jwk_with(&json!({ "use": null, "alg": null, "kid": "a" })), &[Algorithm::RS256, Algorithm::PS256]),
        (P256.jwk(), &[Algorithm::ES256]),
        (P256.jwk_with(&unnamed), &[Algorithm::ES256]),
        (ED25519.jwk(), &[Algorithm::EdDSA]),
        (ED25519.jwk_with(&unnamed), &[Algorithm::EdDSA]),
    ] {
        let set = key_set(std::slice::from_ref(&key));
        let every = [
            Algorithm::HS256,
            Algorithm::HS384,
            Algorithm::HS512,
            Algorithm::ES256,
            Algorithm::ES384,
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
            Algorithm::EdDSA,
        ];
        let allowed: Vec<Algorithm> = every.into_iter().filter(|algorithm| set.keys()[0].allows(*algorithm)).collect();
        let mut expected = may_verify.to_vec();
        expected.sort_by_key(|algorithm| every.iter().position(|known| known == algorithm));
        assert_eq!(allowed, expected, "{key}");
    }
}

#[test]
fn the_signatures_of_each_type_of_key_verify() {
    let set = key_set(&[RSA.jwk_with(&json!({ "alg": null })), P256.jwk(), ED25519.jwk()]);
    for (key, algorithm) in
        [(&RSA, Algorithm::RS256), (&RSA, Algorithm::PS256), (&P256, Algorithm::ES256), (&ED25519, Algorithm::EdDSA)]
    {
        let signature = key.sign(algorithm, b"message");
        let signer = set.verifying(algorithm, b"message", &signature).expect("verifies");
        assert_eq!(signer.thumbprint(), key.set().keys()[0].thumbprint(), "{algorithm:?}");
        assert!(set.verifying(algorithm, b"another", &signature).is_none(), "{algorithm:?}");
        assert!(RSA_NEXT.set().verifying(algorithm, b"message", &signature).is_none(), "{algorithm:?}");
    }
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638() {
    let key: Value = serde_json::from_str(RFC_7638_KEY).expect("JSON");
    let set = key_set(&[key]);
    assert_eq!(set.keys()[0].thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(set.keys()[0].id(), Some("2011-04-29"));
}

#[test]
fn the_fingerprint_depends_on_the_keys_and_not_on_their_notation() {
    let (a, b, c) = (RSA.jwk(), P256.jwk(), ED25519.jwk());
    let fingerprint = |keys: &[Value]| key_set(keys).fingerprint().to_owned();
    let of_all = fingerprint(&[a.clone(), b.clone(), c.clone()]);
    for keys in [
        [c.clone(), b.clone(), a.clone()],
        [b.clone(), c.clone(), a.clone()],
        [RSA.jwk_with(&json!({ "kid": "new", "x5t": "AQAB" })), b.clone(), c.clone()],
    ] {
        assert_eq!(fingerprint(&keys), of_all);
    }
    assert_eq!(fingerprint(&[a.clone(), b.clone(), c.clone(), a.clone()]), of_all, "a key published twice");
    let pretty = format!("{:#}\n", json!({ "keys": [a, b, c], "served_by": "jwks-7" }));
    assert_eq!(KeySet::from_jwks(pretty.as_bytes()).expect("valid").fingerprint(), of_all);
}

#[test]
fn another_key_or_another_algorithm_for_a_key_is_another_fingerprint() {
    let sets = [
        key_set(&[RSA.jwk()]),
        key_set(&[RSA_NEXT.jwk()]),
        key_set(&[RSA.jwk(), RSA_NEXT.jwk()]),
        key_set(&[P256.jwk()]),
        key_set(&[RSA.jwk_with(&json!({ "alg": "PS256" }))]),
        key_set(&[RSA.jwk_with(&json!({ "alg": null }))]),
    ];
    for (index, set) in sets.iter().enumerate() {
        let same = sets[..index].iter().position(|earlier| earlier.fingerprint() == set.fingerprint());
        assert_eq!(same, None, "set {index} has the fingerprint of another");
    }
}

#[test]
fn a_public_key_in_pem_form_equals_the_key_in_its_jwks() {
    let set = KeySet::from_rsa_pem(include_bytes!("../keys/test-key-rsa-2048.pub.pem")).expect("a public key");
    assert_eq!(set.keys()[0].thumbprint(), RSA.set().keys()[0].thumbprint());
    let signature = RSA.sign(Algorithm::RS256, b"message");
    assert!(set.verifying(Algorithm::RS256, b"message", &signature).is_some());
}

#[test]
fn a_pem_file_without_a_public_rsa_key_is_invalid() {
    let private = [RSA.pem, P256.pem, ED25519.pem];
    for pem in private.into_iter().chain([
        "",
        "not a key",
        RSA.jwks,
        "-----BEGIN PUBLIC KEY-----\nAQAB\n-----END PUBLIC KEY-----\n",
    ]) {
        let invalid = KeySet::from_rsa_pem(pem.as_bytes()).expect_err(pem);
        assert!(matches!(invalid, InvalidKeySet::NotPem(_)), "{invalid:?}");
    }
}
