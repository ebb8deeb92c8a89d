//! The key set a receiver verifies with.
//!
//! Held in memory; renewed from the table when older than its max-age; fetched from the provider only when no key
//! verifies a signature, and then by one receiver of the whole fleet in each cooldown.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fundhook_domain::port::{FetchKeySet, KeySets, Lease, PortError, StoredKeySet, chain};
use fundhook_domain::{Feed, Timestamp};
use fundhook_providers::KeySet;
use fundhook_runtime::settings::KeySettings;
use tracing::{info, warn};

/// How often one receiver asks the table on behalf of signatures that did not verify, and a table that is down. A flood
/// of forged requests costs it one call in this time; a receiver that lost the lease sees the winner's key set after it.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// There is nothing to verify with: no key set was ever fetched, or the last good one is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKeys;

/// One feed's key set, as this receiver knows it.
#[derive(Debug)]
pub struct KeyCache<S, F> {
    feed: Feed,
    settings: KeySettings,
    store: S,
    provider_api: F,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    read_again_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Held {
    keys: Arc<KeySet>,
    fetched_at: Timestamp,
}

impl<S: KeySets, F: FetchKeySet> KeyCache<S, F> {
    /// An empty cache of `feed`'s key set.
    pub fn new(feed: Feed, settings: KeySettings, store: S, provider_api: F) -> Self {
        Self { feed, settings, store, provider_api, state: Mutex::default() }
    }

    /// The key set to verify with. Read from the table at first and when the one held is older than its max-age; the one
    /// held stays in use while the table cannot be read.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<KeySet>, NoKeys> {
        let is_due = self.state().read_again_at.is_none_or(|at| now >= at);
        if is_due {
            match self.store.load(&self.feed).await {
                Ok(stored) => self.read(stored, now),
                Err(error) => {
                    warn!(feed = %self.feed, error = chain(&error), "the key set could not be read");
                    let mut state = self.state();
                    // While there is one to verify with, not every webhook has to wait for a table that is down.
                    state.read_again_at = state.held.as_ref().map(|_| now.plus(ASK_AGAIN_AFTER));
                }
            }
        }
        if let Some(keys) = self.usable(now) {
            return Ok(keys);
        }
        // Nothing usable is stored: the first webhook after the first deployment, or the provider was away for long.
        self.look_for_newer(now).await;
        self.usable(now).ok_or(NoKeys)
    }

    /// A key set other than `tried`, which does not verify a signature; `None` when there is none, or it is not yet time
    /// to ask again.
    pub async fn newer_than(&self, tried: &KeySet, now: Timestamp) -> Option<Arc<KeySet>> {
        self.look_for_newer(now).await;
        self.usable(now).filter(|keys| keys.fingerprint() != tried.fingerprint())
    }

    async fn look_for_newer(&self, now: Timestamp) {
        {
            let mut state = self.state();
            let is_early = |asked_at: Timestamp| now.since(asked_at) < ASK_AGAIN_AFTER.min(self.settings.cooldown);
            if state.asked_at.is_some_and(is_early) {
                return;
            }
            state.asked_at = Some(now);
        }
        let found = match self.store.lease(&self.feed, now, self.settings.cooldown).await {
            Ok(Lease::Lost(stored)) => {
                self.read(stored, now);
                Ok(())
            }
            Ok(Lease::Won) => self.fetch(now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = found {
            warn!(feed = %self.feed, error = chain(&error), "no newer key set could be had");
        }
    }

    /// Fetches the provider's key set and, when it is fit, holds and stores it.
    async fn fetch(&self, now: Timestamp) -> Result<(), PortError> {
        let jwks = self.provider_api.fetch(&self.feed).await?;
        let keys = match KeySet::from_jwks(jwks.as_bytes()) {
            Ok(keys) => Arc::new(keys),
            Err(unfit) => {
                warn!(feed = %self.feed, error = chain(&unfit), "the key set served is unfit; the last good one stays");
                return Ok(());
            }
        };
        let stored = StoredKeySet { jwks, fingerprint: keys.fingerprint().to_owned(), fetched_at: now };
        info!(feed = %self.feed, fingerprint = stored.fingerprint, "fetched the key set");
        self.hold(Held { keys, fetched_at: now });
        self.store.store(&self.feed, &stored).await
    }

    /// Takes over what the table holds.
    fn read(&self, stored: Option<StoredKeySet>, now: Timestamp) {
        self.state().read_again_at = Some(now.plus(self.settings.max_age));
        let Some(StoredKeySet { jwks, fingerprint, fetched_at }) = stored else {
            return;
        };
        let known = self.state().held.clone().filter(|held| held.keys.fingerprint() == fingerprint);
        if let Some(Held { keys, .. }) = known {
            return self.hold(Held { keys, fetched_at });
        }
        match KeySet::from_jwks(jwks.as_bytes()) {
            Ok(keys) => self.hold(Held { keys: Arc::new(keys), fetched_at }),
            Err(unfit) => warn!(feed = %self.feed, error = chain(&unfit), "the stored key set is unfit"),
        }
    }

    /// Holds `newer` unless what is held was fetched later.
    fn hold(&self, newer: Held) {
        let mut state = self.state();
        if state.held.as_ref().is_none_or(|held| held.fetched_at <= newer.fetched_at) {
            state.held = Some(newer);
        }
    }

    fn usable(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let state = self.state();
        let held = state.held.as_ref()?;
        (now.since(held.fetched_at) <= self.settings.last_good_max).then(|| Arc::clone(&held.keys))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and a half-done change of these fields would do no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
