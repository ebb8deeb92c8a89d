//! The events that webhooks give rise to, without a stack: the webhooks are signed as a provider signs them, then verified,
//! normalised, folded and published by the code that does so in the functions.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use fundhook_domain::{
    Claim, Event, EvidencePointer, Feed, NewFact, Provider, Resource, ResourceId, Statement, Timestamp, digest_hex,
    events_after, fold,
};
use fundhook_ports::chain;
use fundhook_providers::connect::{self, JwtMode, JwtSettings, TOKEN_ISSUER};
use fundhook_providers::jose::TokenPolicy;
use fundhook_providers::zerohash::{self, RsaPadding};
use fundhook_providers::{Envelope, Headers, KeySet, Secrets, Webhook, normalise, striga};
use serde_json::Value;

use super::ContractError;
use fundhook_local_stack::Workspace;
use fundhook_local_stack::sending;
use fundhook_sandbox::{SandboxSecrets, SignRequest, SigningKey};

/// Where the webhooks are sent to. Connect signs it.
const URL: &str = "https://fundhook.example/webhooks/connect";

/// When a webhook is sent that carries no time of its own: 2025-10-14T23:34:26Z, later than all that do.
const UNDATED_SENT_AT: i64 = 1_760_484_866;

/// How long after what they report webhooks are sent, and after each other.
const DELAY: Duration = Duration::from_secs(2);

/// How old a signature may be.
const TOLERANCE: Duration = Duration::from_secs(300);

/// What happens in a story.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A webhook comes.
    Webhook(Sent),
    /// None comes, for longer than what stands open may take.
    Silence,
}

/// How long the silence of a story lasts: the default limit of deposits and withdrawals.
const SILENCE: Duration = Duration::from_secs(86_400);

/// A webhook of a story: a sample, and what is changed in it.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    file: &'static str,
    changes: Vec<(&'static str, Value)>,
}

impl From<Sent> for Step {
    fn from(sent: Sent) -> Self {
        Self::Webhook(sent)
    }
}

impl Sent {
    /// The sample `file` of events/.
    pub(super) fn sample(file: &'static str) -> Self {
        Self { file, changes: Vec::new() }
    }

    /// The same with `value` at the JSON pointer `at`.
    pub(super) fn with(mut self, at: &'static str, value: impl Into<Value>) -> Self {
        self.changes.push((at, value.into()));
        self
    }

    fn fault(&self, why: impl Into<String>) -> ContractError {
        ContractError::Webhook { file: self.file.to_owned(), why: why.into() }
    }

    fn body(&self, folder: &std::path::Path) -> Result<Vec<u8>, ContractError> {
        let path = folder.join(self.file);
        let sample = std::fs::read(&path).map_err(|source| ContractError::File { verb: "read", path, source })?;
        if self.changes.is_empty() {
            return Ok(sample);
        }
        let not_json = |error: serde_json::Error| self.fault(format!("is not JSON: {error}"));
        let mut json: Value = serde_json::from_slice(&sample).map_err(not_json)?;
        for (at, value) in &self.changes {
            *json.pointer_mut(at).ok_or_else(|| self.fault(format!("has nothing at {at}")))? = value.clone();
        }
        Ok(json.to_string().into_bytes())
    }
}

/// Tells stories: signs with keys and secrets that are the same each time, so that the events are the same each time.
pub(super) struct Teller {
    folder: PathBuf,
    key: SigningKey,
    keys: KeySet,
    secrets: SandboxSecrets,
}

impl Teller {
    /// A teller that signs Connect's webhooks with the test key of events/keys.
    pub(super) fn new(workspace: &Workspace) -> Result<Self, ContractError> {
        let pem = super::read(workspace, "events/keys/test-key-connect.pem")?;
        let jwks = super::read(workspace, "events/keys/test-key-connect.jwks.json")?;
        let invalid = |why: String| ContractError::Webhook { file: "events/keys".to_owned(), why };
        Ok(Self {
            folder: workspace.root().join("events"),
            key: SigningKey::from_pem(&pem)?,
            keys: KeySet::from_jwks(jwks.as_bytes()).map_err(|error| invalid(chain(&error)))?,
            secrets: SandboxSecrets::of("the examples of docs/events.md".to_owned())?,
        })
    }

    /// All events about all resources that the steps tell of, in the order in which they are published.
    pub(super) fn tell(&self, steps: &[Step]) -> Result<Vec<Event>, ContractError> {
        let mut resources: BTreeMap<ResourceId, Resource> = BTreeMap::new();
        let mut claims: Vec<Claim> = Vec::new();
        let mut told = Vec::new();
        let mut earliest = None;
        for step in steps {
            let facts: Vec<NewFact> = match step {
                Step::Webhook(sent) => {
                    let (sent_at, statements) = self.understood(sent, earliest)?;
                    earliest = Some(sent_at.plus(DELAY));
                    statements.into_iter().map(NewFact::from).collect()
                }
                Step::Silence => {
                    resources.values().filter_map(|resource| NewFact::overdue(resource, SILENCE)).collect()
                }
            };
            for fact in facts {
                let id = fact.resource.clone();
                let before = resources.remove(&id).unwrap_or_else(|| Resource::unknown(id.clone()));
                let version = before.version();
                let resource = claiming(fold(before, fact).into_resource(), version, &mut claims);
                told.extend(events_after(&resource, version));
                resources.insert(id, resource);
            }
        }
        Ok(told)
    }

    /// When a webhook is sent, and what it says: soon after what it reports, and not before the time `earliest`.
    fn understood(
        &self,
        sent: &Sent,
        earliest: Option<Timestamp>,
    ) -> Result<(Timestamp, Vec<Statement>), ContractError> {
        let undated = Timestamp::from_unix_seconds(UNDATED_SENT_AT).map_err(|error| sent.fault(error.to_string()))?;
        let read_at = |at: Timestamp| self.envelope(sent, at).map(|envelope| normalise(&envelope, pointer(&envelope)));
        let statements = read_at(undated)?;
        let said_at =
            statements.iter().map(|statement| statement.content.occurred_at).filter(|at| *at != undated).max();
        let soon = said_at.map_or(undated, |at| at.plus(DELAY));
        let sent_at = earliest.map_or(soon, |earliest| earliest.max(soon));
        Ok((sent_at, read_at(sent_at)?))
    }

    /// The webhook as the receiver queues it when it was sent at `at`.
    fn envelope(&self, sent: &Sent, at: Timestamp) -> Result<Envelope, ContractError> {
        let body = sent.body(&self.folder)?;
        let feed = sending::Webhook::feed_of(&self.folder.join(sent.file));
        let signed = match feed.provider() {
            Provider::Connect => self.key.sign(URL, at.unix_seconds(), &body)?,
            Provider::Zerohash | Provider::Striga => {
                self.secrets.sign(&SignRequest::new(feed.clone(), at.unix_seconds(), &body), &body)?
            }
        };
        let headers: Headers = signed.into_iter().collect();
        let webhook = Webhook { path: format!("/webhooks/{feed}"), headers, body };
        let verified = match feed.provider() {
            Provider::Connect => connect::verify(webhook, &feed, &connect_settings(), &self.keys, at),
            Provider::Zerohash => {
                let settings =
                    zerohash::Settings { tolerance: TOLERANCE, rsa_padding: RsaPadding::Pkcs1, legacy: false };
                zerohash::verify(webhook, &feed, &settings, &self.shared_with(sent, &feed)?, at)
            }
            Provider::Striga => striga::verify(webhook, &feed, &self.shared_with(sent, &feed)?),
        };
        let verified =
            verified.map_err(|(_, rejection)| sent.fault(format!("does not verify: {}", chain(&rejection))))?;
        Ok(Envelope::seal(verified, at, None))
    }

    /// What the provider of `feed` shares with the platform.
    fn shared_with(&self, sent: &Sent, feed: &Feed) -> Result<Secrets, ContractError> {
        let stored = self.secrets.stored(feed.provider(), std::slice::from_ref(feed))?.to_string();
        let mut secrets = Secrets::from_json(&stored).map_err(|error| sent.fault(chain(&error)))?;
        secrets.remove(&feed.tenant().cloned()).ok_or_else(|| sent.fault("has no secret"))
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

/// Where an envelope would be archived: in an object of its own.
fn pointer(envelope: &Envelope) -> EvidencePointer {
    let digest = digest_hex(&envelope.body());
    let object = format!("evidence/v1/{}/{}.ndjson.gz", envelope.received_at().day_path(), &digest[..32]);
    EvidencePointer { object, line: 0 }
}

/// The deposit with its claim on its coin, or as the duplicate of the one that claimed the coin before.
fn claiming(resource: Resource, version_before: u64, claims: &mut Vec<Claim>) -> Resource {
    let due = resource.claim_due();
    let taken = claims.iter().find(|taken| due.as_ref().is_some_and(|due| due.coin == taken.coin));
    let (resource, claim) = resource.claiming(taken, version_before);
    claims.extend(claim);
    resource
}
