//! `replay`: archived webhooks, read again by today's code.

use std::process::ExitCode;

use clap::Args;
use fundhook::replay::{Mode, Order, PER_SECOND, Replay, Selection, StackMode, replayed_lines};
use fundhook::target::Target;
use fundhook_domain::{Feed, Timestamp};
use fundhook_runtime::now;
use serde_json::json;

use super::Ending;

const AFTER_HELP: &str = "\
Each selected envelope of the archive is sent to the ingress queue once more, and takes the path of a webhook with the \
functions as they are deployed. What is recorded already has the same ids and changes nothing. What is missing is recorded. \
What is read differently today, after an upgrade or a changed parameter, is recorded as a restatement. Webhooks, rows of the \
provider's list and people's decisions are replayed alike.

A dry run does the same in memory, with the code of this command and the settings of the stack, and says what would change. \
So use the command of the version that is deployed.

With --in-order, what the envelopes state is recorded in the order in which they were received, by invoking the state updater \
of the stack instead of the queues. So the events get the numbers, and thus the ids, that they had before the table was \
lost. Nothing is archived again. The stack must record nothing else meanwhile: set the parameter Recording to off.

Days are replayed in order. If a replay is interrupted, run it again from the day that it says.

Exit code: 0 when all was sent or recorded, or read in a dry run; 1 when a line of the archive could not be read or recorded.

Examples:
  cargo fundhook replay --unrecognized --dry-run
  cargo fundhook replay --from 2026-11-01T00:00:00Z --feed zerohash --type deposit_fund_complete --dry-run --stack fundhook
  cargo fundhook replay --from 2026-11-01T00:00:00Z --feed zerohash --type deposit_fund_complete --stack fundhook
  cargo fundhook replay --from 2026-11-29T06:00:00Z --in-order --stack fundhook";

#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selected: Selected,
    /// Record in the order of receipt, past the queues, with the readings of that time: onto a table that was restored
    #[arg(long)]
    in_order: bool,
    /// Say what would change, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// How many envelopes a second are sent at most
    #[arg(long, value_name = "NUMBER", default_value_t = PER_SECOND, conflicts_with = "in_order", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    per_second: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The name of a stack on AWS [default: the local stack]
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct Selected {
    /// Only what was received at this time or later, such as 2026-11-29T06:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Only what was received before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// Only what this feed sent, such as connect or zerohash/acme
    #[arg(long, value_name = "FEED")]
    feed: Option<Feed>,
    /// Only webhooks with this name of the event or payload type, such as connect.deposits.confirmed
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only what is recorded as unrecognized today. The table is scanned for it
    #[arg(long)]
    unrecognized: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { selected, in_order, dry_run, per_second, json, stack } = arguments;
    let Selected { from, to, feed, event_type, unrecognized } = selected;
    if let Some((from, to)) = from.zip(to).filter(|(from, to)| from >= to) {
        return Err(format!("nothing was received from {from} to {to}: --to must be later than --from").into());
    }
    let selection = Selection { from, to, feed, event_type, unrecognized };
    let target = Target::find(stack.as_deref()).await?;
    let replay = Replay::of(&target, now()).await?;
    let mode: StackMode<'_> = match (dry_run, in_order) {
        (true, true) => Mode::DryRun(Order::Received),
        (true, false) => Mode::DryRun(Order::Archived),
        (false, true) => Mode::record(&target)?,
        (false, false) => Mode::send(&target, per_second)?,
    };
    let replayed = replay.run(&selection, mode, |line| eprintln!("· {line}")).await?;
    if json {
        println!("{:#}", json!({ "dry_run": dry_run, "replayed": replayed }));
    } else {
        replayed_lines(&replayed).iter().for_each(|line| println!("{line}"));
    }
    let is_whole = replayed.unreadable.is_empty() && replayed.refused.is_empty() && replayed.torn.is_empty();
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
