//! The same promise for zerohash and Striga. zerohash signs with a shared secret, with an RSA key or with both. Striga
//! signs with a shared secret.

use fundhook_domain::{EvidenceClass, Feed, Kind, Provider, ResourceId, Scheme};
use fundhook_local_stack::sending::{Webhook, WebhookResponse};
use fundhook_providers::{striga, zerohash};
use fundhook_sandbox::{SignRequest, SignedHeaders, ZerohashSignature};
use fundhook_tests::{Platform, resource, run, samples_with, uuid};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::HOUR;
use crate::tenants_are_apart::Tenancy;

/// A stack with the template's default signature settings.
async fn strict() -> &'static Platform {
    &Tenancy::shared().await.platform
}

/// A stack that also accepts signatures over the body alone, and where Striga is off.
async fn lenient() -> &'static Platform {
    static LENIENT: OnceCell<Platform> = OnceCell::const_new();
    let parameters = [("ZerohashLegacySignatures", "on"), ("StrigaEnabled", "off")];
    LENIENT.get_or_init(async || Platform::deploy(&parameters).await).await
}

/// A valid request. Each test changes it in one way.
struct Request {
    platform: &'static Platform,
    deposit: ResourceId,
    webhook: Webhook,
    headers: SignedHeaders,
}

impl Request {
    /// A zerohash webhook about a new deposit.
    async fn of_zerohash(platform: &'static Platform, signature: ZerohashSignature) -> Self {
        let (file, sample) = ("zerohash/deposit.initial.json", "cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd");
        Self::about(platform, Provider::Zerohash, file, sample).by(signature, 0, false).await
    }

    /// A Striga webhook about a new deposit.
    async fn of_striga(platform: &'static Platform) -> Self {
        let (file, sample) = ("striga/deposit.pending.json", "deaabb1b-50ec-4f2c-b30b-889d03826b64");
        Self::about(platform, Provider::Striga, file, sample).signed(false).await
    }

    fn about(platform: &'static Platform, provider: Provider, file: &str, sample: &str) -> Self {
        let native = uuid();
        let webhook = samples_with(&[file], &[(sample, &native)]).remove(0);
        Self { platform, deposit: resource(Kind::Deposit, provider, &native), webhook, headers: Vec::new() }
    }

    /// Replaces the signature, with the provider's key or with a forged one.
    async fn signed(self, forge: bool) -> Self {
        let signature = self.webhook.zerohash;
        self.by(signature, 0, forge).await
    }

    /// Replaces the signature: of the given type, `seconds` from now, with the provider's key or with a forged one.
    async fn by(mut self, signature: ZerohashSignature, seconds: i64, forge: bool) -> Self {
        self.webhook.zerohash = signature;
        let timestamp = fundhook_runtime::now().unix_seconds() + seconds;
        let request = SignRequest::new(self.webhook.feed.clone(), timestamp, &self.webhook.body);
        self.headers =
            self.platform.provider().sign(&request.by(signature).forged(forge)).await.expect("the provider signs it");
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Changes the value of a header that the request has.
    fn with(mut self, name: &str, change: impl FnOnce(&str) -> String) -> Self {
        let header = self.headers.iter_mut().find(|(known, _)| known == name);
        let (_, value) = header.expect("the request has the header");
        *value = change(value);
        self
    }

    /// Takes a header from another request.
    fn having(mut self, other: &Self, name: &str) -> Self {
        self = self.without(name);
        self.headers.extend(other.headers.iter().filter(|(known, _)| known == name).cloned());
        self
    }

    fn body(mut self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Self {
        self.webhook.body = change(self.webhook.body);
        self
    }

    /// Sends the request. Returns the status and the code.
    async fn answer(&self) -> (u16, String) {
        self.answer_at(&self.webhook.feed).await
    }

    async fn answer_at(&self, feed: &Feed) -> (u16, String) {
        let WebhookResponse { status, body } =
            self.platform.post(feed.clone(), &self.headers, &self.webhook.body).await;
        let json: Value = serde_json::from_str(&body).map_err(|_| body).expect("JSON");
        let code = json["error"].as_str().or(json["status"].as_str()).unwrap_or_default();
        (status, code.to_owned())
    }
}

const HMAC: &str = zerohash::SIGNATURE_HEADER;
const RSA: &str = zerohash::RSA_SIGNATURE_HEADER;
const TIMESTAMP: &str = zerohash::TIMESTAMP_HEADER;
const LEGACY: &str = zerohash::LEGACY_SIGNATURE_HEADER;

fn one_more(body: Vec<u8>) -> Vec<u8> {
    [body, b" ".to_vec()].concat()
}

/// Removes the last two digits.
fn cut(signature: &str) -> String {
    signature[..signature.len() - 2].to_owned()
}

/// Removes the last digit.
fn odd(signature: &str) -> String {
    signature[..signature.len() - 1].to_owned()
}

/// zerohash requests that are rejected: the change to a genuine webhook, the expected status and the expected code.
async fn rejected_of_zerohash(platform: &'static Platform) -> Vec<(&'static str, Request, u16, &'static str)> {
    use ZerohashSignature::{Both, Hmac, LegacyHmac, Rsa};
    let genuine = async |signature| Request::of_zerohash(platform, signature).await;
    let forged = async |signature| genuine(signature).await.by(signature, 0, true).await;
    let at = async |signature, seconds| genuine(signature).await.by(signature, seconds, false).await;
    let now = || (fundhook_runtime::now().unix_seconds() * 1000).to_string();
    let another = genuine(Both).await;
    vec![
        ("a forged HMAC", forged(Hmac).await, 401, "signature_unverified"),
        ("a forged RSA", forged(Rsa).await, 401, "signature_unverified"),
        ("both forged", forged(Both).await, 401, "signature_unverified"),
        ("HMAC, body changed", genuine(Hmac).await.body(one_more), 401, "signature_unverified"),
        ("RSA, body changed", genuine(Rsa).await.body(one_more), 401, "signature_unverified"),
        ("both, HMAC of another webhook", genuine(Both).await.having(&another, HMAC), 401, "signature_unverified"),
        ("both, RSA of another webhook", genuine(Both).await.having(&another, RSA), 401, "signature_unverified"),
        ("a truncated HMAC", genuine(Hmac).await.with(HMAC, cut), 401, "signature_unverified"),
        ("a truncated RSA", genuine(Rsa).await.with(RSA, cut), 401, "signature_unverified"),
        ("one digit missing", genuine(Hmac).await.with(HMAC, odd), 400, "header_malformed"),
        ("not hex", genuine(Rsa).await.with(RSA, |_| "?".to_owned()), 400, "header_malformed"),
        (
            "an old signature with a new timestamp",
            at(Hmac, -HOUR).await.with(TIMESTAMP, |_| now()),
            401,
            "signature_unverified",
        ),
        ("an hour old", at(Hmac, -HOUR).await, 401, "timestamp_too_old"),
        ("an hour ahead", at(Rsa, HOUR).await, 401, "timestamp_in_future"),
        (
            "a timestamp that is not a number",
            genuine(Hmac).await.with(TIMESTAMP, |_| "now".to_owned()),
            400,
            "header_malformed",
        ),
        ("without its timestamp", genuine(Both).await.without(TIMESTAMP), 400, "header_missing"),
        ("a timestamp alone", genuine(Hmac).await.without(HMAC), 400, "header_missing"),
        ("not signed", genuine(Hmac).await.without(HMAC).without(TIMESTAMP), 400, "header_missing"),
        ("signed over the body alone", genuine(LegacyHmac).await, 401, "legacy_signature"),
    ]
}

/// Striga requests that are rejected: the change to a genuine webhook, the expected status and the expected code.
async fn rejected_of_striga(platform: &'static Platform) -> Vec<(&'static str, Request, u16, &'static str)> {
    let genuine = async || Request::of_striga(platform).await;
    let another = genuine().await;
    let header = striga::SIGNATURE_HEADER;
    vec![
        ("signed with a forged key", genuine().await.signed(true).await, 401, "signature_unverified"),
        ("changed in transit", genuine().await.body(one_more), 401, "signature_unverified"),
        ("the signature of another webhook", genuine().await.having(&another, header), 401, "signature_unverified"),
        ("truncated", genuine().await.with(header, cut), 401, "signature_unverified"),
        ("one digit missing", genuine().await.with(header, odd), 400, "header_malformed"),
        ("not hex", genuine().await.with(header, |_| "?".to_owned()), 400, "header_malformed"),
        ("empty", genuine().await.with(header, |_| String::new()), 400, "header_missing"),
        ("not signed", genuine().await.without(header), 400, "header_missing"),
    ]
}

#[test]
fn a_webhook_that_a_shared_secret_does_not_verify_is_rejected_and_leaves_no_trace() {
    run(async {
        let platform = strict().await;
        let mut rejected = rejected_of_zerohash(platform).await;
        rejected.extend(rejected_of_striga(platform).await);
        for (what, request, status, code) in &rejected {
            let feed = &request.webhook.feed;
            assert_eq!(request.answer().await, (*status, (*code).to_owned()), "{feed}: {what}");
        }
        // Later genuine webhooks are recorded. The rejected ones are not.
        for genuine in
            [Request::of_zerohash(platform, ZerohashSignature::Hmac).await, Request::of_striga(platform).await]
        {
            assert_eq!(genuine.answer().await.0, 200, "an unchanged webhook is accepted");
            platform.recorded(&genuine.deposit, 1).await;
        }
        platform.settled().await;
        let (stored, archived) = (platform.stored_resources().await, platform.archive().await);
        for (what, request, ..) in &rejected {
            let native = request.deposit.native();
            assert!(!stored.contains(&request.deposit.to_string()), "{what}: {native} is not in the table");
            assert!(!archived.iter().any(|line| line.contains(native)), "{what}: {native} is not in the evidence");
        }
    });
}

#[test]
fn each_signature_type_is_accepted_and_the_evidence_records_which_it_was() {
    run(async {
        use EvidenceClass::{Asymmetric, SharedSecret};
        use ZerohashSignature::{Both, Hmac, LegacyHmac, Rsa};
        let (strict, lenient) = (strict().await, lenient().await);
        let zerohash = async |signature| Request::of_zerohash(strict, signature).await;
        let legacy = Request::of_zerohash(lenient, LegacyHmac).await;
        let beside = Request::of_zerohash(lenient, Hmac).await;
        let upper = |text: &str| text.to_ascii_uppercase();
        let striga = Request::of_striga(strict).await.with(striga::SIGNATURE_HEADER, upper);
        let accepted = [
            ("HMAC", zerohash(Hmac).await, Scheme::ZerohashHmacSha256, SharedSecret),
            ("HMAC in upper case", zerohash(Hmac).await.with(HMAC, upper), Scheme::ZerohashHmacSha256, SharedSecret),
            ("RSA", zerohash(Rsa).await, Scheme::ZerohashRsaPssSha256, Asymmetric),
            ("both", zerohash(Both).await, Scheme::ZerohashRsaPssSha256, Asymmetric),
            (
                "HMAC, and a legacy signature of another body",
                beside.having(&legacy, LEGACY),
                Scheme::ZerohashHmacSha256,
                SharedSecret,
            ),
            ("legacy, where legacy signatures are on", legacy, Scheme::ZerohashLegacyHmacSha256, SharedSecret),
            ("Striga", Request::of_striga(strict).await, Scheme::StrigaHmacSha256, SharedSecret),
            ("Striga in upper case", striga, Scheme::StrigaHmacSha256, SharedSecret),
        ];
        for (what, request, ..) in &accepted {
            assert_eq!(request.answer().await, (200, "accepted".to_owned()), "{what}");
        }
        for (what, request, scheme, class) in &accepted {
            let resource = request.platform.recorded(&request.deposit, 1).await;
            let attestation = &resource.facts()[0].content.evidence().attestation;
            assert_eq!((attestation.scheme, attestation.class), (*scheme, *class), "{what}");
        }
    });
}

#[test]
fn a_legacy_signature_does_not_replace_a_current_one_that_is_incomplete_or_invalid() {
    run(async {
        use ZerohashSignature::{Both, Hmac, LegacyHmac, Rsa};
        let platform = lenient().await;
        // The requests from `beside` have a valid legacy signature and a current one.
        let legacy = async || Request::of_zerohash(platform, LegacyHmac).await;
        let beside = async |signature, seconds, forge| {
            let legacy = legacy().await;
            let headers = legacy.headers.clone();
            let mut current = legacy.by(signature, seconds, forge).await;
            current.headers.extend(headers.into_iter().filter(|(name, _)| name == LEGACY));
            current
        };
        for (what, request, status, code) in [
            ("a timestamp alone", beside(Hmac, 0, false).await.without(HMAC), 400, "header_missing"),
            ("an HMAC without its timestamp", beside(Hmac, 0, false).await.without(TIMESTAMP), 400, "header_missing"),
            ("RSA without its timestamp", beside(Rsa, 0, false).await.without(TIMESTAMP), 400, "header_missing"),
            ("an hour old", beside(Both, -HOUR, false).await, 401, "timestamp_too_old"),
            ("a forged HMAC", beside(Hmac, 0, true).await, 401, "signature_unverified"),
            ("a legacy signature of another body", legacy().await.body(one_more), 401, "signature_unverified"),
            ("a truncated legacy signature", legacy().await.with(LEGACY, cut), 401, "signature_unverified"),
        ] {
            assert_eq!(request.answer().await, (status, code.to_owned()), "{what}");
        }
        assert_eq!(legacy().await.answer().await.0, 200, "a legacy signature alone is accepted");
    });
}

#[test]
fn a_provider_that_is_off_is_unknown_even_with_a_valid_signature() {
    run(async {
        let platform = lenient().await;
        let request = Request::of_striga(platform).await;
        assert_eq!(request.answer().await, (404, "unknown_provider".to_owned()));
        let another = Request::of_zerohash(platform, ZerohashSignature::Hmac).await;
        let striga = Provider::Striga.into();
        assert_eq!(another.answer_at(&striga).await, (404, "unknown_provider".to_owned()));
        assert_eq!(another.answer().await.0, 200, "zerohash is on");
    });
}
