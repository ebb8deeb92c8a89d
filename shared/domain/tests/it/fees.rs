//! Fees: as resources of their own, and as part of their withdrawals.

use std::collections::BTreeSet;

use fundhook_domain::{
    Amount, Balances, Conflict, EventBody, FeeQuantity, Kind, Network, Outcome, Provider, Quantity, ResourceId, Side,
    Statement, TransferBody, TransferDetails, Units, fold,
};

use crate::support::money::in_its_asset;
use crate::support::orders::every_order_has_the_same_result;
use crate::support::{
    deposit, events, folded, in_other_bytes, latest, statement, status, transfer, types, view, with, withdrawal,
};

/// As in the samples.
const FEE: &str = "636300000378000";

fn units(value: &str, units: &str) -> Option<Quantity> {
    Some(Quantity { value: value.parse().expect("a decimal"), units: Units::named(units) })
}

fn charged(seconds: u64) -> Statement {
    with(statement(status(Kind::Fee, "charged"), seconds), |details| {
        details.quantity = units(FEE, "wei");
        details.side = Some(Side::Debit);
        details.balances =
            Balances { before: units("1000000000000000", "wei"), after: units("363699999622000", "wei") };
        details.related = BTreeSet::from([named(Kind::Withdrawal, "w")]);
    })
}

fn refunded(seconds: u64) -> Statement {
    with(statement(status(Kind::Fee, "refunded"), seconds), |details| {
        details.refunded = units(FEE, "wei");
        details.side = Some(Side::Credit);
        details.balances = Balances { before: None, after: units("1000000000000000", "wei") };
        details.related = BTreeSet::from([named(Kind::Fee, "other leg")]);
    })
}

fn named(kind: Kind, native: &str) -> ResourceId {
    ResourceId::new(kind, Provider::Striga, native).expect("an id")
}

/// The body of the latest event of `statements`.
fn body<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> TransferBody {
    let body = latest(statements).data.body;
    let transfer = if let EventBody::Transfer(body) = body { Some(*body) } else { None };
    transfer.expect("the event is about a transfer")
}

/// The total in an event's body, as text.
fn total<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Option<String> {
    body(statements).total.map(|total| format!("{} {}", total.value, total.units.as_str()))
}

#[test]
fn a_refunded_fee_is_refunded_in_every_order_and_does_not_conflict() {
    // The refund may have the earlier time too.
    for (charged_at, refunded_at) in [(0, 10), (10, 0), (5, 5)] {
        let (charged, refunded) = (charged(charged_at), refunded(refunded_at));
        let again = in_other_bytes("refunded again", &refunded);
        let view = every_order_has_the_same_result(&[charged, refunded, again], 2).view.expect("a view");
        let fee = transfer(&view);
        assert_eq!((&fee.quantity, &fee.refunded), (&units(FEE, "wei"), &units(FEE, "wei")));
        assert_eq!((view.status, &view.conflict), (Some(status(Kind::Fee, "refunded")), &None));
    }
}

#[test]
fn a_charge_and_its_refund_are_published_in_the_order_of_arrival() {
    for (statements, outcomes, late) in [
        ([charged(0), refunded(10)], ["fundhook.fee.charged", "fundhook.fee.refunded"], false),
        ([refunded(10), charged(0)], ["fundhook.fee.refunded", "fundhook.fee.updated"], true),
    ] {
        let events = events(&statements);
        assert_eq!(types(&events), outcomes);
        assert_eq!(events[1].data.late, late);
        assert!(events.iter().all(|event| event.data.is_final && event.data.conflicting.is_empty()));
        let [first, second] = statements;
        assert!(matches!(fold(folded([&first]), second), Outcome::Recorded { .. }), "{outcomes:?}");
    }
}

#[test]
fn the_total_of_a_withdrawal_is_amount_plus_fee_if_both_are_known_in_the_same_units() {
    for (case, amount, fee, stated_total, expected) in [
        ("wei and wei", units("9363699999622000", "wei"), units(FEE, "wei"), None, Some("10000000000000000 wei")),
        ("whole coins", units("99.999", "major"), units(".001", "major"), None, Some("100 major")),
        ("unknown units", units("3", "grains"), units("4", "grains"), None, Some("7 grains")),
        (
            "stated by the provider",
            units("99", "major"),
            units("1", "major"),
            units("100.5", "major"),
            Some("100.5 major"),
        ),
        ("stated without a fee", units("99", "major"), None, units("100", "major"), Some("100 major")),
        ("wei and cents", units("9363699999622000", "wei"), units("50", "cents"), None, None),
        ("two unknown units", units("3", "grains"), units("4", "drams"), None, None),
        ("no fee", units("1", "wei"), None, None, None),
        ("no amount", None, units("1", "wei"), None, None),
    ] {
        let statement = with(withdrawal("initiated", 0), |details| {
            (details.quantity, details.fee, details.total) = (amount, fee.map(in_its_asset), stated_total);
        });
        assert_eq!(total([&statement]).as_deref(), expected, "{case}");
    }
}

/// The statement of a withdrawal's fee, which reports no status of the withdrawal.
fn of_a_fee(seconds: u64) -> Statement {
    let mut statement = with(withdrawal("initiated", seconds), |details| {
        let fee = units(FEE, "wei").map(in_its_asset);
        let related = BTreeSet::from([named(Kind::Fee, "w")]);
        *details = TransferDetails { fee, related, ..TransferDetails::default() };
    });
    statement.content.status = None;
    in_other_bytes("the fee", &statement)
}

#[test]
fn a_fee_that_arrives_before_its_withdrawal_is_an_update_without_a_status_and_initiated_follows() {
    let initiated = with(withdrawal("initiated", 0), |details| {
        details.quantity = units("9363699999622000", "wei");
        details.asset = Some("ETH".to_owned());
    });
    let published = events([&of_a_fee(5), &initiated]);
    assert_eq!(types(&published), ["fundhook.withdrawal.updated", "fundhook.withdrawal.initiated"]);
    assert_eq!(published.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
    let (first, second) = (&published[0].data, &published[1].data);
    assert_eq!((first.status, first.previous_status, first.is_final, first.late), (None, None, false, false));
    assert_eq!((second.status, second.previous_status, second.late), (Some("initiated"), None, false));
    assert!(published[0].attributes().iter().all(|(name, _)| *name != "status"), "{:?}", published[0].attributes());
    let json = serde_json::to_value(&published[0]).expect("JSON");
    assert_eq!((json["data"].get("status"), json["data"]["history"][0].get("status")), (None, None));

    let body = body([&of_a_fee(5), &initiated]);
    assert_eq!(body.amount.map(|amount| amount.value.to_string()).as_deref(), Some("9363699999622000"));
    assert_eq!(body.total.map(|total| total.value.to_string()).as_deref(), Some("10000000000000000"));
}

#[test]
fn a_fee_that_arrives_after_its_withdrawal_is_an_update_and_never_late() {
    for name in ["initiated", "confirmed", "returned"] {
        let published = events([&withdrawal(name, 50), &of_a_fee(5)]);
        assert_eq!(
            types(&published),
            [format!("fundhook.withdrawal.{name}"), "fundhook.withdrawal.updated".to_owned()]
        );
        assert_eq!((published[1].data.status, published[1].data.late), (Some(name), false), "it reports no status");
    }
}

#[test]
fn a_fee_in_another_asset_is_not_part_of_the_total() {
    let of = |asset: &str| {
        with(withdrawal("initiated", 0), |details| {
            (details.quantity, details.asset) = (units("99", "major"), Some("USDC".to_owned()));
            let fee = units("1", "major").map(in_its_asset);
            let network = Some(Network::named("ETH"));
            details.fee = fee.map(|fee| FeeQuantity { asset: Some(asset.to_owned()), network, ..fee });
        })
    };
    let in_eth = of("ETH");
    assert_eq!(total([&in_eth]), None);
    let fee = body([&in_eth]).fee.expect("a fee");
    assert_eq!((fee.asset.as_deref(), fee.network.as_ref().map(Network::slug)), (Some("ETH"), Some("ethereum")));
    assert_eq!(total([&of("usdc")]).as_deref(), Some("100 major"));
}

#[test]
fn the_total_combines_an_amount_and_a_fee_from_different_webhooks() {
    let initiated = with(withdrawal("initiated", 0), |details| {
        details.quantity = units("9363699999622000", "wei");
        details.asset = Some("ETH".to_owned());
    });
    // The fee's webhook does not change the status of the withdrawal.
    let fee = with(withdrawal("initiated", 1), |details| {
        let fee = units(FEE, "wei").map(in_its_asset);
        *details = TransferDetails { fee, ..TransferDetails::default() };
        details.related = BTreeSet::from([named(Kind::Fee, "w")]);
    });
    let confirmed = withdrawal("confirmed", 60);
    for statements in [[&initiated, &fee, &confirmed], [&confirmed, &fee, &initiated], [&fee, &confirmed, &initiated]] {
        assert_eq!(total(statements).as_deref(), Some("10000000000000000 wei"));
        let body = body(statements);
        let total = body.total.expect("a total");
        assert_eq!((total.major, total.asset.as_deref()), (Some("0.01".parse().expect("a decimal")), Some("ETH")));
        assert_eq!(body.related, BTreeSet::from([named(Kind::Fee, "w")]));
        assert_eq!(view(statements).status, Some(status(Kind::Withdrawal, "confirmed")));
    }
}

#[test]
fn a_refunded_fee_keeps_its_charged_amount() {
    let initiated = with(withdrawal("initiated", 0), |details| details.quantity = units("5000", "cents"));
    let failed = with(withdrawal("failed", 60), |details| details.refunded = units("4990", "cents"));
    for statements in [[&initiated, &failed], [&failed, &initiated]] {
        let body = body(statements);
        let value = |amount: Option<Amount>| amount.map(|amount| amount.value.to_string());
        assert_eq!((value(body.amount).as_deref(), value(body.refunded).as_deref()), (Some("5000"), Some("4990")));
    }
}

#[test]
fn related_resources_are_merged_and_balances_belong_to_one_movement() {
    for statements in [[charged(0), refunded(10)], [refunded(10), charged(0)]] {
        let body = body(&statements);
        assert_eq!(body.related, BTreeSet::from([named(Kind::Withdrawal, "w"), named(Kind::Fee, "other leg")]));
        // The refund states only the balance after it. The balance before the charge does not belong to that movement.
        let expected = Balances { before: None, after: units("1000000000000000", "wei") };
        assert_eq!((body.balances, body.side), (Some(expected), Some(Side::Credit)));
    }
    // A statement without balances keeps those of the statement before.
    let silent = with(deposit("confirmed", 40), |_| {});
    let related = with(deposit("pending", 0), |details| details.related = BTreeSet::from([named(Kind::Fee, "w")]));
    assert_eq!(body([&related, &silent]).related, BTreeSet::from([named(Kind::Fee, "w")]));
    assert_eq!(body([&silent]).balances, None);
}

#[test]
fn a_fee_charged_twice_is_one_fee_with_its_latest_statement_and_conflicts_if_the_amounts_differ() {
    let same = charged(20);
    let corrected = with(charged(20), |details| details.quantity = units("7", "wei"));
    let about_the_amount = Conflict {
        statuses: vec![status(Kind::Fee, "charged")],
        about: vec!["amount".to_owned()],
        ..Conflict::default()
    };
    for (later, amount, conflict) in [(same, FEE, None), (corrected, "7", Some(about_the_amount))] {
        for statements in [[&charged(0), &later], [&later, &charged(0)]] {
            let view = view(statements);
            assert_eq!((view.status, &view.conflict), (Some(status(Kind::Fee, "charged")), &conflict));
            assert_eq!(transfer(&view).quantity, units(amount, "wei"));
        }
    }
}
