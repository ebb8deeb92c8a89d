//! `send`: sends signed webhooks to the local stack.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use fundhook_domain::Feed;
use fundhook_local_stack::sending::{Authenticity, SendOutcome, Webhook, send_or_drop};
use fundhook_local_stack::{LocalStack, Workspace};

use super::{Ending, read};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The bodies to send, unchanged, such as events/connect/deposits.pending.json. The folder names the provider
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The feed, such as striga, or zerohash/acme for a tenant [default: the provider that the folder names]
    #[arg(long, value_name = "FEED")]
    feed: Option<Feed>,
    /// How many times each webhook is sent
    #[arg(long, default_value_t = 1, value_name = "N")]
    times: u32,
    /// Replace the dates in the body by a minute ago, so that the deposits are in the part of the list that the reconciler
    /// reads
    #[arg(long)]
    today: bool,
    /// Change a byte of the body after signing it; expect 401
    #[arg(long, conflicts_with_all = ["stale", "forge"])]
    tamper: bool,
    /// Sign with a timestamp an hour ago; expect 401
    #[arg(long, conflicts_with = "forge")]
    stale: bool,
    /// Sign with a key that the provider never published; expect 401
    #[arg(long)]
    forge: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let stack = LocalStack::running(&Workspace::find()?)?;
    let sandbox = stack.sandbox();
    let authenticity = match (arguments.tamper, arguments.stale, arguments.forge) {
        (true, ..) => Authenticity::Tampered,
        (_, true, _) => Authenticity::Stale,
        (.., true) => Authenticity::Forged,
        (false, false, false) => Authenticity::Genuine,
    };
    let mut rejected = 0;
    for path in &arguments.files {
        let feed = arguments.feed.clone().unwrap_or_else(|| Webhook::feed_of(path));
        let webhook = Webhook::new(feed, read(path)?);
        let a_minute_ago = fundhook_runtime::now().minus(Duration::from_secs(60));
        let webhook = if arguments.today { webhook.dated(a_minute_ago) } else { webhook };
        for _ in 0..arguments.times {
            match send_or_drop(&stack.deployment, &sandbox, &webhook, authenticity, fundhook_runtime::now()).await? {
                SendOutcome::Answered(response) => {
                    println!("{}  {}  {}", response.status, path.display(), response.body);
                    rejected += u32::from(response.status != 200);
                }
                SendOutcome::Dropped => println!("---  {}  dropped by the sandbox provider", path.display()),
            }
        }
    }
    Ok(if rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
