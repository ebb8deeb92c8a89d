//! Settings from the environment. They are read once, at the start; an error names the variable and the expected value.

mod connect;
mod connect_api;
mod crediting;
mod environment;
mod reading;
mod reconcile;
mod shared_secrets;
mod tenants;
mod zerohash_api;

use fundhook_credentials::KeySettings;

pub use connect::{ConnectFeed, connect, connect_jwks_urls};
pub use connect_api::{ConnectApiSettings, connect_api};
pub use crediting::several_families_credit;
pub use environment::{Environment, SettingError};
pub use reading::reading;
pub use reconcile::{OverdueLimits, ReconcileSettings};
pub use shared_secrets::{SecretFeeds, striga, zerohash};
pub use tenants::Tenants;
pub use zerohash_api::{ZerohashApiSettings, zerohash_api};

/// How long key sets and secrets are used, from `FUNDHOOK_KEYS_…`.
pub fn keys(environment: &Environment<'_>) -> Result<KeySettings, SettingError> {
    Ok(KeySettings {
        max_age: environment.seconds("FUNDHOOK_KEYS_MAX_AGE_SECONDS", 300, 30..=3600)?,
        cooldown: environment.seconds("FUNDHOOK_KEYS_COOLDOWN_SECONDS", 60, 1..=3600)?,
        last_good_max: environment.seconds("FUNDHOOK_KEYS_LAST_GOOD_MAX_SECONDS", 86_400, 3600..=604_800)?,
    })
}
