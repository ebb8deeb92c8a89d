//! From a batch of envelopes to statements on two queues.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fundhook_domain::{CorrelationId, Details, FactContent, Feed, NewFact, NewFactError, Timestamp};
use fundhook_ports::{Archive, Disposition, PortError, QueueMessage, SendMessages, chain};
use fundhook_providers::striga::PING;
use fundhook_providers::{Envelope, ReadingSettings, facts};
use fundhook_runtime::batch::{Failures, messages};
use fundhook_runtime::metrics::{Metric, Metrics};
use tracing::{error, info, warn};

use crate::archive::{Batch, pointer};

/// Fan-out: the evidence bucket, the `transfers` queue for statements about money and the `accounts` queue for all others.
/// They are two queues so that a flood of balance updates does not delay a deposit.
#[derive(Debug)]
pub struct FanOut<A, Q> {
    evidence: A,
    transfers: Q,
    accounts: Q,
    reading: ReadingSettings,
    metrics: Metrics,
}

/// An envelope of the batch, the message that contained it, and its line in the archive.
struct ArchivedEnvelope {
    origin: Origin,
    envelope: Envelope,
    line: u32,
}

/// Which webhook something is from.
#[derive(Clone, Debug)]
struct Origin {
    message_id: String,
    correlation_id: CorrelationId,
    trace: Option<String>,
}

/// The statements for one queue, each with the webhook that it is from.
#[derive(Default)]
struct Outgoing {
    origins: Vec<Origin>,
    bodies: Vec<String>,
}

impl<A: Archive, Q: SendMessages> FanOut<A, Q> {
    /// Fan-out that writes to these, and reads webhooks with these settings.
    pub fn new(evidence: A, transfers: Q, accounts: Q, reading: ReadingSettings, metrics: Metrics) -> Self {
        Self { evidence, transfers, accounts, reading, metrics }
    }

    /// Handles one batch. Returns the messages to be delivered again.
    ///
    /// A message that is not an envelope fails alone. If the archive or a queue cannot be reached, the affected messages
    /// fail. Statements that were already sent are then sent again; the state updater records each fact once.
    pub async fn handle(&self, event: SqsEvent, now: Timestamp) -> SqsBatchResponse {
        let mut failures = Failures::default();
        // Usually one: only a batch at midnight, or one with redriven or replayed webhooks, has several days.
        for (batch, received) in read(event, &mut failures).into_values() {
            let Some(key) = batch.key() else {
                continue;
            };
            match self.archive(&batch, &key).await {
                Ok(()) => self.route(&key, &received, now, &mut failures).await,
                Err(error) => {
                    let (error, messages) = (chain(&error), received.len());
                    warn!(
                        error,
                        messages,
                        correlation_ids = correlation_ids(&received),
                        evidence = key,
                        "evidence {key} could not be stored; its {messages} messages will be delivered again: {error}"
                    );
                    received.iter().for_each(|received| failures.add(&received.origin.message_id));
                }
            }
        }
        failures.into_response()
    }

    async fn archive(&self, batch: &Batch, key: &str) -> Result<(), PortError> {
        let content = batch
            .compressed()
            .map_err(|error| PortError::new("compress a batch of evidence", Disposition::Retry, error))?;
        self.evidence.put(key, content).await
    }

    async fn route(&self, key: &str, received: &[ArchivedEnvelope], now: Timestamp, failures: &mut Failures) {
        let (mut transfers, mut accounts) = (Outgoing::default(), Outgoing::default());
        let mut unrecognized = Unrecognized::default();
        for ArchivedEnvelope { origin, envelope, line } in received {
            let Origin { message_id, correlation_id, .. } = origin;
            for fact in facts(envelope, pointer(key, *line), &self.reading) {
                unrecognized.count(&fact);
                let queue = if fact.resource.kind().moves_money() { &mut transfers } else { &mut accounts };
                if let Err(error) = queue.add(origin, &fact) {
                    let (resource, error) = (&fact.resource, chain(&error));
                    error!(
                        message_id,
                        %correlation_id,
                        error,
                        resource.id = %resource,
                        "statement about {resource} from message {message_id} could not be serialized: {error}"
                    );
                    failures.add(message_id);
                }
            }
        }
        unrecognized.report(now, &self.metrics);
        info!(
            envelopes = received.len(),
            correlation_ids = correlation_ids(received),
            transfers = transfers.bodies.len(),
            accounts = accounts.bodies.len(),
            evidence = key,
            "{} webhooks archived as {key}",
            received.len()
        );
        let (sent_transfers, sent_accounts) =
            tokio::join!(transfers.send(&self.transfers), accounts.send(&self.accounts));
        for (Origin { message_id, correlation_id, .. }, error) in sent_transfers.into_iter().chain(sent_accounts) {
            let error = chain(&error);
            warn!(
                message_id,
                %correlation_id,
                error,
                "statement from message {message_id} could not be sent; the message will be delivered again: {error}"
            );
            failures.add(&message_id);
        }
    }
}

/// The ids of the webhooks in a batch.
fn correlation_ids(received: &[ArchivedEnvelope]) -> String {
    let ids: Vec<String> = received.iter().map(|received| received.origin.correlation_id.to_string()).collect();
    ids.join(" ")
}

/// How many webhooks came that were not recognized, by feed and by type, so that a new type of a provider is noticed. A
/// test webhook from a provider's dashboard does not count.
#[derive(Default)]
struct Unrecognized(BTreeMap<(Feed, String), u64>);

impl Unrecognized {
    /// The longest type that is used as a dimension of the metric. CloudWatch accepts 1,024 characters.
    const TYPE_CHARS_MAX: usize = 64;

    fn count(&mut self, fact: &NewFact) {
        if let FactContent::Statement(statement) = &fact.content
            && let Details::Unrecognized(details) = &statement.details
            && details.payload_type.as_deref() != Some(PING)
        {
            let payload_type = details.payload_type.as_deref().unwrap_or("none");
            let mut plain: String =
                payload_type.chars().filter(char::is_ascii_graphic).take(Self::TYPE_CHARS_MAX).collect();
            if plain.is_empty() {
                // CloudWatch rejects an empty dimension.
                plain.push('-');
            }
            *self.0.entry((fact.resource.feed().clone(), plain)).or_default() += 1;
        }
    }

    fn report(&self, now: Timestamp, metrics: &Metrics) {
        for ((feed, payload_type), count) in &self.0 {
            metrics.count(now, feed, Metric::UnrecognizedWebhooks, *count, &[("type", payload_type)]);
        }
    }
}

/// Parses the messages of a batch, and collects the envelopes for the archive, by the day on which they were received. A
/// message that is not an envelope fails.
fn read(event: SqsEvent, failures: &mut Failures) -> BTreeMap<String, (Batch, Vec<ArchivedEnvelope>)> {
    let mut days: BTreeMap<String, (Batch, Vec<ArchivedEnvelope>)> = BTreeMap::new();
    for message in messages(event) {
        match Envelope::from_json(&message.body) {
            Ok(envelope) => {
                let (batch, received) = days.entry(envelope.received_at().day_path()).or_default();
                let line = batch.add(&envelope, &message.body);
                let (correlation_id, trace) = (envelope.correlation_id(), message.trace);
                let origin = Origin { message_id: message.id, correlation_id, trace };
                received.push(ArchivedEnvelope { origin, envelope, line });
            }
            Err(error) => {
                let (message_id, error) = (message.id, chain(&error));
                error!(
                    message_id,
                    error,
                    "message {message_id} of the ingress queue is not an envelope; it will end in the dead-letter queue: {error}"
                );
                failures.add(&message_id);
            }
        }
    }
    days
}

impl Outgoing {
    fn add(&mut self, origin: &Origin, fact: &NewFact) -> Result<(), NewFactError> {
        self.bodies.push(fact.to_message()?);
        self.origins.push(origin.clone());
        Ok(())
    }

    /// Sends the statements. Returns the webhooks of those that the queue did not accept.
    async fn send<Q: SendMessages>(self, queue: &Q) -> Vec<(Origin, PortError)> {
        if self.bodies.is_empty() {
            return Vec::new();
        }
        let traces = self.origins.iter().map(|origin| origin.trace.clone());
        let messages = self.bodies.into_iter().zip(traces).map(|(body, trace)| QueueMessage { body, trace });
        let mut outcomes = queue.send_all(messages.collect()).await.into_iter();
        // A statement without an outcome may not have been sent.
        let missing = || PortError::new("send a statement", Disposition::Retry, "the queue returned no outcome for it");
        let failed = |origin| Some((origin, outcomes.next().unwrap_or_else(|| Err(missing())).err()?));
        self.origins.into_iter().filter_map(failed).collect()
    }
}
