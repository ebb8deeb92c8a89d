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

pub use key_cache::{KeyCache, NoKeys};
pub use key_set_fetch::{NoKeySet, fetch_key_set, leave_alone_if_asked, published_here};
pub use schedule::{RUNS_APART, take_turns};
pub use secret_cache::SecretCache;
pub use settings::KeySettings;
pub use token_keeper::{NoToken, TokenKeeper, ValidToken};
