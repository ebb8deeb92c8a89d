//! Control totals per asset: what the provider lists, what is recorded and what was published are equal to the last digit,
//! or the line shows the difference.

use std::slice::from_ref as one;
use std::time::Duration;

use fundhook_domain::{
    Backfill, FeeQuantity, NewFact, Purpose, Quantity, Resource, Statement, Timestamp, TransferDetails, Units,
    events_after, fold,
};
use fundhook_reconciliation::{
    ControlTotalsLine, Discrepancy, Flow, Moved, Receipt, Total, credited_twice, receipt_of,
};

use crate::deposits::{id, recorded, recorded_as, row, row_with, sent};
use crate::support::{at, duplicate_of, listed, quantity, with};

const ONE: &str = "deposit#connect#1";
const TWO: &str = "deposit#connect#2";

fn published_at() -> Timestamp {
    at(60)
}

/// The receipt that the publisher has stored for `resource`: the latest one replaces the others.
fn receipt(resource: &Resource) -> Option<Receipt> {
    events_after(resource, 0).iter().filter_map(|event| receipt_of(event, published_at())).next_back()
}

fn receipts(ours: &[Resource]) -> Vec<Receipt> {
    ours.iter().filter_map(receipt).collect()
}

fn total((count, total): (u64, &str)) -> Total {
    Total { count, total: total.parse().expect("a decimal") }
}

/// The line of what came in of `asset`: as listed, as recorded, as published and posted.
fn line(asset: &str, provider: (u64, &str), ours: (u64, &str), published: (u64, &str)) -> ControlTotalsLine {
    line_of(Flow::In, asset, provider, ours, published)
}

fn line_of(
    flow: Flow,
    asset: &str,
    provider: (u64, &str),
    ours: (u64, &str),
    published: (u64, &str),
) -> ControlTotalsLine {
    let (provider, ours, published) = (total(provider), total(ours), total(published));
    let (asset, posted) = (asset.to_owned(), published.clone());
    let (on_its_way, opening) = (Total::default(), Total::default());
    ControlTotalsLine { asset, flow, provider, ours, published, posted, on_its_way, opening }
}

/// The lines long after everything was received.
fn control_totals(ours: &[Resource], theirs: &[Statement], receipts: &[Receipt]) -> Vec<ControlTotalsLine> {
    fundhook_reconciliation::control_totals(ours, theirs, receipts, at(86_400)).lines
}

/// A change to what is said about a deposit.
type Say = fn(&mut TransferDetails);

fn in_units(details: &mut TransferDetails, value: &str, units: &str) {
    details.quantity = Some(Quantity { units: Units::named(units), ..quantity(value) });
}

/// A confirmed deposit, and the row that lists it, both changed by `say`.
fn confirmed(of: &str, say: Say) -> (Resource, Statement) {
    // The amount alone says what is credited.
    let say = |details: &mut TransferDetails| {
        details.credit = None;
        say(details);
    };
    (recorded([&with(sent(of, "confirmed", 40), say)]), row_with(of, say))
}

#[test]
fn totals_are_equal_when_deposits_are_listed_recorded_and_published_alike() {
    let (ours, theirs): (Vec<_>, Vec<_>) = [
        confirmed("deposit#connect#1", |_| {}),
        confirmed("deposit#connect#2", |details| details.quantity = Some(quantity("0.5"))),
        confirmed("deposit#zerohash#3", |details| details.asset = Some("BTC".to_owned())),
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
fn every_difference_between_the_three_totals_shows() {
    let (resource, row) = confirmed(ONE, |_| {});
    let (other, other_row) = confirmed(ONE, |details| details.quantity = Some(quantity("99.9")));
    let (_, half_row) = confirmed(ONE, |details| details.quantity = Some(quantity("40")));
    let (_, second_row) = confirmed(TWO, |details| details.quantity = Some(quantity("60")));
    let half = resource.clone();
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
            "the same sum with another number of deposits",
            control_totals(one(&half), &[half_row, second_row], &receipts(one(&half))),
            line("USDC", (2, "100"), (1, "100"), (1, "100")),
        ),
    ] {
        assert_eq!(lines, one(&expected), "{what}");
        assert!(!expected.holds(), "{what}");
    }
}

#[test]
fn only_what_has_arrived_or_left_counts() {
    let duplicate = duplicate_of(&id("deposit#zerohash#7"), [&sent(ONE, "confirmed", 40)]);
    for (what, ours) in [
        ("a duplicate", duplicate),
        ("a deposit on hold", recorded_as(ONE, "held")),
        ("a failed deposit", recorded_as(ONE, "failed")),
        ("a withdrawal on its way", recorded_as("withdrawal#connect#1", "broadcast")),
        ("a failed withdrawal", recorded_as("withdrawal#connect#1", "failed")),
        ("a resource without facts", Resource::unknown(id(ONE))),
    ] {
        assert!(receipt(&ours).is_none_or(|receipt| receipt.moved.is_empty()), "{what}");
        assert_eq!(control_totals(&[ours], &[], &[]), [], "{what}");
    }
    let unsuccessful = [row(ONE, "held", 40), row(TWO, "abandoned", 40), row("withdrawal#connect#1", "submitted", 40)];
    assert_eq!(control_totals(&[], &unsuccessful, &[]), []);
}

#[test]
fn repeated_rows_deposits_and_receipts_count_once() {
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
    // A receipt of a deposit outside the window does not count.
    let elsewhere = receipts(&[recorded_as(TWO, "confirmed")]);
    assert_eq!(control_totals(&[], &[], &elsewhere), []);
}

#[test]
fn an_asset_has_one_line_in_any_spelling_and_an_unnamed_asset_has_a_line_too() {
    let lower = row_with(ONE, |details| details.asset = Some("usdc".to_owned()));
    let ours = [recorded([&with(sent(ONE, "confirmed", 40), |details| details.asset = Some("Usdc".to_owned()))])];
    let expected = line("USDC", (1, "100"), (1, "100"), (1, "100"));
    assert_eq!(control_totals(&ours, &[lower], &receipts(&ours)), [expected]);

    let (unnamed, row) = confirmed(TWO, |details| details.asset = None);
    let ours = [unnamed];
    let expected = line("-", (1, "100"), (1, "100"), (1, "100"));
    // What has no asset cannot be booked.
    let expected = ControlTotalsLine { posted: Total::default(), ..expected };
    assert_eq!(control_totals(&ours, &[row], &receipts(&ours)), [expected]);
}

#[test]
fn totals_are_exact_to_the_last_of_thirty_digits() {
    let large: Say = |details| details.quantity = Some(quantity("123456789012345.678901234567891"));
    let least: Say = |details| details.quantity = Some(quantity("0.000000000000001"));
    let wei: Say = |details| in_units(details, "119078888888888888887", "wei");
    let (ours, theirs): (Vec<_>, Vec<_>) =
        [confirmed(ONE, large), confirmed(TWO, least), confirmed("deposit#connect#3", wei)].into_iter().unzip();
    let sum = "123456789012464.757790123456780887";
    let lines = control_totals(&ours, &theirs, &receipts(&ours));
    assert_eq!(lines, [line("USDC", (3, sum), (3, sum), (3, sum))]);

    // One unit of the last digit is a difference.
    let short = row_with(ONE, |details| details.quantity = Some(quantity("123456789012345.678901234567890")));
    let lines = control_totals(&ours[..1], &[short], &receipts(&ours[..1]));
    assert!(!lines[0].holds(), "{lines:?}");
}

#[test]
fn a_deposit_without_an_amount_in_coins_is_in_no_total() {
    let cases: [Say; 2] = [|details| details.quantity = None, |details| in_units(details, "100", "grains")];
    for say in cases {
        let (resource, row) = confirmed(ONE, say);
        let ours = [resource];
        assert_eq!(control_totals(&ours, &[row], &receipts(&ours)), []);
    }
    // If only the total is stated, it is the amount, as in the event.
    let total: Say = |details| (details.quantity, details.total) = (None, Some(quantity("7")));
    let (resource, row) = confirmed(ONE, total);
    let ours = [resource];
    let lines = control_totals(&ours, &[row], &receipts(&ours));
    // It cannot be booked, so the line does not hold.
    let expected = line("USDC", (1, "7"), (1, "7"), (1, "7"));
    assert_eq!(lines, [ControlTotalsLine { posted: Total::default(), ..expected }]);
}

#[test]
fn a_credit_that_is_withdrawn_after_it_was_published_shows() {
    let (resource, row) = confirmed(ONE, |_| {});
    let noted = receipts(one(&resource));
    let expected = line("USDC", (1, "100"), (0, "0"), (1, "100"));

    let conflicting = fold(resource.clone(), sent(ONE, "failed", 50)).into_resource();
    // Until the conflict is published, what was published before stands.
    assert_eq!(control_totals(one(&conflicting), one(&row), &noted), one(&expected));
    let published = line("USDC", (1, "100"), (0, "0"), (0, "0"));
    assert_eq!(control_totals(one(&conflicting), one(&row), &receipts(one(&conflicting))), one(&published));

    let statements = resource.facts().iter().filter_map(|fact| {
        let content = fact.statement()?.clone();
        Some(Statement { resource: resource.id().clone(), content })
    });
    let duplicate = duplicate_of(&id("deposit#zerohash#7"), &Vec::from_iter(statements));
    assert_eq!(control_totals(&[duplicate], &[row], &noted), [expected]);
}

#[test]
fn only_an_event_that_says_a_deposit_may_be_credited_makes_a_receipt() {
    let confirmed = sent(ONE, "confirmed", 40);
    let with_session = with(sent(ONE, "confirmed", 45), |details| details.session.id = Some("1".to_owned()));
    let corrected = with(sent(ONE, "confirmed", 50), |details| details.quantity = Some(quantity("99")));
    let pending = sent(ONE, "pending", 0);
    let waiting = recorded([&pending]);
    let notice = NewFact::overdue(&waiting, Duration::from_secs(3600)).expect("a further status is awaited");
    let statements = [confirmed, sent(ONE, "submitted", 10), with_session, corrected, sent(ONE, "failed", 60)];
    let overdue = fold(waiting, notice).into_resource();
    let resource =
        statements.into_iter().fold(overdue, |resource, statement| fold(resource, statement).into_resource());
    let events = events_after(&resource, 0);
    let noted: Vec<_> = events
        .iter()
        .map(|event| {
            let moved = receipt_of(event, published_at()).map(|receipt| receipt.moved);
            (event.event_type.as_str(), moved.map(|moved| moved.iter().map(ToString::to_string).collect::<Vec<_>>()))
        })
        .collect();
    let expected = [
        ("fundhook.deposit.pending", None),
        ("fundhook.deposit.overdue", None),
        ("fundhook.deposit.confirmed", Some(vec!["in 100 USDC".to_owned()])),
        // These change nothing that is booked.
        ("fundhook.deposit.updated", None),
        ("fundhook.deposit.updated", None),
        // Two amounts for one deposit, and then two final statuses too: what was published no longer counts.
        ("fundhook.deposit.conflicting", Some(vec![])),
        ("fundhook.deposit.conflicting", Some(vec![])),
    ];
    assert_eq!(noted, expected);

    let came_in = vec![Moved { flow: Flow::In, asset: "USDC".to_owned(), value: "100".parse().expect("a decimal") }];
    let expected = Receipt {
        resource: id(ONE),
        event: format!("{ONE}#3"),
        moved: came_in.clone(),
        posted: came_in,
        published_at: published_at(),
    };
    assert_eq!(receipt_of(&events[2], published_at()), Some(expected.clone()));
    let written = serde_json::to_string(&expected).expect("JSON");
    assert_eq!(serde_json::from_str::<Receipt>(&written).expect("a receipt"), expected, "{written}");
}

/// A settled withdrawal of 200 USDC of which 1.25 are the network's fee, with `say`.
fn left(of: &str, say: Say) -> (Resource, Statement) {
    let statement = with(sent(of, "confirmed", 40), |details| {
        (details.quantity, details.total) = (None, Some(quantity("200")));
        details.fee = Some(FeeQuantity { quantity: quantity("1.25"), asset: None, network: None });
        say(details);
    });
    (recorded([&statement]), listed(&statement))
}

#[test]
fn what_leaves_is_totalled_with_its_fee_and_apart_from_what_is_returned() {
    let return_it: Say = |details| details.purpose = Some(Purpose::Return);
    let drawn: Say = |details| (details.purpose, details.fee) = (Some(Purpose::BankDebit), None);
    let unknown: Say = |details| details.purpose = Some(Purpose::BankTransfer);
    let within: Say = |details| (details.quantity, details.fee) = (Some(quantity("198.75")), None);
    let fees = line_of(Flow::Fees, "USDC", (1, "1.25"), (1, "1.25"), (1, "1.25"));
    let all = |flow| line_of(flow, "USDC", (1, "200"), (1, "200"), (1, "200"));
    for (what, (ours, row), expected) in [
        ("a withdrawal", left("withdrawal#zerohash#1", |_| {}), vec![all(Flow::Out), fees.clone()]),
        ("one that states no fee", left("withdrawal#zerohash#1", within), vec![all(Flow::Out), fees.clone()]),
        ("a return", left("withdrawal#zerohash#1", return_it), vec![all(Flow::Returned), fees]),
        ("a payment drawn from a bank", left("withdrawal#zerohash#1", drawn), vec![all(Flow::In)]),
        ("a payment whose direction is not known", left("withdrawal#zerohash#1", unknown), vec![]),
    ] {
        let noted = receipts(one(&ours));
        let lines = control_totals(one(&ours), one(&row), &noted);
        assert_eq!(lines, expected, "{what}");
        assert!(lines.iter().all(ControlTotalsLine::holds), "{what}");
    }
    let (unexpected, row) = (recorded_as(ONE, "unexpected"), row(ONE, "unexpected", 40));
    let lines = control_totals(one(&unexpected), &[row], &receipts(one(&unexpected)));
    assert_eq!(lines, [line_of(Flow::Unexpected, "USDC", (1, "100"), (1, "100"), (1, "100"))]);
}

#[test]
fn what_was_recorded_a_moment_ago_is_on_its_way_and_later_it_is_a_difference_that_names_the_id() {
    let (resource, row) = confirmed(ONE, |_| {});
    let received = resource.facts()[0].content.evidence().received_at;
    for (now, is_on_its_way) in [(0, true), (899, true), (900, false)] {
        let then = received.plus(Duration::from_secs(now));
        let totals = fundhook_reconciliation::control_totals(one(&resource), one(&row), &[], then);
        let [line] = &totals.lines[..] else { unreachable!("one line: {totals:?}") };
        assert_eq!((line.on_its_way.count, line.holds()), (u64::from(is_on_its_way), is_on_its_way), "{now}");
        let sentence = "deposit#connect#1 is recorded as in 100 USDC and was published as nothing".to_owned();
        assert_eq!(totals.unpublished, if is_on_its_way { vec![] } else { vec![sentence] }, "{now}");
    }
}

#[test]
fn lines_of_parts_add_up_to_the_line_of_the_whole() {
    let (ours, theirs): (Vec<_>, Vec<_>) = [
        confirmed(ONE, |details| details.quantity = Some(quantity("0.1"))),
        confirmed(TWO, |details| details.quantity = Some(quantity("0.2"))),
        confirmed("deposit#connect#3", |details| details.quantity = Some(quantity("119078888888888888887"))),
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
fn deposits_of_two_feeds_that_may_be_one_coin_are_reported_as_credited_twice() {
    const OTHER: &str = "deposit#zerohash#3";
    let unnamed: Say = |details| details.transaction.hash = None;
    let (ours, row) = confirmed(ONE, |details| details.transaction.hash = Some("ab".repeat(32)));
    let elsewhere: Say = |details| details.transaction.hash = Some("cd".repeat(32));
    let twice = [Discrepancy::CreditedTwice { ours: id(ONE), other: id(OTHER) }];
    for (name, other, is_reported) in [
        ("without a coin", confirmed(OTHER, unnamed).0, true),
        ("with another coin", confirmed(OTHER, elsewhere).0, false),
        ("of the same feed", confirmed(TWO, unnamed).0, false),
        ("of another organization", confirmed("deposit#zerohash/acme#3", unnamed).0, false),
        ("not credited", recorded([&with(sent(OTHER, "held", 40), unnamed)]), false),
        ("a duplicate of it", duplicate_of(&id(ONE), [&with(sent(OTHER, "confirmed", 40), unnamed)]), false),
    ] {
        let expected: &[Discrepancy] = if is_reported { &twice } else { &[] };
        assert_eq!(credited_twice(one(&ours), one(&row), one(&other)), expected, "{name}");
    }
    let (other, _) = confirmed(OTHER, unnamed);
    assert_eq!(credited_twice(&[], one(&row), one(&other)), [], "the row is not recorded");
    assert_eq!(
        credited_twice(&[recorded_as(ONE, "held")], one(&row), one(&other)),
        [],
        "the row is recorded and not credited"
    );
    let sentence = twice[0].to_string();
    assert_eq!(sentence, "deposit#connect#1 and deposit#zerohash#3 are both credited and may be the same coin");
    assert_eq!(twice[0].to_queue(), None);
}

/// The row that `of` reached the status called `name`, read by a backfill that publishes nothing.
fn old(of: &str, name: &str) -> Statement {
    let mut old = row(of, name, 40);
    old.content.evidence.backfilled = Some(Backfill::RecordedOnly);
    old
}

#[test]
fn what_a_backfill_only_recorded_is_the_opening_balance_and_no_difference() {
    let theirs = [row(ONE, "confirmed", 40)];
    let totals = |ours: Resource| {
        let receipts = receipts(one(&ours));
        fundhook_reconciliation::control_totals(&[ours], &theirs, &receipts, at(86_400))
    };
    let (nothing, hundred) = (total((0, "0")), total((1, "100")));
    for (what, ours, opening) in [
        ("only recorded", recorded([&old(ONE, "confirmed")]), true),
        ("and its webhook arrived late", recorded([&old(ONE, "confirmed"), &sent(ONE, "confirmed", 40)]), true),
        ("its webhook arrived first", recorded([&sent(ONE, "confirmed", 40), &old(ONE, "confirmed")]), false),
        ("it was pending then", recorded([&old(ONE, "pending"), &sent(ONE, "confirmed", 40)]), false),
    ] {
        let totals = totals(ours);
        assert_eq!(totals.unpublished, Vec::<String>::new(), "{what}");
        let [line] = &totals.lines[..] else { unreachable!("one line: {totals:?}") };
        let told = if opening { (&nothing, &nothing, &hundred) } else { (&hundred, &hundred, &nothing) };
        assert_eq!((&line.published, &line.posted, &line.opening), told, "{what}");
        assert!(line.holds(), "{what}: {line:?}");
    }

    // What changed after it and was not published is a difference.
    let ours = recorded([&old(ONE, "pending"), &sent(ONE, "confirmed", 40)]);
    let totals = fundhook_reconciliation::control_totals(one(&ours), &theirs, &[], at(86_400));
    assert!(!totals.lines[0].holds() && totals.unpublished.len() == 1, "{totals:?}");
}
