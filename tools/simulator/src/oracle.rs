//! The oracle: it knows what was queued and what was accepted, records it in a single clean pass, and compares.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::read::GzDecoder;
use fundhook_domain::{
    Event, EvidencePointer, FactId, Resource, ResourceId, Status, StatusRule, Stored, digest_hex, events_after,
};
use fundhook_ports::fakes::{EvidenceBucket, ResourceTable};
use fundhook_ports::{PortError, QueueMessage, SendMessage};
use fundhook_providers::{Envelope, ReadingSettings, facts};

use crate::books::Sums;
use crate::provider::Told;
use crate::queue::Queue;
use crate::topic::{Received, content};

/// The oracle. Clones share what it knows.
#[derive(Clone, Default)]
pub(crate) struct Oracle(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// Every fact that was queued, recorded once, in order and without a fault.
    clean: Stored,
    /// The digests of the bodies that were queued.
    queued: BTreeSet<String>,
    /// The digests of the bodies that were accepted.
    accepted: BTreeSet<String>,
    /// The digests of the bodies that are not signed.
    unsigned: BTreeSet<String>,
    /// What the providers know.
    truths: Vec<Truth>,
    broken: Vec<String>,
    checked: BTreeMap<&'static str, u64>,
}

/// What a resource is in the end, if every webhook about it was queued.
struct Truth {
    resource: String,
    status: &'static str,
    /// The digests of the bodies about it.
    bodies: Vec<String>,
}

/// The ingress queue. The oracle sees what it takes.
#[derive(Clone)]
pub(crate) struct Ingress {
    pub(crate) queue: Queue,
    pub(crate) oracle: Oracle,
}

impl SendMessage for Ingress {
    async fn send(&self, message: QueueMessage) -> Result<(), PortError> {
        self.oracle.queued(&message.body);
        self.queue.send(message).await
    }
}

impl Oracle {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider's `resource` is `status` in the end, after these webhooks.
    pub(crate) fn expects(&self, resource: String, status: &'static str, told: &[Told]) {
        let bodies = told.iter().map(|told| digest_hex(told.body.to_string().as_bytes())).collect();
        self.known().truths.push(Truth { resource, status, bodies });
    }

    /// A webhook was queued: it must not be lost.
    fn queued(&self, message: &str) {
        let mut known = self.known();
        let envelope = match Envelope::from_json(message) {
            Ok(envelope) => envelope,
            Err(error) => return known.broken.push(format!("what was queued is not an envelope: {error}")),
        };
        if !known.queued.insert(digest_hex(&envelope.body())) {
            return;
        }
        let nowhere = EvidencePointer { object: String::new(), line: 0 };
        for fact in facts(&envelope, nowhere, &ReadingSettings::default()) {
            if let Err(error) = known.clean.record(std::slice::from_ref(&fact)) {
                known.broken.push(format!("a clean pass cannot record {}: {error:?}", fact.resource));
            }
        }
    }

    /// A webhook was answered with 200.
    pub(crate) fn accepted(&self, body: &str) {
        self.known().accepted.insert(digest_hex(body.as_bytes()));
    }

    /// This body is not signed.
    pub(crate) fn unsigned(&self, body: &str) {
        self.known().unsigned.insert(digest_hex(body.as_bytes()));
    }

    /// A promise is broken.
    pub(crate) fn broke(&self, sentence: String) {
        self.known().broken.push(sentence);
    }

    /// Checks every promise, after everything was quiet. Returns the broken ones, and how often each was checked.
    pub(crate) fn check(
        &self,
        table: &ResourceTable,
        received: &Received,
        bucket: &EvidenceBucket,
    ) -> (Vec<String>, BTreeMap<&'static str, u64>) {
        let mut known = self.known();
        let Known { clean, queued, accepted, unsigned, truths, broken, checked } = &mut *known;
        let mut check = |promise: &'static str, holds: bool, otherwise: &dyn Fn() -> String| {
            *checked.entry(promise).or_default() += 1;
            if !holds {
                broken.push(otherwise());
            }
        };
        for body in accepted.iter() {
            check("an accepted webhook was queued", queued.contains(body), &|| {
                format!("a webhook was accepted and not queued: body {body}")
            });
        }
        for body in unsigned.iter() {
            check("nothing unsigned gets in", !queued.contains(body), &|| {
                format!("a webhook that is not signed was queued: body {body}")
            });
        }
        for Truth { resource, status, bodies } in
            truths.iter().filter(|it| it.bodies.iter().all(|it| queued.contains(it)))
        {
            let id = resource.parse::<ResourceId>().ok();
            let recorded = id.and_then(|id| table.resources.get(&id)?.view()?.status).map(Status::as_str);
            check("a resource is what its provider says in the end", recorded == Some(status), &|| {
                format!(
                    "{resource} is {}, and {status} at its provider after {} webhooks",
                    recorded.unwrap_or("not recorded"),
                    bodies.len()
                )
            });
        }
        let archived = lines(bucket);
        for expected in clean.resources().filter(|resource| resource.version() > 0) {
            let id = expected.id();
            let found = table.resource(id);
            check("facts are those of a clean pass", fact_ids(&found) == fact_ids(expected), &|| {
                let (found, expected) = (found.facts().len(), expected.facts().len());
                format!("{id} has {found} facts, and {expected} after a clean pass, or others")
            });
            check("what a resource says and books is what a clean pass gives", said(&found) == said(expected), &|| {
                let ((status, books), (clean, clean_books)) = (said(&found), said(expected));
                format!("{id} is {status} and books {books}; after a clean pass, it is {clean} and books {clean_books}")
            });
            for fact in found.facts() {
                let evidence = fact.content.evidence();
                let line = (evidence.archived.object.as_str(), evidence.archived.line);
                let is_archived = archived.get(&line) == Some(&evidence.correlation_id.to_string());
                check("a fact names its evidence", is_archived, &|| {
                    format!("{id} has a fact whose evidence is not at {}, line {}", line.0, line.1)
                });
            }
            let events = events_after(&found, 0);
            let expected_events = events_after(expected, 0).len();
            check("as many events as after a clean pass", events.len() == expected_events, &|| {
                format!("{id} has {} events, and {expected_events} after a clean pass", events.len())
            });
            check_events(id, &events, received, &mut check);
            let (_, books) = said(&found);
            let posted = received.books.get(id).cloned().unwrap_or_default();
            check("postings add up to what a resource books", books == posted, &|| {
                format!("{id} books {books}, and its events post {posted}")
            });
            check("books are balanced", books.unbalanced().is_empty(), &|| {
                format!("{id} books other debits than credits of {}", books.unbalanced().join(", "))
            });
        }
        for id in table.resources.keys() {
            check("no resource is made up", clean.resource(id).is_some(), &|| {
                format!("{id} is recorded, and no queued webhook is about it")
            });
        }
        for id in &received.changed {
            check("an event id has one content", false, &|| format!("event {id} was published with two contents"));
        }
        (std::mem::take(broken), checked.clone())
    }
}

fn check_events(
    id: &ResourceId,
    events: &[Event],
    received: &Received,
    check: &mut impl FnMut(&'static str, bool, &dyn Fn() -> String),
) {
    let expected: BTreeMap<u64, String> = events.iter().map(|event| (event.sequence, content(event))).collect();
    let mut published = received.events.get(id).cloned().unwrap_or_default();
    if id.kind().status_rule() == StatusRule::Latest {
        // Only its newest facts are kept, so what was published of others cannot be derived again.
        published.retain(|sequence, _| expected.contains_key(sequence));
    }
    check("each event is published with one content", published == expected, &|| {
        let (published, expected) = (published.len(), expected.len());
        format!("{id} has {expected} events, and {published} were published, or others")
    });
}

/// The ids of a resource's facts, in the order of the ids: one that is recorded twice is there twice.
fn fact_ids(resource: &Resource) -> Vec<&FactId> {
    let mut ids: Vec<&FactId> = resource.facts().iter().map(|fact| fact.content.id()).collect();
    ids.sort();
    ids
}

/// The status of a resource, and what it books.
fn said(resource: &Resource) -> (&'static str, Sums) {
    let Some(view) = resource.view() else {
        return ("not recorded", Sums::default());
    };
    let status = view.status.map_or("without a status", Status::as_str);
    (status, Sums::of(&view.books(resource.id()).postings()))
}

/// The correlation id of each archived envelope, by object and line.
fn lines(bucket: &EvidenceBucket) -> BTreeMap<(&str, u32), String> {
    let mut lines = BTreeMap::new();
    for (key, content) in &bucket.objects {
        let mut text = String::new();
        if GzDecoder::new(content.as_slice()).read_to_string(&mut text).is_err() {
            continue;
        }
        for (line, envelope) in (0..).zip(text.lines()) {
            if let Ok(envelope) = Envelope::from_json(envelope) {
                lines.insert((key.as_str(), line), envelope.correlation_id().to_string());
            }
        }
    }
    lines
}
