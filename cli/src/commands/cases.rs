//! `cases`: what needs a person's review, and what the person decides.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use fundhook::cases::{case_lines, decided_lines};
use fundhook::invocation::{self, Invocation};
use fundhook::show::timeline;
use fundhook::target::Target;
use fundhook_adapters::ResourceTable;
use fundhook_adapters::table::review_partition;
use fundhook_domain::{Kind, Resource, ResourceId};
use fundhook_ports::Resources as _;
use fundhook_reconciliation::DecidedCase;
use serde_json::{Value, json};

use super::reconcile_request::LocalRequest;
use super::show::ids_in_index;
use super::{Ending, local};

const AFTER_HELP: &str = "\
accept   The deposit is credited as it states. What it conflicts with is not.
reject   The deposit is not credited. If it is held because it may be another one, or if another one credits the same coin, \
that one counts. Otherwise the deposit is reversed: what was booked for it is undone.
resolve  The conflict among the resource's own statements is over, and the status that it shows stands. If it conflicts with other deposits, accept the right one instead.

A decision is archived like a webhook, with who and why, and becomes a fact and an event. It settles what is known now: \
what arrives later and contradicts it is a case again.

Examples:
  cargo fundhook cases list
  cargo fundhook cases show 'deposit#connect#cf59f58d-8aea-4cbb-9e0c-8ed327e381ab'
  cargo fundhook cases accept 'deposit#connect#cf59f58d-8aea-4cbb-9e0c-8ed327e381ab' --reason 'checked with zerohash'";

#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The name of a stack on AWS [default: the local stack]
    #[arg(long, value_name = "NAME", global = true)]
    stack: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// List what needs review: conflicts, and holds that need a person or a setting
    List,
    /// Show a case: what conflicts or is held, what it relates to, and its timeline
    Show {
        /// The resource's id. Quote it: # begins a comment
        resource: ResourceId,
    },
    /// Credit the deposit as it states; what it conflicts with is not credited
    Accept(Decision),
    /// Do not credit the deposit; undo what was booked for it
    Reject(Decision),
    /// End the conflict and leave the status that the resource shows
    Resolve(Decision),
}

#[derive(Args)]
struct Decision {
    /// The resource's id. Quote it: # begins a comment
    resource: ResourceId,
    /// Why. It is recorded, and it is in the event
    #[arg(long, value_name = "TEXT", value_parser = not_empty)]
    reason: String,
    /// Who decides [default: the user of this machine]
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    by: Option<String>,
}

/// What a person chooses, by its name in the request.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Choice {
    Accept,
    Reject,
    Resolve,
}

fn not_empty(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("it must not be empty".to_owned()) } else { Ok(text.to_owned()) }
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { command, stack } = arguments;
    let stack = stack.as_deref();
    match command {
        Command::List => list(stack).await,
        Command::Show { resource } => show(stack, resource).await,
        Command::Accept(decision) => decide(stack, decision, Choice::Accept).await,
        Command::Reject(decision) => decide(stack, decision, Choice::Reject).await,
        Command::Resolve(decision) => decide(stack, decision, Choice::Resolve).await,
    }
}

async fn list(stack: Option<&str>) -> Ending {
    let target = Target::find(stack).await?;
    let resources = ResourceTable::new(&target.aws, target.output("TableName")?.to_owned());
    let mut cases = 0;
    for kind in Kind::ALL {
        let ids = ids_in_index(&target, "open", "open", review_partition(kind)).await?;
        let found: Vec<Resource> = resources.read(&ids).await?;
        cases += found.len();
        found.iter().for_each(|resource| print!("{}", case_lines(resource)));
    }
    match cases {
        0 => println!("nothing needs review"),
        1 => println!("1 case needs review"),
        cases => println!("{cases} cases need review"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(stack: Option<&str>, id: ResourceId) -> Ending {
    let target = Target::find(stack).await?;
    let resources = ResourceTable::new(&target.aws, target.output("TableName")?.to_owned());
    let found = resources.read(std::slice::from_ref(&id)).await?;
    let Some(resource) = found.iter().find(|resource| resource.version() > 0) else {
        return Err(format!("nothing is recorded under {id}").into());
    };
    print!("{}\n{}", case_lines(resource), timeline(resource));
    Ok(ExitCode::SUCCESS)
}

async fn decide(stack: Option<&str>, decision: Decision, choice: Choice) -> Ending {
    let Decision { resource, reason, by } = decision;
    let by = by.or_else(user).ok_or("who decides is not known: pass --by NAME")?;
    let choice = choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let request = json!({ "decide": { "resource": resource, "choice": choice, "by": by, "reason": reason } });
    let Some(stack) = stack else {
        return local::reconcile(LocalRequest::Decide(request)).await;
    };
    let target = Target::find(Some(stack)).await?;
    let decided: DecidedCase = serde_json::from_value(invoke(&target, &request).await?)?;
    print!("{}", decided_lines(&decided));
    Ok(ExitCode::SUCCESS)
}

/// The answer of the deployed reconciler.
async fn invoke(target: &Target, request: &Value) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let function = target.output("ReconcilerFunctionName")?;
    let Invocation { payload, failed } = invocation::invoke(target, function, request.to_string().into_bytes()).await?;
    if failed {
        let why = payload["errorMessage"].as_str().unwrap_or("the reconciler gave no reason");
        return Err(why.to_owned().into());
    }
    Ok(payload)
}

fn user() -> Option<String> {
    ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(fundhook_runtime::variable).filter(|user| !user.is_empty())
}
