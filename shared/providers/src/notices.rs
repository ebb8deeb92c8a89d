//! Notices of Fundhook's own, as envelopes: archived and processed like webhooks, so that a replay records them at their place
//! among the facts of their resource.

use fundhook_domain::{
    Attestation, EvidenceClass, FactContent, NewFact, NewFactError, OverdueNotice, Scheme, Timestamp,
};

use crate::Envelope;

/// The envelope that carries an overdue notice, made at `at`, to the archive and to its resource. `None` if the fact is none.
pub fn notice_envelope(fact: &NewFact, at: Timestamp) -> Result<Option<Envelope>, NewFactError> {
    if overdue(fact).is_none() {
        return Ok(None);
    }
    let attestation = Attestation {
        scheme: Scheme::FundhookNotice,
        class: EvidenceClass::Notice,
        key: "reconciler".to_owned(),
        signed_at: Some(at),
        token_verified: false,
    };
    Ok(Some(Envelope::of_notice(fact.resource.feed().clone(), fact.to_message()?, at, attestation)))
}

/// The notice in the envelope; `None` when it is a webhook's, or not a notice in the expected form.
pub(crate) fn notice(envelope: &Envelope) -> Option<NewFact> {
    if envelope.attestation().scheme != Scheme::FundhookNotice {
        return None;
    }
    let body = envelope.body();
    let fact = NewFact::from_message(std::str::from_utf8(&body).ok()?).ok()?;
    overdue(&fact).is_some().then_some(fact)
}

fn overdue(fact: &NewFact) -> Option<&OverdueNotice> {
    match &fact.content {
        FactContent::Overdue(notice) => Some(notice),
        FactContent::Statement(_)
        | FactContent::SecondName(_)
        | FactContent::Relation(_)
        | FactContent::Decision(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fundhook_domain::{EvidencePointer, Feed, Kind, Resource, fold};

    use super::*;
    use crate::{Headers, ReadingSettings, Webhook, facts};

    const LIMIT: Duration = Duration::from_secs(3_600);

    fn stated() -> NewFact {
        let body = include_bytes!("../../../events/connect/deposits.submitted.json").to_vec();
        let webhook = Webhook { path: "/webhooks/connect".to_owned(), headers: Headers::default(), body };
        let envelope = Envelope::unverified(webhook, feed(), at("2025-10-03T21:26:00Z"));
        facts(&envelope, pointer(), &ReadingSettings::default()).remove(0)
    }

    /// That the deposit is overdue.
    fn overdue_notice() -> NewFact {
        let stated = stated();
        let submitted = fold(Resource::unknown(stated.resource.clone()), stated).into_resource();
        NewFact::overdue(&submitted, LIMIT).expect("it awaits its confirmation")
    }

    fn feed() -> Feed {
        "connect".parse().expect("a feed")
    }

    fn pointer() -> EvidencePointer {
        EvidencePointer { object: "evidence/v1/1".to_owned(), line: 3 }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_notice_passes_the_queue_and_the_archive_unchanged() {
        let notice = Envelope::from_json(&sealed(&with_verified_evidence(overdue_notice()))).expect("an envelope");
        assert_eq!(notice.received_at(), at("2025-10-04T00:00:00Z"));
        let read = facts(&notice.replayed(at("2025-10-05T00:00:00Z")), pointer(), &ReadingSettings::default());
        assert_eq!(read, [with_verified_evidence(overdue_notice())]);
    }

    #[test]
    fn only_a_notice_is_sent_as_one() {
        assert_eq!(notice_envelope(&stated(), at("2025-10-04T00:00:00Z")).expect("JSON"), None);
    }

    #[test]
    fn what_is_no_notice_is_an_unrecognized_webhook_and_is_not_lost() {
        let genuine = notice_envelope(&overdue_notice(), at("2025-10-04T00:00:00Z")).expect("JSON").expect("a notice");
        let statement = stated().to_message().expect("JSON");
        for body in ["{}".to_owned(), statement] {
            let envelope = Envelope::of_notice(feed(), body, genuine.received_at(), genuine.attestation().clone());
            let read = facts(&envelope, pointer(), &ReadingSettings::default());
            assert_eq!(read.iter().map(|fact| fact.resource.kind()).collect::<Vec<_>>(), [Kind::Unrecognized]);
        }
    }

    fn sealed(fact: &NewFact) -> String {
        let envelope = notice_envelope(fact, at("2025-10-04T00:00:00Z")).expect("JSON").expect("a notice");
        serde_json::to_string(&envelope).expect("JSON")
    }

    /// The notice with evidence that was verified, as all that is recorded: what was not verified cannot be read back.
    fn with_verified_evidence(mut fact: NewFact) -> NewFact {
        if let FactContent::Overdue(notice) = &mut fact.content {
            notice.evidence.attestation.scheme = Scheme::ConnectRsaSha256;
            notice.evidence.attestation.class = EvidenceClass::Asymmetric;
        }
        fact
    }
}
