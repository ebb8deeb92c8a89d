//! Settings from the environment: read once, at the start, with errors that name the variable.

mod connect_api;
mod providers;

use std::fmt::Display;
use std::time::Duration;

pub use connect_api::{ConnectApiSettings, OverdueLimits, ReconcileSettings, connect_api};
use fundhook_credentials::KeySettings;
pub use providers::{ConnectFeed, SecretFeeds, Tenants, connect, connect_jwks_urls, striga, zerohash};

/// A setting that is missing or cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// It is not set.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// Its value is not of the form it should have.
    #[error("the environment variable {name} is {value:?}, expected {expected}")]
    Invalid {
        /// Which variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What would be right.
        expected: String,
    },
}

/// A source of variables: the process's environment, or a test's table.
pub struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> Environment<'a> {
    /// Reads variables through `lookup`.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(lookup)
    }

    /// The variable `name`, if it is set and not empty.
    pub fn optional(&self, name: &'static str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The variable `name`, which must be set.
    pub fn required(&self, name: &'static str) -> Result<String, SettingError> {
        self.optional(name).ok_or(SettingError::Missing(name))
    }

    /// A number of whole seconds within `min..=max`, `default` when not set.
    pub fn seconds(&self, name: &'static str, default: u64, min: u64, max: u64) -> Result<Duration, SettingError> {
        let Some(value) = self.optional(name) else {
            return Ok(Duration::from_secs(default));
        };
        let seconds = value.parse().ok().filter(|seconds| (min..=max).contains(seconds));
        let seconds = seconds.ok_or_else(|| invalid(name, &value, format!("whole seconds from {min} to {max}")))?;
        Ok(Duration::from_secs(seconds))
    }

    /// One of `choices`, `default` when not set.
    pub fn one_of<T: Copy>(&self, name: &'static str, default: T, choices: &[(&str, T)]) -> Result<T, SettingError> {
        let Some(value) = self.optional(name) else {
            return Ok(default);
        };
        let chosen = choices.iter().find(|(choice, _)| *choice == value).map(|(_, chosen)| *chosen);
        let names = || choices.iter().map(|(choice, _)| *choice).collect::<Vec<_>>().join(" or ");
        chosen.ok_or_else(|| invalid(name, &value, names()))
    }
}

fn invalid(name: &'static str, value: &str, expected: impl Display) -> SettingError {
    SettingError::Invalid { name, value: value.to_owned(), expected: expected.to_string() }
}

/// How long a receiver uses key sets and secrets, from `FUNDHOOK_KEYS_…`.
pub fn keys(environment: &Environment<'_>) -> Result<KeySettings, SettingError> {
    Ok(KeySettings {
        max_age: environment.seconds("FUNDHOOK_KEYS_MAX_AGE_SECONDS", 300, 30, 3600)?,
        cooldown: environment.seconds("FUNDHOOK_KEYS_COOLDOWN_SECONDS", 60, 1, 3600)?,
        last_good_max: environment.seconds("FUNDHOOK_KEYS_LAST_GOOD_MAX_SECONDS", 86_400, 3600, 604_800)?,
    })
}
