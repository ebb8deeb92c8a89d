//! Facts: statements, notices and relations as recorded on their resource.

use serde::{Deserialize, Serialize};

use super::decision::Decision;
use super::evidence::Evidence;
use super::overdue::OverdueNotice;
use super::relation::Relation;
use super::second_name::SecondName;
use super::statement::{Statement, StatementContent};
use crate::{FactId, Status, Timestamp};

/// A statement, a notice or a relation as recorded on its resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// The version of the resource with this fact: its number in the order of recording, counted from 1.
    pub version: u64,
    /// The number of the event that this fact published, counted from 1. A fact that [repeats](Self::repeats) another
    /// published none and has the number of the event before it. A relation that was recorded before the first statement
    /// has 0, and its event is published with that statement. What a backfill only recorded has 0 too.
    pub sequence: u64,
    /// Whether it published no event: an earlier fact says the same in other bytes or on other evidence, or a backfill only
    /// recorded it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub repeats: bool,
    /// Whether the resource's status changed with this fact.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub reaches: bool,
    /// What was recorded.
    pub content: FactContent,
}

/// What a fact records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactContent {
    /// What the provider stated.
    Statement(StatementContent),
    /// Fundhook's own notice that a further statement is overdue. It publishes an event and does not change the view.
    Overdue(OverdueNotice),
    /// A relation: the resource is another name of the one that has the facts. A resource with statements publishes an
    /// event about it, and one without publishes none.
    SecondName(SecondName),
    /// What another resource says that changes what this one says.
    Relation(Box<Relation>),
    /// What a person decided.
    Decision(Box<Decision>),
}

impl Fact {
    /// What the provider stated; `None` for Fundhook's own notice and for a relation.
    pub fn statement(&self) -> Option<&StatementContent> {
        match &self.content {
            FactContent::Statement(statement) => Some(statement),
            FactContent::Overdue(_)
            | FactContent::SecondName(_)
            | FactContent::Relation(_)
            | FactContent::Decision(_) => None,
        }
    }
}

impl FactContent {
    /// The id of the fact.
    pub fn id(&self) -> &FactId {
        match self {
            Self::Statement(statement) => &statement.id,
            Self::Overdue(notice) => &notice.id,
            Self::SecondName(second_name) => &second_name.id,
            Self::Relation(relation) => &relation.id,
            Self::Decision(decision) => &decision.id,
        }
    }

    /// The provider's name for the event; `fundhook.overdue` for a notice, and `fundhook.second_name` or
    /// `fundhook.relation` for a relation.
    pub fn event_type(&self) -> &str {
        match self {
            Self::Statement(statement) => &statement.event_type,
            Self::Overdue(_) => OverdueNotice::EVENT_TYPE,
            Self::SecondName(_) => SecondName::EVENT_TYPE,
            Self::Relation(_) => Relation::EVENT_TYPE,
            Self::Decision(_) => Decision::EVENT_TYPE,
        }
    }

    /// The status that was stated, if any, and for a notice the status that has lasted too long.
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Statement(statement) => statement.status,
            Self::Overdue(notice) => notice.status,
            Self::SecondName(_) | Self::Relation(_) | Self::Decision(_) => None,
        }
    }

    /// When it happened, according to the provider; for a notice, since when the next statement has been overdue, and
    /// for a relation, when the statement that names both resources happened.
    pub fn occurred_at(&self) -> Timestamp {
        match self {
            Self::Statement(statement) => statement.occurred_at,
            Self::Overdue(notice) => notice.overdue_since,
            Self::SecondName(second_name) => second_name.occurred_at,
            Self::Relation(relation) => relation.occurred_at,
            Self::Decision(decision) => decision.decided_at,
        }
    }

    /// The evidence for it; for a notice, the evidence for the status that has lasted too long, and for a relation, the
    /// evidence for the statement that names both resources.
    pub fn evidence(&self) -> &Evidence {
        match self {
            Self::Statement(statement) => &statement.evidence,
            Self::Overdue(notice) => &notice.evidence,
            Self::SecondName(second_name) => &second_name.evidence,
            Self::Relation(relation) => &relation.evidence,
            Self::Decision(decision) => &decision.evidence,
        }
    }
}

impl From<Statement> for FactContent {
    fn from(statement: Statement) -> Self {
        Self::Statement(statement.content)
    }
}
