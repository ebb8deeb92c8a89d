//! Access tokens.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::Timestamp;

use super::organizations::Organization;

/// Lifetime of a token [connect-guide §3].
const EXPIRES_IN_SECONDS: u64 = 86_400;

/// The tokens that were granted.
pub(crate) struct Tokens {
    expires_in_seconds: u64,
    granted: BTreeMap<String, Granted>,
}

struct Granted {
    to: Organization,
    expires_at: Timestamp,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { expires_in_seconds: EXPIRES_IN_SECONDS, granted: BTreeMap::new() }
    }
}

impl Tokens {
    /// Sets the lifetime of the tokens granted from now on.
    pub(crate) fn expire_after(&mut self, seconds: u64) {
        self.expires_in_seconds = seconds;
    }

    pub(crate) fn expires_in_seconds(&self) -> u64 {
        self.expires_in_seconds
    }

    /// Revokes all tokens.
    pub(crate) fn revoke(&mut self) {
        self.granted.clear();
    }

    /// The expiry of a token that is granted at `now`.
    pub(crate) fn expiry(&self, now: Timestamp) -> Timestamp {
        now.plus(Duration::from_secs(self.expires_in_seconds))
    }

    pub(crate) fn grant(&mut self, token: String, to: Organization, now: Timestamp) {
        let expires_at = self.expiry(now);
        self.granted.insert(token, Granted { to, expires_at });
    }

    /// The organization of `token`, if the token is valid at `now`.
    pub(crate) fn organization(&self, token: &str, now: Timestamp) -> Option<&Organization> {
        let granted = self.granted.get(token).filter(|granted| now < granted.expires_at);
        granted.map(|granted| &granted.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_760_484_866 + seconds).expect("in range")
    }

    #[test]
    fn a_token_expires_after_its_own_lifetime_whatever_the_lifetime_of_later_tokens() {
        let organization = Organization { tenant: None, id: "4789efea".to_owned() };
        let mut tokens = Tokens::default();
        tokens.expire_after(60);
        tokens.grant("one".to_owned(), organization.clone(), at(0));
        assert_eq!(tokens.expires_in_seconds(), 60);
        tokens.expire_after(3600);
        tokens.grant("other".to_owned(), organization.clone(), at(0));
        assert_eq!(tokens.organization("one", at(59)), Some(&organization));
        assert_eq!(tokens.organization("one", at(60)), None);
        assert_eq!(tokens.organization("other", at(60)), Some(&organization));
        tokens.revoke();
        assert_eq!(tokens.organization("other", at(0)), None);
    }
}
