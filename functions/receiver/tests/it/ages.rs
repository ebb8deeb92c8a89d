//! How long a receiver caches a key set: as the provider's `Cache-Control` says, within bounds, and with wrong clocks.

use std::time::Duration;

use fundhook_credentials::NoUsableKeys;
use fundhook_ports::StoredKeySet;
use fundhook_ports::fakes::Fail;
use receiver::Answer;

use crate::support::provider::{RSA, RSA_NEXT, SIGNED_AT, at};
use crate::support::{KEYS, World, answer_to, fingerprint, stored};

const HOUR: i64 = 3600;

/// The key set as stored by a fetch at this time, fresh for `fresh` seconds.
fn fresh(seconds: i64, fresh: u64) -> Option<StoredKeySet> {
    let fetched_at = at(SIGNED_AT + seconds);
    Some(StoredKeySet { fresh_until: fetched_at.plus(Duration::from_secs(fresh)), ..stored(&RSA, SIGNED_AT + seconds) })
}

#[tokio::test]
async fn a_short_cache_control_shortens_the_reading_interval_to_at_least_30_seconds() {
    for (cache_control, read_again_after) in
        [(0, 30), (1, 30), (29, 30), (30, 30), (31, 31), (60, 60), (299, 299), (300, 300), (301, 300), (3600, 300)]
    {
        let world = World::publishing(&RSA);
        let keys = world.keys();
        for (seconds, reads) in [(0, 1), (read_again_after - 1, 1), (read_again_after, 2)] {
            // The refresher is on time: the receiver reads a key set that was fetched just now.
            world.table.now().stored = fresh(seconds, cache_control);
            keys.warm(at(SIGNED_AT + seconds)).await;
            assert_eq!(world.table.now().loads, reads, "max-age={cache_control}, after {seconds} s");
        }
    }
}

#[tokio::test]
async fn a_key_set_is_read_again_when_the_refresher_renews_it_and_not_a_whole_max_age_later() {
    let world = World::publishing(&RSA);
    world.table.now().stored = fresh(-200, 300);
    let keys = world.keys();
    for (seconds, reads) in [(0, 1), (99, 1), (100, 2)] {
        keys.warm(at(SIGNED_AT + seconds)).await;
        assert_eq!(world.table.now().loads, reads, "after {seconds} s");
    }
}

#[tokio::test]
async fn while_the_refresher_is_down_a_stale_key_set_is_read_once_in_30_seconds() {
    let world = World::publishing(&RSA);
    world.table.now().stored = fresh(0, 60);
    let keys = world.keys();
    for seconds in 0..=660 {
        assert!(keys.current(at(SIGNED_AT + seconds)).await.is_ok(), "it stays in use");
    }
    assert_eq!(world.table.now().loads, 1 + 1 + 600 / 30);
    assert_eq!((world.table.now().leases, world.api.now().fetches), (0, 0), "the provider is not asked");
}

#[tokio::test]
async fn a_key_set_that_is_ten_minutes_overdue_is_fetched_once_in_a_cooldown_for_all_receivers() {
    for is_back in [false, true] {
        let world = World::publishing(&RSA);
        world.table.now().stored = fresh(0, 60);
        world.api.now().fresh_for = Some(Duration::from_secs(60));
        world.api.now().serves = is_back.then(|| RSA.jwks.to_owned());
        let fleet: Vec<_> = (0..20).map(|_| world.keys()).collect();
        let mut fetched_at = Vec::new();
        for seconds in 0..=1800 {
            for keys in &fleet {
                let now = at(SIGNED_AT + seconds);
                let held = keys.current(now).await.expect("the cached key set stays in use");
                // Forged requests at the same time change nothing, and one webhook never causes two requests for the lease.
                let before = world.table.now().leases;
                assert!(keys.newer_than(&held, now).await.found().is_none());
                assert!(seconds < 660 || world.table.now().leases <= before + 1);
                if world.api.now().fetches > fetched_at.len() {
                    fetched_at.push(seconds);
                }
            }
        }
        let apart = fetched_at.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(apart.min().is_some_and(|least| least >= 60), "{fetched_at:?}");
    }
}

#[tokio::test]
async fn while_the_refresher_is_down_a_revoked_key_is_trusted_for_at_most_ten_minutes_after_its_freshness() {
    for fresh_for in [60, 300, 3600_u64] {
        let world = World::publishing(&RSA);
        world.table.now().stored = fresh(0, fresh_for);
        world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
        let fleet: Vec<_> = (0..5).map(|_| world.keys()).collect();
        let revoked = stored(&RSA, SIGNED_AT).fingerprint;
        let limit = i64::try_from(fresh_for).expect("few") + 600;
        for seconds in 0..limit + 700 {
            for keys in &fleet {
                let is_trusted = fingerprint(keys, at(SIGNED_AT + seconds)).await.as_ref() == Some(&revoked);
                assert!(!is_trusted || seconds <= limit + 30, "after {seconds} s");
                assert!(is_trusted || seconds > limit, "after {seconds} s: the refresher may still renew it");
            }
        }
        assert_eq!(world.api.now().fetches, 1, "one fetch for all receivers");
        assert_eq!(world.api.now().asked_by, [None]);
    }
}

#[tokio::test]
async fn a_webhook_that_renews_a_key_set_waits_for_no_more_calls_than_one_with_a_new_key() {
    for (signed_by, expected) in [(&RSA, Answer::Accepted), (&RSA_NEXT, Answer::KeysUnread)] {
        let world = World::publishing(&RSA);
        world.table.now().stored = fresh(0, 60);
        world.api.now().serves = None;
        let receiver = world.receiver();
        assert_eq!(answer_to(&receiver, signed_by, SIGNED_AT + 661).await, expected);
        let (table, fetches) = (world.table.now().clone(), world.api.now().fetches);
        assert_eq!((table.loads, table.leases, fetches), (1, 1, 1));
    }
    // If the table cannot be read, the lease is not requested either.
    let world = World::publishing(&RSA);
    world.table.now().stored = fresh(0, 60);
    let receiver = world.receiver();
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + 1).await, Answer::Accepted);
    world.table.now().on_load = Fail::Always;
    assert_eq!(answer_to(&receiver, &RSA, SIGNED_AT + 1000).await, Answer::Accepted);
    assert_eq!(world.table.now().leases, 0);
}

#[tokio::test]
async fn a_clock_that_is_set_back_by_hours_does_not_stop_readings() {
    let world = World::publishing(&RSA);
    let keys = world.keys();
    let ahead = at(SIGNED_AT + 5 * HOUR);
    let tried = keys.current(ahead).await.expect("it is stored");
    assert!(keys.newer_than(&tried, ahead).await.found().is_none());

    // The clock is correct again. What the refresher stores is found at once.
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    world.table.now().stored = Some(stored(&RSA_NEXT, SIGNED_AT + 1));
    let next = Some(stored(&RSA_NEXT, SIGNED_AT).fingerprint);
    assert_eq!(fingerprint(&keys, at(SIGNED_AT + 1)).await, next);
    assert_eq!(fingerprint(&keys, at(SIGNED_AT + 2)).await, next);

    // From then on the bounds on readings apply.
    let reads = world.table.now().loads;
    let tried = keys.current(at(SIGNED_AT + 3)).await.expect("it is stored");
    for _ in 0..100 {
        assert!(keys.newer_than(&tried, at(SIGNED_AT + 3)).await.found().is_none());
    }
    assert_eq!(world.table.now().loads, reads + 1);
}

#[tokio::test]
async fn a_key_set_from_a_clock_that_was_hours_ahead_is_replaced_by_one_from_a_correct_clock() {
    // How far the key set is ahead of the receiver's clock, and whether it counts as the later one.
    for (ahead, is_trusted) in [(5 * HOUR, false), (301, false), (300, true), (2, true)] {
        let world = World::publishing(&RSA);
        world.table.now().stored = Some(stored(&RSA, SIGNED_AT + ahead));
        let keys = world.keys();
        assert!(keys.current(at(SIGNED_AT)).await.is_ok());
        let right = stored(&RSA_NEXT, SIGNED_AT);
        world.table.now().stored = Some(right.clone());
        let tried = keys.current(at(SIGNED_AT)).await.expect("it is cached");
        let newer = keys.newer_than(&tried, at(SIGNED_AT)).await.found().map(|keys| keys.fingerprint().to_owned());
        assert_eq!(newer, (!is_trusted).then_some(right.fingerprint), "{ahead} s ahead");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_forward_beyond_the_last_good_age_ends_the_use_until_it_is_correct_again() {
    let world = World::publishing(&RSA);
    let keys = world.keys();
    assert!(keys.current(at(SIGNED_AT)).await.is_ok());
    world.api.now().serves = None;
    let later = at(SIGNED_AT).plus(KEYS.last_good_max + Duration::from_secs(1));
    assert_eq!(keys.current(later).await.map(|_| ()), Err(NoUsableKeys));
    assert!(keys.current(at(SIGNED_AT + 1)).await.is_ok(), "the clock is correct again");
}
