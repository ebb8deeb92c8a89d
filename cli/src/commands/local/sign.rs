//! `sign`: the headers that a provider sends with a body.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use fundhook_domain::{Feed, Provider};
use fundhook_local_stack::sending::{Webhook, gateway_request};
use fundhook_local_stack::{LocalStack, Workspace};
use fundhook_sandbox::{SandboxKey, SignRequest, signed_with};

use super::{Ending, read};
use crate::commands::verify::secrets;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The body, signed unchanged
    #[arg(value_name = "FILE")]
    body: PathBuf,
    /// The feed, such as striga, or zerohash/acme for a tenant [default: the provider that the folder names]
    #[arg(long, value_name = "FEED")]
    feed: Option<Feed>,
    /// zerohash and Striga: the stored secret [default: the running sandbox provider signs]
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// Connect: a private RSA key in PKCS#8 PEM form [default: the running sandbox provider signs]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The URL registered with the provider [default: the local stack's]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The signed time as UNIX time in seconds [default: now]
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<i64>,
    /// Print the Lambda event of the receiver, for `cargo lambda invoke`, instead of `Name: value` lines
    #[arg(long)]
    lambda: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let body = read(&arguments.body)?;
    let timestamp = arguments.timestamp.unwrap_or_else(|| fundhook_runtime::now().unix_seconds());
    let local = || LocalStack::running(&Workspace::find()?).map_err(Box::<dyn Error + Send + Sync>::from);
    let feed = arguments.feed.clone().unwrap_or_else(|| Webhook::feed_of(&arguments.body));
    let url = match &arguments.url {
        Some(url) => url.clone(),
        None if is_offline(&arguments, &feed) && feed.provider() != Provider::Connect => format!("/webhooks/{feed}"),
        None => Webhook::new(feed.clone(), Vec::new()).url(&local()?.deployment)?,
    };
    let headers = match (feed.provider(), &arguments.key, &arguments.secrets) {
        (Provider::Connect, Some(path), _) => {
            let pem = String::from_utf8(read(path)?).map_err(|_| format!("{} is not text", path.display()))?;
            SandboxKey::from_pem(&pem)?.sign(&url, timestamp, &body)?
        }
        (provider @ (Provider::Zerohash | Provider::Striga), _, Some(path)) => {
            let secrets = secrets(path, feed.tenant())?;
            let secret = secrets.current().ok_or("the tenant's entry in the secret has no member `current`")?;
            signed_with(secret, provider, timestamp, &body)
        }
        (Provider::Connect | Provider::Zerohash | Provider::Striga, ..) => {
            let request = SignRequest::new(feed, timestamp, &body).to(&url);
            local()?.sandbox().sign(&request).await?
        }
    };
    if arguments.lambda {
        println!("{:#}", gateway_request(&url, &headers, &body));
    } else {
        headers.iter().for_each(|(name, value)| println!("{name}: {value}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a given key or secret signs, not the sandbox provider.
fn is_offline(arguments: &Arguments, feed: &Feed) -> bool {
    match feed.provider() {
        Provider::Connect => arguments.key.is_some(),
        Provider::Zerohash | Provider::Striga => arguments.secrets.is_some(),
    }
}
