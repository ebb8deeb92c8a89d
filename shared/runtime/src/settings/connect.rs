//! How Connect's webhooks are verified.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{Feed, Provider};
use fundhook_providers::connect::{JwtMode, JwtSettings, Settings as ConnectSettings, TOKEN_ISSUER};
use fundhook_providers::jose::TokenPolicy;

use super::environment::{Environment, SettingError, https_url, invalid};
use super::tenants::Tenants;

/// The clock skew that is allowed for a token's validity; RFC 7519 section 4.1.4 recommends no more than a few minutes. A
/// webhook's timestamp has its own, larger tolerance, because webhooks are delivered again.
const TOKEN_LEEWAY: Duration = Duration::from_secs(60);

/// How one feed of Connect is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectFeed {
    pub feed: Feed,
    pub settings: ConnectSettings,
    /// The URL of the feed's key set.
    pub jwks_url: String,
}

/// The URL of each Connect feed's key set; empty when Connect is off.
pub fn connect_jwks_urls(environment: &Environment<'_>) -> Result<BTreeMap<Feed, String>, SettingError> {
    let mut urls = BTreeMap::new();
    if !is_on(environment, "FUNDHOOK_CONNECT")? {
        return Ok(urls);
    }
    const NAME: &str = "FUNDHOOK_CONNECT_JWKS_URL";
    let default = https_url(NAME, environment.required(NAME)?)?;
    for (tenant, settings) in Tenants::from_environment(environment)?.connect {
        let url = match settings.jwks_url {
            Some(url) => https_url("FUNDHOOK_TENANTS", url)?,
            None => default.clone(),
        };
        urls.insert(Feed::new(Provider::Connect, Some(tenant)), url);
    }
    urls.insert(Provider::Connect.into(), default);
    Ok(urls)
}

/// How each Connect feed is verified; empty when Connect is off.
pub fn connect(environment: &Environment<'_>) -> Result<Vec<ConnectFeed>, SettingError> {
    let jwks_urls = connect_jwks_urls(environment)?;
    if jwks_urls.is_empty() {
        return Ok(Vec::new());
    }
    const URLS: &str = "FUNDHOOK_CONNECT_WEBHOOK_URLS";
    let listed = environment.required(URLS)?;
    let urls = listed.split(',').map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()).collect();
    let default = connect_settings(environment, URLS, urls, environment.optional("FUNDHOOK_CONNECT_ORGANIZATION_ID"))?;

    let mut tenants = Tenants::from_environment(environment)?.connect;
    let of_feed = |(feed, jwks_url): (Feed, String)| {
        let settings = match feed.tenant().and_then(|tenant| tenants.remove(tenant)) {
            Some(tenant) => {
                connect_settings(environment, "FUNDHOOK_TENANTS", tenant.webhook_urls, tenant.organization_id)?
            }
            None => default.clone(),
        };
        Ok(ConnectFeed { feed, settings, jwks_url })
    };
    jwks_urls.into_iter().map(of_feed).collect()
}

fn connect_settings(
    environment: &Environment<'_>,
    name: &'static str,
    webhook_urls: Vec<String>,
    organization_id: Option<String>,
) -> Result<ConnectSettings, SettingError> {
    if webhook_urls.is_empty() || !webhook_urls.iter().all(|url| url.contains("://")) {
        let expected = "full URLs as registered with the provider";
        return Err(invalid(name, &webhook_urls.join(","), expected));
    }
    let modes = [("off", JwtMode::Off), ("optional", JwtMode::Optional), ("required", JwtMode::Required)];
    Ok(ConnectSettings {
        webhook_urls,
        tolerance: environment.seconds("FUNDHOOK_CONNECT_TOLERANCE_SECONDS", 300, 1..=3600)?,
        jwt: JwtSettings {
            mode: environment.one_of("FUNDHOOK_CONNECT_JWT", JwtMode::Optional, &modes)?,
            header: header_name(environment, "FUNDHOOK_CONNECT_JWT_HEADER", "authorization")?,
            policy: TokenPolicy { issuer: TOKEN_ISSUER.to_owned(), organization_id, leeway: TOKEN_LEEWAY },
        },
    })
}

/// Connect is on by default.
pub(super) fn is_on(environment: &Environment<'_>, name: &'static str) -> Result<bool, SettingError> {
    environment.on_or_off(name, true)
}

fn header_name(environment: &Environment<'_>, name: &'static str, default: &str) -> Result<String, SettingError> {
    let value = environment.optional(name).unwrap_or_else(|| default.to_owned());
    // The name of a header is a token (RFC 9110 section 5.1).
    let is_token = |value: &str| value.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    if is_token(&value) { Ok(value) } else { Err(invalid(name, &value, "the name of a header, such as authorization")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: [(&str, &str); 2] = [
        ("FUNDHOOK_CONNECT_JWKS_URL", "https://api.connect.xyz/v1/jwks"),
        ("FUNDHOOK_CONNECT_WEBHOOK_URLS", "https://a.example/webhooks/connect, https://b.example/w"),
    ];

    fn connect_with(changes: &[(&str, &str)]) -> Result<Vec<ConnectFeed>, SettingError> {
        let lookup = |name: &str| {
            let all = changes.iter().chain(&NEEDED);
            all.into_iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        connect(&Environment::new(&lookup))
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let feeds = connect_with(&[]).expect("valid");
        let [ConnectFeed { feed, settings, .. }] = &*feeds else { unreachable!("one feed: {feeds:?}") };
        assert_eq!(*feed, Feed::from(Provider::Connect));
        assert_eq!(settings.webhook_urls, ["https://a.example/webhooks/connect", "https://b.example/w"]);
        assert_eq!(settings.tolerance, Duration::from_secs(300));
        assert_eq!(settings.jwt.mode, JwtMode::Optional);
        assert_eq!(settings.jwt.header, "authorization");
        assert_eq!(settings.jwt.policy.organization_id, None);
    }

    #[test]
    fn a_provider_that_is_off_needs_no_settings() {
        let off = |name: &str| (name == "FUNDHOOK_CONNECT").then(|| "off".to_owned());
        assert_eq!(connect(&Environment::new(&off)), Ok(Vec::new()));
        assert_eq!(
            connect(&Environment::new(&|_| None)),
            Err(SettingError::Missing("FUNDHOOK_CONNECT_JWKS_URL")),
            "on by default"
        );
    }

    #[test]
    fn an_invalid_value_is_reported_with_the_expected_one() {
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

    #[test]
    fn each_tenant_of_connect_has_its_own_urls_keys_and_organization() {
        let tenants = r#"{"connect":{"acme":{"webhook_urls":["https://acme.example/w"],"jwks_url":"https://keys.example/jwks",
            "organization_id":"org-2"},"bolt":{"webhook_urls":["https://bolt.example/w"]}}}"#;
        let feeds = connect_with(&[("FUNDHOOK_TENANTS", tenants)]).expect("valid");
        let actual: Vec<(String, &str, &str, Option<&str>)> = feeds
            .iter()
            .map(|feed| {
                let ConnectSettings { webhook_urls, jwt, .. } = &feed.settings;
                let organization = jwt.policy.organization_id.as_deref();
                (feed.feed.to_string(), webhook_urls[0].as_str(), feed.jwks_url.as_str(), organization)
            })
            .collect();
        let default_keys = "https://api.connect.xyz/v1/jwks";
        assert_eq!(
            actual,
            [
                ("connect".to_owned(), "https://a.example/webhooks/connect", default_keys, None),
                ("connect/acme".to_owned(), "https://acme.example/w", "https://keys.example/jwks", Some("org-2")),
                ("connect/bolt".to_owned(), "https://bolt.example/w", default_keys, None),
            ]
        );
    }

    #[test]
    fn invalid_tenants_are_reported_with_the_expected_form() {
        for tenants in ["[]", r#"{"zerohash":["Acme"]}"#, r#"{"bank":["acme"]}"#, r#"{"connect":{"acme":{}}}"#] {
            let error = connect_with(&[("FUNDHOOK_TENANTS", tenants)]).expect_err(tenants).to_string();
            assert!(error.contains("FUNDHOOK_TENANTS") && error.contains("webhook_urls"), "{error}");
        }
    }

    #[test]
    fn the_settings_of_a_tenant_follow_the_same_rules() {
        for (tenant, hint) in [
            (r#"{"webhook_urls":[]}"#, "full URLs"),
            (r#"{"webhook_urls":["acme.example"]}"#, "full URLs"),
            (r#"{"webhook_urls":["https://acme.example/w"],"jwks_url":"http://keys.example/jwks"}"#, "https"),
            (r#"{"webhook_urls":["https://acme.example/w"],"jwks":"https://keys.example/jwks"}"#, "jwks"),
        ] {
            let tenants = format!(r#"{{"connect":{{"acme":{tenant}}}}}"#);
            let error = connect_with(&[("FUNDHOOK_TENANTS", &tenants)]).expect_err(tenant).to_string();
            assert!(error.contains("FUNDHOOK_TENANTS") && error.contains(hint), "{error}");
        }
    }

    #[test]
    fn each_feed_of_connect_has_a_key_set_url_unless_connect_is_off() {
        let tenants = r#"{"connect":{"acme":{"webhook_urls":["https://a.example/w"],"jwks_url":"https://keys.example/jwks"},
            "bolt":{"webhook_urls":["https://b.example/w"]}},"striga":["acme"]}"#;
        let with = |connect: &'static str| {
            move |name: &str| match name {
                "FUNDHOOK_CONNECT" => Some(connect.to_owned()),
                "FUNDHOOK_CONNECT_JWKS_URL" => Some("https://api.connect.xyz/v1/jwks".to_owned()),
                "FUNDHOOK_TENANTS" => Some(tenants.to_owned()),
                _ => None,
            }
        };
        let urls = connect_jwks_urls(&Environment::new(&with("on"))).expect("valid");
        let urls: Vec<(String, &str)> = urls.iter().map(|(feed, url)| (feed.to_string(), url.as_str())).collect();
        let default = "https://api.connect.xyz/v1/jwks";
        let named = [("connect", default), ("connect/acme", "https://keys.example/jwks"), ("connect/bolt", default)];
        assert_eq!(urls, named.map(|(feed, url)| (feed.to_owned(), url)));
        assert_eq!(connect_jwks_urls(&Environment::new(&with("off"))), Ok(BTreeMap::new()));
    }
}
