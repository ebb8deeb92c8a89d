//! `listen`: events as subscribers get them.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use fundhook::show::event_line;
use fundhook::subscription::Subscription;
use fundhook::target::Target;

use super::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Listen to a stack deployed to AWS, by its name; without it, to the local one
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// Print each event whole, as one line of JSON
    #[arg(long)]
    json: bool,
    /// Stop after so many seconds; without it, when interrupted
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let target = Target::find(arguments.stack.as_deref()).await?;
    let subscription = Subscription::open(&target.aws, target.output("TopicArn")?).await?;
    eprintln!("· Listening; interrupt (Ctrl-C) to end");
    let until = arguments.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let listened = tokio::select! {
        listened = print_events(&subscription, arguments.json, until) => listened,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into),
    };
    // Also after an error: a queue that is left behind would gather events for ever.
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
