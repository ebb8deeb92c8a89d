//! `listen`: prints events as subscribers receive them.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use fundhook::show::event_line;
use fundhook::subscription::Subscription;
use fundhook::target::Target;

use super::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The name of a stack on AWS [default: the local stack]
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// Print each event as one line of JSON
    #[arg(long)]
    json: bool,
    /// Stop after this many seconds [default: when interrupted]
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let target = Target::find(arguments.stack.as_deref()).await?;
    let subscription = Subscription::open(&target.aws, target.output("TopicArn")?).await?;
    eprintln!("· Listening; press Ctrl-C to stop");
    let until = arguments.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let listened = tokio::select! {
        listened = print_events(&subscription, arguments.json, until) => listened,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into),
    };
    // Also after an error: the queue would otherwise remain and collect events.
    subscription.close().await?;
    listened.map(|()| ExitCode::SUCCESS)
}

async fn print_events(
    subscription: &Subscription,
    json: bool,
    until: Option<Instant>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    while until.is_none_or(|until| Instant::now() < until) {
        for delivery in subscription.next().await? {
            let line = if json { delivery.event.to_string() } else { event_line(&delivery) };
            println!("{line}");
        }
    }
    Ok(())
}
