//! What the function is invoked with: the schedule's event, or a request for the report of a day.

use fundhook_domain::Timestamp;
use fundhook_domain::port::{AccessTokens, ListTransactions, Report, RequestToken, Resources, SendMessages};
use serde::Serialize;
use serde_json::Value;

use crate::handler::tell;
use crate::{Books, NotReconciled, Reconciler, Summary};

/// The member of an event that asks for a report.
const REPORT_OF: &str = "report_of";

/// What the function is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A run.
    Run,
    /// To add up the day that begins at this instant, and to store nothing.
    Report(Timestamp),
}

/// An event that asks for what cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{REPORT_OF}` is {0}, expected a day in UTC such as \"2026-11-21\"")]
pub struct OddRequest(Value);

impl TryFrom<&Value> for Request {
    type Error = OddRequest;

    /// Any event without the member `report_of` is a run.
    fn try_from(event: &Value) -> Result<Self, Self::Error> {
        let Some(day) = event.get(REPORT_OF) else {
            return Ok(Self::Run);
        };
        let begins = day.as_str().and_then(|day| format!("{day}T00:00:00Z").parse().ok());
        begins.map(Self::Report).ok_or_else(|| OddRequest(day.clone()))
    }
}

/// What it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A run.
    Summary(Summary),
    /// A report for each organization.
    Reports {
        /// The reports.
        reports: Vec<Report>,
        /// Whether all of them could be made.
        complete: bool,
    },
}

impl<S, A, R, B, Q, C> Reconciler<S, A, R, B, Q, C>
where
    S: AccessTokens,
    A: RequestToken + ListTransactions,
    R: Resources,
    B: Books,
    Q: SendMessages,
    C: Fn() -> Timestamp,
{
    /// Does what is asked, and ends before `deadline`.
    pub async fn answer(&self, request: Request, deadline: Timestamp) -> Result<Answer, NotReconciled> {
        let day = match request {
            Request::Run => return self.handle(deadline).await.map(Answer::Summary),
            Request::Report(day) => day,
        };
        let (mut run, begun) = self.begin(deadline).await;
        begun?;
        let mut reports = Vec::new();
        for feed in run.feeds.clone().unwrap_or_default() {
            match self.report_day(&feed, day, &mut run).await {
                Ok(report) => reports.extend(report),
                Err(failed) => {
                    tell(&feed, &failed);
                    run.summary.complete = false;
                }
            }
        }
        Ok(Answer::Reports { reports, complete: run.summary.complete })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_schedules_event_is_a_run_and_a_day_is_a_report() {
        for run in [json!(null), json!({}), json!({ "version": "0", "detail-type": "Scheduled Event", "detail": {} })] {
            assert_eq!(Request::try_from(&run), Ok(Request::Run), "{run}");
        }
        let day = Request::try_from(&json!({ "report_of": "2026-11-21" }));
        assert_eq!(day, Ok(Request::Report("2026-11-21T00:00:00Z".parse().expect("RFC 3339"))));
        for odd in [json!("yesterday"), json!("2026-11-21T00:00:00Z"), json!(20_261_121), json!(null)] {
            let error = Request::try_from(&json!({ "report_of": odd })).expect_err("odd").to_string();
            assert!(error.contains("2026-11-21"), "{error}");
        }
    }
}
