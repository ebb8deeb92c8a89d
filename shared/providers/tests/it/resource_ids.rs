//! The ids of resources: nothing personal and no amount is in them, and the same thing has the same id.

use std::collections::BTreeSet;

use fundhook_domain::{Details, Kind, ResourceId, Statement};
use serde_json::{Map, Value};

use crate::support::samples::Sample;
use crate::support::statements::leaves;

/// Every resource that `statement` is about or names.
fn named(statement: &Statement) -> Vec<ResourceId> {
    let others: Vec<ResourceId> = match &statement.content.details {
        Details::Transfer(transfer) => transfer.related.iter().cloned().collect(),
        Details::Recovery(recovery) => recovery.related().into_iter().collect(),
        Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => Vec::new(),
    };
    [vec![statement.resource.clone()], others].concat()
}

/// Every string and number in `body`, but for those of the members that are the provider's own ids.
fn told(body: &Map<String, Value>) -> BTreeSet<String> {
    let ids = [
        "id",
        "fund_id",
        "deposit_id",
        "payment_id",
        "withdrawal_request_id",
        "external_account_id",
        "userId",
        "accountId",
        "bankingTransactionId",
    ];
    // A bank payment is named by its `transaction_id`, a fund transaction by another member.
    let is_bank_payment = body.contains_key("payment_status");
    let mut all = BTreeSet::new();
    for (name, value) in body {
        if let Value::Object(members) = value {
            all.extend(told(members));
        } else {
            let is_id = ids.contains(&name.as_str()) || (is_bank_payment && name == "transaction_id");
            all.extend(if is_id { Vec::new() } else { leaves(value) });
        }
    }
    all
}

#[test]
fn no_id_contains_anything_that_a_sample_tells_beside_the_providers_ids() {
    let mut checked = 0;
    for sample in Sample::all() {
        let Ok(body) = serde_json::from_slice::<Map<String, Value>>(&sample.body) else { continue };
        // Short numbers and words are in a digest by chance.
        let told: Vec<String> = told(&body).into_iter().filter(|text| text.len() >= 5).collect();
        for resource in sample.statements().iter().flat_map(named) {
            // A participant is named by the code that the provider and the platform share; it is its id.
            if resource.kind() == Kind::Participant {
                continue;
            }
            let native = resource.native().to_lowercase();
            for text in &told {
                assert!(!native.contains(&text.to_lowercase()), "{}: {text:?} is in {resource}", sample.name);
            }
            checked += 1;
        }
    }
    assert!(checked >= 60, "{checked} ids");
}

#[test]
fn an_id_is_the_providers_or_a_digest() {
    for sample in Sample::all() {
        for resource in sample.statements().iter().flat_map(named) {
            let native = resource.native();
            let is_digest = |digits: usize| native.len() == digits && native.bytes().all(|b| b.is_ascii_hexdigit());
            let text = String::from_utf8_lossy(&sample.body);
            let own = native.split(':').next().expect("a part");
            match resource.kind() {
                Kind::Balance | Kind::Recovery => assert!(is_digest(32), "{}: {resource}", sample.name),
                Kind::Unrecognized => assert!(is_digest(64), "{}: {resource}", sample.name),
                Kind::Deposit if sample.name == "deposit_failed" => assert!(is_digest(32), "{resource}"),
                Kind::Deposit
                | Kind::Withdrawal
                | Kind::Fee
                | Kind::Exchange
                | Kind::Participant
                | Kind::ExternalAccount => {
                    assert!(text.contains(&format!("\"{own}\"")), "{}: {resource}", sample.name);
                }
            }
        }
    }
}

#[test]
fn a_body_has_the_same_ids_whenever_it_is_read_and_in_whatever_order_its_members_are() {
    for sample in Sample::all() {
        let ids = |statements: &[Statement]| statements.iter().flat_map(named).collect::<Vec<_>>();
        let known = ids(&sample.statements());
        assert_eq!(ids(&sample.statements()), known, "{}", sample.name);
        let Ok(body) = serde_json::from_slice::<Map<String, Value>>(&sample.body) else { continue };
        if known.iter().any(|id| id.kind() == Kind::Unrecognized) || sample.name == "odd.duplicate_key" {
            continue;
        }
        let reversed: Map<String, Value> = body.into_iter().rev().collect();
        let reordered = Sample { body: serde_json::to_vec(&reversed).expect("JSON"), ..sample };
        assert_eq!(ids(&reordered.statements()), known, "{}", reordered.name);
    }
}
