//! Changes of a shared secret: which webhooks are accepted, and how often the secrets are read. Time is an argument, so no test waits.

use std::time::Duration;

use fundhook_credentials::KeySettings;
use fundhook_domain::Provider;
use fundhook_providers::Rejection;
use receiver::{Answer, Verifier};
use serde_json::{Value, json};

use crate::support::provider::{SIGNED_AT, at};
use crate::support::vault::by_striga;
use crate::support::{BODY, KEYS, TestReceiver, World, request};

const UNVERIFIED: Answer = Answer::Rejected(Rejection::SignatureUnverified);
const MAX_AGE: i64 = 300;
const COOLDOWN: i64 = 60;

/// The previous and the current secret of Striga.
const OLD: &str = "the secret of last year 0123456789";
const NEW: &str = "the secret of this year 0123456789";
const ANOTHER: &str = "another secret 0123456789abcdef01";

fn alone(secret: &str) -> Value {
    json!({ "default": { "current": secret } })
}

fn overlapping() -> Value {
    json!({ "default": { "current": NEW, "previous": OLD } })
}

/// A receiver of Striga's webhooks before its first request.
fn receiver(world: &World, keys: KeySettings) -> TestReceiver {
    world.receiver_of([("striga", Verifier::Striga(world.secrets(Provider::Striga, keys)))])
}

/// The answer to a webhook that is signed with `secret` and arrives after `seconds`.
async fn answer(receiver: &TestReceiver, secret: &str, seconds: i64) -> Answer {
    let webhook = request(by_striga(secret, BODY), BODY, &json!({ "rawPath": "/webhooks/striga/tx" }));
    receiver.handle(webhook, at(SIGNED_AT + seconds)).await
}

#[tokio::test]
async fn a_change_of_the_secret_with_the_previous_one_kept_rejects_nothing() {
    let world = World::default();
    world.striga.store(&alone(OLD));
    let receiver = receiver(&world, KEYS);
    assert_eq!(answer(&receiver, OLD, 0).await, Answer::Accepted);
    // The operator stores both secrets, then the provider changes; webhooks with the old signature still arrive.
    world.striga.store(&overlapping());
    for seconds in 10..2 * MAX_AGE {
        let secret = if seconds < 30 || seconds % 3 == 0 { OLD } else { NEW };
        assert_eq!(answer(&receiver, secret, seconds).await, Answer::Accepted, "after {seconds} s");
    }
    assert_eq!(world.striga.reads(), 3, "at first, for the first new signature, and at the max-age");
    // After the previous secret is removed, it is rejected.
    world.striga.store(&alone(NEW));
    assert_eq!(answer(&receiver, OLD, 4 * MAX_AGE).await, UNVERIFIED);
    assert_eq!(answer(&receiver, NEW, 4 * MAX_AGE).await, Answer::Accepted);
}

#[tokio::test]
async fn a_change_of_the_secret_without_the_previous_one_costs_one_reading() {
    let world = World::default();
    world.striga.store(&alone(OLD));
    let receiver = receiver(&world, KEYS);
    assert_eq!(answer(&receiver, OLD, 0).await, Answer::Accepted);
    world.striga.store(&alone(NEW));
    for seconds in 10..COOLDOWN {
        assert_eq!(answer(&receiver, NEW, seconds).await, Answer::Accepted, "after {seconds} s");
        assert_eq!(answer(&receiver, OLD, seconds).await, UNVERIFIED, "after {seconds} s");
    }
    assert_eq!(world.striga.reads(), 2);
}

#[tokio::test]
async fn a_provider_that_changes_before_the_operator_is_rejected_until_the_next_cooldown() {
    let world = World::default();
    world.striga.store(&alone(OLD));
    let receiver = receiver(&world, KEYS);
    for seconds in 0..COOLDOWN {
        assert_eq!(answer(&receiver, NEW, seconds).await, UNVERIFIED);
    }
    world.striga.store(&alone(NEW));
    assert_eq!(answer(&receiver, NEW, COOLDOWN).await, Answer::Accepted);
    assert_eq!(world.striga.reads(), 3, "at first, and once in each cooldown");
}

#[tokio::test]
async fn while_the_newest_secret_cannot_be_read_an_unverified_webhook_is_answered_503() {
    let world = World::default();
    world.striga.store(&alone(OLD));
    let receiver = receiver(&world, KEYS);
    assert_eq!(answer(&receiver, OLD, 0).await, Answer::Accepted);
    // The operator stores both secrets, and the secret store is down when the cached ones are too old.
    world.striga.now().holds = None;
    for seconds in MAX_AGE..MAX_AGE + 10 {
        assert_eq!(answer(&receiver, NEW, seconds).await, Answer::KeysUnread, "after {seconds} s");
        assert_eq!(answer(&receiver, OLD, seconds).await, Answer::Accepted, "after {seconds} s");
    }
    assert_eq!((Answer::KeysUnread.status(), world.striga.reads()), (503, 1 + 3), "it is read every five seconds");
    world.striga.store(&overlapping());
    assert_eq!(answer(&receiver, NEW, MAX_AGE + 10).await, Answer::Accepted);
    assert_eq!(answer(&receiver, ANOTHER, MAX_AGE + 11).await, UNVERIFIED);
}

#[tokio::test]
async fn while_no_secret_is_stored_webhooks_are_answered_503_and_it_is_read_every_five_seconds() {
    // As the template creates it, missing, and invalid.
    for stored in [Some("{}".to_owned()), None, Some(String::new()), Some(alone("too short").to_string())] {
        let world = World::default();
        world.striga.now().holds.clone_from(&stored);
        let receiver = receiver(&world, KEYS);
        for seconds in 0..10 {
            assert_eq!(answer(&receiver, NEW, seconds).await, Answer::NoUsableKeys, "{stored:?}");
            let reads = if seconds < 5 { 1 } else { 2 };
            assert_eq!(world.striga.reads(), reads, "{stored:?} after {seconds} s");
        }
        assert_eq!(Answer::NoUsableKeys.status(), 503);
        world.striga.store(&alone(NEW));
        assert_eq!(answer(&receiver, NEW, 10).await, Answer::Accepted, "{stored:?}");
        assert_eq!(answer(&receiver, NEW, 11).await, Answer::Accepted, "{stored:?}");
        assert_eq!(world.striga.reads(), 3, "{stored:?}");
    }
}

#[tokio::test]
async fn a_secret_that_the_operator_removes_is_no_longer_trusted() {
    let world = World::default();
    world.striga.store(&alone(OLD));
    let receiver = receiver(&world, KEYS);
    assert_eq!(answer(&receiver, OLD, 0).await, Answer::Accepted);
    world.striga.store(&json!({}));
    assert_eq!(answer(&receiver, OLD, MAX_AGE).await, Answer::NoUsableKeys);
    world.striga.store(&alone(OLD));
    assert_eq!(answer(&receiver, OLD, MAX_AGE + 4).await, Answer::NoUsableKeys);
    assert_eq!(answer(&receiver, OLD, MAX_AGE + 5).await, Answer::Accepted);
}

#[tokio::test]
async fn ten_thousand_forged_webhooks_cost_one_reading_in_each_cooldown() {
    for (cooldown, reads) in [(60, 1), (2, 5)] {
        let world = World::default();
        world.striga.store(&alone(OLD));
        let receiver = receiver(&world, KeySettings { cooldown: Duration::from_secs(cooldown), ..KEYS });
        let forged = by_striga(ANOTHER, BODY);
        for millisecond in 0..10_000 {
            let webhook = request(forged.clone(), BODY, &json!({ "rawPath": "/webhooks/striga/tx" }));
            let now = at(SIGNED_AT).plus(Duration::from_millis(millisecond));
            assert_eq!(receiver.handle(webhook, now).await, UNVERIFIED);
        }
        assert_eq!(world.striga.reads(), 1 + reads, "in 10 s, with a cooldown of {cooldown} s");
        assert!(world.sent().is_empty());
        assert_eq!(answer(&receiver, OLD, 10).await, Answer::Accepted, "genuine webhooks are accepted");
    }
}
