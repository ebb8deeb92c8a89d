//! Reads environment variables, with errors that name the variable and the expected value.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A setting that is missing or invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error(
        "the environment variable {0} is not set; the stack sets it, and `cargo fundhook invoke --env FUNCTION` writes it for a local invocation"
    )]
    Missing(&'static str),
    #[error("the environment variable {name} is {value:?}, expected {expected}")]
    Invalid { name: &'static str, value: String, expected: String },
}

/// The source of the variables: the environment of the process, or the table of a test.
pub struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> Environment<'a> {
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(lookup)
    }

    /// The value of the variable, if it is set and not empty.
    pub fn optional(&self, name: &'static str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The value of the variable, which must be set.
    pub fn required(&self, name: &'static str) -> Result<String, SettingError> {
        self.optional(name).ok_or(SettingError::Missing(name))
    }

    /// A number of whole seconds within `range`; `default` when it is not set.
    pub fn seconds(
        &self,
        name: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<Duration, SettingError> {
        let Some(value) = self.optional(name) else {
            return Ok(Duration::from_secs(default));
        };
        let seconds = value.parse().ok().filter(|seconds| range.contains(seconds));
        let expected = || format!("whole seconds from {} to {}", range.start(), range.end());
        let seconds = seconds.ok_or_else(|| invalid(name, &value, expected()))?;
        Ok(Duration::from_secs(seconds))
    }

    /// One of `choices`; `default` when it is not set.
    pub fn one_of<T: Copy>(&self, name: &'static str, default: T, choices: &[(&str, T)]) -> Result<T, SettingError> {
        let Some(value) = self.optional(name) else {
            return Ok(default);
        };
        let chosen = choices.iter().find(|(choice, _)| *choice == value).map(|(_, chosen)| *chosen);
        let names = || choices.iter().map(|(choice, _)| *choice).collect::<Vec<_>>().join(" or ");
        chosen.ok_or_else(|| invalid(name, &value, names()))
    }

    /// Whether it is `on`; `default` when it is not set.
    pub fn on_or_off(&self, name: &'static str, default: bool) -> Result<bool, SettingError> {
        self.one_of(name, default, &ON_OR_OFF)
    }
}

pub(super) fn invalid(name: &'static str, value: &str, expected: impl Display) -> SettingError {
    SettingError::Invalid { name, value: value.to_owned(), expected: expected.to_string() }
}

const ON_OR_OFF: [(&str, bool); 2] = [("on", true), ("off", false)];

pub(super) fn https_url(name: &'static str, url: String) -> Result<String, SettingError> {
    let is_loopback = url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
    if url.starts_with("https://") || is_loopback {
        Ok(url)
    } else {
        Err(invalid(name, &url, "an https URL (http only for the loopback address)"))
    }
}
