//! The key set that a receiver verifies one feed's webhooks with.
//!
//! The key set is cached in memory, and read from the table at first and when it is no longer fresh. When no key verifies a
//! signature, the table is read for a newer key set. Only if it has none is the provider asked, by one receiver of all in
//! each cooldown. The same happens when the table's key set should have been renewed long ago.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{CLOCK_SKEW_MAX, FetchKeySet, KeySets, Lease, PortError, StoredKeySet, chain};
use fundhook_providers::KeySet;
use tokio::sync::Mutex as AsyncMutex;
use tracing::{info, warn};

use crate::cache_times::{CacheTimes, RETRY_INTERVAL};
use crate::{KeySettings, Newer, NoUsableKeys, back_off_if_asked, fetch_key_set, published_here};

/// The shortest time between two scheduled readings. The refresher stores a key set at most once a minute.
const READ_INTERVAL_MIN: Duration = Duration::from_secs(30);

/// A key set that is older than its `fresh_until` by more than this is not being renewed: the refresher, which runs once a
/// minute, has missed ten runs or failed in them. A receiver then asks the provider itself, because a revoked key would
/// otherwise be trusted until the key set is too old.
const OVERDUE_AFTER: Duration = Duration::from_secs(600);

/// One feed's key set in this receiver.
#[derive(Debug)]
pub struct KeyCache<S, F> {
    feed: Feed,
    settings: KeySettings,
    store: S,
    provider_api: F,
    state: Mutex<State>,
    /// Held while the table is read, so that concurrent callers wait for that reading instead of making their own.
    reading: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct State {
    cached: Option<Cached>,
    /// Whether the last reading of the table failed.
    is_unread: bool,
    /// Whether this receiver asked the provider last for a newer key set, or for the lease to do so, and failed.
    is_unfetched: bool,
    times: CacheTimes,
}

#[derive(Clone, Debug)]
struct Cached {
    keys: Arc<KeySet>,
    set: StoredKeySet,
}

impl<S: KeySets, F: FetchKeySet> KeyCache<S, F> {
    pub fn new(feed: Feed, settings: KeySettings, store: S, provider_api: F) -> Self {
        Self { feed, settings, store, provider_api, state: Mutex::default(), reading: AsyncMutex::default() }
    }

    /// Reads the table if that is due. Called at a cold start, concurrently with other work.
    pub async fn warm(&self, now: Timestamp) {
        if !self.state().times.is_due(now) {
            return;
        }
        let _reading = self.reading.lock().await;
        if !self.state().times.is_due(now) {
            return;
        }
        let is_read = self.read(now).await;
        if is_read && self.is_overdue(now) && self.may_ask(now) {
            self.fetch_by_lease(now).await;
        }
    }

    /// The key set to verify with. While the table cannot be read, the cached key set stays in use.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<KeySet>, NoUsableKeys> {
        self.warm(now).await;
        if let Some(keys) = self.usable(now) {
            return Ok(keys);
        }
        // Nothing usable is stored: this is the first webhook after the first deployment, or the provider was down for long.
        if self.may_ask(now) {
            self.fetch_by_lease(now).await;
        }
        self.usable(now).ok_or(NoUsableKeys)
    }

    /// A key set other than `tried`, which did not verify a signature. The table and the provider are asked once in each interval.
    pub async fn newer_than(&self, tried: &KeySet, now: Timestamp) -> Newer<KeySet> {
        let newer = || self.usable(now).filter(|keys| keys.fingerprint() != tried.fingerprint());
        if let Some(newer) = newer() {
            // A concurrent request has found it.
            return Newer::Found(newer);
        }
        if self.may_ask(now) {
            self.read(now).await;
            if newer().is_none() {
                self.fetch_by_lease(now).await;
            }
        }
        let newer = newer();
        let state = self.state();
        Newer::of(newer, state.is_unread || state.is_unfetched)
    }

    /// Whether the table's key set should have been renewed long ago.
    fn is_overdue(&self, now: Timestamp) -> bool {
        self.state().cached.as_ref().is_some_and(|cached| now.since(cached.set.fresh_until) > OVERDUE_AFTER)
    }

    /// Limits what a flood of forged requests costs this receiver to two calls in each interval. A receiver that lost the
    /// lease finds the winner's key set after it.
    fn may_ask(&self, now: Timestamp) -> bool {
        self.state().times.may_ask(now, RETRY_INTERVAL.min(self.settings.cooldown))
    }

    /// Fetches the provider's key set if no other receiver has in this cooldown; otherwise caches what the other stored.
    async fn fetch_by_lease(&self, now: Timestamp) {
        let feed = &self.feed;
        let fetched = match self.store.lease(feed, now, self.settings.cooldown).await {
            Ok(Lease::Lost(stored)) => {
                self.cache_stored(stored, now);
                Ok(())
            }
            Ok(Lease::Won) => self.fetch(now).await,
            Err(error) => {
                self.state().is_unfetched = true;
                Err(error)
            }
        };
        if let Err(error) = fetched {
            warn!(%feed, error = chain(&error), "could not lease or store a newer key set of {feed}");
        }
    }

    /// Fetches the provider's key set and, if it is valid, caches and stores it. The request has no entity tag: the current
    /// key set did not verify, and a server whose tag does not change with its keys would confirm it every time.
    async fn fetch(&self, now: Timestamp) -> Result<(), PortError> {
        let feed = &self.feed;
        let fetched = fetch_key_set(&self.provider_api, feed, None, now).await;
        self.state().is_unfetched = fetched.is_err();
        let (set, keys) = match fetched {
            Ok(fetched) => fetched,
            Err(error) => {
                warn!(%feed, error = chain(&error), "could not fetch the key set of {feed}; keeping the last good one");
                let current = self.state().cached.as_ref().map(|cached| cached.set.clone());
                back_off_if_asked(&self.store, &error, current.as_ref(), self.settings.last_good_max, now).await;
                return Ok(());
            }
        };
        info!(%feed, fingerprint = set.fingerprint, "fetched the key set of {feed}");
        self.cache(Cached { keys: Arc::new(keys), set: set.clone() }, now);
        self.store.store(feed, &set).await
    }

    /// Reads and caches the table's key set. Returns whether it could be read.
    async fn read(&self, now: Timestamp) -> bool {
        let feed = &self.feed;
        let loaded = self.store.load(feed).await;
        self.state().is_unread = loaded.is_err();
        match loaded {
            Ok(stored) => {
                self.cache_stored(stored, now);
                true
            }
            Err(error) => {
                warn!(%feed, error = chain(&error), "could not read the key set of {feed} from the table; retrying");
                let mut state = self.state();
                if state.cached.is_some() {
                    // With a key set to verify with, not every webhook has to wait for a table that is down.
                    state.times.fresh_for(now, RETRY_INTERVAL);
                } else {
                    state.times.due_at_once();
                }
                false
            }
        }
    }

    fn cache_stored(&self, stored: Option<StoredKeySet>, now: Timestamp) {
        let feed = &self.feed;
        let Some(set) = published_here(&self.provider_api, feed, stored) else {
            return self.state().times.fresh_for(now, self.settings.max_age);
        };
        let known = self.state().cached.clone().filter(|cached| cached.set.fingerprint == set.fingerprint);
        let keys = match known {
            Some(cached) => Ok(cached.keys),
            None => KeySet::from_jwks(set.jwks.as_bytes()).map(Arc::new),
        };
        match keys {
            Ok(keys) => self.cache(Cached { keys, set }, now),
            Err(invalid) => {
                warn!(%feed, error = chain(&invalid), "the stored key set of {feed} is invalid; keeping the last good one");
                self.state().times.fresh_for(now, self.settings.max_age);
            }
        }
    }

    /// Caches `newer` unless the cached key set was fetched later, and schedules the next reading. A key set that a clock far
    /// ahead of ours has fetched is replaced by any other, as it is in the table.
    fn cache(&self, newer: Cached, now: Timestamp) {
        let fresh_for = newer.set.fresh_until.since(now).max(READ_INTERVAL_MIN).min(self.settings.max_age);
        let mut state = self.state();
        state.times.fresh_for(now, fresh_for);
        let is_replaced = |cached: &Cached| {
            cached.set.fetched_at <= newer.set.fetched_at || cached.set.fetched_at.since(now) > CLOCK_SKEW_MAX
        };
        if state.cached.as_ref().is_none_or(is_replaced) {
            // Another receiver or the refresher has reached the provider since.
            let is_later = |cached: &Cached| cached.set.fetched_at < newer.set.fetched_at;
            state.is_unfetched &= !state.cached.as_ref().is_none_or(is_later);
            state.cached = Some(newer);
        }
    }

    fn usable(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let state = self.state();
        let cached = state.cached.as_ref()?;
        (now.since(cached.set.fetched_at) <= self.settings.last_good_max).then(|| Arc::clone(&cached.keys))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and the fields are valid in any combination.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
