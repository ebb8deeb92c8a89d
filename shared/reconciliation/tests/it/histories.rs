//! Statuses that a row's history tells and that nothing recorded reports.

use fundhook_domain::{Statement, Verdict, fold};
use fundhook_reconciliation::{Discrepancy, History, plan, untold};

use crate::deposits::{id, recorded, recorded_as, row, sent};
use crate::support::decided;

const CONNECTS: &str = "deposit#connect#1";
const ZEROHASHS: &str = "deposit#zerohash#1";

#[test]
fn a_status_that_was_left_again_and_that_no_webhook_reported_is_queued_unless_it_conflicts() {
    let newest = row(ZEROHASHS, "confirmed", 50);
    let (pending, submitted) = (row(ZEROHASHS, "pending", 20), row(ZEROHASHS, "submitted", 30));
    let failed = row(ZEROHASHS, "failed", 30);
    let conflicts = [pending.clone(), failed];
    let missed = |theirs: &Statement| {
        let (ours, theirs) = (id(ZEROHASHS), theirs.clone());
        vec![Discrepancy::StatusMissed { ours, theirs }]
    };
    let left = [pending.clone(), submitted.clone()];
    for (what, webhooks, left, expected) in [
        ("both", &["pending", "submitted", "confirmed"][..], &left[..], vec![]),
        ("the first", &["submitted", "confirmed"], &left, missed(&pending)),
        ("the second", &["pending", "confirmed"], &left, missed(&submitted)),
        // One row tells both.
        ("none of them", &["confirmed"], &left, missed(&pending)),
        ("nothing left", &["confirmed"], &[], vec![]),
        ("what one status contradicts", &["confirmed"], &conflicts, vec![]),
    ] {
        let resource = recorded(&webhooks.iter().map(|status| sent(ZEROHASHS, status, 40)).collect::<Vec<_>>());
        let history = History { newest: &newest, left };
        let found = untold(std::slice::from_ref(&resource), &[history, history], &[]);
        assert_eq!(found, expected, "webhooks told {what}");
        let queued = found.iter().find_map(Discrepancy::to_queue).map(|(_, fact)| fact.clone());
        let missing = expected.iter().find_map(Discrepancy::to_queue).map(|(_, fact)| fact.clone());
        assert_eq!(queued, missing, "webhooks told {what}");
        let queued = left.iter().filter(|_| !found.is_empty()).chain([&newest]);
        let after = queued.fold(resource, |resource, row| fold(resource, row.clone()).into_resource());
        assert_eq!(untold(&[after], &[history], &[]), [], "webhooks told {what}: it is queued once");
    }
}

#[test]
fn a_history_is_queued_once_under_its_own_id_unless_a_person_decided() {
    let (newest, left) = (row(ZEROHASHS, "held", 50), [row(ZEROHASHS, "pending", 20)]);
    let history = History { newest: &newest, left: &left };
    let behind = recorded_as(ZEROHASHS, "submitted");
    let found = plan(std::slice::from_ref(&behind), std::slice::from_ref(&newest));
    assert_eq!(found.iter().map(Discrepancy::name).collect::<Vec<_>>(), ["behind"]);
    assert_eq!(untold(std::slice::from_ref(&behind), &[history], &found), [], "the row is queued already");
    for ours in [vec![], vec![recorded_as(CONNECTS, "held")], vec![recorded_as("deposit#zerohash#2", "held")]] {
        assert_eq!(untold(&ours, &[history], &[]), []);
    }
    let rejected = decided(recorded_as(ZEROHASHS, "confirmed"), Verdict::Rejected);
    assert_eq!(untold(&[rejected], &[history], &[]), [], "a person decided");
    let ahead = recorded_as(ZEROHASHS, "confirmed");
    let (ours, theirs) = (id(ZEROHASHS), left[0].clone());
    assert_eq!(untold(&[ahead], &[history], &[]), [Discrepancy::StatusMissed { ours, theirs }]);
}
