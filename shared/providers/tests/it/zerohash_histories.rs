//! The histories in rows of zerohash's lists: each status that was left again is stated, as its webhook states it.

use std::collections::BTreeSet;

use fundhook_domain::{Kind, ListKind, Resource, Statement};
use fundhook_providers::Envelope;
use serde_json::{Value, json};

use crate::support::statements::{assert_can_be_stored, outcome, transfer_of};
use crate::zerohash_rows::{deposit_row, deposit_webhook, events, recorded, row, statements};

/// The steps of a history, under these names of its members.
pub(crate) fn history(status: &str, steps: &[(&str, &str)]) -> Value {
    steps.iter().map(|(word, at)| json!({ status: word, "timestamp": format!("2025-06-24T{at}Z") })).collect()
}

/// When and how far each statement about the row's resource is, and the name of its event.
fn course(envelope: &Envelope) -> Vec<String> {
    let all = statements(envelope);
    let of_row = all.iter().filter(|statement| statement.resource == all[0].resource);
    let shown = |it: &Statement| format!("{} {} {}", it.content.occurred_at, outcome(it), it.content.event_type);
    of_row.map(shown).collect()
}

#[test]
fn a_row_states_each_status_of_its_history_oldest_first_and_what_it_is_now_last() {
    let steps = [
        ("COMPLETED", "09:04:00"),
        ("pending_settlement", "09:03:00"),
        ("confirmed", "09:01:00"),
        ("Pending_Settlement", "09:02:00"),
    ];
    let listed = deposit_row("completed", &json!({ "history": history("toState", &steps) }));
    let first = json!({
        "createdAt": "2025-06-24T09:00:00Z", "stateReason": "passed", "travelRuleStatus": "allowed",
        "history": [
            { "fromState": "confirmed", "toState": "completed", "timestamp": "2025-06-24T09:02:00Z" },
            { "fromState": "initial", "toState": "confirmed", "timestamp": "2025-06-24T09:01:00Z" },
        ],
    });
    let first = row(ListKind::Deposits, &deposit_row("completed", &first));
    assert_eq!(
        course(&row(ListKind::Deposits, &listed)),
        [
            "2025-06-24T09:01:00Z submitted zerohash.deposits.confirmed",
            "2025-06-24T09:02:00Z held: settlement_pending zerohash.deposits.pending_settlement",
            "2025-06-24T09:04:00Z confirmed zerohash.deposits",
        ]
    );
    assert_eq!(
        course(&first),
        [
            "2025-06-24T09:00:00Z pending zerohash.deposits.initial",
            "2025-06-24T09:01:00Z submitted zerohash.deposits.confirmed",
            "2025-06-24T09:02:00Z confirmed zerohash.deposits",
        ],
        "it had its first state since it was created"
    );
    for statement in &statements(&first)[..2] {
        let details = transfer_of(statement.clone());
        assert_eq!((details.status_reason, details.credit), (None, None), "what belongs to its newest state");
        assert_eq!(details.account.as_deref(), Some("CUST01"));
        assert!(!details.provider_data.contains_key("history"), "what came later");
        assert!(!details.provider_data.contains_key("travel_rule_status"), "what belongs to its newest state");
    }
    let steps = [("submitted", "09:00:00"), ("retried", "09:01:00"), ("settled", "09:02:00"), ("returned", "09:03:00")];
    let returned = json!({
        "transaction_id": "b-1", "status": "returned", "ach_failure_reason": "R01", "amount": "25", "asset": "USD",
        "type": "credit", "updated_at": "2025-06-25T00:00:00Z", "status_history": history("status", &steps),
    });
    let returned = row(ListKind::BankPayments, &returned);
    assert_eq!(
        course(&returned),
        [
            "2025-06-24T09:00:00Z submitted zerohash.bank_payments.submitted",
            "2025-06-24T09:02:00Z confirmed zerohash.bank_payments.settled",
            "2025-06-24T09:03:00Z returned zerohash.bank_payments",
        ],
        "a word that says nothing about the money is left out"
    );
    let reasons = statements(&returned).into_iter().map(|statement| transfer_of(statement).status_reason);
    assert_eq!(reasons.collect::<Vec<_>>(), [None, None, Some("R01".to_owned())]);
    let ids: BTreeSet<_> = statements(&returned).into_iter().map(|it| it.content.id).collect();
    assert_eq!(ids.len(), 3, "three facts");
}

#[test]
fn a_history_states_no_credit_that_was_left_and_nothing_that_cannot_be_read() {
    let all = |steps: &[(&str, &str)], state| {
        let listed = deposit_row(state, &json!({ "history": history("toState", steps) }));
        course(&row(ListKind::Deposits, &listed)).iter().map(|it| it[21..].to_owned()).collect::<Vec<_>>()
    };
    for credited in ["completed", "credited", "Completed"] {
        assert_eq!(
            all(&[(credited, "09:01:00"), ("quarantined", "09:02:00")], "quarantined"),
            ["held: quarantined zerohash.deposits"],
            "{credited}"
        );
    }
    let without_account = json!({
        "participantCode": null, "amount": null,
        "history": history("toState", &[("completed", "09:01:00"), ("pending_settlement", "09:02:00")]),
    });
    let without_account = row(ListKind::Deposits, &deposit_row("pending_settlement", &without_account));
    assert_eq!(course(&without_account).len(), 1, "a credit that is held counts as one");
    for (what, left) in [
        ("an unknown state", "teleported"),
        ("a state that contradicts the newest one", "quarantined"),
        ("another one", "recovery_quarantine"),
    ] {
        let stated = all(&[(left, "09:01:00"), ("completed", "09:02:00")], "completed");
        assert_eq!(stated, ["confirmed zerohash.deposits"], "{what}");
    }
    assert_eq!(
        all(&[("pending_approval", "09:01:00"), ("confirmed", "09:02:00"), ("completed", "09:03:00")], "confirmed"),
        ["submitted zerohash.deposits"],
        "neither a state that is further than the newest one nor one that came after it"
    );
    for (steps, status, stated) in [
        (["failed", "retried", "settled"], "settled", vec!["confirmed zerohash.bank_payments"]),
        (["returned", "retried", "settled"], "settled", vec!["confirmed zerohash.bank_payments"]),
        (
            ["submitted", "posted", "returned"],
            "posted",
            vec!["submitted zerohash.bank_payments.submitted", "broadcast zerohash.bank_payments"],
        ),
    ] {
        let steps: Vec<_> = steps.into_iter().zip(["09:01:00", "09:02:00", "09:03:00"]).collect();
        let listed = json!({
            "transaction_id": "b-1", "status": status, "type": "credit", "history": [],
            "status_history": history("status", &steps),
        });
        let course = course(&row(ListKind::BankPayments, &listed));
        assert_eq!(course.iter().map(|it| &it[21..]).collect::<Vec<_>>(), stated, "{steps:?}, listed as {status}");
    }
    let odd = json!({ "history": [
        7, null, [], {}, { "toState": 7, "timestamp": "2025-06-24T09:01:00Z" },
        { "toState": "initial" }, { "toState": "initial", "timestamp": "soon" }, { "toState": "initial", "timestamp": 0 },
        { "toState": "two words", "timestamp": "2025-06-24T09:01:00Z" },
        { "toState": "long".repeat(100), "timestamp": "2025-06-24T09:01:00Z" },
        { "toState": " confirmed ", "timestamp": 1_750_755_600 },
    ] });
    let odd = row(ListKind::Deposits, &deposit_row("completed", &odd));
    let names: Vec<String> = statements(&odd).into_iter().map(|it| it.content.event_type).collect();
    assert_eq!(names, ["zerohash.deposits.confirmed", "zerohash.deposits"]);
    statements(&odd).iter().for_each(|statement| assert_can_be_stored(statement, "an odd history"));
    let states = ["initial", "confirmed", "pending_approval"];
    let long: Value =
        (0..3000).map(|nth| json!({ "toState": states[nth % 3], "timestamp": 1_750_755_000 + nth })).collect();
    let long = row(ListKind::Deposits, &deposit_row("completed", &json!({ "history": long })));
    assert_eq!(statements(&long).len(), 4, "each status once");
}

#[test]
fn a_history_and_its_webhooks_make_one_event_for_each_status_in_every_order() {
    let steps = [("initial", "09:01:00"), ("pending_compliance_review", "09:02:00"), ("completed", "09:03:00")];
    let listed = row(ListKind::Deposits, &deposit_row("completed", &json!({ "history": history("toState", &steps) })));
    let earlier = json!({ "history": history("toState", &steps[..2]) });
    let earlier = row(ListKind::Deposits, &deposit_row("pending_compliance_review", &earlier));
    let webhooks = steps.map(|(state, _)| deposit_webhook(state));
    let [first, second, third] = &webhooks;
    for envelopes in [
        &[first, second, third][..],
        &[&listed],
        &[&listed, &listed],
        &[&earlier, &listed],
        &[first, &listed],
        &[second, &listed, third],
        &[third, &listed],
        &[&listed, first, second, third],
        &[&listed, third, second, first],
        &[&earlier, first, third, &listed, second],
    ] {
        assert_eq!(events(Kind::Deposit, envelopes).len(), 3, "{envelopes:?}");
        let resources = recorded(envelopes);
        let view = resources.values().next().and_then(Resource::view).expect("a view");
        assert!(view.is_credited() && view.conflict.is_none(), "{envelopes:?}");
    }
    assert_eq!(events(Kind::Deposit, &[&listed]), ["deposit.pending", "deposit.held", "deposit.confirmed"]);
}
