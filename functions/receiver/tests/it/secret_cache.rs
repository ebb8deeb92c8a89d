//! Which secrets a receiver verifies with, and what that costs the place where they lie. Time is an argument here.

use std::sync::Arc;
use std::time::Duration;

use fundhook_credentials::KeySettings;
use fundhook_credentials::{NoUsableKeys, SecretCache};
use fundhook_domain::{Provider, Tenant};
use fundhook_ports::fakes::{Fake, SecretVault};
use fundhook_providers::{Rejection, Secrets};
use receiver::{Answer, Verifier};
use serde_json::{Value, json};

use crate::support::provider::{SIGNED_AT, at};
use crate::support::vault::by_striga;
use crate::support::{BODY, KEYS, TestReceiver, World, request};

const UNVERIFIED: Answer = Answer::Rejected(Rejection::SignatureUnverified);
const MAX_AGE: i64 = 300;
const COOLDOWN: i64 = 60;

/// Secrets as Striga has them, one after the other.
const OLD: &str = "the secret of last year 0123456789";
const NEW: &str = "the secret of this year 0123456789";
const ANOTHER: &str = "the secret of nobody 0123456789abc";

fn alone(secret: &str) -> Value {
    json!({ "default": { "current": secret } })
}

fn overlapping() -> Value {
    json!({ "default": { "current": NEW, "previous": OLD } })
}

/// The place where the secrets lie, and a receiver's cache of them at its cold start.
fn cache_of(secrets: &Value) -> (Fake<SecretVault>, SecretCache<Fake<SecretVault>>) {
    let vault = Fake::<SecretVault>::default();
    vault.store(secrets);
    let cache = SecretCache::new(Provider::Striga, KEYS, vault.clone());
    (vault, cache)
}

/// What `json` holds for `tenant`, by its fingerprint.
fn fingerprint_of(json: &Value, tenant: Option<&Tenant>) -> Option<String> {
    let all = Secrets::from_json(&json.to_string()).expect("fit");
    all.get(&tenant.cloned()).map(|secrets| secrets.fingerprint().to_owned())
}

fn fingerprint(held: Result<Arc<Secrets>, NoUsableKeys>) -> Option<String> {
    held.ok().map(|secrets| secrets.fingerprint().to_owned())
}

fn tenant(name: &str) -> Tenant {
    name.parse().expect("a tenant")
}

#[tokio::test]
async fn the_first_webhook_reads_the_secrets_and_the_later_ones_do_not_until_they_are_older_than_the_max_age() {
    let (vault, cache) = cache_of(&alone(OLD));
    assert_eq!(vault.reads(), 0, "a cache that is only made asks for nothing");
    for (seconds, reads) in
        [(0, 1), (0, 1), (1, 1), (MAX_AGE - 1, 1), (MAX_AGE, 2), (2 * MAX_AGE - 1, 2), (2 * MAX_AGE, 3)]
    {
        let held = fingerprint(cache.current(None, at(seconds)).await);
        assert_eq!(held, fingerprint_of(&alone(OLD), None), "after {seconds} s");
        assert_eq!(vault.reads(), reads, "after {seconds} s");
    }
    vault.store(&alone(NEW));
    for (seconds, secret) in [(3 * MAX_AGE - 1, OLD), (3 * MAX_AGE, NEW)] {
        assert_eq!(fingerprint(cache.current(None, at(seconds)).await), fingerprint_of(&alone(secret), None));
    }
}

#[tokio::test]
async fn what_is_held_stays_in_use_while_nothing_newer_can_be_read() {
    let (vault, cache) = cache_of(&alone(OLD));
    let held = cache.current(None, at(0)).await.expect("it is stored");
    vault.now().holds = None;
    for round in 1..=10 {
        let now = at(round * MAX_AGE);
        assert_eq!(fingerprint(cache.current(None, now).await), fingerprint_of(&alone(OLD), None));
        assert!(cache.newer_than(&held, None, now).await.is_none());
    }
    assert_eq!(vault.reads(), 1 + 2 * 10, "once at each max-age, and once on behalf of what did not verify");
    vault.store(&alone(NEW));
    let back = fingerprint(cache.current(None, at(11 * MAX_AGE)).await);
    assert_eq!(back, fingerprint_of(&alone(NEW), None));
}

#[tokio::test]
async fn a_secret_that_was_stored_wrongly_leaves_the_one_that_is_held_in_use() {
    for invalid in [
        String::new(),
        NEW.to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        json!({ "current": NEW }).to_string(),
        json!({ "default": NEW }).to_string(),
        json!({ "default": {} }).to_string(),
        json!({ "default": { "current": "" } }).to_string(),
        json!({ "default": { "current": "too short" } }).to_string(),
        json!({ "default": { "current": NEW, "previous": "too short" } }).to_string(),
        json!({ "default": { "current": NEW, "next": OLD } }).to_string(),
        json!({ "default": { "current": NEW, "rsa_public_keys": ["none"] } }).to_string(),
        // Half of what is right.
        alone(NEW).to_string()[..20].to_owned(),
    ] {
        let (vault, cache) = cache_of(&alone(OLD));
        let held = cache.current(None, at(0)).await.expect("it is stored");
        vault.now().holds = Some(invalid.clone());
        assert!(cache.newer_than(&held, None, at(1)).await.is_none(), "{invalid}");
        let later = fingerprint(cache.current(None, at(MAX_AGE + 1)).await);
        assert_eq!(later, fingerprint_of(&alone(OLD), None), "{invalid}");
        assert_eq!(vault.reads(), 3, "{invalid}");
    }
}

#[tokio::test]
async fn on_behalf_of_what_does_not_verify_it_looks_once_in_a_cooldown_however_many_ask() {
    let (vault, cache) = cache_of(&json!({ "default": { "current": OLD }, "acme": { "current": OLD } }));
    let tenants = [None, Some(tenant("acme"))];
    let held = cache.current(None, at(0)).await.expect("it is stored");
    for seconds in 0..2 * COOLDOWN {
        for tenant in tenants.iter().cycle().take(100) {
            assert!(cache.newer_than(&held, tenant.as_ref(), at(seconds)).await.is_none());
        }
        let looks = usize::try_from(seconds / COOLDOWN).expect("few") + 1;
        assert_eq!(vault.reads(), 1 + looks, "after {seconds} s");
    }
}

#[tokio::test]
async fn what_one_look_found_is_there_for_all_who_ask_within_the_cooldown() {
    let (vault, cache) = cache_of(&json!({ "default": { "current": OLD }, "acme": { "current": OLD } }));
    let tried = cache.current(None, at(0)).await.expect("it is stored");
    let stored = json!({ "default": { "current": OLD }, "acme": { "current": NEW } });
    vault.store(&stored);
    // Whoever forges for one organization finds nothing newer for it, and the other's for whoever needs that.
    assert!(cache.newer_than(&tried, None, at(1)).await.is_none());
    for seconds in [1, 2, COOLDOWN] {
        let acme = tenant("acme");
        let newer = cache.newer_than(&tried, Some(&acme), at(seconds)).await.expect("it is newer");
        assert_eq!(Some(newer.fingerprint().to_owned()), fingerprint_of(&stored, Some(&acme)));
        assert!(cache.newer_than(&newer, Some(&acme), at(seconds)).await.is_none(), "than that there is nothing newer");
    }
    assert_eq!(vault.reads(), 2);
}

#[tokio::test]
async fn an_organization_without_a_secret_has_nothing_to_verify_with_and_the_others_have() {
    let (vault, cache) = cache_of(&json!({ "acme": { "current": OLD } }));
    let (acme, bolt) = (tenant("acme"), tenant("bolt"));
    assert!(cache.current(Some(&acme), at(0)).await.is_ok());
    for missing in [None, Some(&bolt)] {
        assert_eq!(cache.current(missing, at(0)).await.map(|_| ()), Err(NoUsableKeys), "{missing:?}");
    }
    assert_eq!(vault.reads(), 1, "one read is for all of them");
    vault.store(&json!({ "acme": { "current": OLD }, "bolt": { "current": NEW } }));
    assert_eq!(cache.current(Some(&bolt), at(COOLDOWN - 1)).await.map(|_| ()), Err(NoUsableKeys));
    assert!(
        cache.current(Some(&bolt), at(COOLDOWN)).await.is_ok(),
        "a secret that is stored later is found in a cooldown"
    );
    assert_eq!(vault.reads(), 2);
}

#[tokio::test]
async fn a_slip_about_one_organization_changes_nothing_for_it_and_does_not_keep_the_others_from_changing() {
    let (vault, cache) = cache_of(&json!({ "acme": { "current": OLD }, "bolt": { "current": OLD } }));
    let (acme, bolt) = (tenant("acme"), tenant("bolt"));
    let old = fingerprint(cache.current(Some(&bolt), at(0)).await);
    for slip in [
        json!({ "bolt": { "current": "short" } }),
        json!({ "bolt": { "current": "" } }),
        json!({ "bolt": {} }),
        json!({ "bolt": NEW }),
        json!({ "bolt": null }),
    ] {
        let mut stored = json!({ "acme": { "current": NEW } });
        stored.as_object_mut().expect("an object").extend(slip.as_object().expect("an object").clone());
        vault.store(&stored);
        let newer = fingerprint(cache.current(Some(&acme), at(MAX_AGE)).await);
        assert_eq!(newer, fingerprint_of(&alone(NEW), None), "{slip}");
        assert_eq!(fingerprint(cache.current(Some(&bolt), at(MAX_AGE)).await), old, "{slip}");
    }
}

#[tokio::test]
async fn an_organization_that_is_taken_out_verifies_nothing_any_more() {
    let (vault, cache) = cache_of(&json!({ "acme": { "current": OLD }, "bolt": { "current": OLD } }));
    assert!(cache.current(Some(&tenant("bolt")), at(0)).await.is_ok());
    vault.store(&json!({ "acme": { "current": OLD } }));
    assert_eq!(cache.current(Some(&tenant("bolt")), at(MAX_AGE)).await.map(|_| ()), Err(NoUsableKeys));
}

#[tokio::test]
async fn an_organization_that_is_taken_out_is_gone_whatever_is_wrong_with_the_entries_that_stay() {
    let (acme, bolt) = (tenant("acme"), tenant("bolt"));
    // Another's entry is unfit, or the name of one is misspelt and it is nobody's, be it fit or not.
    for (stored, acme_stays) in [
        (json!({ "acme": { "current": "short" }, "default": { "current": NEW } }), true),
        (json!({ "acme": { "current": "short" } }), true),
        (json!({ "default": { "current": "short" }, "acme": { "current": OLD } }), true),
        (json!({ "Bolt": { "current": OLD }, "acme": { "current": OLD } }), true),
        (json!({ "bolt ": {}, "acme": { "current": OLD } }), true),
        (json!({ "BOLT": { "current": "short" } }), false),
    ] {
        let held = json!({ "acme": { "current": OLD }, "bolt": { "current": OLD }, "default": { "current": OLD } });
        let (vault, cache) = cache_of(&held);
        assert!(cache.current(Some(&bolt), at(0)).await.is_ok());
        vault.store(&stored);
        assert_eq!(cache.current(Some(&bolt), at(MAX_AGE)).await.map(|_| ()), Err(NoUsableKeys), "{stored}");
        assert_eq!(cache.current(Some(&acme), at(MAX_AGE)).await.is_ok(), acme_stays, "{stored}");
        let default_stays = stored.get("default").is_some();
        assert_eq!(cache.current(None, at(MAX_AGE)).await.is_ok(), default_stays, "{stored}");
    }
}

#[tokio::test]
async fn nothing_that_shows_a_cache_shows_a_secret() {
    let (_vault, cache) = cache_of(&overlapping());
    let held = cache.current(None, at(0)).await.expect("it is stored");
    let shown = format!("{held:?} {:?}", held.fingerprint());
    assert!(!shown.contains(OLD) && !shown.contains(NEW), "{shown}");
}

/// A receiver of Striga's webhooks, at its cold start.
fn receiver(world: &World, keys: KeySettings) -> TestReceiver {
    world.receiver_of([("striga", Verifier::Striga(world.secrets(Provider::Striga, keys)))])
}

/// What it answers to a webhook that is signed with `secret` and comes so many seconds in.
async fn answer(receiver: &TestReceiver, secret: &str, seconds: i64) -> Answer {
    let webhook = request(by_striga(secret, BODY), BODY, &json!({ "rawPath": "/webhooks/striga/tx" }));
    receiver.handle(webhook, at(SIGNED_AT + seconds)).await
}

#[tokio::test]
async fn a_secret_that_is_changed_with_the_previous_one_kept_drops_nothing() {
    let world = World::default();
    world.striga.store(&alone(OLD));
    let receiver = receiver(&world, KEYS);
    assert_eq!(answer(&receiver, OLD, 0).await, Answer::Accepted);
    // First the operator stores both, then the provider changes; what it signed before comes late and repeatedly.
    world.striga.store(&overlapping());
    for seconds in 10..2 * MAX_AGE {
        let secret = if seconds < 30 || seconds % 3 == 0 { OLD } else { NEW };
        assert_eq!(answer(&receiver, secret, seconds).await, Answer::Accepted, "after {seconds} s");
    }
    assert_eq!(world.striga.reads(), 3, "at first, for the first new signature, and at the max-age after that");
    // And once the previous one is taken out, it is refused.
    world.striga.store(&alone(NEW));
    assert_eq!(answer(&receiver, OLD, 4 * MAX_AGE).await, UNVERIFIED);
    assert_eq!(answer(&receiver, NEW, 4 * MAX_AGE).await, Answer::Accepted);
}

#[tokio::test]
async fn a_secret_that_is_changed_without_the_previous_one_costs_one_read() {
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
async fn a_provider_that_changes_before_the_operator_is_refused_until_a_cooldown_after_the_operator() {
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
async fn while_nothing_is_stored_the_provider_is_told_to_come_again_and_it_is_looked_for_every_five_seconds() {
    // As the template makes it, not made at all, and made wrongly.
    for stored in [Some("{}".to_owned()), None, Some(String::new()), Some(alone("too short").to_string())] {
        let world = World::default();
        world.striga.now().holds.clone_from(&stored);
        let receiver = receiver(&world, KEYS);
        for seconds in 0..10 {
            assert_eq!(answer(&receiver, NEW, seconds).await, Answer::NoUsableKeys, "{stored:?}");
            let looks = if seconds < 5 { 1 } else { 2 };
            assert_eq!(world.striga.reads(), looks, "{stored:?} after {seconds} s");
        }
        assert_eq!(Answer::NoUsableKeys.status(), 503);
        world.striga.store(&alone(NEW));
        assert_eq!(answer(&receiver, NEW, 10).await, Answer::Accepted, "{stored:?}");
        assert_eq!(answer(&receiver, NEW, 11).await, Answer::Accepted, "{stored:?}");
        assert_eq!(world.striga.reads(), 3, "{stored:?}");
    }
}

#[tokio::test]
async fn what_the_operator_takes_out_is_no_longer_trusted() {
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
async fn ten_thousand_forged_webhooks_cost_one_read_in_each_cooldown() {
    for (cooldown, looks) in [(60, 1), (2, 5)] {
        let world = World::default();
        world.striga.store(&alone(OLD));
        let receiver = receiver(&world, KeySettings { cooldown: Duration::from_secs(cooldown), ..KEYS });
        let forged = by_striga(ANOTHER, BODY);
        for millisecond in 0..10_000 {
            let webhook = request(forged.clone(), BODY, &json!({ "rawPath": "/webhooks/striga/tx" }));
            let now = at(SIGNED_AT).plus(Duration::from_millis(millisecond));
            assert_eq!(receiver.handle(webhook, now).await, UNVERIFIED);
        }
        assert_eq!(world.striga.reads(), 1 + looks, "in 10 s, with a cooldown of {cooldown} s");
        assert!(world.sent().is_empty());
        assert_eq!(answer(&receiver, OLD, 10).await, Answer::Accepted, "the good ones get in");
    }
}
