//! Applies a batch of events to the ledger.

use std::error::Error;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use time::OffsetDateTime;
use tracing::{debug, error, info, warn};

use crate::{Credit, CreditOutcome, EventError, Hold, HoldOutcome, HoldReason, Instruction, Ledger, LedgerError};

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
    #[error("{resource} is held, so its confirmation {event_id} was not credited; needs review")]
    Held { resource: String, event_id: String },
    #[error("{resource} is credited already with a different {}, so {event_id} was not credited and nothing was changed; needs review", terms.join(", "))]
    CreditedDifferently { resource: String, event_id: String, terms: Vec<&'static str> },
}

impl Unfinished {
    /// Whether the message may succeed when it is delivered again.
    fn is_transient(&self) -> bool {
        match self {
            Self::Ledger(error) => error.is_transient(),
            Self::Event(_) | Self::Held { .. } | Self::CreditedDifferently { .. } => false,
        }
    }
}

impl<L: Ledger> Subscriber<L> {
    pub fn new(ledger: L) -> Self {
        Self { ledger }
    }

    /// Handles one batch received at `now`, and returns the messages that were not finished.
    ///
    /// One message after the other: concurrent credits of one account would make their transactions collide.
    pub async fn handle(&self, event: SqsEvent, now: OffsetDateTime) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            let message_id = message.message_id.unwrap_or_default();
            if let Err(unfinished) = self.finish(&message.body.unwrap_or_default(), now).await {
                let why = chain(&unfinished);
                if unfinished.is_transient() {
                    warn!(message_id, error = why, "message {message_id} returns to the queue: {why}");
                } else {
                    error!(message_id, error = why, "message {message_id} cannot be processed and needs review: {why}");
                }
                response.add_failure(message_id);
            }
        }
        response
    }

    /// Applies one event.
    async fn finish(&self, body: &str, now: OffsetDateTime) -> Result<(), Unfinished> {
        match Instruction::from_event(body)? {
            Instruction::Credit(credit) => self.credit(&credit, now).await,
            Instruction::Hold(hold) => self.hold(&hold, now).await,
            Instruction::Ignore { event_id, event_type } => {
                debug!(event.id = event_id, event.kind = event_type, "event {event_id} does not concern the ledger");
                Ok(())
            }
        }
    }

    async fn credit(&self, credit: &Credit, now: OffsetDateTime) -> Result<(), Unfinished> {
        let (resource, event_id) = (credit.resource(), credit.event_id());
        match self.ledger.credit(credit, now).await? {
            CreditOutcome::Credited => {
                info!(resource.id = resource, event.id = event_id, "{resource} credited");
                Ok(())
            }
            CreditOutcome::AlreadyCredited => {
                info!(resource.id = resource, event.id = event_id, "{resource} is credited already; nothing to do");
                Ok(())
            }
            CreditOutcome::CreditedDifferently(terms) => Err(Unfinished::CreditedDifferently {
                resource: resource.to_owned(),
                event_id: event_id.to_owned(),
                terms,
            }),
            CreditOutcome::Held => {
                Err(Unfinished::Held { resource: resource.to_owned(), event_id: event_id.to_owned() })
            }
        }
    }

    /// When the ledger has recorded the hold, the message is finished. The log line is repeated for every delivery, because
    /// the function may have stopped before it logged the first one.
    async fn hold(&self, hold: &Hold, now: OffsetDateTime) -> Result<(), Unfinished> {
        let (resource, event_id, reason) = (hold.resource(), hold.event_id(), hold.reason());
        match (self.ledger.hold(hold, now).await?, reason) {
            // The message is finished. The alarm counts lines with `needs`, so that the operator takes the credit back.
            (HoldOutcome::Disputed, HoldReason::Restated(_) | HoldReason::Reversed) => {
                warn!(resource.id = resource, event.id = event_id, %reason, needs = "review", "{resource} was credited and may not be credited now; needs review: take the credit back");
            }
            (HoldOutcome::Disputed, HoldReason::Conflicting(_) | HoldReason::Duplicate(_)) => {
                error!(resource.id = resource, event.id = event_id, %reason, "{resource} was credited and is disputed now; needs review");
            }
            (HoldOutcome::Held, HoldReason::Conflicting(_)) => {
                error!(resource.id = resource, event.id = event_id, %reason, "{resource} is held and was not credited; needs review");
            }
            (HoldOutcome::Held, HoldReason::Duplicate(_) | HoldReason::Restated(_) | HoldReason::Reversed) => {
                info!(resource.id = resource, event.id = event_id, %reason, "{resource} is not credited");
            }
        }
        Ok(())
    }
}

/// An error and its sources on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
