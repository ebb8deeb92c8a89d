//! The balances that a deposit or a withdrawal moved, in the index of open resources, and how far they were checked.

use fundhook_adapters::{ReconciliationTable, WriteMethod};
use fundhook_domain::{BalanceDetails, Details, Kind, Provider, ResourceId, Statement};
use fundhook_ports::{Advance, MovementsMarks, OpenQuery, OpenResources, WriteOutcome};
use fundhook_reconciliation::{BegunCheck, MovementsMark};
use serde_json::json;

use crate::support::{TABLE, at, first_write, id_of, only, statement, table, write, write_one};

/// A balance webhook at this time, whose only movement has this member.
fn moved(balance: &ResourceId, seconds: i64, member: &str) -> Statement {
    let mut moved = statement(balance, "changed", seconds, &format!("{member} {seconds}"));
    let mut details = BalanceDetails::default();
    details.provider_data.insert("movements".to_owned(), json!([{ "movement_id": "m", member: "a" }]));
    moved.content.details = Details::Balance(Box::new(details));
    moved
}

#[tokio::test]
async fn a_balance_is_in_the_index_by_when_a_deposit_or_a_withdrawal_last_moved_it() {
    let (local, resources) = table(WriteMethod::default()).await;
    let store = ReconciliationTable::new(&local.aws, TABLE.to_owned());
    let open = async || {
        let query =
            OpenQuery { kind: Kind::Balance, overdue: false, from: None, before: at(9999), after: None, limit: 100 };
        let page = store.open(query).await.expect("the index answers");
        page.entries.into_iter().map(|entry| entry.cursor).collect::<Vec<_>>()
    };
    let entry = |balance: &ResourceId, seconds: i64| format!("{} {balance}", at(seconds).sortable());
    let balances = ["a", "b", "c"].map(|native| id_of(Kind::Balance, Provider::Zerohash, native));

    let mut first = None;
    for (balance, seconds, member) in [
        (&balances[0], 20, "deposit_reference_id"),
        (&balances[1], 10, "withdrawal_request_id"),
        (&balances[2], 5, "trade_id"),
    ] {
        let write = first_write(moved(balance, seconds, member));
        first = first.or_else(|| Some(only(&write).clone()));
        assert!(matches!(write_one(&resources, write).await, WriteOutcome::Written));
    }
    assert_eq!(open().await, [entry(&balances[1], 10), entry(&balances[0], 20)], "a trade is not compared");

    let first = first.expect("three were written");
    let traded = write(&first, moved(&balances[0], 30, "trade_id"));
    let again = only(&traded).clone();
    assert!(matches!(write_one(&resources, traded).await, WriteOutcome::Written));
    assert_eq!(open().await, [entry(&balances[1], 10), entry(&balances[0], 20)], "it stays where it is");
    let paid = write(&again, moved(&balances[0], 40, "withdrawal_request_id"));
    assert!(matches!(write_one(&resources, paid).await, WriteOutcome::Written));
    assert_eq!(open().await, [entry(&balances[1], 10), entry(&balances[0], 40)]);
}

#[tokio::test]
async fn how_far_movements_were_checked_is_read_as_it_was_last_stored() {
    let (local, _) = table(WriteMethod::default()).await;
    let store = ReconciliationTable::new(&local.aws, TABLE.to_owned());
    assert_eq!(store.movements_mark().await.expect("an answer"), None);
    let mark = |revision| MovementsMark { revision, ..MovementsMark::initial(at(0)) };
    let begun = Some(BegunCheck { until: at(900), after: Some("a cursor".to_owned()) });
    let advance = async |to: &MovementsMark| store.advance_movements_mark(to).await.expect("an answer");
    for to in [mark(1), MovementsMark { begun, reported: vec!["m".to_owned()], ..mark(2) }, mark(3)] {
        assert_eq!(advance(&to).await, Advance::Stored);
        assert_eq!(store.movements_mark().await.expect("an answer"), Some(to));
    }
    for lost in [mark(1), mark(3), mark(5)] {
        assert_eq!(advance(&lost).await, Advance::Lost);
    }
}
