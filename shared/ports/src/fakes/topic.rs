//! The topic.

use std::collections::BTreeSet;

use fundhook_domain::Event;

use super::{Fail, Fake, down};
use crate::{PortError, PublishEvents};

const PUBLISH: &str = "publish an event";

/// A topic that keeps the events that it receives.
#[derive(Clone, Debug, Default)]
pub struct Topic {
    /// The events of each call, in order, including the rejected ones.
    pub calls: Vec<Vec<Event>>,
    /// Which calls fail, with all their events.
    pub on_publish: Fail,
    /// Rejects the events with these ids, and accepts the others of the same call.
    pub refuses: BTreeSet<String>,
    /// Whether it keeps the order of events, as a FIFO topic does.
    pub keeps_order: bool,
}

impl Fake<Topic> {
    /// A topic that rejects the events with these ids.
    pub fn refusing(ids: impl IntoIterator<Item = String>) -> Self {
        Self::new(Topic { refuses: ids.into_iter().collect(), ..Topic::default() })
    }

    /// Every event that was published to it, accepted or rejected, in order.
    pub fn events(&self) -> Vec<Event> {
        self.now().calls.concat()
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.now().calls.len()
    }
}

impl PublishEvents for Fake<Topic> {
    fn keeps_order(&self) -> bool {
        self.now().keeps_order
    }

    async fn publish(&self, events: &[Event]) -> Vec<Result<(), PortError>> {
        let mut topic = self.now();
        topic.calls.push(events.to_vec());
        let is_down = topic.on_publish.outcome(PUBLISH).is_err();
        let outcome = |event: &Event| {
            if is_down || topic.refuses.contains(&event.id) { Err(down(PUBLISH)) } else { Ok(()) }
        };
        events.iter().map(outcome).collect()
    }
}
