//! One door for each feed that is on: what its webhooks are verified with, and how.

use std::sync::Arc;

use fundhook_credentials::{KeyCache, SecretCache};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{FetchKeySet, KeySets, ReadSecret};
use fundhook_providers::{Rejection, VerifiedWebhook, Webhook, connect, striga, zerohash};

use crate::Answer;

/// How the webhooks of one feed are verified.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a receiver has a handful of doors, made once")]
pub enum Door<S, F, R> {
    /// Connect's: by its published key set.
    Connect(connect::Settings, KeyCache<S, F>),
    /// zerohash's: by secrets and public keys that the operator stored.
    Zerohash(zerohash::Settings, Arc<SecretCache<R>>),
    /// Striga's: by secrets that the operator stored.
    Striga(Arc<SecretCache<R>>),
}

impl<S: KeySets, F: FetchKeySet, R: ReadSecret> Door<S, F, R> {
    /// Reads what webhooks are verified with, if that is due.
    pub(crate) async fn warm(&self, now: Timestamp) {
        match self {
            Self::Connect(_, keys) => keys.warm(now).await,
            Self::Zerohash(_, secrets) | Self::Striga(secrets) => secrets.warm(now).await,
        }
    }

    /// Verifies with what is held and, when that does not fit, once more with what is newer.
    pub(crate) async fn verified(
        &self,
        webhook: Webhook,
        feed: &Feed,
        now: Timestamp,
    ) -> Result<VerifiedWebhook, Answer> {
        match self {
            Self::Connect(settings, keys) => {
                let current = keys.current(now).await.map_err(|_| Answer::NoKeys)?;
                let verify = |webhook, keys: &_| connect::verify(webhook, feed, settings, keys, now);
                let (webhook, why) = match verify(webhook, &current) {
                    Ok(verified) => return Ok(verified),
                    Err(refused) => refused,
                };
                let newer = if why.may_be_a_new_key() { keys.newer_than(&current, now).await } else { None };
                again(webhook, why, newer.as_deref(), verify)
            }
            Self::Zerohash(settings, secrets) => {
                let verify = |webhook, secrets: &_| zerohash::verify(webhook, feed, settings, secrets, now);
                by_secrets(webhook, feed, secrets, now, verify).await
            }
            Self::Striga(secrets) => {
                let verify = |webhook, secrets: &_| striga::verify(webhook, feed, secrets);
                by_secrets(webhook, feed, secrets, now, verify).await
            }
        }
    }
}

/// What a provider's `verify` comes to.
type Verified = Result<VerifiedWebhook, (Webhook, Rejection)>;

async fn by_secrets<R: ReadSecret>(
    webhook: Webhook,
    feed: &Feed,
    secrets: &SecretCache<R>,
    now: Timestamp,
    verify: impl Fn(Webhook, &fundhook_providers::Secrets) -> Verified,
) -> Result<VerifiedWebhook, Answer> {
    let tenant = feed.tenant();
    let current = secrets.current(tenant, now).await.map_err(|_| Answer::NoKeys)?;
    let (webhook, why) = match verify(webhook, &current) {
        Ok(verified) => return Ok(verified),
        Err(refused) => refused,
    };
    let newer = if why.may_be_a_new_key() { secrets.newer_than(&current, tenant, now).await } else { None };
    again(webhook, why, newer.as_deref(), verify)
}

/// Verifies once more with `newer`, if there is any; otherwise the first refusal stands.
fn again<K>(
    webhook: Webhook,
    why: Rejection,
    newer: Option<&K>,
    verify: impl Fn(Webhook, &K) -> Verified,
) -> Result<VerifiedWebhook, Answer> {
    match newer {
        Some(newer) => verify(webhook, newer).map_err(|(_, why)| Answer::Rejected(why)),
        None => Err(Answer::Rejected(why)),
    }
}
