//! What a movement of a balance names, and when that is recorded and booked.

use std::time::Duration;

use fundhook_domain::{Claim, ClaimKey, DepositStatus, Details, Resource, Status, Timestamp};
use fundhook_reconciliation::{
    BegunCheck, Discrepancy, Movement, MovementsMark, RecordedCauses, Unrecorded, claims_of_cause, ids_of_cause,
};

use crate::deposits::{id, recorded_as};

const DEPOSIT: &str = "deposit#zerohash#1";

fn at(minute: u64) -> Timestamp {
    let begins: Timestamp = "2025-10-07T00:00:00Z".parse().expect("RFC 3339");
    begins.plus(Duration::from_secs(minute * 60))
}

fn by(cause: &str) -> Movement {
    Movement {
        id: "m-1".to_owned(),
        cause: id(cause),
        change: Some("100.5".parse().expect("a number")),
        asset: Some("USDC".to_owned()),
        account: Some("CUST01".to_owned()),
        moved_at: at(0),
    }
}

fn lacks(movement: &Movement, recorded: &[Resource]) -> Option<Unrecorded> {
    RecordedCauses::of(recorded, &[]).lacks(movement)
}

#[test]
fn a_deposit_is_booked_once_its_money_is_in_and_a_withdrawal_moves_at_each_step() {
    for (cause, status, expected) in [
        (DEPOSIT, "pending", Some(Unrecorded::NotBooked(Status::Deposit(DepositStatus::Pending)))),
        (DEPOSIT, "submitted", Some(Unrecorded::NotBooked(Status::Deposit(DepositStatus::Submitted)))),
        (DEPOSIT, "abandoned", Some(Unrecorded::NotBooked(Status::Deposit(DepositStatus::Abandoned)))),
        (DEPOSIT, "failed", Some(Unrecorded::NotBooked(Status::Deposit(DepositStatus::Failed)))),
        (DEPOSIT, "held", None),
        (DEPOSIT, "confirmed", None),
        (DEPOSIT, "unexpected", None),
        ("withdrawal#zerohash#1", "initiated", None),
        ("withdrawal#zerohash#1", "broadcast", None),
        ("withdrawal#zerohash#1", "failed", None),
    ] {
        assert_eq!(lacks(&by(cause), &[recorded_as(cause, status)]), expected, "{cause} {status}");
    }
}

#[test]
fn what_is_not_recorded_lacks_whatever_else_is_recorded() {
    let others = ["deposit#zerohash#2", "deposit#zerohash/acme#1", "withdrawal#zerohash#1"];
    let recorded: Vec<Resource> = others.iter().map(|of| recorded_as(of, "confirmed")).collect();
    assert_eq!(lacks(&by(DEPOSIT), &recorded), Some(Unrecorded::NotRecorded));
    assert_eq!(lacks(&by(DEPOSIT), &[Resource::unknown(id(DEPOSIT))]), Some(Unrecorded::NotRecorded));
    assert_eq!(lacks(&by(DEPOSIT), &[]), Some(Unrecorded::NotRecorded));
}

#[test]
fn a_deposit_is_found_in_the_organizations_other_feed_and_by_its_transaction() {
    let names: Vec<String> = ids_of_cause(&by(DEPOSIT)).map(|id| id.to_string()).collect();
    assert_eq!(names, [DEPOSIT, "deposit#connect#1"]);
    assert_eq!(ids_of_cause(&by("withdrawal#zerohash#1")).count(), 1);
    assert_eq!(lacks(&by(DEPOSIT), &[recorded_as("deposit#connect#1", "confirmed")]), None);

    let other = recorded_as("deposit#zerohash#other", "confirmed");
    let Some(Details::Transfer(transfer)) = other.view().map(|view| view.details.clone()) else {
        unreachable!("it is a deposit");
    };
    let hash = transfer.transaction.hash.expect("it names its transaction");
    for named in [hash.clone(), format!("  {hash}").trim().to_owned()] {
        let movement = by(&format!("deposit#zerohash#{named}"));
        assert!(!claims_of_cause(&movement).is_empty());
        assert_eq!(lacks(&movement, std::slice::from_ref(&other)), None, "{named}");
        let of_tenant = by(&format!("deposit#zerohash/acme#{named}"));
        assert_eq!(lacks(&of_tenant, std::slice::from_ref(&other)), Some(Unrecorded::NotRecorded));
    }
    // A claim without entries says nothing.
    let unclaimed = Claim::unclaimed(ClaimKey::new(id(DEPOSIT).feed(), &hash));
    let movement = by(&format!("deposit#zerohash#{hash}"));
    assert_eq!(RecordedCauses::of(&[], &[unclaimed]).lacks(&movement), Some(Unrecorded::NotRecorded));
}

#[test]
fn of_several_deposits_with_one_name_the_booked_one_counts() {
    let recorded = [recorded_as(DEPOSIT, "submitted"), recorded_as("deposit#connect#1", "confirmed")];
    assert_eq!(lacks(&by(DEPOSIT), &recorded), None);
}

#[test]
fn the_sentence_names_the_movement_the_amount_and_what_is_lacking() {
    let discrepancy = |movement, lacks| Discrepancy::UnrecordedMovement { movement, lacks };
    let not_recorded = discrepancy(by(DEPOSIT), Unrecorded::NotRecorded);
    let sentence = "deposit#zerohash#1 moved a balance by 100.5 USDC (movement m-1) and is not recorded";
    assert_eq!(not_recorded.to_string(), sentence);
    let unnamed = Movement { change: None, asset: None, ..by(DEPOSIT) };
    let not_booked = discrepancy(unnamed, Unrecorded::NotBooked(Status::Deposit(DepositStatus::Submitted)));
    let sentence = "deposit#zerohash#1 moved a balance by an unknown amount of an asset that is not named (movement m-1) and \
                    is recorded as submitted, so that nothing is booked";
    assert_eq!(not_booked.to_string(), sentence);
    assert_eq!(
        (not_booked.name(), not_booked.to_queue(), not_booked.would_credit()),
        ("unrecorded_movement", None, None)
    );
}

#[test]
fn a_check_ends_where_it_was_begun_to_end_and_remembers_the_latest_reports() {
    let mut mark = MovementsMark::initial(at(60));
    assert_eq!(mark.due(at(60)), None, "nothing is due");
    let check = mark.due(at(75)).expect("a quarter of an hour is due");
    assert_eq!(check, BegunCheck { until: at(75), after: None });
    mark.reported = (0..300).map(|nth| nth.to_string()).collect();
    mark.advance(&check, Some("a balance".to_owned()));
    assert_eq!((mark.checked_until, mark.reported.len(), mark.reported[0].as_str()), (at(60), 256, "44"));
    let continued = mark.due(at(90)).expect("it is not finished");
    assert_eq!(continued, BegunCheck { until: at(75), after: Some("a balance".to_owned()) });
    mark.advance(&continued, None);
    assert_eq!((mark.checked_until, &mark.begun), (at(75), &None));
    assert_eq!(mark.due(at(90)).map(|check| check.until), Some(at(90)));
}
