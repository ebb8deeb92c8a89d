//! Contract 3 and 4: the same webhooks in any order, any number of times and cut into any batches end in one view and
//! one set of event ids.

use std::collections::BTreeSet;

use fundhook_domain::{
    Details, Kind, RecoveryStatus, Resource, Statement, Status, Transaction, WithdrawalStatus, events_after, fold,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

use crate::support::orders::every_order_leads_to_the_same;
use crate::support::recovery::{announced, paid};
use crate::support::{CurrentStatus, deposit, in_other_bytes, quantity, statement_in, whole_deposit, with, withdrawal};

/// Everything that can be said of a deposit in its life, a contradiction, and a repetition in other bytes. The two
/// final statuses are reached at the same instant, so that nothing but what they say tells them apart.
fn life_of_a_deposit() -> Vec<Statement> {
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

/// The same for a withdrawal whose provider's times run backwards; `submitted` is left out to keep the orders few.
fn life_of_a_withdrawal() -> Vec<Statement> {
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
fn every_order_of_every_part_of_a_deposits_life_leads_to_one_view_and_one_set_of_event_ids() {
    every_order_leads_to_the_same(&life_of_a_deposit(), 6);
}

#[test]
fn every_order_of_every_part_of_a_withdrawals_life_leads_to_one_view_and_one_set_of_event_ids() {
    every_order_leads_to_the_same(&life_of_a_withdrawal(), 5);
}

/// What the publisher says in all when `deliveries` are written in batches: `cuts[n]` is whether a write follows the
/// delivery `n`. The last is always written.
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
fn every_way_to_cut_deliveries_into_writes_publishes_the_same_ids_each_once() {
    let deliveries: Vec<Statement> =
        life_of_a_deposit().into_iter().flat_map(|statement| [statement.clone(), statement]).collect();
    let (_, at_once) = published(&deliveries, &[]);
    assert_eq!(at_once.len(), 6);
    for pattern in 0..1_u32 << 8 {
        // Fourteen deliveries, each second pair of bits alike: every kind of batch comes up.
        let cuts: Vec<bool> = (0..deliveries.len()).map(|index| pattern & (1 << (index % 8)) != 0).collect();
        assert_eq!(published(&deliveries, &cuts).1, at_once, "cut after {pattern:#b}");
    }
}

/// Few values for whatever a webhook says beside its status, so that ties and equal statements are common.
type Picks = (usize, usize, usize);

/// The statement in the bytes `body`, saying what the picks choose.
fn statement(body: &str, status: Status, seconds: u64, (one, two, three): Picks) -> Statement {
    let amount = [None, Some("1"), Some("119078888888888888887")][one];
    let word = [None, Some("word")][two % 2].map(str::to_owned);
    let memo = (three > 0).then(|| ("memo".to_owned(), seconds.into()));
    let mut statement = statement_in(body, status, seconds);
    match &mut statement.details {
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
            // Whatever came in or goes back, by one of three names, in one of two transactions or steps.
            let native = ["a", "b", "c"][two];
            let stream = ["connect.deposits", "zerohash.deposit", "zerohash.deposit_failed"][three];
            let steps = [WithdrawalStatus::Broadcast, WithdrawalStatus::Confirmed, WithdrawalStatus::Failed];
            let said = if status == Status::Recovery(RecoveryStatus::Required) {
                announced(stream, native, ["0xab", "ab-0", "cd"][one], ["2", "0.5", "2"][two], seconds)
            } else {
                paid(native, steps[three], amount, seconds)
            };
            if let Details::Recovery(said) = said.details {
                *details = said;
            }
        }
    }
    statement
}

/// Up to 30 facts about one resource of any kind, a third of them repetitions in other bytes, with few instants.
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

/// The facts in some order, some of them several times, and where the writes fall between them.
fn deliveries(facts: Vec<Statement>) -> impl Strategy<Value = (Vec<Statement>, Vec<bool>)> {
    let repeated = prop::collection::vec(any::<Index>(), 0..10);
    let all = repeated.prop_flat_map(move |repeated| {
        let again = repeated.into_iter().map(|index| index.get(&facts).clone());
        Just(facts.iter().cloned().chain(again).collect::<Vec<_>>()).prop_shuffle()
    });
    (all, prop::collection::vec(any::<bool>(), 40))
}

proptest! {
    // A failing case's seed is printed, and kept beside this file.
    #![proptest_config(ProptestConfig {
        cases: 160,
        max_shrink_iters: 4096,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn two_ways_to_deliver_the_same_facts_lead_to_the_same(
        (one, other) in facts().prop_flat_map(|facts| (deliveries(facts.clone()), deliveries(facts))),
    ) {
        let (one, said_by_one) = published(&one.0, &one.1);
        let (other, said_by_other) = published(&other.0, &other.1);
        let current_status = CurrentStatus::after(&one, &events_after(&one, 0));
        prop_assert_eq!(&current_status, &CurrentStatus::after(&other, &events_after(&other, 0)));

        for said in [said_by_one, said_by_other] {
            let distinct: BTreeSet<String> = said.iter().cloned().collect();
            prop_assert_eq!(said.len(), distinct.len(), "an id was published for two changes");
            prop_assert_eq!(&distinct, &current_status.event_ids);
        }
    }
}
