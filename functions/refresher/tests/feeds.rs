//! Several feeds: each has a key set of its own, and one that fails keeps none of the others from being refreshed.

#[path = "../../receiver/tests/support/ports.rs"]
mod ports;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use fundhook_domain::port::{FetchKeySet, KeySets, Lease, PortError, StoredKeySet, chain};
use fundhook_domain::{Feed, Timestamp};
use fundhook_providers::KeySet;
use ports::{Api, Shared, Table};
use refresher::{NotRefreshed, Refresher};
use serde_json::Value;

const JWKS: &str = include_str!("../../../shared/providers/tests/keys/test-key-rsa-2048.jwks.json");
const NEXT_JWKS: &str = include_str!("../../../shared/providers/tests/keys/test-key-rsa-2048-next.jwks.json");
const NOW: i64 = 1_760_484_866;
const FEEDS: [&str; 3] = ["connect", "connect/acme", "connect/bolt"];

/// A table or a provider's interface for each feed.
#[derive(Clone, Debug)]
struct Each<T>(BTreeMap<Feed, Shared<T>>);

impl<T: Default> Each<T> {
    fn new() -> Self {
        Self(FEEDS.iter().map(|name| (feed(name), Shared::default())).collect())
    }

    fn of(&self, feed: &Feed) -> &Shared<T> {
        self.0.get(feed).expect("a feed that is on")
    }
}

impl KeySets for Each<Table> {
    async fn load(&self, feed: &Feed) -> Result<Option<StoredKeySet>, PortError> {
        self.of(feed).load(feed).await
    }

    async fn store(&self, feed: &Feed, set: &StoredKeySet) -> Result<(), PortError> {
        self.of(feed).store(feed, set).await
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, cooldown: Duration) -> Result<Lease, PortError> {
        self.of(feed).lease(feed, now, cooldown).await
    }
}

impl FetchKeySet for Each<Api> {
    async fn fetch(&self, feed: &Feed) -> Result<String, PortError> {
        self.of(feed).fetch(feed).await
    }
}

fn feed(name: &str) -> Feed {
    name.parse().expect("a feed")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).expect("an instant")
}

fn stored(jwks: &str, fetched_at: i64) -> StoredKeySet {
    let fingerprint = KeySet::from_jwks(jwks.as_bytes()).expect("fit").fingerprint().to_owned();
    StoredKeySet { jwks: jwks.to_owned(), fingerprint, fetched_at: at(fetched_at) }
}

/// Tables with sets of two hours ago, and providers that serve the next one.
fn world() -> (Each<Table>, Each<Api>) {
    let (tables, apis) = (Each::<Table>::new(), Each::<Api>::new());
    for (table, api) in tables.0.values().zip(apis.0.values()) {
        table.now().stored = Some(stored(JWKS, NOW - 7200));
        api.now().serves = Some(NEXT_JWKS.to_owned());
    }
    (tables, apis)
}

async fn refresh(tables: &Each<Table>, apis: &Each<Api>) -> Result<(), NotRefreshed> {
    Refresher::new(tables.clone(), apis.clone(), FEEDS.map(feed).to_vec()).handle(at(NOW)).await
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
            "was not refreshed: could not fetch the key set: it is down",
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
    assert!(matches!(&failed, NotRefreshed::Port(of, _) if *of == feed("connect/acme")), "{failed:?}");
    assert_eq!(apis.of(&feed("connect/bolt")).now().fetches, 1);
}

#[test]
fn each_feeds_age_is_reported_and_a_tenants_under_its_name() {
    // In a process of its own, whose standard output is its own.
    let this = std::env::current_exe().expect("the path of these tests");
    let name = "a_refresh_of_which_one_fails";
    let run = Command::new(this).args(["--exact", name, "--ignored", "--nocapture"]).output().expect("it starts");
    let printed = String::from_utf8(run.stdout).expect("UTF-8");
    assert!(run.status.success() && printed.contains("1 passed"), "{printed}");
    let metrics: Vec<Value> =
        printed.lines().filter_map(|line| serde_json::from_str(&line[line.find('{')?..]).ok()).collect();
    let told = |metric: &Value| {
        let dimensions = metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"].to_string();
        let tenant = metric["tenant"].as_str().map(str::to_owned);
        (dimensions, tenant, metric["KeySetAgeSeconds"].as_u64())
    };
    let (alone, both) = (r#"[["provider"]]"#.to_owned(), r#"[["provider","tenant"]]"#.to_owned());
    assert_eq!(
        metrics.iter().map(told).collect::<Vec<_>>(),
        [
            (alone, None, Some(0)),
            (both.clone(), Some("acme".to_owned()), Some(7200)),
            (both, Some("bolt".to_owned()), Some(0)),
        ]
    );
    assert!(metrics.iter().all(|metric| metric["provider"] == "connect"));
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_refresh_of_which_one_fails() {
    let (tables, apis) = world();
    apis.of(&feed("connect/acme")).now().serves = None;
    refresh(&tables, &apis).await.expect_err("one is down");
}
