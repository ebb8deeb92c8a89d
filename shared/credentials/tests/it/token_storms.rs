//! Many concurrent callers, and runs that crash or are overtaken at any step: each token is requested once, and in the end a
//! valid one is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_credentials::{TokenError, TokenKeeper, ValidToken};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::chain;
use fundhook_ports::fakes::{Fail, Run, Stepped, Steps};
use futures_util::future::{join, join_all};
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::tokens::{CurrentStatus, Keeper, Tokens, TokensOfFeeds as _, feeds, renewed_at};
use crate::support::{LEASE_SECONDS, START, at, feed, minute};

const HOUR: Duration = Duration::from_secs(3600);
const MANY: usize = 100;
/// The number of different orders in which the callers run.
const ORDERS: u64 = 20;

/// A world whose stored tokens are due, with callers that run in an order that depends on `seed`.
fn due(seed: u64) -> Tokens {
    let world = Tokens::valid_for(HOUR);
    for feed in feeds() {
        world.store_granted(&feed, at(START));
    }
    world.now().clock.set(minute(48));
    world.now().shuffle = Some(fastrand::Rng::with_seed(seed));
    world
}

fn keepers(world: &Tokens) -> Vec<Keeper> {
    (0..MANY).map(|_| world.keeper()).collect()
}

/// The number of requests for each feed.
fn requests(world: &Tokens) -> BTreeMap<Feed, usize> {
    let mut requests = BTreeMap::new();
    for feed in &world.now().requests {
        *requests.entry(feed.clone()).or_insert(0) += 1;
    }
    requests
}

/// One request for each of `names`.
fn one_each<const N: usize>(names: [&str; N]) -> BTreeMap<Feed, usize> {
    names.map(|name| (feed(name), 1)).into_iter().collect()
}

/// Asserts that each caller has a token that the provider accepts, or an error that one is being renewed.
fn assert_served(world: &Tokens, of: &Feed, answers: &[Result<ValidToken, TokenError>], seed: u64) {
    for answer in answers {
        match answer {
            Ok(token) => assert!(world.accepts(of, &token.access_token), "order {seed}"),
            Err(TokenError::BeingRenewed(feed)) => assert_eq!(feed, of),
            Err(error @ (TokenError::Port(..) | TokenError::NotStored(..) | TokenError::NoCredentials(_))) => {
                unreachable!("{}", chain(error))
            }
        }
    }
    assert!(answers.iter().any(Result::is_ok), "order {seed}: the caller that requested the token has it");
}

#[tokio::test]
async fn a_hundred_refreshers_at_once_cost_one_request_for_each_organization() {
    for seed in 0..ORDERS {
        for world in [due(seed), Tokens::valid_for(HOUR)] {
            let (keepers, now) = (keepers(&world), minute(48));
            let standings = join_all(keepers.iter().map(|keeper| renewed_at(keeper, now))).await;
            assert_eq!(requests(&world), one_each(["connect", "connect/acme"]), "order {seed}");
            let quiet = |current_status: &Result<CurrentStatus, _>| {
                current_status.as_ref().is_ok_and(|told| told.failures.is_empty())
            };
            assert!(standings.iter().all(quiet), "a run without work does not fail");
            assert!(feeds().iter().all(|feed| world.accepts_stored(feed)));
            // A minute later no token is due.
            join_all(keepers.iter().map(|keeper| renewed_at(keeper, minute(49)))).await;
            assert_eq!(world.requests(), 2, "order {seed}");
        }
    }
}

#[tokio::test]
async fn a_hundred_callers_with_a_rejected_token_cost_one_request() {
    for seed in 0..ORDERS {
        let (world, of) = (due(seed), feed("connect/acme"));
        let refused = world.revoke_stored(&of);
        let keepers = keepers(&world);
        let ask = || join_all(keepers.iter().map(|keeper| keeper.other_than(&refused, &of, || minute(5))));
        let answers = ask().await;
        assert_eq!(requests(&world), one_each(["connect/acme"]), "order {seed}");
        assert_served(&world, &of, &answers, seed);
        // Callers that try again find the stored token without a lease.
        let leases = world.now().leases;
        let answers = ask().await;
        assert!(answers.iter().all(Result::is_ok), "order {seed}");
        assert_served(&world, &of, &answers, seed);
        assert_eq!((world.requests(), world.now().leases), (1, leases), "order {seed}");
    }
}

#[tokio::test]
async fn a_hundred_callers_without_a_stored_token_cost_one_request() {
    for seed in 0..ORDERS {
        let (world, of) = (Tokens::valid_for(HOUR), feed("connect"));
        world.now().shuffle = Some(fastrand::Rng::with_seed(seed));
        let keepers = keepers(&world);
        let answers = join_all(keepers.iter().map(|keeper| keeper.token(&of, || at(START)))).await;
        assert_eq!(requests(&world), one_each(["connect"]), "order {seed}");
        assert_served(&world, &of, &answers, seed);
    }
}

#[tokio::test]
async fn refreshers_and_callers_with_a_rejected_token_share_one_request() {
    for seed in 0..ORDERS {
        let (world, of) = (due(seed), feed("connect"));
        let refused = world.revoke_stored(&of);
        let (keepers, now) = (keepers(&world), minute(48));
        let (some, others) = keepers.split_at(MANY / 2);
        let (standings, answers) = join(
            join_all(some.iter().map(|keeper| renewed_at(keeper, now))),
            join_all(others.iter().map(|keeper| keeper.other_than(&refused, &of, || now))),
        )
        .await;
        assert!(standings.iter().all(Result::is_ok));
        assert_eq!(requests(&world)[&of], 1, "order {seed}");
        let told = |answer: &Result<_, _>| matches!(answer, Ok(_) | Err(TokenError::BeingRenewed(_)));
        assert!(answers.iter().all(told), "order {seed}");
        // The next run has renewed whatever was left.
        renewed_at(&world.keeper(), minute(49)).await.expect("the store is up");
        assert_eq!(requests(&world), one_each(["connect", "connect/acme"]), "order {seed}");
    }
}

#[tokio::test]
async fn a_caller_whose_rejected_token_was_replaced_since_requests_none() {
    let world = due(0);
    let (of, refused) = (feed("connect"), world.revoke_stored(&feed("connect")));
    let newer = world.store_granted(&of, minute(47));
    let token = world.keeper().other_than(&refused, &of, || minute(48)).await.expect("it is stored");
    assert_eq!(token.access_token.expose_secret(), newer.expose_secret());
    assert_eq!(world.requests(), 0);
    assert_eq!(world.now().leases, 0);
}

#[tokio::test]
async fn organizations_whose_tokens_are_rejected_at_the_same_time_all_get_new_ones() {
    let world = due(0);
    for of in feeds() {
        let refused = world.revoke_stored(&of);
        let token = world.keeper().other_than(&refused, &of, || minute(5)).await.expect("the lease is free");
        assert!(world.accepts(&of, &token.access_token) && token.is_new);
    }
    assert_eq!(requests(&world), one_each(["connect", "connect/acme"]));
}

#[tokio::test]
async fn a_failing_provider_is_asked_once_in_the_duration_of_a_lease_however_many_callers_there_are() {
    let (world, of) = (due(0), feed("connect"));
    let refused = world.revoke_stored(&of);
    world.now().unanswered = feeds().into_iter().collect();
    let keepers = keepers(&world);
    for seconds in 0..2 * LEASE_SECONDS {
        let now = at(START + seconds);
        let answers = join_all(keepers.iter().map(|keeper| keeper.other_than(&refused, &of, || now))).await;
        assert!(answers.iter().all(Result::is_err), "after {seconds} s");
    }
    assert_eq!(world.requests(), 2);
    world.now().unanswered.clear();
    let now = at(START + 2 * LEASE_SECONDS);
    let answers = join_all(keepers.iter().map(|keeper| keeper.other_than(&refused, &of, || now))).await;
    assert_served(&world, &of, &answers, 0);
    assert_eq!(world.requests(), 3);
}

#[tokio::test]
async fn a_lease_that_cannot_be_released_does_not_affect_tokens() {
    let (world, of) = (due(0), feed("connect"));
    let refused = world.revoke_stored(&of);
    world.now().on_release = Fail::Always;
    assert!(world.keeper().other_than(&refused, &of, || minute(48)).await.is_ok());
    let current_status = renewed_at(&world.keeper(), minute(49)).await.expect("the store is up");
    assert!(current_status.failures.is_empty());
    assert_eq!(requests(&world), one_each(["connect", "connect/acme"]));
}

#[tokio::test]
async fn a_caller_without_the_lease_requests_nothing_until_it_has_ended() {
    let world = due(0);
    let (of, refused) = (feed("connect"), world.revoke_stored(&feed("connect")));
    // A caller took it and crashed.
    let begun = START + 48 * 60;
    let until = at(begun + LEASE_SECONDS);
    world.now().leased_until = feeds().into_iter().map(|feed| (feed, until)).collect();
    for seconds in [0, 1, LEASE_SECONDS - 1] {
        let now = at(begun + seconds);
        let current_status = renewed_at(&world.keeper(), now).await.expect("the store is up");
        assert!(current_status.failures.is_empty() && current_status.left.len() == 2);
        let error = world.keeper().other_than(&refused, &of, || now).await.expect_err("none is stored");
        assert_eq!(
            chain(&error),
            "the access token of connect is being renewed elsewhere, or the provider asked to back off; try again later"
        );
    }
    assert_eq!(world.requests(), 0);
    let later = at(begun + LEASE_SECONDS);
    assert!(world.keeper().other_than(&refused, &of, || later).await.is_ok());
    assert_eq!(requests(&world), one_each(["connect"]));
}

/// The ways to get a token, with their steps.
#[derive(Clone, Copy, Debug)]
enum Way {
    RenewDue,
    OtherThanRejected,
}

type SteppedKeeper = TokenKeeper<Stepped<Tokens>, Stepped<Tokens>>;

impl Way {
    fn steps(self) -> Vec<String> {
        let own = |call: &str, name: &str| format!("{call} the token of {name}");
        let granting = |name: &&str| [own("leasing", name), "reading the tokens".to_owned(), own("granting", name)];
        let organizations: &[&str] = match self {
            Self::RenewDue => &["connect", "connect/acme"],
            Self::OtherThanRejected => &["connect"],
        };
        let at_first = ["reading the tokens", "reading the credentials"].map(str::to_owned);
        let calls = at_first.into_iter().chain(organizations.iter().flat_map(granting));
        let calls = calls.chain(["storing the tokens".to_owned()]);
        let calls: Vec<String> = calls.chain(organizations.iter().map(|name| own("releasing", name))).collect();
        calls.iter().flat_map(|call| [format!("before {call}"), format!("after {call}")]).collect()
    }

    /// The number of requests when nothing fails.
    fn requests(self) -> usize {
        match self {
            Self::RenewDue => 2,
            Self::OtherThanRejected => 1,
        }
    }

    /// Whether it finished without a failure.
    async fn succeeded(self, keeper: &SteppedKeeper, refused: &SecretString, now: Timestamp) -> bool {
        match self {
            Self::RenewDue => {
                renewed_at(keeper, now).await.is_ok_and(|current_status| current_status.failures.is_empty())
            }
            Self::OtherThanRejected => keeper.other_than(refused, &feed("connect"), || now).await.is_ok(),
        }
    }
}

#[tokio::test]
async fn a_run_that_is_cut_short_has_reported_for_how_long_each_token_is_valid() {
    let (world, steps) = (due(0), Steps::default());
    world.now().shuffle = None;
    let (keeper, mut told) = (stepped(&world, &steps), BTreeMap::new());
    let tell = |left: &BTreeMap<Feed, Duration>| told.clone_from(left);
    let running = keeper.renew_due(|| minute(48), tell);
    let mut run = Run::of(&steps, running);
    let granting = Way::RenewDue.steps().iter().position(|name| name.contains("granting")).expect("a step");
    assert!(run.pass(granting).is_none(), "the provider hangs");
    drop(run);
    assert_eq!(told, feeds().into_iter().map(|feed| (feed, HOUR / 5)).collect());
}

/// A world whose tokens are due, or one of whose tokens was rejected, and that token.
fn troubled(way: Way) -> (Tokens, SecretString) {
    let world = due(0);
    world.now().shuffle = None;
    let of = feed("connect");
    let refused = match way {
        Way::RenewDue => world.now().stored[&of].access_token.clone(),
        Way::OtherThanRejected => {
            world.store_granted(&feed("connect/acme"), minute(48));
            world.revoke_stored(&of)
        }
    };
    (world, refused)
}

fn stepped(world: &Tokens, steps: &Steps) -> SteppedKeeper {
    let port = || Stepped(world.clone(), steps.clone());
    TokenKeeper::new(port(), port(), feeds())
}

/// Asserts that the stored tokens are as after a complete run: accepted by the provider, and not due.
async fn assert_whole(world: &Tokens, now: Timestamp, why: &str) {
    assert!(feeds().iter().all(|feed| world.accepts_stored(feed)), "{why}");
    let (requests, leases) = (world.requests(), world.now().leases);
    let current_status = renewed_at(&world.keeper(), now).await.expect("the store is up");
    assert!(current_status.left.values().all(|left| *left >= HOUR * 9 / 10), "{why}: {current_status:?}");
    assert_eq!((world.requests(), world.now().leases), (requests, leases), "{why}: nothing is due");
}

/// A minute later there is another run, or the caller with the rejected token asks again.
async fn a_minute_later(world: &Tokens, refused: &SecretString, way: Way) {
    world.now().clock.set(minute(49));
    assert!(way.succeeded(&stepped(world, &Steps::passing()), refused, minute(49)).await);
}

#[tokio::test]
async fn wherever_a_run_crashes_or_fails_the_next_one_recovers() {
    for way in [Way::RenewDue, Way::OtherThanRejected] {
        let (world, refused) = troubled(way);
        let (steps, names) = (Steps::default(), way.steps());
        let keeper = stepped(&world, &steps);
        assert!(Run::of(&steps, way.succeeded(&keeper, &refused, minute(48))).finish());
        assert_eq!(steps.reached(), names, "{way:?}: the list of steps is complete");
        assert_whole(&world, minute(49), "never crashed").await;

        for (step, name) in names.iter().enumerate() {
            let why = format!("{way:?} crashed {name}");
            let (world, refused) = troubled(way);
            let steps = Steps::default();
            let keeper = stepped(&world, &steps);
            let mut run = Run::of(&steps, way.succeeded(&keeper, &refused, minute(48)));
            assert_eq!(run.pass(step), None, "{why}");
            drop(run);
            let lost = if world.now().stores == 0 { world.requests() } else { 0 };
            if matches!(way, Way::RenewDue) {
                assert!(feeds().iter().all(|feed| world.accepts_stored(feed)), "{why}: 12 minutes are left");
            }
            a_minute_later(&world, &refused, way).await;
            assert_whole(&world, minute(50), &why).await;
            // Tokens that were granted and not stored are lost: each costs one more request, and nothing else.
            assert_eq!(world.requests(), way.requests() + lost, "{why}");
        }
        for (step, name) in names.iter().enumerate() {
            let why = format!("{way:?} failed {name}");
            let (world, refused) = troubled(way);
            let steps = Steps::failing_at(step);
            let keeper = stepped(&world, &steps);
            let succeeded = Run::of(&steps, way.succeeded(&keeper, &refused, minute(48))).finish();
            // A caller gets its token, stored or not.
            let has_token = name.contains("storing") && matches!(way, Way::OtherThanRejected);
            assert_eq!(
                succeeded,
                name.contains("releasing") || has_token,
                "{why}: the failure is returned, unless the token is there"
            );
            a_minute_later(&world, &refused, way).await;
            assert_whole(&world, minute(50), &why).await;
            assert!(world.requests() <= 2 * way.requests(), "{why}");
        }
    }
}

#[tokio::test]
async fn wherever_a_run_is_overtaken_by_another_each_token_is_requested_once() {
    for way in [Way::RenewDue, Way::OtherThanRejected] {
        for (step, name) in way.steps().iter().enumerate() {
            // At once, and after the lease of the delayed run has ended.
            for (rivals_minute, twice_each) in [(48, false), (49, true)] {
                let why = format!("{way:?} overtaken {name} in minute {rivals_minute}");
                let (world, refused) = troubled(way);
                let steps = Steps::default();
                let keeper = stepped(&world, &steps);
                let mut run = Run::of(&steps, way.succeeded(&keeper, &refused, minute(48)));
                assert_eq!(run.pass(step), None, "{why}");
                let rival = stepped(&world, &Steps::passing());
                world.now().clock.set(minute(rivals_minute));
                way.succeeded(&rival, &refused, minute(rivals_minute)).await;
                run.finish();
                assert_whole(&world, minute(50), &why).await;
                // Only a run that is delayed for longer than its lease while a token is granted causes a second request.
                let most = if twice_each { 2 * way.requests() } else { way.requests() };
                assert!(world.requests() <= most, "{why}: {} requests", world.requests());
            }
        }
    }
}

#[tokio::test]
async fn a_crash_with_the_lease_and_a_wrong_clock_delays_the_token_by_at_most_the_clock_skew_and_the_lease() {
    for skew in [-36_000, -300, -56, -55, -54, 0, 60, 245, 246, 300, 301, 36_000] {
        let (world, of) = (due(0), feed("connect"));
        world.now().shuffle = None;
        let steps = Steps::default();
        let port = || Stepped(world.clone(), steps.clone());
        let crashing = TokenKeeper::new(port(), port(), vec![of.clone()]);
        let refused = world.revoke_stored(&of);
        let begun = START + 48 * 60;
        let mut run = Run::of(&steps, crashing.other_than(&refused, &of, || at(begun + skew)));
        // It takes the lease, reads the tokens again, and crashes.
        let leased =
            Way::OtherThanRejected.steps().iter().position(|name| name == "after leasing the token of connect");
        assert!(run.pass(leased.expect("a step") + 1).is_none());
        drop(run);

        let is_plausible = skew <= 300;
        let free_after = if is_plausible { (skew + LEASE_SECONDS).max(0) } else { 0 };
        let is_served = |seconds: i64| {
            let world = world.clone();
            let (refused, of) = (refused.clone(), of.clone());
            async move { world.keeper().other_than(&refused, &of, || at(begun + seconds)).await.is_ok() }
        };
        for seconds in [0, 1, 30, free_after - 1].into_iter().filter(|seconds| (0..free_after).contains(seconds)) {
            assert!(!is_served(seconds).await, "skew {skew} s: {seconds} s later");
        }
        assert_eq!(world.requests(), 0, "skew {skew} s");
        assert!(is_served(free_after).await, "skew {skew} s: {free_after} s later");
        assert_eq!(world.requests(), 1, "skew {skew} s");
    }
}
