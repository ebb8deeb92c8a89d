//! One payment, one withdrawal: webhooks that name it by its own id, by its request's id or by both end as one withdrawal,
//! in any order and batches, whatever other updaters do meanwhile, and wherever an updater stops.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lambda_events::sqs::SqsBatchResponse;
use fundhook_domain::{
    Details, FactId, Kind, NewFact, Provider, Resource, ResourceId, Status, TransferDetails, View, events_after,
};
use fundhook_ports::fakes::{Fate, Run, Stepped, Steps};
use state_updater::StateUpdater;

use crate::support::disturbed::no_pause;
use crate::support::{Table, at, batch_of, failed, messages, statement_of};

fn id(kind: Kind, provider: Provider, native: &str) -> ResourceId {
    ResourceId::new(kind, provider, native).expect("a valid id")
}

fn payment() -> ResourceId {
    id(Kind::Withdrawal, Provider::Zerohash, "payment")
}

fn request() -> ResourceId {
    id(Kind::Withdrawal, Provider::Zerohash, "request")
}

/// `resource`, which has these names too, reached the status `name`.
fn said(resource: ResourceId, names: &[ResourceId], name: &str, seconds: i64) -> NewFact {
    let details = TransferDetails { names: names.iter().cloned().collect(), ..Default::default() };
    statement_of(resource, name, seconds, Details::Transfer(Box::new(details))).into()
}

/// Which ids a webhook states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    OnlyPayment,
    OnlyRequest,
    Both,
}
use Shape::{Both, OnlyPayment, OnlyRequest};

impl Shape {
    fn says(self, name: &str, seconds: i64) -> NewFact {
        match self {
            OnlyPayment => said(payment(), &[], name, seconds),
            OnlyRequest => said(request(), &[], name, seconds),
            Both => said(payment(), &[payment(), request()], name, seconds),
        }
    }
}

/// The life of one payment in webhooks of these shapes.
fn life(shapes: [Shape; 3]) -> [NewFact; 3] {
    let [first, second, third] = shapes;
    [first.says("submitted", 0), second.says("broadcast", 10), third.says("confirmed", 20)]
}

/// The lives in which the two names are joined at some time.
fn lives() -> Vec<[NewFact; 3]> {
    let shapes = [
        [OnlyPayment, OnlyRequest, Both],
        [OnlyRequest, OnlyPayment, Both],
        [OnlyPayment, Both, OnlyRequest],
        [OnlyRequest, Both, OnlyPayment],
        [Both, OnlyPayment, OnlyRequest],
        [Both, OnlyRequest, OnlyPayment],
        [OnlyRequest, OnlyRequest, Both],
        [Both, OnlyRequest, OnlyRequest],
        [Both, Both, OnlyRequest],
    ];
    shapes.map(life).to_vec()
}

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// The messages that are delivered again.
fn left(facts: &[NewFact], response: &SqsBatchResponse) -> Vec<NewFact> {
    let failed = failed(response);
    let ids = messages(&Vec::from_iter(0..facts.len()));
    facts.iter().zip(ids).filter(|(_, id)| failed.contains(id)).map(|(fact, _)| fact.clone()).collect()
}

/// Handles `facts` undisturbed, as one batch.
async fn handled(table: &Table, facts: &[NewFact]) {
    let response = StateUpdater::new(table.clone(), no_pause).handle(batch_of(facts), at(100)).await;
    assert!(response.batch_item_failures.is_empty(), "{response:?}");
}

/// What must be the same in the end, whatever happened: the facts and the view of the only withdrawal.
fn end(table: &Table) -> (BTreeSet<FactId>, Option<Arc<View>>) {
    let all = table.resources();
    let owners: Vec<&Resource> = all.iter().filter(|resource| resource.second_name_of().is_none()).collect();
    let [owner] = owners[..] else { unreachable!("one payment is one withdrawal: {owners:?}") };
    assert!(all.iter().filter_map(Resource::second_name_of).all(|named| named == owner.id()), "{all:?}");
    let facts: BTreeSet<FactId> = owner.facts().iter().map(|fact| fact.content.id().clone()).collect();
    assert_eq!(facts.len() as u64, owner.version(), "a fact is recorded twice");

    // The stream of the table has published exactly what can be published again.
    let published: Vec<String> = table.now().published.iter().map(|event| event.id.clone()).collect();
    let distinct: BTreeSet<String> = published.iter().cloned().collect();
    assert_eq!(published.len(), distinct.len(), "{published:?}");
    let again = all.iter().flat_map(|resource| events_after(resource, 0)).map(|event| event.id);
    assert_eq!(again.collect::<BTreeSet<String>>(), distinct);
    // Only the owner counts.
    for duplicate in all.iter().filter(|resource| resource.id() != owner.id()) {
        if let Some(last) = events_after(duplicate, 0).last() {
            assert_eq!(
                (last.event_type.as_str(), last.status_attribute()),
                ("fundhook.withdrawal.duplicate", Some("duplicate"))
            );
        }
    }
    (facts, owner.view())
}

/// The end of a life whose webhooks are handled one after the other.
async fn undisturbed(life: &[NewFact; 3]) -> (BTreeSet<FactId>, Option<Arc<View>>) {
    let table = Table::default();
    for fact in life {
        handled(&table, std::slice::from_ref(fact)).await;
    }
    let expected = end(&table);
    assert_eq!(
        (expected.0.len(), expected.1.as_ref().and_then(|view| view.status).map(Status::as_str)),
        (3, Some("confirmed"))
    );
    expected
}

#[tokio::test]
async fn one_payment_ends_as_one_withdrawal_in_any_order_and_any_batches() {
    for life in lives() {
        let expected = undisturbed(&life).await;
        for order in ORDERS {
            let facts = order.map(|index| life[index].clone());
            for sizes in [vec![1, 1, 1], vec![1, 2], vec![2, 1], vec![3]] {
                let table = Table::default();
                let mut rest = &facts[..];
                for size in &sizes {
                    let (some, others) = rest.split_at(*size);
                    handled(&table, some).await;
                    rest = others;
                }
                assert_eq!(end(&table), expected, "{order:?} in {sizes:?}");

                let before = table.resources();
                handled(&table, &facts).await;
                assert_eq!(table.resources(), before, "all of it again changes nothing");
            }
        }
    }
}

#[tokio::test]
async fn a_webhook_costs_one_read_and_one_write_unless_it_uses_a_second_name() {
    let deposit = |native| id(Kind::Deposit, Provider::Connect, native);
    let of_deposit = |name, seconds| said(deposit("a"), &[], name, seconds);
    for (what, known, fact, reads, writes) in [
        ("a deposit", vec![of_deposit("pending", 0)], of_deposit("submitted", 10), vec![vec![deposit("a")]], 1),
        ("a payment by its own id", vec![], OnlyPayment.says("submitted", 0), vec![vec![payment()]], 1),
        ("a payment by its request's id", vec![], OnlyRequest.says("submitted", 0), vec![vec![request()]], 1),
        ("a payment by both", vec![], Both.says("submitted", 0), vec![vec![payment(), request()]], 1),
        (
            "again by both",
            vec![Both.says("submitted", 0)],
            Both.says("broadcast", 10),
            vec![vec![payment(), request()]],
            1,
        ),
        (
            "the same again",
            vec![Both.says("submitted", 0)],
            Both.says("submitted", 0),
            vec![vec![payment(), request()]],
            0,
        ),
        (
            "two that were separate",
            vec![OnlyPayment.says("submitted", 0), OnlyRequest.says("broadcast", 10)],
            Both.says("confirmed", 20),
            vec![vec![payment(), request()]],
            1,
        ),
        (
            "by the first name",
            vec![Both.says("submitted", 0)],
            OnlyPayment.says("broadcast", 10),
            vec![vec![payment()]],
            1,
        ),
        (
            "by the second name",
            vec![Both.says("submitted", 0)],
            OnlyRequest.says("broadcast", 10),
            vec![vec![request()], vec![payment()]],
            1,
        ),
    ] {
        let table = Table::default();
        for fact in &known {
            handled(&table, std::slice::from_ref(fact)).await;
        }
        let before = (table.reads().len(), table.writes().len());
        handled(&table, &[fact]).await;
        assert_eq!(table.reads()[before.0..], reads, "{what}");
        assert_eq!(table.writes().len() - before.1, writes, "{what}");
    }
}

#[tokio::test]
async fn a_batch_with_a_payment_reads_everything_else_in_the_same_call() {
    let deposit = |native| id(Kind::Deposit, Provider::Connect, native);
    let table = Table::default();
    let facts = [
        OnlyRequest.says("submitted", 0),
        said(deposit("a"), &[], "pending", 0),
        Both.says("broadcast", 10),
        said(deposit("b"), &[], "pending", 0),
    ];
    handled(&table, &facts).await;
    assert_eq!(table.reads(), [[deposit("a"), deposit("b"), payment(), request()]]);
    assert_eq!(table.writes(), [[deposit("a"), deposit("b"), payment(), request()]]);
}

/// An updater of `facts` over `table`, which has these steps.
fn run<'a>(table: &Table, steps: &Steps, facts: &'a [NewFact]) -> Run<'a, SqsBatchResponse> {
    let resources = Stepped(table.clone(), steps.clone());
    Run::of(steps, async move { StateUpdater::new(resources, no_pause).handle(batch_of(facts), at(100)).await })
}

/// The steps of an attempt that is not disturbed: before and after the read and the write.
const STEPS_OF_ONE_ATTEMPT: usize = 4;

/// The most steps that an updater takes here: five reads and writes, each with one step before and one after.
const STEPS_MAX: usize = 12;

#[tokio::test]
async fn two_updaters_at_once_end_as_one_after_the_other() {
    // Some lives are enough here: each has six orders.
    for life in lives().into_iter().step_by(2) {
        let expected = undisturbed(&life).await;
        for order in ORDERS {
            let facts = order.map(|index| life[index].clone());
            // The last one is known before, arrives in the same batch as the second one, or comes after both.
            for last in 0..3 {
                for (ahead, behind) in (0..=STEPS_OF_ONE_ATTEMPT)
                    .flat_map(|ahead| (0..=STEPS_OF_ONE_ATTEMPT).map(move |behind| (ahead, behind)))
                {
                    let table = Table::default();
                    if last == 0 {
                        handled(&table, &facts[2..]).await;
                    }
                    let (one, other) = (&facts[..1], if last == 1 { &facts[1..] } else { &facts[1..2] });
                    let (steps_of_one, steps_of_other) = (Steps::default(), Steps::default());
                    let (mut first, mut second) =
                        (run(&table, &steps_of_one, one), run(&table, &steps_of_other, other));
                    let ended = [first.pass(ahead), second.pass(behind)];
                    let [first_ended, second_ended] = ended;
                    let first_ended = first_ended.unwrap_or_else(|| first.finish());
                    let second_ended = second_ended.unwrap_or_else(|| second.finish());
                    let left = [left(one, &first_ended), left(other, &second_ended)].concat();
                    assert!(left.is_empty(), "{order:?} {last} after {ahead} and {behind} steps: {left:?}");
                    if last == 2 {
                        handled(&table, &facts[2..]).await;
                    }
                    assert_eq!(end(&table), expected, "{order:?} {last} after {ahead} and {behind} steps");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_updater_that_stops_or_fails_at_any_step_loses_nothing() {
    for life in lives().into_iter().step_by(2) {
        let expected = undisturbed(&life).await;
        for order in ORDERS {
            let facts = order.map(|index| life[index].clone());
            for known in 0..3 {
                for step in 0..=STEPS_MAX {
                    for overtaken in [false, true] {
                        // The process ends at the step; meanwhile another updater may have the last message.
                        let table = Table::default();
                        handled(&table, &facts[..known]).await;
                        let steps = Steps::default();
                        let mut crashing = run(&table, &steps, &facts[known..]);
                        crashing.pass(step);
                        if overtaken {
                            handled(&table, &facts[2..]).await;
                        }
                        drop(crashing);
                        handled(&table, &facts[known..]).await;
                        assert_eq!(end(&table), expected, "{order:?} from {known}, crash at {step}");
                    }

                    // The call is answered with an error, before or after it took effect.
                    let table = Table::default();
                    handled(&table, &facts[..known]).await;
                    let steps = Steps::failing_at(step);
                    let response = run(&table, &steps, &facts[known..]).finish();
                    handled(&table, &left(&facts[known..], &response)).await;
                    assert_eq!(end(&table), expected, "{order:?} from {known}, error at {step}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_write_that_lost_to_itself_or_to_the_join_of_its_names_is_finished() {
    for fate in [
        Fate::LosesToItself,
        Fate::FailsStored,
        Fate::LosesTo(Both.says("broadcast", 10)),
        Fate::LosesBlindlyTo(Both.says("broadcast", 10)),
    ] {
        for (known, fact) in [
            (vec![OnlyRequest.says("submitted", 0), OnlyPayment.says("submitted", 1)], Both.says("broadcast", 10)),
            (
                vec![OnlyRequest.says("submitted", 0), OnlyPayment.says("submitted", 1)],
                OnlyRequest.says("broadcast", 11),
            ),
        ] {
            let written = if fact.names().len() > 1 { payment() } else { request() };
            let table = Table::default();
            handled(&table, &known).await;
            table.now().fates.insert(written, [fate.clone()].into());
            let response =
                StateUpdater::new(table.clone(), no_pause).handle(batch_of(std::slice::from_ref(&fact)), at(100)).await;
            for fact in left(std::slice::from_ref(&fact), &response).into_iter().chain([Both.says("confirmed", 20)]) {
                handled(&table, &[fact]).await;
            }
            let (facts, view) = end(&table);
            assert!(facts.contains(fact.content.id()) && facts.len() >= 4, "{fate:?}: {facts:?}");
            assert_eq!(view.and_then(|view| view.status).map(Status::as_str), Some("confirmed"));
        }
    }
}
