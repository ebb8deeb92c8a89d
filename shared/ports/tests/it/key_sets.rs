//! The key set table and the provider's endpoint.

use std::time::Duration;

use fundhook_ports::fakes::{ByFeed, Clock, Fail, Fake, KeySetApi, KeySetTable};
use fundhook_ports::{FetchKeySet, FetchedKeySet, KeySets, Lease, StoredKeySet};

use crate::{at, feed};

const COOLDOWN: Duration = Duration::from_secs(60);

/// A key set that was fetched this many seconds after the start.
fn fetched(seconds: i64) -> StoredKeySet {
    StoredKeySet {
        jwks: "{}".to_owned(),
        fingerprint: seconds.to_string(),
        thumbprints: Vec::new(),
        fetched_at: at(seconds),
        fresh_until: at(seconds + 300),
        etag: None,
        url: None,
        not_before: None,
    }
}

async fn wins(table: &Fake<KeySetTable>, seconds: i64) -> bool {
    table.lease(&feed("connect"), at(seconds), COOLDOWN).await.expect("the table is up") == Lease::Won
}

#[tokio::test]
async fn a_later_set_replaces_an_earlier_one_and_not_the_other_way_round() {
    // When the stored set was fetched, relative to the set that is to be stored.
    for (stored, is_replaced) in [(-1, true), (0, false), (1, false), (300, false), (301, true)] {
        let table = Fake::<KeySetTable>::default();
        table.now().stored = Some(fetched(stored));
        table.store(&feed("connect"), &fetched(0)).await.expect("the table is up");
        let expected = if is_replaced { fetched(0) } else { fetched(stored) };
        assert_eq!(table.now().stored, Some(expected), "stored {stored} s later");
    }
}

#[tokio::test]
async fn the_lease_is_given_once_in_a_cooldown_and_a_wrong_clock_holds_it_no_longer() {
    let table = Fake::<KeySetTable>::default();
    assert!(wins(&table, 0).await);
    assert!(!wins(&table, 0).await && !wins(&table, 59).await);
    assert!(wins(&table, 60).await);
    // By a clock that was an hour ahead.
    table.now().refetch_after = Some(at(3600));
    assert!(wins(&table, 120).await);
    assert_eq!(table.now().leases, 5);
}

#[tokio::test]
async fn during_a_back_off_the_lease_is_lost_until_a_set_is_stored() {
    let (table, feed) = (Fake::<KeySetTable>::default(), feed("connect"));
    table.now().stored = Some(fetched(0));
    table.back_off_until(&feed, at(600)).await.expect("the table is up");
    let lost = table.lease(&feed, at(10), COOLDOWN).await.expect("the table is up");
    let expected = StoredKeySet { not_before: Some(at(600)), ..fetched(0) };
    assert_eq!(lost, Lease::Lost(Some(expected.clone())));
    assert_eq!(table.load(&feed).await.expect("the table is up"), Some(expected));
    table.store(&feed, &fetched(20)).await.expect("the table is up");
    assert!(wins(&table, 30).await);
    // A back-off of more than an hour plus the clock skew is ignored.
    for (until, is_won) in [(100 + 3900, false), (100 + 3901, true)] {
        let table = Fake::<KeySetTable>::default();
        table.now().not_before = Some(at(until));
        assert_eq!(wins(&table, 100).await, is_won, "until {until} s");
    }
}

#[tokio::test]
async fn a_call_that_fails_is_counted_and_changes_nothing() {
    let (table, feed) = (Fake::<KeySetTable>::default(), feed("connect"));
    table.now().on_store = Fail::Next(1);
    table.now().on_lease = Fail::Always;
    let failed = table.store(&feed, &fetched(0)).await.expect_err("it fails");
    assert_eq!(failed.to_string(), "could not store the key set");
    table.lease(&feed, at(0), COOLDOWN).await.expect_err("it fails");
    let KeySetTable { stores, leases, stored, refetch_after, .. } = table.now().clone();
    assert_eq!((stores, leases, stored, refetch_after), (1, 1, None, None));
    table.store(&feed, &fetched(0)).await.expect("only the next call failed");
}

#[tokio::test]
async fn the_endpoint_confirms_the_entity_tag_that_it_serves_and_no_other() {
    let (api, feed) = (Fake::<KeySetApi>::default(), feed("connect"));
    let clock = Clock::at(at(0));
    api.now().retry_after = Some(Duration::from_secs(7));
    let down = api.fetch(&feed, None).await.expect_err("it serves nothing");
    assert_eq!(down.retry_after(), Some(Duration::from_secs(7)));
    api.now().serves = Some("{}".to_owned());
    api.now().etag = Some("v2".to_owned());
    api.now().takes = Some((clock.clone(), Duration::from_secs(4)));
    let served = FetchedKeySet::Served { jwks: "{}".to_owned(), etag: Some("v2".to_owned()), fresh_for: None };
    for (tag, expected) in
        [(None, &served), (Some("v1"), &served), (Some("v2"), &FetchedKeySet::NotModified { fresh_for: None })]
    {
        assert_eq!(api.fetch(&feed, tag).await.expect("it is up"), *expected, "{tag:?}");
    }
    assert_eq!(api.now().asked_by, [None, None, Some("v1".to_owned()), Some("v2".to_owned())]);
    assert_eq!(clock.now(), at(12), "three answers of four seconds");
}

#[tokio::test]
async fn each_feed_has_a_fake_of_its_own() {
    let tables = ByFeed::<KeySetTable>::new(["connect", "connect/acme"].map(feed));
    tables.store(&feed("connect/acme"), &fetched(0)).await.expect("the table is up");
    assert_eq!(tables.load(&feed("connect")).await.expect("the table is up"), None);
    assert_eq!(tables.load(&feed("connect/acme")).await.expect("the table is up"), Some(fetched(0)));
}
