//! `verify`: offline, with reasons.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use fundhook::diagnosis::{Diagnosis, diagnose};
use fundhook_domain::Timestamp;
use fundhook_providers::connect::{JwtMode, JwtSettings, Settings, TOKEN_ISSUER};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::{Headers, KeySet, Webhook};
use serde_json::Value;

use super::{Ending, read};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The body, to the byte as it was received
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// The headers: `Name: value` lines as in HTTP, or a JSON object, or what `sign` printed
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// The URL registered with the provider; may be given several times
    #[arg(long = "url", required = true, value_name = "URL")]
    urls: Vec<String>,
    /// The provider's keys: a JWKS, or one public key in PEM form
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// The time of receipt, such as 2025-10-07T19:44:50Z; now when not given
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// How far the timestamp may lie from it
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    tolerance: u64,
    /// The header that carries a JWT, to be verified too
    #[arg(long, value_name = "NAME")]
    jwt_header: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let keys = read(&arguments.keys)?;
    let keys = if keys.trim_ascii_start().starts_with(b"{") {
        KeySet::from_jwks(&keys)?
    } else {
        KeySet::from_rsa_pem(&keys)?
    };
    let tolerance = Duration::from_secs(arguments.tolerance);
    let settings = Settings {
        webhook_urls: arguments.urls,
        tolerance,
        jwt: JwtSettings {
            mode: if arguments.jwt_header.is_some() { JwtMode::Required } else { JwtMode::Off },
            header: arguments.jwt_header.unwrap_or_default(),
            policy: TokenPolicy { issuer: TOKEN_ISSUER.to_owned(), organization_id: None, leeway: tolerance },
        },
    };
    let webhook = Webhook { headers: headers(&arguments.headers)?, body: read(&arguments.body)? };
    let now = arguments.at.unwrap_or_else(fundhook_runtime::now);
    let diagnosis = diagnose(&webhook, &settings, &keys, now);
    println!("{diagnosis}");
    Ok(match diagnosis {
        Diagnosis::Verified { .. } => ExitCode::SUCCESS,
        Diagnosis::Refused(_) => ExitCode::FAILURE,
    })
}

fn headers(path: &Path) -> Result<Headers, Box<dyn std::error::Error + Send + Sync>> {
    let text = String::from_utf8(read(path)?).map_err(|_| format!("{} is not text", path.display()))?;
    if let Ok(Value::Object(members)) = serde_json::from_str(&text) {
        let value = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return Ok(members.into_iter().map(|(name, member)| (name, value(member))).collect());
    }
    let line = |line: &str| {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("`{line}` is no `Name: value` line"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    let pairs: Result<Vec<(String, String)>, String> =
        text.lines().filter(|text| !text.trim().is_empty()).map(line).collect();
    Ok(pairs.map_err(|why| format!("{}: {why}", path.display()))?.into_iter().collect())
}
