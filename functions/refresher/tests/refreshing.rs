//! What a scheduled refresh stores, what it leaves alone, and what it reports.

#[path = "../../receiver/tests/support/ports.rs"]
mod ports;

use std::process::Command;

use fundhook_domain::port::{StoredKeySet, chain};
use fundhook_domain::{Feed, Provider, Timestamp};
use fundhook_providers::KeySet;
use fundhook_providers::jose::UnfitKeySet;
use ports::{Api, Shared, Table};
use refresher::{NotRefreshed, Refresher};
use serde_json::{Value, json};

const JWKS: &str = include_str!("../../../shared/providers/tests/keys/test-key-rsa-2048.jwks.json");
const NEXT_JWKS: &str = include_str!("../../../shared/providers/tests/keys/test-key-rsa-2048-next.jwks.json");
const NOW: i64 = 1_760_484_866;

/// Whether a set is unfit in the way that was expected.
type IsExpected = fn(&UnfitKeySet) -> bool;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).expect("an instant")
}

fn fingerprint(jwks: &str) -> String {
    KeySet::from_jwks(jwks.as_bytes()).expect("fit").fingerprint().to_owned()
}

fn stored(jwks: &str, fetched_at: i64) -> StoredKeySet {
    StoredKeySet { jwks: jwks.to_owned(), fingerprint: fingerprint(jwks), fetched_at: at(fetched_at) }
}

/// A provider that serves `jwks`, and a table that holds the set fetched two hours ago.
fn world(jwks: Option<&str>) -> (Shared<Table>, Shared<Api>) {
    let (table, api) = <(Shared<Table>, Shared<Api>)>::default();
    table.now().stored = Some(stored(JWKS, NOW - 7200));
    api.now().serves = jwks.map(str::to_owned);
    (table, api)
}

/// The default organization's feed.
fn feed() -> Feed {
    Provider::Connect.into()
}

async fn refresh(table: &Shared<Table>, api: &Shared<Api>) -> Result<(), NotRefreshed> {
    Refresher::new(table.clone(), api.clone(), vec![feed()]).handle(at(NOW)).await
}

#[tokio::test]
async fn a_fit_set_is_stored_as_served_with_its_fingerprint_and_the_time() {
    for served in [JWKS, NEXT_JWKS] {
        let (table, api) = world(Some(served));
        refresh(&table, &api).await.expect("refreshed");
        assert_eq!(table.now().stored, Some(stored(served, NOW)));
        assert_eq!((table.now().stores, api.now().fetches), (1, 1));
    }
    assert_ne!(fingerprint(JWKS), fingerprint(NEXT_JWKS));
}

#[tokio::test]
async fn the_first_set_is_stored_too() {
    let (table, api) = world(Some(JWKS));
    table.now().stored = None;
    refresh(&table, &api).await.expect("refreshed");
    assert_eq!(table.now().stored, Some(stored(JWKS, NOW)));
}

#[tokio::test]
async fn an_unfit_set_is_refused_and_the_last_good_one_stays() {
    let key: Value = serde_json::from_str::<Value>(NEXT_JWKS).expect("JSON")["keys"][0].clone();
    let with = |name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        json!({ "keys": [key] }).to_string()
    };
    let not_json = |unfit: &UnfitKeySet| matches!(unfit, UnfitKeySet::NotJson(_));
    let no_keys = |unfit: &UnfitKeySet| matches!(unfit, UnfitKeySet::NoKeys);
    let empty = |unfit: &UnfitKeySet| matches!(unfit, UnfitKeySet::Empty);
    let secret = |unfit: &UnfitKeySet| matches!(unfit, UnfitKeySet::SecretKey { .. });
    let unusable = |unfit: &UnfitKeySet| matches!(unfit, UnfitKeySet::NoUsableKey(_));
    let cases: [(String, IsExpected); 10] = [
        (String::new(), not_json),
        ("<html>Service Unavailable</html>".to_owned(), not_json),
        (NEXT_JWKS[..100].to_owned(), not_json),
        ("{}".to_owned(), no_keys),
        (r#"{"keys":{}}"#.to_owned(), no_keys),
        (r#"{"keys":[]}"#.to_owned(), empty),
        (json!({ "keys": [key, { "kty": "oct", "k": "AQAB" }] }).to_string(), secret),
        (with("d", json!("AQAB")), secret),
        (with("use", json!("enc")), unusable),
        (with("n", json!("AQAB")), unusable),
    ];
    for (served, is_expected) in cases {
        let (table, api) = world(Some(&served));
        let refused = refresh(&table, &api).await.expect_err(&served);
        let is_expected = matches!(&refused, NotRefreshed::Unfit(of, unfit) if *of == feed() && is_expected(unfit));
        assert!(is_expected, "{refused:?}");
        assert_eq!(table.now().stored, Some(stored(JWKS, NOW - 7200)), "{served}");
        assert_eq!(table.now().stores, 0, "{served}");
        assert!(chain(&refused).starts_with("the key set that connect serves is unfit: "), "{}", chain(&refused));
    }
}

#[tokio::test]
async fn a_provider_that_is_away_leaves_the_last_good_set() {
    let (table, api) = world(None);
    let failed = refresh(&table, &api).await.expect_err("it is down");
    assert_eq!(chain(&failed), "the key set of connect was not refreshed: could not fetch the key set: it is down");
    assert_eq!(table.now().stored, Some(stored(JWKS, NOW - 7200)));
    assert_eq!(table.now().stores, 0);
}

#[tokio::test]
async fn a_set_that_could_not_be_stored_is_an_error() {
    let (table, api) = world(Some(NEXT_JWKS));
    table.now().stores_are_down = true;
    let failed = refresh(&table, &api).await.expect_err("the table is down");
    assert_eq!(chain(&failed), "the key set of connect was not refreshed: could not store the key set: it is down");
    assert_eq!(table.now().stored, Some(stored(JWKS, NOW - 7200)));
}

#[tokio::test]
async fn nothing_is_asked_for_when_no_provider_is_on() {
    let (table, api) = world(Some(JWKS));
    Refresher::new(table.clone(), api.clone(), Vec::new()).handle(at(NOW)).await.expect("nothing to do");
    let Table { loads, stores, .. } = *table.now();
    assert_eq!((loads, stores, api.now().fetches), (0, 0, 0));
}

#[tokio::test]
async fn a_set_that_is_stored_is_refreshed_even_when_its_age_cannot_be_told() {
    let (table, api) = world(Some(NEXT_JWKS));
    table.now().reads_are_down = true;
    refresh(&table, &api).await.expect("refreshed");
    assert_eq!(table.now().stored, Some(stored(NEXT_JWKS, NOW)));
}

/// The metrics that the ignored test `name` writes to standard output, which is its process's own.
fn metrics_of(name: &str) -> Vec<Value> {
    let this = std::env::current_exe().expect("the path of these tests");
    let run = Command::new(this).args(["--exact", name, "--ignored", "--nocapture"]).output().expect("it starts");
    let printed = String::from_utf8(run.stdout).expect("UTF-8");
    assert!(run.status.success() && printed.contains("1 passed"), "{printed}");
    // The test harness may have begun the line.
    let json = printed.lines().filter_map(|line| serde_json::from_str(&line[line.find('{')?..]).ok());
    json.collect()
}

#[test]
fn the_age_of_the_set_in_use_is_reported_whether_it_was_refreshed_or_not() {
    for (run, age) in [
        ("a_refresh_that_succeeds", Some(0)),
        ("a_refresh_that_fails", Some(7200)),
        ("a_refresh_without_any_set", None),
    ] {
        let metrics = metrics_of(run);
        let ages: Vec<Option<u64>> = metrics.iter().map(|metric| metric["KeySetAgeSeconds"].as_u64()).collect();
        assert_eq!(ages, age.map(Some).into_iter().collect::<Vec<_>>(), "{run}");
        assert!(metrics.iter().all(|metric| metric["provider"] == "connect"), "{run}");
    }
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_refresh_that_succeeds() {
    let (table, api) = world(Some(JWKS));
    refresh(&table, &api).await.expect("refreshed");
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_refresh_that_fails() {
    let (table, api) = world(None);
    refresh(&table, &api).await.expect_err("it is down");
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_refresh_without_any_set() {
    let (table, api) = world(None);
    table.now().stored = None;
    refresh(&table, &api).await.expect_err("it is down");
}
