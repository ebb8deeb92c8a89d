//! The key set a receiver verifies with.
//!
//! Held in memory; read from the table at first and when older than its max-age. When no key verifies a signature, the
//! table is asked whether somebody stored a newer set; only when nobody did is the provider asked, by one receiver of the
//! whole fleet in each cooldown. So too when the table's set should have been renewed long ago.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::KeySettings;
use crate::{fetch_key_set, leave_alone_if_asked, published_here};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{CLOCKS_DIFFER_MAX, FetchKeySet, KeySets, Lease, PortError, StoredKeySet, chain};
use fundhook_providers::KeySet;
use tokio::sync::Mutex as AsyncMutex;
use tracing::{info, warn};

use crate::timetable::Timetable;

/// How often one receiver asks the table on behalf of signatures that did not verify, and a table that is down. A flood
/// of forged requests costs it two calls in this time; a receiver that lost the lease sees the winner's key set after it.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// How soon a key set that is to be renewed often is read again: the refresher stores a new one once a minute at most.
const READ_AGAIN_MIN: Duration = Duration::from_secs(30);

/// A key set that is past its time by more than this is no longer renewed: the refresher, which runs once a minute and renews a
/// set before its time, has missed ten runs, or has asked in vain in ten. A receiver asks the provider then, lest a key that was
/// withdrawn be believed until the set is too old.
const UNRENEWED_MAX: Duration = Duration::from_secs(600);

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
    /// Held by whoever reads the table: who comes meanwhile waits for that reading instead of making another.
    reading: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    timetable: Timetable,
}

#[derive(Clone, Debug)]
struct Held {
    keys: Arc<KeySet>,
    set: StoredKeySet,
}

impl<S: KeySets, F: FetchKeySet> KeyCache<S, F> {
    /// An empty cache of `feed`'s key set.
    pub fn new(feed: Feed, settings: KeySettings, store: S, provider_api: F) -> Self {
        Self { feed, settings, store, provider_api, state: Mutex::default(), reading: AsyncMutex::default() }
    }

    /// Reads the table if that is due: at a cold start, beside everything else that has to be done.
    pub async fn warm(&self, now: Timestamp) {
        if !self.state().timetable.is_due(now) {
            return;
        }
        let _reading = self.reading.lock().await;
        if !self.state().timetable.is_due(now) {
            return;
        }
        let is_read = self.read(now).await;
        if is_read && self.is_unrenewed(now) && self.may_ask(now) {
            self.fetch_by_lease(now).await;
        }
    }

    /// The key set to verify with. Read from the table at first and when the one held is older than its max-age; the one
    /// held stays in use while the table cannot be read.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<KeySet>, NoKeys> {
        self.warm(now).await;
        if let Some(keys) = self.usable(now) {
            return Ok(keys);
        }
        // Nothing usable is stored: the first webhook after the first deployment, or the provider was away for long.
        if self.may_ask(now) {
            self.fetch_by_lease(now).await;
        }
        self.usable(now).ok_or(NoKeys)
    }

    /// A key set other than `tried`, which does not verify a signature; `None` when there is none, or it is not yet time
    /// to ask again.
    pub async fn newer_than(&self, tried: &KeySet, now: Timestamp) -> Option<Arc<KeySet>> {
        let newer = || self.usable(now).filter(|keys| keys.fingerprint() != tried.fingerprint());
        if let Some(newer) = newer() {
            // Another request has just found it.
            return Some(newer);
        }
        if !self.may_ask(now) {
            return None;
        }
        self.read(now).await;
        if newer().is_none() {
            self.fetch_by_lease(now).await;
        }
        newer()
    }

    /// Whether what is held, as the table has it, should have been renewed long ago.
    fn is_unrenewed(&self, now: Timestamp) -> bool {
        self.state().held.as_ref().is_some_and(|held| now.since(held.set.fresh_until) > UNRENEWED_MAX)
    }

    fn may_ask(&self, now: Timestamp) -> bool {
        self.state().timetable.may_ask(now, ASK_AGAIN_AFTER.min(self.settings.cooldown))
    }

    /// Fetches the provider's key set if nobody else has in this cooldown; otherwise takes over what they stored.
    async fn fetch_by_lease(&self, now: Timestamp) {
        let found = match self.store.lease(&self.feed, now, self.settings.cooldown).await {
            Ok(Lease::Lost(stored)) => {
                self.take_over(stored, now);
                Ok(())
            }
            Ok(Lease::Won) => self.fetch(now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = found {
            warn!(feed = %self.feed, error = chain(&error), "no newer key set could be had");
        }
    }

    /// Fetches the provider's key set and, when it is fit, holds and stores it. Whole, and not by the entity tag of what is
    /// held: that is what did not verify, and a server whose tag has not changed with its keys would confirm it each time.
    async fn fetch(&self, now: Timestamp) -> Result<(), PortError> {
        let (set, keys) = match fetch_key_set(&self.provider_api, &self.feed, None, now).await {
            Ok(fetched) => fetched,
            Err(error) => {
                warn!(feed = %self.feed, error = chain(&error), "no key set was had; the last good one stays");
                let held = self.state().held.as_ref().map(|held| held.set.clone());
                leave_alone_if_asked(&self.store, &error, held.as_ref(), self.settings.last_good_max, now).await;
                return Ok(());
            }
        };
        info!(feed = %self.feed, fingerprint = set.fingerprint, "fetched the key set");
        self.hold(Held { keys: Arc::new(keys), set: set.clone() }, now);
        self.store.store(&self.feed, &set).await
    }

    /// Reads what the table holds; whether it could be read.
    async fn read(&self, now: Timestamp) -> bool {
        match self.store.load(&self.feed).await {
            Ok(stored) => {
                self.take_over(stored, now);
                true
            }
            Err(error) => {
                warn!(feed = %self.feed, error = chain(&error), "the key set could not be read");
                let mut state = self.state();
                // While there is one to verify with, not every webhook has to wait for a table that is down.
                let again_after = state.held.as_ref().map(|_| ASK_AGAIN_AFTER);
                state.timetable.read_again(now, again_after);
                false
            }
        }
    }

    fn take_over(&self, stored: Option<StoredKeySet>, now: Timestamp) {
        let Some(set) = published_here(&self.provider_api, &self.feed, stored) else {
            return self.state().timetable.read_again(now, Some(self.settings.max_age));
        };
        let known = self.state().held.clone().filter(|held| held.set.fingerprint == set.fingerprint);
        let keys = match known {
            Some(held) => Ok(held.keys),
            None => KeySet::from_jwks(set.jwks.as_bytes()).map(Arc::new),
        };
        match keys {
            Ok(keys) => self.hold(Held { keys, set }, now),
            Err(unfit) => {
                warn!(feed = %self.feed, error = chain(&unfit), "the stored key set is unfit");
                self.state().timetable.read_again(now, Some(self.settings.max_age));
            }
        }
    }

    /// Holds `newer` unless what is held was fetched later, by a clock that can be believed, and reads again when it is to be
    /// renewed. What a clock far ahead fetched gives way to any other, as it does in the table.
    fn hold(&self, newer: Held, now: Timestamp) {
        let age_max = newer.set.fresh_until.since(now).max(READ_AGAIN_MIN).min(self.settings.max_age);
        let mut state = self.state();
        state.timetable.read_again(now, Some(age_max));
        let gives_way = |held: &Held| {
            held.set.fetched_at <= newer.set.fetched_at || held.set.fetched_at.since(now) > CLOCKS_DIFFER_MAX
        };
        if state.held.as_ref().is_none_or(gives_way) {
            state.held = Some(newer);
        }
    }

    fn usable(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let state = self.state();
        let held = state.held.as_ref()?;
        (now.since(held.set.fetched_at) <= self.settings.last_good_max).then(|| Arc::clone(&held.keys))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and a half-done change of these fields would do no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
