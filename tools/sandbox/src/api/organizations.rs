//! The organizations that Connect knows, and with what they ask for tokens.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider, Tenant, digest_hex};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha512};

/// An organization, under the name that Connect has given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Organization {
    /// Which of the deployment's; `None` for the default one.
    pub(super) tenant: Option<Tenant>,
    /// Its `organization_id`.
    pub(super) id: String,
}

/// What an organization asks for a token with. Seed 000 shows the request with the organization for deposits, and without
/// it for withdrawals.
#[derive(Debug, Deserialize)]
pub(super) struct ClientCredentials {
    client_id: String,
    client_secret: String,
    organization_id: Option<String>,
}

/// Credentials for each organization, all made from one seed.
pub(crate) struct Credentials {
    seed: String,
    /// Whom Connect has onboarded: the default organization, and those whose credentials were asked for.
    onboarded: Vec<Feed>,
}

impl Credentials {
    /// The credentials that are made from `seed`, the same ones each time.
    pub(super) fn of(seed: String) -> Self {
        Self { seed, onboarded: vec![Feed::from(Provider::Connect)] }
    }

    /// What the operator stores: the credentials of those of `feeds` that are Connect's. From now on they are good.
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

    /// The organization that these credentials are of.
    pub(super) fn organization(&self, given: &ClientCredentials) -> Option<Organization> {
        let feed = self.onboarded.iter().find(|feed| self.client_id(feed) == given.client_id)?;
        let id = self.organization_id(feed);
        let is_right = self.client_secret(feed) == given.client_secret
            && given.organization_id.as_ref().is_none_or(|named| *named == id);
        is_right.then(|| Organization { tenant: feed.tenant().cloned(), id })
    }

    fn client_id(&self, feed: &Feed) -> String {
        uuid_of(&self.text(feed, "client id"))
    }

    fn organization_id(&self, feed: &Feed) -> String {
        uuid_of(&self.text(feed, "organization id"))
    }

    /// 64 bytes in base64, as long and with such characters as seed 000 shows one.
    fn client_secret(&self, feed: &Feed) -> String {
        BASE64_STANDARD.encode(Sha512::digest(self.text(feed, "client secret")))
    }

    fn text(&self, feed: &Feed, purpose: &str) -> String {
        format!("{} {feed} {purpose}", self.seed)
    }
}

/// An id in the form of a UUID, the same for the same text.
pub(super) fn uuid_of(text: &str) -> String {
    let hex = digest_hex(text.as_bytes());
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}

/// A new id in the form of a UUID.
pub(super) fn new_uuid() -> String {
    uuid_of(&fastrand::u128(..).to_string())
}
