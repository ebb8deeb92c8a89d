//! `republish`: events once more, with the same ids and contents.

use std::process::ExitCode;

use clap::Args;
use fundhook::republish::{Republisher, StackPublishers, Window, republished_lines};
use fundhook::target::Target;
use fundhook_domain::{ResourceId, Timestamp};
use fundhook_ports::ItemsOf;
use serde_json::json;

use super::Ending;

const AFTER_HELP: &str = "\
The deployed publisher derives the events from the recorded facts, so they have the same ids and contents as the first time, \
and go to the topic, and to the EventBridge bus if there is one. Subscribers that know an id skip the event. A FIFO topic \
drops an event by itself that it took within the last 5 minutes.

--since reads the whole table: a scan costs half a read unit for each 4 KB that is stored, whatever it finds. Nothing says \
when a fact was recorded, so it counts from when its webhook was received; if a webhook waited in a queue until after that \
time, the last fact of its resource counts.

Exit code: 0 when all was published, 1 when the events of a resource were not.

Examples:
  cargo fundhook republish 'deposit#connect#6e735627-f8d1-49ae-93cc-3b7923519c56'
  cargo fundhook republish --since 2026-11-29T06:00:00Z --until 2026-11-29T09:30:00Z --dry-run --stack fundhook";

#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selected: Selected,
    /// Only up to the last fact that was received by this time
    #[arg(long, value_name = "TIME", requires = "since")]
    until: Option<Timestamp>,
    /// Say what would be published, and publish nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The name of a stack on AWS [default: the local stack]
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Selected {
    /// The ids of the resources. Quote them: # begins a comment
    #[arg(value_name = "RESOURCE")]
    resources: Vec<ResourceId>,
    /// All facts that were received at this time or later, such as 2026-11-29T06:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { selected: Selected { resources, since }, until, dry_run, json, stack } = arguments;
    if let Some((since, until)) = since.zip(until).filter(|(since, until)| since > until) {
        return Err(
            format!("no fact was received from {since} to {until}: --until must not be earlier than --since").into()
        );
    }
    let target = Target::find(stack.as_deref()).await?;
    let destinations = StackPublishers::of(&target).destinations();
    let republisher = Republisher::of(&target, destinations, dry_run)?;
    let republished = match since {
        None => republisher.resources(&resources).await?,
        Some(since) => {
            let progress = |found| eprintln!("· {found} resources so far");
            let window = Window { from: Some(since), until };
            republisher.window(window, ItemsOf::WrittenSince(since), progress).await?
        }
    };
    if json {
        println!("{:#}", json!({ "dry_run": dry_run, "resources": republished.resources }));
    } else {
        republished_lines(&republished, dry_run).iter().for_each(|line| println!("{line}"));
    }
    Ok(if republished.failed().count() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
