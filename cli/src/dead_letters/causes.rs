//! Why a message is in a dead-letter queue, as far as today's code and the table tell.
//!
//! SQS does not keep the error of the last attempt. So the message is tried again in memory: what fails now is the cause, and
//! what does not fail now has a cause that is over, which the function's log names.

use fundhook_domain::{NewFact, SeveralFamiliesCredit};
use fundhook_ports::{Claims, Disposition, PortError, Resources, WaitingMessage, chain};
use serde::Serialize;

use super::content::Content;
use super::queues::DeadLetterQueue;
use crate::rehearsal::{Rehearsal, Rehearsed, too_large};

/// Why a message is in its queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The reason, as a sentence.
    pub why: String,
    /// Whether sending the message back fails again, as long as nothing else changes.
    pub fails_again: bool,
}

impl Cause {
    fn over(why: String) -> Self {
        Self { why, fails_again: false }
    }

    fn stands(why: String) -> Self {
        Self { why, fails_again: true }
    }
}

/// Finds causes by the table of a stack.
#[derive(Debug)]
pub struct CauseFinder<R> {
    resources: R,
    several: SeveralFamiliesCredit,
}

impl<R: Resources + Claims + Clone> CauseFinder<R> {
    /// What finds causes by what is stored in `resources`. In these organizations, deposits that may be one coin are held.
    pub fn on(resources: R, several: SeveralFamiliesCredit) -> Self {
        Self { resources, several }
    }

    /// Why `message`, which is `content`, is in `queue`.
    pub async fn cause(&self, queue: DeadLetterQueue, message: &WaitingMessage, content: &Content) -> Cause {
        let log = |when: &str| {
            let (function, id) = (queue.function(), &message.id);
            format!("{when}; the log of {function} says why: look for {id}")
        };
        match content {
            Content::Unreadable { error, .. } => Cause::stands(error.clone()),
            Content::Webhook(_) => Cause::over(log("today's code reads it, so the archive or a queue refused it then")),
            Content::Pointer(pointer) => {
                let error = pointer.function_error.as_deref().map(|error| format!(", {error}")).unwrap_or_default();
                let (condition, times) = (&pointer.condition, pointer.invocations);
                let asked = match times {
                    0 => "never".to_owned(),
                    1 => "once".to_owned(),
                    times => format!("{times} times"),
                };
                let function = &pointer.function;
                Cause::over(format!("{condition} after {function} was invoked {asked}{error}; its log says why"))
            }
            Content::Statement(_) => match NewFact::from_message(&message.body) {
                Ok(fact) => self.of_statement(&fact, log).await,
                Err(error) => Cause::stands(chain(&error)),
            },
        }
    }

    async fn of_statement(&self, fact: &NewFact, log: impl Fn(&str) -> String) -> Cause {
        let mut rehearsal = Rehearsal::on(self.resources.clone(), self.several.clone());
        match rehearsal.record(fact).await {
            Ok(Rehearsed::Unchanged) => Cause::over("it is recorded: sending it back changes nothing".to_owned()),
            Ok(Rehearsed::NoOwner) => {
                Cause::stands("every name of its resource is a second name, so none of them has the facts".to_owned())
            }
            Ok(Rehearsed::Written(write)) => {
                let can_be_recorded = "it can be recorded now, so the table refused it then, or was not reached";
                too_large(&write).map_or_else(|| Cause::over(log(can_be_recorded)), Cause::stands)
            }
            Err(error) => self.unread(&error),
        }
    }

    /// What it is recorded on cannot be read. A table that cannot be reached now says nothing about the message.
    fn unread(&self, error: &PortError) -> Cause {
        match error.disposition() {
            Disposition::DeadLetter => Cause::stands(chain(error)),
            Disposition::Retry => Cause::over(format!("cannot be told: {}", chain(error))),
        }
    }
}
