//! RSA keys, and signatures as Connect makes them.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_providers::connect::{
    CLIENT_ID_HEADER, PAYLOAD_TYPE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, signed_message,
};
use serde_json::{Value, json};

use crate::requests::SignedHeaders;

/// A private RSA key of 2,048 bits.
pub struct SandboxKey(RsaKeyPair);

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the cryptography library failed to generate or use the RSA key")]
    Crypto,
    #[error(
        "not an RSA private key in PKCS#8 PEM form (`-----BEGIN PRIVATE KEY-----`); generate one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`"
    )]
    NotPem,
}

impl SandboxKey {
    pub fn generate() -> Result<Self, KeyError> {
        RsaKeyPair::generate(KeySize::Rsa2048).map(Self).map_err(|_| KeyError::Crypto)
    }

    /// The key in a PKCS#8 PEM file. Text before and after the key is ignored.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----").ok_or(KeyError::NotPem)?;
        let (base64, _) = rest.split_once("-----END PRIVATE KEY-----").ok_or(KeyError::NotPem)?;
        let base64: String = base64.split_whitespace().collect();
        let der = BASE64_STANDARD.decode(base64).map_err(|_| KeyError::NotPem)?;
        RsaKeyPair::from_pkcs8(&der).map(Self).map_err(|_| KeyError::NotPem)
    }

    /// The private key as PKCS#8 PEM.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().map_err(|_| KeyError::Crypto)?;
        Ok(pem("PRIVATE KEY", der.as_ref()))
    }

    /// The public key as SPKI PEM.
    pub fn public_pem(&self) -> Result<String, KeyError> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().map_err(|_| KeyError::Crypto)?;
        Ok(pem("PUBLIC KEY", der.as_ref()))
    }

    /// The public key as a JWK, without `kid`: Connect's webhooks do not name a key.
    pub fn public_jwk(&self) -> Value {
        let public = self.0.public_key();
        let encoded = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let modulus = encoded(public.modulus().big_endian_without_leading_zero());
        let exponent = encoded(public.exponent().big_endian_without_leading_zero());
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "n": modulus, "e": exponent })
    }

    /// The headers that Connect sends with `body` to `url` at `timestamp` (UNIX time in seconds).
    pub fn sign(&self, url: &str, timestamp: i64, body: &[u8]) -> Result<SignedHeaders, KeyError> {
        let timestamp = timestamp.to_string();
        let signature = self.signature(&signed_message(&timestamp, url, body))?;
        Ok([
            (CLIENT_ID_HEADER, "Connect".to_owned()),
            (TIMESTAMP_HEADER, timestamp),
            (SIGNATURE_HEADER, BASE64_STANDARD.encode(signature)),
            (PAYLOAD_TYPE_HEADER, payload_type(body).to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec())
    }

    /// A JWT (RS256, RFC 7515 section 3.1) with these claims.
    pub fn token(&self, claims: &Value) -> Result<String, KeyError> {
        let encoded = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encoded(&json!({ "alg": "RS256", "typ": "JWT" })), encoded(claims));
        let signature = self.signature(signed.as_bytes())?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256, as Connect signs.
    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.signed(&RSA_PKCS1_SHA256, message)
    }

    /// RSASSA-PSS with SHA-256, as zerohash signs.
    pub(super) fn pss_signature(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.signed(&RSA_PSS_SHA256, message)
    }

    fn signed(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(|_| KeyError::Crypto)?;
        Ok(signature)
    }
}

/// `der` as PEM (RFC 7468).
fn pem(label: &str, der: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = (0..base64.len()).step_by(64).map(|at| &base64[at..base64.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The payload type that Connect sends with a body; the one of deposits if the body has no event.
fn payload_type(body: &[u8]) -> &'static str {
    let event = serde_json::from_slice::<Value>(body).ok();
    let event = event.as_ref().and_then(|event| event.get("event")).and_then(Value::as_str).unwrap_or_default();
    if event.starts_with("connect.withdrawal.") {
        "connect_withdrawal.status_changed"
    } else {
        "connect_deposit.status_changed"
    }
}
