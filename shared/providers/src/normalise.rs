//! Normalisation: from an archived envelope to statements. This part is the same for all providers.

use fundhook_domain::{
    Details, Evidence, EvidencePointer, Provider, ResourceId, Statement, Status, UnrecognizedDetails,
};

use crate::draft::{Draft, NotUnderstood, Received};
use crate::wire::{self, Fields};
use crate::{Envelope, PAYLOAD_TYPE_HEADER, ReadingSettings, connect, lists, striga, zerohash};

/// The longest event name that is carried. The providers' longest names have about 40 bytes.
const EVENT_NAME_BYTES_MAX: usize = 256;

/// What an archived envelope states.
///
/// `settings` decide where the provider's numbers and words leave it open what they mean.
///
/// Total, and never empty: a webhook that is not recognized is itself a statement, about a resource of the kind
/// `unrecognized`.
pub fn normalise(envelope: &Envelope, archived: EvidencePointer, settings: &ReadingSettings) -> Vec<Statement> {
    let body = envelope.body();
    let evidence = evidence(envelope, archived);
    let payload_type = envelope.header(PAYLOAD_TYPE_HEADER);
    let payload_type = payload_type.filter(|name| !name.is_empty() && name.len() <= EVENT_NAME_BYTES_MAX);
    let received = Received { envelope, payload_type, settings };
    let drafts = match wire::members(&body) {
        Ok(members) => drafts(&received, members),
        Err(reason) => Err(NotUnderstood { named: None, reason }),
    };
    let drafts = drafts.unwrap_or_else(|failure| vec![unrecognized(&received, &body, failure)]);
    drafts.into_iter().map(|draft| draft.into_statement(envelope, evidence.clone(), settings)).collect()
}

/// The evidence for what the envelope states.
pub(crate) fn evidence(envelope: &Envelope, archived: EvidencePointer) -> Evidence {
    Evidence {
        received_at: envelope.received_at(),
        attestation: envelope.attestation().clone(),
        archived,
        correlation_id: envelope.correlation_id(),
        backfilled: envelope.backfilled(),
    }
}

fn drafts(received: &Received<'_>, members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    // Rows of a list are read alike for every feed: Connect lists zerohash's fund transactions too.
    if let Some(list) = received.envelope.attestation().scheme.list() {
        return lists::drafts(list, received, members);
    }
    match received.envelope.feed().provider() {
        Provider::Connect => connect::drafts(received, members),
        Provider::Zerohash => zerohash::drafts(received, members),
        Provider::Striga => striga::drafts(received, members),
    }
}

fn unrecognized(received: &Received<'_>, body: &[u8], failure: NotUnderstood) -> Draft {
    let NotUnderstood { named, reason } = failure;
    let named = named.filter(|name| name.len() <= EVENT_NAME_BYTES_MAX);
    Draft {
        resource: ResourceId::unrecognized(received.envelope.feed().clone(), body),
        event_type: named.clone().unwrap_or_default(),
        status: Some(Status::Unrecognized),
        occurred_at: None,
        details: Details::Unrecognized(UnrecognizedDetails {
            reason,
            payload_type: named.or_else(|| received.payload_type.map(str::to_owned)),
            body_bytes: body.len() as u64,
        }),
    }
}
