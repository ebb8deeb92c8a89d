//! A notice that a further statement is overdue is recorded once, and is ignored if the status of the resource has changed
//! meanwhile.

use std::time::Duration;

use aws_lambda_events::sqs::SqsBatchResponse;
use fundhook_domain::{FactId, NewFact, Resource, Statement, fold};
use fundhook_ports::fakes::Fate;
use state_updater::StateUpdater;

use crate::support::disturbed::{Disturbance, handled_until_acknowledged, no_pause, overtaken_by};
use crate::support::{Table, at, batch_of, deposit, failed, folded, statement};

const LIMIT: Duration = Duration::from_secs(3600);

/// The statements about the deposit whose next statement is overdue.
fn current_status() -> Vec<Statement> {
    vec![statement("a", "pending", 0), statement("a", "submitted", 10)]
}

/// The notice that `resource` has been in its status for too long.
fn notice_of(resource: &Resource) -> NewFact {
    NewFact::overdue(resource, LIMIT).expect("its status is not final")
}

fn notice() -> NewFact {
    notice_of(&folded(&current_status()))
}

fn table() -> Table {
    Table::holding([folded(&current_status())])
}

async fn handled(table: &Table, statements: &[impl Clone + Into<NewFact>]) -> SqsBatchResponse {
    StateUpdater::new(table.clone(), no_pause).handle(batch_of(statements), at(4000)).await
}

/// The types of the published events, without the common prefix.
fn published(table: &Table) -> Vec<String> {
    let contents = table.now();
    contents.published.iter().map(|event| event.event_type.replace("fundhook.deposit.", "")).collect()
}

#[tokio::test]
async fn a_notice_is_recorded_once_however_often_it_is_delivered() {
    let table = table();
    // Twice in one batch, and again in a later one.
    for batch in [vec![notice(), notice()], vec![notice()]] {
        assert!(failed(&handled(&table, &batch).await).is_empty());
        assert_eq!(published(&table), ["overdue"]);
    }
    let (resource, before) = (table.resource(&deposit("a")), folded(&current_status()));
    assert_eq!((resource.version(), resource.is_overdue()), (3, true));
    assert_eq!(resource.view(), before.view(), "a notice changes nothing in the view");
    let event = table.now().published.remove(0);
    assert_eq!((event.data.status, event.sequence, event.time), (Some("submitted"), 3, at(10).plus(LIMIT)));
    assert!(!event.data.reconciled, "it is not a statement of the provider");
    assert_eq!(table.writes().len(), 1);
}

#[tokio::test]
async fn a_notice_about_a_status_that_has_changed_is_finished_without_a_write() {
    for moved in [
        vec![statement("a", "held", 20)],
        vec![statement("a", "abandoned", 20)],
        vec![statement("a", "confirmed", 40)],
        vec![statement("a", "failed", 40)],
        vec![statement("a", "held", 20), statement("a", "confirmed", 40)],
    ] {
        let resource = folded(&[current_status(), moved].concat());
        let table = Table::holding([resource.clone()]);
        assert!(failed(&handled(&table, &[notice()]).await).is_empty());
        assert_eq!((table.resources(), table.writes().len()), (vec![resource], 0));
    }
    let empty = Table::default();
    assert!(failed(&handled(&empty, &[notice()]).await).is_empty());
    assert_eq!(
        (empty.resources(), empty.writes().len()),
        (vec![], 0),
        "a resource that was never recorded is not overdue"
    );
}

#[tokio::test]
async fn a_notice_is_recorded_if_the_statements_since_did_not_change_the_status() {
    // A late statement, and the same status again.
    for came in [statement("a", "pending", 5), statement("a", "submitted", 15)] {
        let table = Table::holding([folded(&[current_status(), vec![came]].concat())]);
        assert!(failed(&handled(&table, &[notice()]).await).is_empty());
        assert_eq!(published(&table), ["overdue"]);
    }
}

#[tokio::test]
async fn a_resource_may_become_overdue_once_in_each_status() {
    let table = table();
    let mut notices = vec![notice()];
    assert!(failed(&handled(&table, &notices).await).is_empty());
    assert!(failed(&handled(&table, &[statement("a", "held", 5000)]).await).is_empty());
    assert!(!table.resource(&deposit("a")).is_overdue());
    notices.push(notice_of(&table.resource(&deposit("a"))));
    for _ in 0..2 {
        assert!(failed(&handled(&table, &notices).await).is_empty());
    }
    assert_eq!(published(&table), ["overdue", "held", "overdue"]);
}

#[tokio::test]
async fn a_statement_in_the_same_batch_as_a_notice_is_recorded_as_if_it_were_alone() {
    let confirmed = NewFact::from(statement("a", "confirmed", 40));
    for (batch, expected) in [
        ([notice(), confirmed.clone()], &["overdue", "confirmed"][..]),
        // The notice comes too late and is ignored.
        ([confirmed.clone(), notice()], &["confirmed"]),
    ] {
        let table = table();
        assert!(failed(&handled(&table, &batch).await).is_empty());
        assert_eq!((published(&table), table.writes().len()), (expected.iter().map(ToString::to_string).collect(), 1));
        assert_eq!(
            table.resource(&deposit("a")).view(),
            fold(folded(&current_status()), confirmed.clone()).into_resource().view()
        );
        // In either order, repeating the whole batch changes nothing.
        let before = table.resources();
        assert!(failed(&handled(&table, &batch).await).is_empty());
        assert_eq!(table.resources(), before);
    }
}

#[tokio::test]
async fn a_notice_whose_write_lost_is_checked_against_the_new_status() {
    let (confirmed, late) = (statement("a", "confirmed", 40).into(), statement("a", "pending", 5).into());
    for (rival, expected) in
        [(&confirmed, &["confirmed"][..]), (&late, &["updated", "overdue"]), (&notice(), &["overdue"])]
    {
        for fate in [Fate::LosesTo(rival.clone()), Fate::LosesBlindlyTo(rival.clone())] {
            let table = table().with_fates(deposit("a"), [fate]);
            assert!(failed(&handled(&table, &[notice()]).await).is_empty());
            assert_eq!(published(&table), expected);
            let writes = if expected.len() == 1 { 1 } else { 2 };
            assert_eq!(table.writes(), vec![vec![deposit("a")]; writes], "{expected:?}");
        }
    }
}

/// How many notices are recorded for the deposit. Asserts that no fact is recorded twice.
fn notices_recorded(table: &Table) -> usize {
    let resource = table.resource(&deposit("a"));
    let mut ids: Vec<&FactId> = resource.facts().iter().map(|fact| fact.content.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), resource.facts().len(), "a fact is recorded twice");
    resource.facts().iter().filter(|fact| fact.statement().is_none()).count()
}

#[tokio::test]
async fn a_notice_is_published_once_or_not_at_all_if_it_came_too_late_wherever_an_updater_stops() {
    let confirmed = NewFact::from(statement("a", "confirmed", 40));
    let batch = [notice(), statement("b", "pending", 0).into()];
    let steps = handled_until_acknowledged(&table(), &batch, usize::MAX, Disturbance::Crash).await;
    assert_eq!(steps, ["before a read", "after a read", "before a write", "after an item", "after an item"]);
    // The notice's resource is written first.
    let is_written = |at_step: usize| at_step >= 3;

    for (by, moves) in [
        (Disturbance::Crash, false),
        (Disturbance::Error, false),
        (overtaken_by(vec![notice()]), false),
        (overtaken_by(vec![confirmed.clone()]), true),
        (overtaken_by(vec![confirmed, notice()]), true),
    ] {
        for (at_step, step) in steps.iter().enumerate() {
            let table = table();
            handled_until_acknowledged(&table, &batch, at_step, by.clone()).await;
            let expected = usize::from(!moves || is_written(at_step));
            assert_eq!(notices_recorded(&table), expected, "{by:?} {step}");
            let count = |table: &Table| published(table).iter().filter(|name| *name == "overdue").count();
            assert_eq!(count(&table), expected, "{by:?} {step}: it is published as often");
            assert_eq!(table.resource(&deposit("b")).version(), 1);

            // Once everything was acknowledged, all of it again.
            let before = table.resources();
            handled_until_acknowledged(&table, &batch, usize::MAX, Disturbance::Crash).await;
            assert_eq!((table.resources(), count(&table)), (before, expected), "{by:?} {step}: all of it again");
        }
    }
}
