//! Every order in which facts can come.

use std::collections::BTreeMap;

use fundhook_domain::{Event, Outcome, Resource, Statement, events_after, fold};

use super::CurrentStatus;

/// Goes through every order of every subset of some signals, from the resource that nobody has spoken of.
struct EveryOrder<'a> {
    statements: &'a [Statement],
    /// Where each subset led in the order that was gone through first.
    first: BTreeMap<u32, CurrentStatus>,
    orders: usize,
}

impl<'a> EveryOrder<'a> {
    fn of(statements: &'a [Statement]) -> Self {
        let mut every = Self { statements, first: BTreeMap::new(), orders: 0 };
        every.from(&Resource::unknown(statements[0].resource.clone()), &[], 0);
        every
    }

    /// `resource` has taken in the signals whose bits are set in `taken`, and `said` was published on the way.
    fn from(&mut self, resource: &Resource, said: &[Event], taken: u32) {
        self.orders += 1;
        let events = [said, &events_after(resource, resource.version().saturating_sub(1))].concat();
        let current_status = CurrentStatus::after(resource, &events);
        assert_eq!(
            *self.first.entry(taken).or_insert_with(|| current_status.clone()),
            current_status,
            "facts {taken:#b}"
        );

        // As a repetition changes nothing here, no number of them does anywhere.
        let is_taken = |index: usize| taken & (1 << index) != 0;
        let mut repeated = resource.clone();
        for (_, statement) in self.statements.iter().enumerate().filter(|(index, _)| is_taken(*index)) {
            let outcome = fold(repeated, statement.clone());
            assert!(matches!(outcome, Outcome::AlreadyKnown { .. }), "{} was taken in twice", statement.fact);
            repeated = outcome.into_resource();
        }
        assert_eq!(repeated, *resource);

        for (index, statement) in self.statements.iter().enumerate().filter(|(index, _)| !is_taken(*index)) {
            let next = fold(resource.clone(), statement.clone()).into_resource();
            assert_eq!(next.version(), resource.version() + 1, "{} was not taken in", statement.fact);
            self.from(&next, &events, taken | (1 << index));
        }
    }
}

/// In how many orders one can take some of `count` things: the sum of count! / (count − taken)! over how many are taken.
fn orders_of(count: usize) -> usize {
    (0..=count).map(|taken| (count - taken + 1..=count).product::<usize>()).sum()
}

/// Where `statements` lead, of which `distinct` differ in more than their bytes: in every order of every part of them, any
/// number of times, to one view and one set of event ids.
pub(crate) fn every_order_leads_to_the_same(statements: &[Statement], distinct: usize) -> CurrentStatus {
    let mut every = EveryOrder::of(statements);
    assert_eq!(every.orders, orders_of(statements.len()), "not every order was gone through");
    assert_eq!(every.first.len(), 1 << statements.len(), "not every subset was gone through");

    let whole = every.first.remove(&((1 << statements.len()) - 1)).expect("where all of them lead");
    let expected = (1..=distinct).map(|sequence| format!("{}#{sequence}", statements[0].resource));
    assert_eq!(whole.event_ids, expected.collect(), "each statement has its event, and a repetition none");
    whole
}
