//! Forged requests, many a second, over a whole fleet: what they cost the table and the provider, and that a genuine webhook
//! whose key is new gets through. Ten minutes pass in a second.

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

/// How often one receiver asks the table on behalf of what did not verify: the documented bound.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What ten minutes of forged requests cost.
struct Cost {
    loads: usize,
    leases: usize,
    stores: usize,
    fetches: usize,
}

/// How often something that is done once in each `every` is done in the time of the flood.
fn times(every: Duration) -> usize {
    usize::try_from(FLOOD.as_secs().div_ceil(every.as_secs())).expect("few")
}

/// Of 10,000 forged requests a second each of 200 receivers gets 50. Here it gets one of them: what is claimed is how often
/// others are asked, in whole seconds, and in between a receiver decides by the clock alone, however many requests come.
async fn flood(world: &World, settings: KeySettings) -> Cost {
    let fleet: Vec<Keys> = (0..RECEIVERS).map(|_| world.keys_with(settings)).collect();
    for second in 0..FLOOD.as_secs() {
        let now = at(SIGNED_AT).plus(Duration::from_secs(second));
        for keys in &fleet {
            let tried = keys.current(now).await.expect("there always is a set");
            assert!(keys.newer_than(&tried, now).await.is_none(), "there is no newer one");
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
        assert_eq!(cost.fetches, times(cooldown), "one in each {cooldown:?} for the whole fleet");
        assert_eq!(cost.stores, cost.fetches, "each confirms what is stored");
        let asks = RECEIVERS * times(ASK_AGAIN_AFTER.min(cooldown));
        assert!(cost.leases <= asks, "{} leases with {cooldown:?}", cost.leases);
        // Besides, at the cold start and at the max-age.
        assert!(cost.loads <= asks + RECEIVERS * times(KEYS.max_age), "{} reads with {cooldown:?}", cost.loads);
    }
}

#[tokio::test]
async fn while_the_provider_is_down_they_cost_no_more() {
    let world = World::publishing(&RSA);
    world.api.now().serves = None;
    let cost = flood(&world, KEYS).await;
    assert_eq!((cost.fetches, cost.stores), (times(KEYS.cooldown), 0));
}

#[tokio::test]
async fn a_provider_that_asks_to_be_left_alone_is_whatever_is_forged() {
    // What it asks for, and how often it is asked in ten minutes: never for longer than half of what the set still has.
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
    // An hour is the longest, and a set that somebody stores meanwhile ends it.
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
async fn that_a_provider_is_to_be_left_alone_is_not_believed_of_a_clock_that_is_hours_ahead() {
    for (until, fetches) in [(3600 + 300, 0), (3600 + 301, 1), (36_000, 1), (0, 1)] {
        let world = World::publishing(&RSA);
        world.table.now().not_before = Some(at(SIGNED_AT + 1 + until));
        assert_eq!(answer_to(&world.receiver(), &RSA_NEXT, SIGNED_AT + 1).await, UNVERIFIED);
        assert_eq!(world.api.now().fetches, fetches, "until {until} s from now");
    }
}

#[tokio::test]
async fn while_the_table_is_down_they_cost_the_provider_nothing() {
    let world = World::publishing(&RSA);
    let fleet: Vec<Keys> = (0..RECEIVERS).map(|_| world.keys()).collect();
    for keys in &fleet {
        keys.warm(at(SIGNED_AT)).await;
    }
    world.table.now().on_load = Fail::Always;
    world.table.now().on_lease = Fail::Always;
    for seconds in 0..60 {
        for keys in &fleet {
            let tried = keys.current(at(SIGNED_AT + seconds)).await.expect("it holds one");
            assert!(keys.newer_than(&tried, at(SIGNED_AT + seconds)).await.is_none());
        }
    }
    assert_eq!(world.api.now().fetches, 0);
    let asks = RECEIVERS * 60 / 5;
    let KeySetTable { loads, leases, .. } = *world.table.now();
    assert!(leases <= asks, "{leases} leases");
    assert!(loads <= RECEIVERS + 2 * asks, "for what did not verify, and for what is held; {loads} reads");
}

/// A forged request that comes to `receiver` at that moment is refused.
async fn forged(receiver: &TestReceiver, now: i64) {
    let signature = BASE64_STANDARD.encode([7; 256]);
    let headers = [(TIMESTAMP_HEADER, now.to_string()), (SIGNATURE_HEADER, signature)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    assert_eq!(receiver.handle(request(headers, BODY, &json!({})), at(now)).await, UNVERIFIED);
}

#[tokio::test]
async fn amid_a_flood_a_genuine_webhook_with_a_new_key_gets_through_within_the_cooldown_and_five_seconds() {
    const ROTATED: i64 = 61;
    for refresher_stores_it_after in [None, Some(20)] {
        let world = World::publishing(&RSA);
        let receivers: Vec<_> = (0..10).map(|_| world.receiver()).collect();
        let mut refused_last = ROTATED;
        for seconds in 0..ROTATED + 90 {
            if seconds == ROTATED {
                // Just after the flood has used this cooldown's fetch, and without overlap: the worst moment.
                world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
            }
            if refresher_stores_it_after.is_some_and(|after| seconds == ROTATED + after) {
                world.table.now().stored = Some(stored(&RSA_NEXT, SIGNED_AT + seconds));
            }
            // Signed once: that takes longer than all else here.
            let genuine = signed(if seconds < ROTATED { &RSA } else { &RSA_NEXT }, SIGNED_AT + seconds);
            for receiver in &receivers {
                forged(receiver, SIGNED_AT + seconds).await;
                let answer = receiver.handle(genuine.clone(), at(SIGNED_AT + seconds)).await;
                if answer != Answer::Accepted {
                    assert_eq!(answer, UNVERIFIED, "after {seconds} s");
                    assert!(seconds >= ROTATED, "nothing was dropped before the rotation");
                    refused_last = seconds;
                }
            }
        }
        let delay = refused_last + 1 - ROTATED;
        // In the table it is found as soon as each receiver asks again; at the provider once the cooldown is over.
        let expected = refresher_stores_it_after.unwrap_or(60) + 5;
        assert!(delay <= expected, "it took {delay} s, expected {expected} s at most");
        assert!(delay > 1, "the flood did delay it");
    }
}

#[tokio::test]
async fn a_receiver_that_crashes_with_the_lease_by_a_clock_that_is_off_delays_a_rotation_by_that_and_a_cooldown_at_most()
 {
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
            assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + seconds).await, UNVERIFIED, "{skew} s off");
        }
        assert_eq!(answer_to(&receiver, &RSA_NEXT, SIGNED_AT + found_after).await, Answer::Accepted, "{skew} s off");
        assert_eq!(world.api.now().fetches, 1, "{skew} s off");
    }
}
