//! For how long a receiver holds a key set: as the provider's `Cache-Control` says, within bounds, and whatever clocks do.

use std::time::Duration;

use fundhook_domain::port::StoredKeySet;
use receiver::NoKeys;

use crate::support::provider::{RSA, RSA_NEXT, SIGNED_AT, at};
use crate::support::{KEYS, World, fingerprint, stored};

const HOUR: i64 = 3600;

/// The key set as stored when it was fetched then, to be fetched again after `fresh` seconds.
fn fresh(seconds: i64, fresh: u64) -> Option<StoredKeySet> {
    let fetched_at = at(SIGNED_AT + seconds);
    Some(StoredKeySet { fresh_until: fetched_at.plus(Duration::from_secs(fresh)), ..stored(&RSA, SIGNED_AT + seconds) })
}

#[tokio::test]
async fn a_short_cache_control_makes_it_read_sooner_but_never_sooner_than_30_seconds() {
    for (cache_control, read_again_after) in
        [(0, 30), (1, 30), (29, 30), (30, 30), (31, 31), (60, 60), (299, 299), (300, 300), (301, 300), (3600, 300)]
    {
        let world = World::publishing(&RSA);
        let keys = world.keys();
        for (seconds, reads) in [(0, 1), (read_again_after - 1, 1), (read_again_after, 2)] {
            // The refresher is in time: what the receiver reads was fetched just now.
            world.table.now().stored = fresh(seconds, cache_control);
            keys.warm(at(SIGNED_AT + seconds)).await;
            assert_eq!(world.table.now().loads, reads, "max-age={cache_control}, after {seconds} s");
        }
    }
}

#[tokio::test]
async fn a_set_is_read_again_when_the_refresher_will_have_fetched_it_and_not_a_whole_age_later() {
    let world = World::publishing(&RSA);
    world.table.now().stored = fresh(-200, 300);
    let keys = world.keys();
    for (seconds, reads) in [(0, 1), (99, 1), (100, 2)] {
        keys.warm(at(SIGNED_AT + seconds)).await;
        assert_eq!(world.table.now().loads, reads, "after {seconds} s");
    }
}

#[tokio::test]
async fn while_the_refresher_is_down_a_set_that_is_to_be_renewed_is_read_once_in_30_seconds() {
    let world = World::publishing(&RSA);
    world.table.now().stored = fresh(0, 60);
    let keys = world.keys();
    for seconds in 0..660 {
        assert!(keys.current(at(SIGNED_AT + seconds)).await.is_ok(), "it stays in use");
    }
    assert_eq!(world.table.now().loads, 1 + 600 / 30);
    assert_eq!((world.table.now().leases, world.api.now().fetches), (0, 0), "and nobody asks the provider for that");
}

#[tokio::test]
async fn a_clock_that_is_put_back_by_hours_does_not_keep_it_from_reading_or_asking() {
    let world = World::publishing(&RSA);
    let keys = world.keys();
    let ahead = at(SIGNED_AT + 5 * HOUR);
    let tried = keys.current(ahead).await.expect("it is stored");
    assert!(keys.newer_than(&tried, ahead).await.is_none());

    // The clock is right again. What the refresher stores is found at once.
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    world.table.now().stored = Some(stored(&RSA_NEXT, SIGNED_AT + 1));
    let next = Some(stored(&RSA_NEXT, SIGNED_AT).fingerprint);
    assert_eq!(fingerprint(&keys, at(SIGNED_AT + 1)).await, next);
    assert_eq!(fingerprint(&keys, at(SIGNED_AT + 2)).await, next);

    // And the bounds on reading and asking hold from there on.
    let reads = world.table.now().loads;
    let tried = keys.current(at(SIGNED_AT + 3)).await.expect("it is stored");
    for _ in 0..100 {
        assert!(keys.newer_than(&tried, at(SIGNED_AT + 3)).await.is_none());
    }
    assert_eq!(world.table.now().loads, reads + 1);
}

#[tokio::test]
async fn a_set_from_a_clock_that_was_hours_ahead_gives_way_to_one_from_a_clock_that_is_right() {
    // Ahead of the receiver's clock by so much, and whether it is believed to be the later one.
    for (ahead, is_believed) in [(5 * HOUR, false), (301, false), (300, true), (2, true)] {
        let world = World::publishing(&RSA);
        world.table.now().stored = Some(stored(&RSA, SIGNED_AT + ahead));
        let keys = world.keys();
        assert!(keys.current(at(SIGNED_AT)).await.is_ok());
        let right = stored(&RSA_NEXT, SIGNED_AT);
        world.table.now().stored = Some(right.clone());
        let tried = keys.current(at(SIGNED_AT)).await.expect("it is held");
        let newer = keys.newer_than(&tried, at(SIGNED_AT)).await.map(|keys| keys.fingerprint().to_owned());
        assert_eq!(newer, (!is_believed).then_some(right.fingerprint), "{ahead} s ahead");
    }
}

#[tokio::test]
async fn a_clock_that_is_put_forward_beyond_the_last_good_age_ends_the_use_until_the_table_is_read() {
    let world = World::publishing(&RSA);
    let keys = world.keys();
    assert!(keys.current(at(SIGNED_AT)).await.is_ok());
    world.api.now().serves = None;
    let later = at(SIGNED_AT).plus(KEYS.last_good_max + Duration::from_secs(1));
    assert_eq!(keys.current(later).await.map(|_| ()), Err(NoKeys));
    assert!(keys.current(at(SIGNED_AT + 1)).await.is_ok(), "the clock is right again");
}
