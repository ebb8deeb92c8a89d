//! `reconcile`: the provider's list held against what is recorded, what a day came to, and a row that a person accepts.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use fundhook::report::{hours_without_report, is_balanced, report_lines, together};
use fundhook::target::Target;
use fundhook_adapters::ReconciliationTable;
use fundhook_domain::{Feed, Provider, ResourceId, Tenant, Timestamp};
use fundhook_local_stack::LocalStack;
use fundhook_local_stack::Workspace;
use fundhook_local_stack::reconciler;
use fundhook_ports::Reports as _;
use fundhook_reconciliation::{DayReports, Report};

use super::{Ending, progress};

const EXIT_CODE: &str = "\
Exit code:
  0  it was done; of a report: the day adds up
  1  it could not be done; of a report: an asset does not come to the same everywhere, a deposit differs, a listed row was
     not understood, or the stored reports of a day that ended more than 12 hours ago lack hours
  2  the command line is wrong";

#[derive(Args)]
#[command(after_help = EXIT_CODE)]
pub(crate) struct Arguments {
    /// Show what a day came to, asset by asset: what the provider lists, what is recorded, what was published
    #[arg(long)]
    report: bool,
    /// Of which day, in UTC; without it, of today on the local stack and of yesterday on a deployed one
    #[arg(long, value_name = "YYYY-MM-DD", requires = "report")]
    day: Option<String>,
    /// Show the report that a stack deployed to AWS has stored, by the stack's name; without it, ask the local stack
    #[arg(long, value_name = "NAME", requires = "report")]
    stack: Option<String>,
    /// Of which organization; without it, of the default one
    #[arg(long, value_name = "NAME", requires = "stack")]
    tenant: Option<Tenant>,
    /// Queue what the provider lists about this deposit, which was not queued because it may be credited already; look first
    /// that it is not (quote the id: # begins a comment)
    #[arg(long, value_name = "RESOURCE", conflicts_with_all = ["report", "stack"])]
    accept: Option<ResourceId>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let now = fundhook_runtime::now();
    if let Some(stack) = &arguments.stack {
        let yesterday = now.minus(Duration::from_secs(86_400));
        return stored(stack, arguments.tenant, day(arguments.day.as_deref(), yesterday)?, now).await;
    }
    let stack = LocalStack::running(&Workspace::find()?)?.deployment;
    let asked_of = day(arguments.day.as_deref(), now)?;
    progress("The reconciler asks the sandbox provider");
    if let Some(deposit) = &arguments.accept {
        println!("{}", reconciler::accept(&stack, deposit).await?);
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.report {
        println!("{}", reconciler::run(&stack).await?);
        return Ok(ExitCode::SUCCESS);
    }
    let DayReports { reports, complete } = reconciler::report(&stack, &asked_of.day()).await?;
    if !complete {
        return Err("the day could not be added up whole; the reconciler's log says why".into());
    }
    if reports.is_empty() {
        return Err(
            "there is no list to hold anything against: no credentials are stored, or ConnectApiEnabled is off".into(),
        );
    }
    reports.iter().for_each(show);
    Ok(ending(reports.iter().all(is_balanced)))
}

/// The first instant of the day called `named`, or of the day of `otherwise`.
fn day(named: Option<&str>, otherwise: Timestamp) -> Result<Timestamp, String> {
    let Some(named) = named else {
        return Ok(otherwise.day_start());
    };
    let begins = format!("{named}T00:00:00Z").parse();
    begins.map_err(|_| format!("{named:?} is no day such as 2026-11-21"))
}

/// Shows the report that a deployed stack has stored.
async fn stored(stack: &str, tenant: Option<Tenant>, day: Timestamp, now: Timestamp) -> Ending {
    let target = Target::find(Some(stack)).await?;
    let table = ReconciliationTable::new(&target.aws, target.output("TableName")?.to_owned());
    let feed = Feed::new(Provider::Connect, tenant);
    let hours = table.of_day(&feed, day).await?;
    let Some(report) = together(&hours) else {
        return Err(format!(
            "no report of {} about {feed} is stored: the reconciler makes one of each hour that has closed, been read to its end \
             and settled for an hour, and only where ConnectApiEnabled is on",
            day.day()
        )
        .into());
    };
    println!("{} of 24 hours are added up.", hours.len());
    let missing = hours_without_report(day, &hours, now);
    for (from, before) in &missing {
        println!("  ✗ not added up: from {from} to {before}");
    }
    show(&report);
    Ok(ending(missing.is_empty() && is_balanced(&report)))
}

fn show(report: &Report) {
    report_lines(report).iter().for_each(|line| println!("{line}"));
}

fn ending(is_well: bool) -> ExitCode {
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
