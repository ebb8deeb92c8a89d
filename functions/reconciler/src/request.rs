//! What the function is invoked with: the schedule's event, a request for the report of a day, or a row that a person accepts.

use fundhook_domain::{Kind, Provider, ResourceId, Timestamp};
use fundhook_reconciliation::Report;
use serde::Serialize;
use serde_json::Value;
use tracing::info;

use crate::handler::tell;
use crate::{NotReconciled, Ports, Reconciler, Summary};

/// The member of an event that asks for a report, and that which has a row accepted.
const REPORT_OF: &str = "report_of";
const ACCEPT: &str = "accept";

/// What the function is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A run.
    Run,
    /// To add up the day that begins at this instant, and to store nothing.
    Report(Timestamp),
    /// To queue what the provider lists of this deposit, whatever there is to doubt about it: a person has looked.
    Accept(ResourceId),
}

/// An event that asks for what cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OddRequest {
    /// No day.
    #[error("`{REPORT_OF}` is {0}, expected a day in UTC such as \"2026-11-21\"")]
    Day(Value),
    /// No deposit.
    #[error(
        "`{ACCEPT}` is {0}, expected the id of a deposit such as \"deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f\""
    )]
    Deposit(Value),
}

impl TryFrom<&Value> for Request {
    type Error = OddRequest;

    /// Any event without the members `report_of` and `accept` is a run.
    fn try_from(event: &Value) -> Result<Self, Self::Error> {
        if let Some(accepted) = event.get(ACCEPT) {
            let id = accepted.as_str().and_then(|id| id.parse::<ResourceId>().ok());
            let deposit = id.filter(|id| id.kind() == Kind::Deposit);
            return deposit.map(Self::Accept).ok_or_else(|| OddRequest::Deposit(accepted.clone()));
        }
        let Some(day) = event.get(REPORT_OF) else {
            return Ok(Self::Run);
        };
        let begins = day.as_str().and_then(|day| format!("{day}T00:00:00Z").parse().ok());
        begins.map(Self::Report).ok_or_else(|| OddRequest::Day(day.clone()))
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
    /// A row that was accepted.
    Accepted {
        /// The deposit that it is about.
        accepted: ResourceId,
        /// How many rows went on the ingress queue.
        queued: u64,
    },
}

impl<P: Ports> Reconciler<P> {
    /// Does what is asked, and ends before `deadline`.
    pub async fn answer(&self, request: Request, deadline: Timestamp) -> Result<Answer, NotReconciled> {
        let day = match request {
            Request::Run => return self.handle(deadline).await.map(Answer::Summary),
            Request::Accept(deposit) => return self.accept(deposit, deadline).await,
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

    async fn accept(&self, accepted: ResourceId, deadline: Timestamp) -> Result<Answer, NotReconciled> {
        let (mut run, begun) = self.begin(deadline).await;
        begun?;
        let asked = accepted.feed().of(Provider::Connect);
        if !run.feeds.as_ref().is_some_and(|feeds| feeds.contains(&asked)) {
            return Err(NotReconciled::NotRead(asked));
        }
        let may_be_listed = match accepted.feed().provider() {
            Provider::Connect | Provider::Zerohash => true,
            Provider::Striga => false,
        };
        let rows = if may_be_listed { self.rows_about(&asked, &accepted, &mut run).await? } else { Vec::new() };
        if rows.is_empty() {
            return Err(NotReconciled::NotOnTheList(accepted));
        }
        let now = (self.clock)();
        let envelopes = rows.iter().map(|row| row.envelope(accepted.feed(), now)).collect::<Result<_, _>>()?;
        self.queue(&asked, envelopes, &mut run).await?;
        info!(resource.id = %accepted, rows = run.summary.queued, "a row of the list was accepted");
        Ok(Answer::Accepted { accepted, queued: run.summary.queued })
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

    #[test]
    fn a_deposit_is_accepted_and_nothing_else() {
        let id = "deposit#connect/acme#c55481bf-626b-4410-8997-4cee83e1385f";
        let accepted = Request::try_from(&json!({ "accept": id }));
        assert_eq!(accepted, Ok(Request::Accept(id.parse().expect("an id"))));
        for odd in [json!(null), json!("c55481bf"), json!("withdrawal#connect#c55481bf"), json!([id]), json!("")] {
            let error = Request::try_from(&json!({ "accept": odd })).expect_err("odd").to_string();
            assert!(error.contains("deposit#connect#"), "{error}");
        }
    }
}
