//! Every order in which facts can arrive.

use std::collections::BTreeMap;

use fundhook_domain::{
    Credit, Event, EventBody, Hold, Kind, Outcome, Resource, Statement, Status, event_types, events_after, fold,
};

use super::FoldResult;
use super::books::assert_booked;

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
        if let Some(event) = events.last() {
            assert_shows(event, resource);
        }
        assert_booked(resource, &events);
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

/// Asserts that `event`, the latest of `resource`, shows what may be booked by now, and that its type does not mislead.
pub(crate) fn assert_shows(event: &Event, resource: &Resource) {
    let (view, data, id) = (resource.view().expect("a view"), &event.data, &event.id);
    assert_eq!(data.status, view.status.map(Status::as_str), "{id}: every change of the status is published");
    let conflicting: Vec<_> = view.conflicting().iter().map(|status| status.as_str()).collect();
    assert_eq!(data.conflicting, conflicting, "{id}: every change of the conflict is published");

    let kind = resource.id().kind();
    assert!(event_types(kind).contains(&event.event_type), "{id}: {} is not in the schema", event.event_type);
    let outcome = event.event_type.rsplit('.').next().unwrap_or_default();
    let says_a_status = Status::named(kind, outcome).is_ok();
    assert!(!says_a_status || view.conflict.is_none(), "{id}: {outcome} although statements conflict");

    if let (EventBody::Transfer(body), true) = (&data.body, kind == Kind::Deposit) {
        let (is_confirmed, is_held) = (data.status == Some("confirmed"), data.status == Some("held"));
        assert_eq!(body.credit.is_some(), is_confirmed && view.conflict.is_none(), "{id}: credit");
        assert_eq!(body.hold.is_some(), is_held, "{id}: hold");
        let reason = |hold: Option<&Hold>| hold.map(|hold| hold.reason);
        assert!(!is_held || reason(body.hold.as_ref()) == reason(view.details.hold()), "{id}: the reason is published");
        let net = |credit: Option<&Credit>| credit.map(|credit| credit.net.clone());
        let is_published = body.credit.is_none() || net(body.credit.as_ref()) == net(view.details.credit());
        assert!(is_published, "{id}: the credit is published");
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

/// Every order of `items`.
pub(crate) fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = items.split_first() else {
        return vec![Vec::new()];
    };
    let insertions = |order: Vec<T>| {
        (0..=order.len()).map(move |at| {
            let mut order = order.clone();
            order.insert(at, first.clone());
            order
        })
    };
    permutations(rest).into_iter().flat_map(insertions).collect()
}
