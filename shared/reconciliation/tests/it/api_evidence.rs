//! Rows of the provider's list replace webhooks that were missed and corroborate those that arrived, in any order.

use std::collections::BTreeSet;

use fundhook_domain::{
    Change, Details, Event, EvidenceClass, ExternalAccountStatus, Fact, Network, NewFact, Outcome, ParticipantStatus,
    Resource, Statement, Status, TransferDetails, View, WebhookFamily, events_after, fold,
};
use fundhook_reconciliation::claim_of;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use crate::deposits::{id, recorded, row, row_with, sent};
use crate::support::coins::World;
use crate::support::orders::every_order_has_the_same_result;
use crate::support::{at, folded, in_other_bytes, listed, quantity, transfer, view, with};

const ONE: &str = "deposit#connect#1";
const TWO: &str = "deposit#connect#2";
const FUND: &str = "deposit#zerohash#7";

fn webhook(name: &str, seconds: u64) -> Statement {
    sent(ONE, name, seconds)
}

/// The webhook that confirms the deposit, and the row that lists it as confirmed: read later, with another date, and with
/// members in addition to the money.
fn confirmed() -> [Statement; 2] {
    let webhook = with(webhook("confirmed", 40), |details| {
        details.session.id = Some("16032e11".to_owned());
        details.status_reason = None;
    });
    let row = with(row(ONE, "confirmed", 55), |details| {
        details.reference_id = Some("order-1".to_owned());
        details.status_reason = Some("success".to_owned());
    });
    [webhook, row]
}

fn class(view: &View) -> EvidenceClass {
    view.evidence.attestation.class
}

fn types_and_reconciled(events: &[Event]) -> Vec<(&str, bool)> {
    events.iter().map(|event| (event.event_type.as_str(), event.data.reconciled)).collect()
}

#[test]
fn a_row_and_a_webhook_with_the_same_status_are_one_event_in_either_order() {
    let [webhook, row] = confirmed();
    every_order_has_the_same_result(&[webhook.clone(), row.clone()], 1);
    for (what, first, second, is_reconciled) in
        [("the row first", &row, &webhook, true), ("the webhook first", &webhook, &row, false)]
    {
        let resource = folded([first]);
        let outcome = fold(resource, second.clone());
        assert!(matches!(outcome, Outcome::Recorded { change: None, .. }), "{what}: {outcome:?}");
        let resource = outcome.into_resource();
        assert_eq!((resource.version(), resource.sequence()), (2, 1), "{what}: both are recorded");
        assert_eq!(
            types_and_reconciled(&events_after(&resource, 0)),
            [("fundhook.deposit.confirmed", is_reconciled)],
            "{what}"
        );
        assert_eq!(events_after(&resource, 1), [], "{what}");
    }
}

#[test]
fn a_webhook_supersedes_the_row_and_members_of_the_row_alone_are_kept() {
    let [webhook, row] = confirmed();
    let (of_webhook, of_row) = (view([&webhook]), view([&row]));
    assert_eq!((class(&of_webhook), class(&of_row)), (EvidenceClass::Asymmetric, EvidenceClass::Api));

    let both = view([&row, &webhook]);
    assert_eq!(both, view([&webhook, &row]));
    assert_eq!((both.status, both.occurred_at), (of_webhook.status, at(40)), "though the row's date is later");
    assert_eq!((&both.fact, &both.evidence), (&of_webhook.fact, &of_webhook.evidence));
    assert_eq!(both.conflicting(), []);
    let history: Vec<&str> = both.history.iter().map(|entry| entry.event_type.as_str()).collect();
    assert_eq!(history, ["connect.transactions", "connect.deposit.confirmed"]);

    // Both agree about the money. Each adds what the other lacks, and the reason is the webhook's.
    let expected = TransferDetails { reference_id: Some("order-1".to_owned()), ..transfer(&of_webhook).clone() };
    assert_eq!(*transfer(&both), expected);
    assert_eq!(transfer(&of_row).status_reason.as_deref(), Some("success"));
}

#[test]
fn a_webhook_of_an_earlier_status_does_not_strengthen_the_evidence_of_a_later_row() {
    let (held, row) = (webhook("held", 20), row(ONE, "confirmed", 40));
    for statements in [[&held, &row], [&row, &held]] {
        assert_eq!(class(&view(statements)), EvidenceClass::Api, "only the row says so");
    }
    every_order_has_the_same_result(&[held, row, webhook("confirmed", 40)], 2);
}

/// A member about the money, whether it is booked, and the change to it.
type Case = (&'static str, bool, fn(&mut TransferDetails));

#[test]
fn a_row_that_contradicts_the_webhook_about_the_money_is_an_event_of_its_own() {
    let webhook = webhook("confirmed", 40);
    let cases: [Case; 5] = [
        ("amount", true, |details| details.quantity = Some(quantity("99"))),
        ("asset", true, |details| details.asset = Some("USDT".to_owned())),
        ("network", false, |details| details.network = Some(Network::named("ethereum"))),
        ("transaction", false, |details| details.transaction.hash = Some("0xabcde2".to_owned())),
        ("account", true, |details| details.account = Some("CUST02".to_owned())),
    ];
    for (member, is_booked, say) in cases {
        let row = row_with(ONE, say);
        every_order_has_the_same_result(&[webhook.clone(), row.clone()], 2);
        let (row_late, webhook_late) = (folded([&webhook, &row]), folded([&row, &webhook]));
        // One coin is booked with one amount, in one asset, for one account: what differs there needs review.
        let confirmed = "fundhook.deposit.confirmed";
        let second = if is_booked { "fundhook.deposit.conflicting" } else { "fundhook.deposit.updated" };
        assert_eq!(types_and_reconciled(&events_after(&row_late, 0)), [(confirmed, false), (second, true)], "{member}");
        assert_eq!(
            types_and_reconciled(&events_after(&webhook_late, 0)),
            [(confirmed, true), (second, false)],
            "{member}"
        );
        let late =
            |resource: &Resource| events_after(resource, 1).iter().map(|event| event.data.late).collect::<Vec<_>>();
        assert_eq!(
            (late(&row_late), late(&webhook_late)),
            (vec![!is_booked], vec![false]),
            "{member}: the webhook supersedes the row"
        );
        for resource in [row_late, webhook_late] {
            let view = resource.view().expect("a view");
            let about = view.conflict.clone().map(|conflict| conflict.about).unwrap_or_default();
            assert_eq!(about, Vec::from_iter(is_booked.then_some(member)));
            assert_eq!(
                view.details.contradictions(&webhook.content.details),
                Vec::<&str>::new(),
                "{member}: the view has the webhook's"
            );
        }
    }
}

#[test]
fn a_row_of_an_earlier_status_is_a_late_update_and_moves_no_status_back() {
    let (confirmed, held) = (webhook("confirmed", 40), row(ONE, "held", 20));
    let outcome = fold(folded([&confirmed]), held.clone());
    assert!(matches!(outcome, Outcome::Recorded { change: Some(Change::Updated { late: true }), .. }), "{outcome:?}");
    let view = outcome.into_resource().view().expect("a view");
    assert_eq!((view.status, class(&view)), (confirmed.content.status, EvidenceClass::Asymmetric));
    every_order_has_the_same_result(&[confirmed, held], 2);
}

#[test]
fn a_row_that_contradicts_the_final_status_is_a_conflict_whichever_comes_first() {
    let (failed, row) = (webhook("failed", 30), row(ONE, "confirmed", 40));
    let whole = every_order_has_the_same_result(&[failed.clone(), row.clone()], 2);
    let view = whole.view.expect("a view");
    assert_eq!(view.conflicting(), [row.content.status, failed.content.status].map(|status| status.expect("a status")));
    assert_eq!(view.status, failed.content.status, "a webhook supersedes a row");
    for statements in [[&failed, &row], [&row, &failed]] {
        let events = crate::support::events(statements);
        assert_eq!(events[1].event_type, "fundhook.deposit.conflicting");
    }
}

#[test]
fn rows_and_webhooks_in_every_order_lead_to_one_view_and_one_set_of_event_ids() {
    let [confirmed, row_of_confirmed] = confirmed();
    let held = webhook("held", 20);
    let row_of_held = with(listed(&held), |details| details.status_reason = Some("pending_match".to_owned()));
    let corrected = with(webhook("confirmed", 60), |details| details.session.id = Some("other".to_owned()));
    let again = in_other_bytes("again", &confirmed);
    let row_again = with(in_other_bytes("row again", &row_of_confirmed), |details| details.status_reason = None);
    let other_amount = with(webhook("confirmed", 60), |details| details.quantity = Some(quantity("99")));
    for (what, statements, events) in [
        ("two rows and no webhook", vec![&row_of_confirmed, &row_again, &row_of_held], 2),
        ("a row of each status", vec![&webhook("pending", 0), &held, &row_of_held, &confirmed, &row_of_confirmed], 3),
        ("a webhook in other bytes", vec![&held, &confirmed, &again, &row_of_confirmed, &row_again], 2),
        (
            "two webhooks that the row is about",
            vec![&held, &confirmed, &corrected, &again, &row_of_confirmed, &row_again],
            3,
        ),
        (
            "two webhooks, of which the row contradicts one",
            vec![&confirmed, &other_amount, &row_of_confirmed, &row_again, &row_of_held],
            3,
        ),
        ("a webhook that contradicts the row", vec![&other_amount, &row_of_confirmed, &row_again, &held], 3),
        ("a contradiction", vec![&webhook("failed", 40), &confirmed, &row_of_confirmed, &row_of_held], 3),
    ] {
        let statements: Vec<Statement> = statements.into_iter().cloned().collect();
        let whole = every_order_has_the_same_result(&statements, events);
        assert_eq!(whole.event_ids.len(), events, "{what}");
    }
}

#[test]
fn a_row_and_its_webhook_are_one_event_about_every_kind_that_a_list_contains() {
    let of_recovery = crate::support::recovery::announcements().remove(0);
    let of = |status: Status| crate::support::statement(status, 0);
    let (approved, closed) = (ParticipantStatus::Approved, ExternalAccountStatus::Closed);
    let latest = [Status::Balance, Status::Participant(approved), Status::ExternalAccount(closed)];
    for statement in latest.map(of).into_iter().chain([of_recovery]) {
        every_order_has_the_same_result(&[statement.clone(), listed(&statement)], 1);
    }
}

#[test]
fn the_order_of_webhooks_and_rows_about_a_user_does_not_matter() {
    let of = |status: ParticipantStatus, at: u64| crate::support::statement(Status::Participant(status), at);
    let (approved, locked) = (of(ParticipantStatus::Approved, 0), of(ParticipantStatus::Locked, 1));
    let again = of(ParticipantStatus::Approved, 2);
    every_order_has_the_same_result(
        &[approved.clone(), listed(&approved), locked.clone(), listed(&locked), listed(&again)],
        3,
    );
}

#[test]
fn a_second_webhook_after_the_row_is_an_event() {
    let [first, row] = confirmed();
    let second = webhook("confirmed", 60);
    let events = crate::support::events([&row, &first, &second]);
    let expected = [("fundhook.deposit.confirmed", true), ("fundhook.deposit.updated", false)];
    assert_eq!(types_and_reconciled(&events), expected);
}

#[test]
fn a_coin_that_a_row_claimed_stays_with_its_deposit_and_another_deposit_is_a_duplicate() {
    let [webhook, row] = confirmed();
    let world = World::of([&row]);
    let [owner] = &Vec::from_iter(world.only_claim().owners())[..] else { unreachable!("a row claims the coin") };
    assert_eq!((&owner.resource, &owner.families), (&id(ONE), &[WebhookFamily::ConnectTransactions].into()));

    assert_eq!(World::of([&row, &webhook]).types(&id(ONE)), ["confirmed"]);

    let others = with(sent(FUND, "confirmed", 40), |details| details.transaction.hash = Some("ABCDE1".to_owned()));
    assert_eq!(World::of([&row, &webhook, &others]).types(&id(FUND)), ["duplicate"]);

    // The other way round: a row does not credit a coin that is already credited.
    assert_eq!(World::of([&others, &row]).types(&id(ONE)), ["duplicate"]);
}

/// A deposit's webhook from before its coin was known, the webhook that confirms it, and the row that lists it. All such
/// deposits came in one transaction.
fn in_one_transaction(of: &str) -> [Statement; 3] {
    let submitted = with(sent(of, "submitted", 10), |details| details.transaction.hash = None);
    let hash = |details: &mut TransferDetails| details.transaction.hash = Some("0xabcde1".to_owned());
    [submitted, with(sent(of, "confirmed", 40), hash), row_with(of, hash)]
}

#[test]
fn two_deposits_in_one_transaction_are_both_credited_if_webhooks_or_the_list_reported_both() {
    let ([submitted, confirmed, row], [others_submitted, others_confirmed, others_row]) =
        (in_one_transaction(ONE), in_one_transaction(TWO));
    for (what, one, other, are_credited) in [
        ("webhooks of both", vec![&submitted, &confirmed], vec![&others_confirmed], true),
        ("rows of both", vec![&row], vec![&others_row], true),
        ("a webhook of both, and a row in place of the last", vec![&submitted, &row], vec![&others_confirmed], true),
        ("a row of both, and a webhook before it of one", vec![&submitted, &row], vec![&others_row], true),
        ("all of both", vec![&submitted, &confirmed, &row], vec![&others_submitted, &others_row], true),
        // A row alone, under another id, may be about the deposit of the webhook.
        ("a row of one, and a webhook of the other", vec![&row], vec![&others_confirmed], false),
        ("a row of one, and webhooks of the other", vec![&row], vec![&others_submitted, &others_confirmed], false),
    ] {
        for (first, second) in [(&one, &other), (&other, &one)] {
            for is_reversed in [false, true] {
                let in_order = |facts: &[&Statement]| -> Vec<Statement> {
                    let facts = facts.iter().copied().cloned();
                    if is_reversed { facts.rev().collect() } else { facts.collect() }
                };
                let world = World::of(&[in_order(first), in_order(second)].concat());
                world.assert_consistent();
                let expected = if are_credited { vec![id(ONE), id(TWO)] } else { vec![first[0].resource.clone()] };
                assert_eq!(Vec::from_iter(world.credited().into_keys()), expected, "{what}");
            }
        }
    }
}

#[test]
fn a_webhook_that_first_identifies_the_coin_of_a_row_is_an_event_and_may_be_a_duplicate() {
    // As the row in [connect-guide §7], whose transaction id is not a hash.
    let (row, webhook) = (row_with(ONE, |details| details.transaction.hash = None), webhook("confirmed", 40));
    every_order_has_the_same_result(&[row.clone(), webhook.clone()], 2);
    let others = with(sent(FUND, "confirmed", 40), |details| details.transaction.hash = Some("ABCDE1".to_owned()));
    let types = |statements: &[&Statement]| World::of(statements.iter().copied()).types(&id(ONE));
    assert_eq!(types(&[&others, &row]), ["confirmed"], "the row does not identify its coin");
    assert_eq!(types(&[&others, &row, &webhook]), ["confirmed", "duplicate"]);
    assert_eq!(types(&[&others, &webhook, &row]), ["duplicate", "updated"]);
}

#[test]
fn a_fact_from_the_list_and_its_statement_are_read_back_as_written() {
    let row = row(ONE, "confirmed", 40);
    let fact = NewFact::from(row.clone());
    let message = fact.to_message().expect("a message");
    assert_eq!(NewFact::from_message(&message).expect("a fact to record"), fact);
    assert!(message.contains(r#""scheme":"connect-transactions-api","class":"api""#), "{message}");
    let recorded = recorded([&row, &webhook("confirmed", 40)]);
    for fact in recorded.facts() {
        let written = serde_json::to_string(fact).expect("JSON");
        assert_eq!(serde_json::from_str::<Fact>(&written).expect("a fact"), *fact, "{written}");
    }
}

/// The choice of an amount or none, and of a hash or none.
type MoneyChoice = (usize, usize);

fn saying(statement: Statement, (amount, hash): MoneyChoice, memo: u64) -> Statement {
    let other = in_other_bytes(&format!("{} {amount} {hash} {memo}", statement.content.id), &statement);
    with(other, |details| {
        details.quantity = [None, Some("100"), Some("99")][amount].map(quantity);
        details.transaction.hash = [None, Some("0xabcde1"), Some("0xabcde2")][hash].map(str::to_owned);
        details.provider_data.insert("memo".to_owned(), memo.into());
    })
}

const STATUSES: [&str; 5] = ["pending", "held", "abandoned", "confirmed", "failed"];

/// Webhooks with any content, and rows. A list may state another date and other members each time, but for one status it
/// states one amount and one transaction.
///
/// (Two rows of one status that contradict each other, together with a webhook that has neither value, make more or fewer events
/// depending on their order.)
fn facts() -> impl Strategy<Value = Vec<Statement>> {
    let webhooks = prop::collection::vec((0..STATUSES.len(), 0..3_u64, (0..3_usize, 0..3_usize), 0..2_u64), 0..8);
    let listed_as = prop::collection::vec((0..3_usize, 0..3_usize), STATUSES.len());
    let rows = prop::collection::vec((0..STATUSES.len(), 0..3_u64, 0..2_u64), 0..6);
    (webhooks, listed_as, rows).prop_map(|(webhooks, listed_as, rows)| {
        let webhooks = webhooks
            .into_iter()
            .map(|(status, seconds, choice, memo)| saying(webhook(STATUSES[status], seconds), choice, memo));
        let rows = rows
            .into_iter()
            .map(|(status, seconds, memo)| saying(row(ONE, STATUSES[status], seconds), listed_as[status], memo));
        webhooks.chain(rows).collect()
    })
}

fn states_an_amount(fact: &Statement) -> bool {
    match &fact.content.details {
        Details::Transfer(transfer) => transfer.asset.is_some() && transfer.quantity.is_some(),
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => false,
    }
}

/// Whether no two of these facts state different amounts.
fn states_one_amount(facts: &[Statement]) -> bool {
    let amount = |fact: &Statement| match &fact.content.details {
        Details::Transfer(transfer) => transfer.quantity.clone(),
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    };
    facts.iter().filter_map(amount).map(|quantity| quantity.value.to_string()).collect::<BTreeSet<_>>().len() < 2
}

/// How many events these facts make: one for each different statement of a webhook, and one for each status whose rows
/// match no webhook.
fn events_of(facts: &[Statement]) -> usize {
    let is_row = |fact: &&Statement| fact.content.evidence.is_from_api();
    let statement = |fact: &Statement| {
        (fact.content.status, fact.content.occurred_at, serde_json::to_string(&fact.content.details).expect("JSON"))
    };
    let webhooks: Vec<&Statement> = facts.iter().filter(|fact| !is_row(fact)).collect();
    let of_webhooks: BTreeSet<_> = webhooks.iter().map(|fact| statement(fact)).collect();
    let alone = |row: &&Statement| {
        let tells = |fact: &Statement| (claim_of(fact).is_some(), states_an_amount(fact));
        let is_about = |webhook: &&Statement| {
            let alike = webhook.content.status == row.content.status && tells(webhook) == tells(row);
            alike && webhook.content.details.contradictions(&row.content.details).is_empty()
        };
        !webhooks.iter().any(is_about)
    };
    let of_rows_alone: BTreeSet<_> = facts.iter().filter(is_row).filter(alone).map(|row| row.content.status).collect();
    of_webhooks.len() + of_rows_alone.len()
}

proptest! {
    // The seed of a failing case is printed and stored next to this file.
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_rows_and_webhooks_in_any_order_lead_to_one_view_and_one_set_of_event_ids(
        (one, other) in facts().prop_filter("at least one fact", |facts| !facts.is_empty()).prop_flat_map(|facts| {
            (Just(facts.clone()).prop_shuffle(), Just(facts).prop_shuffle())
        }),
    ) {
        let (one_way, another) = (folded(&one), folded(&other));
        prop_assert_eq!(one_way.view(), another.view());
        let ids = |resource: &Resource| events_after(resource, 0).into_iter().map(|event| event.id).collect::<Vec<_>>();
        // What agrees with a statement publishes nothing, unless it makes a conflict or changes what is booked: whether it
        // does depends on what was recorded before. So the number of events is the same in all orders only without a conflict
        // and with one amount.
        if one_way.view().is_some_and(|view| view.conflict.is_none()) && states_one_amount(&one) {
            let expected: Vec<String> = (1..=events_of(&one)).map(|sequence| format!("{ONE}#{sequence}")).collect();
            prop_assert_eq!(&ids(&one_way), &expected);
            prop_assert_eq!(&ids(&another), &expected);
        }
        prop_assert_eq!(one_way.claim_entries(), another.claim_entries());
    }
}
