//! How the webhooks of providers with shared secrets, zerohash and Striga, are verified.

use fundhook_domain::{Feed, Provider};
use fundhook_providers::zerohash::{RsaPadding, Settings as ZerohashSettings};

use super::environment::{Environment, SettingError};
use super::tenants::Tenants;

/// How the webhooks of a provider with shared secrets are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFeeds<S> {
    /// The feeds of the default organization and of each tenant.
    pub feeds: Vec<Feed>,
    /// The ARN or name of the secret for all these feeds.
    pub secret_id: String,
    pub settings: S,
}

/// How zerohash's webhooks are verified; `None` when zerohash is off, which is the default.
pub fn zerohash(environment: &Environment<'_>) -> Result<Option<SecretFeeds<ZerohashSettings>>, SettingError> {
    if !environment.on_or_off("FUNDHOOK_ZEROHASH", false)? {
        return Ok(None);
    }
    let paddings = RsaPadding::ALL.map(|padding| (padding.as_str(), padding));
    let tenants = Tenants::from_environment(environment)?;
    Ok(Some(SecretFeeds {
        feeds: tenants.feeds(Provider::Zerohash),
        secret_id: environment.required("FUNDHOOK_ZEROHASH_SECRET_ID")?,
        settings: ZerohashSettings {
            tolerance: environment.seconds("FUNDHOOK_ZEROHASH_TOLERANCE_SECONDS", 300, 1..=3600)?,
            rsa_padding: environment.one_of("FUNDHOOK_ZEROHASH_RSA_PADDING", RsaPadding::default(), &paddings)?,
            legacy: environment.on_or_off("FUNDHOOK_ZEROHASH_LEGACY_SIGNATURES", false)?,
        },
    }))
}

/// How Striga's webhooks are verified; `None` when Striga is off, which is the default.
pub fn striga(environment: &Environment<'_>) -> Result<Option<SecretFeeds<()>>, SettingError> {
    if !environment.on_or_off("FUNDHOOK_STRIGA", false)? {
        return Ok(None);
    }
    let tenants = Tenants::from_environment(environment)?;
    Ok(Some(SecretFeeds {
        feeds: tenants.feeds(Provider::Striga),
        secret_id: environment.required("FUNDHOOK_STRIGA_SECRET_ID")?,
        settings: (),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_with_a_secret_are_off_by_default_and_need_a_secret_id_when_on() {
        let with = |variables: &'static [(&str, &str)]| {
            move |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let off = with(&[]);
        assert_eq!(zerohash(&Environment::new(&off)), Ok(None));
        assert_eq!(striga(&Environment::new(&off)), Ok(None));
        let on = with(&[("FUNDHOOK_ZEROHASH", "on"), ("FUNDHOOK_STRIGA", "on")]);
        assert_eq!(zerohash(&Environment::new(&on)), Err(SettingError::Missing("FUNDHOOK_ZEROHASH_SECRET_ID")));
        assert_eq!(striga(&Environment::new(&on)), Err(SettingError::Missing("FUNDHOOK_STRIGA_SECRET_ID")));
        let complete = with(&[
            ("FUNDHOOK_ZEROHASH", "on"),
            ("FUNDHOOK_ZEROHASH_SECRET_ID", "arn:secret"),
            ("FUNDHOOK_TENANTS", r#"{"zerohash":["acme"]}"#),
        ]);
        let settings = zerohash(&Environment::new(&complete)).expect("valid").expect("on");
        let feeds: Vec<String> = settings.feeds.iter().map(ToString::to_string).collect();
        assert_eq!(feeds, ["zerohash", "zerohash/acme"]);
        assert!(!settings.settings.legacy, "off by default");
    }

    #[test]
    fn the_rsa_padding_is_pss_unless_pkcs1_is_configured() {
        for (configured, expected) in
            [(None, RsaPadding::Pss), (Some("pss"), RsaPadding::Pss), (Some("pkcs1"), RsaPadding::Pkcs1)]
        {
            let lookup = |asked: &str| match asked {
                "FUNDHOOK_ZEROHASH" => Some("on".to_owned()),
                "FUNDHOOK_ZEROHASH_SECRET_ID" => Some("arn:secret".to_owned()),
                "FUNDHOOK_ZEROHASH_RSA_PADDING" => configured.map(str::to_owned),
                _ => None,
            };
            let settings = zerohash(&Environment::new(&lookup)).expect("valid").expect("on");
            assert_eq!(settings.settings.rsa_padding, expected, "{configured:?}");
        }
    }

    #[test]
    fn an_invalid_value_is_reported_with_the_expected_one() {
        for (name, value, hint) in [
            ("FUNDHOOK_ZEROHASH", "yes", "on or off"),
            ("FUNDHOOK_ZEROHASH_RSA_PADDING", "oaep", "pkcs1 or pss"),
            ("FUNDHOOK_ZEROHASH_TOLERANCE_SECONDS", "5m", "whole seconds from 1 to 3600"),
            ("FUNDHOOK_ZEROHASH_LEGACY_SIGNATURES", "true", "on or off"),
            ("FUNDHOOK_TENANTS", r#"{"zerohash":{}}"#, "JSON object"),
        ] {
            let lookup = |asked: &str| match asked {
                _ if asked == name => Some(value.to_owned()),
                "FUNDHOOK_ZEROHASH" => Some("on".to_owned()),
                "FUNDHOOK_ZEROHASH_SECRET_ID" => Some("arn:secret".to_owned()),
                _ => None,
            };
            let error = zerohash(&Environment::new(&lookup)).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains(&format!("{value:?}")) && error.contains(hint), "{error}");
        }
    }
}
