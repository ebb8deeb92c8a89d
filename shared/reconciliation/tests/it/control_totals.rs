//! What came in of each asset, as the provider lists it, as it is recorded and as it was published: the same, to the digit,
//! or a line that shows it.

use std::slice::from_ref as one;
use std::time::Duration;

use fundhook_domain::{
    DecimalValue, NewFact, Quantity, Resource, Statement, Timestamp, TransferDetails, Units, events_after, fold,
};
use fundhook_reconciliation::{
    ControlTotalsLine, Discrepancy, Receipt, Total, control_totals, credited_twice, receipt_of,
};

use crate::deposits::{id, recorded, recorded_as, row, row_with, sent};
use crate::support::{at, listed, quantity, with};

const ONE: &str = "deposit#connect#1";
const TWO: &str = "deposit#connect#2";

fn noted_at() -> Timestamp {
    at(60)
}

/// What the publisher has noted of `resource` by now: the latest receipt stands in the place of those before it.
fn receipt(resource: &Resource) -> Option<Receipt> {
    events_after(resource, 0).iter().filter_map(|event| receipt_of(event, noted_at())).next_back()
}

fn receipts(ours: &[Resource]) -> Vec<Receipt> {
    ours.iter().filter_map(receipt).collect()
}

fn total((deposits, total): (u64, &str)) -> Total {
    Total { deposits, total: total.parse().expect("a decimal") }
}

/// The line of `asset`: what the provider lists, what is recorded, what was published.
fn line(asset: &str, provider: (u64, &str), ours: (u64, &str), published: (u64, &str)) -> ControlTotalsLine {
    let (provider, ours, published) = (total(provider), total(ours), total(published));
    ControlTotalsLine { asset: asset.to_owned(), provider, ours, published }
}

/// What is said of a deposit.
type Say = fn(&mut TransferDetails);

fn in_units(said: &mut TransferDetails, value: &str, units: &str) {
    said.quantity = Some(Quantity { units: Units::named(units), ..quantity(value) });
}

/// A confirmed deposit of which so much is said, and the row that lists it so.
fn confirmed(of: &str, say: Say) -> (Resource, Statement) {
    (recorded([&with(sent(of, "confirmed", 40), say)]), row_with(of, say))
}

#[test]
fn what_is_listed_recorded_and_published_alike_adds_up() {
    let (ours, theirs): (Vec<_>, Vec<_>) = [
        confirmed("deposit#connect#1", |_| {}),
        confirmed("deposit#connect#2", |said| said.quantity = Some(quantity("0.5"))),
        confirmed("deposit#zerohash#3", |said| said.asset = Some("BTC".to_owned())),
    ]
    .into_iter()
    .unzip();
    let lines = control_totals(&ours, &theirs, &receipts(&ours));
    let btc = line("BTC", (1, "100"), (1, "100"), (1, "100"));
    assert_eq!(lines, [btc, line("USDC", (2, "100.5"), (2, "100.5"), (2, "100.5"))]);
    assert!(lines.iter().all(ControlTotalsLine::holds));
    assert_eq!(control_totals(&[], &[], &[]), []);
}

#[test]
fn each_party_that_has_another_sum_shows() {
    let (resource, row) = confirmed(ONE, |_| {});
    let (other, other_row) = confirmed(ONE, |said| said.quantity = Some(quantity("99.9")));
    let (_, second_row) = confirmed(TWO, |said| said.quantity = Some(quantity("0")));
    let noted = receipts(one(&resource));
    for (what, lines, expected) in [
        (
            "listed, and its webhook missed",
            control_totals(&[], one(&row), &[]),
            line("USDC", (1, "100"), (0, "0"), (0, "0")),
        ),
        (
            "recorded, and not listed",
            control_totals(one(&resource), &[], &noted),
            line("USDC", (0, "0"), (1, "100"), (1, "100")),
        ),
        (
            "recorded, and not published",
            control_totals(one(&resource), one(&row), &[]),
            line("USDC", (1, "100"), (1, "100"), (0, "0")),
        ),
        (
            "listed with another amount",
            control_totals(one(&resource), one(&other_row), &noted),
            line("USDC", (1, "99.9"), (1, "100"), (1, "100")),
        ),
        (
            "recorded with another amount",
            control_totals(one(&other), one(&row), &noted),
            line("USDC", (1, "100"), (1, "99.9"), (1, "100")),
        ),
        (
            "published with another amount",
            control_totals(one(&resource), one(&row), &receipts(&[other])),
            line("USDC", (1, "100"), (1, "100"), (1, "99.9")),
        ),
        (
            "as much, in another number of deposits",
            control_totals(one(&resource), &[row.clone(), second_row], &noted),
            line("USDC", (2, "100"), (1, "100"), (1, "100")),
        ),
    ] {
        assert_eq!(lines, one(&expected), "{what}");
        assert!(!expected.holds(), "{what}");
    }
}

#[test]
fn what_is_not_credited_counts_for_nothing() {
    let duplicate = recorded_as(ONE, "confirmed").duplicating(id("deposit#zerohash#7"), 0);
    for (what, ours) in [
        ("a duplicate", duplicate),
        ("one that is under way", recorded_as(ONE, "held")),
        ("one that failed", recorded_as(ONE, "failed")),
        ("one that nobody expected", recorded_as(ONE, "unexpected")),
        ("a withdrawal", recorded_as("withdrawal#connect#1", "confirmed")),
        ("what nobody has spoken of", Resource::unknown(id(ONE))),
    ] {
        assert_eq!(receipt(&ours), None, "{what}");
        assert_eq!(control_totals(&[ours], &[], &[]), [], "{what}");
    }
    let unsuccessful = [row(ONE, "held", 40), row(TWO, "abandoned", 40), row("withdrawal#connect#1", "confirmed", 40)];
    assert_eq!(control_totals(&[], &unsuccessful, &[]), []);
}

#[test]
fn what_is_given_twice_counts_once() {
    let (resource, row) = confirmed(ONE, |_| {});
    let shifted = listed(&sent(ONE, "confirmed", 45));
    let before = crate::deposits::row(ONE, "held", 30);
    let noted = receipts(one(&resource));
    let expected = [line("USDC", (1, "100"), (1, "100"), (1, "100"))];
    for rows in [vec![row.clone(), row.clone()], vec![row.clone(), shifted], vec![before, row]] {
        let lines =
            control_totals(&[resource.clone(), resource.clone()], &rows, &[noted.clone(), noted.clone()].concat());
        assert_eq!(lines, expected);
    }
    // A receipt of what is not in the window is of another.
    let elsewhere = receipts(&[recorded_as(TWO, "confirmed")]);
    assert_eq!(control_totals(&[], &[], &elsewhere), []);
}

#[test]
fn an_asset_is_one_in_any_capitals_and_one_without_a_name_has_a_line_too() {
    let lower = row_with(ONE, |said| said.asset = Some("usdc".to_owned()));
    let ours = [recorded([&with(sent(ONE, "confirmed", 40), |said| said.asset = Some("Usdc".to_owned()))])];
    let expected = line("USDC", (1, "100"), (1, "100"), (1, "100"));
    assert_eq!(control_totals(&ours, &[lower], &receipts(&ours)), [expected]);

    let (unnamed, row) = confirmed(TWO, |said| said.asset = None);
    let ours = [unnamed];
    assert_eq!(control_totals(&ours, &[row], &receipts(&ours)), [line("-", (1, "100"), (1, "100"), (1, "100"))]);
}

#[test]
fn sums_are_exact_to_the_last_of_thirty_digits() {
    let large: Say = |said| said.quantity = Some(quantity("123456789012345.678901234567891"));
    let least: Say = |said| said.quantity = Some(quantity("0.000000000000001"));
    let wei: Say = |said| in_units(said, "119078888888888888887", "wei");
    let (ours, theirs): (Vec<_>, Vec<_>) =
        [confirmed(ONE, large), confirmed(TWO, least), confirmed("deposit#connect#3", wei)].into_iter().unzip();
    let sum = "123456789012464.757790123456780887";
    let lines = control_totals(&ours, &theirs, &receipts(&ours));
    assert_eq!(lines, [line("USDC", (3, sum), (3, sum), (3, sum))]);

    // One unit of the last digit is a difference.
    let short = row_with(ONE, |said| said.quantity = Some(quantity("123456789012345.678901234567890")));
    let lines = control_totals(&ours[..1], &[short], &receipts(&ours[..1]));
    assert!(!lines[0].holds(), "{lines:?}");
}

#[test]
fn an_amount_that_is_not_told_in_coins_is_one_deposit_of_nothing_to_all_three() {
    let cases: [Say; 2] = [|said| said.quantity = None, |said| in_units(said, "100", "grains")];
    for say in cases {
        let (resource, row) = confirmed(ONE, say);
        let ours = [resource];
        assert_eq!(control_totals(&ours, &[row], &receipts(&ours)), [line("USDC", (1, "0"), (1, "0"), (1, "0"))]);
    }
    // Where the total alone is sent, it is the amount: so the event has it.
    let total: Say = |said| (said.quantity, said.total) = (None, Some(quantity("7")));
    let (resource, row) = confirmed(ONE, total);
    let ours = [resource];
    assert_eq!(control_totals(&ours, &[row], &receipts(&ours)), [line("USDC", (1, "7"), (1, "7"), (1, "7"))]);
}

#[test]
fn what_is_taken_back_after_it_was_published_shows() {
    let (resource, row) = confirmed(ONE, |_| {});
    let noted = receipts(one(&resource));
    let expected = line("USDC", (1, "100"), (0, "0"), (1, "100"));

    let conflicting = fold(resource.clone(), sent(ONE, "failed", 50)).into_resource();
    assert_eq!(receipt(&conflicting), noted.first().cloned(), "the conflict is no further receipt");
    assert_eq!(control_totals(&[conflicting], one(&row), &noted), one(&expected));

    let duplicate = resource.duplicating(id("deposit#zerohash#7"), 1);
    assert_eq!(control_totals(&[duplicate], &[row], &noted), [expected]);
}

#[test]
fn a_receipt_is_of_each_event_that_says_a_deposit_may_be_credited_and_of_no_other() {
    let confirmed = sent(ONE, "confirmed", 40);
    let corrected = with(sent(ONE, "confirmed", 50), |said| said.quantity = Some(quantity("99")));
    let pending = sent(ONE, "pending", 0);
    let current_status = recorded([&pending]);
    let notice = NewFact::overdue(&current_status, Duration::from_secs(3600)).expect("it is awaited");
    let statements = [confirmed, sent(ONE, "submitted", 10), corrected, sent(ONE, "failed", 60)];
    let overdue = fold(current_status, notice).into_resource();
    let resource =
        statements.into_iter().fold(overdue, |resource, statement| fold(resource, statement).into_resource());
    let events = events_after(&resource.claiming(None, 0).0, 0);
    let noted: Vec<_> = events
        .iter()
        .map(|event| {
            (event.event_type.as_str(), receipt_of(event, noted_at()).map(|receipt| receipt.value.to_string()))
        })
        .collect();
    let expected = [
        ("fundhook.deposit.pending", None),
        ("fundhook.deposit.overdue", None),
        ("fundhook.deposit.confirmed", Some("100")),
        ("fundhook.deposit.updated", Some("100")),
        ("fundhook.deposit.updated", Some("99")),
        ("fundhook.deposit.conflicting", None),
    ];
    assert_eq!(noted, expected.map(|(event, value)| (event, value.map(str::to_owned))));

    let value: DecimalValue = "100".parse().expect("a decimal");
    let expected = Receipt {
        resource: id(ONE),
        event: format!("{ONE}#3"),
        asset: "USDC".to_owned(),
        value,
        published_at: noted_at(),
    };
    assert_eq!(receipt_of(&events[2], noted_at()), Some(expected.clone()));
    let written = serde_json::to_string(&expected).expect("JSON");
    assert_eq!(serde_json::from_str::<Receipt>(&written).expect("a receipt"), expected, "{written}");
}

#[test]
fn lines_of_parts_add_up_to_the_line_of_the_whole() {
    let (ours, theirs): (Vec<_>, Vec<_>) = [
        confirmed(ONE, |said| said.quantity = Some(quantity("0.1"))),
        confirmed(TWO, |said| said.quantity = Some(quantity("0.2"))),
        confirmed("deposit#connect#3", |said| said.quantity = Some(quantity("119078888888888888887"))),
    ]
    .into_iter()
    .unzip();
    let noted = receipts(&ours[..2]);
    let mut sum = control_totals(&[], &[], &[]);
    for at in 0..3 {
        let part = control_totals(&ours[at..=at], &theirs[at..=at], &noted);
        match sum.first_mut() {
            Some(line) => line.add(&part[0]),
            None => sum = part,
        }
    }
    let total = "119078888888888888887.3";
    assert_eq!(sum, [line("USDC", (3, total), (3, total), (2, "0.3"))]);
    assert_eq!(sum, control_totals(&ours, &theirs, &noted));
    let written = serde_json::to_string(&sum).expect("JSON");
    assert_eq!(serde_json::from_str::<Vec<ControlTotalsLine>>(&written).expect("lines"), sum, "{written}");
}

#[test]
fn what_two_feeds_had_credited_and_may_be_one_coin_is_told() {
    const OTHER: &str = "deposit#zerohash#3";
    let unnamed: Say = |said| said.transaction.hash = None;
    let (ours, row) = confirmed(ONE, |said| said.transaction.hash = Some("ab".repeat(32)));
    let elsewhere: Say = |said| said.transaction.hash = Some("cd".repeat(32));
    let twice = [Discrepancy::CreditedTwice { ours: id(ONE), other: id(OTHER) }];
    for (name, other, is_told) in [
        ("without a coin", confirmed(OTHER, unnamed).0, true),
        ("told from it by its coin", confirmed(OTHER, elsewhere).0, false),
        ("of the same feed", confirmed(TWO, unnamed).0, false),
        ("of another organization", confirmed("deposit#zerohash/acme#3", unnamed).0, false),
        ("not credited", recorded([&with(sent(OTHER, "held", 40), unnamed)]), false),
        ("a duplicate of it", confirmed(OTHER, unnamed).0.duplicating(id(ONE), 0), false),
    ] {
        let expected: &[Discrepancy] = if is_told { &twice } else { &[] };
        assert_eq!(credited_twice(one(&ours), one(&row), one(&other)), expected, "{name}");
    }
    let (other, _) = confirmed(OTHER, unnamed);
    assert_eq!(credited_twice(&[], one(&row), one(&other)), [], "the row is not recorded");
    assert_eq!(credited_twice(&[recorded_as(ONE, "held")], one(&row), one(&other)), [], "nor credited");
    let sentence = twice[0].to_string();
    assert_eq!(sentence, "deposit#connect#1 is credited, and so is deposit#zerohash#3, which may be the same coin");
    assert_eq!(twice[0].to_queue(), None);
}
