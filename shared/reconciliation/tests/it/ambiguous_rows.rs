//! Rows that may be about what is recorded under another id: a coin must not be credited twice, so a person must look.

use fundhook_domain::{Quantity, Resource, Statement, TransferDetails, Units};
use fundhook_reconciliation::{Discrepancy, may_be_the_same, plan};

use crate::deposits::{id, recorded, recorded_as, row, row_with, sent};
use crate::support::{quantity, with};

const ONE: &str = "deposit#connect#1";
const OTHER: &str = "deposit#connect#7";

/// Days, in seconds.
const DAY: u64 = 86_400;

#[test]
fn the_same_coin_under_another_id_of_the_same_feed_is_ambiguous_and_is_not_healed() {
    let row = row_with(OTHER, |said| said.transaction.hash = Some("0xabcde1".to_owned()));
    let ours = [recorded_as(ONE, "confirmed")];
    let ambiguous = Discrepancy::Ambiguous { theirs: row.clone(), resembles: Some(id(ONE)) };
    let unknown = Discrepancy::UnknownToTheProvider { ours: id(ONE) };
    assert_eq!(plan(&ours, std::slice::from_ref(&row)), [ambiguous.clone(), unknown]);
    assert_eq!((ambiguous.name(), ambiguous.resource(), ambiguous.to_queue()), ("ambiguous", &id(OTHER), None));

    // What one stream tells of twice in one transaction is two deposits.
    let listed = recorded([&crate::deposits::row(ONE, "confirmed", 40)]);
    let names: Vec<_> = plan(&[listed], &[row]).iter().map(Discrepancy::name).collect();
    assert_eq!(names, ["missing", "unknown_to_the_provider"]);
}

#[test]
fn an_ambiguous_row_is_a_sentence() {
    let theirs = row(OTHER, "confirmed", 40);
    for (resembles, said) in [
        (Some(id(ONE)), "deposit#connect#7 is listed and not recorded, and may be deposit#connect#1"),
        (
            None,
            "deposit#connect#7 is listed as confirmed, and names no transaction to tell it by from what another feed tells",
        ),
    ] {
        assert_eq!(Discrepancy::Ambiguous { theirs: theirs.clone(), resembles }.to_string(), said);
    }
}

/// The row of a deposit of another id that names no transaction, saying otherwise what is to be said otherwise.
fn nameless(seconds: u64, say: fn(&mut TransferDetails)) -> Statement {
    with(row(OTHER, "confirmed", seconds), |said| {
        said.transaction.hash = None;
        say(said);
    })
}

#[test]
fn a_row_without_a_coin_may_be_what_was_credited_alike_within_days_of_it() {
    let confirmed = recorded_as(ONE, "confirmed");
    let from_day_eight = recorded([&sent(ONE, "confirmed", 40 + 8 * DAY)]);
    for (what, row, is_possible) in [
        ("alike in all that it tells", nameless(40, |_| {}), true),
        ("within days", nameless(40 + 7 * DAY, |_| {}), true),
        ("weeks later", nameless(41 + 7 * DAY, |_| {}), false),
        ("in the same amount in other units", nameless(40, |said| in_cents(said, "10000")), true),
        ("in another amount", nameless(40, |said| said.quantity = Some(quantity("99.99"))), false),
        ("in capitals of its own", nameless(40, |said| said.asset = Some("usdc".to_owned())), true),
        ("of another asset", nameless(40, |said| said.asset = Some("USDT".to_owned())), false),
        ("of another user", nameless(40, |said| said.account = Some("CUST02".to_owned())), false),
        ("of a user who is not told", nameless(40, |said| said.account = None), false),
        ("with the coin itself", nameless(40, |said| said.transaction.hash = Some("ABCDE1".to_owned())), true),
        ("with an id of the provider's own", nameless(40, |said| said.transaction.hash = Some("7".to_owned())), true),
        (
            "under the same id, which it is then",
            with(row(ONE, "confirmed", 40), |said| said.transaction.hash = None),
            false,
        ),
    ] {
        assert_eq!(may_be_the_same(&confirmed, &row), is_possible, "{what}");
    }
    let on_chain = |said: &mut TransferDetails, digit: &str| said.transaction.hash = Some(digit.repeat(64));
    let recorded_on_chain = recorded([&with(sent(ONE, "confirmed", 40), |said| on_chain(said, "1"))]);
    let told_apart = with(nameless(40, |_| {}), |said| on_chain(said, "2"));
    assert!(!may_be_the_same(&recorded_on_chain, &told_apart), "with another coin, as the chain tells");
    assert!(may_be_the_same(&recorded_on_chain, &nameless(40, |_| {})), "without a coin");
    assert!(may_be_the_same(&from_day_eight, &nameless(40 + DAY, |_| {})), "nor does it matter which comes first");
    assert!(!may_be_the_same(&from_day_eight, &nameless(39 + DAY, |_| {})));
}

fn in_cents(said: &mut TransferDetails, value: &str) {
    said.quantity = Some(Quantity { units: Units::Cents, ..quantity(value) });
}

#[test]
fn only_what_is_credited_to_the_same_organization_is_resembled() {
    let row = nameless(40, |_| {});
    let duplicate = recorded_as(ONE, "confirmed").duplicating(id("deposit#zerohash#3"), 0);
    for (what, ours, is_possible) in [
        ("the other feed's", recorded_as("deposit#zerohash#1", "confirmed"), true),
        ("another organization's", recorded_as("deposit#connect/acme#1", "confirmed"), false),
        ("one that is under way", recorded_as(ONE, "held"), false),
        ("one that failed", recorded_as(ONE, "failed"), false),
        ("a duplicate, which is not credited", duplicate, false),
        ("a withdrawal", recorded_as("withdrawal#connect#1", "confirmed"), false),
        ("what nobody has spoken of", Resource::unknown(id(ONE)), false),
    ] {
        assert_eq!(may_be_the_same(&ours, &row), is_possible, "{what}");
    }
}
