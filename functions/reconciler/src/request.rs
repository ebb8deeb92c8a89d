//! What the function is invoked with, and what it answers.

use fundhook_domain::{Kind, ListId, ResourceId, Timestamp, json_fault};
use fundhook_ports::chain;
use fundhook_reconciliation::{
    AcceptedRows, BackfillPart, BackfillRequest, DayReports, DecidedCase, RunSummary, lists_of,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{error, info};

use crate::budget::RunTime;
use crate::cases::{Choice, DecideCase};
use crate::error::log_failure;
use crate::{Ports, ReconcileError, Reconciler};

/// The members of an event that request a report and that accept a row.
const REPORT_OF: &str = "report_of";
const ACCEPT: &str = "accept";
/// The member of an event that requests a decision.
const DECIDE: &str = "decide";
/// The member of an event that requests a backfill.
const BACKFILL: &str = "backfill";

/// What the function is invoked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReconcileRequest {
    /// A scheduled run.
    Run,
    /// Total the day that begins at this instant, and store nothing.
    ReportDay(Timestamp),
    /// Queue what the provider lists about this deposit, even if it is ambiguous: an operator has reviewed it.
    AcceptDeposit(ResourceId),
    /// Record what an operator decided about a resource that needs review.
    Decide(DecideCase),
    /// Read a past period of the lists.
    Backfill(BackfillRequest),
}

/// An event that requests something impossible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// `report_of` is not a day.
    #[error("`{REPORT_OF}` is {0}, expected a day in UTC such as \"2026-11-21\"")]
    Day(Value),
    /// `accept` is not the id of a deposit.
    #[error(
        "`{ACCEPT}` is {0}, expected the id of a deposit such as \"deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f\""
    )]
    Deposit(Value),
    /// `decide` does not have the expected members.
    #[error(
        "`{DECIDE}` must have the members resource, choice (accept, reject or resolve), by and reason, all of them texts that are \
         not empty"
    )]
    Decision,
    /// `backfill` does not have the expected members.
    #[error("`{BACKFILL}` cannot be read: {0}")]
    Backfill(String),
    /// The period of a backfill ends before it begins.
    #[error("`{BACKFILL}` ends at {0}, which is not after its beginning")]
    Period(Timestamp),
}

impl TryFrom<&Value> for ReconcileRequest {
    type Error = InvalidRequest;

    /// Any event without the members `report_of`, `accept`, `decide` and `backfill` is a scheduled run.
    fn try_from(event: &Value) -> Result<Self, Self::Error> {
        if let Some(accepted) = event.get(ACCEPT) {
            let id = accepted.as_str().and_then(|id| id.parse::<ResourceId>().ok());
            let deposit = id.filter(|id| id.kind() == Kind::Deposit);
            return deposit.map(Self::AcceptDeposit).ok_or_else(|| InvalidRequest::Deposit(accepted.clone()));
        }
        if let Some(decision) = event.get(DECIDE) {
            return case_in(decision).map(Self::Decide).ok_or(InvalidRequest::Decision);
        }
        if let Some(backfill) = event.get(BACKFILL) {
            return backfill_in(backfill).map(Self::Backfill);
        }
        let Some(day) = event.get(REPORT_OF) else {
            return Ok(Self::Run);
        };
        let begins = day.as_str().and_then(|day| format!("{day}T00:00:00Z").parse().ok());
        begins.map(Self::ReportDay).ok_or_else(|| InvalidRequest::Day(day.clone()))
    }
}

fn backfill_in(backfill: &Value) -> Result<BackfillRequest, InvalidRequest> {
    let request =
        BackfillRequest::deserialize(backfill).map_err(|error| InvalidRequest::Backfill(json_fault(&error)))?;
    match request.to {
        Some(to) if to <= request.from => Err(InvalidRequest::Period(to)),
        Some(_) | None => Ok(request),
    }
}

fn case_in(decision: &Value) -> Option<DecideCase> {
    let text = |name: &str| decision.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let choice = match text("choice")? {
        "accept" => Choice::Accept,
        "reject" => Choice::Reject,
        "resolve" => Choice::Resolve,
        _ => return None,
    };
    let (by, reason) = (text("by")?.to_owned(), text("reason")?.to_owned());
    Some(DecideCase { resource: text("resource")?.parse().ok()?, choice, by, reason })
}

/// The answer to a [`ReconcileRequest`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ReconcileResponse {
    /// To a scheduled run.
    Run(RunSummary),
    /// To the request for a day's report.
    Reports(DayReports),
    /// To an accepted row.
    Accepted(AcceptedRows),
    /// To a decision.
    Decided(DecidedCase),
    /// To a backfill.
    Backfilled(BackfillPart),
}

impl<P: Ports> Reconciler<P> {
    /// Does what is requested, and stops before `deadline`.
    pub async fn answer(
        &self,
        request: ReconcileRequest,
        deadline: Timestamp,
    ) -> Result<ReconcileResponse, ReconcileError> {
        match request {
            ReconcileRequest::Run => self.handle(deadline).await.map(ReconcileResponse::Run),
            ReconcileRequest::ReportDay(day) => {
                let reports = self.report_of_each_list(day, deadline).await;
                let logged = reports.inspect_err(|failed| {
                    error!(error = chain(failed), "the report of {} could not be made", day.day());
                });
                logged.map(ReconcileResponse::Reports)
            }
            ReconcileRequest::AcceptDeposit(deposit) => {
                let accepted = self.accept(&deposit).await;
                let logged = accepted.inspect_err(|failed| {
                    error!(resource.id = %deposit, error = chain(failed), "{deposit} could not be accepted; nothing was queued");
                });
                logged.map(ReconcileResponse::Accepted)
            }
            ReconcileRequest::Decide(case) => {
                let id = case.resource.clone();
                let decided = self.decide(case).await;
                let logged = decided.inspect_err(|failed| {
                    error!(resource.id = %id, error = chain(failed), "nothing was decided about {id}");
                });
                logged.map(ReconcileResponse::Decided)
            }
            ReconcileRequest::Backfill(request) => {
                let part = self.backfill(&request, deadline).await;
                let logged = part.inspect_err(|failed| error!(error = chain(failed), "the backfill read nothing"));
                logged.map(ReconcileResponse::Backfilled)
            }
        }
    }

    async fn report_of_each_list(&self, day: Timestamp, deadline: Timestamp) -> Result<DayReports, ReconcileError> {
        let (mut run, begun) = self.begin().await;
        begun?;
        let lists: Vec<ListId> = run.lists.known().iter().filter(|list| list.kind().is_dated()).cloned().collect();
        let mut phase = run.phase(RunTime::new(self.now(), deadline).whole());
        let mut reports = Vec::new();
        for list in lists {
            match self.report_day(&list, day, &mut phase).await {
                Ok(report) => reports.push(report),
                // The phase has noted that the run is not complete.
                Err(ReconcileError::OutOfTime) => {}
                Err(failed) => {
                    log_failure(&list, &failed);
                    phase.run.summary.complete = false;
                }
            }
        }
        Ok(DayReports { reports, complete: run.summary.complete })
    }

    async fn accept(&self, deposit: &ResourceId) -> Result<AcceptedRows, ReconcileError> {
        let (mut run, begun) = self.begin().await;
        begun?;
        let may_list = lists_of(deposit, None);
        let candidates = may_list.iter().map(|kind| ListId::new(deposit.feed(), *kind));
        let candidates: Vec<ListId> = candidates.filter(|list| run.lists.known().contains(list)).collect();
        if candidates.is_empty() && !may_list.is_empty() {
            return Err(ReconcileError::NoCredentials(deposit.feed().clone()));
        }
        let now = self.now();
        for list in candidates {
            let rows = self.rows_about(&list, deposit, None, &mut run).await?;
            let envelopes = rows.iter().map(|row| row.envelope(deposit.feed(), now)).collect::<Result<Vec<_>, _>>()?;
            if !envelopes.is_empty() {
                self.queue(&list, envelopes, &mut run).await?;
                break;
            }
        }
        if run.summary.queued == 0 {
            return Err(ReconcileError::NotListed(deposit.clone()));
        }
        let queued = run.summary.queued;
        info!(resource.id = %deposit, queued, "{deposit} was accepted by an operator; {queued} of its listed rows queued");
        Ok(AcceptedRows { accepted: deposit.clone(), queued })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_schedules_event_is_a_run_and_a_day_is_a_report() {
        for run in [json!(null), json!({}), json!({ "version": "0", "detail-type": "Scheduled Event", "detail": {} })] {
            assert_eq!(ReconcileRequest::try_from(&run), Ok(ReconcileRequest::Run), "{run}");
        }
        let day = ReconcileRequest::try_from(&json!({ "report_of": "2026-11-21" }));
        assert_eq!(day, Ok(ReconcileRequest::ReportDay("2026-11-21T00:00:00Z".parse().expect("RFC 3339"))));
        for odd in [json!("yesterday"), json!("2026-11-21T00:00:00Z"), json!(20_261_121), json!(null)] {
            let error = ReconcileRequest::try_from(&json!({ "report_of": odd })).expect_err("odd").to_string();
            assert!(error.contains("2026-11-21"), "{error}");
        }
    }

    #[test]
    fn a_decision_names_the_resource_the_choice_who_and_why() {
        let id = "deposit#connect#1";
        let decision = json!({ "resource": id, "choice": "accept", "by": "alice", "reason": "checked" });
        let expected = DecideCase {
            resource: id.parse().expect("an id"),
            choice: Choice::Accept,
            by: "alice".to_owned(),
            reason: "checked".to_owned(),
        };
        let decided = ReconcileRequest::try_from(&json!({ "decide": decision }));
        assert_eq!(decided, Ok(ReconcileRequest::Decide(expected)));
        for (member, odd) in [
            ("resource", json!("1")),
            ("choice", json!("maybe")),
            ("by", json!(" ")),
            ("reason", json!("")),
            ("reason", json!(null)),
        ] {
            let mut decision = decision.clone();
            decision[member] = odd;
            let error = ReconcileRequest::try_from(&json!({ "decide": decision })).expect_err("odd").to_string();
            assert!(error.contains("resource, choice (accept, reject or resolve), by and reason"), "{error}");
        }
    }

    #[test]
    fn a_deposit_is_accepted_and_nothing_else() {
        let id = "deposit#connect/acme#c55481bf-626b-4410-8997-4cee83e1385f";
        let accepted = ReconcileRequest::try_from(&json!({ "accept": id }));
        assert_eq!(accepted, Ok(ReconcileRequest::AcceptDeposit(id.parse().expect("an id"))));
        for odd in [json!(null), json!("c55481bf"), json!("withdrawal#connect#c55481bf"), json!([id]), json!("")] {
            let error = ReconcileRequest::try_from(&json!({ "accept": odd })).expect_err("odd").to_string();
            assert!(error.contains("deposit#connect#"), "{error}");
        }
    }

    #[test]
    fn a_backfill_has_a_period_and_a_mode() {
        let request = |backfill: Value| ReconcileRequest::try_from(&json!({ "backfill": backfill }));
        let read = request(json!({ "from": "2025-10-01", "to": "2025-11-01", "mode": "record_only" }));
        assert!(matches!(read, Ok(ReconcileRequest::Backfill(_))), "{read:?}");
        for odd in [json!(null), json!({}), json!({ "from": "2025-10-01", "mode": "some" }), json!("2025-10-01")] {
            let error = request(odd.clone()).expect_err("odd");
            assert!(matches!(error, InvalidRequest::Backfill(_)), "{odd}: {error}");
        }
        let error = request(json!({ "from": "2025-10-02", "to": "2025-10-01", "mode": "publish" })).expect_err("odd");
        assert!(error.to_string().contains("2025-10-01T00:00:00Z"), "{error}");
    }
}
