//! Rows that may be about a deposit that is recorded under another id: a coin must not be credited twice, so they need
//! review.

use fundhook_domain::{Quantity, Resource, Statement, TransferDetails, Units};
use fundhook_reconciliation::{Ambiguity, Discrepancy, may_be_the_same, plan};

use crate::deposits::{id, recorded, recorded_as, row, row_with, sent};
use crate::support::{duplicate_of, quantity, with};

const ONE: &str = "deposit#connect#1";
const OTHER: &str = "deposit#connect#7";

/// A day in seconds.
const DAY: u64 = 86_400;

#[test]
fn the_same_coin_under_another_id_of_the_same_feed_is_ambiguous_and_is_not_queued() {
    let row = row_with(OTHER, |details| details.transaction.hash = Some("0xabcde1".to_owned()));
    let ours = [recorded_as(ONE, "confirmed")];
    let ambiguous = Discrepancy::Ambiguous { theirs: row.clone(), reason: Ambiguity::Resembles(id(ONE)) };
    let unknown = Discrepancy::UnknownToTheProvider { ours: id(ONE) };
    assert_eq!(plan(&ours, std::slice::from_ref(&row)), [ambiguous.clone(), unknown]);
    assert_eq!((ambiguous.name(), ambiguous.resource(), ambiguous.to_queue()), ("ambiguous", &id(OTHER), None));

    // If one webhook family reports two deposits in one transaction, they are two.
    let listed = recorded([&crate::deposits::row(ONE, "confirmed", 40)]);
    let names: Vec<_> = plan(&[listed], &[row]).iter().map(Discrepancy::name).collect();
    assert_eq!(names, ["missing", "unknown_to_the_provider"]);
}

#[test]
fn an_ambiguous_discrepancy_is_a_sentence() {
    let theirs = row(OTHER, "confirmed", 40);
    for (reason, sentence) in [
        (Ambiguity::Resembles(id(ONE)), "deposit#connect#7 is listed and not recorded, and may be deposit#connect#1"),
        (
            Ambiguity::CoinNotIdentified,
            "deposit#connect#7 is listed as confirmed without a transaction hash, so it may be a deposit that the \
             organization's other feed reported",
        ),
    ] {
        assert_eq!(Discrepancy::Ambiguous { theirs: theirs.clone(), reason }.to_string(), sentence);
    }
}

/// The row of a deposit with another id and no transaction hash, changed by `say`.
fn without_hash(seconds: u64, say: fn(&mut TransferDetails)) -> Statement {
    with(row(OTHER, "confirmed", seconds), |details| {
        details.transaction.hash = None;
        say(details);
    })
}

#[test]
fn a_row_without_a_coin_may_be_a_similar_deposit_that_was_credited_within_days() {
    let confirmed = recorded_as(ONE, "confirmed");
    let from_day_eight = recorded([&sent(ONE, "confirmed", 40 + 8 * DAY)]);
    for (what, row, is_possible) in [
        ("equal in everything else", without_hash(40, |_| {}), true),
        ("within days", without_hash(40 + 7 * DAY, |_| {}), true),
        ("weeks later", without_hash(41 + 7 * DAY, |_| {}), false),
        ("with the same amount in other units", without_hash(40, |details| in_cents(details, "10000")), true),
        ("with another amount", without_hash(40, |details| details.quantity = Some(quantity("99.99"))), false),
        (
            "with another spelling of the asset",
            without_hash(40, |details| details.asset = Some("usdc".to_owned())),
            true,
        ),
        ("of another asset", without_hash(40, |details| details.asset = Some("USDT".to_owned())), false),
        ("of another user", without_hash(40, |details| details.account = Some("CUST02".to_owned())), false),
        ("without a user", without_hash(40, |details| details.account = None), false),
        (
            "with the same transaction",
            without_hash(40, |details| details.transaction.hash = Some("ABCDE1".to_owned())),
            true,
        ),
        (
            "with an id of the provider instead of a hash",
            without_hash(40, |details| details.transaction.hash = Some("7".to_owned())),
            true,
        ),
        (
            "under the same id, so it is the same deposit",
            with(row(ONE, "confirmed", 40), |details| details.transaction.hash = None),
            false,
        ),
    ] {
        assert_eq!(may_be_the_same(&confirmed, &row), is_possible, "{what}");
    }
    let on_chain = |details: &mut TransferDetails, digit: &str| details.transaction.hash = Some(digit.repeat(64));
    let recorded_on_chain = recorded([&with(sent(ONE, "confirmed", 40), |details| on_chain(details, "1"))]);
    let with_other_coin = with(without_hash(40, |_| {}), |details| on_chain(details, "2"));
    assert!(!may_be_the_same(&recorded_on_chain, &with_other_coin), "with another transaction on a chain");
    assert!(may_be_the_same(&recorded_on_chain, &without_hash(40, |_| {})), "without a coin");
    assert!(may_be_the_same(&from_day_eight, &without_hash(40 + DAY, |_| {})), "whichever is dated first");
    assert!(!may_be_the_same(&from_day_eight, &without_hash(39 + DAY, |_| {})));
}

fn in_cents(details: &mut TransferDetails, value: &str) {
    details.quantity = Some(Quantity { units: Units::Cents, ..quantity(value) });
}

#[test]
fn only_credited_deposits_of_the_same_organization_are_similar() {
    let row = without_hash(40, |_| {});
    let duplicate = duplicate_of(&id("deposit#zerohash#3"), [&sent(ONE, "confirmed", 40)]);
    for (what, ours, is_possible) in [
        ("the other feed's deposit", recorded_as("deposit#zerohash#1", "confirmed"), true),
        ("another organization's deposit", recorded_as("deposit#connect/acme#1", "confirmed"), false),
        ("a deposit on hold", recorded_as(ONE, "held"), false),
        ("a failed deposit", recorded_as(ONE, "failed"), false),
        ("a duplicate, which is not credited", duplicate, false),
        ("a withdrawal", recorded_as("withdrawal#connect#1", "confirmed"), false),
        ("a resource without facts", Resource::unknown(id(ONE)), false),
    ] {
        assert_eq!(may_be_the_same(&ours, &row), is_possible, "{what}");
    }
}
