//! From a batch of events to the ledger.

use std::error::Error;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use time::OffsetDateTime;
use tracing::{debug, error, info, warn};

use crate::{Credit, CreditOutcome, EventError, Hold, HoldOutcome, HoldReason, Instruction, Ledger, LedgerError};

/// What the subscriber needs: the ledger.
#[derive(Debug)]
pub struct Subscriber<L> {
    ledger: L,
}

/// Why a message was not finished. It goes back to the queue, and after five attempts waits in the dead-letter queue.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error("the event cannot be acted on")]
    Event(#[from] EventError),
    #[error("the ledger did not do as asked")]
    Ledger(#[from] LedgerError),
    #[error("{resource} is held, so its confirmation ({event_id}) was not credited: a person must decide")]
    Held { resource: String, event_id: String },
    #[error("{resource} was credited before with a different {}, so {event_id} was not credited: a person must decide", terms.join(", "))]
    CreditedDifferently { resource: String, event_id: String, terms: Vec<&'static str> },
}

impl Unfinished {
    /// Whether the message may be finished when it comes again, without anybody having done anything about it.
    fn is_transient(&self) -> bool {
        match self {
            Self::Ledger(error) => error.is_transient(),
            Self::Event(_) | Self::Held { .. } | Self::CreditedDifferently { .. } => false,
        }
    }
}

impl<L: Ledger> Subscriber<L> {
    /// A subscriber that keeps `ledger`.
    pub fn new(ledger: L) -> Self {
        Self { ledger }
    }

    /// Handles one batch received at `now`; returns the messages that were not finished.
    ///
    /// One after the other: credits of one account side by side would only make their transactions collide.
    pub async fn handle(&self, event: SqsEvent, now: OffsetDateTime) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            let message_id = message.message_id.unwrap_or_default();
            if let Err(unfinished) = self.finish(&message.body.unwrap_or_default(), now).await {
                let why = chain(&unfinished);
                if unfinished.is_transient() {
                    warn!(message_id, error = why, "a message goes back to the queue");
                } else {
                    error!(message_id, error = why, "a message cannot be finished: a person must look");
                }
                response.add_failure(message_id);
            }
        }
        response
    }

    /// Does what one event asks for.
    async fn finish(&self, body: &str, now: OffsetDateTime) -> Result<(), Unfinished> {
        match Instruction::from_event(body)? {
            Instruction::Credit(credit) => self.credit(&credit, now).await,
            Instruction::Hold(hold) => self.hold(&hold, now).await,
            Instruction::Ignore { event_id, event_type } => {
                debug!(event.id = event_id, event.kind = event_type, "an event that does not concern the ledger");
                Ok(())
            }
        }
    }

    async fn credit(&self, credit: &Credit, now: OffsetDateTime) -> Result<(), Unfinished> {
        let (resource, event_id) = (credit.resource(), credit.event_id());
        match self.ledger.credit(credit, now).await? {
            CreditOutcome::Credited => {
                info!(resource.id = resource, event.id = event_id, "account credited");
                Ok(())
            }
            CreditOutcome::AlreadyCredited => {
                info!(resource.id = resource, event.id = event_id, "nothing new: credited before");
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

    /// Once the ledger says what is wrong, the message is finished. The line is written again each time the message
    /// comes again: a function that stopped before it would otherwise have told nobody.
    async fn hold(&self, hold: &Hold, now: OffsetDateTime) -> Result<(), Unfinished> {
        let (resource, event_id, reason) = (hold.resource(), hold.event_id(), hold.reason());
        match (self.ledger.hold(hold, now).await?, reason) {
            (HoldOutcome::Disputed, _) => {
                error!(resource.id = resource, event.id = event_id, %reason, "credited, and disputed now: a person must look");
            }
            (HoldOutcome::Held, HoldReason::Conflicting(_)) => {
                error!(resource.id = resource, event.id = event_id, %reason, "held and not credited: a person must look");
            }
            (HoldOutcome::Held, HoldReason::Duplicate(_)) => {
                info!(resource.id = resource, event.id = event_id, %reason, "not credited");
            }
        }
        Ok(())
    }
}

/// An error and everything behind it in one line.
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
