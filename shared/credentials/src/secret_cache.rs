//! The shared secrets that a receiver verifies one provider's webhooks with.
//!
//! The secrets are read at the first webhook and cached. They are read again when they are older than their max-age, and
//! when no secret verifies a signature, at most once in each cooldown. So a secret can be changed without a deployment, and a
//! flood of forged requests costs one call. An invalid entry leaves that organization's cached secrets in use, an unreadable
//! secret leaves all of them in use. The secrets of an organization without an entry are removed: it has been revoked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fundhook_domain::{Provider, Tenant, Timestamp};
use fundhook_ports::{ReadSecret, chain};
use fundhook_providers::Secrets;
use secrecy::ExposeSecret;
use tokio::sync::Mutex as AsyncMutex;
use tracing::{info, warn};

use crate::cache_times::{CacheTimes, RETRY_INTERVAL};
use crate::{KeySettings, Newer, NoUsableKeys};

/// One provider's secrets of all organizations in this receiver.
#[derive(Debug)]
pub struct SecretCache<R> {
    provider: Provider,
    settings: KeySettings,
    store: R,
    state: Mutex<State>,
    /// Held while the secret is read, so that concurrent callers wait for that reading instead of making their own.
    reading: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct State {
    cached: BTreeMap<Option<Tenant>, Arc<Secrets>>,
    read_at: Option<Timestamp>,
    /// Whether the last reading failed.
    is_unread: bool,
    /// The names of the entries that were invalid in the last reading that did not fail.
    invalid: BTreeSet<String>,
    times: CacheTimes,
}

impl<R: ReadSecret> SecretCache<R> {
    pub fn new(provider: Provider, settings: KeySettings, store: R) -> Self {
        Self { provider, settings, store, state: Mutex::default(), reading: AsyncMutex::default() }
    }

    /// Reads the secrets if that is due. Called at a cold start, concurrently with other work.
    pub async fn warm(&self, now: Timestamp) {
        if !self.state().times.is_due(now) {
            return;
        }
        let _reading = self.reading.lock().await;
        if self.state().times.is_due(now) {
            self.read(now).await;
        }
    }

    /// The secrets to verify `tenant`'s webhooks with. While the tenant has none, they are read once in each cooldown. While
    /// they cannot be read, the cached secrets stay in use.
    pub async fn current(&self, tenant: Option<&Tenant>, now: Timestamp) -> Result<Arc<Secrets>, NoUsableKeys> {
        self.warm(now).await;
        if self.cached(tenant).is_none() && self.was_read_before(now, self.settings.cooldown) {
            // This tenant's secrets may have been added since.
            self.read(now).await;
        }
        self.cached(tenant).ok_or(NoUsableKeys)
    }

    /// The tenant's secrets, if they differ from `tried`, which did not verify a signature. They are read once in each cooldown.
    pub async fn newer_than(&self, tried: &Secrets, tenant: Option<&Tenant>, now: Timestamp) -> Newer<Secrets> {
        if self.state().times.may_ask(now, self.settings.cooldown) {
            self.read(now).await;
        }
        let found = self.cached(tenant).filter(|cached| cached.fingerprint() != tried.fingerprint());
        let state = self.state();
        Newer::of(found, state.is_unread || state.invalid.contains(entry_name(tenant)))
    }

    /// Whether secrets are cached and the last reading was `ago` or longer before `now`.
    fn was_read_before(&self, now: Timestamp, ago: Duration) -> bool {
        let state = self.state();
        !state.cached.is_empty() && state.read_at.is_some_and(|at| now.since(at) >= ago)
    }

    async fn read(&self, now: Timestamp) {
        let provider = self.provider;
        let read = match self.store.read(provider).await {
            Ok(text) => Secrets::valid_from_json(text.expose_secret()).map_err(|invalid| chain(&invalid)),
            Err(error) => Err(chain(&error)),
        };
        let mut state = self.state();
        state.is_unread = read.is_err();
        match read {
            Ok((secrets, invalid)) => {
                for (organization, error) in &invalid {
                    let error = chain(error);
                    warn!(
                        %provider,
                        organization,
                        error,
                        "the {provider} secrets of {organization} are invalid; keeping the last good ones"
                    );
                }
                // An invalid entry keeps the secrets of the tenant of that name. A misspelt name belongs to no tenant.
                state.cached.retain(|tenant, _| invalid.contains_key(entry_name(tenant.as_ref())));
                let organizations = secrets.len();
                info!(%provider, organizations, "read the {provider} secrets of {organizations} organizations");
                state.invalid = invalid.into_keys().collect();
                state.cached.extend(secrets.into_iter().map(|(tenant, secrets)| (tenant, Arc::new(secrets))));
            }
            Err(error) => {
                warn!(%provider, error, "could not read the {provider} secrets; keeping the last good ones");
            }
        }
        // What is kept because a reading failed may have been rotated since.
        let is_fresh = !state.is_unread && !state.cached.is_empty();
        let fresh_for = if is_fresh { self.settings.max_age } else { RETRY_INTERVAL };
        state.read_at = Some(now);
        state.times.fresh_for(now, fresh_for);
    }

    fn cached(&self, tenant: Option<&Tenant>) -> Option<Arc<Secrets>> {
        self.state().cached.get(&tenant.cloned()).map(Arc::clone)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and the fields are valid in any combination.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of an organization's entry.
fn entry_name(tenant: Option<&Tenant>) -> &str {
    tenant.map_or(Tenant::RESERVED, Tenant::as_str)
}
