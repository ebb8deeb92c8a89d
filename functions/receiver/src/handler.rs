//! From the gateway's request to an answer.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider, Timestamp};
use fundhook_ports::{FetchKeySet, KeySets, ReadSecret, SendMessage, chain};
use fundhook_providers::{Envelope, Headers, Webhook};
use futures_util::future::join_all;
use http::Method;
use tracing::{info, warn};

use crate::{Answer, Door};

/// The largest body that is taken. Providers' largest have a few KiB; twice in base64 it still fits a queue's message.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// The receiver of all feeds that are on.
#[derive(Debug)]
pub struct Receiver<Q, S, F, R> {
    ingress: Q,
    doors: BTreeMap<Feed, Door<S, F, R>>,
}

impl<Q: SendMessage, S: KeySets, F: FetchKeySet, R: ReadSecret> Receiver<Q, S, F, R> {
    /// A receiver that puts what verifies on `ingress`. A feed without a door is off.
    pub fn new(ingress: Q, doors: BTreeMap<Feed, Door<S, F, R>>) -> Self {
        Self { ingress, doors }
    }

    /// Reads what webhooks are verified with, all side by side: for a cold start, while the first request is on its way.
    pub async fn warm(&self, now: Timestamp) {
        join_all(self.doors.values().map(|door| door.warm(now))).await;
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

    /// The feed whose path this is, and its door: `/webhooks/{provider}/{tenant}` for a tenant that is on, else
    /// `/webhooks/{provider}`, with anything behind it. A stage's name may stand before it.
    fn door(&self, path: &str) -> Option<(&Feed, &Door<S, F, R>)> {
        let mut segments = path.split('/').skip_while(|segment| *segment != "webhooks").skip(1);
        let provider: Provider = segments.next()?.parse().ok()?;
        let tenant = segments.next().and_then(|tenant| tenant.parse().ok());
        let of_tenant = tenant.and_then(|tenant| self.doors.get_key_value(&Feed::new(provider, Some(tenant))));
        of_tenant.or_else(|| self.doors.get_key_value(&Feed::from(provider)))
    }

    async fn answer(&self, request: ApiGatewayV2httpRequest, now: Timestamp) -> Answer {
        let Some((feed, door)) = self.door(request.raw_path.as_deref().unwrap_or_default()) else {
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
        let verified = match door.verified(webhook, feed, now).await {
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

/// The request's headers and raw body.
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
    // A value that is not text cannot be any that verification reads; it must not read as missing either.
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Headers = request.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    Ok(Webhook { path, headers, body })
}
