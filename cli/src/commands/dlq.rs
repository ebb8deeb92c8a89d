//! `dlq`: the messages that Fundhook gave up on, why, and trying them again.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use fundhook::dead_letters::{DeadLetterQueue, Desk, Limits, Selection, letter_lines, listing_lines, redriven_lines};
use fundhook::target::Target;
use fundhook_runtime::now;
use serde_json::json;

use super::Ending;

const AFTER_HELP: &str = "\
Queues:
  ingress    verified webhooks that fan-out could not archive or route
  transfers  statements about money that the state-updater could not record
  accounts   other statements that the state-updater could not record
  publisher  pointers to changes that a publisher could not publish, to the topic or to the bus

A message is redriven by sending it back to its queue, and then deleting it. What was recorded already changes nothing. A \
pointer has no changes in it, only when they were written: redriving it publishes all events again of the resources that \
were written then or since, with the same ids. It is kept if one of them cannot be published.

Exit code: 0 when everything that was asked for was done, 1 when something was not found or was kept.

Examples:
  cargo fundhook dlq list
  cargo fundhook dlq show transfers 3f0b6a3c-5c55-4a0e-8e7f-0d1e1c6e6a11
  cargo fundhook dlq redrive transfers 3f0b6a3c-5c55-4a0e-8e7f-0d1e1c6e6a11
  cargo fundhook dlq redrive publisher --all --dry-run --stack fundhook";

/// How long messages of one queue are received at most.
const RECEIVE_FOR: Duration = Duration::from_secs(30);

#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How many messages of a queue are received at most
    #[arg(long, value_name = "NUMBER", default_value_t = 500, global = true)]
    max: usize,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// The name of a stack on AWS [default: the local stack]
    #[arg(long, value_name = "NAME", global = true)]
    stack: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// List the messages: what each is, since when it waits, and why it is there
    List {
        /// Only these queues [default: all]
        #[arg(value_name = "QUEUE")]
        queues: Vec<DeadLetterQueue>,
    },
    /// Show all about one message, with its body, which may contain personal data of users
    Show {
        /// The queue: ingress, transfers, accounts or publisher
        #[arg(value_name = "QUEUE")]
        queue: DeadLetterQueue,
        /// The message's id, as `dlq list` shows it
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Send messages back to the queue that they came from; publish again what pointers are about
    Redrive {
        /// The queue: ingress, transfers, accounts or publisher
        #[arg(value_name = "QUEUE")]
        queue: DeadLetterQueue,
        /// The ids of the messages
        #[arg(value_name = "ID", required_unless_present = "all")]
        ids: Vec<String>,
        /// All messages of the queue
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { command, max, json, stack } = arguments;
    let target = Target::find(stack.as_deref()).await?;
    let began = now();
    let desk = Desk::of(&target, Limits { messages: max, time: RECEIVE_FOR }).await;
    if let Some(note) = desk.note() {
        eprintln!("· {note}");
    }
    match command {
        Command::List { queues } => {
            let queues = if queues.is_empty() { DeadLetterQueue::ALL.to_vec() } else { queues };
            let listings = desk.list(&queues, now()).await?;
            if json {
                println!("{:#}", json!({ "queues": listings }));
            } else {
                listings.iter().flat_map(listing_lines).for_each(|line| println!("{line}"));
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Show { queue, id } => {
            let Some(letter) = desk.show(queue, &id, now()).await? else {
                let hint = "if another command has just received it, try again in a minute";
                return Err(format!("the queue {queue} has no visible message {id}; {hint}").into());
            };
            if json {
                println!("{:#}", json!(letter));
            } else {
                letter_lines(queue, &letter).iter().for_each(|line| println!("{line}"));
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Redrive { queue, ids, all, dry_run } => {
            let selection =
                if all { Selection::All { before: began } } else { Selection::Ids(ids.into_iter().collect()) };
            let redriven = desk.redrive(queue, &selection, dry_run).await?;
            if json {
                println!("{:#}", json!({ "queue": queue, "dry_run": dry_run, "redriven": redriven }));
            } else {
                redriven_lines(queue, &redriven, dry_run).iter().for_each(|line| println!("{line}"));
            }
            Ok(if redriven.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
