//! Connect's API, called with the organizations' stored credentials: access tokens and lists of transactions.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use fundhook_connect_api::{
    ApiError, Caller, ConnectClient, Credentials, InvalidSettings, Retries, Settings, Timeouts, TransactionsQuery,
};
use fundhook_domain::{Feed, ListId, json_fault};
use fundhook_ports::{
    Disposition, GrantedToken, ListError, ListPage, ListQuery, ListWithToken, PortError, RequestToken,
};
use fundhook_reconciliation::PageKey;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::Aws;
use crate::secret_store::without_payload;
use crate::token_store::feed_of_entry;

/// Connect's API for the organizations whose credentials are stored.
#[derive(Debug)]
pub struct ConnectApi {
    client: ConnectClient,
    secrets: Client,
    secret_id: String,
    /// The organizations' ids, as of the last time that the credentials were read.
    organizations: Mutex<BTreeMap<Feed, String>>,
}

/// Bounds on one call: 3 × 5 s and 10 s of pauses fit into the 55 s of the lease on renewing a token. After that the next
/// scheduled run tries again.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPTS_MAX: u32 = 3;
const WAIT_MAX: Duration = Duration::from_secs(10);

const READ_THE_LIST: &str = "read the list of transactions";

/// Why Connect's API cannot be used with these settings.
#[derive(Debug, thiserror::Error)]
pub enum InvalidApiSettings {
    #[error(
        "the options of Connect's API are not a JSON object of known members, such as {{\"client_id_header\":\"x-connect-client-id\"}}"
    )]
    Options(#[source] serde_json::Error),
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
}

/// The settings that differ from [connect-guide].
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    client_id_header: Option<String>,
    token_path: Option<String>,
    token_fields: BTreeMap<String, String>,
    transactions_path: Option<String>,
    deposited_from: ParameterOption,
    deposited_before: ParameterOption,
}

/// The name of a parameter, if an option sets it.
#[derive(Default)]
enum ParameterOption {
    /// The option is missing.
    #[default]
    AsInGuide,
    /// The option is `null`: the API has no such parameter.
    NotSent,
    Named(String),
}

impl<'de> Deserialize<'de> for ParameterOption {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map_or(Self::NotSent, Self::Named))
    }
}

impl ParameterOption {
    fn apply(self, name: &mut Option<String>) {
        match self {
            Self::AsInGuide => {}
            Self::NotSent => *name = None,
            Self::Named(named) => *name = Some(named),
        }
    }
}

impl Options {
    /// Parses an object first: serde also deserializes a struct from an array.
    fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Map<String, Value>>(text)
            .and_then(|members| serde_json::from_value(Value::Object(members)))
    }

    fn apply(self, settings: &mut Settings) {
        let Self { client_id_header, token_path, token_fields, transactions_path, deposited_from, deposited_before } =
            self;
        let set = |known: &mut String, option: Option<String>| {
            if let Some(option) = option {
                *known = option;
            }
        };
        set(&mut settings.headers.client_id, client_id_header);
        set(&mut settings.paths.token, token_path);
        set(&mut settings.paths.transactions, transactions_path);
        settings.token_fields = token_fields;
        deposited_from.apply(&mut settings.parameters.deposited_from);
        deposited_before.apply(&mut settings.parameters.deposited_before);
    }
}

/// An entry of the secret.
#[derive(Deserialize)]
struct Entry {
    client_id: String,
    client_secret: SecretString,
    organization_id: String,
}

/// How to call Connect's API.
#[derive(Clone, Debug)]
pub struct ConnectApiConfig {
    /// Scheme and host.
    pub base_url: String,
    /// The prefix of each path; may be empty.
    pub path_prefix: String,
    /// A JSON object of other differences from [connect-guide]: `client_id_header`, `token_path`, `token_fields`,
    /// `transactions_path`, `deposited_from`, `deposited_before`.
    pub options: String,
    /// The ARN or name of the secret with the credentials: a JSON object with an entry for each organization.
    pub credentials_secret_id: String,
}

impl ConnectApi {
    pub fn new(aws: &Aws, config: ConnectApiConfig) -> Result<Self, InvalidApiSettings> {
        let ConnectApiConfig { base_url, path_prefix, options, credentials_secret_id: secret_id } = config;
        let mut settings = Settings {
            path_prefix,
            timeouts: Timeouts { attempt: ATTEMPT_TIMEOUT, ..Timeouts::default() },
            retries: Retries { attempts_max: ATTEMPTS_MAX, wait_max: WAIT_MAX, ..Retries::default() },
            ..Settings::new(&base_url)
        };
        Options::parse(&options).map_err(InvalidApiSettings::Options)?.apply(&mut settings);
        let (client, secrets) = (ConnectClient::new(settings)?, Client::new(aws.sdk_config()));
        Ok(Self { client, secrets, secret_id, organizations: Mutex::default() })
    }

    /// Reads the credentials, in each run of the reconciler and whenever a token is due: they change without a deployment.
    async fn credentials(&self) -> Result<BTreeMap<Feed, Credentials>, PortError> {
        let failed = |disposition, why: String| PortError::new("read the API credentials", disposition, why);
        let read = self.secrets.get_secret_value().secret_id(&self.secret_id).send().await;
        let read = read.map_err(|error| failed(Disposition::Retry, without_payload(&error)))?;
        let text = SecretString::from(read.secret_string.unwrap_or_default());
        let entries = entries(&text).map_err(|why| failed(Disposition::DeadLetter, why))?;
        let organizations =
            entries.iter().map(|(feed, credentials)| (feed.clone(), credentials.organization_id.clone()));
        *self.organizations.lock().unwrap_or_else(PoisonError::into_inner) = organizations.collect();
        Ok(entries)
    }

    async fn organization(&self, feed: &Feed) -> Result<String, PortError> {
        let known = || self.organizations.lock().unwrap_or_else(PoisonError::into_inner).get(feed).cloned();
        if let Some(organization) = known() {
            return Ok(organization);
        }
        self.credentials().await?;
        known().ok_or_else(|| no_entry(feed))
    }
}

fn no_entry(feed: &Feed) -> PortError {
    PortError::new("read the API credentials", Disposition::DeadLetter, format!("the secret has no entry for {feed}"))
}

/// The entries of the secret. An invalid entry is logged; the others are used.
fn entries(text: &SecretString) -> Result<BTreeMap<Feed, Credentials>, String> {
    const FORM: &str = r#"{"default":{"client_id":"…","client_secret":"…","organization_id":"…"}}"#;
    let all: BTreeMap<String, Value> = serde_json::from_str(text.expose_secret())
        .map_err(|error| format!("the secret does not have the form {FORM}: {}", json_fault(&error)))?;
    let mut entries = BTreeMap::new();
    for (name, entry) in all {
        match (feed_of_entry(&name), serde_json::from_value::<Entry>(entry)) {
            (Some(feed), Ok(Entry { client_id, client_secret, organization_id })) => {
                entries.insert(feed, Credentials { client_id, client_secret, organization_id });
            }
            (None, _) => {
                tracing::warn!(entry = name, "API credentials: the entry {name:?} does not name a tenant; ignoring it");
            }
            (Some(feed), Err(error)) => {
                let error = json_fault(&error);
                tracing::warn!(%feed, error, "API credentials of {feed} are invalid; expected {FORM}");
            }
        }
    }
    Ok(entries)
}

fn port_error(attempted: &'static str, error: ApiError) -> PortError {
    let disposition = if error.is_transient() { Disposition::Retry } else { Disposition::DeadLetter };
    let retry_after = error.retry_after();
    PortError::new(attempted, disposition, error).with_retry_after(retry_after)
}

impl RequestToken for ConnectApi {
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        Ok(self.credentials().await?.into_keys().collect())
    }

    async fn request(&self, feed: &Feed) -> Result<GrantedToken, PortError> {
        let credentials = self.credentials().await?.remove(feed).ok_or_else(|| no_entry(feed))?;
        let granted = self.client.request_token(&credentials).await;
        let granted = granted.map_err(|error| port_error("request an access token", error))?;
        Ok(GrantedToken { access_token: granted.access_token, expires_in: granted.expires_in })
    }
}

impl ListWithToken for ConnectApi {
    /// Connect has one list.
    async fn list(&self, list: &ListId, token: &SecretString, query: &ListQuery) -> Result<ListPage, ListError> {
        let caller = Caller { organization_id: self.organization(list.feed()).await?, token: token.clone() };
        let query = match query {
            ListQuery::Dated { from, before, page } => TransactionsQuery {
                page: page_number(page)?,
                deposited_from: Some(*from),
                deposited_before: Some(*before),
                ..TransactionsQuery::default()
            },
            ListQuery::Whole { page } => TransactionsQuery { page: page_number(page)?, ..TransactionsQuery::default() },
            ListQuery::Id(id) => TransactionsQuery { fund_id: Some(id.clone()), ..TransactionsQuery::default() },
        };
        let is_by_id = query.fund_id.is_some();
        let page = match self.client.transactions(&caller, &query).await {
            Ok(page) => page,
            Err(error) if error.is_unauthorized() => {
                return Err(ListError::Unauthorized(port_error(READ_THE_LIST, error)));
            }
            // The provider does not document its response to an unknown id.
            Err(ApiError::Status { status: 400 | 404 | 422, .. }) if is_by_id => return Ok(ListPage::default()),
            Err(error) => return Err(port_error(READ_THE_LIST, error).into()),
        };
        if page.page != query.page {
            // Otherwise every request would return the same page.
            let why = format!("requested page {}, received page {}", query.page, page.page);
            return Err(PortError::new(READ_THE_LIST, Disposition::DeadLetter, why).into());
        }
        let rows = page.transactions.iter().map(|row| row.get().to_owned()).collect();
        let next = (query.page < page.total_pages).then(|| PageKey::Number(query.page + 1));
        Ok(ListPage { rows, next, url: self.client.transactions_url() })
    }
}

/// The number of a page of a list that has page numbers.
fn page_number(page: &PageKey) -> Result<u32, PortError> {
    match page {
        PageKey::Number(number) => Ok(*number),
        PageKey::Cursor(_) => {
            let why = "expected the number of a page and not a cursor; the watermark was stored for another list";
            Err(PortError::new(READ_THE_LIST, Disposition::DeadLetter, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_entry_does_not_affect_the_others() {
        let entry = r#"{"client_id":"c","client_secret":"s","organization_id":"o","note":"x"}"#;
        let text = format!(r#"{{"default":{entry},"acme":{{"client_id":"c"}},"Not A Tenant":{entry},"bolt":{entry}}}"#);
        let read = entries(&text.into()).expect("a JSON object");
        let feeds: Vec<String> = read.keys().map(ToString::to_string).collect();
        assert_eq!(feeds, ["connect", "connect/bolt"]);
        assert_eq!(read.values().map(|entry| entry.organization_id.as_str()).collect::<Vec<_>>(), ["o", "o"]);
    }

    #[test]
    fn options_change_only_the_settings_that_they_name() {
        let options =
            r#"{"client_id_header":"x-connect-client-id","token_fields":{"audience":"a"},"deposited_before":null}"#;
        let mut settings = Settings::new("https://api.connect.xyz");
        Options::parse(options).expect("valid").apply(&mut settings);
        assert_eq!(settings.headers.client_id, "x-connect-client-id");
        assert_eq!(settings.token_fields.get("audience").map(String::as_str), Some("a"));
        assert_eq!(settings.parameters.deposited_from.as_deref(), Some("deposit_timestamp_gte"));
        assert_eq!((settings.parameters.deposited_before, settings.paths.token.as_str()), (None, "/oauth/token"));
        for odd in ["", "[]", r#"{"client_id":"x"}"#] {
            assert!(Options::parse(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn an_invalid_secret_is_reported_with_the_expected_form_and_without_its_content() {
        for text in ["", "[]", "hunter2"] {
            let why = entries(&text.to_owned().into()).map(|_| ()).expect_err(text);
            assert!(why.contains("client_secret") && !why.contains("hunter2"), "{why}");
        }
        assert!(entries(&"{}".to_owned().into()).is_ok_and(|entries| entries.is_empty()));
    }
}
