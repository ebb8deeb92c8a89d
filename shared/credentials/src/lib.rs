//! What providers are verified with and what they accept from us: key sets, shared secrets and access tokens.
//!
//! Guarantees: the last good key set, secret or token stays in use until a better one is stored; a flood of forged requests
//! costs one fetch in each cooldown; leases only save requests, conditions make them right.

mod key_cache;
mod key_set_fetch;
mod schedule;
mod secret_cache;
mod settings;
mod timetable;
mod token_keeper;

pub use key_cache::{KeyCache, NoUsableKeys};
pub use key_set_fetch::{KeySetError, back_off_if_asked, fetch_key_set, published_here};
pub use schedule::{RUNS_APART, rotate_by_run};
pub use secret_cache::SecretCache;
pub use settings::KeySettings;
pub use token_keeper::{TokenError, TokenKeeper, ValidToken};
