//! Sends messages back to the queue that they came from.

use std::collections::BTreeSet;
use std::time::Instant;

use fundhook_domain::Timestamp;
use fundhook_ports::{QueueMessage, SendMessages, WaitingMessage, WaitingMessages, chain};
use serde::Serialize;

use super::collect::Limits;
use super::queues::DeadLetterQueue;

/// Which messages are redriven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All that were sent before the command began. What fails again and comes back is not redriven a second time.
    All {
        /// When the command began.
        before: Timestamp,
    },
    /// Those with these ids.
    Ids(BTreeSet<String>),
}

impl Selection {
    /// Whether it selects `message`.
    pub fn selects(&self, message: &WaitingMessage) -> bool {
        match self {
            Self::All { before } => message.sent_at <= *before,
            Self::Ids(ids) => ids.contains(&message.id),
        }
    }

    /// How many of the messages that it does not select are too new for it.
    pub(super) fn newer(&self, others: &[WaitingMessage]) -> usize {
        match self {
            Self::All { .. } => others.len(),
            Self::Ids(_) => 0,
        }
    }
}

/// What was redriven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Redriven {
    pub letters: Vec<RedrivenLetter>,
    /// The ids that were asked for and are not in the queue, or are hidden because another command received them.
    pub not_found: Vec<String>,
    /// How many messages were sent after the command began, and were not redriven: `--all` means those from before.
    pub newer: usize,
    /// Whether a limit was reached, so that more may wait.
    pub cut: bool,
    /// What failed beside the letters: receiving more of them, or making those visible again that were not redriven.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
}

/// A message that was redriven, or was to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RedrivenLetter {
    pub id: String,
    /// Where it went.
    pub to: SentTo,
    /// Why it was kept in the dead-letter queue; `None` when it was redriven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// Where a message goes that is redriven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SentTo {
    /// The queue that it came from.
    Queue(&'static str),
    /// The publisher: these events are published again.
    Publisher {
        /// How many resources were written when the records were, or since.
        resources: usize,
        /// How many events they have.
        events: usize,
    },
}

impl Redriven {
    /// Makes messages visible again that were not redriven.
    pub(super) async fn give_back(&mut self, queue: &impl WaitingMessages, messages: &[WaitingMessage]) {
        let given_back = queue.give_back(messages).await;
        self.failures.extend(given_back.err().map(|error| {
            format!("what was not redriven is not shown until SQS shows it again by itself: {}", chain(&error))
        }));
    }

    /// Whether everything that was asked for was redriven.
    pub fn is_complete(&self) -> bool {
        self.not_found.is_empty()
            && !self.cut
            && self.failures.is_empty()
            && self.letters.iter().all(|letter| letter.kept.is_none())
    }
}

/// Sends the selected messages of `dead`, which came from the queue `to`, back there, and deletes them. A dry run sends and
/// deletes nothing.
///
/// A message is sent first and deleted after that. So a crash in between leaves it in both queues, and never in none; what is
/// processed twice is recorded once. Messages that are not selected are given back. What fails does not hide what was done by
/// then.
pub async fn redrive(
    dead: &impl WaitingMessages,
    source: &impl SendMessages,
    to: DeadLetterQueue,
    selection: &Selection,
    limits: Limits,
    dry_run: bool,
) -> Redriven {
    let began = Instant::now();
    let (mut redriven, mut given_back, mut found) = (Redriven::default(), Vec::new(), BTreeSet::new());
    loop {
        if let Selection::Ids(ids) = selection
            && ids.is_subset(&found)
        {
            break;
        }
        if found.len() >= limits.messages || began.elapsed() >= limits.time {
            redriven.cut = true;
            break;
        }
        let received = match dead.receive(limits.hidden()).await {
            Ok(received) => received,
            Err(error) => {
                redriven.failures.push(chain(&error));
                break;
            }
        };
        if received.is_empty() {
            break;
        }
        found.extend(received.iter().map(|message| message.id.clone()));
        let (selected, others): (Vec<_>, Vec<_>) = received.into_iter().partition(|message| selection.selects(message));
        redriven.newer += selection.newer(&others);
        given_back.extend(others);
        let bodies =
            selected.iter().map(|message| QueueMessage { body: message.body.clone(), trace: message.trace.clone() });
        let mut outcomes = match dry_run {
            true => selected.iter().map(|_| Ok(())).collect(),
            false => source.send_all(bodies.collect()).await,
        }
        .into_iter();
        for message in selected {
            let sent = outcomes.next().map_or_else(
                || Some("the queue returned no outcome".to_owned()),
                |outcome| outcome.err().map(|error| chain(&error)),
            );
            let kept = match sent {
                None if dry_run => None,
                None => dead
                    .delete(&message)
                    .await
                    .err()
                    .map(|error| format!("it was sent, and could not be deleted here: {}", chain(&error))),
                Some(why) => Some(why),
            };
            redriven.letters.push(RedrivenLetter {
                id: message.id.clone(),
                to: SentTo::Queue(to.as_str()),
                kept: kept.clone(),
            });
            given_back.extend((dry_run || kept.is_some()).then_some(message));
        }
    }
    redriven.give_back(dead, &given_back).await;
    if let Selection::Ids(ids) = selection {
        redriven.not_found = ids.difference(&found).cloned().collect();
    }
    redriven
}
