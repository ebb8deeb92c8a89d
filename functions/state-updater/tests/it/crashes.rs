//! Effects happen once, wherever an updater stops and however often its messages are delivered again.
//!
//! A first run lists the steps of handling a batch: one before and one after each call to the table, and one after each
//! item that a call stores. At each step, the updater then crashes, gets an error, or is overtaken by another updater.
//! Messages that were not acknowledged are delivered again, as by the queue. In the end the table must always hold the same
//! facts, each once, with the same events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fundhook_domain::{FactId, Resource, ResourceId, Statement, View, events_after};

use crate::support::disturbed::{Disturbance, handled_until_acknowledged, overtaken_by};
use crate::support::{Table, folded, statement};

/// Statements about two deposits in one batch, with one message that was delivered twice.
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

/// A statement that the table already holds, and one that only a rival has.
fn known_and_rival() -> (Statement, Statement) {
    (statement("b", "submitted", 10), statement("a", "submitted", 10))
}

/// What must be the same in the end.
#[derive(Debug, PartialEq)]
struct End {
    facts: BTreeMap<ResourceId, BTreeSet<FactId>>,
    views: BTreeMap<ResourceId, Option<Arc<View>>>,
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

    /// The end state with all statements and `others`.
    fn of_all(others: &[Statement]) -> Self {
        let all = [statements(), others.to_vec()].concat();
        let of =
            |native| all.iter().filter(|statement| statement.resource.native() == native).cloned().collect::<Vec<_>>();
        Self::of(["a", "b"].map(|native| folded(&of(native))))
    }
}

#[tokio::test]
async fn the_same_facts_are_recorded_once_wherever_an_updater_stops_or_is_overtaken() {
    let (known, rival) = known_and_rival();
    let table = || Table::holding([folded(std::slice::from_ref(&known))]);
    let steps = handled_until_acknowledged(&table(), &statements(), usize::MAX, Disturbance::Crash).await;
    assert_eq!(steps, ["before a read", "after a read", "before a write", "after an item", "after an item"]);

    for (by, others) in [
        (Disturbance::Crash, vec![]),
        (Disturbance::Error, vec![]),
        // Another updater has the same messages, because their visibility timeout ended too early.
        (overtaken_by(statements()), vec![]),
        (overtaken_by(vec![rival.clone()]), vec![rival.clone()]),
        (overtaken_by([statements(), vec![rival.clone()]].concat()), vec![rival.clone()]),
    ] {
        let expected = End::of_all(&[others, vec![known.clone()]].concat());
        for (at_step, step) in steps.iter().enumerate() {
            let table = table();
            handled_until_acknowledged(&table, &statements(), at_step, by.clone()).await;
            assert_eq!(End::in_table(&table), expected, "{by:?} {step}");

            // Once everything was acknowledged, repeating it changes nothing.
            let before = table.resources();
            handled_until_acknowledged(&table, &statements(), usize::MAX, Disturbance::Crash).await;
            assert_eq!(table.resources(), before, "{by:?} {step}: all of it again");
        }
    }
}
