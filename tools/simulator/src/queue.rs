//! Queues that deliver at least once and in any order, hide what is being handled, and give up after five deliveries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use fundhook_domain::Timestamp;
use fundhook_ports::{PortError, QueueMessage, SendMessage, SendMessages};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::cloudwatch::CloudWatch;
use crate::log::Log;

/// As in the template.
const VISIBILITY: Duration = Duration::from_secs(60);
const DELIVERIES_MAX: u32 = 5;
const BATCH: usize = 10;

/// A queue with its dead-letter queue. Clones share it.
#[derive(Clone)]
pub(crate) struct Queue {
    pub(crate) name: &'static str,
    clock: Clock,
    chance: Chance,
    log: Log,
    cloudwatch: CloudWatch,
    doubled: u64,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

/// When a message is visible, and its place among those of the same time.
type Place = (Timestamp, u64);

#[derive(Default)]
struct State {
    messages: BTreeMap<Place, Message>,
    dead: Vec<Message>,
    sent: u64,
}

#[derive(Clone)]
struct Message {
    id: String,
    body: String,
    sent: Timestamp,
    deliveries: u32,
}

/// Messages that are being handled. Those that are not acknowledged in time are delivered again.
pub(crate) struct Batch {
    places: Vec<(String, Place)>,
    pub(crate) event: SqsEvent,
}

impl Queue {
    /// An empty queue. It delivers one message in `doubled` twice.
    pub(crate) fn new(
        name: &'static str,
        clock: Clock,
        chance: &Chance,
        log: &Log,
        cloudwatch: &CloudWatch,
        doubled: u64,
    ) -> Self {
        let (state, changed) = Default::default();
        let (chance, log, cloudwatch) = (chance.fork(), log.clone(), cloudwatch.clone());
        Self { name, clock, chance, log, cloudwatch, doubled, state, changed }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message, to be visible at any time within the next moments: a queue keeps no order.
    fn add(&self, message: Message) {
        let visible = self.clock.now().plus(self.chance.ms(0..200));
        let place = (visible, self.chance.between(0..u64::MAX));
        self.state().messages.insert(place, message);
        self.changed.notify_one();
    }

    fn accept(&self, body: String) {
        let id = {
            let mut state = self.state();
            state.sent += 1;
            format!("{}-{}", self.name, state.sent)
        };
        let message = Message { id, body, sent: self.clock.now(), deliveries: 0 };
        if self.chance.one_in(self.doubled) {
            self.log.note("message delivered twice", &message.id);
            self.add(message.clone());
        }
        self.add(message);
    }

    /// The next messages. Waits until there is one.
    pub(crate) async fn receive(&self) -> Batch {
        loop {
            let now = self.clock.now();
            let batch = self.take(now);
            if !batch.places.is_empty() {
                return batch;
            }
            let next = self.state().messages.keys().next().map(|(visible, _)| *visible);
            match next {
                // Virtual time has milliseconds.
                Some(visible) => {
                    let wait = visible.since(now).max(Duration::from_millis(1));
                    drop(timeout(wait, self.changed.notified()).await);
                }
                None => self.changed.notified().await,
            }
        }
    }

    fn take(&self, now: Timestamp) -> Batch {
        let mut batch = Batch { places: Vec::new(), event: SqsEvent::default() };
        let mut state = self.state();
        while batch.places.len() < BATCH
            && let Some(entry) = state.messages.first_entry().filter(|entry| entry.key().0 <= now)
        {
            let (_, nth) = *entry.key();
            let mut message = entry.remove();
            message.deliveries += 1;
            if message.deliveries > DELIVERIES_MAX {
                self.log.note("message to the dead-letter queue", &message.id);
                state.dead.push(message);
                self.cloudwatch.dead_letters(self.name, state.dead.len());
                continue;
            }
            let mut record = SqsMessage::default();
            (record.message_id, record.body) = (Some(message.id.clone()), Some(message.body.clone()));
            let place = (now.plus(VISIBILITY), nth);
            batch.places.push((message.id.clone(), place));
            batch.event.records.push(record);
            state.messages.insert(place, message);
        }
        batch
    }

    /// Deletes the messages of the batch that did not fail. One that was delivered again since then stays.
    pub(crate) fn acknowledge(&self, places: &[(String, Place)], failed: &[&str]) {
        let mut state = self.state();
        for (id, place) in places {
            if failed.contains(&id.as_str()) {
                self.log.note("message failed", id);
            } else {
                state.messages.remove(place);
            }
        }
    }

    /// Whether nothing waits and nothing is being handled.
    pub(crate) fn is_empty(&self) -> bool {
        self.state().messages.is_empty()
    }

    /// Reports how many dead letters there are, and how long the oldest message has waited.
    pub(crate) fn report(&self) {
        let state = self.state();
        self.cloudwatch.dead_letters(self.name, state.dead.len());
        if let Some(oldest) = state.messages.values().map(|message| message.sent).min() {
            self.cloudwatch.message_waits(self.name, self.clock.now().since(oldest));
        }
    }

    /// Takes a message that no function can read.
    pub(crate) fn poison(&self, body: &str) {
        self.log.note("message that cannot be read", body);
        self.accept(body.to_owned());
    }

    /// What is in the dead-letter queue.
    pub(crate) fn dead(&self) -> BTreeSet<String> {
        self.state().dead.iter().map(|message| message.body.clone()).collect()
    }

    /// Sends what is in the dead-letter queue again.
    pub(crate) fn redrive(&self) {
        let dead = std::mem::take(&mut self.state().dead);
        for message in dead {
            self.log.note("message redriven", &message.id);
            self.add(Message { deliveries: 0, sent: self.clock.now(), ..message });
        }
    }
}

impl Batch {
    /// The messages, and the event that has them.
    pub(crate) fn into_parts(self) -> (Vec<(String, Place)>, SqsEvent) {
        (self.places, self.event)
    }
}

impl SendMessage for Queue {
    async fn send(&self, message: QueueMessage) -> Result<(), PortError> {
        self.accept(message.body);
        Ok(())
    }
}

impl SendMessages for Queue {
    async fn send_all(&self, messages: Vec<QueueMessage>) -> Vec<Result<(), PortError>> {
        let accept = |message: QueueMessage| {
            self.accept(message.body);
            Ok(())
        };
        messages.into_iter().map(accept).collect()
    }
}
