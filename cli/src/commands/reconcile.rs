//! `reconcile`: compare the providers' lists with what is recorded, report a day's totals, accept an ambiguous row.

use std::time::Duration;

use clap::Args;
use fundhook::report::{hours_without_report, together};
use fundhook::target::Target;
use fundhook_adapters::ReconciliationTable;
use fundhook_domain::{Feed, ListId, ListKind, Provider, ResourceId, Tenant, Timestamp};
use fundhook_ports::{Reports as _, Watermarks as _};

use super::reconcile_request::{LocalRequest, Output, ReportedList, ending, print};
use super::{Ending, local};

const EXIT_CODE: &str = "\
Exit code:
  0  success; with --report: the totals agree and nothing needs review
  1  failure; with --report: the totals of an asset differ, a deposit differs, a listed row was not understood, or a
     stored report lacks hours of a day that ended more than 12 hours ago
  2  invalid command line";

#[derive(Args)]
#[command(after_help = EXIT_CODE)]
pub(crate) struct Arguments {
    /// Show a day's totals per asset: listed by the provider, recorded, published
    #[arg(long)]
    report: bool,
    /// The day of the report, in UTC [default: today on the local stack, yesterday with --stack]
    #[arg(long, value_name = "YYYY-MM-DD", requires = "report")]
    day: Option<String>,
    /// Show the stored report of the stack with this name on AWS, instead of running the local stack's reconciler
    #[arg(long, value_name = "NAME", requires = "report")]
    stack: Option<String>,
    /// Print JSON: an array with an object for each list of a provider
    #[arg(long, requires = "report")]
    json: bool,
    /// The organization [default: the default organization]
    #[arg(long, value_name = "NAME", requires = "stack")]
    tenant: Option<Tenant>,
    /// Queue the provider's row of this deposit, which was held back because the deposit may be credited already. Check
    /// first that it is not. Quote the id: # begins a comment
    #[arg(long, value_name = "RESOURCE", conflicts_with_all = ["report", "stack"])]
    accept: Option<ResourceId>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let now = fundhook_runtime::now();
    let day = |default: Timestamp| parse_day(arguments.day.as_deref(), default);
    if let Some(stack) = &arguments.stack {
        let yesterday = now.minus(Duration::from_secs(86_400));
        let output = Output::of(arguments.json);
        return show_stored(stack, arguments.tenant, day(yesterday)?, now, output).await;
    }
    let request = match arguments.accept {
        Some(deposit) => LocalRequest::Accept(deposit),
        None if arguments.report => LocalRequest::Report { day: day(now)?, output: Output::of(arguments.json) },
        None => LocalRequest::Run,
    };
    local::reconcile(request).await
}

/// The beginning of the day `text`, or of the day of `default`.
fn parse_day(text: Option<&str>, default: Timestamp) -> Result<Timestamp, String> {
    let Some(text) = text else {
        return Ok(default.day_start());
    };
    format!("{text}T00:00:00Z").parse().map_err(|_| format!("{text:?} is not a date such as 2026-11-21"))
}

/// Shows the reports that a stack on AWS has stored: one for each list that was read.
async fn show_stored(stack: &str, tenant: Option<Tenant>, day: Timestamp, now: Timestamp, output: Output) -> Ending {
    let target = Target::find(Some(stack)).await?;
    let table = ReconciliationTable::new(&target.aws, target.output("TableName")?.to_owned());
    let feed = Feed::new(Provider::Connect, tenant);
    let mut lists = Vec::new();
    for kind in ListKind::ALL.into_iter().filter(|kind| kind.is_dated()) {
        let list = ListId::new(&feed, kind);
        let hours = table.of_day(&list, day).await?;
        let report = together(&hours);
        // A list without any report counts if it is read at all.
        if report.is_some() || table.load(&list).await?.is_some() {
            let not_reported = hours_without_report(day, &hours, now);
            lists.push(ReportedList { hours: Some(hours.len()), not_reported, report, list });
        }
    }
    if lists.iter().all(|list| list.report.is_none()) {
        let whose =
            feed.tenant().map_or("the default organization".to_owned(), |tenant| format!("the tenant {tenant}"));
        return Err(format!(
            "no report is stored for {whose} on {}. The reconciler stores a report of an hour about two hours after the \
             hour ended, and only of the lists of a provider whose API is enabled (ConnectApiEnabled, ZerohashApiEnabled)",
            day.day()
        )
        .into());
    }
    print(&lists, output)?;
    Ok(ending(lists.iter().all(ReportedList::is_well)))
}
