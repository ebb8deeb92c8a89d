//! One scheduled refresh.

use fundhook_domain::port::{FetchKeySet, KeySets, PortError, StoredKeySet};
use fundhook_domain::{Feed, Timestamp};
use fundhook_providers::KeySet;
use fundhook_providers::jose::UnfitKeySet;
use fundhook_runtime::metrics;
use tracing::info;

/// What the refresher needs: where key sets are stored, and who publishes them.
#[derive(Debug)]
pub struct Refresher<S, F> {
    store: S,
    provider_api: F,
    feeds: Vec<Feed>,
}

/// Why a key set was not refreshed. The last good one stays in use.
#[derive(Debug, thiserror::Error)]
pub enum NotRefreshed {
    /// It could not be fetched or stored.
    #[error("the key set of {0} was not refreshed")]
    Port(Feed, #[source] PortError),
    /// What the provider serves is unfit.
    #[error("the key set that {0} serves is unfit")]
    Unfit(Feed, #[source] UnfitKeySet),
}

impl<S: KeySets, F: FetchKeySet> Refresher<S, F> {
    /// A refresher for the feeds that are on.
    pub fn new(store: S, provider_api: F, feeds: Vec<Feed>) -> Self {
        Self { store, provider_api, feeds }
    }

    /// Refreshes each feed's key set, and says how old each is by then. One feed's failure does not keep the
    /// others from being refreshed; the first is returned.
    pub async fn handle(&self, now: Timestamp) -> Result<(), NotRefreshed> {
        let mut outcome = Ok(());
        for feed in &self.feeds {
            let refreshed = self.refresh(feed, now).await;
            self.report_age(feed, now).await;
            outcome = outcome.and(refreshed);
        }
        outcome
    }

    async fn refresh(&self, feed: &Feed, now: Timestamp) -> Result<(), NotRefreshed> {
        let failed = |error| NotRefreshed::Port(feed.clone(), error);
        let jwks = self.provider_api.fetch(feed).await.map_err(failed)?;
        let keys = KeySet::from_jwks(jwks.as_bytes()).map_err(|unfit| NotRefreshed::Unfit(feed.clone(), unfit))?;
        let set = StoredKeySet { fingerprint: keys.fingerprint().to_owned(), fetched_at: now, jwks };
        self.store.store(feed, &set).await.map_err(failed)?;
        info!(%feed, fingerprint = set.fingerprint, keys = keys.keys().len(), "key set refreshed");
        Ok(())
    }

    /// Emits how old the stored key set is: the alarm's metric. Nothing is emitted while none is stored, and the alarm
    /// treats a missing value as a breach.
    async fn report_age(&self, feed: &Feed, now: Timestamp) {
        match self.store.load(feed).await {
            Ok(Some(set)) => {
                let provider = ("provider", feed.provider().as_str());
                // The default organization's metric has the provider alone, as the alarm looks for it.
                let tenant = feed.tenant().map(|tenant| ("tenant", tenant.as_str()));
                let dimensions: Vec<(&str, &str)> = [provider].into_iter().chain(tenant).collect();
                let age_seconds = now.since(set.fetched_at).as_secs();
                metrics::emit(now, "KeySetAgeSeconds", "Seconds", age_seconds, &dimensions);
            }
            Ok(None) => tracing::warn!(%feed, "no key set is stored yet"),
            Err(error) => {
                tracing::warn!(%feed, error = fundhook_domain::port::chain(&error), "the stored key set could not be read");
            }
        }
    }
}
