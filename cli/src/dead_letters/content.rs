//! What a message is, as far as its body tells.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{CorrelationId, EvidencePointer, Feed, NewFact, ResourceId, Status, Timestamp};
use fundhook_ports::chain;
use fundhook_providers::{Envelope, ReadingSettings, facts};
use serde::Serialize;
use serde_json::Value;

use super::pointer::Pointer;
use super::queues::DeadLetterQueue;

/// What a message is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Content {
    /// A webhook, a row of the provider's list, or a person's decision.
    Webhook(WebhookSummary),
    /// A statement, or a notice.
    Statement(StatementSummary),
    /// A pointer to changes that were not published.
    Pointer(Pointer),
    /// Nothing that today's code can read.
    Unreadable {
        /// The error of today's code.
        error: String,
        /// What can be read of it nevertheless, by the names of its members. None of it was checked.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        members: BTreeMap<&'static str, String>,
    },
}

/// Members that say what an unreadable message is about, and where they are.
const MEMBERS: [(&str, &str); 5] = [
    ("feed", "/feed"),
    ("received_at", "/received_at"),
    ("resource", "/fact/resource"),
    ("event_type", "/fact/content/statement/event_type"),
    ("function", "/requestContext/functionArn"),
];
/// How much of such a member is shown.
const MEMBER_CHARS_MAX: usize = 200;

fn members_of(body: &str) -> BTreeMap<&'static str, String> {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let member = |(name, at): (&'static str, &str)| {
        let text = json.pointer(at)?.as_str()?;
        Some((name, text.chars().take(MEMBER_CHARS_MAX).collect()))
    };
    MEMBERS.into_iter().filter_map(member).collect()
}

/// An envelope, without its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WebhookSummary {
    pub feed: Feed,
    pub received_at: Timestamp,
    pub correlation_id: CorrelationId,
    /// The names of the events that it states; empty names are left out.
    pub event_types: BTreeSet<String>,
    /// The resources that it states something about.
    pub resources: BTreeSet<ResourceId>,
}

/// A fact that is to be recorded, without its details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementSummary {
    pub resource: ResourceId,
    pub event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    pub received_at: Timestamp,
    pub correlation_id: CorrelationId,
    /// Where the webhook is archived.
    pub archived: EvidencePointer,
}

impl WebhookSummary {
    /// What `envelope` is, read with these settings.
    pub fn of(envelope: &Envelope, settings: &ReadingSettings) -> Self {
        let facts = facts_of(envelope, settings);
        let named = facts.iter().map(|fact| fact.content.event_type().to_owned()).filter(|name| !name.is_empty());
        Self {
            feed: envelope.feed().clone(),
            received_at: envelope.received_at(),
            correlation_id: envelope.correlation_id(),
            event_types: named.collect(),
            resources: facts.iter().map(|fact| fact.resource.clone()).collect(),
        }
    }
}

impl StatementSummary {
    fn of(fact: &NewFact) -> Self {
        let evidence = fact.content.evidence();
        Self {
            resource: fact.resource.clone(),
            event_type: fact.content.event_type().to_owned(),
            status: fact.content.status().map(Status::as_str),
            received_at: evidence.received_at,
            correlation_id: evidence.correlation_id.clone(),
            archived: evidence.archived.clone(),
        }
    }
}

/// The facts that an envelope states that is not archived, or not known to be.
fn facts_of(envelope: &Envelope, settings: &ReadingSettings) -> Vec<NewFact> {
    facts(envelope, EvidencePointer { object: String::new(), line: 0 }, settings)
}

/// What a message of `queue` with this body is.
pub fn content(queue: DeadLetterQueue, body: &str, settings: &ReadingSettings) -> Content {
    let read = match queue {
        DeadLetterQueue::Ingress => Envelope::from_json(body)
            .map(|envelope| Content::Webhook(WebhookSummary::of(&envelope, settings)))
            .map_err(|error| chain(&error)),
        DeadLetterQueue::Transfers | DeadLetterQueue::Accounts => NewFact::from_message(body)
            .map(|fact| Content::Statement(StatementSummary::of(&fact)))
            .map_err(|error| chain(&error)),
        DeadLetterQueue::Publisher => Pointer::from_message(body).map(Content::Pointer).map_err(|error| chain(&error)),
    };
    read.unwrap_or_else(|error| Content::Unreadable { error, members: members_of(body) })
}
