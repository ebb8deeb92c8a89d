//! Fetches and validates a key set, for the refresher and for a receiver that cannot wait for the refresher.

use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{BACK_OFF_MAX, FetchKeySet, FetchedKeySet, KeySets, StoredKeySet, chain};
use fundhook_providers::KeySet;
use fundhook_providers::jose::Key;
use tracing::warn;

use crate::KeySetError;

/// Bounds on how long a key set stays fresh, whatever its `Cache-Control` says. The minimum limits the load on the provider,
/// the maximum limits how long a revoked key is trusted.
const FRESH_MIN: Duration = Duration::from_secs(30);
const FRESH_MAX: Duration = Duration::from_secs(3600);

/// How long a key set stays fresh when the provider does not say.
const FRESH_DEFAULT: Duration = Duration::from_secs(300);

/// `stored`, unless it was fetched from another URL than the feed's current one: such a key set verifies nothing, and its
/// entity tag has no meaning there. A key set without a URL, stored by an older version, is accepted.
pub fn published_here(
    provider_api: &impl FetchKeySet,
    feed: &Feed,
    stored: Option<StoredKeySet>,
) -> Option<StoredKeySet> {
    stored.filter(|set| set.url.is_none() || set.url == provider_api.url(feed))
}

/// Records in `store` until when to back off, if `error` carries a `Retry-After`. The pause is at most an hour, and at most
/// half of the time for which `current` may still be used, so that there is always time for another attempt.
pub async fn back_off_if_asked(
    store: &impl KeySets,
    error: &KeySetError,
    current: Option<&StoredKeySet>,
    last_good_max: Duration,
    now: Timestamp,
) {
    let KeySetError::Port(feed, error) = error else { return };
    let asked = error.retry_after().unwrap_or_default();
    let usable_for = current.map(|set| last_good_max.saturating_sub(now.since(set.fetched_at))).unwrap_or_default();
    let pause = asked.min(usable_for / 2).min(BACK_OFF_MAX);
    if pause.is_zero() {
        return;
    }
    let until = now.plus(pause);
    warn!(%feed, %until, "{feed} asked to back off; not fetching its key set before {until}");
    if let Err(error) = store.back_off_until(feed, until).await {
        let error = chain(&error);
        warn!(%feed, error, "could not store the back-off time of {feed}; the next attempt may come too early");
    }
}

/// Fetches and validates the feed's key set. If `current` has an entity tag and the provider confirms it, the result is
/// `current` with new times.
pub async fn fetch_key_set(
    provider_api: &impl FetchKeySet,
    feed: &Feed,
    current: Option<&StoredKeySet>,
    now: Timestamp,
) -> Result<(StoredKeySet, KeySet), KeySetError> {
    let etag = current.and_then(|set| set.etag.as_deref());
    let fetched = provider_api.fetch(feed, etag).await.map_err(|error| KeySetError::Port(feed.clone(), error))?;
    let (jwks, etag, fresh_for) = match (fetched, current) {
        (FetchedKeySet::Served { jwks, etag, fresh_for }, _) => (jwks, etag, fresh_for),
        (FetchedKeySet::NotModified { fresh_for }, Some(current)) if current.etag.is_some() => {
            (current.jwks.clone(), current.etag.clone(), fresh_for)
        }
        (FetchedKeySet::NotModified { .. }, _) => return Err(KeySetError::UnexpectedNotModified(feed.clone())),
    };
    let keys = KeySet::from_jwks(jwks.as_bytes()).map_err(|invalid| KeySetError::Invalid(feed.clone(), invalid))?;
    let fresh_for = fresh_for.unwrap_or(FRESH_DEFAULT).clamp(FRESH_MIN, FRESH_MAX);
    let set = StoredKeySet {
        jwks,
        fingerprint: keys.fingerprint().to_owned(),
        thumbprints: keys.keys().iter().map(Key::thumbprint).map(str::to_owned).collect(),
        fetched_at: now,
        fresh_until: now.plus(fresh_for),
        etag,
        url: provider_api.url(feed),
        not_before: None,
    };
    Ok((set, keys))
}
