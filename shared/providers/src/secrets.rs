//! The secrets that a provider and the platform share, as the operator stores them.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::hmac;
use fundhook_domain::{Tenant, digest_hex};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::KeySet;
use crate::jose::InvalidKeySet;

/// What one organization verifies a provider's webhooks with: the current shared secret, during a rotation the previous
/// one too, and public keys for schemes that use them.
#[derive(Clone)]
pub struct Secrets {
    shared: Vec<SharedSecret>,
    public_keys: Vec<KeySet>,
    fingerprint: String,
}

/// The secrets of several organizations; `None` is the organization without a name.
pub type Organizations = BTreeMap<Option<Tenant>, Secrets>;

/// Why entries are rejected, by their names.
pub type InvalidEntries = BTreeMap<String, InvalidSecrets>;

/// A secret, and the name by which evidence refers to it.
#[derive(Clone)]
pub struct SharedSecret {
    key: hmac::Key,
    name: String,
}

/// Why a stored secret is rejected. The last valid one remains in use.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSecrets {
    /// It does not have the expected form. Its content is not quoted.
    #[error(
        "the secret is not of the form {{\"default\":{{\"current\":\"…\",\"previous\":\"…\"}},\"<tenant>\":{{\"current\":\"…\"}}}}, with `rsa_public_keys` if the provider has them: {0}"
    )]
    Shape(String),
    /// The name of an organization is not valid.
    #[error("the organization {0:?} is neither `default` nor the name of a tenant")]
    Tenant(String),
    /// An organization has neither a secret nor a key, or only a previous secret.
    #[error("the organization {0:?} has neither `current` nor `rsa_public_keys`, or `previous` without `current`")]
    Nothing(String),
    /// A secret is too short.
    #[error("`{member}` of the organization {organization:?} is shorter than {} characters", SharedSecret::BYTES_MIN)]
    Short {
        /// The organization.
        organization: String,
        /// `current` or `previous`.
        member: &'static str,
    },
    /// A public key cannot be read.
    #[error("a public key of the organization {0:?} is invalid")]
    PublicKey(String, #[source] InvalidKeySet),
}

fn shape(error: serde_json::Error) -> InvalidSecrets {
    InvalidSecrets::Shape(fundhook_domain::json_fault(&error))
}

/// One organization's entry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    current: Option<SecretString>,
    previous: Option<SecretString>,
    #[serde(default)]
    rsa_public_keys: Vec<String>,
}

impl Secrets {
    /// Reads the secrets of all organizations. An invalid entry is an error.
    pub fn from_json(json: &str) -> Result<Organizations, InvalidSecrets> {
        let (organizations, invalid) = Self::valid_from_json(json)?;
        invalid.into_values().next().map_or(Ok(organizations), Err)
    }

    /// Reads the valid entries, and why the others are rejected: a mistake in one organization's entry must not affect
    /// the others. It is an error if no entry is an object.
    pub fn valid_from_json(json: &str) -> Result<(Organizations, InvalidEntries), InvalidSecrets> {
        let entries: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).map_err(shape)?;
        if !entries.is_empty() && !entries.values().any(|entry| entry.get().starts_with('{')) {
            return Err(InvalidSecrets::Shape("none of its entries is an object".to_owned()));
        }
        let read = |name: &String, entry: &RawValue| {
            let tenant = match name.as_str() {
                Tenant::RESERVED => None,
                other => Some(other.parse().map_err(|_| InvalidSecrets::Tenant(name.clone()))?),
            };
            let entry: Entry = serde_json::from_str(entry.get()).map_err(shape)?;
            Ok((tenant, Self::of(name, entry)?))
        };
        let (mut organizations, mut invalid) = (BTreeMap::new(), BTreeMap::new());
        for (name, entry) in entries {
            match read(&name, &entry) {
                Ok((tenant, secrets)) => drop(organizations.insert(tenant, secrets)),
                Err(error) => drop(invalid.insert(name, error)),
            }
        }
        Ok((organizations, invalid))
    }

    fn of(organization: &str, entry: Entry) -> Result<Self, InvalidSecrets> {
        let is_stated =
            |secret: &Option<SecretString>| secret.as_ref().is_some_and(|secret| !secret.expose_secret().is_empty());
        let has_only_previous = is_stated(&entry.previous) && !is_stated(&entry.current);
        let members = [("current", entry.current), ("previous", entry.previous)];
        // An empty string is taken as missing: consoles easily leave one behind.
        let stated = members.into_iter().filter_map(|(member, secret)| Some((member, secret?)));
        let stated = stated.filter(|(_, secret)| !secret.expose_secret().is_empty());
        let shared = stated.map(|(member, secret)| {
            let short = || InvalidSecrets::Short { organization: organization.to_owned(), member };
            SharedSecret::new(&secret).ok_or_else(short)
        });
        let shared = shared.collect::<Result<Vec<_>, _>>()?;
        let read = |pem: &String| {
            KeySet::from_rsa_pem(pem.as_bytes())
                .map_err(|invalid| InvalidSecrets::PublicKey(organization.to_owned(), invalid))
        };
        let public_keys = entry.rsa_public_keys.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if has_only_previous || (shared.is_empty() && public_keys.is_empty()) {
            return Err(InvalidSecrets::Nothing(organization.to_owned()));
        }
        let names = shared.iter().map(SharedSecret::name).chain(public_keys.iter().map(KeySet::fingerprint));
        let fingerprint = digest_hex(names.collect::<Vec<_>>().join("\n").as_bytes());
        Ok(Self { shared, public_keys, fingerprint })
    }

    /// The fingerprint of the secrets and keys, by which newer ones are recognized.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether there is a shared secret.
    pub(crate) fn has_shared(&self) -> bool {
        !self.shared.is_empty()
    }

    /// The public keys.
    pub(crate) fn public_keys(&self) -> &[KeySet] {
        &self.public_keys
    }

    /// The current secret, which signs.
    pub fn current(&self) -> Option<&SharedSecret> {
        self.shared.first()
    }

    /// The secret with which `tag` is the HMAC-SHA256 of `message`. The comparison takes constant time.
    pub fn verifying(&self, message: &[u8], tag: &[u8]) -> Option<&SharedSecret> {
        self.shared.iter().find(|secret| hmac::verify(&secret.key, message, tag).is_ok())
    }
}

impl SharedSecret {
    /// The shortest secret that is accepted. The providers' have 32 bytes or more.
    const BYTES_MIN: usize = 16;

    /// The secret; `None` if it is too short.
    pub fn new(secret: &SecretString) -> Option<Self> {
        let bytes = secret.expose_secret().as_bytes();
        if bytes.len() < Self::BYTES_MIN {
            return None;
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        // 64 bits of an HMAC distinguish any two secrets and reveal neither.
        let tag = hmac::sign(&key, b"fundhook: the name of this secret");
        Some(Self { name: format!("hmac:{}", &hex::encode(tag.as_ref())[..16]), key })
    }

    /// The name by which evidence refers to the secret.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The HMAC-SHA256 of `message` in lower-case hex, as a provider signs.
    pub fn sign(&self, message: &[u8]) -> String {
        hex::encode(hmac::sign(&self.key, message).as_ref())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecret").field("name", &self.name).finish_non_exhaustive()
    }
}
