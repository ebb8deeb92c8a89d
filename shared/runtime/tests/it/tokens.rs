//! When access tokens are renewed, and that a valid one is stored at all times while one can be had. Time is an argument here:
//! weeks pass in no time.

use std::time::Duration;

use fundhook_domain::Timestamp;
use fundhook_domain::port::{StoredToken, chain};
use fundhook_runtime::{NoToken, TokenStanding};
use secrecy::ExposeSecret as _;

use crate::support::tokens::{FEEDS, SECRET_PART, Tokens, feeds};
use crate::support::{LEASE_SECONDS, START, at, feed, minute};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const MINUTES_OF_TWO_WEEKS: i64 = 14 * 24 * 60;

/// A run of the schedule at that moment, by a clock that is right.
async fn run(world: &Tokens, now: Timestamp) -> TokenStanding {
    world.now().clock = now;
    world.keeper().renew_due(now).await.expect("the store is up")
}

/// Which feeds' failures a run came with.
fn failed(standing: &TokenStanding) -> Vec<String> {
    let of = |failure: &NoToken| match failure {
        NoToken::Port(feed, _) | NoToken::BeingRenewed(feed) | NoToken::NoCredentials(feed) => feed.to_string(),
    };
    standing.failures.iter().map(of).collect()
}

#[tokio::test]
async fn a_token_is_renewed_when_80_percent_of_its_time_has_passed_and_not_before() {
    for (expires_in_seconds, due_after_milliseconds) in
        [(86_400, 69_120_000), (3600, 2_880_000), (7199, 5_759_200), (300, 240_000), (1, 800), (0, 0)]
    {
        let world = Tokens::valid_for(Duration::from_secs(expires_in_seconds));
        run(&world, at(START)).await;
        assert_eq!(world.requests(), 2, "where none is stored, one is had at once");
        let due = at(START).plus(Duration::from_millis(due_after_milliseconds));
        if due_after_milliseconds > 0 {
            run(&world, due.minus(Duration::from_millis(1))).await;
            assert_eq!(world.requests(), 2, "{expires_in_seconds} s: just before");
        }
        run(&world, due).await;
        assert_eq!(world.requests(), 4, "{expires_in_seconds} s: just then");
    }
}

#[tokio::test]
async fn over_two_weeks_a_valid_token_is_stored_at_every_minute_and_no_more_are_requested_than_must_be() {
    // 80% of an hour is 48 minutes, and of a day 1152.
    for (expires_in, minutes_apart) in [(HOUR, 48), (DAY, 1152)] {
        let world = Tokens::valid_for(expires_in);
        for now in 0..MINUTES_OF_TWO_WEEKS {
            let standing = run(&world, minute(now)).await;
            assert!(standing.failures.is_empty());
            // Until just before the next run, too.
            world.now().clock = minute(now + 1).minus(Duration::from_nanos(1));
            assert!(feeds().iter().all(|feed| world.accepts_stored(feed)), "in minute {now}");
        }
        let renewals = usize::try_from((MINUTES_OF_TWO_WEEKS + minutes_apart - 1) / minutes_apart).expect("few");
        let of_each = FEEDS.map(|name| world.now().requests.iter().filter(|of| **of == feed(name)).count());
        assert_eq!(of_each, [renewals; 2]);
        assert_eq!(world.now().leases, 2 * renewals, "nothing is asked of anybody while none is due");
        assert_eq!(world.now().credentials_read, renewals);
    }
}

#[tokio::test]
async fn a_run_says_how_long_each_token_still_has() {
    let world = Tokens::valid_for(HOUR);
    for (now, left_minutes) in [(0, 60), (1, 59), (47, 13), (48, 60), (49, 59)] {
        let left = Duration::from_secs(60 * left_minutes);
        assert_eq!(
            run(&world, minute(now)).await.left.into_iter().collect::<Vec<_>>(),
            [(feed("connect"), left), (feed("connect/acme"), left),]
        );
    }
    world.now().unanswered = feeds().into_iter().collect();
    for (now, left_minutes) in [(96, 12), (97, 11), (107, 1), (108, 0), (500, 0)] {
        let left = Duration::from_secs(60 * left_minutes);
        assert!(run(&world, minute(now)).await.left.values().all(|each| *each == left), "at minute {now}");
    }
}

#[tokio::test]
async fn a_provider_that_is_away_for_a_while_is_asked_with_each_run_and_the_token_is_had_as_soon_as_it_is_back() {
    // An outage in minutes, the minutes in which nothing valid was stored, and when the next one was had.
    for (outage, without, renewed) in
        [(43..53, 0..0, 53), (48..60, 0..0, 60), (40..75, 60..75, 75), (48..200, 60..200, 200), (10..48, 0..0, 48)]
    {
        let world = Tokens::valid_for(HOUR);
        let acme = feed("connect/acme");
        for now in 0..renewed + 48 {
            world.now().unanswered = outage.contains(&now).then(|| acme.clone()).into_iter().collect();
            let standing = run(&world, minute(now)).await;
            let is_tried = now >= 48 && outage.contains(&now);
            assert_eq!(failed(&standing), if is_tried { vec!["connect/acme"] } else { vec![] }, "in minute {now}");
            assert_eq!(world.accepts_stored(&acme), !without.contains(&now), "in minute {now} of {outage:?}");
            assert!(world.accepts_stored(&feed("connect")), "the other organization's is renewed in time");
        }
        let stored = world.now().stored.clone();
        assert_eq!(stored[&acme].issued_at, minute(renewed), "{outage:?}");
        let others = world.now().requests.iter().filter(|of| **of == feed("connect")).count();
        let expected = usize::try_from((renewed + 48 + 47) / 48).expect("few");
        assert_eq!(others, expected, "and no more often for that");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_an_error_and_the_next_run_makes_good() {
    for (down, is_whole) in [("load", true), ("feeds", true), ("lease", false), ("store", false)] {
        let world = Tokens::valid_for(HOUR);
        run(&world, minute(0)).await;
        world.now().down = Some(down);
        world.now().clock = minute(48);
        let told = world.keeper().renew_due(minute(48)).await;
        let is_told = told.as_ref().map_or(is_whole, |standing| !is_whole && failed(standing) == FEEDS);
        assert!(is_told, "{down}: {told:?}");
        assert!(feeds().iter().all(|feed| world.accepts_stored(feed)), "{down}");
        world.now().down = None;
        assert!(run(&world, minute(49)).await.failures.is_empty());
        let stored = world.now().stored.clone();
        assert!(stored.values().all(|token| token.issued_at == minute(49)), "{down}");
    }
}

#[tokio::test]
async fn what_was_stored_by_a_clock_that_is_off_is_renewed_where_it_cannot_be_believed() {
    // The storing clock's error in seconds, and whether the next run renews the token of an hour.
    for (error, is_renewed) in [
        (5 * 3600, true),
        (301, true),
        (300, false),
        (0, false),
        (-300, false),
        (-47 * 60, false),
        (-48 * 60, true),
        (-5 * 3600, true),
    ] {
        let world = Tokens::valid_for(HOUR);
        for feed in feeds() {
            world.store_granted(&feed, at(START + error));
        }
        run(&world, at(START)).await;
        assert_eq!(world.requests(), if is_renewed { 2 } else { 0 }, "{error} s off");
        let stored = world.now().stored.clone();
        assert!(stored.values().all(|token| token.issued_at == at(START)) == (is_renewed || error == 0));
    }
}

#[tokio::test]
async fn a_lease_that_was_taken_by_a_clock_that_is_hours_ahead_holds_nobody_up() {
    for (until_seconds, is_free) in
        [(0, true), (1, false), (LEASE_SECONDS, false), (LEASE_SECONDS + 1, true), (5 * 3600, true)]
    {
        let world = Tokens::valid_for(HOUR);
        let until = at(START + until_seconds);
        world.now().leased_until = feeds().into_iter().map(|feed| (feed, until)).collect();
        run(&world, at(START)).await;
        assert_eq!(world.requests() == 2, is_free, "held for {until_seconds} s more");
    }
}

/// Two days of a schedule whose clock is off by other amounts now and then: how far it is off in each minute, and how often
/// that changed.
fn clock_errors(rng: &mut fastrand::Rng, error_seconds: impl Fn(&mut fastrand::Rng) -> i64) -> (Vec<i64>, usize) {
    let (mut error, mut jumps) = (0, 0);
    let errors = (0..2 * 24 * 60).map(|_| {
        if rng.u8(0..40) == 0 {
            (error, jumps) = (error_seconds(rng), jumps + 1);
        }
        error
    });
    let errors = errors.collect();
    (errors, jumps)
}

#[tokio::test]
async fn with_a_clock_that_is_off_by_minutes_or_by_hours_the_provider_accepts_what_is_stored() {
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (errors, jumps) =
            clock_errors(&mut rng, |rng| [0, rng.i64(-290..290), 7200 * rng.i64(-5..=5)][rng.usize(0..3)]);
        let world = Tokens::valid_for(HOUR);
        for (now, error) in (0..).zip(errors) {
            world.now().clock = minute(now);
            let standing = world.keeper().renew_due(at(START + 60 * now + error)).await.expect("the store is up");
            assert!(standing.failures.is_empty(), "seed {seed}, minute {now}");
            let accepted = feeds().iter().all(|feed| world.accepts_stored(feed));
            assert!(accepted, "seed {seed}, minute {now}, the clock is {error} s off");
        }
        let renewals = world.requests() / 2;
        assert!(renewals <= 2 * 24 * 60 / 48 + 1 + jumps, "seed {seed}: {renewals} renewals, {jumps} jumps");
    }
}

#[tokio::test]
async fn whatever_the_clock_does_who_is_refused_has_a_token_that_is_accepted_within_two_runs() {
    // One that was put back by half a token's time makes it look younger than it is: only the provider's refusal tells.
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (errors, _) = clock_errors(&mut rng, |rng| rng.i64(-36_000..36_000));
        let (world, of) = (Tokens::valid_for(HOUR), feed("connect"));
        let mut without = 0;
        for (now, error) in (0..).zip(errors) {
            world.now().clock = minute(now);
            let (keeper, shown) = (world.keeper(), at(START + 60 * now + error));
            keeper.renew_due(shown).await.expect("the store is up");
            let is_served = match keeper.token(&of, shown).await {
                Ok(token) if world.accepts(&of, &token) => true,
                Ok(refused) => match keeper.other_than(&refused, &of, shown).await {
                    Ok(other) => world.accepts(&of, &other),
                    Err(_) => false,
                },
                Err(_) => false,
            };
            without = if is_served { 0 } else { without + 1 };
            assert!(without < 2, "seed {seed}, minute {now}, the clock is {error} s off");
        }
    }
}

#[tokio::test]
async fn a_token_is_handed_out_while_it_is_valid_and_had_when_there_is_none() {
    let world = Tokens::valid_for(HOUR);
    let (keeper, of) = (world.keeper(), feed("connect"));
    for (now, requests) in [(0, 1), (1, 1), (48, 1), (59, 1), (60, 2), (119, 2), (500, 3)] {
        world.now().clock = minute(now);
        let token = keeper.token(&of, minute(now)).await.expect("one is had");
        assert!(world.accepts(&of, &token), "at minute {now}");
        assert_eq!(world.requests(), requests, "at minute {now}");
        assert!(world.accepts_stored(&of), "it is stored for all");
    }
}

#[tokio::test]
async fn an_organization_without_credentials_has_no_token_and_nobody_is_asked_for_one() {
    let world = Tokens::valid_for(HOUR);
    let acme = feed("connect/acme");
    world.now().known.remove(&acme);
    for now in 0..100 {
        let standing = run(&world, minute(now)).await;
        assert!(standing.failures.is_empty(), "it is no failure");
        assert_eq!(standing.left.into_keys().collect::<Vec<_>>(), [feed("connect")]);
    }
    assert_eq!(world.now().requests, [feed("connect"), feed("connect"), feed("connect")]);
    assert_eq!(world.keeper().feeds().await.expect("known"), [feed("connect")]);

    let leases = world.now().leases;
    let none = world.keeper().token(&acme, minute(100)).await.expect_err("there are no credentials");
    assert_eq!(chain(&none), "no credentials are stored for connect/acme; they belong in the secret ConnectApiSecret");
    assert_eq!(world.now().leases, leases, "nor are the others kept from theirs");
    // They are stored, and found without anything being deployed.
    world.now().known.insert(acme.clone());
    run(&world, minute(101)).await;
    assert!(world.accepts_stored(&acme));
}

#[tokio::test]
async fn nothing_that_is_shown_or_logged_shows_a_token() {
    let world = Tokens::valid_for(HOUR);
    let lines = crate::logs::logged(async {
        let standing = run(&world, minute(0)).await;
        world.now().unanswered = feeds().into_iter().collect();
        let failing = run(&world, minute(48)).await;
        let token = world.revoke_stored(&feed("connect"));
        let refused = world.keeper().other_than(&token, &feed("connect"), minute(49)).await.expect_err("it is away");
        let stored: Vec<StoredToken> = world.now().stored.values().cloned().collect();
        assert!(stored.iter().all(|stored| stored.access_token.expose_secret().contains(SECRET_PART)));
        let shown = format!("{standing:?} {failing:?} {token:?} {refused:?} {} {stored:?}", chain(&refused));
        assert!(!shown.contains(SECRET_PART), "{shown}");
    })
    .await;
    assert!(lines.contains("access token renewed"), "{lines}");
    assert!(!lines.contains(SECRET_PART), "{lines}");
}
