//! Several feeds: each has a key set of its own, and one that fails keeps none of the others from being refreshed.

use fundhook_domain::Feed;
use fundhook_domain::port::chain;
use fundhook_runtime::NoKeySet;
use refresher::NotRefreshed;

use crate::support::ports::{Api, Table};
use crate::support::world::{START as NOW, at, feed};
use crate::support::{Each, JWKS, NEXT_JWKS, metrics_of, of_keys, stored, told};

const FEEDS: [&str; 3] = ["connect", "connect/acme", "connect/bolt"];

/// Tables with sets of two hours ago, and providers that serve the next one.
fn world() -> (Each<Table>, Each<Api>) {
    let (tables, apis) = (Each::<Table>::of_feeds(&FEEDS), Each::<Api>::of_feeds(&FEEDS));
    for (table, api) in tables.0.values().zip(apis.0.values()) {
        table.now().stored = Some(stored(JWKS, NOW - 7200));
        api.now().serves = Some(NEXT_JWKS.to_owned());
    }
    (tables, apis)
}

async fn refresh(tables: &Each<Table>, apis: &Each<Api>) -> Result<(), NotRefreshed> {
    of_keys(tables, apis.clone(), &FEEDS).handle(at(NOW)).await
}

#[tokio::test]
async fn each_feed_gets_the_set_that_its_own_provider_serves() {
    let (tables, apis) = world();
    apis.of(&feed("connect/acme")).now().serves = Some(JWKS.to_owned());
    refresh(&tables, &apis).await.expect("refreshed");
    for (name, jwks) in FEEDS.into_iter().zip([NEXT_JWKS, JWKS, NEXT_JWKS]) {
        assert_eq!(tables.of(&feed(name)).now().stored, Some(stored(jwks, NOW)), "{name}");
        assert_eq!(apis.of(&feed(name)).now().fetches, 1, "{name}");
    }
}

/// One way in which a feed cannot be refreshed, and what is said of it.
type Failure = (fn(&Each<Table>, &Each<Api>, &Feed), &'static str);

#[tokio::test]
async fn one_feed_that_fails_does_not_keep_the_others_from_being_refreshed() {
    let failures: [Failure; 3] = [
        (
            |_, apis, feed| apis.of(feed).now().serves = None,
            "could not be fetched: could not fetch the key set: it is down",
        ),
        (
            |tables, _, feed| tables.of(feed).now().stores_are_down = true,
            "was not refreshed: could not store the key set",
        ),
        (|_, apis, feed| apis.of(feed).now().serves = Some("{}".to_owned()), "serves is unfit"),
    ];
    for failing in FEEDS.map(feed) {
        for (fail, why) in failures {
            let (tables, apis) = world();
            fail(&tables, &apis, &failing);
            let failed = refresh(&tables, &apis).await.expect_err(why);
            let said = chain(&failed);
            assert!(said.contains(&format!(" {failing} ")) && said.contains(why), "{failing}: {said}");
            for (name, table) in &tables.0 {
                let expected = if *name == failing { stored(JWKS, NOW - 7200) } else { stored(NEXT_JWKS, NOW) };
                assert_eq!(table.now().stored, Some(expected), "{name} when {failing} fails");
                assert_eq!(table.now().loads, 1, "the age of {name} is reported");
            }
        }
    }
}

#[tokio::test]
async fn of_several_failures_the_first_is_returned() {
    let (tables, apis) = world();
    for name in ["connect/acme", "connect/bolt"] {
        apis.of(&feed(name)).now().serves = None;
    }
    let failed = refresh(&tables, &apis).await.expect_err("two are down");
    let is_it = matches!(&failed, NotRefreshed::KeySet(NoKeySet::Port(of, _)) if *of == feed("connect/acme"));
    assert!(is_it, "{failed:?}");
    assert_eq!(apis.of(&feed("connect/bolt")).now().fetches, 1);
}

#[test]
fn each_feeds_age_and_what_it_still_has_are_reported_and_a_tenants_under_its_name() {
    let metrics = metrics_of("feeds::a_refresh_of_which_one_fails");
    let of =
        |default, acme, bolt| vec![(None, default), (Some("acme".to_owned()), acme), (Some("bolt".to_owned()), bolt)];
    assert_eq!(told(&metrics, "KeySetAgeSeconds"), of(0, 7200, 0));
    assert_eq!(told(&metrics, "KeySetSecondsLeft"), of(86_400, 79_200, 86_400));
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_refresh_of_which_one_fails() {
    let (tables, apis) = world();
    apis.of(&feed("connect/acme")).now().serves = None;
    refresh(&tables, &apis).await.expect_err("one is down");
}
