//! Which secrets the cache returns, and how often it reads them. Time is an argument, so no test waits.

use std::sync::Arc;
use std::time::Duration;

use fundhook_credentials::{KeySettings, Newer, NoUsableKeys, SecretCache};
use fundhook_domain::{Provider, Tenant};
use fundhook_ports::fakes::{Fake, SecretVault};
use fundhook_providers::Secrets;
use serde_json::{Value, json};

use crate::support::at;

/// The defaults of the settings.
const KEYS: KeySettings = KeySettings {
    max_age: Duration::from_secs(300),
    cooldown: Duration::from_secs(60),
    last_good_max: Duration::from_secs(86_400),
};
const MAX_AGE: i64 = 300;
const COOLDOWN: i64 = 60;

/// The previous and the current secret of Striga.
const OLD: &str = "the secret of last year 0123456789";
const NEW: &str = "the secret of this year 0123456789";

fn alone(secret: &str) -> Value {
    json!({ "default": { "current": secret } })
}

fn overlapping() -> Value {
    json!({ "default": { "current": NEW, "previous": OLD } })
}

/// The vault with the secrets, and an empty cache.
fn cache_of(secrets: &Value) -> (Fake<SecretVault>, SecretCache<Fake<SecretVault>>) {
    let vault = Fake::<SecretVault>::default();
    vault.store(secrets);
    let cache = SecretCache::new(Provider::Striga, KEYS, vault.clone());
    (vault, cache)
}

/// The fingerprint of the tenant's secrets in `json`.
fn fingerprint_of(json: &Value, tenant: Option<&Tenant>) -> Option<String> {
    let all = Secrets::from_json(&json.to_string()).expect("valid secrets");
    all.get(&tenant.cloned()).map(|secrets| secrets.fingerprint().to_owned())
}

fn fingerprint(held: Result<Arc<Secrets>, NoUsableKeys>) -> Option<String> {
    held.ok().map(|secrets| secrets.fingerprint().to_owned())
}

fn tenant(name: &str) -> Tenant {
    name.parse().expect("a tenant")
}

#[tokio::test]
async fn the_first_webhook_reads_the_secrets_and_they_are_read_again_at_the_max_age() {
    let (vault, cache) = cache_of(&alone(OLD));
    assert_eq!(vault.reads(), 0, "creating a cache reads nothing");
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
async fn the_cached_secrets_stay_in_use_while_newer_ones_cannot_be_read() {
    let (vault, cache) = cache_of(&alone(OLD));
    let held = cache.current(None, at(0)).await.expect("it is stored");
    vault.now().holds = None;
    for round in 1..=10 {
        let now = at(round * MAX_AGE);
        assert_eq!(fingerprint(cache.current(None, now).await), fingerprint_of(&alone(OLD), None));
        assert!(matches!(cache.newer_than(&held, None, now).await, Newer::Unread));
    }
    assert_eq!(vault.reads(), 1 + 2 * 10, "once at each max-age, and once after each failed verification");
    vault.store(&alone(NEW));
    let back = fingerprint(cache.current(None, at(11 * MAX_AGE)).await);
    assert_eq!(back, fingerprint_of(&alone(NEW), None));
}

#[tokio::test]
async fn an_invalid_secret_leaves_the_cached_one_in_use() {
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
        // Half of a valid text.
        alone(NEW).to_string()[..20].to_owned(),
    ] {
        let (vault, cache) = cache_of(&alone(OLD));
        let held = cache.current(None, at(0)).await.expect("it is stored");
        vault.now().holds = Some(invalid.clone());
        assert!(matches!(cache.newer_than(&held, None, at(1)).await, Newer::Unread), "{invalid}");
        let later = fingerprint(cache.current(None, at(MAX_AGE + 1)).await);
        assert_eq!(later, fingerprint_of(&alone(OLD), None), "{invalid}");
        assert_eq!(vault.reads(), 3, "{invalid}");
    }
}

#[tokio::test]
async fn failed_verifications_cause_one_reading_in_each_cooldown_however_many_there_are() {
    let (vault, cache) = cache_of(&json!({ "default": { "current": OLD }, "acme": { "current": OLD } }));
    let tenants = [None, Some(tenant("acme"))];
    let held = cache.current(None, at(0)).await.expect("it is stored");
    for seconds in 0..2 * COOLDOWN {
        for tenant in tenants.iter().cycle().take(100) {
            assert!(matches!(cache.newer_than(&held, tenant.as_ref(), at(seconds)).await, Newer::None));
        }
        let reads = usize::try_from(seconds / COOLDOWN).expect("few") + 1;
        assert_eq!(vault.reads(), 1 + reads, "after {seconds} s");
    }
}

#[tokio::test]
async fn one_reading_serves_all_requests_of_the_cooldown() {
    let (vault, cache) = cache_of(&json!({ "default": { "current": OLD }, "acme": { "current": OLD } }));
    let tried = cache.current(None, at(0)).await.expect("it is stored");
    let stored = json!({ "default": { "current": OLD }, "acme": { "current": NEW } });
    vault.store(&stored);
    // A forged webhook for one organization finds nothing newer, but its reading finds the newer secret of the other one.
    assert!(cache.newer_than(&tried, None, at(1)).await.found().is_none());
    for seconds in [1, 2, COOLDOWN] {
        let acme = tenant("acme");
        let newer = cache.newer_than(&tried, Some(&acme), at(seconds)).await.found().expect("it is newer");
        assert_eq!(Some(newer.fingerprint().to_owned()), fingerprint_of(&stored, Some(&acme)));
        assert!(
            cache.newer_than(&newer, Some(&acme), at(seconds)).await.found().is_none(),
            "there is nothing newer still"
        );
    }
    assert_eq!(vault.reads(), 2);
}

#[tokio::test]
async fn an_organization_without_a_secret_does_not_affect_the_others() {
    let (vault, cache) = cache_of(&json!({ "acme": { "current": OLD } }));
    let (acme, bolt) = (tenant("acme"), tenant("bolt"));
    assert!(cache.current(Some(&acme), at(0)).await.is_ok());
    for missing in [None, Some(&bolt)] {
        assert_eq!(cache.current(missing, at(0)).await.map(|_| ()), Err(NoUsableKeys), "{missing:?}");
    }
    assert_eq!(vault.reads(), 1, "one reading for all of them");
    vault.store(&json!({ "acme": { "current": OLD }, "bolt": { "current": NEW } }));
    assert_eq!(cache.current(Some(&bolt), at(COOLDOWN - 1)).await.map(|_| ()), Err(NoUsableKeys));
    assert!(
        cache.current(Some(&bolt), at(COOLDOWN)).await.is_ok(),
        "a secret that is added later is found within a cooldown"
    );
    assert_eq!(vault.reads(), 2);
}

#[tokio::test]
async fn an_invalid_entry_changes_nothing_for_its_organization_and_does_not_affect_the_others() {
    let (vault, cache) = cache_of(&json!({ "acme": { "current": OLD }, "bolt": { "current": OLD } }));
    let (acme, bolt) = (tenant("acme"), tenant("bolt"));
    let old = fingerprint(cache.current(Some(&bolt), at(0)).await);
    for invalid in [
        json!({ "bolt": { "current": "short" } }),
        json!({ "bolt": { "current": "" } }),
        json!({ "bolt": {} }),
        json!({ "bolt": NEW }),
        json!({ "bolt": null }),
    ] {
        let mut stored = json!({ "acme": { "current": NEW } });
        stored.as_object_mut().expect("an object").extend(invalid.as_object().expect("an object").clone());
        vault.store(&stored);
        let newer = fingerprint(cache.current(Some(&acme), at(MAX_AGE)).await);
        assert_eq!(newer, fingerprint_of(&alone(NEW), None), "{invalid}");
        let held = cache.current(Some(&bolt), at(MAX_AGE)).await.expect("the last good one");
        assert_eq!(Some(held.fingerprint().to_owned()), old, "{invalid}");
        assert!(matches!(cache.newer_than(&held, Some(&bolt), at(MAX_AGE)).await, Newer::Unread), "{invalid}");
        let other = cache.current(Some(&acme), at(MAX_AGE)).await.expect("it is valid");
        assert!(matches!(cache.newer_than(&other, Some(&acme), at(MAX_AGE)).await, Newer::None), "{invalid}");
    }
}

#[tokio::test]
async fn a_removed_organization_verifies_nothing() {
    let (vault, cache) = cache_of(&json!({ "acme": { "current": OLD }, "bolt": { "current": OLD } }));
    assert!(cache.current(Some(&tenant("bolt")), at(0)).await.is_ok());
    vault.store(&json!({ "acme": { "current": OLD } }));
    assert_eq!(cache.current(Some(&tenant("bolt")), at(MAX_AGE)).await.map(|_| ()), Err(NoUsableKeys));
}

#[tokio::test]
async fn a_removed_organization_verifies_nothing_whatever_is_wrong_with_other_entries() {
    let (acme, bolt) = (tenant("acme"), tenant("bolt"));
    // Another entry is invalid, or a misspelt name belongs to no organization, with a valid or an invalid secret.
    for (stored, acme_stays) in [
        (json!({ "acme": { "current": "short" }, "default": { "current": NEW } }), true),
        (json!({ "acme": { "current": "short" } }), true),
        (json!({ "default": { "current": "short" }, "acme": { "current": OLD } }), true),
        (json!({ "Bolt": { "current": OLD }, "acme": { "current": OLD } }), true),
        (json!({ "bolt ": {}, "acme": { "current": OLD } }), true),
        (json!({ "BOLT": { "current": "short" } }), false),
    ] {
        let before = json!({ "acme": { "current": OLD }, "bolt": { "current": OLD }, "default": { "current": OLD } });
        let (vault, cache) = cache_of(&before);
        assert!(cache.current(Some(&bolt), at(0)).await.is_ok());
        vault.store(&stored);
        assert_eq!(cache.current(Some(&bolt), at(MAX_AGE)).await.map(|_| ()), Err(NoUsableKeys), "{stored}");
        assert_eq!(cache.current(Some(&acme), at(MAX_AGE)).await.is_ok(), acme_stays, "{stored}");
        let default_stays = stored.get("default").is_some();
        assert_eq!(cache.current(None, at(MAX_AGE)).await.is_ok(), default_stays, "{stored}");
    }
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let (_vault, cache) = cache_of(&overlapping());
    let held = cache.current(None, at(0)).await.expect("it is stored");
    let shown = format!("{held:?} {:?}", held.fingerprint());
    assert!(!shown.contains(OLD) && !shown.contains(NEW), "{shown}");
}
