//! Several feeds: each has its own key set, and a failure of one does not affect the others.

use std::time::Duration;

use fundhook_credentials::{KeySetError, RUN_INTERVAL, rotate_by_run};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::chain;
use fundhook_ports::fakes::{ByFeed, Clock, Fail, KeySetApi, KeySetTable};
use refresher::{RefreshError, Tokens};

use crate::support::{JWKS, NEXT_JWKS, START as NOW, at, by_feed, feed, of_keys, stored, telling, told, with_tokens};

const FEEDS: [&str; 3] = ["connect", "connect/acme", "connect/bolt"];

/// Tables with key sets of two hours ago, and providers that publish the next one.
fn world() -> (ByFeed<KeySetTable>, ByFeed<KeySetApi>) {
    let (tables, apis) = (ByFeed::<KeySetTable>::new(FEEDS.map(feed)), ByFeed::<KeySetApi>::new(FEEDS.map(feed)));
    for (table, api) in tables.0.values().zip(apis.0.values()) {
        table.now().stored = Some(stored(JWKS, NOW - 7200));
        api.now().serves = Some(NEXT_JWKS.to_owned());
    }
    (tables, apis)
}

async fn refresh(tables: &ByFeed<KeySetTable>, apis: &ByFeed<KeySetApi>) -> Result<(), RefreshError> {
    of_keys(tables, apis.clone(), &FEEDS).handle(|| at(NOW)).await
}

#[tokio::test]
async fn each_feed_gets_the_key_set_that_its_own_provider_publishes() {
    let (tables, apis) = world();
    apis.of(&feed("connect/acme")).now().serves = Some(JWKS.to_owned());
    refresh(&tables, &apis).await.expect("refreshed");
    for (name, jwks) in FEEDS.into_iter().zip([NEXT_JWKS, JWKS, NEXT_JWKS]) {
        assert_eq!(tables.of(&feed(name)).now().stored, Some(stored(jwks, NOW)), "{name}");
        assert_eq!(apis.of(&feed(name)).now().fetches, 1, "{name}");
    }
}

/// A way to make a feed fail, and a part of the expected error.
type Failure = (fn(&ByFeed<KeySetTable>, &ByFeed<KeySetApi>, &Feed), &'static str);

#[tokio::test]
async fn a_failure_of_one_feed_does_not_affect_the_others() {
    let failures: [Failure; 3] = [
        (
            |_, apis, feed| apis.of(feed).now().serves = None,
            "could not be fetched: could not fetch the key set: it is down",
        ),
        (|tables, _, feed| tables.of(feed).now().on_store = Fail::Always, "could not store the key set: it is down"),
        (|_, apis, feed| apis.of(feed).now().serves = Some("{}".to_owned()), "publishes is invalid"),
    ];
    for failing in FEEDS.map(feed) {
        for (fail, why) in failures {
            let (tables, apis) = world();
            fail(&tables, &apis, &failing);
            let failed = refresh(&tables, &apis).await.expect_err(why);
            let message = chain(&failed);
            assert!(message.contains(&failing.to_string()) && message.contains(why), "{failing}: {message}");
            for (name, table) in &tables.0 {
                let expected = if *name == failing { stored(JWKS, NOW - 7200) } else { stored(NEXT_JWKS, NOW) };
                assert_eq!(table.now().stored, Some(expected), "{name} when {failing} fails");
                assert_eq!(
                    table.now().loads,
                    2,
                    "the age of {name} is reported, and it is read again before the fetch"
                );
            }
        }
    }
}

#[tokio::test]
async fn of_several_failures_the_first_is_returned() {
    let (tables, apis) = world();
    for name in FEEDS {
        apis.of(&feed(name)).now().serves = None;
    }
    let failed = refresh(&tables, &apis).await.expect_err("all are down");
    let mut in_order = FEEDS.map(feed);
    rotate_by_run(&mut in_order, at(NOW), RUN_INTERVAL);
    let is_first = matches!(&failed, RefreshError::KeySet(KeySetError::Port(of, _)) if *of == in_order[0]);
    assert!(is_first, "{failed:?}");
    assert!(apis.0.values().all(|api| api.now().fetches == 1));
}

#[tokio::test]
async fn each_run_starts_with_another_feed_so_that_none_always_waits_for_slow_ones() {
    let (tables, apis) = world();
    let clock = Clock::at(at(NOW));
    for api in apis.0.values() {
        api.now().serves = None;
        api.now().takes = Some((clock.clone(), Duration::from_secs(4)));
    }
    let mut firsts = Vec::new();
    for minute in 0..6 {
        clock.set(at(NOW + 60 * minute));
        let failed = of_keys(&tables, apis.clone(), &FEEDS).handle(|| clock.now()).await.expect_err("they are down");
        let RefreshError::KeySet(KeySetError::Port(first, _)) = failed else { unreachable!("{failed:?}") };
        firsts.push(first);
    }
    for name in FEEDS.map(feed) {
        assert_eq!(firsts.iter().filter(|first| **first == name).count(), 2, "{name} of {firsts:?}");
    }
}

#[tokio::test]
async fn in_a_slow_run_each_key_set_has_the_time_of_its_own_fetch() {
    let (tables, apis) = world();
    let clock = Clock::at(at(NOW));
    for api in apis.0.values() {
        api.now().takes = Some((clock.clone(), Duration::from_secs(4)));
    }
    of_keys(&tables, apis, &FEEDS).handle(|| clock.now()).await.expect("refreshed");
    let fetched = tables.0.values().map(|table| table.now().stored.clone().expect("one is stored").fetched_at);
    let mut fetched: Vec<Timestamp> = fetched.collect();
    fetched.sort_unstable();
    assert_eq!(fetched, [at(NOW), at(NOW + 4), at(NOW + 8)]);
}

#[tokio::test]
async fn the_worst_feed_is_reported_and_each_feed_under_its_name_where_that_is_on() {
    let (tables, apis) = world();
    apis.of(&feed("connect/acme")).now().serves = None;
    let metrics = by_feed();
    let refresher = with_tokens(&tables, apis.clone(), &FEEDS, Tokens::Unused, &metrics);
    refresher.handle(|| at(NOW)).await.expect_err("one is down");
    let ages = [("default", &[7200, 0][..]), ("acme", &[7200, 7200]), ("bolt", &[7200, 0]), ("worst", &[7200, 7200])];
    assert_eq!(told(&metrics, "KeySetAgeSeconds"), telling(ages));
    let left = ages.map(|(tenant, ages)| (tenant, ages.iter().map(|age| 86_400 - age).collect::<Vec<u64>>()));
    assert_eq!(
        told(&metrics, "KeySetSecondsLeft"),
        telling(left.each_ref().map(|(tenant, left)| (*tenant, left.as_slice())))
    );

    let worst = metrics.lines().into_iter().rfind(|line| line["KeySetAgeSeconds"].is_u64()).expect("reported");
    assert_eq!(worst["feed"], "connect/acme");
}

#[tokio::test]
async fn a_feed_without_a_key_set_is_the_worst_one() {
    let (tables, apis) = world();
    tables.of(&feed("connect/bolt")).now().stored = None;
    apis.of(&feed("connect/bolt")).now().serves = None;
    let metrics = by_feed();
    let refresher = with_tokens(&tables, apis.clone(), &FEEDS, Tokens::Unused, &metrics);
    refresher.handle(|| at(NOW)).await.expect_err("one is down");
    assert_eq!(told(&metrics, "KeySetAgeSeconds")["worst"], [86_400, 86_400]);
    assert_eq!(told(&metrics, "KeySetSecondsLeft")["worst"], [0, 0]);
}
