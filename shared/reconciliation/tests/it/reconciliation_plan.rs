//! What is recorded compared with what the provider lists: every kind of difference, and what is queued for it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use fundhook_domain::{
    CoinRelation, DecimalValue, FactContent, FeeQuantity, HoldReason, Network, Outcome, Quantity, Relation, Resource,
    SimilarKey, Statement, StatementContent, Status, Transaction, TransferDetails, Units, WebhookFamily, fold,
};
use fundhook_reconciliation::{Discrepancy, History, claim_of, plan, untold};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use crate::deposits::{id, recorded, recorded_as, row, row_with, sent};
use crate::support::{duplicate_of, events, in_other_bytes, quantity, types, with};

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

/// Whether the row is queued like a webhook.
fn to_queue(discrepancy: &Discrepancy) -> bool {
    discrepancy.to_queue().is_some()
}

#[test]
fn what_is_listed_and_not_recorded_is_missing() {
    let row = row(CONNECTS, "confirmed", 40);
    // A resource without facts is not recorded.
    for ours in [vec![], vec![Resource::unknown(id(CONNECTS))], vec![recorded_as("deposit#connect#2", "held")]] {
        let discrepancy = only(&ours, std::slice::from_ref(&row));
        assert_eq!(discrepancy, Discrepancy::Missing { theirs: row.clone() });
        assert_eq!(discrepancy.to_queue(), Some((&id(CONNECTS), &row.content.id)));
    }
}

#[test]
fn a_row_of_any_status_is_compared_with_a_deposit_of_any_status() {
    // A list has only these three statuses. It may lag behind the webhooks, so a row with a step on the way to a final
    // status is not a difference.
    const LISTED: [&str; 3] = ["abandoned", "held", "confirmed"];
    for (ours, expected) in [
        ("pending", ["behind", "behind", "behind"]),
        ("submitted", ["behind", "behind", "behind"]),
        ("abandoned", ["", "behind", "behind"]),
        ("held", ["", "", "behind"]),
        ("confirmed", ["", "", ""]),
        ("failed", ["", "", "conflicts"]),
        ("unexpected", ["", "", "conflicts"]),
    ] {
        for (theirs, expected) in LISTED.into_iter().zip(expected) {
            let (resource, row) = (recorded_as(CONNECTS, ours), row(CONNECTS, theirs, 40));
            let (ours_id, listed) = (id(CONNECTS), row.clone());
            let members = vec!["status"];
            let discrepancy = match expected {
                "" => None,
                "behind" => Some(Discrepancy::Behind { ours: ours_id, theirs: listed }),
                _ => Some(Discrepancy::Differs { ours: ours_id, theirs: listed, members }),
            };
            let found = plan(&[resource], std::slice::from_ref(&row));
            assert_eq!(found, Vec::from_iter(discrepancy), "{ours} is listed as {theirs}");
            for discrepancy in found {
                let queued = Some((&id(CONNECTS), &row.content.id));
                assert_eq!(discrepancy.to_queue(), queued, "{ours} is listed as {theirs}");
            }
        }
    }
}

#[test]
fn a_confirmed_deposit_that_is_listed_as_held_differs_only_if_the_two_conflict() {
    use HoldReason::{
        AccountMatchPending, AmountMissing, AmountsDisagree, FeeBearerUnknown, NotConverted, Quarantined,
    };
    for (reason, amount, members) in [
        // The list lags behind, or cannot tell with what the deposit is credited.
        (AccountMatchPending, "100", &[][..]),
        (FeeBearerUnknown, "100", &[]),
        (AmountMissing, "100", &[]),
        (FeeBearerUnknown, "99", &["amount"]),
        (AmountsDisagree, "100", &["status"]),
        (NotConverted, "100", &["status"]),
        (Quarantined, "100", &["status"]),
    ] {
        let listed = with(row(CONNECTS, "held", 50), |details| {
            details.hold = Some(reason.into());
            details.quantity = Some(quantity(amount));
        });
        let found = plan(&[recorded_as(CONNECTS, "confirmed")], std::slice::from_ref(&listed));
        let differs = Discrepancy::Differs { ours: id(CONNECTS), theirs: listed, members: members.to_vec() };
        assert_eq!(found, Vec::from_iter((!members.is_empty()).then_some(differs)), "{reason} of {amount}");
        assert!(!found.iter().any(to_queue), "{reason} of {amount}: a row is weaker evidence than the webhook");
    }
}

#[test]
fn a_final_status_that_contradicts_the_recorded_one_is_queued_as_a_conflict_and_reported_once() {
    let (failed, row) = (sent(CONNECTS, "failed", 30), row(CONNECTS, "confirmed", 40));
    let outcome = fold(recorded([&failed]), row.clone());
    assert!(matches!(outcome, Outcome::Conflicting { .. }), "{outcome:?}");
    let events = events([&failed, &row]);
    assert_eq!(types(&events), ["fundhook.deposit.failed", "fundhook.deposit.conflicting"]);
    assert!(events[1].data.reconciled);
    assert_eq!(plan(&[outcome.into_resource()], &[row]), []);
}

#[test]
fn a_deposit_that_is_listed_as_held_for_another_reason_is_behind_only_if_the_same_family_reported_it() {
    use HoldReason::{AccountMatchFailed, AccountMatchPending};
    let held = |statement: Statement, reason: HoldReason, family: WebhookFamily| {
        with(statement, |details| (details.hold, details.family) = (Some(reason.into()), Some(family)))
    };
    let (fund, connect) = (WebhookFamily::ZerohashFund, WebhookFamily::ConnectDeposits);
    for (family, reason, is_behind) in [
        (fund, AccountMatchFailed, true),
        (fund, AccountMatchPending, false),
        // Two families name the reasons differently.
        (connect, AccountMatchFailed, false),
    ] {
        let recorded = recorded([&held(sent(ZEROHASHS, "held", 30), AccountMatchPending, family)]);
        let listed = held(row(ZEROHASHS, "held", 40), reason, fund);
        let behind = Discrepancy::Behind { ours: id(ZEROHASHS), theirs: listed.clone() };
        let found = plan(std::slice::from_ref(&recorded), std::slice::from_ref(&listed));
        assert_eq!(found, Vec::from_iter(is_behind.then_some(behind)), "{family} said pending, and the list {reason}");
        let after = fold(recorded, listed.clone()).into_resource();
        assert_eq!(plan(&[after], &[listed]), [], "{reason} is queued once");
    }
}

#[test]
fn a_deposit_that_is_held_because_of_another_one_is_not_behind_a_row_that_contradicts_its_confirmation() {
    let by_fund = |details: &mut TransferDetails| details.family = Some(WebhookFamily::ZerohashFund);
    let confirmed = with(sent(ZEROHASHS, "confirmed", 30), by_fund);
    let amount: DecimalValue = "100".parse().expect("a decimal");
    let similar = SimilarKey::new(confirmed.resource.feed(), "CUST01", "USDC", &amount);
    let content = CoinRelation::Resembles { similar, deposit: Some(id("deposit#connect#9")) };
    let StatementContent { id: fact, occurred_at, evidence, .. } = confirmed.content.clone();
    let relation = Relation { id: fact, content, occurred_at, evidence, is_alone: false };
    let related = fold(Resource::unknown(id(ZEROHASHS)), FactContent::Relation(Box::new(relation))).into_resource();
    let held = fold(related, confirmed).into_resource();
    assert_eq!(held.view().and_then(|view| view.status).map(Status::as_str), Some("held"));
    let failed = with(row(ZEROHASHS, "held", 40), |details| {
        by_fund(details);
        details.hold = Some(HoldReason::AccountMatchFailed.into());
    });
    assert_eq!(plan(&[held], &[failed]), []);
}

/// The name of a case, the change to the row, and the members that then differ.
type Case = (&'static str, fn(&mut TransferDetails), &'static [&'static str]);

#[test]
fn rows_that_contradict_other_members_differ_and_are_not_queued() {
    let cases: [Case; 17] = [
        ("nothing", |_| {}, &[]),
        ("the amount", |details| details.quantity = Some(quantity("100.000000000000000001")), &["amount"]),
        ("the spelling of the amount", |details| details.quantity = Some(quantity("100.00")), &[]),
        ("the units, with an equal amount", |details| in_units(details, "10000", "cents"), &[]),
        ("the amount, in other units", |details| in_units(details, "100", "cents"), &["amount"]),
        ("the amount, in unknown units", |details| in_units(details, "7", "grains"), &[]),
        ("the asset", |details| details.asset = Some("USDT".to_owned()), &["asset"]),
        ("the spelling of the asset", |details| details.asset = Some("usdc".to_owned()), &[]),
        ("the network", |details| details.network = Some(Network::named("ethereum")), &["network"]),
        ("the spelling of the network", |details| details.network = Some(Network::named("BASE")), &[]),
        ("an unknown network", |details| details.network = Some(Network::named("Somechain")), &[]),
        ("the transaction", |details| details.transaction.hash = Some("0xabcde2".to_owned()), &["transaction"]),
        ("the spelling of the hash", |details| details.transaction.hash = Some("ABCDE1-0".to_owned()), &[]),
        ("the account", |details| details.account = Some("CUST02".to_owned()), &["account"]),
        ("less than the webhook", |details| *details = TransferDetails::default(), &[]),
        ("a member that is not about money", |details| details.status_reason = Some("success".to_owned()), &[]),
        (
            "everything",
            |details| {
                *details = TransferDetails {
                    quantity: Some(quantity("1")),
                    asset: Some("USDT".to_owned()),
                    network: Some(Network::named("ethereum")),
                    account: Some("CUST02".to_owned()),
                    ..TransferDetails::default()
                };
                details.transaction.hash = Some("0xabcde2".to_owned());
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
        assert!(!found.iter().any(to_queue), "{what}: a row is weaker evidence than a signed webhook");
    }
}

fn in_units(details: &mut TransferDetails, value: &str, units: &str) {
    details.quantity = Some(Quantity { units: Units::named(units), ..quantity(value) });
}

#[test]
fn what_is_confirmed_and_not_listed_is_unknown_to_the_provider() {
    let withdrawal = recorded_as("withdrawal#connect#1", "confirmed");
    assert_eq!(names(&[withdrawal], &[]), ["unknown_to_the_provider"]);
    let discrepancy = only(&[recorded_as(CONNECTS, "confirmed")], &[]);
    assert_eq!(discrepancy, Discrepancy::UnknownToTheProvider { ours: id(CONNECTS) });
    assert!(!to_queue(&discrepancy));
    let silent = with(sent(CONNECTS, "confirmed", 40), |details| *details = TransferDetails::default());
    assert_eq!(names(&[recorded([&silent])], &[]), ["unknown_to_the_provider"], "without any details, too");

    let (confirmed, failed) = (sent(CONNECTS, "confirmed", 40), sent(CONNECTS, "failed", 50));
    let duplicate = duplicate_of(&id(ZEROHASHS), [&confirmed]);
    for (what, ours) in [
        ("a duplicate, which is not credited", duplicate),
        ("a deposit with conflicting statuses", recorded([&confirmed, &failed])),
        ("a failed deposit", recorded([&failed])),
        ("a deposit on hold", recorded_as(CONNECTS, "held")),
        ("a withdrawal on its way", recorded_as("withdrawal#connect#1", "broadcast")),
        ("a resource without facts", Resource::unknown(id(CONNECTS))),
    ] {
        assert_eq!(plan(&[ours], &[]), [], "{what}");
    }
}

#[test]
fn a_row_is_about_the_deposit_with_its_id_in_either_feed() {
    for (ours, theirs) in [(CONNECTS, CONNECTS), (CONNECTS, ZEROHASHS), (ZEROHASHS, CONNECTS), (ZEROHASHS, ZEROHASHS)] {
        let rows = [row(theirs, "confirmed", 40)];
        assert_eq!(plan(&[recorded_as(ours, "confirmed")], &rows), [], "{theirs} is {ours}");
        let behind = only(&[recorded_as(ours, "held")], &rows);
        assert_eq!(behind.name(), "behind");
        assert_eq!(
            behind.to_queue(),
            Some((&id(ours), &rows[0].content.id)),
            "the queued row is about the recorded deposit"
        );
        let contradicted = only(&[recorded_as(ours, "failed")], &rows);
        assert_eq!(
            contradicted.to_queue(),
            Some((&id(ours), &rows[0].content.id)),
            "it is the same deposit in both feeds"
        );
    }
    // The row's own feed is preferred.
    let both = [recorded_as(CONNECTS, "held"), recorded_as(ZEROHASHS, "confirmed")];
    assert_eq!(names(&both, &[row(CONNECTS, "confirmed", 40)]), ["behind", "unknown_to_the_provider"]);
    assert_eq!(names(&both, &[row(ZEROHASHS, "confirmed", 40)]), Vec::<&str>::new());
    // Only deposits are reported by both feeds.
    let withdrawal = recorded_as("withdrawal#zerohash#1", "confirmed");
    assert_eq!(
        names(&[withdrawal], &[row("withdrawal#connect#1", "confirmed", 40)]),
        ["missing", "unknown_to_the_provider"]
    );
}

#[test]
fn a_payment_is_matched_under_each_of_its_names_and_a_bank_may_return_it_after_it_settled() {
    const OWN: &str = "withdrawal#zerohash#p-1";
    const REQUEST: &str = "withdrawal#zerohash#w-1";
    let named = |status, at| {
        with(row(OWN, status, at), |details| {
            details.names = [id(OWN), id(REQUEST)].into();
            // The webhook under the other name is about another transaction in these tests.
            details.transaction = Transaction::default();
        })
    };
    for recorded_under in [OWN, REQUEST] {
        let of = |status| [recorded_as(recorded_under, status)];
        assert_eq!(plan(&of("confirmed"), &[named("confirmed", 40)]), [], "{recorded_under}");
        assert_eq!(names(&of("broadcast"), &[named("confirmed", 40)]), ["behind"], "{recorded_under}");
        assert_eq!(names(&of("confirmed"), &[named("returned", 50)]), ["behind"], "{recorded_under}");
        let contradicted = only(&of("failed"), &[named("confirmed", 40)]);
        assert_eq!((contradicted.name(), to_queue(&contradicted)), ("differs", true), "{recorded_under}");
    }
}

#[test]
fn a_row_with_a_fee_or_a_transaction_that_no_webhook_stated_is_queued_for_a_withdrawal_that_has_ended() {
    const ONE: &str = "withdrawal#zerohash#1";
    let plain = |status| with(row(ONE, status, 40), |details| details.transaction = Transaction::default());
    let with_hash = |status| with(plain(status), |details| details.transaction.hash = Some("0x1".to_owned()));
    let with_fee = |status| {
        with(plain(status), |details| {
            details.fee = Some(FeeQuantity { quantity: quantity("1"), asset: None, network: None });
        })
    };
    for (status, is_ended) in [("confirmed", true), ("failed", true), ("broadcast", false)] {
        let ours = [recorded([&with(sent(ONE, status, 40), |details| details.transaction = Transaction::default())])];
        for completed in [with_hash(status), with_fee(status)] {
            let expected: &[&str] = if is_ended { &["incomplete"] } else { &[] };
            assert_eq!(names(&ours, &[completed]), expected, "{status}");
        }
        assert_eq!(names(&ours, &[plain(status)]), Vec::<&str>::new(), "{status}");
    }
    let of_deposit = recorded_as(CONNECTS, "confirmed");
    assert_eq!(names(&[of_deposit], &[row(CONNECTS, "confirmed", 40)]), Vec::<&str>::new());
    let ours = recorded([&with(sent(ONE, "confirmed", 40), |details| details.transaction = Transaction::default())]);
    assert!(to_queue(&only(&[ours], &[with_fee("confirmed")])));
}

/// A row about the deposit `fund-7`, of the coin of the deposit `1`.
fn same_coin(of: &str, say: impl FnOnce(&mut TransferDetails)) -> Statement {
    row_with(of, |details| {
        details.transaction.hash = Some("0xabcde1".to_owned());
        say(details);
    })
}

#[test]
fn a_row_under_another_id_is_about_the_deposit_that_its_coin_is_credited_under() {
    let fund = "deposit#zerohash#7";
    let owner = recorded_as(CONNECTS, "confirmed");
    let of_its_coin = same_coin(fund, |_| {});
    assert_eq!(claim_of(&of_its_coin).map(|key| key.to_string()).as_deref(), Some("abcde1"));
    assert_eq!(plan(std::slice::from_ref(&owner), &[of_its_coin]), [], "the row is about the credited deposit");
    for (what, ours, row, expected) in [
        ("another coin", owner.clone(), row(fund, "confirmed", 40), vec!["missing", "unknown_to_the_provider"]),
        (
            "a row that does not identify its coin",
            owner.clone(),
            same_coin(fund, |details| details.transaction.to = None),
            vec!["missing", "unknown_to_the_provider"],
        ),
        (
            "the coin on another chain",
            owner.clone(),
            same_coin(fund, |details| details.network = Some(Network::named("ethereum"))),
            vec!["missing", "unknown_to_the_provider"],
        ),
        (
            "the second deposit that one webhook family reports in a transaction",
            recorded_as(ZEROHASHS, "confirmed"),
            same_coin(fund, |_| {}),
            vec!["missing", "unknown_to_the_provider"],
        ),
        ("a deposit that is not credited yet", recorded_as(CONNECTS, "held"), same_coin(fund, |_| {}), vec!["missing"]),
        (
            "a duplicate of a third deposit",
            duplicate_of(&id("deposit#connect#3"), [&sent(CONNECTS, "confirmed", 40)]),
            same_coin(fund, |_| {}),
            vec!["missing"],
        ),
        (
            "another amount of the coin",
            owner.clone(),
            same_coin(fund, |details| details.quantity = Some(quantity("99"))),
            vec!["differs"],
        ),
    ] {
        assert_eq!(names(&[ours], &[row]), expected, "{what}");
    }
}

#[test]
fn a_row_that_is_matched_only_by_its_coin_is_not_queued() {
    // Its statement would be about a deposit with another id.
    for listed_as in ["held", "failed"] {
        let row = row("deposit#zerohash#7", listed_as, 40);
        let row = with(row, |details| {
            details.transaction.hash = Some("0xabcde1".to_owned());
            details.hold = (listed_as == "held").then(|| HoldReason::NotConverted.into());
        });
        let differs = only(&[recorded_as(CONNECTS, "confirmed")], &[row]);
        assert_eq!(
            (differs.name(), differs.resource(), to_queue(&differs)),
            ("differs", &id(CONNECTS), false),
            "{listed_as}"
        );
    }
    let contradicted = only(&[recorded_as(CONNECTS, "confirmed")], &[row(CONNECTS, "failed", 40)]);
    assert!(to_queue(&contradicted), "matched by its id, it is queued");
}

#[test]
fn rows_never_match_deposits_of_another_organization() {
    let acmes = "deposit#connect/acme#1";
    for (ours, theirs) in [(CONNECTS, acmes), (acmes, CONNECTS), (acmes, ZEROHASHS), (acmes, "deposit#connect/bolt#1")]
    {
        let rows = [row(theirs, "confirmed", 40)];
        let expected = ["missing", "unknown_to_the_provider"];
        assert_eq!(names(&[recorded_as(ours, "confirmed")], &rows), expected, "{theirs} is not {ours}");
        // The same when the coin is equal.
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
        assert_eq!(plan(&[recorded_as(CONNECTS, "confirmed")], &rows), [], "only one page lags");
    }
}

#[test]
fn each_discrepancy_is_a_sentence() {
    let confirmed = || recorded_as(CONNECTS, "confirmed");
    for (ours, theirs, sentence) in [
        (vec![], vec![row(CONNECTS, "held", 40)], "deposit#connect#1 is listed as held and not recorded"),
        (
            vec![recorded_as(CONNECTS, "pending")],
            vec![row(ZEROHASHS, "confirmed", 40)],
            "deposit#connect#1 is listed as confirmed and recorded with an earlier status",
        ),
        (
            vec![confirmed()],
            vec![row_with(CONNECTS, |details| {
                (details.quantity, details.account) = (Some(quantity("1")), Some("x".into()))
            })],
            "deposit#connect#1 is listed as confirmed and differs in: amount, account",
        ),
        (vec![confirmed()], vec![], "deposit#connect#1 is recorded as confirmed and not listed"),
    ] {
        assert_eq!(only(&ours, &theirs).to_string(), sentence);
    }
    let history = History { newest: &row(CONNECTS, "confirmed", 40), left: &[row(CONNECTS, "pending", 20)] };
    let missed = untold(&[confirmed()], &[history], &[]);
    assert_eq!(missed[0].to_string(), "deposit#connect#1 was pending before, which no webhook reported");
}

/// Few ids and coins, so that rows and deposits match often.
fn id_of(native: usize, feed: usize) -> String {
    format!("deposit#{}#{native}", ["connect", "zerohash", "connect/acme"][feed])
}

fn ours() -> impl Strategy<Value = Vec<Resource>> {
    let resource = (0..4_usize, 0..3_usize, 0..7_usize, 0..2_usize).prop_map(|(native, feed, status, coin)| {
        let name = ["pending", "submitted", "held", "abandoned", "confirmed", "failed", "unexpected"][status];
        let hash = Some(format!("0xabcde{coin}"));
        recorded([&with(sent(&id_of(native, feed), name, 40), |details| details.transaction.hash = hash)])
    });
    prop::collection::vec(resource, 0..8).prop_map(|resources| {
        let by_id: BTreeMap<_, _> = resources.into_iter().map(|it| (it.id().clone(), it)).collect();
        by_id.into_values().collect()
    })
}

/// Rows as in a list: all under one feed of each organization.
fn theirs() -> impl Strategy<Value = Vec<Statement>> {
    let picks = (0..4_usize, any::<bool>(), 0..3_usize, 0..3_usize, 40..43_u64);
    let row = picks.prop_map(|(native, is_acmes, status, coin, seconds)| {
        let feed = if is_acmes { 2 } else { 0 };
        let name = ["held", "abandoned", "confirmed"][status];
        let hash = Some(format!("0xabcde{coin}"));
        let row = with(row(&id_of(native, feed), name, seconds), |details| details.transaction.hash = hash);
        in_other_bytes(&format!("{native} {feed} {name} {coin} {seconds}"), &row)
    });
    prop::collection::vec(row, 0..8)
}

/// All elements in some order, some of them several times.
fn again_in_any_order<T: Clone + Debug>(all: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let again = prop::collection::vec(any::<prop::sample::Index>(), if all.is_empty() { 0..1 } else { 0..4 });
    again.prop_flat_map(move |again| {
        let again = again.iter().filter(|_| !all.is_empty()).map(|index| index.get(&all).clone());
        Just(all.iter().cloned().chain(again).collect::<Vec<_>>()).prop_shuffle()
    })
}

proptest! {
    // The seed of a failing case is printed and stored next to this file.
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
    fn after_missed_rows_are_recorded_no_status_differs((ours, theirs) in (ours(), theirs())) {
        let mut reconciled = ours.clone();
        for discrepancy in plan(&ours, &theirs) {
            let Some((of, fact)) = discrepancy.to_queue() else { continue };
            let row = theirs.iter().find(|row| row.content.id == *fact).expect("the row to queue");
            // The envelope of the row is about the recorded resource, so its statement is too.
            let mut statement = row.clone();
            statement.resource = of.clone();
            let at = reconciled.iter().position(|resource| resource.id() == of);
            let before = at.map_or_else(|| Resource::unknown(of.clone()), |at| reconciled.swap_remove(at));
            let after = fold(before, statement).into_resource();
            reconciled.push(after);
        }
        let left = plan(&reconciled, &theirs);
        prop_assert!(!left.iter().any(to_queue), "{left:#?}");
    }
}
