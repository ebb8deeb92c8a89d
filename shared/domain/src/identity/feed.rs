//! Feeds: one provider's webhooks for one of the organizations that a deployment serves.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::names::{Provider, UnknownName, serde_as_text};

/// The name of one of several organizations in a deployment.
///
/// It has 1 to 32 lower-case letters, digits and hyphens and does not begin with a hyphen. `default` is reserved for
/// the organization without a name. The name is a path segment and part of table keys, resource ids, events and
/// archived requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(String);

/// A text that is not a tenant's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a tenant name: 1 to 32 lower-case letters, digits and hyphens, not beginning with a hyphen, and not `default`"
)]
pub struct TenantError(String);

impl Tenant {
    /// The name under which settings and secrets list the organization without a name.
    pub const RESERVED: &str = "default";

    /// The longest name that is accepted.
    pub const BYTES_MAX: usize = 32;

    /// The rule as a regular expression, for schemas.
    pub(crate) const PATTERN: &'static str = "[a-z0-9][a-z0-9-]{0,31}";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tenant {
    type Err = TenantError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        let fits = (1..=Self::BYTES_MAX).contains(&text.len());
        if plain && fits && !text.starts_with('-') && text != Self::RESERVED {
            Ok(Self(text.to_owned()))
        } else {
            Err(TenantError(text.chars().take(64).collect()))
        }
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Tenant);

/// One provider's webhooks for one organization.
///
/// Its text form is the path below `/webhooks/`: `connect`, or `connect/acme` for the tenant `acme`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feed {
    provider: Provider,
    tenant: Option<Tenant>,
}

/// A text that is not a feed's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The first part is not a known provider.
    #[error(transparent)]
    Provider(#[from] UnknownName),
    /// The second part is not a tenant's name.
    #[error(transparent)]
    Tenant(#[from] TenantError),
}

impl Feed {
    /// The webhooks of `provider` for `tenant`; `None` is the organization without a name.
    pub fn new(provider: Provider, tenant: Option<Tenant>) -> Self {
        Self { provider, tenant }
    }

    /// The provider that sends the webhooks.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The organization; `None` for the one without a name.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// The text form as a regular expression, for schemas.
    pub(crate) fn pattern() -> String {
        format!("({})(/{})?", Provider::ALL.map(Provider::as_str).join("|"), Tenant::PATTERN)
    }

    /// The same organization's feed of another provider.
    pub fn of(&self, provider: Provider) -> Self {
        Self { provider, tenant: self.tenant.clone() }
    }
}

impl From<Provider> for Feed {
    fn from(provider: Provider) -> Self {
        Self { provider, tenant: None }
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tenant {
            Some(tenant) => write!(f, "{}/{tenant}", self.provider),
            None => write!(f, "{}", self.provider),
        }
    }
}

impl FromStr for Feed {
    type Err = FeedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((provider, tenant)) => Ok(Self { provider: provider.parse()?, tenant: Some(tenant.parse()?) }),
            None => Ok(Self { provider: text.parse()?, tenant: None }),
        }
    }
}

serde_as_text!(Feed);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_reads_back_what_it_writes() {
        for text in ["connect", "zerohash/acme", "striga/a-1"] {
            assert_eq!(text.parse::<Feed>().map(|feed| feed.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_text_that_is_not_a_tenant_name_is_rejected() {
        for text in ["", "-a", "default", "Acme", "a#b", "a/b", "a b", "ü", &"x".repeat(33)] {
            assert!(text.parse::<Tenant>().is_err(), "{text:?}");
            assert!(format!("connect/{text}").parse::<Feed>().is_err(), "{text:?}");
        }
        assert!("bank".parse::<Feed>().is_err());
    }
}
