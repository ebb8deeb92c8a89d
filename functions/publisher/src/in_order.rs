//! Publishing to a destination that keeps the order of what it takes.

use std::collections::BTreeSet;

use fundhook_domain::{Event, ResourceId};
use fundhook_ports::{Disposition, PortError, PublishEvents};

/// Publishes the events of each resource one after the other, and none of a resource after one that failed: it would overtake
/// that one, which is published again later. Returns one outcome for each event, in the order of `events`.
pub(crate) async fn publish_in_order<T: PublishEvents>(
    destination: &T,
    events: &[Event],
) -> Vec<Result<(), PortError>> {
    let mut outcomes: Vec<Result<(), PortError>> = events.iter().map(|_| Err(held_back())).collect();
    let mut failed: BTreeSet<&ResourceId> = BTreeSet::new();
    let mut left: Vec<usize> = (0..events.len()).collect();
    while !left.is_empty() {
        // The next event of each resource.
        let mut of_round = BTreeSet::new();
        let (round, later): (Vec<usize>, Vec<usize>) =
            left.into_iter().partition(|index| of_round.insert(&events[*index].data.resource));
        let next: Vec<Event> = round.iter().map(|index| events[*index].clone()).collect();
        let mut published = destination.publish(&next).await.into_iter();
        for index in round {
            // An event without an outcome may not have been published.
            let outcome = published.next().unwrap_or_else(|| Err(without_outcome()));
            if outcome.is_err() {
                failed.insert(&events[index].data.resource);
            }
            outcomes[index] = outcome;
        }
        left = later.into_iter().filter(|index| !failed.contains(&events[*index].data.resource)).collect();
    }
    outcomes
}

fn held_back() -> PortError {
    PortError::new("publish an event", Disposition::Retry, "an earlier event of its resource was not published")
}

fn without_outcome() -> PortError {
    PortError::new("publish an event", Disposition::Retry, "the topic returned no outcome for it")
}
