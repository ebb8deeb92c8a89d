//! What is recorded, held against what the provider lists: each way to differ, and how each is healed.

use std::collections::BTreeMap;
use std::fmt::Debug;

use fundhook_domain::{Network, Outcome, Quantity, Resource, Statement, TransferDetails, Units, fold};
use fundhook_reconciliation::{Discrepancy, coin_of, plan};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use crate::deposits::{id, recorded, recorded_as, row, row_with, sent};
use crate::support::{events, in_other_bytes, quantity, types, with};

const CONNECTS: &str = "deposit#connect#1";
const ZEROHASHS: &str = "deposit#zerohash#1";

/// The one discrepancy between what is recorded and what is listed.
fn only(ours: &[Resource], theirs: &[Statement]) -> Discrepancy {
    let mut discrepancies = plan(ours, theirs);
    assert_eq!(discrepancies.len(), 1, "{discrepancies:#?}");
    discrepancies.remove(0)
}

/// The names of the discrepancies.
fn names(ours: &[Resource], theirs: &[Statement]) -> Vec<&'static str> {
    plan(ours, theirs).iter().map(Discrepancy::name).collect()
}

/// Whether the row takes the road of a webhook.
fn to_queue(discrepancy: &Discrepancy) -> bool {
    discrepancy.to_queue().is_some()
}

#[test]
fn what_is_listed_and_not_recorded_is_missing() {
    let row = row(CONNECTS, "confirmed", 40);
    // A resource that nobody has spoken of is not recorded.
    for ours in [vec![], vec![Resource::unknown(id(CONNECTS))], vec![recorded_as("deposit#connect#2", "held")]] {
        let discrepancy = only(&ours, std::slice::from_ref(&row));
        assert_eq!(discrepancy, Discrepancy::Missing { theirs: row.clone() });
        assert_eq!(discrepancy.to_queue(), Some((&id(CONNECTS), &row.content.id)));
    }
}

#[test]
fn a_row_of_any_status_is_held_against_a_deposit_of_any_status() {
    // A list tells of no other statuses than these three. It may lag, and a deposit that failed may be listed as not
    // succeeded; that one was credited which is so listed is another matter.
    const LISTED: [&str; 3] = ["held", "abandoned", "confirmed"];
    for (ours, expected) in [
        ("pending", ["behind", "behind", "behind"]),
        ("submitted", ["behind", "behind", "behind"]),
        ("held", ["", "behind", "behind"]),
        ("abandoned", ["", "", "behind"]),
        ("confirmed", ["differs", "differs", ""]),
        ("failed", ["", "", "differs and heals"]),
        ("unexpected", ["", "", "differs and heals"]),
    ] {
        for (theirs, expected) in LISTED.into_iter().zip(expected) {
            let (resource, row) = (recorded_as(CONNECTS, ours), row(CONNECTS, theirs, 40));
            let (ours_id, theirs_said) = (id(CONNECTS), row.clone());
            let members = vec!["status"];
            let discrepancy = match expected {
                "" => None,
                "behind" => Some(Discrepancy::Behind { ours: ours_id, theirs: theirs_said }),
                _ => Some(Discrepancy::Differs { ours: ours_id, theirs: theirs_said, members }),
            };
            let found = plan(&[resource], std::slice::from_ref(&row));
            assert_eq!(found, Vec::from_iter(discrepancy), "{ours} is listed as {theirs}");
            for discrepancy in found {
                let healing = discrepancy.to_queue().map(|(of, fact)| (of.clone(), fact.clone()));
                let expected = (expected != "differs").then(|| (id(CONNECTS), row.content.id.clone()));
                assert_eq!(healing, expected, "{ours} is listed as {theirs}");
            }
        }
    }
}

#[test]
fn a_final_status_that_contradicts_the_recorded_one_heals_as_a_conflict_and_is_told_once() {
    let (failed, row) = (sent(CONNECTS, "failed", 30), row(CONNECTS, "confirmed", 40));
    let outcome = fold(recorded([&failed]), row.clone());
    assert!(matches!(outcome, Outcome::Conflicting { .. }), "{outcome:?}");
    let events = events([&failed, &row]);
    assert_eq!(types(&events), ["fundhook.deposit.failed", "fundhook.deposit.conflicting"]);
    assert!(events[1].data.reconciled);
    assert_eq!(plan(&[outcome.into_resource()], &[row]), []);
}

/// What a row says otherwise, which is the case, and in which members it thereby differs.
type Case = (&'static str, fn(&mut TransferDetails), &'static [&'static str]);

#[test]
fn other_particulars_differ_member_by_member_and_are_for_a_person() {
    let cases: [Case; 17] = [
        ("nothing", |_| {}, &[]),
        ("the amount", |said| said.quantity = Some(quantity("100.000000000000000001")), &["amount"]),
        ("the amount, which is the same", |said| said.quantity = Some(quantity("100.00")), &[]),
        ("the units, but not the amount", |said| in_units(said, "10000", "cents"), &[]),
        ("the amount, in other units", |said| in_units(said, "100", "cents"), &["amount"]),
        ("the amount, in units that nobody knows", |said| in_units(said, "7", "grains"), &[]),
        ("the asset", |said| said.asset = Some("USDT".to_owned()), &["asset"]),
        ("the asset's capitals", |said| said.asset = Some("usdc".to_owned()), &[]),
        ("the network", |said| said.network = Some(Network::named("ethereum")), &["network"]),
        ("the network's spelling", |said| said.network = Some(Network::named("BASE")), &[]),
        ("a network that nobody knows", |said| said.network = Some(Network::named("Somechain")), &[]),
        ("the transaction", |said| said.transaction.hash = Some("0xabcde2".to_owned()), &["transaction"]),
        ("the hash's spelling", |said| said.transaction.hash = Some("ABCDE1-0".to_owned()), &[]),
        ("the account", |said| said.account = Some("CUST02".to_owned()), &["account"]),
        ("less than the webhook", |said| *said = TransferDetails::default(), &[]),
        ("what is no particular of the money", |said| said.status_reason = Some("success".to_owned()), &[]),
        (
            "all of it",
            |said| {
                *said = TransferDetails {
                    quantity: Some(quantity("1")),
                    asset: Some("USDT".to_owned()),
                    network: Some(Network::named("ethereum")),
                    account: Some("CUST02".to_owned()),
                    ..TransferDetails::default()
                };
                said.transaction.hash = Some("0xabcde2".to_owned());
            },
            &["amount", "asset", "network", "transaction", "account"],
        ),
    ];
    for (what, say, members) in cases {
        let row = row_with(CONNECTS, say);
        let found = plan(&[recorded_as(CONNECTS, "confirmed")], std::slice::from_ref(&row));
        let (ours, members) = (id(CONNECTS), members.to_vec());
        let differs = Discrepancy::Differs { ours, theirs: row, members: members.clone() };
        let expected = if members.is_empty() { vec![] } else { vec![differs] };
        assert_eq!(found, expected, "{what}");
        assert!(!found.iter().any(to_queue), "{what}: a row is weaker evidence than what the provider signed");
    }
}

fn in_units(said: &mut TransferDetails, value: &str, units: &str) {
    said.quantity = Some(Quantity { units: Units::named(units), ..quantity(value) });
}

#[test]
fn a_confirmed_deposit_that_is_not_listed_is_unknown_to_the_provider() {
    let discrepancy = only(&[recorded_as(CONNECTS, "confirmed")], &[]);
    assert_eq!(discrepancy, Discrepancy::UnknownToTheProvider { ours: id(CONNECTS) });
    assert!(!to_queue(&discrepancy));
    let silent = with(sent(CONNECTS, "confirmed", 40), |said| *said = TransferDetails::default());
    assert_eq!(names(&[recorded([&silent])], &[]), ["unknown_to_the_provider"], "whatever is known of it");

    let (confirmed, failed) = (sent(CONNECTS, "confirmed", 40), sent(CONNECTS, "failed", 50));
    let duplicate = recorded([&confirmed]).duplicating(id(ZEROHASHS), 0);
    for (what, ours) in [
        ("a duplicate, which is not credited", duplicate),
        ("one that contradicts itself", recorded([&confirmed, &failed])),
        ("one that failed", recorded([&failed])),
        ("one that is under way", recorded_as(CONNECTS, "held")),
        ("a withdrawal", recorded_as("withdrawal#connect#1", "confirmed")),
        ("what nobody has spoken of", Resource::unknown(id(CONNECTS))),
    ] {
        assert_eq!(plan(&[ours], &[]), [], "{what}");
    }
}

#[test]
fn a_row_is_about_the_deposit_of_its_id_in_either_feed() {
    for (ours, theirs) in [(CONNECTS, CONNECTS), (CONNECTS, ZEROHASHS), (ZEROHASHS, CONNECTS), (ZEROHASHS, ZEROHASHS)] {
        let rows = [row(theirs, "confirmed", 40)];
        assert_eq!(plan(&[recorded_as(ours, "confirmed")], &rows), [], "{theirs} is {ours}");
        let behind = only(&[recorded_as(ours, "held")], &rows);
        assert_eq!(behind.name(), "behind");
        assert_eq!(behind.to_queue(), Some((&id(ours), &rows[0].content.id)), "it is to speak of what is recorded");
        let contradicted = only(&[recorded_as(ours, "failed")], &rows);
        assert_eq!(
            contradicted.to_queue(),
            Some((&id(ours), &rows[0].content.id)),
            "it is the same deposit in both feeds"
        );
    }
    // Its own feed comes first.
    let both = [recorded_as(CONNECTS, "held"), recorded_as(ZEROHASHS, "confirmed")];
    assert_eq!(names(&both, &[row(CONNECTS, "confirmed", 40)]), ["behind", "unknown_to_the_provider"]);
    assert_eq!(names(&both, &[row(ZEROHASHS, "confirmed", 40)]), Vec::<&str>::new());
    // Only deposits are told of by both.
    let withdrawal = recorded_as("withdrawal#zerohash#1", "confirmed");
    assert_eq!(names(&[withdrawal], &[row("withdrawal#connect#1", "confirmed", 40)]), ["missing"]);
}

/// A row about the deposit `fund-7`, of the coin of the deposit `1`.
fn same_coin(of: &str, say: impl FnOnce(&mut TransferDetails)) -> Statement {
    row_with(of, |said| {
        said.transaction.hash = Some("0xabcde1".to_owned());
        say(said);
    })
}

#[test]
fn a_row_under_another_id_is_about_the_deposit_that_its_coin_is_credited_under() {
    let fund = "deposit#zerohash#7";
    let owner = recorded_as(CONNECTS, "confirmed");
    let of_its_coin = same_coin(fund, |_| {});
    assert_eq!(coin_of(&of_its_coin).as_deref(), Some("abcde1#0xe7f436f9#USDC"));
    assert_eq!(plan(std::slice::from_ref(&owner), &[of_its_coin]), [], "it is the credited deposit");
    for (what, ours, row, expected) in [
        ("another coin", owner.clone(), row(fund, "confirmed", 40), vec!["missing", "unknown_to_the_provider"]),
        (
            "a row that tells too little of its coin",
            owner.clone(),
            same_coin(fund, |said| said.transaction.to = None),
            vec!["missing", "unknown_to_the_provider"],
        ),
        (
            "the coin on another chain",
            owner.clone(),
            same_coin(fund, |said| said.network = Some(Network::named("ethereum"))),
            vec!["missing", "unknown_to_the_provider"],
        ),
        (
            "the second deposit that one stream tells of in a transaction",
            recorded_as(ZEROHASHS, "confirmed"),
            same_coin(fund, |_| {}),
            vec!["missing", "unknown_to_the_provider"],
        ),
        (
            "a deposit that is credited nowhere yet",
            recorded_as(CONNECTS, "held"),
            same_coin(fund, |_| {}),
            vec!["missing"],
        ),
        (
            "a deposit that is credited under a third",
            owner.clone().duplicating(id("deposit#connect#3"), 0),
            same_coin(fund, |_| {}),
            vec!["missing"],
        ),
        (
            "another amount of the coin",
            owner.clone(),
            same_coin(fund, |said| said.quantity = Some(quantity("99"))),
            vec!["differs"],
        ),
    ] {
        assert_eq!(names(&[ours], &[row]), expected, "{what}");
    }
}

#[test]
fn a_deposit_that_only_its_coin_shows_to_be_listed_is_not_healed_by_the_row() {
    // Its signal would be about a deposit of another id.
    for listed_as in ["held", "failed"] {
        let row = row("deposit#zerohash#7", listed_as, 40);
        let row = with(row, |said| said.transaction.hash = Some("0xabcde1".to_owned()));
        let differs = only(&[recorded_as(CONNECTS, "confirmed")], &[row]);
        assert_eq!(
            (differs.name(), differs.resource(), to_queue(&differs)),
            ("differs", &id(CONNECTS), false),
            "{listed_as}"
        );
    }
    let contradicted = only(&[recorded_as(CONNECTS, "confirmed")], &[row(CONNECTS, "failed", 40)]);
    assert!(to_queue(&contradicted), "by its id it is");
}

#[test]
fn two_organizations_are_apart() {
    let acmes = "deposit#connect/acme#1";
    for (ours, theirs) in [(CONNECTS, acmes), (acmes, CONNECTS), (acmes, ZEROHASHS), (acmes, "deposit#connect/bolt#1")]
    {
        let rows = [row(theirs, "confirmed", 40)];
        let expected = ["missing", "unknown_to_the_provider"];
        assert_eq!(names(&[recorded_as(ours, "confirmed")], &rows), expected, "{theirs} is not {ours}");
        // Nor by the coin.
        let theirs = theirs.replace("#1", "#7");
        assert_eq!(names(&[recorded_as(ours, "confirmed")], &[same_coin(&theirs, |_| {})]), expected, "{theirs}");
    }
    assert_eq!(plan(&[recorded_as(acmes, "confirmed")], &[row("deposit#zerohash/acme#1", "confirmed", 40)]), []);
    assert_eq!(plan(&[recorded_as(acmes, "confirmed")], &[same_coin("deposit#zerohash/acme#7", |_| {})]), []);
}

#[test]
fn of_several_rows_about_one_deposit_the_furthest_counts() {
    let (held, confirmed) = (row(CONNECTS, "held", 50), row(CONNECTS, "confirmed", 40));
    let again = row(CONNECTS, "confirmed", 45);
    for rows in [
        vec![held.clone(), confirmed.clone(), again.clone()],
        vec![again.clone(), confirmed.clone(), held.clone()],
        vec![again.clone(), held, again.clone(), confirmed],
    ] {
        assert_eq!(only(&[], &rows), Discrepancy::Missing { theirs: again.clone() });
        assert_eq!(plan(&[recorded_as(CONNECTS, "confirmed")], &rows), [], "it lags on one page only");
    }
}

#[test]
fn each_discrepancy_is_a_sentence() {
    let confirmed = || recorded_as(CONNECTS, "confirmed");
    for (ours, theirs, said) in [
        (vec![], vec![row(CONNECTS, "held", 40)], "deposit#connect#1 is listed as held and not recorded"),
        (
            vec![recorded_as(CONNECTS, "pending")],
            vec![row(ZEROHASHS, "confirmed", 40)],
            "deposit#connect#1 is listed as confirmed and not recorded as that",
        ),
        (
            vec![confirmed()],
            vec![row_with(CONNECTS, |said| (said.quantity, said.account) = (Some(quantity("1")), Some("x".into())))],
            "deposit#connect#1 is listed as confirmed and differs in: amount, account",
        ),
        (vec![confirmed()], vec![], "deposit#connect#1 is recorded as confirmed and not listed"),
    ] {
        assert_eq!(only(&ours, &theirs).to_string(), said);
    }
}

/// One of what may be recorded, and one of what may be listed: few ids and coins, so that they meet.
fn of_few(native: usize, feed: usize) -> String {
    format!("deposit#{}#{native}", ["connect", "zerohash", "connect/acme"][feed])
}

fn ours() -> impl Strategy<Value = Vec<Resource>> {
    let resource = (0..4_usize, 0..3_usize, 0..7_usize, 0..2_usize).prop_map(|(native, feed, status, coin)| {
        let name = ["pending", "submitted", "held", "abandoned", "confirmed", "failed", "unexpected"][status];
        let hash = Some(format!("0xabcde{coin}"));
        recorded([&with(sent(&of_few(native, feed), name, 40), |said| said.transaction.hash = hash)])
    });
    prop::collection::vec(resource, 0..8).prop_map(|resources| {
        let by_id: BTreeMap<_, _> = resources.into_iter().map(|it| (it.id().clone(), it)).collect();
        by_id.into_values().collect()
    })
}

/// Rows as a list has them: all under one feed of each organization.
fn theirs() -> impl Strategy<Value = Vec<Statement>> {
    let picks = (0..4_usize, any::<bool>(), 0..3_usize, 0..3_usize, 40..43_u64);
    let row = picks.prop_map(|(native, is_acmes, status, coin, seconds)| {
        let feed = if is_acmes { 2 } else { 0 };
        let name = ["held", "abandoned", "confirmed"][status];
        let hash = Some(format!("0xabcde{coin}"));
        let row = with(row(&of_few(native, feed), name, seconds), |said| said.transaction.hash = hash);
        in_other_bytes(&format!("{native} {feed} {name} {coin} {seconds}"), &row)
    });
    prop::collection::vec(row, 0..8)
}

/// What there is, in some order, some of it several times.
fn again_in_any_order<T: Clone + Debug>(all: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let again = prop::collection::vec(any::<prop::sample::Index>(), if all.is_empty() { 0..1 } else { 0..4 });
    again.prop_flat_map(move |again| {
        let again = again.iter().filter(|_| !all.is_empty()).map(|index| index.get(&all).clone());
        Just(all.iter().cloned().chain(again).collect::<Vec<_>>()).prop_shuffle()
    })
}

proptest! {
    // A failing case's seed is printed, and kept beside this file.
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn neither_order_nor_repetition_changes_anything(
        (ours, theirs, again) in (ours(), theirs()).prop_flat_map(|(ours, theirs)| {
            let again = (again_in_any_order(ours.clone()), again_in_any_order(theirs.clone()));
            (Just(ours), Just(theirs), again)
        }),
    ) {
        let found = plan(&ours, &theirs);
        prop_assert_eq!(&plan(&again.0, &again.1), &found);
        for discrepancy in found.iter().filter(|discrepancy| to_queue(discrepancy)) {
            prop_assert_ne!(discrepancy.name(), "unknown_to_the_provider");
        }
    }

    #[test]
    fn what_is_healed_differs_in_no_status_any_more((ours, theirs) in (ours(), theirs())) {
        let mut healed = ours.clone();
        for discrepancy in plan(&ours, &theirs) {
            let Some((of, fact)) = discrepancy.to_queue() else { continue };
            let row = theirs.iter().find(|row| row.content.id == *fact).expect("the row that heals it");
            // The row's envelope is about what is recorded, so its signal is.
            let mut said = row.clone();
            said.resource = of.clone();
            let at = healed.iter().position(|resource| resource.id() == of);
            let before = at.map_or_else(|| Resource::unknown(of.clone()), |at| healed.swap_remove(at));
            let after = fold(before, said).into_resource();
            healed.push(after);
        }
        let left = plan(&healed, &theirs);
        prop_assert!(!left.iter().any(to_queue), "{left:#?}");
    }
}
