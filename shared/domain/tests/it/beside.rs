//! What a statement means beside a final one: the whole table, and that its meaning does not depend on which of the two
//! arrived first.

use std::collections::BTreeSet;

use fundhook_domain::{Beside, HoldReason, Kind, Reported, Statement, Status, WebhookFamily, beside};

use crate::support::{at, events, statement, status, view, with};
use Beside::{Conflicting, Late, LateIfAmountsAgree, LateIfSentBefore, Reversed};
use Kind::{Deposit, Exchange, Fee, Unrecognized, Withdrawal};

const ANY: &str = "any family";
const OTHERS: &str = "any other family, or none";

/// A row of the table: a kind, its final statuses, the statuses or `held:<reason>` beside them, the family that reports
/// those, and the meaning.
type Row = (Kind, &'static str, &'static str, &'static str, Beside);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (Deposit, "confirmed failed unexpected", "pending submitted abandoned", ANY, Late),
    (Deposit, "confirmed failed unexpected", "held", ANY, LateIfSentBefore),
    (Deposit, "confirmed", "held:account_match_pending held:travel_rule", ANY, Late),
    (Deposit, "confirmed", "held:approval_pending held:settlement_pending", ANY, Late),
    (Deposit, "confirmed", "held:compliance_review", "zerohash.deposit", Late),
    (Deposit, "confirmed", "held:compliance_review", OTHERS, LateIfSentBefore),
    (Deposit, "confirmed", "held:status_unknown held:unknown_reason", ANY, LateIfSentBefore),
    (Deposit, "confirmed", "held:account_unknown held:amount_missing held:unit_unknown", ANY, LateIfAmountsAgree),
    (Deposit, "confirmed", "held:fees_unreadable held:fee_bearer_unknown held:corroborates", ANY, LateIfAmountsAgree),
    (Deposit, "confirmed", "held:amount_not_positive held:amounts_disagree", ANY, Conflicting),
    (Deposit, "confirmed", "held:not_converted held:account_match_failed held:quarantined", ANY, Conflicting),
    (Deposit, "confirmed", "confirmed", ANY, LateIfAmountsAgree),
    (Deposit, "confirmed", "failed unexpected", ANY, Conflicting),
    (Deposit, "failed unexpected", "held:account_match_pending held:travel_rule", ANY, Late),
    (Deposit, "failed unexpected", "held:approval_pending held:settlement_pending", ANY, Late),
    (Deposit, "failed unexpected", "held:compliance_review", ANY, Late),
    (Deposit, "failed unexpected", "held:status_unknown held:unknown_reason", ANY, LateIfSentBefore),
    (Deposit, "failed unexpected", "held:account_unknown held:amount_missing held:unit_unknown", ANY, Conflicting),
    (Deposit, "failed unexpected", "held:fees_unreadable held:fee_bearer_unknown held:corroborates", ANY, Conflicting),
    (Deposit, "confirmed failed unexpected", "held:may_be_credited", ANY, Late),
    (Deposit, "confirmed failed unexpected", "reversed", ANY, Reversed),
    (Deposit, "reversed", "confirmed failed unexpected", ANY, Reversed),
    (Deposit, "reversed", "pending submitted abandoned held reversed", ANY, Late),
    (Deposit, "reversed", "held:account_match_pending held:travel_rule held:approval_pending", ANY, Late),
    (Deposit, "reversed", "held:settlement_pending held:compliance_review held:status_unknown", ANY, Late),
    (Deposit, "reversed", "held:unknown_reason held:account_unknown held:amount_missing held:unit_unknown", ANY, Late),
    (Deposit, "reversed", "held:fees_unreadable held:fee_bearer_unknown held:amount_not_positive", ANY, Late),
    (Deposit, "reversed", "held:amounts_disagree held:corroborates held:may_be_credited", ANY, Late),
    (Deposit, "reversed", "held:not_converted held:account_match_failed held:quarantined", ANY, Late),
    (Deposit, "failed unexpected", "held:amount_not_positive held:amounts_disagree", ANY, Conflicting),
    (Deposit, "failed unexpected", "held:not_converted held:account_match_failed held:quarantined", ANY, Conflicting),
    (Deposit, "failed", "failed", ANY, Late),
    (Deposit, "failed", "confirmed unexpected", ANY, Conflicting),
    (Deposit, "unexpected", "unexpected", ANY, Late),
    (Deposit, "unexpected", "confirmed failed", ANY, Conflicting),

    (Withdrawal, "confirmed failed abandoned returned", "initiated submitted", ANY, Late),
    (Withdrawal, "confirmed failed returned", "broadcast", ANY, Late),
    (Withdrawal, "abandoned", "broadcast confirmed failed returned", ANY, Conflicting),
    (Withdrawal, "confirmed", "confirmed", ANY, LateIfAmountsAgree),
    (Withdrawal, "confirmed", "failed abandoned", ANY, Conflicting),
    (Withdrawal, "confirmed", "returned", ANY, Reversed),
    (Withdrawal, "failed", "failed", ANY, Late),
    (Withdrawal, "failed", "confirmed abandoned returned", ANY, Conflicting),
    (Withdrawal, "abandoned", "abandoned", ANY, Late),
    (Withdrawal, "returned", "returned", ANY, LateIfAmountsAgree),
    (Withdrawal, "returned", "confirmed", ANY, Reversed),
    (Withdrawal, "returned", "failed abandoned", ANY, Conflicting),

    (Fee, "charged", "charged", ANY, LateIfAmountsAgree),
    (Fee, "refunded", "refunded", ANY, LateIfAmountsAgree),
    (Fee, "charged", "refunded", ANY, Reversed),
    (Fee, "refunded", "charged", ANY, Reversed),

    (Exchange, "confirmed refunded", "pending", ANY, Late),
    (Exchange, "confirmed", "confirmed", ANY, LateIfAmountsAgree),
    (Exchange, "refunded", "refunded", ANY, LateIfAmountsAgree),
    (Exchange, "confirmed", "refunded", ANY, Conflicting),
    (Exchange, "refunded", "confirmed", ANY, Conflicting),

    (Unrecognized, "seen", "seen", ANY, Late),
];

/// One combination: a final status, what is reported beside it, and by which family.
type Pair = (Status, Reported, Option<WebhookFamily>);

/// `None` and every family.
fn families() -> impl Iterator<Item = Option<WebhookFamily>> + Clone {
    WebhookFamily::ALL.into_iter().map(Some).chain([None])
}

/// The families of a row whose family is `named`, for a `last` and an `other` as in the row.
fn families_of(row: &Row, last: &str, other: &str) -> Vec<Option<WebhookFamily>> {
    let (kind, _, _, named, _) = *row;
    match named {
        ANY => families().collect(),
        OTHERS => {
            let has_own_row = |family: &Option<WebhookFamily>| {
                let is_own = |row: &&Row| row.0 == kind && names(row.1, last) && names(row.2, other);
                TABLE.iter().filter(is_own).any(|row| family.is_some_and(|family| family.as_str() == row.3))
            };
            families().filter(|family| !has_own_row(family)).collect()
        }
        one => vec![Some(one.parse().expect("a family"))],
    }
}

fn names(cell: &str, name: &str) -> bool {
    cell.split(' ').any(|named| named == name)
}

/// `held:travel_rule` is the status `held` for the reason `travel_rule`.
fn reported(kind: Kind, name: &str) -> Reported {
    let (name, reason) = name.split_once(':').map_or((name, None), |(name, reason)| (name, Some(reason)));
    let named = |text: &str| HoldReason::ALL.into_iter().find(|reason| reason.as_str() == text).expect("a reason");
    Reported { status: status(kind, name), hold: reason.map(named) }
}

/// Every combination that the table names, in the order of its rows, with its meaning.
fn rows() -> Vec<(Pair, Beside)> {
    let mut expanded = Vec::new();
    for row in TABLE {
        let (kind, lasts, others, _, meaning) = *row;
        for (last, other) in lasts.split(' ').flat_map(|last| others.split(' ').map(move |other| (last, other))) {
            let (last_status, reported) = (status(kind, last), reported(kind, other));
            let pairs = families_of(row, last, other).into_iter().map(|family| (last_status, reported, family));
            expanded.extend(pairs.map(|pair| (pair, meaning)));
        }
    }
    expanded
}

#[test]
fn the_table_names_every_combination_once_and_beside_says_what_it_says() {
    let rows = rows();
    let holds = || HoldReason::ALL.into_iter().map(Some).chain([None]);
    let (mut compared, mut without_meaning) = (0, 0);
    for last in Status::ALL {
        for other in Status::ALL {
            let is_held = other == status(Deposit, "held");
            for (hold, family) in holds().flat_map(|hold| families().map(move |family| (hold, family))) {
                // Only a held deposit has a reason; any other status means the same whatever the reason.
                let pair = (last, Reported { status: other, hold: hold.filter(|_| is_held) }, family);
                let named: Vec<Beside> = rows.iter().filter(|row| row.0 == pair).map(|row| row.1).collect();
                let meaning = beside(last, Reported { status: other, hold }, family);
                let is_final_of_one_kind =
                    last.is_final() && last.kind() == other.kind() && last.kind() != Kind::Recovery;
                assert_eq!(named.len(), usize::from(is_final_of_one_kind), "rows about {pair:?}");
                assert_eq!(meaning, named.first().copied(), "{pair:?}");
                compared += 1;
                without_meaning += usize::from(meaning.is_none());
            }
        }
    }
    let (pairs, reasons_and_families) = (Status::ALL.len() * Status::ALL.len(), 20 * 9);
    assert_eq!(compared, pairs * reasons_and_families);
    // Four final statuses of eight of a deposit, four of seven of a withdrawal, two of two of a fee, and so on.
    let with_meaning = (4 * 8 + 4 * 7 + 2 * 2 + 2 * 3 + 1) * reasons_and_families;
    assert_eq!(compared - without_meaning, with_meaning);
}

#[test]
fn two_final_statuses_mean_the_same_whichever_is_called_the_last() {
    let reported = |status| Reported { status, hold: None };
    for one in Status::ALL.into_iter().filter(|status| status.is_final()) {
        for other in Status::ALL.into_iter().filter(|status| status.is_final()) {
            let meanings = [beside(one, reported(other), None), beside(other, reported(one), None)];
            assert_eq!(meanings[0], meanings[1], "{one:?} and {other:?}");
        }
    }
}

#[test]
fn each_meaning_has_a_name_in_the_documentation() {
    let meanings: BTreeSet<Beside> = TABLE.iter().map(|row| row.4).collect();
    let names: Vec<&str> = meanings.into_iter().map(Beside::as_str).collect();
    let expected = [
        "late",
        "reversed",
        "late if the amounts agree, else conflicting",
        "late if sent before, else conflicting",
        "conflicting",
    ];
    assert_eq!(names, expected);
}

/// The statement of `family` that `reported` happened at `seconds`.
fn statement_of(reported: Reported, family: Option<WebhookFamily>, seconds: u64) -> Statement {
    let statement = statement(reported.status, seconds);
    if reported.status == Status::Unrecognized {
        return statement;
    }
    with(statement, |details| {
        details.family = family;
        details.hold = reported.hold.map(Into::into);
    })
}

/// What the second of two statements publishes, by the rules: the outcome in the event's type, and whether it is late.
fn second_event(first: &Statement, second: &Statement, conflicts: bool) -> (String, bool) {
    let precedence = |statement: &Statement| {
        let status = statement.content.status.expect("a status");
        (status.is_final(), status.rank(), statement.content.occurred_at)
    };
    let supersedes = precedence(second) > precedence(first);
    let status = second.content.status.expect("a status");
    let outcome = match (conflicts, supersedes && first.content.status != Some(status)) {
        (true, _) => "conflicting",
        (false, true) => status.as_str(),
        (false, false) => "updated",
    };
    (format!("fundhook.{}.{outcome}", status.kind()), !conflicts && !supersedes)
}

#[test]
fn whichever_arrives_first_each_combination_has_one_view_and_publishes_what_the_table_says() {
    for ((last_status, reported, family), meaning) in rows() {
        let last = statement_of(Reported { status: last_status, hold: None }, family, 40);
        for seconds in [10, 50] {
            let other = statement_of(reported, family, seconds);
            let case = format!("{last_status:?} at 40, {reported:?} of {family:?} at {seconds}");
            let conflicts = match meaning {
                // Both state the same money.
                Late | Reversed | LateIfAmountsAgree => false,
                LateIfSentBefore => seconds == 50,
                Conflicting => true,
            };
            let views = [view([&last, &other]), view([&other, &last])];
            assert_eq!(views[0], views[1], "{case}");
            assert_eq!(views[0].conflict.is_some(), conflicts, "{case}");
            for [first, second] in [[&last, &other], [&other, &last]] {
                let events = events([first, second]);
                let published = (events[1].event_type.clone(), events[1].data.late);
                assert_eq!(published, second_event(first, second, conflicts), "{case}");
                assert_eq!(events[1].time, at(if std::ptr::eq(second, &last) { 40 } else { seconds }), "{case}");
            }
        }
    }
}
