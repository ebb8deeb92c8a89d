//! The shared secrets a receiver verifies with.
//!
//! Read once at the first webhook, held in memory, read again when older than their max-age, and when no secret verifies a
//! signature: at most once in each cooldown, so that a secret is changed without a deployment and a flood of forged
//! requests costs one call. What is stored wrongly leaves what is held in use, as a whole or for the organization whose entry it
//! is. An organization without an entry of its name has been taken out: nothing is believed to be its any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::KeySettings;
use fundhook_domain::{Provider, Tenant, Timestamp};
use fundhook_ports::{ReadSecret, chain};
use fundhook_providers::Secrets;
use secrecy::ExposeSecret;
use tokio::sync::Mutex as AsyncMutex;
use tracing::{info, warn};

use crate::NoKeys;
use crate::timetable::Timetable;

/// How often a receiver that has nothing to verify with asks for it.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// One provider's secrets, of all organizations, as this receiver knows them.
#[derive(Debug)]
pub struct SecretCache<R> {
    provider: Provider,
    settings: KeySettings,
    store: R,
    state: Mutex<State>,
    /// Held by whoever reads the secret: who comes meanwhile waits for that reading instead of making another.
    reading: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct State {
    held: BTreeMap<Option<Tenant>, Arc<Secrets>>,
    read_at: Option<Timestamp>,
    timetable: Timetable,
}

impl<R: ReadSecret> SecretCache<R> {
    /// An empty cache of `provider`'s secrets.
    pub fn new(provider: Provider, settings: KeySettings, store: R) -> Self {
        Self { provider, settings, store, state: Mutex::default(), reading: AsyncMutex::default() }
    }

    /// Reads the secret if that is due: at a cold start, beside everything else that has to be done.
    pub async fn warm(&self, now: Timestamp) {
        if !self.state().timetable.is_due(now) {
            return;
        }
        let _reading = self.reading.lock().await;
        if self.state().timetable.is_due(now) {
            self.read(now).await;
        }
    }

    /// What `tenant` verifies with. Read at first, when older than the max-age, and once a cooldown while nothing is stored
    /// for the tenant; what is held stays in use while nothing newer can be read.
    pub async fn current(&self, tenant: Option<&Tenant>, now: Timestamp) -> Result<Arc<Secrets>, NoKeys> {
        self.warm(now).await;
        if self.held(tenant).is_none() && self.was_read_before(now, self.settings.cooldown) {
            // Stored after the others', perhaps.
            self.read(now).await;
        }
        self.held(tenant).ok_or(NoKeys)
    }

    /// What `tenant` verifies with, if it is other than `tried`, which does not verify a signature; `None` when it is not,
    /// or it is not yet time to look again.
    pub async fn newer_than(&self, tried: &Secrets, tenant: Option<&Tenant>, now: Timestamp) -> Option<Arc<Secrets>> {
        if self.state().timetable.may_ask(now, self.settings.cooldown) {
            self.read(now).await;
        }
        self.held(tenant).filter(|held| held.fingerprint() != tried.fingerprint())
    }

    /// Whether something is held that was last read `ago` or longer before `now`.
    fn was_read_before(&self, now: Timestamp, ago: Duration) -> bool {
        let state = self.state();
        !state.held.is_empty() && state.read_at.is_some_and(|at| now.since(at) >= ago)
    }

    async fn read(&self, now: Timestamp) {
        let read = match self.store.read(self.provider).await {
            Ok(text) => Secrets::fit_from_json(text.expose_secret()).map_err(|unfit| chain(&unfit)),
            Err(error) => Err(chain(&error)),
        };
        let mut state = self.state();
        match read {
            Ok((secrets, unfit)) => {
                for (organization, unfit) in &unfit {
                    let error = chain(unfit);
                    warn!(provider = %self.provider, organization, error, "an organization's secrets are unfit");
                }
                // An entry whose name is misspelt is nobody's: it keeps no organization's secrets from being revoked.
                state.held.retain(|tenant, _| unfit.contains_key(entry_name(tenant.as_ref())));
                info!(provider = %self.provider, organizations = secrets.len(), "read the secrets");
                state.held.extend(secrets.into_iter().map(|(tenant, secrets)| (tenant, Arc::new(secrets))));
            }
            Err(error) => warn!(provider = %self.provider, error, "the secrets could not be read"),
        }
        let again_after = if state.held.is_empty() { ASK_AGAIN_AFTER } else { self.settings.max_age };
        state.read_at = Some(now);
        state.timetable.read_again(now, Some(again_after));
    }

    fn held(&self, tenant: Option<&Tenant>) -> Option<Arc<Secrets>> {
        self.state().held.get(&tenant.cloned()).map(Arc::clone)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and a half-done change of these fields would do no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of an organization's entry.
fn entry_name(tenant: Option<&Tenant>) -> &str {
    tenant.map_or(Tenant::RESERVED, Tenant::as_str)
}
