//! The oracle: it knows what was queued and what was accepted, records it in a single clean pass, and compares.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::read::GzDecoder;
use fundhook_domain::{
    Event, EvidenceClass, EvidencePointer, Fact, FactContent, FactId, Feed, NewFact, Resource, ResourceId, Status,
    StatusRule, Stored, digest_hex, events_after,
};
use fundhook_ports::fakes::{EvidenceBucket, ResourceTable};
use fundhook_ports::{PortError, QueueMessage, SendMessage, SendMessages};
use fundhook_providers::{Envelope, ReadingSettings, facts};
use fundhook_reconciliation::Report;
use serde_json::json;

use crate::alarms::Phases;
use crate::books::Sums;
use crate::cloudwatch::CloudWatch;
use crate::lives::End;
use crate::provider::Told;
use crate::queue::Queue;
use crate::topic::{Received, content};

/// The oracle. Clones share what it knows.
#[derive(Clone, Default)]
pub(crate) struct Oracle(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// How fan-out reads webhooks.
    reading: ReadingSettings,
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
    /// What cannot be read, by the queue that took it.
    poison: BTreeMap<&'static str, BTreeSet<String>>,
    /// The deposits that are about one coin, for each coin.
    coins: Vec<Vec<String>>,
    broken: Vec<String>,
    checked: BTreeMap<&'static str, u64>,
}

/// What a resource is in the end, if every webhook about it was queued, or a list tells it.
struct Truth {
    end: End,
    /// The digests of the bodies about it.
    bodies: Vec<String>,
    /// What it books after all of them, if one of them is dropped.
    books: Option<Sums>,
}

/// A queue. The oracle hears what it takes.
#[derive(Clone)]
pub(crate) struct Heard {
    pub(crate) queue: Queue,
    pub(crate) oracle: Oracle,
}

impl SendMessage for Heard {
    async fn send(&self, message: QueueMessage) -> Result<(), PortError> {
        self.oracle.queued(&message.body);
        self.queue.send(message).await
    }
}

impl SendMessages for Heard {
    async fn send_all(&self, messages: Vec<QueueMessage>) -> Vec<Result<(), PortError>> {
        messages.iter().for_each(|message| self.oracle.queued(&message.body));
        self.queue.send_all(messages).await
    }
}

/// The envelope of a webhook that arrives.
fn envelope_of(Told { at, provider, body }: &Told) -> String {
    let envelope = json!({
        "v": 1, "feed": Feed::from(*provider), "received_at": at, "url": "https://fundhook.example", "headers": [],
        "body": { "text": body.to_string() },
        "attestation": { "scheme": "connect-rsa-sha256", "class": "asymmetric", "key": "a-key", "signed_at": at },
    });
    envelope.to_string()
}

/// The facts in an envelope.
fn facts_of(envelope: &Envelope, reading: &ReadingSettings) -> Vec<NewFact> {
    let nowhere = EvidencePointer { object: String::new(), line: 0 };
    facts(envelope, nowhere, reading)
}

impl Oracle {
    /// An oracle that reads webhooks by these settings.
    pub(crate) fn reading(reading: ReadingSettings) -> Self {
        Self(Arc::new(Mutex::new(Known { reading, ..Known::default() })))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A life has this end after these webhooks, of which some may be dropped.
    pub(crate) fn expects(&self, end: End, told: &[Told], some_dropped: bool) {
        let bodies = told.iter().map(|told| digest_hex(told.body.to_string().as_bytes())).collect();
        let mut known = self.known();
        let mut books = None;
        if some_dropped && end.is_listed {
            match books_after(&end.resource, told, &known.reading) {
                Ok(after) => books = Some(after),
                Err(error) => known.broken.push(format!("what {} books cannot be told: {error}", end.resource)),
            }
        }
        known.truths.push(Truth { end, bodies, books });
    }

    /// The queue took a message that no function can read.
    pub(crate) fn poisoned(&self, queue: &'static str, body: &str) {
        self.known().poison.entry(queue).or_default().insert(body.to_owned());
    }

    /// These messages are in the queue's dead-letter queue after redrives.
    pub(crate) fn died(&self, queue: &'static str, bodies: &BTreeSet<String>) {
        let mut known = self.known();
        let poison = known.poison.get(queue).cloned().unwrap_or_default();
        *known.checked.entry("only what cannot be read stays in a dead-letter queue").or_default() += 1;
        for body in bodies.symmetric_difference(&poison) {
            let sentence = match bodies.contains(body) {
                true => format!("a message stays in the dead-letter queue of {queue} after redrives: {body}"),
                false => format!("a message that cannot be read is not in the dead-letter queue of {queue}: {body}"),
            };
            known.broken.push(sentence);
        }
    }

    /// These deposits are about one coin, which a list tells to have arrived.
    pub(crate) fn expects_one_coin(&self, deposits: Vec<String>) {
        self.known().coins.push(deposits);
    }

    /// Checks which alarms rang.
    pub(crate) fn alarmed(&self, cloudwatch: &CloudWatch, phases: &Phases) {
        let Known { broken, checked, .. } = &mut *self.known();
        cloudwatch.check(phases, &mut |promise, holds, otherwise| {
            *checked.entry(promise).or_default() += 1;
            if !holds {
                broken.push(otherwise());
            }
        });
    }

    /// The provider listed these totals of a day, after everything was quiet.
    pub(crate) fn totalled(&self, report: &Report) {
        let mut known = self.known();
        *known.checked.entry("control totals are equal").or_default() += 1;
        if report.differences() > 0 || !report.discrepancies.is_empty() {
            let (list, lines) = (report.list_id(), &report.lines);
            let differ = lines.iter().filter(|line| !line.holds()).map(|line| format!("{line:?}")).collect::<Vec<_>>();
            let sentences = [differ, report.discrepancies.clone()].concat().join("; ");
            known.broken.push(format!("the totals of {list} on {} differ: {sentences}", report.from));
        }
    }

    /// A webhook was queued, or a row or a notice like one: it must not be lost.
    pub(crate) fn queued(&self, message: &str) {
        let mut known = self.known();
        let envelope = match Envelope::from_json(message) {
            Ok(envelope) => envelope,
            Err(error) => return known.broken.push(format!("what was queued is not an envelope: {error}")),
        };
        let is_row = envelope.attestation().class == EvidenceClass::Api;
        if !is_row && !known.queued.insert(digest_hex(&envelope.body())) {
            return;
        }
        for fact in facts_of(&envelope, &known.reading) {
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
        let Known { clean, queued, accepted, unsigned, truths, coins, broken, checked, poison: _, reading: _ } =
            &mut *known;
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
        for Truth { end: End { resource, status, is_listed }, bodies, books } in truths.iter() {
            let arrived = bodies.iter().filter(|body| queued.contains(*body)).count();
            let is_told = arrived == bodies.len();
            if !is_told && !is_listed {
                continue;
            }
            let id = resource.parse::<ResourceId>().ok();
            let found = id.and_then(|id| table.resources.get(&id));
            let recorded = found.and_then(Resource::view).and_then(|view| view.status).map(Status::as_str);
            let promise = match is_told {
                true => "a resource is what its provider says in the end",
                false => "so is one whose webhooks were dropped, and which is listed",
            };
            check(promise, recorded == Some(status), &|| {
                let (recorded, all) = (recorded.unwrap_or("not recorded"), bodies.len());
                format!(
                    "{resource} is {recorded}, and {status} at its provider; {arrived} of {all} webhooks were queued"
                )
            });
            if let (Some(expected), Some(found)) = (books, found) {
                let (_, found) = said(found);
                check("it books what it would with all webhooks", found == *expected, &|| {
                    format!("{resource} books {found}, and {expected} after all {} webhooks", bodies.len())
                });
            }
        }
        for coin in coins.iter() {
            let views = coin.iter().filter_map(|id| table.resources.get(&id.parse().ok()?)?.view());
            let credited = views.filter(|view| view.is_credited()).count();
            check("a coin in two feeds is credited once", credited == 1, &|| {
                format!("{} are about one coin, and {credited} of them are credited", coin.join(" and "))
            });
        }
        let of_coins: BTreeSet<&String> = coins.iter().flatten().collect();
        let archived = lines(bucket);
        for expected in clean.resources().filter(|resource| resource.version() > 0) {
            let id = expected.id();
            let found = table.resource(id);
            check("facts are those of a clean pass", fact_ids(&found) == fact_ids(expected), &|| {
                format!("{id} has the facts {}, and {} after a clean pass", named(&found), named(expected))
            });
            // Of several deposits about one coin, the first one that is recorded is credited.
            let is_of_coin = of_coins.contains(&id.to_string());
            let ((status, books), (clean, clean_books)) = (said(&found), said(expected));
            let is_same = status == clean && (is_of_coin || books == clean_books);
            check("what a resource says and books is what a clean pass gives", is_same, &|| {
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
            let clean_events = events_after(expected, 0);
            let [about, expected] = [about_the_provider(&events), about_the_provider(&clean_events)];
            check("as many events as after a clean pass", is_of_coin || about.len() == expected.len(), &|| {
                format!("{id} has the events {}, and {} after a clean pass", about.join(", "), expected.join(", "))
            });
            check_events(id, &events, received, &mut check);
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
        for id in &received.disordered {
            check("a FIFO topic keeps the events of a resource in order", false, &|| {
                format!("event {id} was published after a later one of its resource")
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

/// The types of the events that the provider caused. When a status is overdue depends on when its successor was recorded, and a clean
/// pass may record that before.
fn about_the_provider(events: &[Event]) -> Vec<&str> {
    let types = events.iter().map(|event| event.event_type.as_str());
    types.filter(|event_type| !event_type.ends_with(".overdue")).collect()
}

/// The names and times of a resource's facts.
fn named(resource: &Resource) -> String {
    let name = |fact: &Fact| format!("{} of {}", fact.content.event_type(), fact.content.occurred_at());
    resource.facts().iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The ids of what the provider stated about a resource, in the order of the ids: a fact that is recorded twice is there twice.
fn fact_ids(resource: &Resource) -> Vec<&FactId> {
    let is_stated = |fact: &&Fact| !matches!(fact.content, FactContent::Overdue(_) | FactContent::Relation(_));
    let mut ids: Vec<&FactId> = resource.facts().iter().filter(is_stated).map(|fact| fact.content.id()).collect();
    ids.sort();
    ids
}

/// What a resource books after these webhooks, each of which arrived.
fn books_after(resource: &str, told: &[Told], reading: &ReadingSettings) -> Result<Sums, String> {
    let id = resource.parse::<ResourceId>().map_err(|error| error.to_string())?;
    let mut stored = Stored::default();
    for told in told {
        let envelope = Envelope::from_json(&envelope_of(told)).map_err(|error| error.to_string())?;
        for fact in facts_of(&envelope, reading) {
            stored.record(std::slice::from_ref(&fact)).map_err(|error| format!("{error:?}"))?;
        }
    }
    Ok(stored.resource(&id).map(|resource| said(resource).1).unwrap_or_default())
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
