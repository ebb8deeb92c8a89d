//! From the gateway's request to an answer.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::port::{FetchKeySet, KeySets, SendMessage, chain};
use fundhook_domain::{Provider, Timestamp};
use fundhook_providers::connect::{self, Settings};
use fundhook_providers::{Envelope, Headers, VerifiedWebhook, Webhook};
use http::Method;
use tracing::{info, warn};

use crate::{Answer, KeyCache};

/// The largest body that is taken. Providers' largest have a few KiB; twice in base64 it still fits a queue's message.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// The receiver of all providers that are on.
#[derive(Debug)]
pub struct Receiver<Q, S, F> {
    ingress: Q,
    connect: Option<(Settings, KeyCache<S, F>)>,
}

impl<Q: SendMessage, S: KeySets, F: FetchKeySet> Receiver<Q, S, F> {
    /// A receiver that puts what verifies on `ingress`. `connect` is `None` when that provider is off.
    pub fn new(ingress: Q, connect: Option<(Settings, KeyCache<S, F>)>) -> Self {
        Self { ingress, connect }
    }

    /// Answers one request received at `now`.
    pub async fn handle(&self, request: ApiGatewayV2httpRequest, now: Timestamp) -> Answer {
        let path = request.raw_path.clone().unwrap_or_default();
        let answer = self.answer(request, now).await;
        let (status, code) = (answer.status(), answer.code());
        match answer {
            Answer::Accepted => info!(path, status, code, "webhook accepted"),
            Answer::NoKeys | Answer::QueueUnreachable => {
                warn!(path, status, code, "webhook not taken: to be sent again")
            }
            Answer::BodyEncoding
            | Answer::Rejected(_)
            | Answer::UnknownProvider
            | Answer::MethodNotAllowed
            | Answer::TooLarge => info!(path, status, code, "webhook refused"),
        }
        answer
    }

    async fn answer(&self, request: ApiGatewayV2httpRequest, now: Timestamp) -> Answer {
        let Some(provider) = provider(request.raw_path.as_deref().unwrap_or_default()) else {
            return Answer::UnknownProvider;
        };
        let verified = match provider {
            Provider::Connect => {
                let Some((settings, keys)) = &self.connect else {
                    return Answer::UnknownProvider;
                };
                if request.request_context.http.method != Method::POST {
                    return Answer::MethodNotAllowed;
                }
                let trace = request.headers.get("x-amzn-trace-id").and_then(|trace| trace.to_str().ok());
                let trace = trace.map(str::to_owned);
                match webhook(request) {
                    Ok(webhook) => verified(webhook, settings, keys, now).await.map(|verified| (verified, trace)),
                    Err(answer) => Err(answer),
                }
            }
        };
        let (verified, trace) = match verified {
            Ok(verified) => verified,
            Err(answer) => return answer,
        };
        let envelope = match serde_json::to_string(&Envelope::seal(verified, now, trace)) {
            Ok(envelope) => envelope,
            Err(error) => {
                warn!(error = chain(&error), "the envelope could not be written");
                return Answer::QueueUnreachable;
            }
        };
        match self.ingress.send(envelope).await {
            Ok(()) => Answer::Accepted,
            Err(error) => {
                warn!(error = chain(&error), "the ingress queue did not take a webhook");
                Answer::QueueUnreachable
            }
        }
    }
}

/// The provider whose path this is: `/webhooks/{provider}`, with anything behind it. A stage's name may stand before it.
fn provider(path: &str) -> Option<Provider> {
    let mut segments = path.split('/').skip_while(|segment| *segment != "webhooks").skip(1);
    segments.next()?.parse().ok()
}

/// The request's headers and raw body.
fn webhook(request: ApiGatewayV2httpRequest) -> Result<Webhook, Answer> {
    let text = request.body.unwrap_or_default();
    let body = if request.is_base64_encoded {
        BASE64_STANDARD.decode(text).map_err(|_| Answer::BodyEncoding)?
    } else {
        text.into_bytes()
    };
    if body.len() > BODY_BYTES_MAX {
        return Err(Answer::TooLarge);
    }
    // A value that is not text cannot be any that verification reads; it must not read as missing either.
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Headers = request.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    Ok(Webhook { headers, body })
}

/// Verifies with the key set that is held and, when no key of it fits, once more with a newer one.
async fn verified<S: KeySets, F: FetchKeySet>(
    webhook: Webhook,
    settings: &Settings,
    keys: &KeyCache<S, F>,
    now: Timestamp,
) -> Result<VerifiedWebhook, Answer> {
    let current = keys.current(now).await.map_err(|_| Answer::NoKeys)?;
    match connect::verify(webhook, settings, &current, now) {
        Ok(verified) => Ok(verified),
        Err((webhook, rejection)) if rejection.may_be_a_new_key() => match keys.newer_than(&current, now).await {
            Some(newer) => connect::verify(webhook, settings, &newer, now).map_err(|(_, why)| Answer::Rejected(why)),
            None => Err(Answer::Rejected(rejection)),
        },
        Err((_, rejection)) => Err(Answer::Rejected(rejection)),
    }
}
