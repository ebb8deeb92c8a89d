//! The cost of a cold start: one reading for each key set and secret, all concurrently, and none for the requests that arrive
//! meanwhile.

use std::pin::pin;
use std::sync::Arc;

use fundhook_credentials::KeyCache;
use fundhook_domain::Provider;
use fundhook_ports::fakes::{Fail, Fake, Latency};
use futures_util::future::{Either, join, join_all, select};
use receiver::{Answer, Verifier};
use serde_json::{Value, json};

use crate::support::provider::{RSA, SIGNED_AT, at, settings};
use crate::support::vault::by_striga;
use crate::support::{BODY, KEYS, TestVerifier, World, answer_to, request};

/// The number of requests that arrive during a reading.
const REQUESTS: usize = 100;

/// How many turns other tasks have before the table or the vault responds.
const SLOW: usize = 50;

const SECRET: &str = "the secret of this year 0123456789";

fn secrets() -> Value {
    json!({ "default": { "current": SECRET }, "acme": { "current": SECRET } })
}

/// A world in which all key sets and secrets are stored.
fn world() -> World {
    let world = World::publishing(&RSA);
    world.zerohash.store(&secrets());
    world.striga.store(&secrets());
    world
}

#[tokio::test]
async fn requests_that_arrive_while_the_key_set_is_read_wait_for_that_reading() {
    let world = world();
    let waiting = world.slow(SLOW);
    let keys = world.keys();
    let all = join_all((0..REQUESTS).map(|_| keys.current(at(SIGNED_AT)))).await;
    assert!(all.iter().all(Result::is_ok), "each gets the key set");
    assert_eq!(world.table.now().loads, 1);
    // The same at the max-age.
    let later = at(SIGNED_AT).plus(KEYS.max_age);
    join_all((0..REQUESTS).map(|_| keys.current(later))).await;
    assert_eq!(world.table.now().loads, 2);
    assert_eq!(waiting.now().waiting_max, 1);
}

#[tokio::test]
async fn the_requests_that_come_while_a_secret_is_read_wait_for_that_read() {
    let world = world();
    let waiting = world.slow(SLOW);
    let cache = world.secrets(Provider::Striga, KEYS);
    let acme = "acme".parse().expect("a tenant");
    let tenants = [None, Some(&acme)];
    let all = join_all(tenants.into_iter().cycle().take(REQUESTS).map(|tenant| cache.current(tenant, at(0)))).await;
    assert!(all.iter().all(Result::is_ok), "each gets the secrets of its organization");
    assert_eq!(world.striga.reads(), 1);
    let later = at(0).plus(KEYS.max_age);
    join_all((0..REQUESTS).map(|_| cache.current(None, later))).await;
    assert_eq!(world.striga.reads(), 2);
    assert_eq!(waiting.now().waiting_max, 1);
}

#[tokio::test]
async fn of_many_concurrent_requests_that_do_not_verify_only_one_asks() {
    let world = world();
    let keys = world.keys();
    let tried = keys.current(at(SIGNED_AT)).await.expect("it is stored");
    let cache = world.secrets(Provider::Striga, KEYS);
    let held = cache.current(None, at(SIGNED_AT)).await.expect("it is stored");
    world.slow(SLOW);
    let by_keys = join_all((0..REQUESTS).map(|_| keys.newer_than(&tried, at(SIGNED_AT))));
    let by_secret = join_all((0..REQUESTS).map(|_| cache.newer_than(&held, None, at(SIGNED_AT))));
    let (newer_set, newer_secret) = join(by_keys, by_secret).await;
    assert!(newer_set.into_iter().all(|newer| newer.found().is_none()));
    assert!(newer_secret.into_iter().all(|newer| newer.found().is_none()));
    let (table, fetches) = (world.table.now(), world.api.now().fetches);
    assert_eq!((table.loads, table.leases, fetches), (1 + 1, 1, 1));
    assert_eq!(world.striga.reads(), 1 + 1);
}

/// A verifier for each organization of each provider: three key sets, and two secrets that five verifiers share.
fn verifiers(world: &World) -> Vec<(&'static str, TestVerifier)> {
    let zerohash = world.secrets(Provider::Zerohash, KEYS);
    let striga = world.secrets(Provider::Striga, KEYS);
    let settings_of_zerohash = crate::support::provider::zerohash::settings;
    let connect = |feed: &'static str| {
        let cache = KeyCache::new(feed.parse().expect("a feed"), KEYS, world.table.clone(), world.api.clone());
        (feed, Verifier::Connect(settings(), cache))
    };
    let zerohash = |feed| (feed, Verifier::Zerohash(settings_of_zerohash(), Arc::clone(&zerohash)));
    let striga = |feed| (feed, Verifier::Striga(Arc::clone(&striga)));
    let connect = ["connect", "connect/acme", "connect/bolt"].map(connect);
    let zerohash = ["zerohash", "zerohash/acme"].map(zerohash);
    let striga = ["striga", "striga/acme", "striga/bolt"].map(striga);
    connect.into_iter().chain(zerohash).chain(striga).collect()
}

#[tokio::test]
async fn all_key_sets_and_secrets_are_read_concurrently_and_once() {
    let world = world();
    let waiting = world.slow(SLOW);
    let receiver = world.receiver_of(verifiers(&world));
    assert_eq!(world.table.now().loads, 0, "creating a receiver reads nothing");
    receiver.warm(at(SIGNED_AT)).await;
    assert_eq!((world.table.now().loads, world.zerohash.reads(), world.striga.reads()), (3, 1, 1));
    assert_eq!(waiting.now().waiting_max, 3 + 1 + 1, "all concurrently");
    receiver.warm(at(SIGNED_AT)).await;
    assert_eq!(
        (world.table.now().loads, world.zerohash.reads(), world.striga.reads()),
        (3, 1, 1),
        "everything is cached"
    );
}

#[tokio::test]
async fn the_first_request_waits_for_its_own_verifiers_reading_and_not_for_others() {
    let world = world();
    let receiver = world.receiver_of(verifiers(&world));
    world.slow(SLOW);
    let never = Fake::<Latency>::default();
    never.now().turns = usize::MAX;
    world.striga.now().latency = never;
    let (warm, first) = (pin!(receiver.warm(at(SIGNED_AT))), pin!(answer_to(&receiver, &RSA, SIGNED_AT)));
    let Either::Right((answer, _)) = select(warm, first).await else { unreachable!("Striga's secrets never arrive") };
    assert_eq!(answer, Answer::Accepted);
    assert_eq!(world.table.now().loads, 3, "each key set is read once");
}

#[tokio::test]
async fn a_store_that_is_down_at_a_cold_start_does_not_affect_other_verifiers() {
    for down in [Provider::Connect, Provider::Zerohash, Provider::Striga] {
        let world = world();
        match down {
            Provider::Connect => world.table.now().on_load = Fail::Always,
            Provider::Zerohash => world.zerohash.now().holds = None,
            Provider::Striga => world.striga.now().holds = None,
        }
        let receiver = world.receiver_of(verifiers(&world));
        receiver.warm(at(SIGNED_AT)).await;
        let of_striga = request(by_striga(SECRET, BODY), BODY, &json!({ "rawPath": "/webhooks/striga/tx" }));
        let answers = [
            (Provider::Connect, answer_to(&receiver, &RSA, SIGNED_AT).await),
            (Provider::Striga, receiver.handle(of_striga, at(SIGNED_AT)).await),
        ];
        for (provider, answer) in answers {
            // With the table's readings down, Connect's key set is fetched from the provider.
            let is_accepted = provider != down || provider == Provider::Connect;
            assert_eq!(answer == Answer::Accepted, is_accepted, "{provider} while {down} is down: {answer:?}");
        }
    }
}
