//! What a deposit says about coins, for the claims on them.

use std::collections::BTreeSet;

use fundhook_domain::{Claim, ClaimEntry, ClaimKey, Fate, HoldReason, Statement, WebhookFamily};

use crate::support::coins::{CONNECT, DEPOSIT, FUND, HASH, Report, UNEXPECTED, World, recovery};
use crate::support::{folded, with, withdrawal};

fn entries(reports: &[Report]) -> Vec<ClaimEntry> {
    let statements: Vec<Statement> = reports.iter().map(|report| report.statement()).collect();
    folded(&statements).claim_entries().into_values().collect()
}

#[test]
fn a_deposit_has_an_entry_when_its_coin_has_a_fate_and_its_transaction_is_known() {
    let silent = Report { hash: None, ..CONNECT };
    let pending = Report { status: "pending", seconds: 0, ..CONNECT };
    let failed = Report { status: "failed", seconds: 50, ..CONNECT };
    let held = |hold| Report { status: "held", hold: Some(hold), ..CONNECT };
    for (case, reports, fate) in [
        ("confirmed", vec![CONNECT], Some(Fate::Credited)),
        ("unexpected", vec![UNEXPECTED], Some(Fate::Unexpected)),
        ("quarantined", vec![held(HoldReason::Quarantined)], Some(Fate::Quarantined)),
        ("held for another reason", vec![held(HoldReason::ComplianceReview)], None),
        ("pending", vec![pending], None),
        ("failed", vec![failed], None),
        ("confirmed, the transaction known from before", vec![pending, silent], Some(Fate::Credited)),
        ("confirmed, the transaction known only afterwards", vec![silent, pending], Some(Fate::Credited)),
        ("confirmed without a transaction", vec![silent], None),
        ("without an address", vec![Report { address: None, ..CONNECT }], Some(Fate::Credited)),
        ("without a network", vec![Report { network: None, ..CONNECT }], Some(Fate::Credited)),
        ("an id of the provider in place of a transaction", vec![Report { hash: Some(UUID), ..CONNECT }], None),
        ("confirmed and failed", vec![CONNECT, failed], Some(Fate::Disputed)),
        ("failed and confirmed", vec![failed, CONNECT], Some(Fate::Disputed)),
    ] {
        let fates: Vec<Fate> = entries(&reports).iter().map(|entry| entry.fate).collect();
        assert_eq!(fates, Vec::from_iter(fate), "{case}");
    }
    let withdrawn = with(withdrawal("confirmed", 40), |details| details.transaction.hash = Some(HASH.to_owned()));
    assert!(folded([&withdrawn]).claim_entries().is_empty());
}

const UUID: &str = "e8641f4b-2098-4f86-95ba-711151cee6a5";

#[test]
fn an_entry_says_what_the_deposit_says_about_the_money() {
    let [entry] = &entries(&[Report { credit: Some(("99", "USD")), ..FUND }])[..] else { unreachable!("one entry") };
    assert_eq!((entry.resource.clone(), entry.fate), (FUND.id(), Fate::Credited));
    assert_eq!(entry.amount.as_ref().map(ToString::to_string).as_deref(), Some("100"));
    assert_eq!(entry.credit.as_ref().map(|credit| credit.net.value.to_string()).as_deref(), Some("99"));
    assert_eq!((entry.account.as_deref(), entry.recovery.as_ref()), (Some("CUST01"), None));
    assert_eq!(entry.families, [WebhookFamily::ZerohashFund].into());
    let [entry] = &entries(&[UNEXPECTED])[..] else { unreachable!("one entry") };
    assert_eq!((entry.credit.as_ref(), entry.recovery.as_ref()), (None, Some(&recovery())));
}

#[test]
fn an_entry_names_every_family_that_reported_the_deposit_whichever_was_last() {
    use WebhookFamily::{ConnectDeposits, ConnectTransactions};
    let pending = Report { status: "pending", seconds: 0, ..CONNECT };
    let listed = Report { family: ConnectTransactions, ..CONNECT };
    for (reports, families) in [
        (vec![CONNECT], vec![ConnectDeposits]),
        (vec![listed], vec![ConnectTransactions]),
        (vec![pending, listed], vec![ConnectDeposits, ConnectTransactions]),
        (vec![listed, pending], vec![ConnectDeposits, ConnectTransactions]),
    ] {
        let [entry] = &entries(&reports)[..] else { unreachable!("one entry") };
        assert_eq!(entry.families, families.into_iter().collect::<BTreeSet<_>>(), "{reports:?}");
    }
}

const OTHER: &str = "0x7b9301dd3cbec040ebd7a902e7b2aa4ff1b9150b65fd2a432cb0f5b6537dcf06";

/// Which transactions a deposit names. A replaced transaction of a pending deposit must be able to vanish.
#[test]
fn a_corrected_transaction_has_an_entry_beside_the_first_and_one_of_a_pending_deposit_has_none() {
    let corrected = Report { hash: Some(OTHER), seconds: 50, ..CONNECT };
    let pending = Report { status: "pending", hash: Some(OTHER), seconds: 0, ..CONNECT };
    let silent = Report { hash: None, ..CONNECT };
    let (first, other) = (&HASH[2..], &OTHER[2..]);
    for (reports, transactions) in [
        (vec![CONNECT, corrected], vec![other, first]),
        (vec![corrected, CONNECT], vec![other, first]),
        (vec![pending, CONNECT], vec![first]),
        (vec![CONNECT, pending], vec![first]),
        (vec![pending, silent], vec![other]),
        (vec![silent, pending, CONNECT], vec![other, first]),
    ] {
        let entries = entries(&reports);
        let named: Vec<&str> = entries.iter().filter_map(|entry| entry.coin.transaction()).collect();
        assert_eq!(named, transactions, "{reports:?}");
    }
}

#[test]
fn coins_of_different_organizations_are_in_different_claims() {
    let keys = ["connect", "connect/acme", "connect/bolt", "zerohash/acme"].map(|feed| {
        let [entry] = &entries(&[Report { feed, ..CONNECT }])[..] else { unreachable!("one entry") };
        entry.key().expect("a transaction").to_string()
    });
    assert!(keys[1].starts_with("acme/") && keys[1].ends_with(&keys[0]), "{keys:?}");
    assert_ne!(keys[1], keys[2]);
    assert_eq!(keys[1], keys[3], "an organization's feeds share a claim");
    let long = "x".repeat(5000);
    assert!(ClaimKey::new(CONNECT.id().feed(), &long).as_str().len() < 1024, "a table key has at most 2,048 bytes");
}

#[test]
fn a_claim_reads_back_as_it_was_written() {
    let world = World::after(&[CONNECT, FUND, Report { amount: "99", ..DEPOSIT }, UNEXPECTED]);
    let claim = world.only_claim();
    let json = serde_json::to_string(claim).expect("JSON");
    assert_eq!(serde_json::from_str::<Claim>(&json).expect("a claim"), *claim, "{json}");
}
