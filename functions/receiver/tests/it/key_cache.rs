//! Which key set a receiver verifies with, and what that costs the table and the provider. Time is an argument, so no test
//! waits.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_credentials::KeySettings;
use fundhook_domain::Timestamp;
use fundhook_ports::StoredKeySet;
use fundhook_ports::fakes::Fail;
use fundhook_providers::Rejection;
use fundhook_providers::connect::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use receiver::Answer;
use serde_json::json;

use crate::support::provider::{RSA, RSA_NEXT, SIGNED_AT, at, jwks};
use crate::support::{BODY, KEYS, Keys, World, answer_to, fingerprint, request, signed, stored, stored_jwks};

const UNVERIFIED: Answer = Answer::Rejected(Rejection::SignatureUnverified);
const MAX_AGE: i64 = 300;
const COOLDOWN: i64 = 60;
const LAST_GOOD_MAX: i64 = 86_400;

/// The number of readings, leases and writes of the table, and of fetches from the provider.
fn asked(world: &World) -> [usize; 4] {
    let (table, api) = (world.table.now(), world.api.now());
    [table.loads, table.leases, table.stores, api.fetches]
}

/// What `keys` returns for a signature that its current key set does not verify.
async fn newer(keys: &Keys, now: Timestamp) -> Option<String> {
    let tried = keys.current(now).await.expect("a current key set");
    keys.newer_than(&tried, now).await.found().map(|set| set.fingerprint().to_owned())
}

/// Makes all operations of the table fail or work.
fn set_down(world: &World, is_down: bool) {
    let mut table = world.table.now();
    let fail = if is_down { Fail::Always } else { Fail::Never };
    (table.on_load, table.on_lease, table.on_store) = (fail, fail, fail);
}

fn of(set: &StoredKeySet) -> Option<String> {
    Some(set.fingerprint.clone())
}

#[tokio::test]
async fn the_first_webhook_reads_the_table_once_and_later_ones_read_nothing() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(asked(&world), [0, 0, 0, 0], "creating a receiver reads nothing");
    for seconds in [0, 0, 1, 60, MAX_AGE - 1] {
        assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + seconds).await, Answer::Accepted);
        assert_eq!(asked(&world), [1, 0, 0, 0], "after {seconds} s");
    }
    for seconds in [MAX_AGE, MAX_AGE + 1, 2 * MAX_AGE - 1] {
        assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + seconds).await, Answer::Accepted);
        assert_eq!(asked(&world), [2, 0, 0, 0], "after {seconds} s");
    }
}

#[tokio::test]
async fn a_key_set_that_was_replaced_in_the_table_is_used_after_the_max_age() {
    let world = World::publishing(&RSA);
    let keys = world.keys();
    let (first, next) = (stored(&RSA, SIGNED_AT), stored(&RSA_NEXT, SIGNED_AT + 10));
    assert_eq!(fingerprint(&keys, at(SIGNED_AT)).await, of(&first));
    world.table.now().stored = Some(next.clone());
    assert_eq!(fingerprint(&keys, at(SIGNED_AT + MAX_AGE - 1)).await, of(&first));
    assert_eq!(fingerprint(&keys, at(SIGNED_AT + MAX_AGE)).await, of(&next));
}

#[tokio::test]
async fn while_the_table_is_down_the_last_good_key_set_is_used_until_it_is_too_old() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
    set_down(&world, true);
    for seconds in [MAX_AGE, 3600, LAST_GOOD_MAX] {
        assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + seconds).await, Answer::Accepted, "after {seconds} s");
    }
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + LAST_GOOD_MAX + 1).await, Answer::NoUsableKeys);
    assert_eq!(world.api.now().fetches, 0, "without the lease, the receiver does not fetch");

    // The table is up again, and the refresher has stored a newer key set.
    set_down(&world, false);
    world.table.now().stored = Some(stored(&RSA, SIGNED_AT + LAST_GOOD_MAX));
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + LAST_GOOD_MAX + 6).await, Answer::Accepted);
}

#[tokio::test]
async fn while_the_table_is_down_only_one_webhook_in_five_seconds_waits_for_it() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
    world.table.now().on_load = Fail::Always;
    for seconds in 0..10 {
        assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + MAX_AGE + seconds).await, Answer::Accepted);
    }
    assert_eq!(world.table.now().loads, 1 + 2, "at the max-age and five seconds later");
    world.table.now().on_load = Fail::Never;
    world.table.now().stored = Some(stored(&RSA_NEXT, SIGNED_AT + 10));
    assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + MAX_AGE + 10).await, Answer::Accepted);
}

#[tokio::test]
async fn a_receiver_without_a_key_set_reads_the_table_for_each_webhook() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    set_down(&world, true);
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::NoUsableKeys);
    set_down(&world, false);
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
}

#[tokio::test]
async fn after_a_rotation_without_overlap_one_fetch_is_enough() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    for seconds in 1..100 {
        assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + seconds).await, Answer::Accepted, "after {seconds} s");
    }
    assert_eq!(asked(&world), [2, 1, 1, 1], "reads, leases, writes, fetches");
    assert_eq!(world.table.now().stored, Some(stored(&RSA_NEXT, SIGNED_AT + 1)));
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + 100).await, UNVERIFIED, "the old key is removed");
}

#[tokio::test]
async fn receivers_find_in_the_table_what_another_one_fetched() {
    let world = World::publishing(&RSA);
    let receivers = [world.receiver(), world.receiver(), world.receiver()];
    for receiver in &receivers {
        assert_eq!(answer_to(receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
    }
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    for (seconds, receiver) in (1..).zip(&receivers) {
        assert_eq!(answer_to(receiver, &RSA_NEXT, SIGNED_AT + seconds).await, Answer::Accepted);
    }
    assert_eq!(asked(&world), [3 + 3, 1, 1, 1], "reads, leases, writes, fetches");
}

#[tokio::test]
async fn a_receiver_that_loses_the_lease_verifies_with_what_the_winner_stored() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
    // Another receiver stores a key set after this one has read the table, and before it asks for the lease.
    world.table.now().on_load = Fail::Always;
    world.table.now().stored = Some(stored(&RSA_NEXT, SIGNED_AT + 1));
    world.table.now().refetch_after = Some(at(SIGNED_AT + 61));
    assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + 2).await, Answer::Accepted);
    assert_eq!(asked(&world), [2, 1, 0, 0], "reads, leases, writes, fetches");
}

#[tokio::test]
async fn a_receiver_that_loses_the_lease_before_the_winner_has_stored_asks_again() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
    // Another receiver holds the lease and is still fetching.
    world.table.now().refetch_after = Some(at(SIGNED_AT + 61));
    assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + 1).await, UNVERIFIED);
    world.table.now().stored = Some(stored(&RSA_NEXT, SIGNED_AT + 1));
    assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + 5).await, UNVERIFIED, "it asked four seconds before");
    assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + 6).await, Answer::Accepted);
    assert_eq!(world.api.now().fetches, 0);
}

/// Sends forged requests to 20 receivers in turn, one a millisecond for ten seconds. Returns the number of requests for the
/// lease and of fetches from the provider.
async fn flood(world: &World, keys: KeySettings) -> (usize, usize) {
    let receivers: Vec<_> = (0..20).map(|_| world.receiver_with(crate::support::provider::settings(), keys)).collect();
    let forged = BASE64_STANDARD.encode([7; 256]);
    for millisecond in 0..10_000 {
        let now = at(SIGNED_AT).plus(Duration::from_millis(millisecond));
        let headers = [(TIMESTAMP_HEADER, now.unix_seconds().to_string()), (SIGNATURE_HEADER, forged.clone())];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let index = usize::try_from(millisecond).expect("small") % receivers.len();
        let answer = receivers[index].handle(request(headers, BODY, &json!({})), now).await;
        assert_eq!(answer, UNVERIFIED);
    }
    assert_eq!(world.sent().len(), 0);
    for receiver in &receivers {
        assert_eq!(answer_to(receiver, &RSA, SIGNED_AT + 10).await, Answer::Accepted, "genuine webhooks are accepted");
    }
    let (leases, fetches) = (world.table.now().leases, world.api.now().fetches);
    (leases, fetches)
}

#[tokio::test]
async fn ten_thousand_forged_requests_cost_the_provider_one_fetch_in_each_cooldown() {
    let world = World::publishing(&RSA);
    let (leases, fetches) = flood(&world, KEYS).await;
    assert_eq!(fetches, 1, "10 s are one cooldown of 60 s");
    assert!(leases <= 20 * 2, "20 receivers, each at most once in 5 s: {leases} leases");
    let loads = world.table.now().loads;
    assert!(loads <= 20 * (1 + 2), "20 receivers, each at its cold start and once in 5 s: {loads} readings");

    let world = World::publishing(&RSA);
    let (leases, fetches) = flood(&world, KeySettings { cooldown: Duration::from_secs(2), ..KEYS }).await;
    assert_eq!(fetches, 5, "10 s are five cooldowns of 2 s");
    assert!(leases <= 20 * 5, "20 receivers, each at most once in a cooldown: {leases} leases");
}

#[tokio::test]
async fn a_flood_delays_a_rotation_by_no_more_than_the_cooldown() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    for seconds in 0..COOLDOWN {
        assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + seconds).await, UNVERIFIED);
    }
    assert_eq!(world.api.now().fetches, 1);
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + COOLDOWN).await, Answer::Accepted);
}

#[tokio::test]
async fn a_rejection_that_a_newer_key_cannot_fix_causes_no_reading() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    let empty = receiver.handle(request(Vec::new(), BODY, &json!({})), at(SIGNED_AT)).await;
    assert!(matches!(empty, Answer::Rejected(Rejection::HeaderMissing(_))), "{empty:?}");
    let stale = receiver.handle(signed(&RSA_NEXT, SIGNED_AT), at(SIGNED_AT + 1000)).await;
    assert!(matches!(stale, Answer::Rejected(Rejection::TimestampTooOld { .. })), "{stale:?}");
    assert_eq!(asked(&world), [2, 0, 0, 0], "at first and at the max-age");
}

#[tokio::test]
async fn an_invalid_or_missing_response_of_the_provider_leaves_the_last_good_key_set_in_use() {
    let secret = jwks(&[RSA_NEXT.jwk(), json!({ "kty": "oct", "k": "AQAB" })]);
    let encryption = jwks(&[RSA_NEXT.jwk_with(&json!({ "use": "enc" }))]);
    for served in
        [None, Some("<html>Service Unavailable</html>"), Some(r#"{"keys":[]}"#), Some(&secret), Some(&encryption)]
    {
        let world = World::publishing(&RSA);
        let keys = world.keys();
        let good = stored(&RSA, SIGNED_AT);
        world.api.now().serves = served.map(str::to_owned);
        assert_eq!(newer(&keys, at(SIGNED_AT + 1)).await, None, "{served:?}");
        assert_eq!(fingerprint(&keys, at(SIGNED_AT + 2)).await, of(&good), "{served:?}");
        assert_eq!(asked(&world), [2, 1, 0, 1], "{served:?} is not stored");
        assert_eq!(world.table.now().stored, Some(good), "{served:?}");
    }
}

#[tokio::test]
async fn an_invalid_key_set_in_the_table_leaves_the_last_good_one_in_use() {
    let world = World::publishing(&RSA);
    let keys = world.keys();
    let good = stored(&RSA, SIGNED_AT);
    assert_eq!(fingerprint(&keys, at(SIGNED_AT)).await, of(&good));
    world.table.now().stored = Some(stored_jwks("{}", SIGNED_AT + 10));
    assert_eq!(fingerprint(&keys, at(SIGNED_AT + MAX_AGE)).await, of(&good));
}

#[tokio::test]
async fn if_no_key_set_is_stored_the_first_receiver_fetches_it_for_all() {
    let world = World::publishing(&RSA);
    world.table.now().stored = None;
    let (first, second) = (world.receiver(), world.receiver());
    assert_eq!(answer_to(&first, &RSA, SIGNED_AT).await, Answer::Accepted);
    assert_eq!(world.table.now().stored, Some(stored(&RSA, SIGNED_AT)));
    assert_eq!(answer_to(&second, &RSA, SIGNED_AT).await, Answer::Accepted);
    assert_eq!(asked(&world), [2, 1, 1, 1], "reads, leases, writes, fetches");
}

#[tokio::test]
async fn if_no_key_set_is_stored_and_another_receiver_fetches_one_it_is_found_five_seconds_later() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    world.table.now().stored = None;
    world.table.now().refetch_after = Some(at(SIGNED_AT + 60));
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::NoUsableKeys);
    world.table.now().stored = Some(stored(&RSA, SIGNED_AT));
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + 4).await, Answer::NoUsableKeys);
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + 5).await, Answer::Accepted);
}

#[tokio::test]
async fn a_fetched_key_set_that_could_not_be_stored_is_used() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    world.table.now().on_store = Fail::Always;
    assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + 1).await, Answer::Accepted);
    // The older key set in the table does not replace it.
    assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + MAX_AGE).await, Answer::Accepted);
    assert_eq!(asked(&world), [2, 1, 1, 1], "reads, leases, writes, fetches");
}

#[tokio::test]
async fn while_neither_the_table_nor_the_provider_tells_a_newer_key_an_unverified_webhook_is_answered_503() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
    world.table.now().on_load = Fail::Always;
    world.api.now().serves = None;
    for seconds in 1..20 {
        assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + seconds).await, Answer::KeysUnread, "after {seconds} s");
    }
    // The table is back, and the provider was asked in this cooldown.
    world.table.now().on_load = Fail::Never;
    for seconds in 20..COOLDOWN {
        assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + seconds).await, Answer::KeysUnread, "after {seconds} s");
    }
    // The provider still publishes the old key alone.
    world.api.now().serves = Some(RSA.jwks.to_owned());
    let later = SIGNED_AT + 2 * COOLDOWN;
    assert_eq!(answer_to(&receiver, &RSA_NEXT, later).await, UNVERIFIED);
    // A newer one, which another receiver fetched, ends what this one could not fetch.
    world.api.now().serves = None;
    assert_eq!(answer_to(&receiver, &RSA_NEXT, later + COOLDOWN + 5).await, Answer::KeysUnread);
    world.table.now().stored = Some(stored(&RSA, later + COOLDOWN + 6));
    assert_eq!(answer_to(&receiver, &RSA_NEXT, later + COOLDOWN + 12).await, UNVERIFIED);
}

#[tokio::test]
async fn a_receiver_without_the_lease_does_not_fetch() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    world.table.now().on_lease = Fail::Always;
    for seconds in 0..10 {
        assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + seconds).await, Answer::KeysUnread);
        assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + seconds).await, Answer::Accepted);
    }
    assert_eq!(asked(&world), [1 + 2, 2, 0, 0], "reads, leases, writes, fetches");
}

#[tokio::test]
async fn a_key_set_that_is_too_old_is_fetched_again_when_the_provider_is_up() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    world.api.now().serves = None;
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
    let too_late = SIGNED_AT + LAST_GOOD_MAX + 1;
    assert_eq!(answer_to(&receiver, &RSA, too_late).await, Answer::NoUsableKeys);
    world.api.now().serves = Some(RSA.jwks.to_owned());
    assert_eq!(answer_to(&receiver, &RSA, too_late + COOLDOWN - 1).await, Answer::NoUsableKeys, "the cooldown holds");
    assert_eq!(answer_to(&receiver, &RSA, too_late + COOLDOWN + 5).await, Answer::Accepted);
    assert_eq!(world.api.now().fetches, 2);
}

#[tokio::test]
async fn an_older_key_set_in_the_table_never_replaces_a_newer_one() {
    let world = World::publishing(&RSA);
    let keys = world.keys();
    assert_eq!(fingerprint(&keys, at(SIGNED_AT)).await, of(&stored(&RSA, SIGNED_AT)));
    world.table.now().stored = Some(stored(&RSA_NEXT, SIGNED_AT - 1));
    assert_eq!(fingerprint(&keys, at(SIGNED_AT + MAX_AGE)).await, of(&stored(&RSA, SIGNED_AT)));
}

#[tokio::test]
async fn the_age_of_a_key_set_counts_from_its_last_fetch() {
    let world = World::publishing(&RSA);
    let receiver = world.receiver();
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT).await, Answer::Accepted);
    world.table.now().stored = Some(stored(&RSA, SIGNED_AT + 1000));
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + 1000).await, Answer::Accepted);
    world.table.now().on_load = Fail::Always;
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + 1000 + LAST_GOOD_MAX).await, Answer::Accepted);
}

#[tokio::test]
async fn a_key_set_that_differs_only_in_an_algorithm_is_a_newer_one() {
    let world = World::default();
    let wrong = jwks(&[RSA.jwk_with(&json!({ "alg": "PS256" }))]);
    world.table.now().stored = Some(stored_jwks(&wrong, SIGNED_AT));
    world.api.now().serves = Some(RSA.jwks.to_owned());
    assert_eq!(answer_to(&world.receiver(), &RSA, SIGNED_AT + 1).await, Answer::Accepted);
}
