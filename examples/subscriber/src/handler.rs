//! Books a batch of events.

use std::error::Error;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use time::OffsetDateTime;
use tracing::{debug, error, info, warn};

use crate::{BookOutcome, Entry, EventError, Ledger, LedgerError};

#[derive(Debug)]
pub struct Subscriber<L> {
    ledger: L,
}

/// Why a message was not finished. It returns to the queue, and after five attempts moves to the dead-letter queue.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error("the event cannot be processed")]
    Event(#[from] EventError),
    #[error("the ledger could not process the request")]
    Ledger(#[from] LedgerError),
}

impl Unfinished {
    /// Whether the message may succeed when it is delivered again.
    fn is_transient(&self) -> bool {
        match self {
            Self::Ledger(error) => error.is_transient(),
            Self::Event(_) => false,
        }
    }
}

impl<L: Ledger> Subscriber<L> {
    pub fn new(ledger: L) -> Self {
        Self { ledger }
    }

    /// Handles one batch received at `now`, and returns the messages that were not finished.
    ///
    /// One message after the other: concurrent entries of one account would make their transactions collide.
    pub async fn handle(&self, event: SqsEvent, now: OffsetDateTime) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            let message_id = message.message_id.unwrap_or_default();
            if let Err(unfinished) = self.finish(&message.body.unwrap_or_default(), now).await {
                let why = chain(&unfinished);
                if unfinished.is_transient() {
                    warn!(message_id, error = why, "message {message_id} returns to the queue: {why}");
                } else {
                    error!(message_id, error = why, "message {message_id} cannot be booked and needs review: {why}");
                }
                response.add_failure(message_id);
            }
        }
        response
    }

    /// Books one event.
    async fn finish(&self, body: &str, now: OffsetDateTime) -> Result<(), Unfinished> {
        let entry = Entry::from_event(body)?;
        let (event_id, event_type) = (entry.event_id(), entry.event_type());
        if entry.lines().is_empty() {
            debug!(event.id = event_id, event.kind = event_type, "event {event_id} books nothing");
            return Ok(());
        }
        match self.ledger.book(&entry, now).await? {
            BookOutcome::Booked => info!(event.id = event_id, event.kind = event_type, "event {event_id} booked"),
            BookOutcome::AlreadyBooked => {
                info!(
                    event.id = event_id,
                    event.kind = event_type,
                    "event {event_id} is booked already; nothing to do"
                );
            }
        }
        Ok(())
    }
}

/// An error and its sources on one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
