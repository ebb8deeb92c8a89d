//! Webhooks are accepted while the provider rotates its keys.

use std::time::{Duration, Instant};

use fundhook::evidence::FactVerification;
use fundhook_adapters::{Aws, KeySetTable};
use fundhook_domain::{FactContent, Kind, Provider, Resource, ResourceId};
use fundhook_ports::{KeySets as _, StoredKeySet};
use fundhook_tests::{Platform, WITHIN, about, run, unique, verify_again};
use futures_util::future::join_all;

/// The shortest cooldown that the template allows.
const COOLDOWN_SECONDS: &str = "10";

/// How long the provider waits after a rejection before it tries again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A webhook about a new deposit, and the deposit.
fn webhook() -> (ResourceId, Vec<u8>) {
    let deposit = unique(Kind::Deposit);
    let body = about("deposits.pending.json", deposit.native());
    (deposit, body)
}

async fn fetched(platform: &Platform) -> u64 {
    platform.provider().fetched().await.expect("the provider returns its counts")
}

/// Signs and sends a webhook. Returns the status and body of the answer and the seconds in its `retry-after` header.
async fn answer(platform: &Platform, body: &[u8]) -> (u16, String, Option<u64>) {
    let headers = platform.signed(body).await;
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let sent = platform.deployment().post("/webhooks/connect", &headers, body.to_vec()).await;
    let answer = sent.expect("the stack answers");
    let again = answer.headers().get("retry-after").map(|seconds| seconds.to_str().expect("text").parse());
    let again = again.map(|seconds| seconds.expect("whole seconds"));
    (answer.status().as_u16(), answer.text().await.expect("a body"), again)
}

/// Repeats a webhook until it is accepted, as a provider does. Until then, the only permitted reason for a rejection is
/// that the key is not known yet.
async fn sent_until_accepted(platform: &Platform, body: &[u8]) {
    let deadline = Instant::now() + WITHIN;
    loop {
        let (status, text, _) = answer(platform, body).await;
        if status == 200 {
            return;
        }
        assert!(status == 401 && text.contains("signature_unverified"), "{status} {text}");
        assert!(Instant::now() < deadline, "the new key is not known after {WITHIN:?}; {text}");
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// The first webhooks of a new deployment find no key set in the table.
async fn the_first_webhooks_fetch_the_key_set(platform: &Platform) {
    assert_eq!(fetched(platform).await, 0, "not fetched yet");
    let bodies: Vec<Vec<u8>> = (0..3).map(|_| webhook().1).collect();
    let answers = join_all(bodies.iter().map(|body| answer(platform, body))).await;
    assert!(answers.iter().any(|(status, ..)| *status == 200), "one webhook is accepted at once: {answers:?}");

    for (body, (status, text, again)) in bodies.iter().zip(answers) {
        if status != 200 {
            // Another receiver was fetching the key set at that moment.
            assert_eq!((status, again), (503, Some(5)), "{text}");
            tokio::time::sleep(Duration::from_secs(again.unwrap_or_default())).await;
            let (status, text, _) = answer(platform, body).await;
            assert_eq!(status, 200, "it is accepted after the requested delay: {text}");
        }
    }
    assert_eq!(fetched(platform).await, 1, "one receiver fetched it for all receivers");
}

/// The provider publishes a new key in addition to the old key, and signs with the new key.
async fn a_rotation_with_overlap_rejects_no_old_signature(platform: &Platform) {
    let (before, (_, early), (_, late), (_, new)) = (fetched(platform).await, webhook(), webhook(), webhook());
    let (early_headers, late_headers) = (platform.signed(&early).await, platform.signed(&late).await);
    platform.provider().rotate(true).await.expect("the provider has a new key");

    assert_eq!(
        platform.post(Provider::Connect, &early_headers, &early).await.status,
        200,
        "signed before the rotation and sent after it"
    );
    sent_until_accepted(platform, &new).await;
    assert_eq!(
        platform.post(Provider::Connect, &late_headers, &late).await.status,
        200,
        "signed before the rotation and sent when the new key is known"
    );
    assert_eq!(fetched(platform).await, before + 1, "one fetch for the new key");
}

/// The provider replaces its keys without overlap. Returns a resource whose evidence names the old key.
async fn a_rotation_without_overlap_needs_one_fetch(platform: &Platform) -> Resource {
    let ((deposit, old), (_, new)) = (webhook(), webhook());
    sent_until_accepted(platform, &old).await;
    let resource = platform.recorded(&deposit, 1).await;
    let before = fetched(platform).await;
    platform.provider().rotate(false).await.expect("the provider has a new key");

    sent_until_accepted(platform, &new).await;
    assert_eq!(fetched(platform).await, before + 1, "one fetch for the new key");
    resource
}

/// The key that verified a webhook stays in the table's history.
async fn a_signature_of_a_withdrawn_key_can_still_be_verified(platform: &Platform, resource: &Resource) {
    let evidence = resource.facts()[0].content.evidence();
    let envelope = platform.evidence(&evidence.archived).await;
    let published = platform.published_keys().await;
    assert!(verify_again(&envelope, &published).is_err(), "the provider no longer publishes the key");

    let fact = &resource.facts()[0];
    let verdict = platform.archive_of_evidence().verify(resource.id(), fact).await;
    assert!(
        matches!(verdict, FactVerification::Verified { .. }),
        "the history has the key that the evidence names: {verdict}"
    );
    let mut forged = fact.clone();
    let FactContent::Statement(statement) = &mut forged.content else { unreachable!("the fact comes from a webhook") };
    statement.evidence.attestation.key = published.keys()[0].thumbprint().to_owned();
    let verdict = platform.archive_of_evidence().verify(resource.id(), &forged).await;
    assert!(matches!(verdict, FactVerification::Refuted(_)), "another key did not sign it: {verdict}");
}

#[test]
fn no_webhook_is_lost_when_keys_are_rotated() {
    run(async {
        let platform = &Platform::deploy_without_keys(&[("KeysCooldownSeconds", COOLDOWN_SECONDS)]).await;
        the_first_webhooks_fetch_the_key_set(platform).await;
        a_rotation_with_overlap_rejects_no_old_signature(platform).await;
        let resource = a_rotation_without_overlap_needs_one_fetch(platform).await;
        a_signature_of_a_withdrawn_key_can_still_be_verified(platform, &resource).await;
    });
}

#[test]
fn the_refresher_stores_the_key_set_that_the_provider_publishes() {
    run(async {
        let platform = &Platform::deploy_without_keys(&[]).await;
        platform.provider().key_set_max_age(30).await.expect("the provider changes the max-age");
        platform.refresh_keys().await;
        let clients = platform.clients();
        let aws = Aws::local(&clients.endpoint, clients.account.as_str()).expect("the emulator needs no TLS setup");
        let table = KeySetTable::new(&aws, platform.output("TableName").to_owned());
        let before = table.load(&Provider::Connect.into()).await.expect("the table answers");
        platform.refresh_keys().await;
        let after = table.load(&Provider::Connect.into()).await.expect("the table answers");

        let published = platform.published_keys().await;
        let fingerprint = |set: &Option<StoredKeySet>| set.as_ref().map(|set| set.fingerprint.clone());
        assert_eq!(fingerprint(&after).as_deref(), Some(published.fingerprint()));
        let fetched_at = |set: Option<StoredKeySet>| set.map(|set| set.fetched_at);
        assert!(fetched_at(after) > fetched_at(before), "the table has the time of the last confirmation");
        let counts = platform.provider().counts().await.expect("the provider returns its counts");
        assert_eq!(
            (counts.key_sets_served, counts.key_sets_not_modified > 0),
            (2, true),
            "once for the refresher and once for this test: {counts:?}"
        );
    });
}
