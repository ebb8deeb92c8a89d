//! How Connect's API is called.

use fundhook_domain::{Feed, Provider};

use super::environment::{Environment, SettingError, https_url, invalid};
use super::tenants::Tenants;

/// How Connect's API is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectApiSettings {
    /// The organizations that may have credentials: the default one, and each tenant of Connect.
    pub feeds: Vec<Feed>,
    /// Scheme and host.
    pub base_url: String,
    /// The prefix of each path: empty, or `/api/v1`.
    pub path_prefix: String,
    /// Other differences from [connect-guide], a JSON object.
    pub options: String,
    /// The ARN or name of the secret with the credentials.
    pub credentials_secret_id: String,
    /// The ARN or name of the secret with the access tokens.
    pub token_secret_id: String,
}

/// How Connect's API is called; `None` when it is off, which is the default.
pub fn connect_api(environment: &Environment<'_>) -> Result<Option<ConnectApiSettings>, SettingError> {
    let is_on = environment.on_or_off("FUNDHOOK_CONNECT_API", false)?;
    if !is_on || !environment.on_or_off("FUNDHOOK_CONNECT", true)? {
        return Ok(None);
    }
    const URL: &str = "FUNDHOOK_CONNECT_API_URL";
    const PREFIX: &str = "FUNDHOOK_CONNECT_API_PATH_PREFIX";
    let path_prefix = environment.optional(PREFIX).unwrap_or_default();
    if !path_prefix.is_empty() && (!path_prefix.starts_with('/') || path_prefix.ends_with('/')) {
        return Err(invalid(PREFIX, &path_prefix, "a path that starts with a slash and does not end with one"));
    }
    Ok(Some(ConnectApiSettings {
        feeds: Tenants::from_environment(environment)?.feeds(Provider::Connect),
        base_url: https_url(URL, environment.required(URL)?)?,
        path_prefix,
        options: environment.optional("FUNDHOOK_CONNECT_API_OPTIONS").unwrap_or_else(|| "{}".to_owned()),
        credentials_secret_id: environment.required("FUNDHOOK_CONNECT_API_SECRET_ID")?,
        token_secret_id: environment.required("FUNDHOOK_CONNECT_TOKEN_SECRET_ID")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: [(&str, &str); 4] = [
        ("FUNDHOOK_CONNECT_API", "on"),
        ("FUNDHOOK_CONNECT_API_URL", "https://api.connect.xyz"),
        ("FUNDHOOK_CONNECT_API_SECRET_ID", "arn:credentials"),
        ("FUNDHOOK_CONNECT_TOKEN_SECRET_ID", "arn:token"),
    ];

    fn with(changes: &[(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> + use<> {
        let all: Vec<_> = changes.iter().chain(&NEEDED).copied().collect();
        move |name| all.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_api_is_used_for_each_organization_of_connect_when_both_are_on() {
        let tenants = r#"{"connect":{"acme":{"webhook_urls":["https://a.example/w"]}},"striga":["bolt"]}"#;
        let settings = connect_api(&Environment::new(&with(&[("FUNDHOOK_TENANTS", tenants)])));
        let settings = settings.expect("valid").expect("on");
        let feeds: Vec<String> = settings.feeds.iter().map(ToString::to_string).collect();
        assert_eq!(feeds, ["connect", "connect/acme"]);
        assert_eq!((settings.base_url.as_str(), settings.path_prefix.as_str()), ("https://api.connect.xyz", ""));
        for off in ["FUNDHOOK_CONNECT_API", "FUNDHOOK_CONNECT"] {
            assert_eq!(connect_api(&Environment::new(&with(&[(off, "off")]))), Ok(None), "{off}");
        }
        assert_eq!(connect_api(&Environment::new(&|_| None)), Ok(None), "off by default");
    }

    #[test]
    fn an_invalid_value_is_reported_with_the_expected_one() {
        for (name, value, hint) in [
            ("FUNDHOOK_CONNECT_API", "yes", "on or off"),
            ("FUNDHOOK_CONNECT_API_URL", "http://api.connect.xyz", "https"),
            ("FUNDHOOK_CONNECT_API_PATH_PREFIX", "api/v1", "slash"),
            ("FUNDHOOK_CONNECT_API_PATH_PREFIX", "/api/v1/", "slash"),
        ] {
            let error = connect_api(&Environment::new(&with(&[(name, value)]))).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains(hint), "{error}");
        }
    }
}
