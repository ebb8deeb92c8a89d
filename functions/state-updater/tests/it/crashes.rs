//! Contract 3: effects happen once, wherever an updater stops and however often its messages come again.
//!
//! The steps of handling a batch are listed by running it: a step is before and after each call to the table, and
//! after each item that a call stores. Then the updater crashes at each, or is told of a failure at each, or is
//! overtaken by another at each. Whatever of the queue's rules applies then is applied: what was not acknowledged comes
//! again. Each time the table must hold the same facts, each once, and say the same events.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{FactId, Resource, ResourceId, Statement, View, events_after};

use crate::support::disturbed::{Disturbance, handled_until_acknowledged, overtaken_by};
use crate::support::{Table, folded, statement};

/// Two deposits' signals as they come in one batch, with one message that came twice.
fn statements() -> Vec<Statement> {
    let confirmed = statement("a", "confirmed", 40);
    vec![
        confirmed.clone(),
        statement("b", "pending", 0),
        statement("a", "pending", 0),
        confirmed,
        statement("b", "held", 20),
    ]
}

/// A fact that the table holds before, and one that only a rival brings.
fn known_and_rival() -> (Statement, Statement) {
    (statement("b", "submitted", 10), statement("a", "submitted", 10))
}

/// All that is to be the same in the end.
#[derive(Debug, PartialEq)]
struct End {
    facts: BTreeMap<ResourceId, BTreeSet<FactId>>,
    views: BTreeMap<ResourceId, Option<View>>,
    event_ids: BTreeSet<String>,
}

impl End {
    fn of(resources: impl IntoIterator<Item = Resource>) -> Self {
        let (facts, views, event_ids) = Default::default();
        let mut end = Self { facts, views, event_ids };
        for resource in resources {
            let facts: BTreeSet<FactId> = resource.facts().iter().map(|fact| fact.content.id().clone()).collect();
            assert_eq!(facts.len() as u64, resource.version(), "a fact of {} is recorded twice", resource.id());
            end.event_ids.extend(events_after(&resource, 0).into_iter().map(|event| event.id));
            end.views.insert(resource.id().clone(), resource.view());
            end.facts.insert(resource.id().clone(), facts);
        }
        end
    }

    fn in_table(table: &Table) -> Self {
        Self::of(table.resources())
    }

    /// What all facts that are said anywhere add up to.
    fn of_all(others: &[Statement]) -> Self {
        let said = [statements(), others.to_vec()].concat();
        let of =
            |native| said.iter().filter(|statement| statement.resource.native() == native).cloned().collect::<Vec<_>>();
        Self::of(["a", "b"].map(|native| folded(&of(native))))
    }
}

#[tokio::test]
async fn wherever_it_stops_and_whoever_comes_between_the_same_is_recorded_once() {
    let (known, rival) = known_and_rival();
    let table = || Table::holding([folded(std::slice::from_ref(&known))]);
    let steps = handled_until_acknowledged(&table(), &statements(), usize::MAX, Disturbance::Crash).await;
    assert_eq!(steps, ["before a read", "after a read", "before a write", "after an item", "after an item"]);

    for (by, others) in [
        (Disturbance::Crash, vec![]),
        (Disturbance::Error, vec![]),
        // Another updater with the same messages, whose visibility timeout ran out too early.
        (overtaken_by(statements()), vec![]),
        (overtaken_by(vec![rival.clone()]), vec![rival.clone()]),
        (overtaken_by([statements(), vec![rival.clone()]].concat()), vec![rival.clone()]),
    ] {
        let expected = End::of_all(&[others, vec![known.clone()]].concat());
        for (at_step, step) in steps.iter().enumerate() {
            let table = table();
            handled_until_acknowledged(&table, &statements(), at_step, by.clone()).await;
            assert_eq!(End::in_table(&table), expected, "{by:?} {step}");

            // Once everything was acknowledged, its repetition changes nothing at all.
            let before = table.resources();
            handled_until_acknowledged(&table, &statements(), usize::MAX, Disturbance::Crash).await;
            assert_eq!(table.resources(), before, "{by:?} {step}, and all of it again");
        }
    }
}
