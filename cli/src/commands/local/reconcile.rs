//! `reconcile` without `--stack`: runs the local stack's reconciler.

use std::process::ExitCode;

use fundhook::cases::decided_lines;
use fundhook_local_stack::reconciler;
use fundhook_local_stack::{LocalStack, Workspace};
use fundhook_reconciliation::{DayReports, Report};

use super::{Ending, progress};
use crate::commands::reconcile_request::{LocalRequest, ReportedList, ending, print};

pub(crate) async fn run(request: LocalRequest) -> Ending {
    let stack = LocalStack::running(&Workspace::find()?)?.deployment;
    if !matches!(request, LocalRequest::Decide(_)) {
        progress("The reconciler reads the sandbox provider's lists");
    }
    match request {
        LocalRequest::Decide(decision) => {
            print!("{}", decided_lines(&reconciler::decide(&stack, &decision).await?));
            Ok(ExitCode::SUCCESS)
        }
        LocalRequest::Accept(deposit) => {
            println!("{}", reconciler::accept(&stack, &deposit).await?);
            Ok(ExitCode::SUCCESS)
        }
        LocalRequest::Run => {
            println!("{}", reconciler::run(&stack).await?);
            Ok(ExitCode::SUCCESS)
        }
        LocalRequest::Report { day, output } => {
            let DayReports { reports, complete } = reconciler::report(&stack, &day.day()).await?;
            if !complete {
                return Err(format!(
                    "the report of {} is incomplete; the reconciler's log in target/fundhook/logs says why",
                    day.day()
                )
                .into());
            }
            if reports.is_empty() {
                return Err(
                    "no provider list to compare with: no API credentials are stored, or neither ConnectApiEnabled nor \
                     ZerohashApiEnabled is on"
                        .into(),
                );
            }
            let whole = |report: Report| ReportedList {
                list: report.list_id(),
                hours: None,
                not_reported: Vec::new(),
                report: Some(report),
            };
            let lists: Vec<ReportedList> = reports.into_iter().map(whole).collect();
            print(&lists, output)?;
            Ok(ending(lists.iter().all(ReportedList::is_well)))
        }
    }
}
