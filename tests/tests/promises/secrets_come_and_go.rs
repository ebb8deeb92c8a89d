//! A provider's shared secret is stored, rotated and removed while webhooks arrive, without a deployment.

use std::time::{Duration, Instant};

use fundhook_domain::{Feed, Provider};
use fundhook_local_stack::sending::Webhook;
use fundhook_sandbox::SignedHeaders;
use fundhook_tests::{Platform, WITHIN, run, samples_with, uuid};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// How long a receiver waits before it looks for newer secrets again. This is the minimum that the template allows.
const COOLDOWN_SECONDS: &str = "10";

/// How long the provider waits before it sends a rejected webhook again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How many webhooks are sent at the same time, so that several receivers, each with its own memory, get them.
const AT_ONCE: usize = 4;

/// A signed zerohash webhook. Its signature may be older than the current secret.
struct Signed {
    webhook: Webhook,
    headers: SignedHeaders,
}

/// A receiver's response: the status, the body, and the seconds after which to try again.
type ReceiverResponse = (u16, String, Option<u64>);

impl Signed {
    /// A webhook about a new deposit, signed with the provider's current secret.
    async fn now(platform: &Platform) -> Self {
        let own = [("cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd", &*uuid())];
        let webhook = samples_with(&["zerohash/deposit.initial.json"], &own).remove(0);
        let headers = platform.headers(&webhook).await;
        Self { webhook, headers }
    }

    async fn several(platform: &Platform) -> Vec<Self> {
        join_all((0..AT_ONCE).map(|_| Self::now(platform))).await
    }

    async fn answer(&self, platform: &Platform) -> ReceiverResponse {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let sent = platform.deployment().post("/webhooks/zerohash", &headers, self.webhook.body.clone()).await;
        let answer = sent.expect("the stack answers");
        let again = answer.headers().get("retry-after").and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        (answer.status().as_u16(), answer.text().await.expect("a body"), again)
    }
}

async fn answers(platform: &Platform, webhooks: &[Signed]) -> Vec<ReceiverResponse> {
    join_all(webhooks.iter().map(|webhook| webhook.answer(platform))).await
}

async fn assert_all_are_accepted(platform: &Platform, webhooks: &[Signed], what: &str) {
    for (status, text, _) in answers(platform, webhooks).await {
        assert_eq!(status, 200, "{what}: {text}");
    }
}

/// Stores `secret` for zerohash, as the operator does.
async fn store(platform: &Platform, secret: &Value) {
    let put = platform.clients().secrets.put_secret_value().secret_id(platform.output("ZerohashSecretArn"));
    put.secret_string(secret.to_string()).send().await.expect("the secret is stored");
}

/// The secrets that the provider now gives the operator to store.
async fn shared(platform: &Platform) -> Value {
    let feed = Feed::from(Provider::Zerohash);
    platform.provider().secrets(Provider::Zerohash, &[feed]).await.expect("the provider answers")
}

/// Until the operator stores a secret, the receiver asks the provider to send each webhook again.
async fn nothing_is_lost_before_the_secret_is_stored(platform: &Platform) {
    store(platform, &json!({})).await;
    let early = Signed::several(platform).await;
    for (status, text, again) in answers(platform, &early).await {
        assert_eq!((status, again), (503, Some(5)), "{text}");
        assert!(text.contains("no_key_set"), "{text}");
    }
    store(platform, &shared(platform).await).await;
    let deadline = Instant::now() + WITHIN;
    for webhook in &early {
        loop {
            let (status, text, _) = webhook.answer(platform).await;
            if status == 200 {
                break;
            }
            assert_eq!(status, 503, "{text}");
            assert!(Instant::now() < deadline, "the secret is not known after {WITHIN:?}: {text}");
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

/// The provider signs with a new secret, and the operator has stored it together with the old one. Receivers that know
/// only the old secret accept webhooks signed with either at once. Returns webhooks signed with the old secret.
async fn a_rotation_rejects_no_webhook(platform: &Platform) -> Vec<Signed> {
    let (late, later) = (Signed::several(platform).await, Signed::several(platform).await);
    platform.provider().rotate_secrets(Provider::Zerohash).await.expect("the provider has a new secret");
    let stored = shared(platform).await;
    assert_ne!(stored["default"]["current"], stored["default"]["previous"]);
    store(platform, &stored).await;

    let new = Signed::several(platform).await;
    assert_all_are_accepted(platform, &new, "signed with the new secret").await;
    assert_all_are_accepted(platform, &late, "signed with the old secret").await;
    assert_all_are_accepted(platform, &Signed::several(platform).await, "signed with the new secret again").await;
    later
}

/// The operator removes the old secret. Webhooks signed with it are rejected once the receivers have looked again. A
/// receiver looks when a webhook does not verify, at most once in a cooldown.
async fn webhooks_signed_with_a_removed_secret_are_rejected(platform: &Platform, old: Vec<Signed>) {
    let mut stored = shared(platform).await;
    stored["default"].as_object_mut().expect("an entry").remove("previous");
    store(platform, &stored).await;
    let deadline = Instant::now() + WITHIN;
    loop {
        let mut forged = Signed::several(platform).await;
        forged.iter_mut().for_each(|forged| forged.webhook.body.push(b' '));
        for (status, text, _) in answers(platform, &forged).await {
            assert_eq!(status, 401, "{text}");
        }
        assert_all_are_accepted(platform, &[Signed::now(platform).await], "signed with a stored secret").await;
        let seen = answers(platform, &old).await;
        if seen.iter().all(|(status, ..)| *status == 401) {
            assert!(seen.iter().all(|(_, text, _)| text.contains("signature_unverified")), "{seen:?}");
            return;
        }
        assert!(Instant::now() < deadline, "the old secret is still accepted after {WITHIN:?}: {seen:?}");
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

#[test]
fn secrets_are_rotated_without_a_deployment_and_no_webhook_signed_with_a_stored_secret_is_rejected() {
    run(async {
        let platform = &Platform::deploy(&[("KeysCooldownSeconds", COOLDOWN_SECONDS)]).await;
        nothing_is_lost_before_the_secret_is_stored(platform).await;
        let old = a_rotation_rejects_no_webhook(platform).await;
        webhooks_signed_with_a_removed_secret_are_rejected(platform, old).await;
    });
}
