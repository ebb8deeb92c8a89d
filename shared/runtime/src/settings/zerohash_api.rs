//! How zerohash's API is called.

use super::environment::{Environment, SettingError, https_url};

/// How zerohash's API is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZerohashApiSettings {
    /// Scheme and host.
    pub base_url: String,
    /// What the provider's documents leave open, a JSON object.
    pub options: String,
    /// The ARN or name of the secret with the credentials.
    pub credentials_secret_id: String,
}

/// How zerohash's API is called; `None` when it is off, which is the default.
pub fn zerohash_api(environment: &Environment<'_>) -> Result<Option<ZerohashApiSettings>, SettingError> {
    let is_on = environment.on_or_off("FUNDHOOK_ZEROHASH_API", false)?;
    if !is_on || !environment.on_or_off("FUNDHOOK_ZEROHASH", false)? {
        return Ok(None);
    }
    const URL: &str = "FUNDHOOK_ZEROHASH_API_URL";
    Ok(Some(ZerohashApiSettings {
        base_url: https_url(URL, environment.required(URL)?)?,
        options: environment.optional("FUNDHOOK_ZEROHASH_API_OPTIONS").unwrap_or_else(|| "{}".to_owned()),
        credentials_secret_id: environment.required("FUNDHOOK_ZEROHASH_API_SECRET_ID")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: [(&str, &str); 4] = [
        ("FUNDHOOK_ZEROHASH", "on"),
        ("FUNDHOOK_ZEROHASH_API", "on"),
        ("FUNDHOOK_ZEROHASH_API_URL", "https://api.zerohash.com"),
        ("FUNDHOOK_ZEROHASH_API_SECRET_ID", "arn:credentials"),
    ];

    fn with(changes: &[(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> + use<> {
        let all: Vec<_> = changes.iter().chain(&NEEDED).copied().collect();
        move |name| all.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_api_is_used_when_it_and_its_provider_are_on() {
        let settings = zerohash_api(&Environment::new(&with(&[]))).expect("valid").expect("on");
        assert_eq!(settings.base_url, "https://api.zerohash.com");
        assert_eq!((settings.options.as_str(), settings.credentials_secret_id.as_str()), ("{}", "arn:credentials"));
        for off in ["FUNDHOOK_ZEROHASH", "FUNDHOOK_ZEROHASH_API"] {
            assert_eq!(zerohash_api(&Environment::new(&with(&[(off, "off")]))), Ok(None), "{off}");
        }
        assert_eq!(zerohash_api(&Environment::new(&|_| None)), Ok(None));
    }

    #[test]
    fn an_invalid_value_is_reported_with_the_expected_one() {
        for (name, value, hint) in [
            ("FUNDHOOK_ZEROHASH_API_URL", "http://api.zerohash.com", "https"),
            ("FUNDHOOK_ZEROHASH_API", "yes", "on or off"),
        ] {
            let error = zerohash_api(&Environment::new(&with(&[(name, value)]))).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains(hint), "{error}");
        }
    }
}
