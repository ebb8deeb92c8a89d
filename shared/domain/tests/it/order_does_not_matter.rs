//! The same webhooks in any order, any number of times and in any batches result in one view and one set of event ids.

use std::collections::BTreeSet;

use fundhook_domain::{
    Details, Kind, RecoveryStatus, Resource, Statement, Status, Transaction, WebhookFamily, WithdrawalStatus,
    events_after, fold,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

use crate::support::orders::every_order_has_the_same_result;
use crate::support::recovery::{announced, paid};
use crate::support::{FoldResult, deposit, in_other_bytes, quantity, statement_in, whole_deposit, with, withdrawal};

/// The lifecycle of a deposit with a conflict and a repetition in other bytes. The two final statuses have the same
/// time, so that only their content decides which one supersedes the other.
fn deposit_lifecycle() -> Vec<Statement> {
    let confirmed = with(deposit("confirmed", 40), whole_deposit);
    vec![
        deposit("pending", 0),
        with(deposit("submitted", 10), |details| details.asset = Some("BTC".into())),
        with(deposit("held", 20), |details| details.quantity = Some(quantity("0.012"))),
        deposit("abandoned", 30),
        confirmed.clone(),
        with(deposit("failed", 40), |details| details.quantity = Some(quantity("0.014"))),
        in_other_bytes("confirmed, its members in another order", &confirmed),
    ]
}

/// The same for a withdrawal with times that run backwards; without `submitted`, to limit the number of orders.
fn withdrawal_lifecycle() -> Vec<Statement> {
    let confirmed = with(withdrawal("confirmed", 10), |details| details.quantity = Some(quantity("3400")));
    vec![
        withdrawal("initiated", 40),
        withdrawal("broadcast", 20),
        confirmed.clone(),
        withdrawal("failed", 10),
        withdrawal("abandoned", 10),
        in_other_bytes("confirmed, its members in another order", &confirmed),
    ]
}

#[test]
fn every_order_of_every_part_of_a_deposits_lifecycle_has_one_view_and_one_set_of_event_ids() {
    every_order_has_the_same_result(&deposit_lifecycle(), 6);
}

#[test]
fn every_order_of_every_part_of_a_withdrawals_lifecycle_has_one_view_and_one_set_of_event_ids() {
    every_order_has_the_same_result(&withdrawal_lifecycle(), 5);
}

/// The resource and all event ids when `deliveries` are written in batches: `cuts[n]` is whether a write follows the
/// delivery `n`. A write follows the last one in any case.
fn published(deliveries: &[Statement], cuts: &[bool]) -> (Resource, Vec<String>) {
    let mut resource = Resource::unknown(deliveries[0].resource.clone());
    let (mut written_version, mut ids) = (0, Vec::new());
    for (index, statement) in deliveries.iter().enumerate() {
        resource = fold(resource, statement.clone()).into_resource();
        if cuts.get(index).copied().unwrap_or(false) || index + 1 == deliveries.len() {
            ids.extend(events_after(&resource, written_version).into_iter().map(|event| event.id));
            written_version = resource.version();
        }
    }
    (resource, ids)
}

#[test]
fn every_division_of_deliveries_into_writes_publishes_each_id_once() {
    let deliveries: Vec<Statement> =
        deposit_lifecycle().into_iter().flat_map(|statement| [statement.clone(), statement]).collect();
    let (_, at_once) = published(&deliveries, &[]);
    assert_eq!(at_once.len(), 6);
    for pattern in 0..1_u32 << 8 {
        // Fourteen deliveries and a repeating pattern of eight bits: every size of batch occurs.
        let cuts: Vec<bool> = (0..deliveries.len()).map(|index| pattern & (1 << (index % 8)) != 0).collect();
        assert_eq!(published(&deliveries, &cuts).1, at_once, "cut after {pattern:#b}");
    }
}

/// Few different details, so that ties and equal statements are common.
type Picks = (usize, usize, usize);

/// The statement in the body `body`, with the details that the picks select.
fn statement(body: &str, status: Status, seconds: u64, (one, two, three): Picks) -> Statement {
    let amount = [None, Some("1"), Some("119078888888888888887")][one];
    let word = [None, Some("word")][two % 2].map(str::to_owned);
    let memo = (three > 0).then(|| ("memo".to_owned(), seconds.into()));
    let mut statement = statement_in(body, status, seconds);
    match &mut statement.content.details {
        Details::Transfer(details) => {
            details.quantity = amount.map(quantity);
            details.transaction = Transaction { hash: word, ..Transaction::default() };
            details.provider_data.extend(memo);
        }
        Details::Account(details) => {
            details.status_reason = amount.map(str::to_owned);
            details.nickname = word;
            details.provider_data.extend(memo);
        }
        Details::Balance(details) => {
            details.quantity = amount.map(quantity);
            details.sub_account = word;
            details.provider_data.extend(memo);
        }
        Details::Unrecognized(details) => (details.payload_type, details.body_bytes) = (word, seconds),
        Details::Recovery(details) => {
            // A deposit or a payment with one of three ids, in one of two transactions or one of three statuses.
            let native = ["a", "b", "c"][two];
            let family = [
                WebhookFamily::ConnectDeposits,
                WebhookFamily::ZerohashDepositStatus,
                WebhookFamily::ZerohashDepositFailed,
            ][three];
            let steps = [WithdrawalStatus::Broadcast, WithdrawalStatus::Confirmed, WithdrawalStatus::Failed];
            let statement = if status == Status::Recovery(RecoveryStatus::Required) {
                announced(family, native, ["0xab", "ab-0", "cd"][one], ["2", "0.5", "2"][two], seconds)
            } else {
                paid(native, steps[three], amount, seconds)
            };
            if let Details::Recovery(stated) = statement.content.details {
                *details = stated;
            }
        }
    }
    statement
}

/// Up to 30 facts about one resource of any kind, a third of them repetitions in other bytes, with few different times.
fn facts() -> impl Strategy<Value = Vec<Statement>> {
    let of_kind = |kind: Kind| Status::ALL.into_iter().filter(|status| status.kind() == kind).collect::<Vec<_>>();
    let statements = prop::sample::select(Kind::ALL.to_vec()).prop_flat_map(move |kind| {
        let picks = (0..3_usize, 0..3_usize, 0..3_usize);
        prop::collection::vec((prop::sample::select(of_kind(kind)), 0..3_u64, picks), 1..=20)
    });
    (statements, prop::collection::vec(any::<Index>(), 0..=10)).prop_map(|(statements, repeated)| {
        let numbered = statements.into_iter().enumerate();
        let mut statements: Vec<Statement> = numbered
            .map(|(number, (status, seconds, picks))| statement(&format!("body {number}"), status, seconds, picks))
            .collect();
        for (number, index) in repeated.into_iter().enumerate() {
            let repetition = in_other_bytes(&format!("repetition {number}"), index.get(&statements));
            statements.push(repetition);
        }
        statements
    })
}

/// The facts in some order, some of them several times, and the writes between them.
fn deliveries(facts: Vec<Statement>) -> impl Strategy<Value = (Vec<Statement>, Vec<bool>)> {
    let repeated = prop::collection::vec(any::<Index>(), 0..10);
    let all = repeated.prop_flat_map(move |repeated| {
        let again = repeated.into_iter().map(|index| index.get(&facts).clone());
        Just(facts.iter().cloned().chain(again).collect::<Vec<_>>()).prop_shuffle()
    });
    (all, prop::collection::vec(any::<bool>(), 40))
}

proptest! {
    // The seed of a failing case is printed and stored next to this file.
    #![proptest_config(ProptestConfig {
        cases: 160,
        max_shrink_iters: 4096,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn two_deliveries_of_the_same_facts_have_the_same_result(
        (one, other) in facts().prop_flat_map(|facts| (deliveries(facts.clone()), deliveries(facts))),
    ) {
        let (one, published_by_one) = published(&one.0, &one.1);
        let (other, published_by_other) = published(&other.0, &other.1);
        let result = FoldResult::after(&one, &events_after(&one, 0));
        prop_assert_eq!(&result, &FoldResult::after(&other, &events_after(&other, 0)));

        for published in [published_by_one, published_by_other] {
            let distinct: BTreeSet<String> = published.iter().cloned().collect();
            prop_assert_eq!(published.len(), distinct.len(), "an id was published for two changes");
            prop_assert_eq!(&distinct, &result.event_ids);
        }
    }
}
