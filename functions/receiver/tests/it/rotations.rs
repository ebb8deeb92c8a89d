//! Key rotations: which webhooks are rejected, what a rotation costs, and whether the table or the provider is asked first.

use std::time::Duration;

use fundhook_credentials::fetch_key_set;
use fundhook_ports::{KeySets as _, StoredKeySet};
use fundhook_providers::Rejection;
use receiver::Answer;

use crate::support::provider::{RSA, RSA_NEXT, SIGNED_AT, TestKey, at, feed, jwks};
use crate::support::{KEYS, TestReceiver, World, answer_to, signed, stored};

const UNVERIFIED: Answer = Answer::Rejected(Rejection::SignatureUnverified);

/// The number of readings of the table, of requests for its lease, and of fetches from the provider.
fn asked(world: &World) -> [usize; 3] {
    let (table, api) = (world.table.now(), world.api.now());
    [table.loads, table.leases, api.fetches]
}

/// Receivers that have cached the key set with [`RSA`].
async fn fleet(world: &World, size: usize) -> Vec<TestReceiver> {
    let receivers: Vec<_> = (0..size).map(|_| world.receiver()).collect();
    for receiver in &receivers {
        receiver.warm(at(SIGNED_AT)).await;
    }
    receivers
}

/// What the refresher does each minute.
async fn refreshed(world: &World, seconds: i64) {
    let held: Option<StoredKeySet> = world.table.now().stored.clone();
    let (set, _) =
        fetch_key_set(&world.api, &feed(), held.as_ref(), at(SIGNED_AT + seconds)).await.expect("a valid key set");
    world.table.store(&feed(), &set).await.expect("the table is up");
}

/// A rotation as RFC 7517 describes it: the next key is published, then it signs, then the previous key is removed. Every ten
/// seconds one receiver gets a webhook.
async fn rotation_with_overlap(is_refreshed: bool) -> World {
    let world = World::publishing(&RSA);
    world.api.now().fresh_for = Some(Duration::from_secs(60));
    let receivers = fleet(&world, 7).await;
    let both = jwks(&[RSA.jwk(), RSA_NEXT.jwk()]);
    for (seconds, receiver) in (0..1200).step_by(10).zip(receivers.iter().cycle()) {
        let (published, signs): (&str, &TestKey) = match seconds {
            0..300 => (RSA.jwks, &RSA),
            300..600 => (&both, &RSA),
            // Webhooks signed by the previous key are still delivered again, alternating with new ones.
            600..900 => (&both, if seconds % 20 == 0 { &RSA } else { &RSA_NEXT }),
            _ => (RSA_NEXT.jwks, &RSA_NEXT),
        };
        world.api.now().serves = Some(published.to_owned());
        if is_refreshed && seconds % 60 == 0 {
            refreshed(&world, seconds).await;
        }
        let answer = answer_to(receiver, signs, SIGNED_AT + seconds).await;
        assert_eq!(answer, Answer::Accepted, "after {seconds} s");
    }
    world
}

#[tokio::test]
async fn a_rotation_with_overlap_rejects_nothing_and_no_receiver_asks_the_provider() {
    let world = rotation_with_overlap(true).await;
    assert_eq!(world.api.now().fetches, 1200 / 60, "only the refresher");
    assert_eq!(world.table.now().leases, 0);
}

#[tokio::test]
async fn while_the_refresher_is_down_a_rotation_with_overlap_rejects_no_webhook_and_costs_one_fetch() {
    let world = rotation_with_overlap(false).await;
    assert_eq!(world.api.now().fetches, 1, "for the first webhook that the next key signed");
    assert_eq!(world.table.now().leases, 1);
}

#[tokio::test]
async fn a_rotation_without_overlap_costs_at_most_one_fetch_for_all_receivers() {
    let world = World::publishing(&RSA);
    let receivers = fleet(&world, 50).await;
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    let webhook = signed(&RSA_NEXT, SIGNED_AT + 1);
    for receiver in &receivers {
        assert_eq!(receiver.handle(webhook.clone(), at(SIGNED_AT + 1)).await, Answer::Accepted);
    }
    for (seconds, receiver) in (2..200).step_by(9).zip(receivers.iter().cycle()) {
        assert_eq!(answer_to(receiver, &RSA_NEXT, SIGNED_AT + seconds).await, Answer::Accepted, "after {seconds} s");
    }
    assert_eq!(asked(&world), [50 + 50, 1, 1], "reads, leases, fetches");
    assert_eq!(answer_to(&receivers[0], &RSA, SIGNED_AT + 200).await, UNVERIFIED, "the previous key is removed");
}

#[tokio::test]
async fn when_the_refresher_has_stored_the_next_key_no_receiver_asks_the_provider() {
    let world = World::publishing(&RSA);
    let receivers = fleet(&world, 5).await;
    world.table.now().stored = Some(stored(&RSA_NEXT, SIGNED_AT + 1));
    for receiver in &receivers {
        assert_eq!(answer_to(receiver, &RSA_NEXT, SIGNED_AT + 1).await, Answer::Accepted);
    }
    assert_eq!(asked(&world), [5 + 5, 0, 0], "reads, leases, fetches");
}

#[tokio::test]
async fn a_key_set_that_changes_without_its_entity_tag_is_fetched_for_the_first_webhook_that_needs_it() {
    let world = World::publishing(&RSA);
    let (tag, before) = (Some("\"v1\"".to_owned()), stored(&RSA, SIGNED_AT));
    world.api.now().etag.clone_from(&tag);
    world.table.now().stored = Some(StoredKeySet { etag: tag.clone(), ..before });
    let receivers = fleet(&world, 2).await;
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    for receiver in &receivers {
        assert_eq!(answer_to(receiver, &RSA_NEXT, SIGNED_AT + 9).await, Answer::Accepted);
    }
    assert_eq!(world.api.now().asked_by, [None], "a request with the entity tag would be answered 304");
    let fetched = StoredKeySet { etag: tag, ..stored(&RSA_NEXT, SIGNED_AT + 9) };
    assert_eq!(world.table.now().stored, Some(fetched));
}

#[tokio::test]
async fn a_revoked_key_is_trusted_no_longer_than_the_max_age_after_it_left_the_table() {
    let world = World::publishing(&RSA);
    let receivers = fleet(&world, 3).await;
    world.table.now().stored = Some(stored(&RSA_NEXT, SIGNED_AT + 1));
    world.api.now().serves = Some(RSA_NEXT.jwks.to_owned());
    let max_age = i64::try_from(KEYS.max_age.as_secs()).expect("small");
    for receiver in &receivers {
        assert_eq!(answer_to(receiver, &RSA, SIGNED_AT + max_age).await, UNVERIFIED);
    }
    assert_eq!(world.api.now().fetches, 1, "one receiver asks the provider whether the key is back");
}

/// A key set that was fetched from another URL than the one now in the settings.
fn of_another_url(key: &TestKey) -> Option<StoredKeySet> {
    Some(StoredKeySet { url: Some("https://old.example/jwks".to_owned()), ..stored(key, SIGNED_AT) })
}

#[tokio::test]
async fn after_a_change_of_the_url_old_keys_verify_nothing_and_the_new_url_is_asked_without_an_entity_tag() {
    let world = World::publishing(&RSA_NEXT);
    let tag = Some("\"v1\"".to_owned());
    world.api.now().etag.clone_from(&tag);
    world.table.now().stored = of_another_url(&RSA).map(|set| StoredKeySet { etag: tag, ..set });
    let receivers = [world.receiver(), world.receiver()];
    for receiver in &receivers {
        assert_eq!(answer_to(receiver, &RSA, SIGNED_AT + 1).await, UNVERIFIED);
        assert_eq!(answer_to(receiver, &RSA_NEXT, SIGNED_AT + 1).await, Answer::Accepted);
    }
    assert_eq!(world.api.now().asked_by, [None]);
    let fetched = world.table.now().stored.clone().and_then(|set| set.url);
    assert_eq!(fetched.as_deref(), Some(fundhook_ports::fakes::KEY_SET_URL));
}

#[tokio::test]
async fn while_the_new_url_does_not_respond_webhooks_are_answered_503() {
    let world = World::publishing(&RSA);
    world.api.now().serves = None;
    world.table.now().stored = of_another_url(&RSA);
    let receivers = [world.receiver(), world.receiver()];
    for receiver in &receivers {
        assert_eq!(
            answer_to(receiver, &RSA, SIGNED_AT + 1).await,
            Answer::NoUsableKeys,
            "nor by the key set that a lost lease returns"
        );
    }
    assert_eq!(asked(&world), [2, 2, 1], "reads, leases, fetches");
}

#[tokio::test]
async fn a_key_set_without_a_url_is_accepted() {
    let world = World::publishing(&RSA);
    world.table.now().stored = Some(StoredKeySet { url: None, ..stored(&RSA, SIGNED_AT) });
    assert_eq!(answer_to(&world.receiver(), &RSA, SIGNED_AT + 1).await, Answer::Accepted);
    assert_eq!(asked(&world), [1, 0, 0], "reads, leases, fetches");
}
