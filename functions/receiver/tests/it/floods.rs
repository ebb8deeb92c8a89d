//! Floods of forged requests to many receivers: what they cost the table and the provider, and that a genuine webhook with a
//! new key gets through. Ten minutes pass in a second.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_credentials::KeySettings;
use fundhook_ports::fakes::{Fail, KeySetTable};
use fundhook_ports::{KeySets as _, Lease, StoredKeySet};
use fundhook_providers::Rejection;
use fundhook_providers::connect::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use receiver::Answer;
use serde_json::json;

use crate::support::provider::{RSA, RSA_NEXT, SIGNED_AT, at, feed};
use crate::support::{BODY, KEYS, Keys, TestReceiver, World, answer_to, request, signed, stored};

const UNVERIFIED: Answer = Answer::Rejected(Rejection::SignatureUnverified);
const RECEIVERS: usize = 200;
const FLOOD: Duration = Duration::from_secs(600);

/// How often one receiver asks the table because of signatures that did not verify: the documented bound.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// The calls that ten minutes of forged requests cause.
struct Cost {
    loads: usize,
    leases: usize,
    stores: usize,
    fetches: usize,
}

/// How often something that happens once in each `interval` happens during the flood.
fn times(interval: Duration) -> usize {
    usize::try_from(FLOOD.as_secs().div_ceil(interval.as_secs())).expect("few")
}

/// Sends each receiver one forged request a second. 10,000 a second would be 50 for each receiver, with the same result: the
/// tests count calls to the table and the provider per second, and within a second a receiver decides by the clock alone.
async fn flood(world: &World, settings: KeySettings) -> Cost {
    let fleet: Vec<Keys> = (0..RECEIVERS).map(|_| world.keys_with(settings)).collect();
    for second in 0..FLOOD.as_secs() {
        let now = at(SIGNED_AT).plus(Duration::from_secs(second));
        for keys in &fleet {
            let tried = keys.current(now).await.expect("a key set is always cached");
            assert!(keys.newer_than(&tried, now).await.found().is_none(), "there is no newer key set");
        }
    }
    let (table, fetches) = (world.table.now(), world.api.now().fetches);
    Cost { loads: table.loads, leases: table.leases, stores: table.stores, fetches }
}

#[tokio::test]
async fn ten_minutes_of_forged_requests_cost_the_provider_one_call_in_each_cooldown() {
    for cooldown in [60, 2].map(Duration::from_secs) {
        let world = World::publishing(&RSA);
        let cost = flood(&world, KeySettings { cooldown, ..KEYS }).await;
        assert_eq!(cost.fetches, times(cooldown), "one in each {cooldown:?} for all receivers");
        assert_eq!(cost.stores, cost.fetches, "each fetch stores the same key set again");
        let asks = RECEIVERS * times(RETRY_INTERVAL.min(cooldown));
        assert!(cost.leases <= asks, "{} leases with {cooldown:?}", cost.leases);
        // In addition to the readings at the cold start and at each max-age.
        assert!(cost.loads <= asks + RECEIVERS * times(KEYS.max_age), "{} reads with {cooldown:?}", cost.loads);
    }
}

#[tokio::test]
async fn forged_requests_cost_no_more_while_the_provider_is_down() {
    let world = World::publishing(&RSA);
    world.api.now().serves = None;
    let cost = flood(&world, KEYS).await;
    assert_eq!((cost.fetches, cost.stores), (times(KEYS.cooldown), 0));
}

#[tokio::test]
async fn a_retry_after_is_respected_during_a_flood() {
    // `Retry-After`, the time for which the key set is still usable, and the fetches in ten minutes. The pause is at most half
    // of that time.
    for (retry_after, set_has_left, fetches) in [
        (None, 86_400, 10),
        (Some(30), 86_400, 10),
        (Some(300), 86_400, 2),
        (Some(3600), 86_400, 1),
        (Some(u64::MAX), 86_400, 1),
        (Some(3600), 1000, 2),
    ] {
        let world = World::publishing(&RSA);
        let fetched_at = SIGNED_AT - (86_400 - set_has_left);
        world.table.now().stored = Some(StoredKeySet { fetched_at: at(fetched_at), ..stored(&RSA, SIGNED_AT) });
        world.api.now().serves = None;
        world.api.now().retry_after = retry_after.map(Duration::from_secs);
        let cost = flood(&world, KEYS).await;
        assert_eq!((cost.fetches, cost.stores), (fetches, 0), "{retry_after:?} with {set_has_left} s left");
    }
    // The pause is at most an hour, and a newly stored key set ends it.
    let world = World::publishing(&RSA);
    world.api.now().serves = None;
    world.api.now().retry_after = Some(Duration::MAX);
    flood(&world, KEYS).await;
    assert_eq!(world.table.now().not_before, Some(at(SIGNED_AT + 3600)));
    world.table.store(&feed(), &stored(&RSA, SIGNED_AT + 600)).await.expect("the table is up");
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    let answer = answer_to(&world.receiver(), &RSA_NEXT, SIGNED_AT + 700).await;
    assert_eq!(answer, Answer::Accepted);
}

#[tokio::test]
async fn a_back_off_time_from_a_clock_that_is_hours_ahead_is_ignored() {
    for (until, fetches) in [(3600 + 300, 0), (3600 + 301, 1), (36_000, 1), (0, 1)] {
        let world = World::publishing(&RSA);
        world.table.now().not_before = Some(at(SIGNED_AT + 1 + until));
        assert_eq!(answer_to(&world.receiver(), &RSA_NEXT, SIGNED_AT + 1).await, UNVERIFIED);
        assert_eq!(world.api.now().fetches, fetches, "until {until} s from now");
    }
}

#[tokio::test]
async fn forged_requests_cost_the_provider_nothing_while_the_table_is_down() {
    let world = World::publishing(&RSA);
    let fleet: Vec<Keys> = (0..RECEIVERS).map(|_| world.keys()).collect();
    for keys in &fleet {
        keys.warm(at(SIGNED_AT)).await;
    }
    world.table.now().on_load = Fail::Always;
    world.table.now().on_lease = Fail::Always;
    for seconds in 0..60 {
        for keys in &fleet {
            let tried = keys.current(at(SIGNED_AT + seconds)).await.expect("a key set is cached");
            assert!(keys.newer_than(&tried, at(SIGNED_AT + seconds)).await.found().is_none());
        }
    }
    assert_eq!(world.api.now().fetches, 0);
    let asks = RECEIVERS * 60 / 5;
    let KeySetTable { loads, leases, .. } = *world.table.now();
    assert!(leases <= asks, "{leases} leases");
    assert!(loads <= RECEIVERS + 2 * asks, "after failed verifications and at the max-age; {loads} reads");
}

/// Sends a forged request to `receiver` and asserts that it is rejected.
async fn forged(receiver: &TestReceiver, now: i64) {
    let signature = BASE64_STANDARD.encode([7; 256]);
    let headers = [(TIMESTAMP_HEADER, now.to_string()), (SIGNATURE_HEADER, signature)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    assert_eq!(receiver.handle(request(headers, BODY, &json!({})), at(now)).await, UNVERIFIED);
}

#[tokio::test]
async fn during_a_flood_a_genuine_webhook_with_a_new_key_is_accepted_within_the_cooldown_and_five_seconds() {
    const ROTATED: i64 = 61;
    for refresher_stores_it_after in [None, Some(20)] {
        let world = World::publishing(&RSA);
        let receivers: Vec<_> = (0..10).map(|_| world.receiver()).collect();
        let mut rejected_last = ROTATED;
        for seconds in 0..ROTATED + 90 {
            if seconds == ROTATED {
                // The worst time: just after the flood has used this cooldown's fetch, and without overlap of the keys.
                world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
            }
            if refresher_stores_it_after.is_some_and(|after| seconds == ROTATED + after) {
                world.table.now().stored = Some(stored(&RSA_NEXT, SIGNED_AT + seconds));
            }
            // Signed once for all receivers: signing takes longer than everything else in this test.
            let genuine = signed(if seconds < ROTATED { &RSA } else { &RSA_NEXT }, SIGNED_AT + seconds);
            for receiver in &receivers {
                forged(receiver, SIGNED_AT + seconds).await;
                let answer = receiver.handle(genuine.clone(), at(SIGNED_AT + seconds)).await;
                if answer != Answer::Accepted {
                    assert_eq!(answer, UNVERIFIED, "after {seconds} s");
                    assert!(seconds >= ROTATED, "nothing is rejected before the rotation");
                    rejected_last = seconds;
                }
            }
        }
        let delay = rejected_last + 1 - ROTATED;
        // A receiver finds it in the table at its next reading, and at the provider after the cooldown.
        let expected = refresher_stores_it_after.unwrap_or(60) + 5;
        assert!(delay <= expected, "it took {delay} s, expected at most {expected} s");
        assert!(delay > 1, "the flood causes a delay");
    }
}

#[tokio::test]
async fn a_crashed_receiver_with_a_wrong_clock_delays_a_rotation_by_at_most_the_clock_skew_and_a_cooldown() {
    for (skew, found_after) in
        [(-61, 0), (-36_000, 0), (-30, 30), (0, 60), (240, 300), (300, 360), (301, 0), (36_000, 0)]
    {
        let world = World::publishing(&RSA);
        let receiver = world.receiver();
        receiver.warm(at(SIGNED_AT)).await;
        let taken = world.table.lease(&feed(), at(SIGNED_AT + skew), KEYS.cooldown).await;
        assert_eq!(taken.expect("the table is up"), Lease::Won);
        world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
        for seconds in (0..found_after).step_by(5) {
            assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + seconds).await, UNVERIFIED, "skew {skew} s");
        }
        assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + found_after).await, Answer::Accepted, "skew {skew} s");
        assert_eq!(world.api.now().fetches, 1, "skew {skew} s");
    }
}
