//! Key sets in the table: the newest is the current one, each is remembered, and one asker at a time may fetch.

mod support;

use std::time::Duration;

use fundhook_adapters::KeySetTable;
use fundhook_domain::port::{KeySets, Lease, StoredKeySet};
use fundhook_domain::{Feed, Provider, Timestamp};
use support::{Local, TABLE, at, text};
use tokio::task::JoinSet;

const COOLDOWN: Duration = Duration::from_secs(60);

/// The default organization's feed.
fn feed() -> Feed {
    Provider::Connect.into()
}

async fn key_sets() -> (Local, KeySetTable) {
    let local = Local::start().await;
    let sets = KeySetTable::new(&local.aws, TABLE.to_owned());
    (local, sets)
}

fn key_set(fingerprint: &str, fetched_at: Timestamp) -> StoredKeySet {
    StoredKeySet {
        jwks: format!(r#"{{"keys":[{{"kty":"RSA","kid":"{fingerprint}"}}]}}"#),
        fingerprint: fingerprint.to_owned(),
        fetched_at,
    }
}

/// Stores a set and reads the current one.
async fn stored_and_loaded(sets: &KeySetTable, set: &StoredKeySet) -> Option<StoredKeySet> {
    sets.store(&feed(), set).await.expect("stored");
    sets.load(&feed()).await.expect("loaded")
}

#[tokio::test]
async fn the_newest_key_set_is_the_current_one_whatever_order_they_are_stored_in() {
    let (_local, sets) = key_sets().await;
    assert_eq!(sets.load(&feed()).await.expect("loaded"), None, "none was ever fetched");

    let (old, new) = (key_set("old", at(0)), key_set("new", at(300)));
    // The first, a newer one, an older one that comes late, the same again, and one between them.
    for (set, current) in [(&old, &old), (&new, &new), (&old, &new), (&new, &new), (&key_set("between", at(299)), &new)]
    {
        assert_eq!(stored_and_loaded(&sets, set).await.as_ref(), Some(current));
    }
    let refreshed = StoredKeySet { fetched_at: at(600), ..new };
    assert_eq!(stored_and_loaded(&sets, &refreshed).await, Some(refreshed));
}

#[tokio::test]
async fn each_key_set_ever_seen_is_remembered_with_its_first_and_last_sight() {
    let (local, sets) = key_sets().await;
    for set in [key_set("a", at(0)), key_set("a", at(300)), key_set("b", at(600)), key_set("a", at(900))] {
        sets.store(&feed(), &set).await.expect("stored");
    }
    // A fetch that began early and ended late.
    sets.store(&feed(), &key_set("a", at(450))).await.expect("stored");

    for (fingerprint, first, last) in [("a", at(0), at(900)), ("b", at(600), at(600))] {
        let item = local.item(&format!("keys#connect#{fingerprint}")).await.expect("the history has it");
        assert_eq!(text(&item, "first_seen"), Some(first.sortable().as_str()), "{fingerprint}");
        assert_eq!(text(&item, "last_seen"), Some(last.sortable().as_str()), "{fingerprint}");
        assert_eq!(text(&item, "jwks"), Some(key_set(fingerprint, at(0)).jwks.as_str()));
    }
}

/// How many of 20 askers at `now` got the lease, and what the others got instead.
async fn ask(sets: &KeySetTable, now: Timestamp) -> (usize, Vec<Option<StoredKeySet>>) {
    let mut askers = JoinSet::new();
    for _ in 0..20 {
        let sets = sets.clone();
        askers.spawn(async move { sets.lease(&feed(), now, COOLDOWN).await.expect("an answer") });
    }
    let mut losers = Vec::new();
    let mut winners = 0;
    for lease in askers.join_all().await {
        match lease {
            Lease::Won => winners += 1,
            Lease::Lost(current) => losers.push(current),
        }
    }
    (winners, losers)
}

#[tokio::test]
async fn of_twenty_askers_in_a_cooldown_one_may_fetch_and_the_others_get_what_is_stored() {
    let (_local, sets) = key_sets().await;
    // Before any set was ever stored, too.
    assert_eq!(ask(&sets, at(0)).await, (1, vec![None; 19]));
    assert_eq!(sets.load(&feed()).await.expect("loaded"), None, "a lease is not a key set");

    let current = key_set("a", at(1));
    sets.store(&feed(), &current).await.expect("stored");
    for (now, winners) in [(at(30), 0), (at(59), 0), (at(60), 1), (at(61), 0), (at(119), 0), (at(120), 1)] {
        let expected = (winners, vec![Some(current.clone()); 20 - winners]);
        assert_eq!(ask(&sets, now).await, expected, "at {now}");
    }
}

#[tokio::test]
async fn storing_a_set_does_not_end_the_cooldown() {
    let (_local, sets) = key_sets().await;
    assert_eq!(ask(&sets, at(0)).await.0, 1);
    sets.store(&feed(), &key_set("a", at(2))).await.expect("stored");
    assert_eq!(ask(&sets, at(3)).await.0, 0);
}

#[tokio::test]
async fn each_feed_has_a_key_set_and_a_lease_of_its_own() {
    let (local, sets) = key_sets().await;
    let tenant: Feed = "connect/acme".parse().expect("a feed");
    let (ours, theirs) = (key_set("a", at(0)), key_set("b", at(300)));
    for (feed, set) in [(&feed(), &ours), (&tenant, &theirs)] {
        assert_eq!(sets.load(feed).await.expect("loaded"), None, "{feed}");
        sets.store(feed, set).await.expect("stored");
    }
    for (feed, set) in [(feed(), ours), (tenant, theirs)] {
        assert_eq!(sets.load(&feed).await.expect("loaded"), Some(set.clone()), "{feed}");
        assert!(local.item(&format!("keys#{feed}#{}", set.fingerprint)).await.is_some(), "{feed}");
        // Whoever fetches for one feed keeps nobody from fetching for another.
        assert_eq!(sets.lease(&feed, at(600), COOLDOWN).await.expect("an answer"), Lease::Won, "{feed}");
        assert_eq!(sets.lease(&feed, at(601), COOLDOWN).await.expect("an answer"), Lease::Lost(Some(set)), "{feed}");
    }
}
