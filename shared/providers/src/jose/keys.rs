//! Key sets: the keys that a provider may sign with.

use std::collections::BTreeSet;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The shortest RSA modulus that is accepted (NIST SP 800-131A: 2,048 bits until 2030).
const RSA_MODULUS_BITS_MIN: usize = 2048;

/// JWK members that only a private or symmetric key has [rfc-7518 §6.2.2, §6.3.2, §6.4.1].
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A provider's public keys: at least one, and each of them for signatures, of a supported algorithm and of sufficient
/// length.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    fingerprint: String,
}

/// One trusted public key.
#[derive(Clone, Debug)]
pub struct Key {
    thumbprint: String,
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

/// Why a key set is rejected. The last valid one remains in use.
#[derive(Debug, thiserror::Error)]
pub enum InvalidKeySet {
    /// It is not JSON.
    #[error("the key set is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It has no array `keys` [rfc-7517 §5].
    #[error("the key set is not a JSON object with an array `keys`")]
    NoKeysArray,
    /// Its array `keys` is empty.
    #[error("the key set is empty")]
    Empty,
    /// It contains a symmetric or private key. A provider never publishes one, so the source is not trusted.
    #[error(
        "key {index} of the set has the member `{member}`: a published set must not contain symmetric or private keys"
    )]
    SecretKey {
        /// The key's index, counted from 0.
        index: usize,
        /// The member that only such keys have.
        member: &'static str,
    },
    /// None of its keys can be used.
    #[error(
        "no key of the set can verify signatures (required: use `sig`; RSA of at least 2048 bits, P-256 or Ed25519); the last one was rejected because {0}"
    )]
    NoUsableKey(&'static str),
    /// The text is not a PEM public key.
    #[error("the file is neither a JWKS nor an RSA public key in PEM form (`-----BEGIN PUBLIC KEY-----`)")]
    NotPem(#[source] jsonwebtoken::errors::Error),
}

impl KeySet {
    /// Reads a JWKS. Keys for other uses and of other algorithms are ignored.
    pub fn from_jwks(json: &[u8]) -> Result<Self, InvalidKeySet> {
        let set: Value = serde_json::from_slice(json).map_err(InvalidKeySet::NotJson)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(InvalidKeySet::NoKeysArray)?;
        if keys.is_empty() {
            return Err(InvalidKeySet::Empty);
        }
        for (index, key) in keys.iter().enumerate() {
            if let Some(member) = SECRET_MEMBERS.into_iter().find(|member| key.get(member).is_some()) {
                return Err(InvalidKeySet::SecretKey { index, member });
            }
        }
        let mut unusable = "it is empty";
        let usable = keys.iter().filter_map(|key| Key::from_jwk(key).map_err(|why| unusable = why).ok()).collect();
        Self::of(usable).ok_or(InvalidKeySet::NoUsableKey(unusable))
    }

    /// Reads one RSA public key in PEM form (SPKI or PKCS#1).
    pub fn from_rsa_pem(pem: &[u8]) -> Result<Self, InvalidKeySet> {
        let decoding = DecodingKey::from_rsa_pem(pem).map_err(InvalidKeySet::NotPem)?;
        let jwk = Jwk::from_decoding_key(&decoding, None).map_err(InvalidKeySet::NotPem)?;
        let key = Key::usable(&jwk).map_err(InvalidKeySet::NoUsableKey)?;
        Self::of(vec![key]).ok_or(InvalidKeySet::Empty)
    }

    fn of(keys: Vec<Key>) -> Option<Self> {
        // The algorithms are included: a set that differs in nothing else must not be taken as the same set.
        let name = |key: &Key| format!("{} {:?}", key.thumbprint, key.algorithms);
        let names: BTreeSet<String> = keys.iter().map(name).collect();
        let digest = Sha256::digest(Vec::from_iter(names).join("\n"));
        let fingerprint = BASE64_URL_SAFE_NO_PAD.encode(digest);
        (!keys.is_empty()).then_some(Self { keys, fingerprint })
    }

    /// The usable keys.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The set's fingerprint: the SHA-256 digest of its usable keys' thumbprints and algorithms, independent of their
    /// order.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The first key that verifies `signature` over `message`.
    ///
    /// The provider sends no `kid`, so every key that may sign with `algorithm` is tried.
    pub fn verifying(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<&Key> {
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        self.keys
            .iter()
            .filter(|key| key.algorithms.contains(&algorithm))
            .find(|key| matches!(jsonwebtoken::crypto::verify(&signature, message, &key.decoding, algorithm), Ok(true)))
    }
}

impl Key {
    fn from_jwk(json: &Value) -> Result<Self, &'static str> {
        let jwk = Jwk::deserialize_from(json)?;
        Self::usable(&jwk)
    }

    // The library's enum of key types is non-exhaustive.
    #[expect(clippy::wildcard_enum_match_arm)]
    fn usable(jwk: &Jwk) -> Result<Self, &'static str> {
        match &jwk.common.public_key_use {
            None | Some(PublicKeyUse::Signature) => {}
            Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_)) => return Err("its `use` is not `sig`"),
        }
        let possible = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) if modulus_bits(&rsa.n) < RSA_MODULUS_BITS_MIN => {
                return Err("its RSA modulus is shorter than 2048 bits");
            }
            AlgorithmParameters::RSA(_) => vec![Algorithm::RS256, Algorithm::PS256],
            AlgorithmParameters::EllipticCurve(ec)
                if ec.curve == EllipticCurve::P256 && is_32_bytes(&ec.x) && is_32_bytes(&ec.y) =>
            {
                vec![Algorithm::ES256]
            }
            AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 && is_32_bytes(&okp.x) => {
                vec![Algorithm::EdDSA]
            }
            _ => return Err("its type, curve or length is not supported"),
        };
        // A key that names its algorithm is used for no other one [rfc-8725 §3.1].
        let algorithms: Vec<Algorithm> = match jwk.common.key_algorithm {
            None => possible,
            Some(named) => {
                possible.into_iter().filter(|algorithm| format!("{algorithm:?}") == named.to_string()).collect()
            }
        };
        if algorithms.is_empty() {
            return Err("its `alg` is not one that webhooks or tokens are signed with");
        }
        let decoding = DecodingKey::from_jwk(jwk).map_err(|_| "its members do not decode")?;
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| "it has no thumbprint")?;
        Ok(Self { thumbprint, id: jwk.common.key_id.clone(), algorithms, decoding })
    }

    /// The thumbprint [rfc-7638] (SHA-256, base64url), which names the key in evidence.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The key's `kid`.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether the key may verify signatures of `algorithm`.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// The modulus and the exponent of an RSA key, big-endian, for tools that inspect signatures.
    pub fn rsa_components(&self) -> Option<(&[u8], &[u8])> {
        match self.decoding.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => Some((n, e)),
            DecodingKeyKind::SecretOrDer(_) => None,
        }
    }
}

/// Deserializing a JWK from a part of a document.
trait DeserializeFrom: Sized {
    fn deserialize_from(json: &Value) -> Result<Self, &'static str>;
}

impl DeserializeFrom for Jwk {
    fn deserialize_from(json: &Value) -> Result<Self, &'static str> {
        serde::Deserialize::deserialize(json).map_err(|_| "it is not a JWK")
    }
}

/// The length of a base64url-encoded modulus in bits, without leading zeros; 0 if it does not decode.
fn modulus_bits(modulus: &str) -> usize {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default();
    let significant = bytes.iter().skip_while(|byte| **byte == 0);
    significant.clone().next().map_or(0, |first| significant.count() * 8 - first.leading_zeros() as usize)
}

/// Whether `text` is 32 bytes in base64url: a coordinate on P-256 [rfc-7518 §6.2.1.2] or an Ed25519 key [rfc-8037].
fn is_32_bytes(text: &str) -> bool {
    BASE64_URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Decodes base64 of the standard alphabet, with or without padding.
pub(crate) fn decode_standard_base64(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok().or_else(|| base64::prelude::BASE64_STANDARD_NO_PAD.decode(text).ok())
}
