//! What deposits book.

use fundhook_domain::{
    Credit, CreditConversion, CreditFee, CreditForm, DecidedBy, FeeBearer, HoldReason, Statement, TransferDetails,
    Units, Verdict, WebhookFamily, events_after,
};

use crate::support::books::lines;
use crate::support::coins::{CONNECT, DEPOSIT, Report, UNEXPECTED, World};
use crate::support::money::{in_kind, money};
use crate::support::{decided, deposit, events, folded, quantity, with};

fn usdc(details: &mut TransferDetails, value: &str) {
    details.quantity = Some(quantity(value));
    details.asset = Some("USDC".to_owned());
    details.account = Some("CUST01".to_owned());
}

/// A deposit of 100 USDC in this status.
fn of_100(status: &str, seconds: u64) -> Statement {
    with(deposit(status, seconds), |details| {
        usdc(details, "100");
        details.credit = (status == "confirmed").then(|| in_kind("100", "USDC"));
        details.hold = (status == "held").then(|| HoldReason::ComplianceReview.into());
    })
}

fn held_for(reason: HoldReason) -> Statement {
    with(of_100("held", 0), |details| details.hold = Some(reason.into()))
}

/// The lines of each event of these statements.
fn booked<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Vec<Vec<String>> {
    events(statements).iter().map(|event| lines(&event.data.postings)).collect()
}

#[test]
fn money_that_is_in_is_held_until_it_is_credited() {
    let statements = [of_100("pending", 0), of_100("held", 10), of_100("confirmed", 20)];
    let booked = booked(&statements);
    assert_eq!(booked[0], [""; 0], "nothing has arrived");
    assert_eq!(booked[1], ["debit provider:connect 100 USDC", "credit held:connect 100 USDC"]);
    assert_eq!(booked[2], ["credit customer:CUST01 100 USDC", "debit held:connect 100 USDC"]);
}

#[test]
fn a_late_webhook_books_nothing() {
    let booked = booked(&[of_100("confirmed", 20), of_100("pending", 0), of_100("held", 10)]);
    assert_eq!(booked[0], ["debit provider:connect 100 USDC", "credit customer:CUST01 100 USDC"]);
    assert_eq!(booked[1..], [[""; 0], [""; 0]]);
}

#[test]
fn a_fee_that_the_customer_bears_is_set_apart_and_one_of_the_platform_is_not_booked() {
    let fee = |value: &str, borne_by| CreditFee {
        kind: "deposit_fee".to_owned(),
        value: value.parse().expect("a decimal"),
        asset: "USD".to_owned(),
        borne_by,
    };
    let fees = vec![fee("5", FeeBearer::Customer), fee("2", FeeBearer::Platform)];
    let credit = Credit::of(CreditForm::Converted, money("500", "USD"), fees, DecidedBy::Numbers).expect("one asset");
    let conversion =
        CreditConversion { from: money("500", "USDC"), to: money("500", "USD"), rate: "1".parse().expect("a decimal") };
    for conversion in [Some(conversion), None] {
        let statement = with(of_100("confirmed", 0), |details| {
            usdc(details, "500");
            details.credit = Some(credit.clone().converted_from(conversion.clone()));
        });
        assert_eq!(
            booked(&[statement])[0],
            [
                "credit customer:CUST01 495 USD",
                "credit fees:connect 5 USD",
                "debit conversion:connect 500 USD",
                "debit provider:connect 500 USDC",
                "credit conversion:connect 500 USDC",
            ]
        );
    }
}

#[test]
fn a_conflict_takes_the_money_from_the_customer_and_its_end_gives_it_back() {
    let statements = [of_100("confirmed", 20), of_100("failed", 30)];
    let of_conflict = booked(&statements).remove(1);
    assert_eq!(of_conflict, ["debit customer:CUST01 100 USDC", "credit held:connect 100 USDC"]);

    let resource = folded(&statements);
    for (verdict, expected) in [
        (Verdict::Accepted, vec!["credit customer:CUST01 100 USDC", "debit held:connect 100 USDC"]),
        (Verdict::Rejected, vec!["credit provider:connect 100 USDC", "debit held:connect 100 USDC"]),
        (Verdict::Resolved, vec!["credit provider:connect 100 USDC", "debit held:connect 100 USDC"]),
    ] {
        let decided = decided(resource.clone(), verdict.clone());
        let event = events_after(&decided, resource.version()).remove(0);
        assert_eq!(lines(&event.data.postings), expected, "{verdict:?}");
    }
}

#[test]
fn a_reversal_books_the_opposite() {
    let confirmed = folded([&of_100("confirmed", 20)]);
    let reversed = decided(confirmed.clone(), Verdict::Rejected);
    let event = events_after(&reversed, 1).remove(0);
    assert_eq!(event.event_type, "fundhook.deposit.reversed");
    assert_eq!(lines(&event.data.postings), ["credit provider:connect 100 USDC", "debit customer:CUST01 100 USDC"]);
}

#[test]
fn a_duplicate_books_nothing_and_what_it_corroborates_is_booked_once() {
    let world = World::after(&[CONNECT, DEPOSIT]);
    let of = |report: Report| {
        let event = world.published.iter().find(|event| event.data.resource == report.id()).expect("an event");
        lines(&event.data.postings)
    };
    assert_eq!(of(CONNECT), ["debit provider:connect 100 USDC", "credit customer:CUST01 100 USDC"]);
    assert_eq!(of(DEPOSIT), [""; 0]);
    assert_eq!(booked(&[held_for(HoldReason::Corroborates)])[0], [""; 0]);
}

#[test]
fn a_coin_that_is_to_be_returned_is_booked_once_whichever_families_report_it() {
    let reports = [
        UNEXPECTED,
        Report { status: "unexpected", ..DEPOSIT },
        Report { status: "unexpected", family: WebhookFamily::ConnectDeposits, ..CONNECT },
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let world = World::after(&order.map(|at| reports[at]));
        world.assert_consistent();
        let booked: Vec<_> = world.published.iter().flat_map(|event| lines(&event.data.postings)).collect();
        let feed = reports[order[0]].feed;
        assert_eq!(booked, [format!("debit provider:{feed} 100 USDC"), format!("credit returns:{feed} 100 USDC")]);
        let others = world.published[1..].iter().map(|event| event.data.booked_by.clone());
        assert_eq!(others.collect::<Vec<_>>(), vec![Some(reports[order[0]].id()); 2], "{order:?}");
    }
    // Two deposits of one family are two coins.
    let two = World::after(&[UNEXPECTED, Report { native: "failed-2", ..UNEXPECTED }]);
    assert_eq!(two.published.iter().filter(|event| !event.data.postings.is_empty()).count(), 2);
}

#[test]
fn what_arrived_is_booked_as_held_unless_it_cannot_be_stated() {
    for (what, change, expected) in [
        ("no amount", (|details: &mut TransferDetails| details.quantity = None) as fn(&mut TransferDetails), 0),
        ("a zero", |details| details.quantity = Some(quantity("0")), 0),
        ("no asset", |details| details.asset = None, 0),
        ("an unknown unit", |details| details.quantity.iter_mut().for_each(|it| it.units = Units::named("grains")), 0),
        ("no account", |details| details.account = None, 2),
    ] {
        let statement = with(of_100("held", 0), change);
        assert_eq!(booked(&[statement])[0].len(), expected, "{what}");
    }
    assert_eq!(booked(&[held_for(HoldReason::Quarantined)])[0].len(), 2);
}

#[test]
fn one_asset_in_two_spellings_is_one_in_the_books() {
    let held = with(of_100("held", 0), |details| details.asset = Some("usdc.base".to_owned()));
    let confirmed = of_100("confirmed", 10);
    let booked = booked(&[held, confirmed]);
    assert_eq!(booked[1], ["credit customer:CUST01 100 USDC", "debit held:connect 100 USDC"]);
}
