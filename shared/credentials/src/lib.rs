//! What providers' webhooks are verified with, and the access tokens for providers' APIs.
//!
//! Guarantees:
//!
//! - The last good key set, secret or token stays in use until a better one is stored. A key set has a maximum age.
//! - An invalid key set or secret never replaces a valid one.
//! - A flood of forged requests costs one fetch in each cooldown, for all receivers together.
//! - At most one request for an access token of an organization is made at a time.
//! - Leases only save requests. Conditional writes make concurrent updates correct.

mod cache_times;
mod error;
mod key_cache;
mod key_set_fetch;
mod newer;
mod schedule;
mod secret_cache;
mod settings;
mod token_keeper;

pub use error::{KeySetError, NoUsableKeys, TokenError};
pub use key_cache::KeyCache;
pub use key_set_fetch::{back_off_if_asked, fetch_key_set, published_here};
pub use newer::Newer;
pub use schedule::{RUN_INTERVAL, rotate_by_run};
pub use secret_cache::SecretCache;
pub use settings::KeySettings;
pub use token_keeper::{TokenKeeper, ValidToken};
