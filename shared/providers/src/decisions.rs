//! Decisions of people, as envelopes: archived and processed like webhooks, with evidence of a class of their own.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{
    Attestation, Decision, EvidenceClass, EvidencePointer, FactContent, FactId, Feed, NewFact, ResourceId, Scheme,
    Timestamp, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::normalise::evidence;
use crate::notices::notice;
use crate::{Envelope, ReadingSettings, normalise};

/// What a person decided, about one resource or about several that it concerns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub decided_at: Timestamp,
    /// What is decided about each resource.
    pub verdicts: Vec<ResourceVerdict>,
}

/// What is decided about one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResourceVerdict {
    /// The resource.
    pub resource: ResourceId,
    /// The verdict.
    pub verdict: Verdict,
    /// The facts that the person knew.
    pub settles: BTreeSet<FactId>,
}

impl DecisionRecord {
    /// The envelope that carries the decision to the archive and to the resources, in the feed that `feed` names.
    pub fn envelope(&self, feed: &Feed) -> Result<Envelope, serde_json::Error> {
        let attestation = Attestation {
            scheme: Scheme::FundhookDecision,
            class: EvidenceClass::Decision,
            key: self.by.clone(),
            signed_at: Some(self.decided_at),
            token_verified: false,
        };
        Ok(Envelope::of_decision(feed.clone(), serde_json::to_string(self)?, self.decided_at, attestation))
    }
}

/// The facts that an archived envelope states: those of a webhook, a person's decision, or a notice of Fundhook's own.
pub fn facts(envelope: &Envelope, archived: EvidencePointer, settings: &ReadingSettings) -> Vec<NewFact> {
    match decision(envelope, &archived).or_else(|| notice(envelope)) {
        Some(own) => vec![own],
        None => normalise(envelope, archived, settings).into_iter().map(NewFact::from).collect(),
    }
}

/// The decision in the envelope; `None` when it is a webhook's, or not a decision in the expected form.
fn decision(envelope: &Envelope, archived: &EvidencePointer) -> Option<NewFact> {
    if envelope.attestation().scheme != Scheme::FundhookDecision {
        return None;
    }
    let body = envelope.body();
    let DecisionRecord { by, reason, decided_at, verdicts } = serde_json::from_slice(&body).ok()?;
    let evidence = evidence(envelope, archived.clone());
    let mut decisions = verdicts.into_iter().map(|ResourceVerdict { resource, verdict, settles }| {
        let id = FactId::of(&resource, Decision::EVENT_TYPE, &body);
        let (by, reason, evidence, also) = (by.clone(), reason.clone(), evidence.clone(), BTreeMap::new());
        (resource, Decision { id, verdict, settles, by, reason, decided_at, evidence, also })
    });
    // One fact: all of it is recorded together or not at all.
    let (resource, decision) = decisions.next()?;
    let decision = Decision { also: decisions.collect(), ..decision };
    Some(NewFact { resource, content: FactContent::Decision(Box::new(decision)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> DecisionRecord {
        let resource = "deposit#connect#1".parse().expect("an id");
        DecisionRecord {
            by: "alice".to_owned(),
            reason: "checked with the provider".to_owned(),
            decided_at: "2026-11-29T10:00:00Z".parse().expect("a time"),
            verdicts: vec![ResourceVerdict { resource, verdict: Verdict::Accepted, settles: BTreeSet::new() }],
        }
    }

    fn pointer() -> EvidencePointer {
        EvidencePointer { object: "evidence/v1/1".to_owned(), line: 3 }
    }

    #[test]
    fn a_decision_passes_the_queue_and_the_archive_and_becomes_one_fact() {
        let feed = "connect".parse().expect("a feed");
        let sent = serde_json::to_string(&record().envelope(&feed).expect("JSON")).expect("JSON");
        let envelope = Envelope::from_json(&sent).expect("an envelope");
        let facts = facts(&envelope, pointer(), &ReadingSettings::default());
        let [NewFact { resource, content: FactContent::Decision(decision) }] = &facts[..] else {
            unreachable!("one decision: {facts:?}")
        };
        assert_eq!(resource.to_string(), "deposit#connect#1");
        assert_eq!((decision.by.as_str(), decision.reason.as_str()), ("alice", "checked with the provider"));
        assert_eq!(
            (decision.evidence.archived.clone(), decision.evidence.attestation.class),
            (pointer(), EvidenceClass::Decision)
        );
        let read = NewFact::from_message(&facts[0].to_message().expect("JSON")).expect("a fact");
        assert_eq!(read, facts[0]);
    }

    #[test]
    fn what_is_no_decision_is_an_unrecognized_webhook_and_is_not_lost() {
        let attestation = record().envelope(&"connect".parse().expect("a feed")).expect("JSON").attestation().clone();
        let feed: Feed = "connect".parse().expect("a feed");
        let envelope = Envelope::of_decision(feed, "{}".to_owned(), record().decided_at, attestation);
        let facts = facts(&envelope, pointer(), &ReadingSettings::default());
        assert_eq!(facts.len(), 1);
        assert_eq!(facts[0].resource.kind(), fundhook_domain::Kind::Unrecognized);
    }
}
