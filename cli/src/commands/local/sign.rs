//! `sign`: the headers that a provider would send.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use fundhook_domain::{Feed, Provider};
use fundhook_local_stack::LocalStack;
use fundhook_local_stack::Workspace;
use fundhook_local_stack::sending::{Webhook, gateway_request};
use fundhook_sandbox::{SignRequest, SigningKey, signed_with};

use crate::commands::verify::secrets;
use super::{Ending, read};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The body, signed to the byte as it stands in the file
    #[arg(value_name = "FILE")]
    body: PathBuf,
    /// Whose webhook it is, such as striga, or zerohash/acme for a tenant; without it, the folder's provider's
    #[arg(long, value_name = "FEED")]
    feed: Option<Feed>,
    /// zerohash's and Striga's: the secret as it is stored; without it, the running sandbox provider signs
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// Connect's: a private RSA key in PKCS#8 PEM form; without it, the running sandbox provider signs
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
            SigningKey::from_pem(&pem)?.sign(&url, timestamp, &body)?
        }
        (provider @ (Provider::Zerohash | Provider::Striga), _, Some(path)) => {
            let secrets = secrets(path, feed.tenant())?;
            let secret = secrets.current().ok_or("the organization has no `current` secret")?;
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

/// Whether a key or a secret of one's own signs.
fn is_offline(arguments: &Arguments, feed: &Feed) -> bool {
    match feed.provider() {
        Provider::Connect => arguments.key.is_some(),
        Provider::Zerohash | Provider::Striga => arguments.secrets.is_some(),
    }
}
