//! `send`: signed webhooks to the local stack.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use fundhook_domain::Feed;
use fundhook_local_stack::LocalStack;
use fundhook_local_stack::Workspace;
use fundhook_local_stack::sending::{Manner, Sent, Webhook, send_or_drop};

use super::{Ending, read};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Bodies to send, each to the byte as it stands in the file, such as events/connect/deposits.pending.json. The folder
    /// tells the provider
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Whose webhooks they are, such as striga, or zerohash/acme for a tenant; without it, the folder's provider's
    #[arg(long, value_name = "FEED")]
    feed: Option<Feed>,
    /// Send each so many times
    #[arg(long, default_value_t = 1, value_name = "N")]
    times: u32,
    /// Date what they tell of a minute ago instead of as in the file, so that the reconciler reads of it in the provider's list
    #[arg(long)]
    today: bool,
    /// Change a byte of the body after it was signed: to be refused with 401
    #[arg(long, conflicts_with_all = ["stale", "forge"])]
    tamper: bool,
    /// Sign with a timestamp of an hour ago: to be refused with 401
    #[arg(long, conflicts_with = "forge")]
    stale: bool,
    /// Sign with a key that the provider never published: to be refused with 401
    #[arg(long)]
    forge: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let stack = LocalStack::running(&Workspace::find()?)?;
    let sandbox = stack.sandbox();
    let manner = match (arguments.tamper, arguments.stale, arguments.forge) {
        (true, ..) => Manner::Tampered,
        (_, true, _) => Manner::Stale,
        (.., true) => Manner::Forged,
        (false, false, false) => Manner::Genuine,
    };
    let mut refused = 0;
    for path in &arguments.files {
        let feed = arguments.feed.clone().unwrap_or_else(|| Webhook::feed_of(path));
        let webhook = Webhook::new(feed, read(path)?);
        let a_minute_ago = fundhook_runtime::now().minus(Duration::from_secs(60));
        let webhook = if arguments.today { webhook.dated(a_minute_ago) } else { webhook };
        for _ in 0..arguments.times {
            match send_or_drop(&stack.deployment, &sandbox, &webhook, manner, fundhook_runtime::now()).await? {
                Sent::Answered(answer) => {
                    println!("{}  {}  {}", answer.status, path.display(), answer.body);
                    refused += u32::from(answer.status != 200);
                }
                Sent::Dropped => println!("---  {}  dropped by the sandbox provider", path.display()),
            }
        }
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
