//! `verify`: checks a signature offline and explains a failure.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use fundhook::diagnosis::{Diagnosis, SecretDiagnosis, diagnose, diagnose_striga, diagnose_zerohash};
use fundhook_domain::{Provider, Tenant, Timestamp};
use fundhook_providers::connect::{JwtMode, JwtSettings, Settings, TOKEN_ISSUER};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::zerohash::{self, RsaPadding};
use fundhook_providers::{Headers, KeySet, Secrets, Webhook};
use serde_json::Value;

use super::{Ending, read};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The raw body as received
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// The headers: `Name: value` lines (such as the output of `sign`), or a JSON object
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// The provider that sent it
    #[arg(long, default_value = "connect", value_name = "PROVIDER")]
    provider: Provider,
    /// Connect: the URL registered with the provider; may be repeated
    #[arg(long = "url", required_if_eq("provider", "connect"), value_name = "URL")]
    urls: Vec<String>,
    /// Connect: the provider's keys, as a JWKS or one public key in PEM form
    #[arg(long, required_if_eq("provider", "connect"), value_name = "FILE")]
    keys: Option<PathBuf>,
    /// zerohash and Striga: the stored secret, such as events/keys/test-secrets.json
    #[arg(long, required_if_eq_any([("provider", "zerohash"), ("provider", "striga")]), value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// The tenant [default: the default organization]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<Tenant>,
    /// zerohash: the padding of RSA signatures
    #[arg(long, default_value = RsaPadding::default().as_str(), value_parser = RsaPadding::ALL.map(RsaPadding::as_str))]
    rsa_padding: String,
    /// zerohash: accept a signature over only the body if there is no other
    #[arg(long)]
    legacy: bool,
    /// The time of receipt, such as 2025-10-07T19:44:50Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The maximum difference between the timestamp and the time of receipt
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    tolerance: u64,
    /// Also verify the JWT in this header
    #[arg(long, value_name = "NAME")]
    jwt_header: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let webhook = Webhook { path: String::new(), headers: headers(&arguments.headers)?, body: read(&arguments.body)? };
    let now = arguments.at.unwrap_or_else(fundhook_runtime::now);
    let (diagnosis, verified) = match arguments.provider {
        Provider::Connect => diagnose_connect(&arguments, &webhook, now)?,
        Provider::Zerohash | Provider::Striga => diagnose_shared_secret(&arguments, &webhook, now)?,
    };
    println!("{diagnosis}");
    Ok(if verified { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The diagnosis, and whether the webhook verifies.
fn diagnose_connect(arguments: &Arguments, webhook: &Webhook, now: Timestamp) -> Result<(String, bool), Failed> {
    let keys = read(arguments.keys.as_deref().ok_or("`--provider connect` needs `--keys`")?)?;
    let keys = if keys.trim_ascii_start().starts_with(b"{") {
        KeySet::from_jwks(&keys)?
    } else {
        KeySet::from_rsa_pem(&keys)?
    };
    let tolerance = Duration::from_secs(arguments.tolerance);
    let settings = Settings {
        webhook_urls: arguments.urls.clone(),
        tolerance,
        jwt: JwtSettings {
            mode: if arguments.jwt_header.is_some() { JwtMode::Required } else { JwtMode::Off },
            header: arguments.jwt_header.clone().unwrap_or_default(),
            policy: TokenPolicy { issuer: TOKEN_ISSUER.to_owned(), organization_id: None, leeway: tolerance },
        },
    };
    let diagnosis = diagnose(webhook, &settings, &keys, now);
    let verified = match &diagnosis {
        Diagnosis::Verified { .. } => true,
        Diagnosis::Refused(_) => false,
    };
    Ok((diagnosis.to_string(), verified))
}

/// The diagnosis of a webhook of zerohash or Striga, and whether the webhook verifies.
fn diagnose_shared_secret(arguments: &Arguments, webhook: &Webhook, now: Timestamp) -> Result<(String, bool), Failed> {
    let path = arguments.secrets.as_deref().ok_or("zerohash and Striga need `--secrets`")?;
    let secrets = secrets(path, arguments.tenant.as_ref())?;
    let settings = zerohash::Settings {
        tolerance: Duration::from_secs(arguments.tolerance),
        rsa_padding: RsaPadding::ALL
            .into_iter()
            .find(|padding| padding.as_str() == arguments.rsa_padding)
            .unwrap_or_default(),
        legacy: arguments.legacy,
    };
    let diagnosis = match arguments.provider {
        Provider::Connect | Provider::Zerohash => diagnose_zerohash(webhook, &settings, &secrets, now),
        Provider::Striga => diagnose_striga(webhook, &secrets),
    };
    let verified = match &diagnosis {
        SecretDiagnosis::Verified(_) => true,
        SecretDiagnosis::Refused(_) => false,
    };
    Ok((diagnosis.to_string(), verified))
}

/// The secrets of one organization, from a file with the content of the secret in Secrets Manager.
pub(super) fn secrets(path: &Path, tenant: Option<&Tenant>) -> Result<Secrets, Failed> {
    let text = String::from_utf8(read(path)?).map_err(|_| format!("{} is not text", path.display()))?;
    let mut organizations = Secrets::from_json(&text)?;
    let named = tenant.map_or("default", Tenant::as_str);
    organizations
        .remove(&tenant.cloned())
        .ok_or_else(|| format!("{} has no secrets for the organization {named:?}", path.display()).into())
}

fn headers(path: &Path) -> Result<Headers, Box<dyn std::error::Error + Send + Sync>> {
    let text = String::from_utf8(read(path)?).map_err(|_| format!("{} is not text", path.display()))?;
    if let Ok(Value::Object(members)) = serde_json::from_str(&text) {
        let value = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return Ok(members.into_iter().map(|(name, member)| (name, value(member))).collect());
    }
    let line = |line: &str| {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("`{line}` is not a `Name: value` line"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    let pairs: Result<Vec<(String, String)>, String> =
        text.lines().filter(|text| !text.trim().is_empty()).map(line).collect();
    Ok(pairs.map_err(|why| format!("{}: {why}", path.display()))?.into_iter().collect())
}
