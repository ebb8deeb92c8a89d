//! Settings from the environment: read once, at the start, with errors that name the variable.

use std::fmt::Display;
use std::time::Duration;

use fundhook_providers::connect::{JwtMode, JwtSettings, Settings as ConnectSettings, TOKEN_ISSUER};
use fundhook_providers::jose::TokenPolicy;

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

/// How far the provider's clock and ours may differ about a token's validity: RFC 7519 section 4.1.4 asks for no more than
/// a few minutes. A webhook's own timestamp has a tolerance of its own, because webhooks are delivered again.
const TOKEN_LEEWAY: Duration = Duration::from_secs(60);

/// How the receiver keeps its key sets fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySettings {
    /// How long a key set is used before the table is asked for a newer one (30 s to 1 h).
    pub max_age: Duration,
    /// How long the whole fleet waits between two fetches on behalf of signatures that did not verify.
    pub cooldown: Duration,
    /// How long the last good key set is used while no newer one can be had.
    pub last_good_max: Duration,
}

impl KeySettings {
    /// Reads `FUNDHOOK_KEYS_…`.
    pub fn from_environment(environment: &Environment<'_>) -> Result<Self, SettingError> {
        Ok(Self {
            max_age: environment.seconds("FUNDHOOK_KEYS_MAX_AGE_SECONDS", 300, 30, 3600)?,
            cooldown: environment.seconds("FUNDHOOK_KEYS_COOLDOWN_SECONDS", 60, 1, 3600)?,
            last_good_max: environment.seconds("FUNDHOOK_KEYS_LAST_GOOD_MAX_SECONDS", 86_400, 3600, 604_800)?,
        })
    }
}

/// Where Connect publishes its keys; `None` when the provider is off.
pub fn connect_jwks_url(environment: &Environment<'_>) -> Result<Option<String>, SettingError> {
    if !environment.one_of("FUNDHOOK_CONNECT", true, &[("on", true), ("off", false)])? {
        return Ok(None);
    }
    let url = environment.required("FUNDHOOK_CONNECT_JWKS_URL")?;
    let is_loopback = url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
    if url.starts_with("https://") || is_loopback {
        Ok(Some(url))
    } else {
        Err(invalid("FUNDHOOK_CONNECT_JWKS_URL", &url, "an https URL (http is for the loopback address alone)"))
    }
}

/// How Connect's webhooks are verified; `None` when the provider is off.
pub fn connect(environment: &Environment<'_>) -> Result<Option<ConnectSettings>, SettingError> {
    if connect_jwks_url(environment)?.is_none() {
        return Ok(None);
    }
    let urls = environment.required("FUNDHOOK_CONNECT_WEBHOOK_URLS")?;
    let webhook_urls = urls.split(',').map(|url| url.trim().to_owned()).filter(|url| !url.is_empty());
    let webhook_urls: Vec<String> = webhook_urls.collect();
    if webhook_urls.is_empty() || !webhook_urls.iter().all(|url| url.contains("://")) {
        let expected = "full URLs as registered with the provider, separated by commas";
        return Err(invalid("FUNDHOOK_CONNECT_WEBHOOK_URLS", &urls, expected));
    }
    let tolerance = environment.seconds("FUNDHOOK_CONNECT_TOLERANCE_SECONDS", 300, 1, 3600)?;
    let modes = [("off", JwtMode::Off), ("optional", JwtMode::Optional), ("required", JwtMode::Required)];
    Ok(Some(ConnectSettings {
        webhook_urls,
        tolerance,
        jwt: JwtSettings {
            mode: environment.one_of("FUNDHOOK_CONNECT_JWT", JwtMode::Optional, &modes)?,
            header: header_name(environment, "FUNDHOOK_CONNECT_JWT_HEADER", "authorization")?,
            policy: TokenPolicy {
                issuer: TOKEN_ISSUER.to_owned(),
                organization_id: environment.optional("FUNDHOOK_CONNECT_ORGANIZATION_ID"),
                leeway: TOKEN_LEEWAY,
            },
        },
    }))
}

fn header_name(environment: &Environment<'_>, name: &'static str, default: &str) -> Result<String, SettingError> {
    let value = environment.optional(name).unwrap_or_else(|| default.to_owned());
    // A header's name is a token (RFC 9110 section 5.1).
    let is_token = |value: &str| value.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    if is_token(&value) { Ok(value) } else { Err(invalid(name, &value, "a header's name such as authorization")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: [(&str, &str); 2] = [
        ("FUNDHOOK_CONNECT_JWKS_URL", "https://api.connect.xyz/v1/jwks"),
        ("FUNDHOOK_CONNECT_WEBHOOK_URLS", "https://a.example/webhooks/connect, https://b.example/w"),
    ];

    fn connect_with(changes: &[(&str, &str)]) -> Result<Option<ConnectSettings>, SettingError> {
        let lookup = |name: &str| {
            let all = changes.iter().chain(&NEEDED);
            all.into_iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        connect(&Environment::new(&lookup))
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let settings = connect_with(&[]).expect("valid").expect("on");
        assert_eq!(settings.webhook_urls, ["https://a.example/webhooks/connect", "https://b.example/w"]);
        assert_eq!(settings.tolerance, Duration::from_secs(300));
        assert_eq!(settings.jwt.mode, JwtMode::Optional);
        assert_eq!(settings.jwt.header, "authorization");
        assert_eq!(settings.jwt.policy.organization_id, None);
    }

    #[test]
    fn a_provider_that_is_off_needs_no_settings() {
        let off = |name: &str| (name == "FUNDHOOK_CONNECT").then(|| "off".to_owned());
        assert_eq!(connect(&Environment::new(&off)), Ok(None));
        assert_eq!(
            connect(&Environment::new(&|_| None)),
            Err(SettingError::Missing("FUNDHOOK_CONNECT_JWKS_URL")),
            "on unless switched off"
        );
    }

    #[test]
    fn a_wrong_value_is_named_with_what_would_be_right() {
        for (name, value, hint) in [
            ("FUNDHOOK_CONNECT", "yes", "on or off"),
            ("FUNDHOOK_CONNECT_JWT", "maybe", "off or optional or required"),
            ("FUNDHOOK_CONNECT_JWT_HEADER", "not a token", "authorization"),
            ("FUNDHOOK_CONNECT_TOLERANCE_SECONDS", "5m", "whole seconds from 1 to 3600"),
            ("FUNDHOOK_CONNECT_JWKS_URL", "http://api.connect.xyz/v1/jwks", "https"),
            ("FUNDHOOK_CONNECT_WEBHOOK_URLS", "a.example", "full URLs"),
        ] {
            let error = connect_with(&[(name, value)]).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains(value) && error.contains(hint), "{error}");
        }
    }
}
