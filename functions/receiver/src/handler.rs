//! Turns the gateway's request into a webhook, and the result into an answer.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider, Timestamp};
use fundhook_ports::{FetchKeySet, KeySets, ReadSecret, SendMessage, chain};
use fundhook_providers::{Envelope, Headers, Webhook};
use futures_util::future::join_all;
use http::Method;
use tracing::{info, warn};

use crate::{Answer, Verifier};

/// The largest accepted body. Providers send at most a few KiB. Encoded in base64 twice, this size still fits into a message.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// The receiver of all enabled feeds.
#[derive(Debug)]
pub struct Receiver<Q, S, F, R> {
    ingress: Q,
    verifiers: BTreeMap<Feed, Verifier<S, F, R>>,
}

impl<Q: SendMessage, S: KeySets, F: FetchKeySet, R: ReadSecret> Receiver<Q, S, F, R> {
    /// A feed without a verifier is disabled.
    pub fn new(ingress: Q, verifiers: BTreeMap<Feed, Verifier<S, F, R>>) -> Self {
        Self { ingress, verifiers }
    }

    /// Reads the keys and secrets of all verifiers concurrently. Called at a cold start, while the first request arrives.
    pub async fn warm(&self, now: Timestamp) {
        join_all(self.verifiers.values().map(|verifier| verifier.warm(now))).await;
    }

    pub async fn handle(&self, request: ApiGatewayV2httpRequest, now: Timestamp) -> Answer {
        let path = request.raw_path.clone().unwrap_or_default();
        let answer = self.answer(request, now).await;
        let (status, code) = (answer.status(), answer.code());
        match answer {
            Answer::Accepted => info!(path, status, code, "webhook to {path} accepted"),
            Answer::NoUsableKeys | Answer::QueueUnreachable => {
                warn!(path, status, code, "webhook to {path} not accepted ({code}); the provider sends it again")
            }
            Answer::BodyEncoding
            | Answer::Rejected(_)
            | Answer::UnknownProvider
            | Answer::MethodNotAllowed
            | Answer::TooLarge => info!(path, status, code, "webhook to {path} rejected: {code}"),
        }
        answer
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

    async fn answer(&self, request: ApiGatewayV2httpRequest, now: Timestamp) -> Answer {
        let Some((feed, verifier)) = self.verifier(request.raw_path.as_deref().unwrap_or_default()) else {
            return Answer::UnknownProvider;
        };
        if request.request_context.http.method != Method::POST {
            return Answer::MethodNotAllowed;
        }
        let trace = request.headers.get("x-amzn-trace-id").and_then(|trace| trace.to_str().ok());
        let trace = trace.map(str::to_owned);
        let webhook = match webhook(request) {
            Ok(webhook) => webhook,
            Err(answer) => return answer,
        };
        let verified = match verifier.verify(webhook, feed, now).await {
            Ok(verified) => verified,
            Err(answer) => return answer,
        };
        let envelope = match serde_json::to_string(&Envelope::seal(verified, now, trace)) {
            Ok(envelope) => envelope,
            Err(error) => {
                warn!(%feed, error = chain(&error), "could not serialize the envelope of a webhook of {feed}");
                return Answer::QueueUnreachable;
            }
        };
        match self.ingress.send(envelope).await {
            Ok(()) => Answer::Accepted,
            Err(error) => {
                warn!(%feed, error = chain(&error), "could not queue a webhook of {feed}; the provider sends it again");
                Answer::QueueUnreachable
            }
        }
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
