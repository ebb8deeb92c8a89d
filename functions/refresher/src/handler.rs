//! One scheduled refresh.

use fundhook_domain::port::{FetchKeySet, KeySets, PortError, StoredKeySet};
use fundhook_domain::{Provider, Timestamp};
use fundhook_providers::KeySet;
use fundhook_providers::jose::UnfitKeySet;
use fundhook_runtime::metrics;
use tracing::info;

/// What the refresher needs: where key sets are stored, and who publishes them.
#[derive(Debug)]
pub struct Refresher<S, F> {
    store: S,
    provider_api: F,
    providers: Vec<Provider>,
}

/// Why a key set was not refreshed. The last good one stays in use.
#[derive(Debug, thiserror::Error)]
pub enum NotRefreshed {
    /// It could not be fetched or stored.
    #[error("the key set of {0} was not refreshed")]
    Port(Provider, #[source] PortError),
    /// What the provider serves is unfit.
    #[error("the key set that {0} serves is unfit")]
    Unfit(Provider, #[source] UnfitKeySet),
}

impl<S: KeySets, F: FetchKeySet> Refresher<S, F> {
    /// A refresher for the providers that are on.
    pub fn new(store: S, provider_api: F, providers: Vec<Provider>) -> Self {
        Self { store, provider_api, providers }
    }

    /// Refreshes each provider's key set, and says how old each is by then. One provider's failure does not keep the
    /// others from being refreshed; the first is returned.
    pub async fn handle(&self, now: Timestamp) -> Result<(), NotRefreshed> {
        let mut outcome = Ok(());
        for provider in &self.providers {
            let refreshed = self.refresh(*provider, now).await;
            self.report_age(*provider, now).await;
            outcome = outcome.and(refreshed);
        }
        outcome
    }

    async fn refresh(&self, provider: Provider, now: Timestamp) -> Result<(), NotRefreshed> {
        let failed = |error| NotRefreshed::Port(provider, error);
        let jwks = self.provider_api.fetch(provider).await.map_err(failed)?;
        let keys = KeySet::from_jwks(jwks.as_bytes()).map_err(|unfit| NotRefreshed::Unfit(provider, unfit))?;
        let set = StoredKeySet { fingerprint: keys.fingerprint().to_owned(), fetched_at: now, jwks };
        self.store.store(provider, &set).await.map_err(failed)?;
        info!(%provider, fingerprint = set.fingerprint, keys = keys.keys().len(), "key set refreshed");
        Ok(())
    }

    /// Emits how old the stored key set is: the alarm's metric. Nothing is emitted while none is stored, and the alarm
    /// treats a missing value as a breach.
    async fn report_age(&self, provider: Provider, now: Timestamp) {
        match self.store.load(provider).await {
            Ok(Some(set)) => {
                let age_seconds = now.since(set.fetched_at).as_secs();
                metrics::emit(now, "KeySetAgeSeconds", "Seconds", age_seconds, &[("provider", provider.as_str())]);
            }
            Ok(None) => tracing::warn!(%provider, "no key set is stored yet"),
            Err(error) => {
                tracing::warn!(%provider, error = fundhook_domain::port::chain(&error), "the stored key set could not be read");
            }
        }
    }
}
