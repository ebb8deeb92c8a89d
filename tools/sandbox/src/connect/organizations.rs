//! The organizations that Connect knows, and their credentials.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider, Tenant, digest_hex};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha512};

/// An organization and its id at Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Organization {
    /// `None` for the default organization.
    pub(crate) tenant: Option<Tenant>,
    pub(crate) id: String,
}

/// The token request of an organization: with the organization for deposits [connect-guide §3], without it for
/// withdrawals [connect-guide §W1].
#[derive(Debug, Deserialize)]
pub(crate) struct ClientCredentials {
    client_id: String,
    client_secret: String,
    organization_id: Option<String>,
}

/// The credentials of each organization, all derived from one seed.
pub(crate) struct SandboxCredentials {
    seed: String,
    /// The onboarded organizations: the default one, and those whose credentials were requested.
    onboarded: Vec<Feed>,
}

impl SandboxCredentials {
    /// The credentials derived from `seed`, the same each time.
    pub(crate) fn of(seed: String) -> Self {
        Self { seed, onboarded: vec![Feed::from(Provider::Connect)] }
    }

    /// What the operator stores: the credentials of Connect's feeds among `feeds`. They are valid from now on.
    pub(crate) fn stored(&mut self, feeds: &[Feed]) -> Value {
        let mut organizations = Map::new();
        for feed in feeds.iter().filter(|feed| feed.provider() == Provider::Connect) {
            if !self.onboarded.contains(feed) {
                self.onboarded.push(feed.clone());
            }
            let entry = json!({
                "client_id": self.client_id(feed),
                "client_secret": self.client_secret(feed),
                "organization_id": self.organization_id(feed),
            });
            organizations.insert(feed.tenant().map_or(Tenant::RESERVED, Tenant::as_str).to_owned(), entry);
        }
        Value::Object(organizations)
    }

    /// The organization of these credentials, if they are valid.
    pub(crate) fn organization(&self, given: &ClientCredentials) -> Option<Organization> {
        let feed = self.onboarded.iter().find(|feed| self.client_id(feed) == given.client_id)?;
        let id = self.organization_id(feed);
        let is_valid = self.client_secret(feed) == given.client_secret
            && given.organization_id.as_ref().is_none_or(|named| *named == id);
        is_valid.then(|| Organization { tenant: feed.tenant().cloned(), id })
    }

    fn client_id(&self, feed: &Feed) -> String {
        uuid_of(&self.text(feed, "client id"))
    }

    fn organization_id(&self, feed: &Feed) -> String {
        uuid_of(&self.text(feed, "organization id"))
    }

    /// 64 bytes in base64, in length and alphabet like the sample [connect-guide §P4].
    fn client_secret(&self, feed: &Feed) -> String {
        BASE64_STANDARD.encode(Sha512::digest(self.text(feed, "client secret")))
    }

    fn text(&self, feed: &Feed, purpose: &str) -> String {
        format!("{} {feed} {purpose}", self.seed)
    }
}

/// An id in the form of a UUID, derived from `text`.
pub(crate) fn uuid_of(text: &str) -> String {
    let hex = digest_hex(text.as_bytes());
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}

/// A random id in the form of a UUID.
pub(crate) fn new_uuid() -> String {
    uuid_of(&fastrand::u128(..).to_string())
}
