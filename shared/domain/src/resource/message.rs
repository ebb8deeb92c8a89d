//! The messages on the transfers and accounts queues: what is to be recorded on which resource.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fact::FactContent;
use super::state::Resource;
use super::statement::Statement;
use crate::{Kind, ResourceId, Status, json_fault};

/// A statement or a notice that is to be recorded on a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewFact {
    /// The resource to record it on.
    pub resource: ResourceId,
    /// What to record.
    pub content: FactContent,
}

/// The version of the messages that this code writes and reads.
const VERSION: u8 = 1;

/// Why a message is not a [`NewFact`].
#[derive(Debug, thiserror::Error)]
pub enum NewFactError {
    /// The message does not have the expected form.
    #[error("the message is not a fact to record: {0}")]
    Shape(String),
    /// The message has a version that this code does not read.
    #[error("the message has version {0}; this code reads version {VERSION}")]
    Version(u8),
    /// The message reports a status that its resource cannot have.
    #[error("a resource of the kind `{0}` cannot have the status `{1}`")]
    Status(Kind, Status),
}

fn shape(error: serde_json::Error) -> NewFactError {
    NewFactError::Shape(json_fault(&error))
}

impl NewFact {
    /// The notice that `resource` has awaited a further statement for `limit`; `None` when it awaits none.
    ///
    /// The notice is the same one until the resource changes its status, so it is recorded once, however often it is
    /// sent.
    pub fn overdue(resource: &Resource, limit: Duration) -> Option<Self> {
        let notice = resource.overdue_notice(limit)?;
        Some(Self { resource: resource.id().clone(), content: FactContent::Overdue(notice) })
    }

    /// The names of the resource: its id, and the others that the statement gives it.
    ///
    /// Only those of the same kind and feed: what one organization is told never joins another one's resource.
    pub fn names(&self) -> BTreeSet<ResourceId> {
        let stated = match &self.content {
            FactContent::Statement(statement) => statement.details.names(),
            FactContent::Overdue(_)
            | FactContent::SecondName(_)
            | FactContent::Relation(_)
            | FactContent::Decision(_) => None,
        };
        let id = &self.resource;
        let others = stated.into_iter().flatten().filter(|name| (name.kind(), name.feed()) == (id.kind(), id.feed()));
        others.chain([id]).cloned().collect()
    }

    /// The message for the queue, as JSON.
    pub fn to_message(&self) -> Result<String, NewFactError> {
        #[derive(Serialize)]
        struct Message<'a> {
            v: u8,
            fact: &'a NewFact,
        }
        serde_json::to_string(&Message { v: VERSION, fact: self }).map_err(shape)
    }

    /// Reads a message that [`NewFact::to_message`] wrote.
    pub fn from_message(json: &str) -> Result<Self, NewFactError> {
        #[derive(Deserialize)]
        struct Message {
            v: u8,
            fact: NewFact,
        }
        let Message { v, fact } = serde_json::from_str(json).map_err(shape)?;
        if v != VERSION {
            return Err(NewFactError::Version(v));
        }
        let kind = fact.resource.kind();
        match fact.content.status() {
            Some(status) if status.kind() != kind => Err(NewFactError::Status(kind, status)),
            Some(_) | None => Ok(fact),
        }
    }
}

impl From<Statement> for NewFact {
    fn from(statement: Statement) -> Self {
        let Statement { resource, content } = statement;
        Self { resource, content: FactContent::Statement(content) }
    }
}

impl From<NewFact> for FactContent {
    fn from(fact: NewFact) -> Self {
        fact.content
    }
}
