//! Where Connect's API is, and what it is asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook_domain::{Feed, Kind, Provider};

use super::providers::{ON_OR_OFF, Tenants, https_url};
use super::{Environment, SettingError, invalid};

/// How Connect's API is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectApiSettings {
    /// The organizations that may have credentials: the default one, and each tenant of Connect.
    pub feeds: Vec<Feed>,
    /// Scheme and host.
    pub base_url: String,
    /// What stands before each path: nothing, or `/api/v1`.
    pub path_prefix: String,
    /// What else differs from the provider's guide, a JSON object.
    pub options: String,
    /// The ARN or name of the secret with the credentials.
    pub credentials_secret_id: String,
    /// The ARN or name of the secret with the access tokens.
    pub token_secret_id: String,
}

/// How Connect's API is used; `None` when it is not, as it is unless switched on.
pub fn connect_api(environment: &Environment<'_>) -> Result<Option<ConnectApiSettings>, SettingError> {
    let is_on = environment.one_of("FUNDHOOK_CONNECT_API", false, &ON_OR_OFF)?;
    if !is_on || !environment.one_of("FUNDHOOK_CONNECT", true, &ON_OR_OFF)? {
        return Ok(None);
    }
    const URL: &str = "FUNDHOOK_CONNECT_API_URL";
    const PREFIX: &str = "FUNDHOOK_CONNECT_API_PATH_PREFIX";
    let path_prefix = environment.optional(PREFIX).unwrap_or_default();
    if !path_prefix.is_empty() && (!path_prefix.starts_with('/') || path_prefix.ends_with('/')) {
        return Err(invalid(PREFIX, &path_prefix, "a path that begins with a slash and does not end in one"));
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

/// How recorded resources are held against the provider's list, and how long a status may last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconcileSettings {
    /// Whose deposits the rows of the list are, by the id that they bear as `fund_id`: Connect's, or those that zerohash's
    /// fund webhooks tell of.
    pub rows_are: Provider,
    /// The feeds of zerohash that are on: an organization with one may be told of a coin twice.
    pub zerohash_feeds: BTreeSet<Feed>,
    /// Rows younger than this are left to their webhooks.
    pub grace: Duration,
    /// How far each reading goes back behind the watermark: rows that came late, or moved to another page while it was read.
    pub overlap: Duration,
    /// How far back the first reading goes.
    pub lookback: Duration,
    /// How long a deposit, a withdrawal and a recovery may stand in one status that is not final.
    pub overdue: OverdueLimits,
}

/// How long a resource may stand in one status that is not final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverdueLimits {
    /// A deposit.
    pub deposit: Duration,
    /// A withdrawal.
    pub withdrawal: Duration,
    /// A recovery.
    pub recovery: Duration,
}

impl OverdueLimits {
    /// The limit of `kind`; `None` for kinds of which nothing further is awaited.
    pub fn of(&self, kind: Kind) -> Option<Duration> {
        match kind {
            Kind::Deposit => Some(self.deposit),
            Kind::Withdrawal => Some(self.withdrawal),
            Kind::Recovery => Some(self.recovery),
            Kind::Fee | Kind::Participant | Kind::ExternalAccount | Kind::Balance | Kind::Unrecognized => None,
        }
    }
}

const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

impl ReconcileSettings {
    /// Reads `FUNDHOOK_CONNECT_TRANSACTIONS_ARE`, `FUNDHOOK_RECONCILE_…` and `FUNDHOOK_OVERDUE_…`.
    pub fn from_environment(environment: &Environment<'_>) -> Result<Self, SettingError> {
        let whose = [("connect", Provider::Connect), ("zerohash", Provider::Zerohash)];
        let is_zerohash_on = environment.one_of("FUNDHOOK_ZEROHASH", false, &ON_OR_OFF)?;
        let zerohash_feeds = Tenants::from_environment(environment)?.feeds(Provider::Zerohash);
        Ok(Self {
            zerohash_feeds: zerohash_feeds.into_iter().filter(|_| is_zerohash_on).collect(),
            rows_are: environment.one_of("FUNDHOOK_CONNECT_TRANSACTIONS_ARE", Provider::Connect, &whose)?,
            grace: environment.seconds("FUNDHOOK_RECONCILE_GRACE_SECONDS", 900, 0, DAY)?,
            overlap: environment.seconds("FUNDHOOK_RECONCILE_OVERLAP_SECONDS", 3600, 0, 7 * DAY)?,
            lookback: environment.seconds("FUNDHOOK_RECONCILE_LOOKBACK_SECONDS", 3 * DAY, 3600, YEAR)?,
            overdue: OverdueLimits {
                deposit: environment.seconds("FUNDHOOK_OVERDUE_DEPOSIT_SECONDS", DAY, 1, YEAR)?,
                withdrawal: environment.seconds("FUNDHOOK_OVERDUE_WITHDRAWAL_SECONDS", DAY, 1, YEAR)?,
                recovery: environment.seconds("FUNDHOOK_OVERDUE_RECOVERY_SECONDS", 7 * DAY, 1, YEAR)?,
            },
        })
    }
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
    fn the_api_is_asked_for_each_organization_of_connect_when_both_are_on() {
        let tenants = r#"{"connect":{"acme":{"webhook_urls":["https://a.example/w"]}},"striga":["bolt"]}"#;
        let settings = connect_api(&Environment::new(&with(&[("FUNDHOOK_TENANTS", tenants)])));
        let settings = settings.expect("valid").expect("on");
        let feeds: Vec<String> = settings.feeds.iter().map(ToString::to_string).collect();
        assert_eq!(feeds, ["connect", "connect/acme"]);
        assert_eq!((settings.base_url.as_str(), settings.path_prefix.as_str()), ("https://api.connect.xyz", ""));
        for off in ["FUNDHOOK_CONNECT_API", "FUNDHOOK_CONNECT"] {
            assert_eq!(connect_api(&Environment::new(&with(&[(off, "off")]))), Ok(None), "{off}");
        }
        assert_eq!(connect_api(&Environment::new(&|_| None)), Ok(None), "off unless switched on");
    }

    #[test]
    fn limits_are_those_of_the_documentation_unless_set() {
        let settings = ReconcileSettings::from_environment(&Environment::new(&|_| None)).expect("valid");
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        assert_eq!((settings.grace, settings.overlap), (hours(1) / 4, hours(1)));
        assert_eq!((settings.lookback, settings.rows_are), (hours(72), Provider::Connect));
        let limits = Kind::ALL.map(|kind| settings.overdue.of(kind));
        let awaited = [Some(hours(24)), Some(hours(24)), None, Some(hours(168)), None, None, None, None];
        assert_eq!(limits, awaited);
    }

    #[test]
    fn a_wrong_value_is_named_with_what_would_be_right() {
        for (name, value, hint) in [
            ("FUNDHOOK_CONNECT_API", "yes", "on or off"),
            ("FUNDHOOK_CONNECT_API_URL", "http://api.connect.xyz", "https"),
            ("FUNDHOOK_CONNECT_API_PATH_PREFIX", "api/v1", "slash"),
            ("FUNDHOOK_CONNECT_API_PATH_PREFIX", "/api/v1/", "slash"),
        ] {
            let error = connect_api(&Environment::new(&with(&[(name, value)]))).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains(hint), "{error}");
        }
        for (name, value, hint) in [
            ("FUNDHOOK_CONNECT_TRANSACTIONS_ARE", "striga", "connect or zerohash"),
            ("FUNDHOOK_OVERDUE_DEPOSIT_SECONDS", "0", "from 1"),
            ("FUNDHOOK_RECONCILE_LOOKBACK_SECONDS", "3d", "whole seconds"),
        ] {
            let lookup = with(&[(name, value)]);
            let error = ReconcileSettings::from_environment(&Environment::new(&lookup)).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains(hint), "{error}");
        }
    }
}
