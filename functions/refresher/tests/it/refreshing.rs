//! What a scheduled run stores, what it does not change, and which metrics it emits.

use fundhook_credentials::KeySetError;
use fundhook_ports::chain;
use fundhook_ports::fakes::{Fail, Fake, KeySetApi, KeySetTable, Run, Stepped, Steps};
use fundhook_providers::jose::InvalidKeySet;
use refresher::{RefreshError, Tokens};
use serde_json::{Value, json};

use crate::support::{
    JWKS, NEXT_JWKS, START as NOW, at, by_feed, feed, fingerprint, of_keys, run, stored, telling, told, with_tokens,
    world,
};

/// Whether a key set is invalid for the expected reason.
type IsExpected = fn(&InvalidKeySet) -> bool;

async fn refresh(table: &Fake<KeySetTable>, api: &Fake<KeySetApi>) -> Result<(), RefreshError> {
    run(table, api, at(NOW)).await
}

#[tokio::test]
async fn a_valid_key_set_is_stored_as_served_with_its_fingerprint_and_the_time() {
    for served in [JWKS, NEXT_JWKS] {
        let (table, api) = world(Some(served));
        refresh(&table, &api).await.expect("refreshed");
        assert_eq!(table.now().stored, Some(stored(served, NOW)));
        assert_eq!((table.now().stores, api.now().fetches), (1, 1));
    }
    assert_ne!(fingerprint(JWKS), fingerprint(NEXT_JWKS));
}

#[tokio::test]
async fn the_first_key_set_is_stored() {
    let (table, api) = world(Some(JWKS));
    table.now().stored = None;
    refresh(&table, &api).await.expect("refreshed");
    assert_eq!(table.now().stored, Some(stored(JWKS, NOW)));
}

#[tokio::test]
async fn an_invalid_key_set_is_rejected_and_the_last_good_one_stays() {
    let key: Value = serde_json::from_str::<Value>(NEXT_JWKS).expect("JSON")["keys"][0].clone();
    let with = |name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        json!({ "keys": [key] }).to_string()
    };
    let not_json = |invalid: &InvalidKeySet| matches!(invalid, InvalidKeySet::NotJson(_));
    let no_keys = |invalid: &InvalidKeySet| matches!(invalid, InvalidKeySet::NoKeysArray);
    let empty = |invalid: &InvalidKeySet| matches!(invalid, InvalidKeySet::Empty);
    let secret = |invalid: &InvalidKeySet| matches!(invalid, InvalidKeySet::SecretKey { .. });
    let unusable = |invalid: &InvalidKeySet| matches!(invalid, InvalidKeySet::NoUsableKey(_));
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
        let rejected = refresh(&table, &api).await.expect_err(&served);
        let is_expected = matches!(
            &rejected,
            RefreshError::KeySet(KeySetError::Invalid(of, invalid)) if *of == feed("connect") && is_expected(invalid)
        );
        assert!(is_expected, "{rejected:?}");
        assert_eq!(table.now().stored, Some(stored(JWKS, NOW - 7200)), "{served}");
        assert_eq!(table.now().stores, 0, "{served}");
        let message = chain(&rejected);
        assert!(
            message.starts_with("could not renew a key set: the key set that connect publishes is invalid: "),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_provider_that_is_down_leaves_the_last_good_key_set() {
    let (table, api) = world(None);
    let failed = refresh(&table, &api).await.expect_err("it is down");
    assert_eq!(
        chain(&failed),
        "could not renew a key set: the key set of connect could not be fetched: could not fetch the key set: it is down"
    );
    assert_eq!(table.now().stored, Some(stored(JWKS, NOW - 7200)));
    assert_eq!(table.now().stores, 0);
}

#[tokio::test]
async fn a_key_set_that_could_not_be_stored_is_an_error() {
    let (table, api) = world(Some(NEXT_JWKS));
    table.now().on_store = Fail::Always;
    let failed = refresh(&table, &api).await.expect_err("the table is down");
    assert_eq!(
        chain(&failed),
        "could not read or store the key set of connect: could not store the key set: it is down"
    );
    assert_eq!(table.now().stored, Some(stored(JWKS, NOW - 7200)));
}

#[tokio::test]
async fn without_an_enabled_provider_nothing_is_read_or_fetched() {
    let (table, api) = world(Some(JWKS));
    of_keys(&table, api.clone(), &[]).handle(|| at(NOW)).await.expect("nothing to do");
    let KeySetTable { loads, stores, .. } = *table.now();
    assert_eq!((loads, stores, api.now().fetches), (0, 0, 0));
}

#[tokio::test]
async fn a_table_that_cannot_be_read_is_an_error_and_the_provider_is_not_asked() {
    let (table, api) = world(Some(NEXT_JWKS));
    table.now().on_load = Fail::Always;
    let failed = refresh(&table, &api).await.expect_err("the table is down");
    assert_eq!(
        chain(&failed),
        "could not read or store the key set of connect: could not read the key set: it is down"
    );
    assert_eq!((table.now().stores, api.now().fetches), (0, 0));
}

/// What is changed before a run.
type Prepare = fn(&Fake<KeySetTable>, &Fake<KeySetApi>);

#[tokio::test]
async fn each_run_reports_the_age_of_the_key_set_and_for_how_long_it_is_usable() {
    let is_down: Prepare = |_, api| api.now().serves = None;
    // Before the fetch, and again after a successful one.
    let runs: [(&str, Prepare, &[u64]); 6] = [
        ("it succeeds", |_, _| (), &[7200, 0]),
        ("it fails", is_down, &[7200]),
        ("it is not due", |table, _| table.now().stored = Some(stored(JWKS, NOW - 60)), &[60]),
        (
            "the set is too old",
            |table, api| {
                table.now().stored = Some(stored(JWKS, NOW - 172_800));
                api.now().serves = None;
            },
            &[172_800],
        ),
        (
            "there is no set",
            |table, api| {
                table.now().stored = None;
                api.now().serves = None;
            },
            &[86_400],
        ),
        ("it cannot be stored", |table, _| table.now().on_store = Fail::Always, &[7200]),
    ];
    for (run, prepare, ages) in runs {
        let ((table, api), metrics) = (world(Some(NEXT_JWKS)), by_feed());
        prepare(&table, &api);
        with_tokens(&table, api, &["connect"], Tokens::Unused, &metrics).handle(|| at(NOW)).await.ok();
        let left: Vec<u64> = ages.iter().map(|age| 86_400_u64.saturating_sub(*age)).collect();
        assert_eq!(told(&metrics, "KeySetAgeSeconds"), telling([("default", ages), ("worst", ages)]), "{run}");
        assert_eq!(told(&metrics, "KeySetSecondsLeft"), telling([("default", &left), ("worst", &left)]), "{run}");
    }
}

#[tokio::test]
async fn a_run_that_is_cut_short_has_reported_the_age_of_the_key_set() {
    let ((table, api), steps, metrics) = (world(Some(JWKS)), Steps::default(), by_feed());
    let refresher = with_tokens(&table, Stepped(api, steps.clone()), &["connect"], Tokens::Unused, &metrics);
    let mut run = Run::of(&steps, refresher.handle(|| at(NOW)));
    assert!(run.pass(0).is_none(), "the provider hangs");
    assert_eq!(told(&metrics, "KeySetAgeSeconds")["worst"], [7200]);
}
