//! How often each key set is fetched: as its provider's `Cache-Control` says, within bounds. The refresher runs once a minute;
//! time is an argument, so days pass without waiting.

use std::time::Duration;

use fundhook_ports::fakes::{ByFeed, Fail, Fake, KeySetApi, KeySetTable};
use fundhook_ports::{StoredKeySet, chain};

use crate::support::{JWKS, NEXT_JWKS, START, at, feed, fingerprint, minute, of_keys, run, stored, world};

const MINUTES_OF_A_DAY: i64 = 24 * 60;
const MINUTES_OF_TWO_DAYS: i64 = 2 * MINUTES_OF_A_DAY;

/// A provider that serves [`JWKS`] with this `max-age`, and an empty table.
fn serving(fresh_for_seconds: Option<u64>) -> (Fake<KeySetTable>, Fake<KeySetApi>) {
    let (table, api) = world(Some(JWKS));
    table.now().stored = None;
    api.now().fresh_for = fresh_for_seconds.map(Duration::from_secs);
    (table, api)
}

#[tokio::test]
async fn a_key_set_is_fetched_as_often_as_its_cache_control_says_between_30_seconds_and_an_hour() {
    // The default is five minutes. A key set that would become stale before the next run is fetched in this one.
    for (max_age_seconds, minutes_apart) in [
        (None, 5),
        (Some(0), 1),
        (Some(60), 1),
        (Some(119), 1),
        (Some(120), 2),
        (Some(300), 5),
        (Some(600), 10),
        (Some(3599), 59),
        (Some(3600), 60),
        (Some(604_800), 60),
    ] {
        let (table, api) = serving(max_age_seconds);
        for now in 0..MINUTES_OF_A_DAY {
            run(&table, &api, minute(now)).await.expect("refreshed");
            let fetched = api.now().fetches;
            let expected = usize::try_from(now / minutes_apart).expect("few") + 1;
            assert_eq!(fetched, expected, "max-age={max_age_seconds:?}, in minute {now}");
        }
        let KeySetTable { loads, stores, leases, .. } = *table.now();
        let runs = usize::try_from(MINUTES_OF_A_DAY).expect("few");
        let fetches = api.now().fetches;
        assert_eq!(
            (loads, stores, leases),
            (runs + fetches, fetches, 0),
            "one reading per run, and for each fetch one more and a write"
        );
    }
}

#[tokio::test]
async fn a_key_set_is_stored_with_the_time_until_which_it_is_fresh() {
    for (max_age_seconds, fresh_seconds) in
        [(None, 300), (Some(0), 30), (Some(30), 30), (Some(31), 31), (Some(3600), 3600), (Some(3601), 3600)]
    {
        let (table, api) = serving(max_age_seconds);
        run(&table, &api, at(START)).await.expect("refreshed");
        let expected = StoredKeySet { fresh_until: at(START + fresh_seconds), ..stored(JWKS, START) };
        assert_eq!(table.now().stored, Some(expected), "max-age={max_age_seconds:?}");
    }
}

#[tokio::test]
async fn each_feed_has_its_own_interval() {
    const FEEDS: [&str; 3] = ["connect", "connect/acme", "connect/bolt"];
    let (tables, apis) = (ByFeed::<KeySetTable>::new(FEEDS.map(feed)), ByFeed::<KeySetApi>::new(FEEDS.map(feed)));
    for (name, max_age_seconds) in FEEDS.into_iter().zip([60, 600, 3600]) {
        let mut api = apis.of(&feed(name)).now();
        api.serves = Some(JWKS.to_owned());
        api.fresh_for = Some(Duration::from_secs(max_age_seconds));
    }
    let refresher = of_keys(&tables, apis.clone(), &FEEDS);
    for now in 0..MINUTES_OF_TWO_DAYS {
        refresher.handle(|| minute(now)).await.expect("refreshed");
    }
    let fetches = FEEDS.map(|name| apis.of(&feed(name)).now().fetches);
    assert_eq!(fetches, [2880, 288, 48]);
}

#[tokio::test]
async fn an_unchanged_key_set_is_confirmed_by_its_entity_tag() {
    let (table, api) = serving(Some(600));
    let tag = Some("\"v1\"".to_owned());
    api.now().etag.clone_from(&tag);
    for now in 0..30 {
        run(&table, &api, minute(now)).await.expect("refreshed");
    }
    assert_eq!(api.now().asked_by, [None, tag.clone(), tag.clone()], "at first there is no entity tag");
    let confirmed =
        StoredKeySet { etag: tag.clone(), fresh_until: at(START + 1200 + 600), ..stored(JWKS, START + 1200) };
    assert_eq!(table.now().stored, Some(confirmed), "its time is that of the last confirmation");

    // Another key set is stored with its own tag. After one without a tag, the request has none.
    api.now().serves = Some(NEXT_JWKS.to_owned());
    for (now, next) in [(30, Some("W/\"v2\"".to_owned())), (40, None), (50, None)] {
        api.now().etag.clone_from(&next);
        run(&table, &api, minute(now)).await.expect("refreshed");
        let replaced = table.now().stored.clone().expect("one is stored");
        assert_eq!((replaced.fingerprint, replaced.etag), (fingerprint(NEXT_JWKS), next), "in minute {now}");
    }
    assert_eq!(api.now().asked_by[3..], [tag, Some("W/\"v2\"".to_owned()), None]);
}

#[tokio::test]
async fn the_cache_control_of_a_confirmation_replaces_the_previous_one() {
    let (table, api) = serving(Some(3600));
    api.now().etag = Some("\"v1\"".to_owned());
    run(&table, &api, minute(0)).await.expect("refreshed");
    api.now().fresh_for = Some(Duration::from_secs(120));
    for (now, fetches) in [(59, 1), (60, 2), (61, 2), (62, 3)] {
        run(&table, &api, minute(now)).await.expect("refreshed");
        assert_eq!(api.now().fetches, fetches, "in minute {now}");
    }
}

#[tokio::test]
async fn during_two_days_without_the_provider_the_last_good_key_set_stays_and_then_the_next_is_fetched_at_once() {
    const OUTAGE: std::ops::Range<i64> = 3..3 + MINUTES_OF_TWO_DAYS;
    let (table, api) = serving(Some(300));
    api.now().etag = Some("\"v1\"".to_owned());
    for now in 0..OUTAGE.end {
        api.now().serves = (!OUTAGE.contains(&now)).then(|| JWKS.to_owned());
        let refreshed = run(&table, &api, minute(now)).await;
        assert_eq!(refreshed.is_err(), now >= 5, "in minute {now}: due from minute 5, and each failure is returned");
    }
    let expected = StoredKeySet { etag: Some("\"v1\"".to_owned()), ..stored(JWKS, START) };
    assert_eq!(table.now().stored, Some(expected), "unchanged");
    let expected = usize::try_from(1 + MINUTES_OF_TWO_DAYS - 2).expect("few");
    assert_eq!(api.now().fetches, expected, "once a minute");

    // The provider is up again with another key.
    api.now().serves = Some(NEXT_JWKS.to_owned());
    api.now().etag = None;
    run(&table, &api, minute(OUTAGE.end)).await.expect("the provider is up");
    assert_eq!(table.now().stored, Some(stored(NEXT_JWKS, START + 60 * OUTAGE.end)));
}

#[tokio::test]
async fn a_retry_after_is_respected_for_at_most_an_hour_and_half_of_the_time_that_is_left() {
    // Fetched in minute 0 and due in minute 5. From minute 1 the provider fails with this `Retry-After`.
    for (retry_after, asked) in [
        (None, &[5, 6, 7][..]),
        (Some(0), &[5, 6, 7]),
        (Some(600), &[5, 15, 25]),
        (Some(3600), &[5, 65, 125]),
        (Some(u64::MAX), &[5, 65, 125]),
    ] {
        let (table, api) = serving(Some(300));
        run(&table, &api, minute(0)).await.expect("refreshed");
        api.now().serves = None;
        api.now().retry_after = retry_after.map(Duration::from_secs);
        let mut asked_in = Vec::new();
        for now in 1..MINUTES_OF_A_DAY {
            let before = api.now().fetches;
            let refreshed = run(&table, &api, minute(now)).await;
            assert_eq!(refreshed.is_err(), api.now().fetches > before, "in minute {now}");
            asked_in.extend((api.now().fetches > before).then_some(now));
        }
        assert_eq!(asked_in[..3], *asked, "{retry_after:?}");
        // The last good key set is usable for a day: in its last two hours the provider is asked more often.
        let late = asked_in.iter().filter(|now| **now >= MINUTES_OF_A_DAY - 120).count();
        assert!(late >= 5, "{retry_after:?}: {asked_in:?}");

        // When the provider is up again, the back-off time is removed.
        api.now().serves = Some(NEXT_JWKS.to_owned());
        run(&table, &api, minute(MINUTES_OF_A_DAY + 60)).await.expect("the provider is up");
        assert_eq!(table.now().stored, Some(stored(NEXT_JWKS, START + 60 * (MINUTES_OF_A_DAY + 60))));
        assert_eq!(table.now().not_before, None);
    }
}

#[tokio::test]
async fn without_a_stored_key_set_a_retry_after_is_ignored() {
    let (table, api) = serving(Some(300));
    api.now().serves = None;
    api.now().retry_after = Some(Duration::from_secs(3600));
    for now in 0..10 {
        run(&table, &api, minute(now)).await.expect_err("it is down");
    }
    assert_eq!((api.now().fetches, table.now().not_before), (10, None));
}

#[tokio::test]
async fn a_key_set_of_another_url_is_due_at_once_and_fetched_without_its_entity_tag() {
    let (table, api) = serving(Some(600));
    let tag = Some("\"v1\"".to_owned());
    api.now().etag.clone_from(&tag);
    run(&table, &api, minute(0)).await.expect("refreshed");
    // The new URL has the same tag for another key set.
    api.now().url = Some("https://new.example/jwks");
    api.now().serves = Some(NEXT_JWKS.to_owned());
    run(&table, &api, minute(1)).await.expect("refreshed");
    assert_eq!(api.now().asked_by, [None, None]);
    let (url, fresh_until) = (Some("https://new.example/jwks".to_owned()), at(START + 660));
    assert_eq!(table.now().stored, Some(StoredKeySet { url, etag: tag, fresh_until, ..stored(NEXT_JWKS, START + 60) }));
    // A key set without a URL is accepted.
    let without_url = table.now().stored.clone().map(|set| StoredKeySet { url: None, ..set });
    table.now().stored = without_url;
    run(&table, &api, minute(2)).await.expect("it is not due");
    assert_eq!(api.now().fetches, 2);
}

#[tokio::test]
async fn a_table_that_is_down_is_an_error_and_the_next_run_recovers() {
    let breakages: [fn(&mut KeySetTable); 2] =
        [|table| table.on_load = Fail::Always, |table| table.on_store = Fail::Always];
    for breakage in breakages {
        let (table, api) = world(Some(NEXT_JWKS));
        breakage(&mut table.now());
        for now in 0..10 {
            let failed = run(&table, &api, minute(now)).await.expect_err("the table is down");
            assert!(
                chain(&failed).starts_with("could not read or store the key set of connect: "),
                "{}",
                chain(&failed)
            );
        }
        let repaired = KeySetTable { stored: table.now().stored.clone(), ..KeySetTable::default() };
        *table.now() = repaired;
        run(&table, &api, minute(10)).await.expect("the table is up");
        assert_eq!(table.now().stored, Some(stored(NEXT_JWKS, START + 600)));
    }
}

#[tokio::test]
async fn a_key_set_that_a_wrong_clock_fetched_is_fetched_again() {
    // The error of the first clock in seconds, and whether a run with a correct clock fetches.
    for (error, is_fetched) in
        [(36_000, true), (301, true), (300, false), (0, false), (-240, false), (-241, true), (-36_000, true)]
    {
        let (table, api) = world(Some(NEXT_JWKS));
        table.now().stored = Some(stored(JWKS, START + error));
        run(&table, &api, at(START)).await.expect("refreshed");
        let expected = if is_fetched { stored(NEXT_JWKS, START) } else { stored(JWKS, START + error) };
        assert_eq!(table.now().stored, Some(expected), "clock error {error} s");
    }
}

#[tokio::test]
async fn ten_minutes_after_the_clock_last_jumped_the_stored_key_set_is_the_published_one() {
    for seed in 0..3 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (table, api) = serving(Some(300));
        let (mut error_seconds, mut jumped, mut changed, mut jumps) = (0, 0, 0, 0);
        for now in 0..MINUTES_OF_TWO_DAYS {
            if rng.u8(0..30) == 0 {
                error_seconds = rng.i64(-36_000..36_000) / [1, 60][rng.usize(0..2)];
                (jumped, jumps) = (now, jumps + 1);
            }
            if rng.u8(0..60) == 0 {
                let served = [JWKS, NEXT_JWKS][rng.usize(0..2)];
                api.now().serves = Some(served.to_owned());
                changed = now;
            }
            run(&table, &api, at(START + 60 * now + error_seconds)).await.expect("refreshed");
            let stored = table.now().stored.clone().map(|set| set.jwks);
            let is_still = now - jumped.max(changed) >= 10;
            assert!(
                !is_still || stored == api.now().serves,
                "seed {seed}, minute {now}, clock error {error_seconds} s"
            );
        }
        let fetches = api.now().fetches;
        assert!(fetches <= 2880 / 5 + 1 + jumps, "seed {seed}: {fetches} requests, {jumps} jumps");
    }
}
