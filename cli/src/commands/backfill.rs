//! `backfill`: what the providers list of a past period, recorded.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use fundhook::backfill::{StackReconciler, backfill, backfilled_lines, continued_with};
use fundhook::target::Target;
use fundhook_domain::{ListKind, Tenant, Timestamp};
use fundhook_reconciliation::{
    BackfillMode, BackfillPart, BackfillPosition, BackfillRequest, BackfilledList, parse_day_or_time,
};
use fundhook_runtime::now;
use serde_json::json;

use super::Ending;

const AFTER_HELP: &str = "\
The reconciler reads the lists of the providers whose API is enabled, day by day, and queues what is missing or behind, as its \
regular runs do. What may be credited already under another id is never queued; it is named. A backfill can be repeated and \
interrupted at any time: what is recorded already changes nothing.

With --record-only, what is recorded publishes no event: it is the opening balance of a platform that has booked it already. \
Run it before the providers' webhooks go to Fundhook. Without, the events are published, with `backfilled: true`.

Rows of the last minutes are left to their webhooks.

Exit code: 0 when all was read and understood and nothing needs review, 1 otherwise.

Examples:
  cargo fundhook backfill --from 2026-08-01 --dry-run
  cargo fundhook backfill --from 2026-08-01 --record-only --stack fundhook
  cargo fundhook backfill --from 2026-11-20 --to 2026-11-22 --list deposits --stack fundhook";

#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The first day, or the first instant, in UTC
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Timestamp,
    /// The first day or instant that is not read [default: read everything up to now]
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<Timestamp>,
    /// Say what is missing, and record nothing
    #[arg(long, conflicts_with = "record_only")]
    dry_run: bool,
    /// Record, and publish no event about what subscribers do not know
    #[arg(long)]
    record_only: bool,
    /// Only this list: transactions, fund_transactions, deposits, payments, bank_payments, participants, external_accounts
    /// or accounts. May be repeated
    #[arg(long = "list", value_name = "LIST")]
    lists: Vec<ListKind>,
    /// Only this organization [default: all]
    #[arg(long, value_name = "NAME")]
    tenant: Option<Tenant>,
    /// Where an interrupted backfill is to continue, as it said
    #[arg(long = "continue", value_name = "POSITION", value_parser = position)]
    position: Option<BackfillPosition>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The name of a stack on AWS [default: the local stack]
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
}

fn date(text: &str) -> Result<Timestamp, String> {
    parse_day_or_time(text).ok_or_else(|| "expected a day such as 2026-08-01, or a time".to_owned())
}

fn position(text: &str) -> Result<BackfillPosition, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("expected the position that an interrupted backfill printed: {error}"))
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { from, to, dry_run, record_only, lists, tenant, position, json, stack } = arguments;
    let mode = match (dry_run, record_only) {
        (true, _) => BackfillMode::DryRun,
        (false, true) => BackfillMode::RecordOnly,
        (false, false) => BackfillMode::Publish,
    };
    if from >= to.map_or_else(now, |to| to.min(now())) {
        return Err(
            format!("nothing can be read from {from} on: --from must be earlier than --to, and than now").into()
        );
    }
    let target = Target::find(stack.as_deref()).await?;
    let reconciler = StackReconciler { target: &target, function: target.output("ReconcilerFunctionName")? };
    let request = BackfillRequest { from, to, mode, lists, tenant, after: position };
    let (found, ended) = backfill(request, &reconciler, show_progress).await;
    if let Some(found) = &found {
        if json {
            println!("{:#}", json!(found));
        } else {
            backfilled_lines(found).iter().for_each(|line| println!("{line}"));
        }
    }
    ended.map_err(|error| with_hint(error.into(), found.as_ref()))?;
    let is_well = found.is_none_or(|found| found.is_well());
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was read so far, and how to continue after an interruption.
fn show_progress(found: &BackfillPart) {
    let sum = |count: fn(&BackfilledList) -> u64| found.lists.iter().map(count).sum::<u64>();
    let (rows, queued) = (sum(|list| list.rows), sum(BackfilledList::queued_in_all));
    if let Some(next) = &found.next {
        eprintln!("· {rows} rows read, {queued} missing or behind; {} from {} is next", next.list_id(), next.window);
        eprintln!("  after an interruption: the same command with --to {} {}", found.to, continued_with(next));
    }
}

fn with_hint(failed: Box<dyn Error + Send + Sync>, found: Option<&BackfillPart>) -> Box<dyn Error + Send + Sync> {
    match found.and_then(|found| Some((found, found.next.as_ref()?))) {
        Some((found, next)) => {
            let how = continued_with(next);
            format!("{failed}\nTo continue, run the same command with --to {} {how}", found.to).into()
        }
        None => failed,
    }
}
