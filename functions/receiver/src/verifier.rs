//! Verifies the webhooks of one feed.

use std::sync::Arc;

use fundhook_credentials::{KeyCache, Newer, NoUsableKeys, SecretCache};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{FetchKeySet, KeySets, ReadSecret};
use fundhook_providers::{Rejection, Secrets, VerifiedWebhook, Webhook, connect, striga, zerohash};

use crate::Answer;

/// How the webhooks of one feed are verified.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a receiver has a handful of verifiers, made once")]
pub enum Verifier<S, F, R> {
    /// With Connect's published key set.
    Connect(connect::Settings, KeyCache<S, F>),
    /// With the secrets and public keys that the operator stored.
    Zerohash(zerohash::Settings, Arc<SecretCache<R>>),
    /// With the secrets that the operator stored.
    Striga(Arc<SecretCache<R>>),
}

impl<S: KeySets, F: FetchKeySet, R: ReadSecret> Verifier<S, F, R> {
    /// Reads the keys or secrets if that is due.
    pub(crate) async fn warm(&self, now: Timestamp) {
        match self {
            Self::Connect(_, keys) => keys.warm(now).await,
            Self::Zerohash(_, secrets) | Self::Striga(secrets) => secrets.warm(now).await,
        }
    }

    /// Verifies with the cached keys and, if those do not match, again with newer ones.
    pub(crate) async fn verify(
        &self,
        webhook: Webhook,
        feed: &Feed,
        now: Timestamp,
    ) -> Result<VerifiedWebhook, Answer> {
        let tenant = feed.tenant();
        match self {
            Self::Connect(settings, keys) => {
                let verify = |webhook, keys: &_| connect::verify(webhook, feed, settings, keys, now);
                let newer = async |tried: Arc<_>| keys.newer_than(&tried, now).await;
                verify_with_retry(webhook, keys.current(now).await, newer, verify).await
            }
            Self::Zerohash(settings, secrets) => {
                let verify = |webhook, secrets: &Secrets| zerohash::verify(webhook, feed, settings, secrets, now);
                let newer = async |tried: Arc<_>| secrets.newer_than(&tried, tenant, now).await;
                verify_with_retry(webhook, secrets.current(tenant, now).await, newer, verify).await
            }
            Self::Striga(secrets) => {
                let verify = |webhook, secrets: &Secrets| striga::verify(webhook, feed, secrets);
                let newer = async |tried: Arc<_>| secrets.newer_than(&tried, tenant, now).await;
                verify_with_retry(webhook, secrets.current(tenant, now).await, newer, verify).await
            }
        }
    }
}

/// Verifies with the `current` keys. If a newer key could match, verifies again with the `newer` ones, if there are any.
async fn verify_with_retry<K>(
    webhook: Webhook,
    current: Result<Arc<K>, NoUsableKeys>,
    newer: impl AsyncFnOnce(Arc<K>) -> Newer<K>,
    verify: impl Fn(Webhook, &K) -> Result<VerifiedWebhook, (Webhook, Rejection)>,
) -> Result<VerifiedWebhook, Answer> {
    let current = current.map_err(|NoUsableKeys| Answer::NoUsableKeys)?;
    let (webhook, rejection) = match verify(webhook, &current) {
        Ok(verified) => return Ok(verified),
        Err(rejected) => rejected,
    };
    let newer = if rejection.may_be_a_new_key() { newer(current).await } else { Newer::None };
    match newer {
        Newer::Found(newer) => verify(webhook, &newer).map_err(|(_, rejection)| Answer::Rejected(rejection)),
        Newer::None => Err(Answer::Rejected(rejection)),
        Newer::Unread => Err(Answer::KeysUnread),
    }
}
