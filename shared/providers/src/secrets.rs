//! The secrets that a provider shares with the platform, as the operator stores them.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::hmac;
use fundhook_domain::{Tenant, digest_hex};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::KeySet;
use crate::jose::UnfitKeySet;

/// What one organization verifies a provider's webhooks with: shared secrets, the current one and while it is being
/// changed the previous one too, and public keys for schemes that have them.
#[derive(Clone)]
pub struct Secrets {
    shared: Vec<SharedSecret>,
    public_keys: Vec<KeySet>,
    fingerprint: String,
}

/// The secrets of organizations, the default one's under `None`.
pub type Organizations = BTreeMap<Option<Tenant>, Secrets>;

/// Why entries are not taken in, by their names.
pub type UnfitEntries = BTreeMap<String, UnfitSecrets>;

/// One secret, and a name by which evidence can tell it from others.
#[derive(Clone)]
pub struct SharedSecret {
    key: hmac::Key,
    name: String,
}

/// Why a stored secret is not taken in. The one that is held stays in use.
#[derive(Debug, thiserror::Error)]
pub enum UnfitSecrets {
    /// It does not have the shape. What it holds instead is not repeated.
    #[error(
        "the secret is not of the form {{\"default\":{{\"current\":\"…\",\"previous\":\"…\"}},\"<tenant>\":{{\"current\":\"…\"}}}}, with `rsa_public_keys` where the provider has them: {0}"
    )]
    Shape(String),
    /// An organization's name is not one.
    #[error("the organization {0:?} is neither `default` nor the name of a tenant")]
    Tenant(String),
    /// An organization has nothing to verify with, or a previous secret and no current one.
    #[error("the organization {0:?} has neither `current` nor `rsa_public_keys`, or `previous` without `current`")]
    Nothing(String),
    /// A secret is too short to be one.
    #[error("`{member}` of the organization {organization:?} is shorter than {} characters", SharedSecret::BYTES_MIN)]
    Short {
        /// Whose.
        organization: String,
        /// `current` or `previous`.
        member: &'static str,
    },
    /// A public key cannot be read.
    #[error("a public key of the organization {0:?} is unfit")]
    PublicKey(String, #[source] UnfitKeySet),
}

fn shape(error: serde_json::Error) -> UnfitSecrets {
    UnfitSecrets::Shape(fundhook_domain::json_fault(&error))
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
    /// Reads the secrets of all organizations, the default one under `None`. One that is unfit is an error.
    pub fn from_json(json: &str) -> Result<Organizations, UnfitSecrets> {
        let (organizations, unfit) = Self::fit_from_json(json)?;
        unfit.into_values().next().map_or(Ok(organizations), Err)
    }

    /// Reads the secrets of all organizations that are fit, and why the others are not, by the names of their entries: a slip
    /// about one of them is no reason to do without the others. Where no entry is an object, it is not one about some of them.
    pub fn fit_from_json(json: &str) -> Result<(Organizations, UnfitEntries), UnfitSecrets> {
        let entries: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).map_err(shape)?;
        if !entries.is_empty() && !entries.values().any(|entry| entry.get().starts_with('{')) {
            return Err(UnfitSecrets::Shape("it has another shape, no entry in it is an object".to_owned()));
        }
        let read = |name: &String, entry: &RawValue| {
            let tenant = match name.as_str() {
                Tenant::RESERVED => None,
                other => Some(other.parse().map_err(|_| UnfitSecrets::Tenant(name.clone()))?),
            };
            let entry: Entry = serde_json::from_str(entry.get()).map_err(shape)?;
            Ok((tenant, Self::of(name, entry)?))
        };
        let (mut organizations, mut unfit) = (BTreeMap::new(), BTreeMap::new());
        for (name, entry) in entries {
            match read(&name, &entry) {
                Ok((tenant, secrets)) => drop(organizations.insert(tenant, secrets)),
                Err(error) => drop(unfit.insert(name, error)),
            }
        }
        Ok((organizations, unfit))
    }

    fn of(organization: &str, entry: Entry) -> Result<Self, UnfitSecrets> {
        let is_stated =
            |secret: &Option<SecretString>| secret.as_ref().is_some_and(|secret| !secret.expose_secret().is_empty());
        let has_only_previous = is_stated(&entry.previous) && !is_stated(&entry.current);
        let members = [("current", entry.current), ("previous", entry.previous)];
        // An empty text is a secret that is not there: consoles make it easy to leave one behind.
        let stated = members.into_iter().filter_map(|(member, secret)| Some((member, secret?)));
        let stated = stated.filter(|(_, secret)| !secret.expose_secret().is_empty());
        let shared = stated.map(|(member, secret)| {
            let short = || UnfitSecrets::Short { organization: organization.to_owned(), member };
            SharedSecret::new(&secret).ok_or_else(short)
        });
        let shared = shared.collect::<Result<Vec<_>, _>>()?;
        let read = |pem: &String| {
            KeySet::from_rsa_pem(pem.as_bytes())
                .map_err(|unfit| UnfitSecrets::PublicKey(organization.to_owned(), unfit))
        };
        let public_keys = entry.rsa_public_keys.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if has_only_previous || (shared.is_empty() && public_keys.is_empty()) {
            return Err(UnfitSecrets::Nothing(organization.to_owned()));
        }
        let names = shared.iter().map(SharedSecret::name).chain(public_keys.iter().map(KeySet::fingerprint));
        let fingerprint = digest_hex(names.collect::<Vec<_>>().join("\n").as_bytes());
        Ok(Self { shared, public_keys, fingerprint })
    }

    /// Names what is in it, so that a newer one can be told from one that was tried.
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

    /// The secret that signs: the current one.
    pub fn current(&self) -> Option<&SharedSecret> {
        self.shared.first()
    }

    /// The secret with which `tag` is the HMAC-SHA256 of `message`. Compared in constant time.
    pub fn verifying(&self, message: &[u8], tag: &[u8]) -> Option<&SharedSecret> {
        self.shared.iter().find(|secret| hmac::verify(&secret.key, message, tag).is_ok())
    }
}

impl SharedSecret {
    /// The shortest that is taken: providers' have 32 and more.
    const BYTES_MIN: usize = 16;

    /// The secret, unless it is too short to be one.
    pub fn new(secret: &SecretString) -> Option<Self> {
        let bytes = secret.expose_secret().as_bytes();
        if bytes.len() < Self::BYTES_MIN {
            return None;
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        // 64 bits tell any two secrets apart and say nothing about either.
        let tag = hmac::sign(&key, b"fundhook: the name of this secret");
        Some(Self { name: format!("hmac:{}", &hex::encode(tag.as_ref())[..16]), key })
    }

    /// The name by which evidence knows it.
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
