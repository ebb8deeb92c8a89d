//! `reconcile`: the provider's list held against what is recorded, and what a day came to.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use fundhook::show::report_lines;
use fundhook::stack::{Function, Workspace};
use fundhook::target::{LocalStack, Target};
use fundhook_adapters::ReconciliationTable;
use fundhook_domain::port::{Report, Reports as _};
use fundhook_domain::{Feed, Provider, Tenant, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Ending, progress};

#[derive(Args)]
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
}

/// What the function answers when it is asked for a report.
#[derive(Deserialize)]
struct Reported {
    reports: Vec<Report>,
    complete: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let now = fundhook_runtime::now();
    if let Some(stack) = &arguments.stack {
        let yesterday = now.minus(Duration::from_secs(86_400));
        return stored(stack, arguments.tenant, day(arguments.day.as_deref(), yesterday)?).await;
    }
    let stack = LocalStack::running(&Workspace::find()?)?;
    let event =
        if arguments.report { json!({ "report_of": day(arguments.day.as_deref(), now)?.day() }) } else { json!({}) };
    progress("The reconciler asks the sandbox provider");
    let invoked = stack.deployment.invoke(Function::Reconciler, &event).await?;
    if invoked.failed {
        let why = invoked.payload["errorMessage"].as_str().unwrap_or("it does not say why").to_owned();
        return Err(format!("the reconciler failed: {why}").into());
    }
    if !arguments.report {
        println!("{}", summary(&invoked.payload));
        return Ok(ExitCode::SUCCESS);
    }
    let Reported { reports, complete } = serde_json::from_value(invoked.payload)?;
    if !complete {
        return Err("the day could not be added up whole; the reconciler's log says why".into());
    }
    Ok(show(&reports))
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
async fn stored(stack: &str, tenant: Option<Tenant>, day: Timestamp) -> Ending {
    let target = Target::find(Some(stack)).await?;
    let table = ReconciliationTable::new(&target.aws, target.output("TableName")?.to_owned());
    let feed = Feed::new(Provider::Connect, tenant);
    let hours = table.of_day(&feed, day).await?;
    match together(&hours) {
        Some(report) => {
            println!("{} of 24 hours are added up.", hours.len());
            Ok(show(&[report]))
        }
        None => Err(format!(
            "no report of {} about {feed} is stored: the reconciler makes one of each hour that has closed, been read to its end \
             and settled for an hour, and only where ConnectApiEnabled is on",
            day.day()
        )
        .into()),
    }
}

/// The reports of some hours as one.
fn together(hours: &[Report]) -> Option<Report> {
    let (first, rest) = hours.split_first()?;
    let mut whole = first.clone();
    for hour in rest {
        for line in &hour.lines {
            match whole.lines.iter_mut().find(|known| known.asset == line.asset) {
                Some(known) => known.add(line),
                None => whole.lines.push(line.clone()),
            }
        }
        whole.discrepancies.extend(hour.discrepancies.iter().cloned());
        whole.before = hour.before;
        whole.made_at = hour.made_at;
    }
    whole.lines.sort_by(|one, other| one.asset.cmp(&other.asset));
    Some(whole)
}

/// Shows the reports; a failure when something does not add up.
fn show(reports: &[Report]) -> ExitCode {
    if reports.is_empty() {
        println!("There is no list to hold anything against: no credentials are stored, or ConnectApiEnabled is off.");
    }
    for report in reports {
        report_lines(report).iter().for_each(|line| println!("{line}"));
    }
    let adds_up = |report: &Report| report.lines.iter().all(fundhook_domain::ConservationLine::holds);
    if reports.iter().all(adds_up) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn summary(summary: &Value) -> String {
    let number = |name: &str| summary[name].as_u64().unwrap_or_default();
    let mut text = format!(
        "Read {} rows on {} pages: {} missed statements queued, {} differing. Reported overdue: {}. Hours added up: {}.",
        number("rows"),
        number("pages"),
        number("queued"),
        number("differing"),
        number("overdue"),
        number("hours"),
    );
    if summary["complete"] != json!(true) {
        text.push_str(" The run ended because its time did; the next one goes on where it ended.");
    }
    text
}
