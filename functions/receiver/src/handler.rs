//! Turns the gateway's request into a webhook, and the result into an answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{CorrelationId, Feed, Provider, Timestamp};
use fundhook_ports::{FetchKeySet, KeySets, QueueMessage, ReadSecret, SendMessage, chain};
use fundhook_providers::{Envelope, Headers, Webhook};
use fundhook_runtime::metrics::{Line, Metric, Metrics};
use futures_util::future::join_all;
use http::Method;
use lambda_runtime::LambdaEvent;
use serde_json::json;
use tracing::warn;

use crate::{Answer, Verifier};

/// The largest accepted body. Providers send at most a few KiB. Encoded in base64 twice, this size still fits into a message.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// The receiver of all enabled feeds.
#[derive(Debug)]
pub struct Receiver<Q, S, F, R> {
    ingress: Q,
    verifiers: BTreeMap<Feed, Verifier<S, F, R>>,
    metrics: Metrics,
    /// When the first request of a feed could not be verified after its last accepted webhook. An execution environment
    /// remembers only what it handled itself.
    unverified_since: Mutex<BTreeMap<Feed, Timestamp>>,
}

/// A request, and the tracing header of its invocation. The tracing header in the request itself is the sender's, who may
/// write anything into it.
#[derive(Debug)]
pub struct Request {
    event: ApiGatewayV2httpRequest,
    trace: Option<String>,
}

impl From<LambdaEvent<ApiGatewayV2httpRequest>> for Request {
    fn from(invocation: LambdaEvent<ApiGatewayV2httpRequest>) -> Self {
        Self { event: invocation.payload, trace: invocation.context.xray_trace_id }
    }
}

/// A request without a trace.
impl From<ApiGatewayV2httpRequest> for Request {
    fn from(event: ApiGatewayV2httpRequest) -> Self {
        Self { event, trace: None }
    }
}

impl<Q: SendMessage, S: KeySets, F: FetchKeySet, R: ReadSecret> Receiver<Q, S, F, R> {
    /// A feed without a verifier is disabled.
    pub fn new(ingress: Q, verifiers: BTreeMap<Feed, Verifier<S, F, R>>, metrics: Metrics) -> Self {
        Self { ingress, verifiers, metrics, unverified_since: Mutex::default() }
    }

    /// Reads the keys and secrets of all verifiers concurrently. Called at a cold start, while the first request arrives.
    pub async fn warm(&self, now: Timestamp) {
        join_all(self.verifiers.values().map(|verifier| verifier.warm(now))).await;
    }

    /// Answers a request and emits the one line about it, which is also its metric.
    pub async fn handle(&self, request: impl Into<Request>, now: Timestamp) -> Answer {
        let Request { event: request, trace } = request.into();
        let path = request.raw_path.clone().unwrap_or_default();
        let (answer, correlation_id) = match self.answer(request, trace, now).await {
            Ok(queued) => (Answer::Accepted, Some(queued)),
            Err(answer) => (answer, None),
        };
        self.report(&path, &answer, correlation_id.as_ref(), now);
        answer
    }

    fn report(&self, path: &str, answer: &Answer, correlation_id: Option<&CorrelationId>, now: Timestamp) {
        let (status, code) = (answer.status(), answer.code());
        let (level, message) = match answer {
            Answer::Accepted => ("INFO", format!("webhook to {path} accepted")),
            Answer::NoUsableKeys | Answer::KeysUnread | Answer::QueueUnreachable => {
                ("WARN", format!("webhook to {path} not accepted ({code}); the provider sends it again"))
            }
            Answer::BodyEncoding
            | Answer::Rejected(_)
            | Answer::UnknownProvider
            | Answer::MethodNotAllowed
            | Answer::TooLarge => ("INFO", format!("webhook to {path} rejected: {code}")),
        };
        let mut fields = json!({ "level": level, "message": message, "path": path, "status": status, "code": code });
        if let Some(id) = correlation_id {
            fields["correlation_id"] = json!(id);
        }
        // What looks like a webhook has every header that is required. Only that says something about a secret or a key.
        let is_unverified = matches!(answer, Answer::Rejected(rejection) if !rejection.is_malformed());
        let feed = self.verifier(path).map(|(feed, _)| feed);
        let values: &[(Metric, u64)] = match feed {
            Some(feed) if *answer == Answer::Accepted => {
                self.unverified_since().remove(feed);
                &[(Metric::AcceptedWebhooks, 1), (Metric::UnverifiedShare, 0)]
            }
            Some(feed) if is_unverified => {
                let since = *self.unverified_since().entry(feed.clone()).or_insert(now);
                let seconds = now.since(since).as_secs();
                &[(Metric::RefusedWebhooks, 1), (Metric::UnverifiedShare, 1), (Metric::UnverifiedSeconds, seconds)]
            }
            Some(_) | None => &[(Metric::RefusedWebhooks, 1)],
        };
        let by: &[(&str, &str)] = if *answer == Answer::Accepted { &[] } else { &[("reason", code)] };
        let line = Line { values, by, fields };
        match feed {
            Some(feed) => self.metrics.of_feed(now, feed, line),
            None => self.metrics.without_feed(now, line),
        }
    }

    fn unverified_since(&self) -> MutexGuard<'_, BTreeMap<Feed, Timestamp>> {
        self.unverified_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The feed of `path` and its verifier: `/webhooks/{provider}/{tenant}` for an enabled tenant, otherwise
    /// `/webhooks/{provider}`, with any suffix. The name of a stage may precede it.
    fn verifier(&self, path: &str) -> Option<(&Feed, &Verifier<S, F, R>)> {
        let mut segments = path.split('/').skip_while(|segment| *segment != "webhooks").skip(1);
        let provider: Provider = segments.next()?.parse().ok()?;
        let tenant = segments.next().and_then(|tenant| tenant.parse().ok());
        let of_tenant = tenant.and_then(|tenant| self.verifiers.get_key_value(&Feed::new(provider, Some(tenant))));
        of_tenant.or_else(|| self.verifiers.get_key_value(&Feed::from(provider)))
    }

    /// The correlation id of the queued webhook, or why it was not queued.
    async fn answer(
        &self,
        request: ApiGatewayV2httpRequest,
        trace: Option<String>,
        now: Timestamp,
    ) -> Result<CorrelationId, Answer> {
        let Some((feed, verifier)) = self.verifier(request.raw_path.as_deref().unwrap_or_default()) else {
            return Err(Answer::UnknownProvider);
        };
        if request.request_context.http.method != Method::POST {
            return Err(Answer::MethodNotAllowed);
        }
        let verified = verifier.verify(webhook(request)?, feed, now).await?;
        let envelope = Envelope::seal(verified, now, trace.clone());
        let correlation_id = envelope.correlation_id();
        let envelope = serde_json::to_string(&envelope).map_err(|error| {
            warn!(%feed, error = chain(&error), "could not serialize the envelope of a webhook of {feed}");
            Answer::QueueUnreachable
        })?;
        self.ingress.send(QueueMessage { body: envelope, trace }).await.map_err(|error| {
            warn!(
                %feed, %correlation_id, error = chain(&error),
                "could not queue a webhook of {feed}; the provider sends it again"
            );
            Answer::QueueUnreachable
        })?;
        Ok(correlation_id)
    }
}

/// The request's path, headers and raw body.
fn webhook(request: ApiGatewayV2httpRequest) -> Result<Webhook, Answer> {
    let path = request.raw_path.unwrap_or_default();
    let text = request.body.unwrap_or_default();
    let body = if request.is_base64_encoded {
        BASE64_STANDARD.decode(text).map_err(|_| Answer::BodyEncoding)?
    } else {
        text.into_bytes()
    };
    if body.len() > BODY_BYTES_MAX {
        return Err(Answer::TooLarge);
    }
    // A header value that is not UTF-8 never verifies, but it must not look like a missing header.
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Headers = request.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    Ok(Webhook { path, headers, body })
}
