//! `sign`: the headers that Connect would send.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use fundhook::sandbox::{SignedHeaders, SigningKey};
use fundhook::stack::Workspace;
use fundhook::target::LocalStack;
use serde_json::{Map, Value, json};

use super::{Ending, read};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The body, signed to the byte as it stands in the file
    #[arg(value_name = "FILE")]
    body: PathBuf,
    /// A private RSA key in PKCS#8 PEM form; without it, the running sandbox provider signs
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The URL registered with the provider; without it, the local stack's
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The UNIX time in seconds to sign; now when not given
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<i64>,
    /// Print the event that Lambda hands to the receiver, for `cargo lambda invoke`, rather than `Name: value` lines
    #[arg(long)]
    lambda: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let body = read(&arguments.body)?;
    let timestamp = arguments.timestamp.unwrap_or_else(|| fundhook_runtime::now().unix_seconds());
    let local = || LocalStack::running(&Workspace::find()?).map_err(Box::<dyn std::error::Error + Send + Sync>::from);
    let url = match arguments.url {
        Some(url) => url,
        None => local()?.deployment.output("ConnectWebhookUrls")?.split(',').next().unwrap_or_default().to_owned(),
    };
    let headers = match &arguments.key {
        Some(path) => {
            let pem = String::from_utf8(read(path)?).map_err(|_| format!("{} is not text", path.display()))?;
            SigningKey::from_pem(&pem)?.sign(&url, timestamp, &body)?
        }
        None => local()?.sandbox().sign(&url, timestamp, &body, false).await?,
    };
    if arguments.lambda {
        println!("{:#}", lambda_event(&url, &headers, &body));
    } else {
        headers.iter().for_each(|(name, value)| println!("{name}: {value}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The request as an HTTP API hands it to its function (payload format 2.0).
fn lambda_event(url: &str, headers: &SignedHeaders, body: &[u8]) -> Value {
    use base64::prelude::{BASE64_STANDARD, Engine as _};

    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = after_scheme.split_once('/').unwrap_or((after_scheme, ""));
    let path = format!("/{path}");
    let mut sent: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    sent.insert("content-type".to_owned(), json!("application/json"));
    sent.insert("host".to_owned(), json!(host));
    let (text, is_base64) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (BASE64_STANDARD.encode(body), true),
    };
    json!({
        "version": "2.0",
        "routeKey": "ANY /webhooks/{provider}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": sent,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "local",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "fundhook",
            },
            "requestId": "local",
            "routeKey": "ANY /webhooks/{provider}",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 0,
        },
        "pathParameters": { "provider": "connect" },
        "body": text,
        "isBase64Encoded": is_base64,
    })
}
