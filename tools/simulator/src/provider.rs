//! The providers: they tell what happens in lives, and send a webhook again until it is accepted or they give up.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
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
use crate::functions::{Lambda, Limits};
use crate::lives::Listing;
use crate::log::Log;
use crate::oracle::{Heard, Oracle};
use crate::plan::Rates;
use crate::published::Published;
use crate::signing::Accepted;

/// When a provider sends a webhook again that was not accepted; then it gives up.
const RETRIES: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(1_800),
    Duration::from_secs(7_200),
];

/// How long after the next key or secret can be read its provider signs with it: longer than a receiver keeps secrets.
const ROTATED_AFTER: Duration = Duration::from_secs(900);

/// For how long webhooks may be refused after a key or secret was rotated at once: the receivers read it within a minute, unless
/// calls fail.
const KNOWN_WITHIN: Duration = Duration::from_secs(3600);

/// How long the operator needs to store the secret of a provider that rotated it at once.
const STORED_WITHIN: Duration = Duration::from_secs(120);

/// A receiver behind the gateway.
pub(crate) type SimulatedReceiver = Receiver<
    Stepped<Heard, Calls>,
    Stepped<Fake<KeySetTable>, Calls>,
    Stepped<Fake<KeySetApi>, Calls>,
    Stepped<Fake<SecretVault>, Calls>,
>;

/// The providers, and the receivers that they post to.
pub(crate) struct Providers {
    pub(crate) receivers: Vec<SimulatedReceiver>,
    pub(crate) published: Published,
    /// How the receivers are run.
    pub(crate) lambda: Lambda,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) log: Log,
    pub(crate) rates: Rates,
    pub(crate) oracle: Oracle,
    /// When each provider rotated its key or secret at once.
    pub(crate) rotated_at_once: Mutex<BTreeMap<Provider, Timestamp>>,
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
        if let Ok(_turn) = self.rotating.try_acquire() {
            if self.chance.one_in(self.rates.rotated) {
                self.rotate(provider).await;
            }
            if self.chance.one_in(self.rates.rotated_at_once) {
                self.rotate_at_once(provider).await;
            }
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

    /// A message that no function can read; mostly `None`.
    pub(crate) fn poison(&self) -> Option<String> {
        let beginnings = ["", "{}", "{\"v\":1,\"feed\":\"connect\"", "null", "not JSON"];
        let number = self.chance.between(0..u64::MAX);
        self.chance.one_in(self.rates.poison).then(|| format!("{} {number}", self.chance.pick(&beginnings)))
    }

    /// Whether the provider never sends a webhook.
    pub(crate) fn drops(&self, provider: Provider) -> bool {
        let is_dropped = self.chance.one_in(self.rates.dropped);
        if is_dropped {
            self.log.note("webhook dropped", provider);
        }
        is_dropped
    }

    /// The provider lists what it knows, mostly within a minute.
    pub(crate) async fn list(&self, listing: Listing) {
        if self.chance.one_in(self.rates.listed_late) {
            self.log.note("row listed late", listing.list);
            sleep(self.chance.seconds(60..20_000)).await;
        } else {
            sleep(self.chance.ms(0..60_000)).await;
        }
        self.published.list(listing);
    }

    /// The next key of `provider` is published, or its next secret is stored, beside the one that it uses. When every receiver has
    /// both, the provider signs with the next one; later, only that one is accepted.
    async fn rotate(&self, provider: Provider) {
        self.log.note("key or secret rotated", provider);
        self.published.accept(provider, Accepted::UsedAndNext);
        let wait = if provider == Provider::Connect { KNOWN_WITHIN } else { ROTATED_AFTER };
        sleep(wait).await;
        self.published.signer.rotate(provider);
        sleep(ROTATED_AFTER).await;
        self.published.accept(provider, Accepted::Used);
    }

    /// The provider signs with its next key or secret at once, and the former one is not accepted any more.
    async fn rotate_at_once(&self, provider: Provider) {
        self.log.note("key or secret rotated at once", provider);
        let now = self.clock.now();
        self.rotated_at_once.lock().unwrap_or_else(PoisonError::into_inner).insert(provider, now);
        self.published.signer.rotate(provider);
        if provider != Provider::Connect {
            sleep(STORED_WITHIN).await;
        }
        self.published.accept(provider, Accepted::Used);
    }

    /// Whether `provider` has just rotated its key or secret at once.
    fn may_refuse(&self, provider: Provider) -> bool {
        let rotated = self.rotated_at_once.lock().unwrap_or_else(PoisonError::into_inner);
        rotated.get(&provider).is_some_and(|at| self.clock.now().since(*at) < KNOWN_WITHIN)
    }

    async fn deliver(&self, provider: Provider, body: &str) {
        for pause in RETRIES.into_iter().map(Some).chain([None]) {
            let status = self.post(provider, body, self.sign(provider, body.as_bytes())).await;
            if status == Some(200) {
                self.log.note("webhook accepted", provider);
                self.oracle.accepted(body);
                return;
            }
            if matches!(status, Some(400..500)) {
                self.log.note("signed webhook refused", provider);
                if !self.may_refuse(provider) {
                    self.oracle.broke(format!("a signed webhook of {provider} was refused with {status:?}: {body}"));
                }
            }
            self.log.note("webhook not accepted", provider);
            match pause {
                Some(pause) => sleep(pause).await,
                None => self.log.note("webhook given up", provider),
            }
        }
    }

    fn sign(&self, provider: Provider, body: &[u8]) -> SignedHeaders {
        self.published.signer.headers(provider, &url(provider), body, self.clock.now())
    }

    /// A webhook arrives that the provider did not sign.
    async fn forge(&self, provider: Provider, body: &str) {
        let forged = body.replace("CUST", "EVIL").replace("USER", "EVIL") + " ";
        let status = self.post(provider, &forged, self.sign(provider, b"another body")).await;
        self.refused("forged", &forged, status);
    }

    /// A webhook arrives with another body than the one that was signed.
    async fn alter(&self, provider: Provider, body: &str) {
        let altered = format!("{body}\n");
        let status = self.post(provider, &altered, self.sign(provider, body.as_bytes())).await;
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
        let handled = receiver.handle(request(provider, body, headers), self.lambda.calls.now());
        let status = self.lambda.invoke(Limits::SHORT, handled).await.map(|answer| answer.status());
        if status.is_none_or(|status| status >= 500) {
            self.lambda.cloudwatch.api_failed();
        }
        status
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
