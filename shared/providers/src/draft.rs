//! What a provider's module gets from an envelope, and what it returns: statements without their evidence.

use fundhook_domain::{Details, Evidence, FactId, ResourceId, Statement, StatementContent, Status, Timestamp};

use crate::Envelope;
use crate::bound::bound;
use crate::reading::ReadingSettings;

/// What a provider's module reads a webhook's statements from, in addition to the members of its body.
pub(crate) struct Received<'a> {
    /// The envelope, for its feed and headers.
    pub(crate) envelope: &'a Envelope,
    /// The value of the payload type header, if there is one.
    pub(crate) payload_type: Option<&'a str>,
    /// When the webhook was sent: the time of statements that have no date.
    pub(crate) sent_at: Timestamp,
    /// The settings that the meaning of a webhook depends on.
    pub(crate) settings: &'a ReadingSettings,
}

/// A statement about one resource, before its id and evidence are added.
pub(crate) struct Draft {
    pub(crate) resource: ResourceId,
    pub(crate) event_type: String,
    pub(crate) status: Option<Status>,
    pub(crate) occurred_at: Timestamp,
    pub(crate) details: Details,
}

/// Why a webhook was not recognized.
#[derive(Debug)]
pub(crate) struct NotUnderstood {
    /// The name that the webhook's body gives itself. A name from a header is not signed and must not be part of a
    /// fact's id.
    pub(crate) named: Option<String>,
    /// The reason, as a sentence.
    pub(crate) reason: String,
}

impl Draft {
    /// The statement with its id, made of signed bytes alone, and its evidence. Parts that are too large are left out.
    pub(crate) fn into_statement(mut self, body: &[u8], evidence: Evidence, settings: &ReadingSettings) -> Statement {
        settings.crediting.apply(&mut self);
        let Self { resource, event_type, status, occurred_at, mut details } = self;
        bound(&mut details);
        let id = FactId::of(&resource, &event_type, body);
        let reading = settings.reading(evidence.received_at, &resource, &details);
        let content = StatementContent { id, event_type, status, occurred_at, details, evidence, reading };
        Statement { resource, content }
    }
}
