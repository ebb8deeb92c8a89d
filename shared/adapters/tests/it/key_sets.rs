//! Key sets in the table: the newest is the current one, each is kept in the history, and one caller at a time may fetch.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_adapters::{Aws, KeySetTable, SeenKey};
use fundhook_domain::{Feed, Provider, Timestamp};
use fundhook_ports::{KeySets, Lease, StoredKeySet};
use tokio::task::JoinSet;

use crate::support::server::{Answer, Asked, Server};
use crate::support::{Local, TABLE, at, text};

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
        thumbprints: vec![format!("key-of-{fingerprint}")],
        fetched_at,
        fresh_until: fetched_at.plus(Duration::from_secs(600)),
        etag: None,
        url: Some("https://api.connect.xyz/v1/jwks".to_owned()),
        not_before: None,
    }
}

/// Stores a key set and reads the current one.
async fn stored_and_loaded(sets: &KeySetTable, set: &StoredKeySet) -> Option<StoredKeySet> {
    sets.store(&feed(), set).await.expect("stored");
    sets.load(&feed()).await.expect("loaded")
}

#[tokio::test]
async fn the_newest_key_set_is_the_current_one_in_any_order_of_writes() {
    let (_local, sets) = key_sets().await;
    assert_eq!(sets.load(&feed()).await.expect("loaded"), None, "no key set was stored yet");

    let (old, new) = (key_set("old", at(0)), key_set("new", at(300)));
    // The first, a newer one, an older one that arrives late, the same again, and one between them.
    for (set, current) in [(&old, &old), (&new, &new), (&old, &new), (&new, &new), (&key_set("between", at(299)), &new)]
    {
        assert_eq!(stored_and_loaded(&sets, set).await.as_ref(), Some(current));
    }
    let refreshed = StoredKeySet { fetched_at: at(600), ..new };
    assert_eq!(stored_and_loaded(&sets, &refreshed).await, Some(refreshed));
}

#[tokio::test]
async fn the_history_has_every_key_set_with_the_times_it_was_first_and_last_seen() {
    let (local, sets) = key_sets().await;
    for set in [key_set("a", at(0)), key_set("a", at(300)), key_set("b", at(600)), key_set("a", at(900))] {
        sets.store(&feed(), &set).await.expect("stored");
    }
    // A fetch that began early and ended late.
    sets.store(&feed(), &key_set("a", at(650))).await.expect("stored");

    for (fingerprint, first, last) in [("a", at(0), at(900)), ("b", at(600), at(600))] {
        let item = local.item(&format!("keys#connect#{fingerprint}")).await.expect("the history has it");
        assert_eq!(text(&item, "first_seen"), Some(first.sortable().as_str()), "{fingerprint}");
        assert_eq!(text(&item, "last_seen"), Some(last.sortable().as_str()), "{fingerprint}");
        assert_eq!(text(&item, "jwks"), Some(key_set(fingerprint, at(0)).jwks.as_str()));
    }
}

/// How many of 20 concurrent callers got the lease, and what the others got instead.
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
async fn of_twenty_callers_in_a_cooldown_one_may_fetch_and_the_others_get_the_stored_key_set() {
    let (_local, sets) = key_sets().await;
    // Also before any key set is stored.
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
async fn a_lease_from_a_clock_far_ahead_is_ignored_and_clocks_with_a_small_skew_share_one() {
    for (ahead, winners) in [(0, 0), (1, 0), (299, 0), (300, 0), (301, 1), (100_000_000, 1)] {
        let (_local, sets) = key_sets().await;
        assert_eq!(ask(&sets, at(ahead)).await.0, 1);
        assert_eq!(ask(&sets, at(0)).await.0, winners, "{ahead} s ahead");
        assert_eq!(ask(&sets, at(1)).await.0, 0, "{ahead} s ahead: a correct clock has taken it");
    }
}

#[tokio::test]
async fn storing_a_key_set_does_not_end_the_cooldown() {
    let (_local, sets) = key_sets().await;
    assert_eq!(ask(&sets, at(0)).await.0, 1);
    sets.store(&feed(), &key_set("a", at(2))).await.expect("stored");
    assert_eq!(ask(&sets, at(3)).await.0, 0);
}

#[tokio::test]
async fn each_feed_has_its_own_key_set_and_lease() {
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
        // The lease of one feed does not affect another feed.
        assert_eq!(sets.lease(&feed, at(600), COOLDOWN).await.expect("an answer"), Lease::Won, "{feed}");
        assert_eq!(sets.lease(&feed, at(601), COOLDOWN).await.expect("an answer"), Lease::Lost(Some(set)), "{feed}");
    }
}

#[tokio::test]
async fn a_key_set_is_read_as_it_was_stored() {
    let (_local, sets) = key_sets().await;
    let set = |seconds, etag: Option<&str>, thumbprints: &[&str]| StoredKeySet {
        etag: etag.map(str::to_owned),
        thumbprints: thumbprints.iter().map(ToString::to_string).collect(),
        fresh_until: at(seconds + 30),
        ..key_set("a", at(seconds))
    };
    for stored in [
        set(0, Some(r#""33a64df5""#), &["one", "other"]),
        set(10, Some(r#"W/"33a64df5""#), &["other", "one"]),
        // It does not keep the entity tag of the previous one.
        set(20, None, &["one"]),
        set(30, Some(r#""33a64df5""#), &[]),
        StoredKeySet { url: Some("https://keys.example/jwks".to_owned()), ..set(40, None, &[]) },
        // It does not keep the URL of the previous one.
        StoredKeySet { url: None, ..set(50, None, &[]) },
    ] {
        assert_eq!(stored_and_loaded(&sets, &stored).await, Some(stored));
    }
}

#[tokio::test]
async fn a_key_set_without_freshness_is_due_and_usable() {
    let (local, sets) = key_sets().await;
    let before = StoredKeySet { thumbprints: Vec::new(), fresh_until: at(0), url: None, ..key_set("a", at(0)) };
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let attributes =
        [("jwks", text(&before.jwks)), ("fingerprint", text("a")), ("fetched_at", text(&at(0).sortable()))];
    local.put("keys#connect", &attributes).await;
    assert_eq!(sets.load(&feed()).await.expect("loaded"), Some(before.clone()));
    // A caller that does not get the lease receives it too.
    assert_eq!(ask(&sets, at(1)).await, (1, vec![Some(before); 19]));
    let next = key_set("a", at(2));
    assert_eq!(stored_and_loaded(&sets, &next).await, Some(next));
}

#[tokio::test]
async fn a_key_set_from_a_clock_far_ahead_is_replaced() {
    for (ahead, stays) in [(300, true), (301, false), (100_000_000, false)] {
        let (_local, sets) = key_sets().await;
        let (early, right) = (key_set("a", at(ahead)), key_set("b", at(0)));
        sets.store(&feed(), &early).await.expect("stored");
        let expected = if stays { early } else { right.clone() };
        assert_eq!(stored_and_loaded(&sets, &right).await, Some(expected), "{ahead} s ahead");
    }
}

#[tokio::test]
async fn every_published_key_is_found_with_the_key_set_it_was_last_seen_in() {
    let (local, sets) = key_sets().await;
    let set = |fingerprint: &str, seconds, thumbprints: [&str; 2]| StoredKeySet {
        thumbprints: thumbprints.map(str::to_owned).to_vec(),
        ..key_set(fingerprint, at(seconds))
    };
    for stored in [
        set("a", 0, ["retired", "kept"]),
        set("b", 300, ["kept", "new"]),
        set("b", 600, ["kept", "new"]),
        // A fetch that began early and ended late.
        set("a", 350, ["retired", "kept"]),
    ] {
        sets.store(&feed(), &stored).await.expect("stored");
    }
    let current = sets.load(&feed()).await.expect("loaded").expect("a set");
    assert_eq!(current.thumbprints, ["kept", "new"], "the retired key verifies no new webhook");
    for (thumbprint, set, first, last) in [("retired", "a", 0, 350), ("kept", "b", 0, 600), ("new", "b", 300, 600)] {
        let expected = SeenKey { jwks: key_set(set, at(0)).jwks, first_seen: at(first), last_seen: at(last) };
        assert_eq!(sets.seen(&feed(), thumbprint).await.expect("an answer"), Some(expected), "{thumbprint}");
        let item = local.item(&format!("keys#connect#key#{thumbprint}")).await.expect("the history has it");
        assert!(!item.contains_key("version"), "the publisher must ignore it");
    }
    let tenant: Feed = "connect/acme".parse().expect("a feed");
    for (feed, thumbprint) in [(feed(), "never"), (feed(), ""), (tenant, "kept")] {
        assert_eq!(sets.seen(&feed, thumbprint).await.expect("an answer"), None, "{feed} {thumbprint}");
    }
}

#[tokio::test]
async fn while_backing_off_no_caller_gets_the_lease_and_a_newly_stored_key_set_ends_it() {
    let (_local, sets) = key_sets().await;
    let set = key_set("a", at(0));
    sets.store(&feed(), &set).await.expect("stored");
    sets.back_off_until(&feed(), at(600)).await.expect("noted");
    let noted = StoredKeySet { not_before: Some(at(600)), ..set };
    assert_eq!(sets.load(&feed()).await.expect("loaded"), Some(noted.clone()));
    for (now, winners) in [(1, 0), (599, 0), (600, 1), (601, 0)] {
        let expected = (winners, vec![Some(noted.clone()); 20 - winners]);
        assert_eq!(ask(&sets, at(now)).await, expected, "at {now}");
    }
    // Each feed has its own provider.
    let tenant: Feed = "connect/acme".parse().expect("a feed");
    assert_eq!(sets.lease(&tenant, at(1), COOLDOWN).await.expect("an answer"), Lease::Won);

    sets.back_off_until(&feed(), at(4000)).await.expect("noted");
    let newer = key_set("a", at(660));
    assert_eq!(stored_and_loaded(&sets, &newer).await, Some(newer));
    assert_eq!(ask(&sets, at(661)).await.0, 1);
}

#[tokio::test]
async fn that_the_provider_is_to_be_left_alone_is_not_believed_of_a_clock_that_is_hours_ahead() {
    for (until, winners) in [(0, 1), (1, 0), (3600, 0), (3900, 0), (3901, 1), (100_000_000, 1)] {
        let (_local, sets) = key_sets().await;
        sets.back_off_until(&feed(), at(until)).await.expect("noted");
        assert_eq!(ask(&sets, at(0)).await.0, winners, "{until} s ahead");
        let noted = StoredKeySet { not_before: Some(at(until)), ..key_set("a", at(0)) };
        assert_eq!(noted.is_backing_off(at(0)), winners == 0, "{until} s ahead: the refresher decides alike");
    }
}

#[tokio::test]
async fn what_a_clock_far_ahead_saw_is_seen_again_by_one_that_is_right() {
    for (ahead, is_kept) in [(300, true), (301, false), (100_000_000, false)] {
        let (_local, sets) = key_sets().await;
        for set in [key_set("a", at(ahead)), key_set("a", at(0))] {
            sets.store(&feed(), &set).await.expect("stored");
        }
        let seen = sets.seen(&feed(), "key-of-a").await.expect("an answer").expect("it was seen");
        assert_eq!(seen.last_seen, at(if is_kept { ahead } else { 0 }), "{ahead} s ahead");
    }
}

/// The rows that a server in place of the table was asked to write, in order. It rejects writes to `refused`.
async fn written(set: &StoredKeySet, refused: Option<&'static str>) -> (Vec<String>, bool) {
    let row = |asked: &Asked| asked.json()["Key"]["pk"]["S"].as_str().expect("a key").to_owned();
    let server = Server::answering(move |asked| {
        let no = r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}"#;
        let (status, body) = if refused == Some(row(asked).as_str()) { (400, no) } else { (200, "{}") };
        Answer::new(status, "application/x-amz-json-1.0", body)
    });
    let server = server.await;
    let aws = Aws::local(&server.url, "test").expect("a local connection");
    let stored = KeySetTable::new(&aws, TABLE.to_owned()).store(&feed(), set).await;
    (server.asked().iter().map(row).collect(), stored.is_ok())
}

#[tokio::test]
async fn no_set_is_current_that_is_not_in_the_history_with_each_of_its_keys() {
    const HISTORY: [&str; 3] = ["keys#connect#a", "keys#connect#key#one", "keys#connect#key#other"];
    let set = StoredKeySet { thumbprints: ["one", "other"].map(str::to_owned).to_vec(), ..key_set("a", at(0)) };
    for refused in HISTORY {
        let (mut rows, is_stored) = written(&set, Some(refused)).await;
        rows.sort_unstable();
        assert_eq!((rows, is_stored), (HISTORY.map(str::to_owned).to_vec(), false), "{refused} is not written");
    }
    let (rows, is_stored) = written(&set, Some("keys#connect")).await;
    assert_eq!((rows.last().map(String::as_str), rows.len(), is_stored), (Some("keys#connect"), 4, false));
    let (rows, is_stored) = written(&set, None).await;
    assert_eq!((rows.last().map(String::as_str), rows.len(), is_stored), (Some("keys#connect"), 4, true));
}
