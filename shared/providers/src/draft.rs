//! What a provider's module gets from an envelope, and what it returns: statements without their evidence.

use fundhook_domain::{
    Details, Evidence, FactId, ResourceId, Statement, StatementContent, Status, StatusRule, Timestamp,
};

use crate::Envelope;
use crate::bound::bound;
use crate::reading::ReadingSettings;

/// What a provider's module reads a webhook's statements from, in addition to the members of its body.
pub(crate) struct Received<'a> {
    /// The envelope, for its feed and headers.
    pub(crate) envelope: &'a Envelope,
    /// The value of the payload type header, if there is one.
    pub(crate) payload_type: Option<&'a str>,
    /// The settings that the meaning of a webhook depends on.
    pub(crate) settings: &'a ReadingSettings,
}

/// A statement about one resource, before its id and evidence are added.
pub(crate) struct Draft {
    pub(crate) resource: ResourceId,
    pub(crate) event_type: String,
    pub(crate) status: Option<Status>,
    /// When it happened, if the provider gives a date.
    pub(crate) occurred_at: Option<Timestamp>,
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
    pub(crate) fn into_statement(
        mut self,
        envelope: &Envelope,
        evidence: Evidence,
        settings: &ReadingSettings,
    ) -> Statement {
        settings.crediting.apply(&mut self);
        let Self { resource, event_type, status, occurred_at, mut details } = self;
        bound(&mut details);
        let id = FactId::of(&resource, &event_type, &envelope.body());
        let reading = settings.reading(envelope.read_at(), &resource, &details);
        // Of a kind without an end, what is sent again is news: it happens each time that it is sent.
        let undated = occurred_at.is_none() && resource.kind().status_rule() != StatusRule::Latest;
        let occurred_at = occurred_at.unwrap_or_else(|| evidence.sent_at());
        let content = StatementContent { id, event_type, status, occurred_at, undated, details, evidence, reading };
        Statement { resource, content }
    }
}
