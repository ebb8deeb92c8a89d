//! From a batch of envelopes to signals on two queues.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fundhook_domain::{Details, NewFact, NewFactError, Statement, Timestamp};
use fundhook_ports::{Archive, Disposition, PortError, SendMessages, chain};
use fundhook_providers::{Envelope, normalise};
use fundhook_runtime::batch::{Failures, messages};
use fundhook_runtime::metrics;
use tracing::{error, info, warn};

use crate::archive::{Batch, pointer};

/// What fan-out needs: the evidence bucket, the queue for money and the queue for the rest.
#[derive(Debug)]
pub struct FanOut<A, Q> {
    evidence: A,
    transfers: Q,
    accounts: Q,
}

/// An envelope of the batch: the message it came in, and its line in the archive.
struct Received {
    message_id: String,
    envelope: Envelope,
    line: u32,
}

/// Signals on their way to one queue, each with the message it came from.
#[derive(Default)]
struct Outgoing {
    message_ids: Vec<String>,
    bodies: Vec<String>,
}

impl<A: Archive, Q: SendMessages> FanOut<A, Q> {
    /// Fan-out into these.
    pub fn new(evidence: A, transfers: Q, accounts: Q) -> Self {
        Self { evidence, transfers, accounts }
    }

    /// Handles one batch; returns the messages that were not finished.
    ///
    /// A message that is not an envelope fails alone. When the archive or a queue cannot be reached, the messages
    /// concerned fail and are delivered again: what was sent twice is folded once.
    pub async fn handle(&self, event: SqsEvent, now: Timestamp) -> SqsBatchResponse {
        let mut failures = Failures::default();
        let (batch, received) = read(event, &mut failures);
        if let Some(key) = batch.key() {
            match self.archive(&batch, &key).await {
                Ok(()) => self.route(&key, &received, now, &mut failures).await,
                Err(error) => {
                    warn!(error = chain(&error), messages = received.len(), "the batch could not be archived");
                    received.iter().for_each(|received| failures.add(&received.message_id));
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

    async fn route(&self, key: &str, received: &[Received], now: Timestamp, failures: &mut Failures) {
        let (mut transfers, mut accounts) = (Outgoing::default(), Outgoing::default());
        let mut unrecognized = Unrecognized::default();
        for Received { message_id, envelope, line } in received {
            for statement in normalise(envelope, pointer(key, *line)) {
                unrecognized.count(&statement);
                let queue = if statement.resource.kind().moves_money() { &mut transfers } else { &mut accounts };
                if let Err(error) = queue.add(message_id, statement) {
                    error!(message_id, error = chain(&error), "a signal could not be written");
                    failures.add(message_id);
                }
            }
        }
        unrecognized.report(now);
        info!(
            envelopes = received.len(),
            transfers = transfers.bodies.len(),
            accounts = accounts.bodies.len(),
            evidence = key,
            "batch fanned out"
        );
        let (sent_transfers, sent_accounts) =
            tokio::join!(transfers.send(&self.transfers), accounts.send(&self.accounts));
        for (message_id, error) in sent_transfers.into_iter().chain(sent_accounts) {
            warn!(message_id, error = chain(&error), "a signal could not be sent");
            failures.add(&message_id);
        }
    }
}

/// How many webhooks of each type nothing claims: a metric, so that a type that a provider begins to send is noticed.
#[derive(Default)]
struct Unrecognized(BTreeMap<(&'static str, String), u64>);

impl Unrecognized {
    /// The longest type that becomes a metric's dimension, of which CloudWatch takes 1,024 characters.
    const TYPE_CHARS_MAX: usize = 64;

    fn count(&mut self, statement: &Statement) {
        if let Details::Unrecognized(details) = &statement.content.details {
            let payload_type = details.payload_type.as_deref().unwrap_or("none");
            let mut plain: String =
                payload_type.chars().filter(char::is_ascii_graphic).take(Self::TYPE_CHARS_MAX).collect();
            if plain.is_empty() {
                // A dimension must not be empty.
                plain.push('-');
            }
            let payload_type = plain;
            *self.0.entry((statement.resource.feed().provider().as_str(), payload_type)).or_default() += 1;
        }
    }

    fn report(&self, now: Timestamp) {
        for ((provider, payload_type), count) in &self.0 {
            let dimensions = [("provider", *provider), ("type", payload_type.as_str())];
            metrics::emit(now, "UnrecognizedWebhooks", "Count", *count, &dimensions);
        }
    }
}

/// The envelopes of a batch, and the archive of them. What is not an envelope is noted as failed.
fn read(event: SqsEvent, failures: &mut Failures) -> (Batch, Vec<Received>) {
    let mut batch = Batch::default();
    let mut received = Vec::with_capacity(event.records.len());
    for message in messages(event) {
        match Envelope::from_json(&message.body) {
            Ok(envelope) => {
                let line = batch.add(&envelope, &message.body);
                received.push(Received { message_id: message.id, envelope, line });
            }
            Err(error) => {
                error!(message_id = message.id, error = chain(&error), "a message of the ingress queue is no envelope");
                failures.add(&message.id);
            }
        }
    }
    (batch, received)
}

impl Outgoing {
    fn add(&mut self, message_id: &str, statement: Statement) -> Result<(), NewFactError> {
        self.bodies.push(NewFact::from(statement).to_message()?);
        self.message_ids.push(message_id.to_owned());
        Ok(())
    }

    /// Sends them; returns those that the queue did not take.
    async fn send<Q: SendMessages>(self, queue: &Q) -> Vec<(String, PortError)> {
        if self.bodies.is_empty() {
            return Vec::new();
        }
        let mut outcomes = queue.send_all(self.bodies).await.into_iter();
        // What the queue says nothing about was not finished.
        let unsaid = || PortError::new("learn whether a message was sent", Disposition::Retry, "no outcome for it");
        let failed = |id| Some((id, outcomes.next().unwrap_or_else(|| Err(unsaid())).err()?));
        self.message_ids.into_iter().filter_map(failed).collect()
    }
}
