//! How each provider's webhooks are verified in this deployment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fundhook_domain::{Feed, Provider, Tenant};
use fundhook_providers::connect::{JwtMode, JwtSettings, Settings as ConnectSettings, TOKEN_ISSUER};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::zerohash::{RsaPadding, Settings as ZerohashSettings};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Environment, SettingError, invalid};

/// How far the provider's clock and ours may differ about a token's validity: RFC 7519 section 4.1.4 asks for no more than
/// a few minutes. A webhook's own timestamp has a tolerance of its own, because webhooks are delivered again.
const TOKEN_LEEWAY: Duration = Duration::from_secs(60);

/// How one feed of Connect is verified, and where its keys are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectFeed {
    /// Whose webhooks.
    pub feed: Feed,
    /// How they are verified.
    pub settings: ConnectSettings,
    /// Where their keys are published.
    pub jwks_url: String,
}

/// The organizations beside the default one (`FUNDHOOK_TENANTS`, a JSON object).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenants {
    connect: BTreeMap<Tenant, ConnectTenant>,
    zerohash: BTreeSet<Tenant>,
    striga: BTreeSet<Tenant>,
}

/// What differs from the default organization for a tenant of Connect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectTenant {
    webhook_urls: Vec<String>,
    jwks_url: Option<String>,
    organization_id: Option<String>,
}

impl Tenants {
    /// Reads `FUNDHOOK_TENANTS`; none when it is not set.
    pub fn from_environment(environment: &Environment<'_>) -> Result<Self, SettingError> {
        const NAME: &str = "FUNDHOOK_TENANTS";
        let Some(text) = environment.optional(NAME) else {
            return Ok(Self::default());
        };
        // An object first: serde reads the members of a struct from an array as well.
        let members = serde_json::from_str::<Map<String, Value>>(&text);
        members.and_then(|members| serde_json::from_value(Value::Object(members))).map_err(|error| {
            let example =
                r#"{"connect":{"acme":{"webhook_urls":["https://…"]}},"zerohash":["acme"],"striga":["acme"]}"#;
            invalid(NAME, &text, format!("a JSON object such as {example} ({error})"))
        })
    }

    /// A provider's feeds: the default organization's, and one for each tenant.
    pub fn feeds(&self, provider: Provider) -> Vec<Feed> {
        let tenants: Vec<&Tenant> = match provider {
            Provider::Connect => self.connect.keys().collect(),
            Provider::Zerohash => self.zerohash.iter().collect(),
            Provider::Striga => self.striga.iter().collect(),
        };
        let tenants = tenants.into_iter().map(|tenant| Feed::new(provider, Some(tenant.clone())));
        [Feed::from(provider)].into_iter().chain(tenants).collect()
    }
}

/// Where each feed of Connect publishes its keys; none when the provider is off.
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

/// How each feed of Connect is verified; none when the provider is off.
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
        tolerance: environment.seconds("FUNDHOOK_CONNECT_TOLERANCE_SECONDS", 300, 1, 3600)?,
        jwt: JwtSettings {
            mode: environment.one_of("FUNDHOOK_CONNECT_JWT", JwtMode::Optional, &modes)?,
            header: header_name(environment, "FUNDHOOK_CONNECT_JWT_HEADER", "authorization")?,
            policy: TokenPolicy { issuer: TOKEN_ISSUER.to_owned(), organization_id, leeway: TOKEN_LEEWAY },
        },
    })
}

/// How webhooks of a provider with a shared secret are verified, and where the secret lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFeeds<S> {
    /// Whose webhooks: the default organization's, and each tenant's.
    pub feeds: Vec<Feed>,
    /// The ARN or name of the secret that holds what all of them are verified with.
    pub secret_id: String,
    /// How they are verified.
    pub settings: S,
}

/// How zerohash's webhooks are verified; `None` when the provider is off, as it is unless switched on.
pub fn zerohash(environment: &Environment<'_>) -> Result<Option<SecretFeeds<ZerohashSettings>>, SettingError> {
    if !environment.one_of("FUNDHOOK_ZEROHASH", false, &ON_OR_OFF)? {
        return Ok(None);
    }
    let paddings = [("pkcs1", RsaPadding::Pkcs1), ("pss", RsaPadding::Pss)];
    let tenants = Tenants::from_environment(environment)?;
    Ok(Some(SecretFeeds {
        feeds: tenants.feeds(Provider::Zerohash),
        secret_id: environment.required("FUNDHOOK_ZEROHASH_SECRET_ID")?,
        settings: ZerohashSettings {
            tolerance: environment.seconds("FUNDHOOK_ZEROHASH_TOLERANCE_SECONDS", 300, 1, 3600)?,
            rsa_padding: environment.one_of("FUNDHOOK_ZEROHASH_RSA_PADDING", RsaPadding::Pkcs1, &paddings)?,
            legacy: environment.one_of("FUNDHOOK_ZEROHASH_LEGACY_SIGNATURES", false, &ON_OR_OFF)?,
        },
    }))
}

/// How Striga's webhooks are verified; `None` when the provider is off, as it is unless switched on.
pub fn striga(environment: &Environment<'_>) -> Result<Option<SecretFeeds<()>>, SettingError> {
    if !environment.one_of("FUNDHOOK_STRIGA", false, &ON_OR_OFF)? {
        return Ok(None);
    }
    let tenants = Tenants::from_environment(environment)?;
    Ok(Some(SecretFeeds {
        feeds: tenants.feeds(Provider::Striga),
        secret_id: environment.required("FUNDHOOK_STRIGA_SECRET_ID")?,
        settings: (),
    }))
}

pub(super) const ON_OR_OFF: [(&str, bool); 2] = [("on", true), ("off", false)];

/// Connect is on unless it is switched off.
fn is_on(environment: &Environment<'_>, name: &'static str) -> Result<bool, SettingError> {
    environment.one_of(name, true, &ON_OR_OFF)
}

pub(super) fn https_url(name: &'static str, url: String) -> Result<String, SettingError> {
    let is_loopback = url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
    if url.starts_with("https://") || is_loopback {
        Ok(url)
    } else {
        Err(invalid(name, &url, "an https URL (http is for the loopback address alone)"))
    }
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

    #[test]
    fn each_tenant_of_connect_has_urls_keys_and_an_organization_of_its_own() {
        let tenants = r#"{"connect":{"acme":{"webhook_urls":["https://acme.example/w"],"jwks_url":"https://keys.example/jwks",
            "organization_id":"org-2"},"bolt":{"webhook_urls":["https://bolt.example/w"]}}}"#;
        let feeds = connect_with(&[("FUNDHOOK_TENANTS", tenants)]).expect("valid");
        let told: Vec<(String, &str, &str, Option<&str>)> = feeds
            .iter()
            .map(|feed| {
                let ConnectSettings { webhook_urls, jwt, .. } = &feed.settings;
                let organization = jwt.policy.organization_id.as_deref();
                (feed.feed.to_string(), webhook_urls[0].as_str(), feed.jwks_url.as_str(), organization)
            })
            .collect();
        let default_keys = "https://api.connect.xyz/v1/jwks";
        assert_eq!(
            told,
            [
                ("connect".to_owned(), "https://a.example/webhooks/connect", default_keys, None),
                ("connect/acme".to_owned(), "https://acme.example/w", "https://keys.example/jwks", Some("org-2")),
                ("connect/bolt".to_owned(), "https://bolt.example/w", default_keys, None),
            ]
        );
    }

    #[test]
    fn providers_with_a_secret_are_off_unless_switched_on_and_then_need_to_know_where_it_lies() {
        let with = |variables: &'static [(&str, &str)]| {
            move |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let off = with(&[]);
        assert_eq!(zerohash(&Environment::new(&off)), Ok(None));
        assert_eq!(striga(&Environment::new(&off)), Ok(None));
        let on = with(&[("FUNDHOOK_ZEROHASH", "on"), ("FUNDHOOK_STRIGA", "on")]);
        assert_eq!(zerohash(&Environment::new(&on)), Err(SettingError::Missing("FUNDHOOK_ZEROHASH_SECRET_ID")));
        assert_eq!(striga(&Environment::new(&on)), Err(SettingError::Missing("FUNDHOOK_STRIGA_SECRET_ID")));
        let whole = with(&[
            ("FUNDHOOK_ZEROHASH", "on"),
            ("FUNDHOOK_ZEROHASH_SECRET_ID", "arn:secret"),
            ("FUNDHOOK_ZEROHASH_RSA_PADDING", "pss"),
            ("FUNDHOOK_TENANTS", r#"{"zerohash":["acme"]}"#),
        ]);
        let settings = zerohash(&Environment::new(&whole)).expect("valid").expect("on");
        let feeds: Vec<String> = settings.feeds.iter().map(ToString::to_string).collect();
        assert_eq!(feeds, ["zerohash", "zerohash/acme"]);
        assert_eq!(settings.settings.rsa_padding, RsaPadding::Pss);
        assert!(!settings.settings.legacy, "off unless switched on");
    }

    #[test]
    fn tenants_that_cannot_be_read_are_named_with_what_would_be_right() {
        for tenants in ["[]", r#"{"zerohash":["Acme"]}"#, r#"{"bank":["acme"]}"#, r#"{"connect":{"acme":{}}}"#] {
            let error = connect_with(&[("FUNDHOOK_TENANTS", tenants)]).expect_err(tenants).to_string();
            assert!(error.contains("FUNDHOOK_TENANTS") && error.contains("webhook_urls"), "{error}");
        }
    }

    #[test]
    fn what_a_tenant_of_connect_says_is_held_to_the_same_rules() {
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
    fn each_feed_of_connect_has_a_url_for_its_keys_and_none_when_the_provider_is_off() {
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

    #[test]
    fn a_wrong_value_of_a_provider_with_a_secret_is_named_with_what_would_be_right() {
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
