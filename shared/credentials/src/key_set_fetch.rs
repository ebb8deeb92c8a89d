//! Having a key set fetched: the same for the refresher, which does it in time, and for a receiver that cannot wait.

use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{FetchKeySet, FetchedKeySet, KeySets, LEFT_ALONE_MAX, PortError, StoredKeySet, chain};
use fundhook_providers::KeySet;
use fundhook_providers::jose::{Key, UnfitKeySet};
use tracing::warn;

/// How long a key set is held, whatever its `Cache-Control` says: at least long enough not to be a burden, and at most as
/// long as a key that was withdrawn may still be believed.
const FRESH_MIN: Duration = Duration::from_secs(30);
const FRESH_MAX: Duration = Duration::from_secs(3600);

/// How long it is held when the provider does not say.
const FRESH_UNSAID: Duration = Duration::from_secs(300);

/// Why no key set was had. The last good one stays in use.
#[derive(Debug, thiserror::Error)]
pub enum NoKeySet {
    /// It could not be fetched.
    #[error("the key set of {0} could not be fetched")]
    Port(Feed, #[source] PortError),
    /// What the provider serves is unfit.
    #[error("the key set that {0} serves is unfit")]
    Unfit(Feed, #[source] UnfitKeySet),
    /// The provider says that it has not changed, and was not asked by an entity tag.
    #[error(
        "{0} says that its key set has not changed since it was last asked, and it was never asked by an entity tag"
    )]
    Unasked(Feed),
}

/// What is stored, unless it was fetched elsewhere than the feed's key set is published now: such a set verifies nothing, and
/// its entity tag means nothing there. One that does not say where, from an older version, counts as fetched here.
pub fn published_here(
    provider_api: &impl FetchKeySet,
    feed: &Feed,
    stored: Option<StoredKeySet>,
) -> Option<StoredKeySet> {
    stored.filter(|set| set.url.is_none() || set.url == provider_api.url(feed))
}

/// After `error`: notes in `store` for how long the provider asked to be left alone, if it did. An hour at most, and half of the
/// time for which the set that is `held` will still be used, so that there always is time for another attempt.
pub async fn leave_alone_if_asked(
    store: &impl KeySets,
    error: &NoKeySet,
    held: Option<&StoredKeySet>,
    last_good_max: Duration,
    now: Timestamp,
) {
    let (feed, asked) = match error {
        NoKeySet::Port(feed, error) => (feed, error.retry_after().unwrap_or_default()),
        NoKeySet::Unfit(feed, _) | NoKeySet::Unasked(feed) => (feed, Duration::ZERO),
    };
    let left = held.map(|held| last_good_max.saturating_sub(now.since(held.fetched_at))).unwrap_or_default();
    let pause = asked.min(left / 2).min(LEFT_ALONE_MAX);
    if pause.is_zero() {
        return;
    }
    let until = now.plus(pause);
    warn!(%feed, %until, "the provider asked not to be asked for its key set before");
    if let Err(error) = store.leave_alone(feed, until).await {
        warn!(%feed, error = chain(&error), "that the provider is to be left alone could not be noted");
    }
}

/// Fetches the feed's key set, unless it still is the one that is `held`, and checks it. What comes back is fit to be stored.
pub async fn fetch_key_set(
    provider_api: &impl FetchKeySet,
    feed: &Feed,
    held: Option<&StoredKeySet>,
    now: Timestamp,
) -> Result<(StoredKeySet, KeySet), NoKeySet> {
    let etag = held.and_then(|held| held.etag.as_deref());
    let fetched = provider_api.fetch(feed, etag).await.map_err(|error| NoKeySet::Port(feed.clone(), error))?;
    let (jwks, etag, fresh_for) = match (fetched, held) {
        (FetchedKeySet::Served { jwks, etag, fresh_for }, _) => (jwks, etag, fresh_for),
        (FetchedKeySet::NotModified { fresh_for }, Some(held)) if held.etag.is_some() => {
            (held.jwks.clone(), held.etag.clone(), fresh_for)
        }
        (FetchedKeySet::NotModified { .. }, _) => return Err(NoKeySet::Unasked(feed.clone())),
    };
    let keys = KeySet::from_jwks(jwks.as_bytes()).map_err(|unfit| NoKeySet::Unfit(feed.clone(), unfit))?;
    let fresh_for = fresh_for.unwrap_or(FRESH_UNSAID).clamp(FRESH_MIN, FRESH_MAX);
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
