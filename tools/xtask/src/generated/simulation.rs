//! The events that webhooks cause, without a stack: webhooks are signed as the provider signs them, then verified,
//! normalised, folded and converted to events by the functions' code.

use std::path::PathBuf;
use std::time::Duration;

use fundhook_domain::{
    Details, Event, EvidencePointer, Feed, Kind, NewFact, Provider, Statement, Stored, Timestamp, Verdict, digest_hex,
    events_after,
};
use fundhook_local_stack::{Workspace, sending};
use fundhook_ports::chain;
use fundhook_providers::connect::{self, JwtMode, JwtSettings, TOKEN_ISSUER};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::zerohash::{self, RsaPadding};
use fundhook_providers::{
    DecisionRecord, Envelope, Headers, KeySet, ReadingSettings, ResourceVerdict, Secrets, Webhook, facts, normalise,
    striga,
};
use fundhook_sandbox::{SandboxKey, SandboxSecrets, SignRequest};
use serde_json::Value;

use super::GenerateError;

/// The webhook URL, which Connect signs.
const URL: &str = "https://fundhook.example/webhooks/connect";

/// When a webhook without a time is sent: 2025-10-14T23:34:26Z, after all webhooks with a time.
const UNDATED_SENT_AT: i64 = 1_760_484_866;

/// The time between an occurrence and its webhook, and between two webhooks.
const DELAY: Duration = Duration::from_secs(2);

/// The maximum age of a signature.
const TOLERANCE: Duration = Duration::from_secs(300);

#[derive(Clone, Debug)]
pub(super) enum SimulatedStep {
    Webhook(SampleWebhook),
    /// The same webhook is read again by a newer version, which gives another reason for not recognizing it.
    NewerVersion(SampleWebhook),
    /// No webhook arrives until every open resource is overdue.
    Silence,
    /// A person rejects every deposit.
    Rejection,
}

/// The default limit of deposits and withdrawals, after which they are overdue.
const SILENCE: Duration = Duration::from_secs(86_400);

/// A sample webhook with changes to its body.
#[derive(Clone, Debug)]
pub(super) struct SampleWebhook {
    file: &'static str,
    changes: Vec<(&'static str, Value)>,
    added: Vec<(&'static str, Value)>,
}

impl From<SampleWebhook> for SimulatedStep {
    fn from(webhook: SampleWebhook) -> Self {
        Self::Webhook(webhook)
    }
}

impl SampleWebhook {
    /// The sample `file` below events/.
    pub(super) fn new(file: &'static str) -> Self {
        Self { file, changes: Vec::new(), added: Vec::new() }
    }

    /// Replaces the value at the JSON pointer `at`.
    pub(super) fn with(mut self, at: &'static str, value: impl Into<Value>) -> Self {
        self.changes.push((at, value.into()));
        self
    }

    /// Adds the member `name` to the body.
    pub(super) fn adding(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.added.push((name, value.into()));
        self
    }

    fn fault(&self, why: impl Into<String>) -> GenerateError {
        GenerateError::Webhook { file: self.file.to_owned(), why: why.into() }
    }

    fn body(&self, folder: &std::path::Path) -> Result<Vec<u8>, GenerateError> {
        let path = folder.join(self.file);
        let sample = std::fs::read(&path).map_err(|source| GenerateError::File { verb: "read", path, source })?;
        if self.changes.is_empty() && self.added.is_empty() {
            return Ok(sample);
        }
        let not_json = |error: serde_json::Error| self.fault(format!("is not JSON: {error}"));
        let mut json: Value = serde_json::from_slice(&sample).map_err(not_json)?;
        for (at, value) in &self.changes {
            *json.pointer_mut(at).ok_or_else(|| self.fault(format!("has nothing at {at}")))? = value.clone();
        }
        for (name, value) in &self.added {
            json[name] = value.clone();
        }
        Ok(json.to_string().into_bytes())
    }
}

/// Signs with fixed keys and secrets, so that the events are the same each time.
pub(super) struct Simulation {
    folder: PathBuf,
    key: SandboxKey,
    keys: KeySet,
    secrets: SandboxSecrets,
}

impl Simulation {
    /// Signs Connect's webhooks with the test key of events/keys.
    pub(super) fn new(workspace: &Workspace) -> Result<Self, GenerateError> {
        let pem = super::read(workspace, "events/keys/test-key-connect.pem")?;
        let jwks = super::read(workspace, "events/keys/test-key-connect.jwks.json")?;
        let invalid = |why: String| GenerateError::Webhook { file: "events/keys".to_owned(), why };
        Ok(Self {
            folder: workspace.root().join("events"),
            key: SandboxKey::from_pem(&pem)?,
            keys: KeySet::from_jwks(jwks.as_bytes()).map_err(|error| invalid(chain(&error)))?,
            secrets: SandboxSecrets::of("the examples of docs/events.md".to_owned())?,
        })
    }

    /// All events that the steps cause, in the order of publication.
    pub(super) fn run(&self, steps: &[SimulatedStep]) -> Result<Vec<Event>, GenerateError> {
        let mut stored = Stored::default();
        let mut events = Vec::new();
        let mut earliest = None;
        for step in steps {
            let facts: Vec<NewFact> = match step {
                SimulatedStep::Webhook(webhook) => {
                    let (sent_at, statements) = self.receive(webhook, earliest)?;
                    earliest = Some(sent_at.plus(DELAY));
                    statements.into_iter().map(NewFact::from).collect()
                }
                SimulatedStep::NewerVersion(webhook) => {
                    let (_, statements) = self.receive(webhook, earliest)?;
                    statements.into_iter().map(read_by_a_newer_version).map(NewFact::from).collect()
                }
                SimulatedStep::Rejection => {
                    let decided_at = earliest.ok_or_else(|| GenerateError::Webhook {
                        file: "a rejection".to_owned(),
                        why: "nothing was sent before".to_owned(),
                    })?;
                    rejections(&stored, decided_at)?
                }
                SimulatedStep::Silence => {
                    stored.resources().filter_map(|resource| NewFact::overdue(resource, SILENCE)).collect()
                }
            };
            for fact in facts {
                let Ok(Some(write)) = stored.record(std::slice::from_ref(&fact)) else {
                    continue;
                };
                // What the webhook is about comes before what changes because of it.
                let (own, others): (Vec<_>, Vec<_>) =
                    write.resources.iter().partition(|written| *written.item.id() == fact.resource);
                for written in own.into_iter().chain(others) {
                    events.extend(events_after(&written.item, written.read_version));
                }
            }
        }
        Ok(events)
    }

    /// When a webhook is sent, and its statements. It is sent shortly after what it reports, but not before `earliest`.
    fn receive(
        &self,
        webhook: &SampleWebhook,
        earliest: Option<Timestamp>,
    ) -> Result<(Timestamp, Vec<Statement>), GenerateError> {
        let undated =
            Timestamp::from_unix_seconds(UNDATED_SENT_AT).map_err(|error| webhook.fault(error.to_string()))?;
        let read_at = |at: Timestamp| {
            self.envelope(webhook, at)
                .map(|envelope| normalise(&envelope, pointer(&envelope), &ReadingSettings::default()))
        };
        let statements = read_at(undated)?;
        let occurred_at =
            statements.iter().map(|statement| statement.content.occurred_at).filter(|at| *at != undated).max();
        let soon = occurred_at.map_or(undated, |at| at.plus(DELAY));
        let sent_at = earliest.map_or(soon, |earliest| earliest.max(soon));
        Ok((sent_at, read_at(sent_at)?))
    }

    /// The envelope of a webhook sent at `at`, as the receiver queues it.
    fn envelope(&self, webhook: &SampleWebhook, at: Timestamp) -> Result<Envelope, GenerateError> {
        let body = webhook.body(&self.folder)?;
        let feed = sending::Webhook::feed_of(&self.folder.join(webhook.file));
        let signed = match feed.provider() {
            Provider::Connect => self.key.sign(URL, at.unix_seconds(), &body)?,
            Provider::Zerohash | Provider::Striga => {
                self.secrets.sign(&SignRequest::new(feed.clone(), at.unix_seconds(), &body), &body)?
            }
        };
        let headers: Headers = signed.into_iter().collect();
        let received = Webhook { path: format!("/webhooks/{feed}"), headers, body };
        let verified = match feed.provider() {
            Provider::Connect => connect::verify(received, &feed, &connect_settings(), &self.keys, at),
            Provider::Zerohash => {
                let settings =
                    zerohash::Settings { tolerance: TOLERANCE, rsa_padding: RsaPadding::default(), legacy: false };
                zerohash::verify(received, &feed, &settings, &self.shared_with(webhook, &feed)?, at)
            }
            Provider::Striga => striga::verify(received, &feed, &self.shared_with(webhook, &feed)?),
        };
        let verified =
            verified.map_err(|(_, rejection)| webhook.fault(format!("does not verify: {}", chain(&rejection))))?;
        Ok(Envelope::seal(verified, at, None))
    }

    /// The secrets that the provider of `feed` shares with the platform.
    fn shared_with(&self, webhook: &SampleWebhook, feed: &Feed) -> Result<Secrets, GenerateError> {
        let stored = self.secrets.stored(feed.provider(), std::slice::from_ref(feed))?.to_string();
        let mut secrets = Secrets::from_json(&stored).map_err(|error| webhook.fault(chain(&error)))?;
        secrets.remove(&feed.tenant().cloned()).ok_or_else(|| webhook.fault("has no secret"))
    }
}

fn connect_settings() -> connect::Settings {
    let policy = TokenPolicy { issuer: TOKEN_ISSUER.to_owned(), organization_id: None, leeway: TOLERANCE };
    connect::Settings {
        webhook_urls: vec![URL.to_owned()],
        tolerance: TOLERANCE,
        jwt: JwtSettings { mode: JwtMode::Off, header: String::new(), policy },
    }
}

/// The location of an archived envelope, each in its own object.
fn pointer(envelope: &Envelope) -> EvidencePointer {
    let digest = digest_hex(&envelope.body());
    let object = format!("evidence/v1/{}/{}.ndjson.gz", envelope.received_at().day_path(), &digest[..32]);
    EvidencePointer { object, line: 0 }
}

/// The decisions of a person who rejects every deposit that is stored.
fn rejections(stored: &Stored, decided_at: Timestamp) -> Result<Vec<NewFact>, GenerateError> {
    let mut rejections = Vec::new();
    for resource in stored.resources().filter(|resource| resource.id().kind() == Kind::Deposit) {
        let settles = resource.facts().iter().map(|fact| fact.content.id().clone()).collect();
        let verdict = ResourceVerdict { resource: resource.id().clone(), verdict: Verdict::Rejected, settles };
        let (by, reason) = ("alice".to_owned(), "the sender recalled the payment".to_owned());
        let record = DecisionRecord { by, reason, decided_at, verdicts: vec![verdict] };
        let envelope = record
            .envelope(resource.id().feed())
            .map_err(|error| GenerateError::Webhook { file: resource.id().to_string(), why: error.to_string() })?;
        rejections.extend(facts(&envelope, pointer(&envelope), &ReadingSettings::default()));
    }
    Ok(rejections)
}

fn read_by_a_newer_version(mut statement: Statement) -> Statement {
    statement.content.reading.revision += 1;
    if let Details::Unrecognized(details) = &mut statement.content.details {
        details.reason.push_str(", and it is not documented");
    }
    statement
}
