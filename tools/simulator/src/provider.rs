//! The providers: they tell what happens in lives, and send a webhook again until it is accepted or they give up.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use fundhook_domain::{Provider, Timestamp};
use fundhook_ports::fakes::{Fake, KeySetApi, KeySetTable, SecretVault, Stepped};
use fundhook_sandbox::SignedHeaders;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use receiver::Receiver;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::calls::Calls;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::functions::invoke;
use crate::log::Log;
use crate::oracle::{Ingress, Oracle};
use crate::plan::Rates;
use crate::signing::Signer;

/// When a provider sends a webhook again that was not accepted; then it gives up.
const RETRIES: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(1_800),
    Duration::from_secs(7_200),
];

/// How long after the operator stored the next secret its provider signs with it: longer than a receiver keeps secrets.
const ROTATED_AFTER: Duration = Duration::from_secs(900);

/// A receiver behind the gateway.
pub(crate) type SimulatedReceiver = Receiver<
    Stepped<Ingress, Calls>,
    Stepped<Fake<KeySetTable>, Calls>,
    Stepped<Fake<KeySetApi>, Calls>,
    Stepped<Fake<SecretVault>, Calls>,
>;

/// The providers, and the receivers that they post to.
pub(crate) struct Providers {
    pub(crate) receivers: Vec<SimulatedReceiver>,
    pub(crate) signer: Signer,
    pub(crate) calls: Calls,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) log: Log,
    pub(crate) rates: Rates,
    pub(crate) oracle: Oracle,
    /// What the operator stores for the providers with a secret.
    pub(crate) vaults: BTreeMap<Provider, Fake<SecretVault>>,
    /// One rotation at a time.
    pub(crate) rotating: Semaphore,
}

/// The path to which a provider posts.
fn path(provider: Provider) -> String {
    format!("/webhooks/{provider}")
}

/// The URL of it.
pub(crate) fn url(provider: Provider) -> String {
    format!("https://fundhook.example{}", path(provider))
}

impl Providers {
    /// Tells one webhook: sends it until it is accepted or the provider gives up, and with it what a provider or a stranger may
    /// send beside it.
    pub(crate) async fn tell(self: Rc<Self>, provider: Provider, body: Value) {
        let body = body.to_string();
        if self.chance.one_in(self.rates.delayed) {
            self.log.note("webhook delayed", provider);
            sleep(self.chance.seconds(60..40_000)).await;
        }
        if self.chance.one_in(self.rates.forged) {
            self.forge(provider, &body).await;
        }
        self.deliver(provider, &body).await;
        if self.chance.one_in(self.rates.rotated)
            && let Ok(_turn) = self.rotating.try_acquire()
        {
            self.rotate(provider).await;
        }
        if self.chance.one_in(self.rates.altered) {
            self.alter(provider, &body).await;
        }
        if self.chance.one_in(self.rates.repeated) {
            self.log.note("webhook repeated", provider);
            sleep(if self.chance.one_in(2) { self.chance.ms(0..20) } else { self.chance.seconds(1..7_200) }).await;
            self.deliver(provider, &body).await;
        }
    }

    /// The operator stores the next secret of `provider` beside the one that it uses. When every receiver has both, the provider
    /// signs with the next one.
    async fn rotate(&self, provider: Provider) {
        let Some(vault) = self.vaults.get(&provider) else {
            return;
        };
        self.log.note("secret rotated", provider);
        vault.store(&self.signer.stored(provider));
        sleep(ROTATED_AFTER).await;
        self.signer.rotate(provider);
    }

    async fn deliver(&self, provider: Provider, body: &str) {
        for pause in RETRIES.into_iter().map(Some).chain([None]) {
            let headers = self.signer.headers(provider, &url(provider), body.as_bytes(), self.clock.now());
            let status = self.post(provider, body, headers).await;
            if status == Some(200) {
                self.log.note("webhook accepted", provider);
                self.oracle.accepted(body);
                return;
            }
            if matches!(status, Some(400..500)) {
                self.log.note("signed webhook refused", provider);
                self.oracle.broke(format!("a signed webhook of {provider} was refused with {status:?}: {body}"));
                return;
            }
            self.log.note("webhook not accepted", provider);
            match pause {
                Some(pause) => sleep(pause).await,
                None => self.log.note("webhook given up", provider),
            }
        }
    }

    /// A webhook arrives that the provider did not sign.
    async fn forge(&self, provider: Provider, body: &str) {
        let forged = body.replace("CUST", "EVIL").replace("USER", "EVIL") + " ";
        let headers = self.signer.headers(provider, &url(provider), b"another body", self.clock.now());
        let status = self.post(provider, &forged, headers).await;
        self.refused("forged", &forged, status);
    }

    /// A webhook arrives with another body than the one that was signed.
    async fn alter(&self, provider: Provider, body: &str) {
        let headers = self.signer.headers(provider, &url(provider), body.as_bytes(), self.clock.now());
        let altered = format!("{body}\n");
        let status = self.post(provider, &altered, headers).await;
        self.refused("altered", &altered, status);
    }

    fn refused(&self, how: &'static str, body: &str, status: Option<u16>) {
        self.log.note("webhook that was not signed", how);
        self.oracle.unsigned(body);
        if status == Some(200) {
            self.oracle.broke(format!("a webhook that was {how} was accepted: {body}"));
        }
    }

    /// The status of the response; `None` if there is none.
    async fn post(&self, provider: Provider, body: &str, headers: SignedHeaders) -> Option<u16> {
        sleep(self.chance.ms(5..100)).await;
        let receiver = self.chance.pick(&self.receivers);
        let now = self.clock.now();
        let answer = invoke(&self.calls, &self.log, "receiver", receiver.handle(request(provider, body, headers), now));
        answer.await.map(|answer| answer.status())
    }
}

fn request(provider: Provider, body: &str, headers: SignedHeaders) -> ApiGatewayV2httpRequest {
    let mut request = ApiGatewayV2httpRequest::default();
    let header =
        |(name, value): (String, String)| Some((name.parse::<HeaderName>().ok()?, HeaderValue::try_from(value).ok()?));
    request.raw_path = Some(path(provider));
    request.headers = headers.into_iter().filter_map(header).collect::<HeaderMap>();
    request.request_context.http.method = Method::POST;
    request.request_context.domain_name = Some("fundhook.example".to_owned());
    request.body = Some(body.to_owned());
    request
}

/// A webhook that will be told, and when.
pub(crate) struct Told {
    pub(crate) at: Timestamp,
    pub(crate) provider: Provider,
    pub(crate) body: Value,
}
