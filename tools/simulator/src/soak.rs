//! What a soak of a deployed stack needs of the simulator: the lives that the providers tell, and the oracle.
//!
//! The time is the real one, and so is everything between a webhook and its event. [`Soak::draw`] says what to send. The
//! caller reports what was accepted and received, and [`Soak::check`] compares the table, the archive and the events with a
//! clean pass.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;

use flate2::read::GzDecoder;
use fundhook_domain::{Provider, Resource, ResourceId, Timestamp, digest_hex, events_after};
use fundhook_ports::fakes::{EvidenceBucket, ResourceTable};
use fundhook_providers::{Envelope, ReadingSettings};
use serde_json::Value;

use crate::chance::Chance;
use crate::lives::{Life, Lives};
use crate::oracle::Oracle;
use crate::outcome;
use crate::topic::Received;

/// How many times faster than in a simulation things happen: the longest life takes a minute instead of hours.
const PACE: u32 = 100;

/// One webhook in so many is never sent.
const DROPPED: u64 = 20;

/// One webhook in so many is sent again after it was accepted.
const REPEATED: u64 = 10;

/// Decides about the fates of webhooks, apart from what the lives are drawn from.
const FATES: u64 = 0x50a4;

/// The lives of a soak, and the oracle that knows them.
pub struct Soak {
    oracle: Oracle,
    lives: Lives,
    chance: Chance,
    drawn: u64,
    received: Received,
}

/// A webhook that a provider sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoakWebhook {
    /// When it is sent.
    pub at: Timestamp,
    /// Who sends it.
    pub provider: Provider,
    /// Its body.
    pub body: String,
    /// How often it is sent.
    pub sending: Sending,
}

/// How often a provider sends a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// Until it is accepted.
    Once,
    /// Until it is accepted, and then once more.
    Repeated,
    /// Never. Only a list tells it, if one does.
    Dropped,
}

/// What the oracle found. It is written with a line for each promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// How many resources are recorded.
    pub resources: usize,
    /// How many facts are recorded about them.
    pub facts: usize,
    /// How many events were received, without repetitions.
    pub events: usize,
    /// How often each promise was checked.
    pub checked: BTreeMap<&'static str, u64>,
    /// The promises that did not hold, each as a sentence.
    pub broken: Vec<String>,
}

/// An event that subscribers cannot understand.
#[derive(Debug, thiserror::Error)]
#[error("not an event of a resource: {0}")]
pub struct NotAnEvent(String);

impl Soak {
    /// A soak with about so many webhooks, which the stack reads by these settings. All random numbers come from `seed`.
    pub fn new(seed: u64, webhooks: u64, reading: ReadingSettings) -> Self {
        Self {
            oracle: Oracle::reading(reading),
            lives: Lives::paced(seed, webhooks, PACE),
            chance: Chance::of_part(seed, FATES),
            drawn: 0,
            received: Received::default(),
        }
    }

    /// The webhooks of the next life, which begins at `begins`, in the order in which they are sent.
    pub fn draw(&mut self, begins: Timestamp) -> Vec<SoakWebhook> {
        let Life { told, rows, mut ends, coin } = self.lives.draw(self.drawn, begins);
        self.drawn += 1;
        let sendings: Vec<Sending> = told.iter().map(|_| self.sending()).collect();
        if let Some(end) = &mut ends {
            // The reconciler reads other lists once a day.
            end.is_listed &= rows.iter().all(|listing| listing.list.is_dated());
        }
        if let Some(end) = ends {
            self.oracle.expects(end, &told, sendings.contains(&Sending::Dropped));
        }
        if !coin.is_empty() {
            self.oracle.expects_one_coin(coin);
        }
        let webhook = |(told, sending): (crate::provider::Told, Sending)| SoakWebhook {
            at: told.at,
            provider: told.provider,
            body: told.body.to_string(),
            sending,
        };
        let mut webhooks: Vec<SoakWebhook> = told.into_iter().zip(sendings).map(webhook).collect();
        webhooks.sort_by_key(|webhook| webhook.at);
        webhooks
    }

    fn sending(&self) -> Sending {
        if self.chance.one_in(DROPPED) {
            Sending::Dropped
        } else if self.chance.one_in(REPEATED) {
            Sending::Repeated
        } else {
            Sending::Once
        }
    }

    /// A webhook was answered with 200.
    pub fn accepted(&self, body: &str) {
        self.oracle.accepted(body);
    }

    /// A promise is broken that only the caller can see.
    pub fn broke(&self, sentence: String) {
        self.oracle.broke(sentence);
    }

    /// A subscriber received this event.
    pub fn received(&mut self, event: &str) -> Result<(), NotAnEvent> {
        self.receive(event).ok_or_else(|| NotAnEvent(event.chars().take(200).collect()))
    }

    fn receive(&mut self, text: &str) -> Option<()> {
        let event: Value = serde_json::from_str(text).ok()?;
        let member = |pointer: &str| event.pointer(pointer)?.as_str();
        let resource: ResourceId = member("/data/resource")?.parse().ok()?;
        let sequence: u64 = member("/sequence")?.parse().ok()?;
        let content = digest_hex(text.as_bytes());
        let of_resource = self.received.events.entry(resource.clone()).or_default();
        match of_resource.insert(sequence, content.clone()) {
            None => {
                let postings = event.pointer("/data/postings").and_then(Value::as_array);
                let books = self.received.books.entry(resource).or_default();
                books.post_json(postings.map_or(&[], Vec::as_slice))?;
            }
            Some(known) if known != content => self.received.changed.push(member("/id")?.to_owned()),
            Some(_) => {}
        }
        Some(())
    }

    /// How many events of these resources were not received.
    pub fn missing(&self, resources: &[Resource]) -> usize {
        let missing = |resource: &Resource| {
            let received = self.received.events.get(resource.id());
            let is_missing = |sequence: &u64| received.is_none_or(|received| !received.contains_key(sequence));
            events_after(resource, 0).iter().filter(|event| is_missing(&event.sequence)).count()
        };
        resources.iter().map(missing).sum()
    }

    /// Checks every promise, after everything was quiet: `resources` are all that are recorded, `archive` is every archived
    /// object with its key.
    pub fn check(&self, resources: Vec<Resource>, archive: Vec<(String, Vec<u8>)>) -> Findings {
        self.hear(&archive);
        let facts = resources.iter().map(|resource| resource.facts().len()).sum();
        let resources = resources.into_iter().map(|resource| (resource.id().clone(), resource)).collect();
        let table = ResourceTable { resources, ..ResourceTable::default() };
        let bucket = EvidenceBucket { objects: archive, ..EvidenceBucket::default() };
        let (broken, checked) = self.oracle.check(&table, &self.received, &bucket);
        let events = self.received.events.values().map(BTreeMap::len).sum();
        Findings { resources: table.resources.len(), facts, events, checked, broken }
    }

    /// Tells the oracle what was queued: the archive has each envelope that left the ingress queue.
    fn hear(&self, archive: &[(String, Vec<u8>)]) {
        let mut envelopes = Vec::new();
        for (key, content) in archive {
            let mut text = String::new();
            if let Err(error) = GzDecoder::new(content.as_slice()).read_to_string(&mut text) {
                self.oracle.broke(format!("the archived object {key} cannot be read: {error}"));
            }
            for line in text.lines() {
                match Envelope::from_json(line) {
                    Ok(envelope) => envelopes.push((envelope.received_at(), line.to_owned())),
                    Err(error) => self.oracle.broke(format!("a line of {key} is not an envelope: {error}")),
                }
            }
        }
        envelopes.sort();
        for (_, envelope) in envelopes {
            self.oracle.queued(&envelope);
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "recorded: {} resources, {} facts; published: {} events", self.resources, self.facts, self.events)?;
        writeln!(f, "\nwhat was checked")?;
        for (promise, count) in &self.checked {
            writeln!(f, "  {count:>12}  {promise}")?;
        }
        outcome::write_broken(f, &self.broken)
    }
}
