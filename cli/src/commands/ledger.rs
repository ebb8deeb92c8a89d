//! `ledger`: what the recorded resources book.

use std::error::Error;
use std::process::ExitCode;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use clap::Args;
use fundhook::ledger::{Ledger, TrialBalance};
use fundhook::target::Target;
use fundhook_adapters::ResourceTable;
use fundhook_domain::{ResourceId, Timestamp};
use fundhook_ports::Resources as _;
use serde_json::json;

use super::Ending;

const AFTER_HELP: &str = "\
Reads the whole table and computes what each resource books: what its opening balance and the postings of its events add \
up to. Each organization (tenant) has books of its own. A debit balance is what the platform has, a credit balance what it \
owes.

Exit code: 0 when the trial balance is zero, 1 when it is not.

Examples:
  cargo fundhook ledger
  cargo fundhook ledger --account CUST01
  cargo fundhook ledger --account held:connect --json
  cargo fundhook ledger --opening --stack fundhook
  cargo fundhook ledger --at 2026-11-01T00:00:00Z --stack fundhook";

#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Only the balances of this customer, or of the ledger account with this name
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// What had been received by this time, such as 2026-11-01T00:00:00Z [default: everything]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Only the opening balance: what each resource booked before its first event, because a backfill recorded it and did
    /// not publish it. The postings of all events are added to it
    #[arg(long)]
    opening: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The name of a stack on AWS [default: the local stack]
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { account, at, opening, json, stack } = arguments;
    let target = Target::find(stack.as_deref()).await?;
    let whole = read(&target, at, opening).await?;
    let is_zero = whole.trial_balance().iter().all(TrialBalance::is_zero);
    let shown = account.as_deref().map_or_else(|| whole.clone(), |account| whole.only(account));
    match (json, account.is_some()) {
        (true, is_part) => {
            let mut ledger = shown.to_json();
            if is_part {
                // The accounts of one customer do not balance by themselves.
                ledger["trial_balance"] = json!(whole.trial_balance());
            }
            println!("{ledger:#}");
        }
        (false, true) => shown.balance_lines().iter().for_each(|line| println!("{line}")),
        (false, false) => shown.lines().iter().for_each(|line| println!("{line}")),
    }
    Ok(if is_zero { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How many resources are read in one call.
const READ_AT_ONCE: usize = 100;

/// The books of all resources in the table, as they were at a time; or only their opening balances.
async fn read(
    target: &Target,
    at: Option<Timestamp>,
    only_opening: bool,
) -> Result<Ledger, Box<dyn Error + Send + Sync>> {
    let table = target.output("TableName")?.to_owned();
    let client = aws_sdk_dynamodb::Client::new(target.aws.sdk_config());
    let scan =
        client.scan().table_name(&table).projection_expression("pk").filter_expression("attribute_exists(version)");
    let mut items = scan.into_paginator().items().send();
    let mut ids: Vec<ResourceId> = Vec::new();
    while let Some(item) = items.next().await {
        let item = item.map_err(|error| format!("cannot read the table {table}: {}", DisplayErrorContext(&error)))?;
        if let Some(AttributeValue::S(pk)) = item.get("pk") {
            ids.push(pk.parse()?);
        }
    }
    let resources = ResourceTable::new(&target.aws, table);
    let mut ledger = Ledger::default();
    for ids in ids.chunks(READ_AT_ONCE) {
        for resource in resources.read(ids).await? {
            let resource = at.map_or_else(|| resource.clone(), |at| resource.received_by(at));
            ledger.add(&if only_opening { resource.opening() } else { resource });
        }
    }
    Ok(ledger)
}
