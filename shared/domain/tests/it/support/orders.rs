//! Every order in which facts can arrive.

use std::collections::BTreeMap;

use fundhook_domain::{Event, Outcome, Resource, Statement, events_after, fold};

use super::FoldResult;

/// Folds every order of every subset of some statements, starting from an unknown resource.
struct EveryOrder<'a> {
    statements: &'a [Statement],
    /// The result of each subset in the first order that was folded.
    first: BTreeMap<u32, FoldResult>,
    orders: usize,
}

impl<'a> EveryOrder<'a> {
    fn of(statements: &'a [Statement]) -> Self {
        let mut every = Self { statements, first: BTreeMap::new(), orders: 0 };
        every.from(&Resource::unknown(statements[0].resource.clone()), &[], 0);
        every
    }

    /// Continues from `resource`, into which the statements whose bits are set in `folded` were folded, and which
    /// published `published`.
    fn from(&mut self, resource: &Resource, published: &[Event], folded: u32) {
        self.orders += 1;
        let events = [published, &events_after(resource, resource.version().saturating_sub(1))].concat();
        let result = FoldResult::after(resource, &events);
        assert_eq!(*self.first.entry(folded).or_insert_with(|| result.clone()), result, "facts {folded:#b}");

        // One repetition changes nothing here, so no number of repetitions does.
        let is_folded = |index: usize| folded & (1 << index) != 0;
        let mut repeated = resource.clone();
        for (_, statement) in self.statements.iter().enumerate().filter(|(index, _)| is_folded(*index)) {
            let outcome = fold(repeated, statement.clone());
            assert!(matches!(outcome, Outcome::AlreadyKnown { .. }), "{} was folded twice", statement.content.id);
            repeated = outcome.into_resource();
        }
        assert_eq!(repeated, *resource);

        for (index, statement) in self.statements.iter().enumerate().filter(|(index, _)| !is_folded(*index)) {
            let next = fold(resource.clone(), statement.clone()).into_resource();
            assert_eq!(next.version(), resource.version() + 1, "{} was not folded", statement.content.id);
            self.from(&next, &events, folded | (1 << index));
        }
    }
}

/// The number of orders of all subsets of `count` things: the sum of count! / (count − size)! over the sizes.
fn orders_of(count: usize) -> usize {
    (0..=count).map(|size| (count - size + 1..=count).product::<usize>()).sum()
}

/// Asserts that every order of every subset of `statements`, with any number of repetitions, results in one view and
/// one set of event ids. `distinct` of them differ in more than their bytes. Returns the result of all of them.
pub(crate) fn every_order_has_the_same_result(statements: &[Statement], distinct: usize) -> FoldResult {
    let mut every = EveryOrder::of(statements);
    assert_eq!(every.orders, orders_of(statements.len()), "every order is folded");
    assert_eq!(every.first.len(), 1 << statements.len(), "every subset is folded");

    let whole = every.first.remove(&((1 << statements.len()) - 1)).expect("the result of all statements");
    let expected = (1..=distinct).map(|sequence| format!("{}#{sequence}", statements[0].resource));
    assert_eq!(whole.event_ids, expected.collect(), "each statement publishes an event, and a repetition none");
    whole
}
