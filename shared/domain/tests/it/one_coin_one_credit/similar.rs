//! Deposits that may be one coin, of which one does not name its transaction: the second one is held.

use fundhook_domain::{HoldReason, NewFact, SeveralFamiliesCredit, Stored, Verdict};

use crate::support::coins::{CONNECT, DEPOSIT, FUND, Report, World};
use crate::support::decision;

const UUID: &str = "e8641f4b-2098-4f86-95ba-711151cee6a5";
const DAY: u64 = 86_400;

/// zerohash's fund transaction with an id of the provider in place of a hash.
const UNNAMED: Report = Report { hash: Some(UUID), ..FUND };

/// After these reports were recorded, in an organization in which several families credit.
fn after(reports: &[Report]) -> World {
    let several = SeveralFamiliesCredit::of([None]);
    let mut world = World { stored: Stored::remembering(several), ..World::default() };
    reports.iter().for_each(|report| world.record(&[report.fact()]));
    world.assert_consistent();
    world
}

#[test]
fn the_second_of_two_deposits_that_may_be_one_coin_is_held_whichever_it_is() {
    for [first, second] in [[DEPOSIT, UNNAMED], [UNNAMED, DEPOSIT]] {
        let world = after(&[first, second]);
        assert_eq!(Vec::from_iter(world.credited().into_keys()), [first.id()]);
        let view = world.view(second);
        assert_eq!(view.details.hold().map(|hold| hold.reason), Some(HoldReason::MayBeCredited));
        assert_eq!((view.resembles, view.details.credit()), (Some(first.id()), None));
        assert_eq!(world.types(&second.id()), ["held"], "it is never said to be creditable");
        let event = world.published.iter().find(|event| event.data.resource == second.id()).expect("an event");
        assert_eq!(event.data.resembles, Some(first.id()));
        assert_eq!(event.status_attribute(), Some("held"));
    }
}

#[test]
fn only_what_may_be_the_same_deposit_of_another_family_is_held() {
    let connect = Report { hash: None, ..CONNECT };
    for (case, other, is_held) in [
        ("the same", UNNAMED, true),
        ("of another family of another provider", connect, true),
        ("without an address", Report { address: None, ..UNNAMED }, true),
        ("within days", Report { seconds: 40 + 7 * DAY, ..UNNAMED }, true),
        ("weeks later", Report { seconds: 41 + 7 * DAY, ..UNNAMED }, false),
        ("of the same family", Report { hash: None, native: "deposit-2", ..DEPOSIT }, false),
        ("that names another transaction", Report { hash: Some("0xff"), ..FUND }, false),
        ("to another address", Report { address: Some("0xff"), ..UNNAMED }, false),
        ("on another chain", Report { network: Some("base"), ..UNNAMED }, false),
        ("of another amount", Report { amount: "99", ..UNNAMED }, false),
        ("of another asset", Report { asset: "USDT", ..UNNAMED }, false),
        ("of another customer", Report { account: Some("CUST02"), ..UNNAMED }, false),
        ("of another organization", Report { feed: "zerohash/acme", ..UNNAMED }, false),
        ("that is not credited", Report { status: "pending", ..UNNAMED }, false),
    ] {
        for reports in [[DEPOSIT, other], [other, DEPOSIT]] {
            let world = after(&reports);
            let held = reports.iter().filter(|report| world.view(**report).resembles.is_some()).count();
            assert_eq!(held, usize::from(is_held), "{case}");
        }
    }
}

#[test]
fn nothing_is_remembered_where_a_single_family_credits() {
    let world = World::after(&[DEPOSIT, UNNAMED]);
    assert_eq!(world.credited().len(), 2);
    let write = Stored::default().record(&[DEPOSIT.fact()]).expect("an owner").expect("a write");
    assert!(write.similar.is_empty());
    let mut stored = Stored::remembering(SeveralFamiliesCredit::of([None]));
    let write = stored.record(&[DEPOSIT.fact()]).expect("an owner").expect("a write");
    assert_eq!(write.similar.len(), 1, "elsewhere, it is written with the deposit");
}

#[test]
fn as_many_are_credited_as_the_family_reports_that_reports_most_in_every_order() {
    let native = |report: Report, native| Report { native, ..report };
    let reports = [DEPOSIT, UNNAMED, native(UNNAMED, "fund-2"), native(UNNAMED, "fund-3")];
    for rotation in 0..reports.len() {
        let mut order = reports.to_vec();
        order.rotate_left(rotation);
        for order in [order.clone(), order.into_iter().rev().collect()] {
            let world = after(&order);
            assert_eq!(world.credited().len(), 3, "{order:?}");
            assert_eq!(world.event_ids().len(), 4, "{order:?}");
        }
    }
}

#[test]
fn a_coin_that_a_claim_recognizes_is_no_second_one() {
    for reports in [[CONNECT, DEPOSIT, UNNAMED], [UNNAMED, CONNECT, DEPOSIT], [CONNECT, UNNAMED, DEPOSIT]] {
        let world = after(&reports);
        assert_eq!(Vec::from_iter(world.credited().into_keys()), [reports[0].id()], "{reports:?}");
    }
}

#[test]
fn a_transaction_that_becomes_known_decides() {
    let named = |hash| Report { hash: Some(hash), seconds: 50, ..FUND };
    let same = after(&[DEPOSIT, UNNAMED, named(DEPOSIT.hash.expect("a hash"))]);
    assert_eq!(same.types(&FUND.id()), ["held", "duplicate"]);
    assert_eq!(same.view(FUND).duplicate_of, Some(DEPOSIT.id()));
    let other = after(&[DEPOSIT, UNNAMED, named("0xff")]);
    assert_eq!(other.types(&FUND.id()), ["held", "updated", "confirmed"]);
    assert_eq!(other.credited().len(), 2);
    // And whichever of the two learns it.
    let unnamed_deposit = Report { hash: None, ..DEPOSIT };
    let later = after(&[unnamed_deposit, FUND, Report { hash: Some("0xff"), seconds: 50, ..DEPOSIT }]);
    assert_eq!(later.types(&FUND.id()), ["held", "confirmed"]);
}

#[test]
fn when_the_credited_one_is_withdrawn_the_held_one_is_credited() {
    let mut world = after(&[DEPOSIT, UNNAMED]);
    let mut held = Report { status: "held", hold: Some(HoldReason::StatusUnknown), ..DEPOSIT }.statement();
    held.content.id = DEPOSIT.statement().content.id;
    held.content.reading.revision += 1;
    world.record(&[NewFact::from(held)]);
    world.assert_consistent();
    assert_eq!(Vec::from_iter(world.credited().into_keys()), [FUND.id()]);
    assert_eq!(world.types(&FUND.id()), ["held", "confirmed"]);
}

#[test]
fn a_held_deposit_stays_held_when_the_one_that_it_may_be_conflicts_or_is_rejected() {
    let failed = Report { status: "failed", seconds: 50, ..DEPOSIT };
    for reports in [[DEPOSIT, UNNAMED, failed], [DEPOSIT, failed, UNNAMED], [failed, DEPOSIT, UNNAMED]] {
        let mut world = after(&reports);
        assert!(world.view(DEPOSIT).conflict.is_some() && world.credited().is_empty(), "{reports:?}");
        assert_eq!(world.view(UNNAMED).resembles, Some(DEPOSIT.id()), "{reports:?}");
        let resource = world.resource(&DEPOSIT.id());
        let accepted = NewFact { resource: DEPOSIT.id(), content: decision(&resource, Verdict::Accepted, 1000) };
        world.record(&[accepted]);
        world.assert_consistent();
        assert_eq!(Vec::from_iter(world.credited().into_keys()), [DEPOSIT.id()], "{reports:?}");
    }
    let mut world = after(&[DEPOSIT, UNNAMED]);
    let resource = world.resource(&DEPOSIT.id());
    world.record(&[NewFact { resource: DEPOSIT.id(), content: decision(&resource, Verdict::Rejected, 1000) }]);
    world.assert_consistent();
    assert!(world.credited().is_empty(), "a person decides about the other one as well");
    assert_eq!(world.view(UNNAMED).resembles, Some(DEPOSIT.id()));
}

#[test]
fn what_is_remembered_has_a_bound() {
    let natives: Vec<String> = (0..300).map(|number| format!("fund-{number}")).collect();
    let mut stored = Stored::remembering(SeveralFamiliesCredit::of([None]));
    let mut bytes = 0;
    for (native, seconds) in natives.iter().zip(0..) {
        let native: &'static str = Box::leak(native.clone().into_boxed_str());
        let write = stored.record(&[Report { native, seconds, ..UNNAMED }.fact()]).expect("an owner").expect("a write");
        bytes = serde_json::to_string(&write.similar[0].item).expect("JSON").len();
    }
    assert!(bytes < 40_000, "{bytes} bytes");
}
