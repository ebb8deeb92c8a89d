//! Equal reports of one coin: the first is credited, and the others are its duplicates.

use fundhook_domain::{HoldReason, NewFact, WebhookFamily};

use super::orders::permutations;
use crate::support::coins::{CONNECT, DEPOSIT, FUND, HASH, Report, World};
use crate::support::in_other_bytes;

fn outcomes(first: Report, second: Report) -> (Vec<String>, Vec<String>) {
    let world = World::after(&[first, second]);
    world.assert_consistent();
    (world.types(&first.id()), world.types(&second.id()))
}

#[test]
fn only_another_familys_report_of_the_same_coin_is_a_duplicate() {
    use WebhookFamily::{ConnectTransactions, ConnectWithdrawals};
    let second = Report { native: "2", ..CONNECT };
    let unsaid = |report: Report| Report { network: None, ..report };
    let (base, unknown) = (Some("base"), Some("Somechain"));
    for (case, one, other, is_duplicate) in [
        ("another family", CONNECT, FUND, true),
        ("another family on another chain", CONNECT, Report { network: base, ..FUND }, false),
        ("another family that does not state the chain", CONNECT, unsaid(FUND), true),
        ("neither states the chain", unsaid(CONNECT), unsaid(FUND), true),
        ("an unknown spelling of the chain", CONNECT, Report { network: unknown, ..FUND }, true),
        ("another address", CONNECT, Report { address: Some("0xff"), ..FUND }, false),
        ("another asset", CONNECT, Report { asset: "USDT", ..FUND }, false),
        ("another transaction", CONNECT, Report { hash: Some("0xff"), ..FUND }, false),
        ("another organization", CONNECT, Report { feed: "zerohash/acme", ..FUND }, false),
        ("the same family, which reports each coin once", CONNECT, second, false),
        ("the same family, which does not state the chain", unsaid(CONNECT), unsaid(second), false),
        ("another family of the same feed", CONNECT, Report { family: ConnectWithdrawals, ..second }, true),
        ("the same family in another feed", CONNECT, Report { feed: "zerohash", ..second }, true),
        (
            "webhooks reported one, and the list the other",
            CONNECT,
            Report { family: ConnectTransactions, ..second },
            true,
        ),
        ("another customer, as another provider names it", CONNECT, Report { account: Some("X"), ..FUND }, true),
    ] {
        let confirmed = || vec!["confirmed".to_owned()];
        let expected = if is_duplicate { vec!["duplicate".to_owned()] } else { confirmed() };
        assert_eq!(outcomes(one, other), (confirmed(), expected.clone()), "{case}");
        assert_eq!(outcomes(other, one), (confirmed(), expected), "{case}, in the other order");
    }
}

#[test]
fn of_three_families_one_is_credited() {
    let world = World::after(&[FUND, CONNECT, DEPOSIT]);
    assert_eq!(world.credited().into_keys().collect::<Vec<_>>(), [FUND.id()]);
    for duplicate in [CONNECT, DEPOSIT] {
        assert_eq!(world.view(duplicate).duplicate_of, Some(FUND.id()));
        let event = world.published.iter().find(|event| event.data.resource == duplicate.id()).expect("an event");
        assert_eq!((event.data.status, event.data.duplicate_of.as_ref()), (Some("confirmed"), Some(&FUND.id())));
    }
}

#[test]
fn as_many_coins_are_credited_as_the_family_reports_that_reports_most() {
    let native = |report: Report, native| Report { native, ..report };
    let two_of_connect = [CONNECT, native(CONNECT, "2")];
    let three_of_fund = [FUND, native(FUND, "fund-2"), native(FUND, "fund-3")];
    let mixed = [FUND, CONNECT, native(CONNECT, "2"), native(FUND, "fund-2"), native(FUND, "fund-3"), DEPOSIT];
    for reports in [[&two_of_connect[..], &three_of_fund[..]].concat(), mixed.to_vec()] {
        let world = World::after(&reports);
        world.assert_consistent();
        assert_eq!(world.credited().len(), 3, "{:?}", world.credited());
    }
}

/// Facts recorded in one write each.
/// A name, what is written one after the other, and the types of the events.
type Case<'a> = (&'a str, Vec<Vec<NewFact>>, &'a [&'a str]);

fn duplicate_after(writes: &[Vec<NewFact>]) -> World {
    let mut world = World::after(&[CONNECT]);
    writes.iter().for_each(|facts| world.record(facts));
    world.assert_consistent();
    world
}

#[test]
fn a_duplicate_is_announced_by_the_statement_that_makes_it_one() {
    let (pending, late) = (of("pending", 0), of("submitted", 10));
    let (confirmed, held) = (FUND.fact(), of("held", 20));
    let cases: [Case<'_>; 5] = [
        ("alone", vec![vec![confirmed.clone()]], &["duplicate"]),
        ("in a separate write", vec![vec![pending.clone()], vec![confirmed.clone()]], &["pending", "duplicate"]),
        (
            "together with earlier webhooks",
            vec![vec![pending.clone(), late.clone(), confirmed.clone()]],
            &["pending", "submitted", "duplicate"],
        ),
        (
            "together with later webhooks",
            vec![vec![confirmed.clone(), late.clone(), pending.clone()]],
            &["duplicate", "updated", "updated"],
        ),
        (
            "between others of one write",
            vec![vec![pending], vec![late, confirmed, held]],
            &["pending", "submitted", "duplicate", "updated"],
        ),
    ];
    for (case, writes, outcomes) in cases {
        let world = duplicate_after(&writes);
        assert_eq!(world.types(&FUND.id()), outcomes, "{case}");
        let events: Vec<_> = world.published.iter().filter(|event| event.data.resource == FUND.id()).collect();
        let at = events.iter().position(|event| event.event_type.ends_with("duplicate")).expect("a duplicate");
        let names_owner = |at: usize| events[at].data.duplicate_of == Some(CONNECT.id());
        assert!((at..events.len()).all(names_owner), "{case}: it stays a duplicate");
        assert!((0..at).all(|at| !names_owner(at)), "{case}: it was none before");
    }
}

/// A statement of the fund transaction that names the coin.
fn of(status: &'static str, seconds: u64) -> NewFact {
    Report { status, seconds, hold: Some(HoldReason::ApprovalPending), ..FUND }.fact()
}

#[test]
fn the_statement_that_reveals_a_duplicate_may_arrive_after_it_was_published_as_confirmed() {
    let silent = Report { hash: None, ..FUND };
    let held = Report { hash: None, status: "held", hold: Some(HoldReason::ApprovalPending), seconds: 20, ..FUND };
    let (confirmed, held, hash) = (silent.fact(), held.fact(), of("submitted", 10));
    let again = NewFact::from(in_other_bytes("again", &silent.statement()));
    let cases: [Case<'_>; 5] = [
        ("alone", vec![vec![confirmed.clone()], vec![hash.clone()]], &["confirmed", "duplicate"]),
        (
            "with more after it",
            vec![vec![confirmed.clone()], vec![hash.clone(), held.clone()]],
            &["confirmed", "duplicate", "updated"],
        ),
        (
            "after an update",
            vec![vec![confirmed.clone()], vec![held], vec![hash.clone()]],
            &["confirmed", "updated", "duplicate"],
        ),
        (
            "after a repetition in the same write",
            vec![vec![confirmed.clone()], vec![again.clone(), hash.clone()]],
            &["confirmed", "duplicate"],
        ),
        ("after a repetition before", vec![vec![confirmed, again], vec![hash]], &["confirmed", "duplicate"]),
    ];
    for (case, writes, outcomes) in cases {
        assert_eq!(duplicate_after(&writes).types(&FUND.id()), outcomes, "{case}");
    }
}

#[test]
fn a_corrected_transaction_is_a_duplicate_of_the_coin_that_it_names() {
    let other = "0x7b9301dd3cbec040ebd7a902e7b2aa4ff1b9150b65fd2a432cb0f5b6537dcf06";
    let first = Report { hash: Some(other), ..FUND };
    let corrected = Report { seconds: 50, ..FUND };
    // The corrected one is known first, or last.
    for reports in [[first, corrected, CONNECT], [first, CONNECT, corrected], [CONNECT, corrected, first]] {
        let world = World::after(&reports);
        world.assert_consistent();
        assert_eq!(world.credited().len(), 1, "{reports:?}");
        // The first transaction is not released: a family that reports it is a duplicate too.
        let late = Report { hash: Some(other), ..DEPOSIT };
        let world = World::after(&[reports.to_vec(), vec![late]].concat());
        assert_eq!(world.view(late).duplicate_of, Some(FUND.id()), "{reports:?}");
    }
}

#[test]
fn a_deposit_that_tells_no_output_is_not_the_coin_of_one_that_its_family_reports_otherwise_in_every_order() {
    let hash = |output| format!("{HASH}-{output}").leak() as &'static str;
    let (zero, one) = (hash(0), hash(1));
    let (second, of_second) = (Report { native: "2", ..CONNECT }, Report { native: "fund-2", hash: Some(one), ..FUND });
    let of_first = Report { hash: Some(zero), ..FUND };
    for (case, reports, credits, conflicts) in [
        ("two coins", vec![CONNECT, Report { hash: Some(zero), ..second }, of_first, of_second], 2, 0),
        (
            "one of two coins is to be returned",
            vec![CONNECT, Report { status: "unexpected", hash: Some(one), ..second }, of_second],
            1,
            2,
        ),
        (
            "one of two coins has two amounts",
            vec![CONNECT, Report { amount: "70", hash: Some(zero), ..second }, of_first],
            1,
            2,
        ),
    ] {
        for order in permutations(reports.len()) {
            let order: Vec<Report> = order.iter().map(|at| reports[*at]).collect();
            let world = World::after(&order);
            world.assert_consistent();
            let conflicting = reports.iter().filter(|report| world.view(**report).conflict.is_some()).count();
            assert_eq!((world.credited().len(), conflicting), (credits, conflicts), "{case}: {order:?}");
        }
    }
}

#[test]
fn of_two_deposits_that_it_may_be_a_report_is_the_one_that_tells_its_chain() {
    let unplaced = Report { native: "0", network: None, ..CONNECT };
    for reports in [[CONNECT, unplaced, FUND], [unplaced, CONNECT, FUND]] {
        let world = World::after(&reports);
        assert_eq!(world.view(FUND).duplicate_of, Some(CONNECT.id()), "{reports:?}");
    }
}

#[test]
fn a_duplicate_in_one_transaction_stays_one_when_another_transaction_releases_it() {
    let other = "0x7b9301dd3cbec040ebd7a902e7b2aa4ff1b9150b65fd2a432cb0f5b6537dcf06";
    let of_other = Report { hash: Some(other), ..DEPOSIT };
    let corrected = Report { hash: Some(other), seconds: 50, ..FUND };
    for withdrawn in [CONNECT, of_other] {
        let mut world = World::after(&[CONNECT, of_other, FUND, corrected]);
        assert_eq!(world.credited().len(), 2);
        let mut held = Report { status: "held", hold: Some(HoldReason::FeeBearerUnknown), ..withdrawn }.statement();
        held.content.id = withdrawn.statement().content.id;
        held.content.reading.revision += 1;
        world.record(&[NewFact::from(held)]);
        world.assert_consistent();
        let remaining = if withdrawn.id() == CONNECT.id() { of_other } else { CONNECT };
        assert_eq!(Vec::from_iter(world.credited().into_keys()), [remaining.id()]);
        assert_eq!(world.view(FUND).duplicate_of, Some(remaining.id()));
    }
}

#[test]
fn when_the_credited_deposit_is_withdrawn_its_first_duplicate_is_credited() {
    let mut world = World::after(&[CONNECT, FUND, DEPOSIT]);
    // The same bytes, read again with other settings, are a hold.
    let mut held = Report { status: "held", hold: Some(HoldReason::FeeBearerUnknown), ..CONNECT }.statement();
    let confirmed = CONNECT.statement();
    held.content.id = confirmed.content.id.clone();
    held.content.reading.revision += 1;
    world.record(&[NewFact::from(held.clone())]);
    world.assert_consistent();
    let credited: Vec<_> = world.credited().into_keys().collect();
    let [owner] = &credited[..] else { unreachable!("one of the two is credited: {credited:?}") };
    let other = [FUND, DEPOSIT].into_iter().find(|report| report.id() != *owner).expect("the other one");
    assert_eq!(world.view(other).duplicate_of.as_ref(), Some(owner));
    assert_eq!(world.types(owner), ["duplicate", "confirmed"]);

    // Confirmed again, it is a duplicate of the new one.
    let mut confirmed = confirmed;
    confirmed.content.reading.revision += 2;
    world.record(&[NewFact::from(confirmed)]);
    world.assert_consistent();
    assert!(world.credited().into_keys().eq([owner.clone()]));
    assert_eq!(world.types(&CONNECT.id()), ["confirmed", "held", "duplicate"]);
}
