//! The dead letters of one stack: listed, shown and redriven.

use fundhook_adapters::{Queue, ResourceTable};
use fundhook_domain::Timestamp;
use fundhook_ports::{PortError, WaitingMessage, WaitingMessages as _, chain};
use serde::Serialize;

use super::causes::{Cause, CauseFinder};
use super::collect::{Limits, collect};
use super::content::{Content, content};
use super::queues::DeadLetterQueue;
use super::redrive::{Redriven, Selection, redrive};
use super::unpublished::redrive_pointers;
use crate::republish::{RepublishError, Republisher, StackPublishers};
use crate::stack_settings::StackSettings;
use crate::target::{Target, TargetError};

/// The dead letters of a stack.
pub struct Desk<'a> {
    target: &'a Target,
    settings: StackSettings,
    /// Why the stack's settings are not known, so that the defaults stand in for them.
    note: Option<String>,
    limits: Limits,
}

#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    #[error(transparent)]
    Queue(#[from] PortError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Republish(#[from] RepublishError),
}

/// What waits in one queue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueListing {
    pub queue: DeadLetterQueue,
    /// About how many messages are in it.
    pub waiting: u64,
    /// The messages, the oldest first.
    pub messages: Vec<LetterSummary>,
    /// Whether a limit was reached, so that messages are missing in the list.
    pub cut: bool,
}

/// One message, without its body.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LetterSummary {
    pub id: String,
    /// When it was first sent to a queue. A queue and its dead-letter queue together keep it for 14 days.
    pub sent_at: Timestamp,
    /// How long ago that was.
    pub age_seconds: u64,
    /// How often it was received, by functions and by these commands.
    pub receive_count: u32,
    pub content: Content,
    pub cause: Cause,
}

/// One message with its body.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LetterDetails {
    #[serde(flatten)]
    pub summary: LetterSummary,
    /// The X-Ray tracing header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The body, which may contain personal data of users.
    pub body: String,
}

impl<'a> Desk<'a> {
    /// The dead letters of `target`, received within `limits`.
    pub async fn of(target: &'a Target, limits: Limits) -> Self {
        let (settings, note) = match StackSettings::of(target).await {
            Ok(settings) => (settings, None),
            Err(error) => {
                let why = format!("the stack's settings are not known, the defaults are used: {}", chain(&error));
                (StackSettings::default(), Some(why))
            }
        };
        Self { target, settings, note, limits }
    }

    /// What an operator should know about the answers.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// What waits in these queues at `now`. Every message is visible again afterwards.
    pub async fn list(&self, queues: &[DeadLetterQueue], now: Timestamp) -> Result<Vec<QueueListing>, DeskError> {
        let mut listings = Vec::new();
        for queue in queues {
            let dead = self.queue(*queue)?;
            let collected = collect(&dead, self.limits, None).await?;
            dead.give_back(&collected.messages).await?;
            let mut messages = Vec::new();
            for message in &collected.messages {
                messages.push(self.summary(*queue, message, now).await?);
            }
            messages.sort_by_key(|letter| (letter.sent_at, letter.id.clone()));
            let waiting = dead.count().await?.max(messages.len() as u64);
            listings.push(QueueListing { queue: *queue, waiting, messages, cut: collected.cut });
        }
        Ok(listings)
    }

    /// The message `id`; `None` when it is not in the queue, or hidden because another command received it.
    pub async fn show(
        &self,
        queue: DeadLetterQueue,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<LetterDetails>, DeskError> {
        let dead = self.queue(queue)?;
        let wanted = [id.to_owned()].into();
        let collected = collect(&dead, self.limits, Some(&wanted)).await?;
        dead.give_back(&collected.messages).await?;
        let Some(message) = collected.messages.into_iter().find(|message| message.id == id) else {
            return Ok(None);
        };
        let summary = self.summary(queue, &message, now).await?;
        Ok(Some(LetterDetails { summary, trace: message.trace, body: message.body }))
    }

    /// Sends the selected messages back to where they came from; publishes again what pointers are about.
    pub async fn redrive(
        &self,
        queue: DeadLetterQueue,
        selection: &Selection,
        dry_run: bool,
    ) -> Result<Redriven, DeskError> {
        let dead = self.queue(queue)?;
        let Some(source) = queue.source_output() else {
            let publishers = StackPublishers::of(self.target);
            let destinations = publishers.destinations();
            let is_its =
                |function: &str, destination| publishers.function(destination).is_ok_and(|name| name == function);
            let destination_of =
                |function: &str| destinations.iter().copied().find(|destination| is_its(function, *destination));
            let table = ResourceTable::new(&self.target.aws, self.target.output("TableName")?.to_owned());
            let republisher = |destination| Republisher::new(table.clone(), publishers, vec![destination], dry_run);
            let limits = self.limits;
            return Ok(redrive_pointers(&dead, selection, limits, dry_run, destination_of, republisher).await?);
        };
        let source = Queue::new(&self.target.aws, self.target.output(source)?.to_owned());
        Ok(redrive(&dead, &source, queue, selection, self.limits, dry_run).await)
    }

    async fn summary(
        &self,
        queue: DeadLetterQueue,
        message: &WaitingMessage,
        now: Timestamp,
    ) -> Result<LetterSummary, DeskError> {
        let table = ResourceTable::new(&self.target.aws, self.target.output("TableName")?.to_owned());
        let content = content(queue, &message.body, &self.settings.reading);
        let cause = CauseFinder::on(table, self.settings.several.clone()).cause(queue, message, &content).await;
        Ok(LetterSummary {
            id: message.id.clone(),
            sent_at: message.sent_at,
            age_seconds: now.since(message.sent_at).as_secs(),
            receive_count: message.receive_count,
            content,
            cause,
        })
    }

    fn queue(&self, queue: DeadLetterQueue) -> Result<Queue, TargetError> {
        Ok(Queue::new(&self.target.aws, self.target.output(queue.output())?.to_owned()))
    }
}
