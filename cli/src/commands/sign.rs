//! `sign`: the headers that Connect would send.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use fundhook::sandbox::SigningKey;
use fundhook::sending::gateway_request;
use fundhook::stack::Workspace;
use fundhook::target::LocalStack;

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
        println!("{:#}", gateway_request(&url, &headers, &body));
    } else {
        headers.iter().for_each(|(name, value)| println!("{name}: {value}"));
    }
    Ok(ExitCode::SUCCESS)
}
