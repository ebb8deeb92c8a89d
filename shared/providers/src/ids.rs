//! Names for resources to which the provider gives no id.

use std::fmt;

use aws_lc_rs::hmac;
use fundhook_domain::{Feed, Kind, ResourceId};
use secrecy::{ExposeSecret, SecretString};

/// The key of the digests that name resources to which the provider gives no id.
///
/// Such a resource is named by what it is about: a user's code and an asset. The digest keeps that out of ids, which end
/// up in logs, filter policies and other systems, and the key keeps anyone from trying all codes. The key must stay the
/// same: with another one, the same resource has another id.
#[derive(Clone)]
pub struct IdKey(hmac::Key);

impl IdKey {
    /// The key made of `secret`.
    pub fn new(secret: &SecretString) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes()))
    }

    /// The secret of the public key.
    pub const PUBLIC: &str = "fundhook: a public key for ids, which hides nothing";

    /// A key that everyone knows, for tests, for the local stack and for the preview of a webhook.
    pub fn public() -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, Self::PUBLIC.as_bytes()))
    }

    /// The name of the resource that `parts` describe: 32 hex digits. Two different lists of parts never have one name.
    pub fn name(&self, parts: &[&str]) -> String {
        const BYTES: usize = 16;
        let mut message = Vec::new();
        for part in parts {
            message.extend((part.len() as u64).to_be_bytes());
            message.extend(part.as_bytes());
        }
        hex::encode(&hmac::sign(&self.0, &message).as_ref()[..BYTES])
    }
}

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey")
    }
}

impl Default for IdKey {
    fn default() -> Self {
        Self::public()
    }
}

/// The resource of `kind` that the member `member` of a webhook of `feed` calls `native`.
///
/// What is not a character is read as U+FFFD, so two ids may have become one text. Such a text names nothing.
pub(crate) fn resource(kind: Kind, feed: &Feed, member: &str, native: &str) -> Result<ResourceId, String> {
    if native.contains(char::REPLACEMENT_CHARACTER) {
        return Err(format!("`{member}` contains what is not a character, so it cannot name a resource"));
    }
    let named = ResourceId::new(kind, feed.clone(), native);
    named.map_err(|error| format!("`{member}` cannot name a resource: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_depends_on_the_key_on_every_part_and_on_where_the_parts_end() {
        let key = IdKey::new(&"a".to_owned().into());
        let names = [
            key.name(&["CUST01", "USDC"]),
            key.name(&["CUST01U", "SDC"]),
            key.name(&["CUST01", "USDC", ""]),
            IdKey::new(&"b".to_owned().into()).name(&["CUST01", "USDC"]),
            IdKey::public().name(&["CUST01", "USDC"]),
        ];
        assert!(names.iter().enumerate().all(|(at, name)| !names[..at].contains(name)), "{names:?}");
        assert!(names.iter().all(|name| name.len() == 32 && !name.contains("CUST01")));
        assert_eq!(key.name(&["CUST01", "USDC"]), names[0]);
    }
}
