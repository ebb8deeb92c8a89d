//! When access tokens are renewed, and that a valid one is stored at all times while one can be had. Time is an argument here:
//! weeks pass in no time.

use std::time::Duration;

use fundhook_credentials::{TokenError, TokenKeeper};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::fakes::Fail;
use fundhook_ports::{GrantedToken, PortError, RequestToken, StoredToken, chain};
use secrecy::ExposeSecret as _;
use tokio::sync::Barrier;
use tokio::time::timeout;

use crate::support::tokens::{
    CurrentStatus, FEEDS, SECRET_PART, Tokens, TokensOfFeeds as _, feeds, renewed, renewed_at,
};
use crate::support::{LEASE_SECONDS, START, at, feed, minute};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const MINUTES_OF_TWO_WEEKS: i64 = 14 * 24 * 60;

/// A run of the schedule at that moment, by a clock that is right.
async fn run(world: &Tokens, now: Timestamp) -> CurrentStatus {
    world.now().clock = now;
    renewed_at(&world.keeper(), now).await.expect("the store is up")
}

/// Which feeds' failures a run came with.
fn failed(current_status: &CurrentStatus) -> Vec<String> {
    let of = |error: &TokenError| match error {
        TokenError::Port(feed, _) | TokenError::BeingRenewed(feed) | TokenError::NoCredentials(feed) => {
            vec![feed.to_string()]
        }
        TokenError::NotStored(feeds, _) => feeds.iter().map(Feed::to_string).collect(),
    };
    current_status.failures.iter().flat_map(of).collect()
}

#[tokio::test]
async fn a_token_is_renewed_when_80_percent_of_its_time_has_passed_and_not_before() {
    for (expires_in_seconds, due_after_milliseconds) in
        [(86_400, 69_120_000), (3600, 2_880_000), (7199, 5_759_200), (451, 360_800), (450, 360_000)]
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
            let current_status = run(&world, minute(now)).await;
            assert!(current_status.failures.is_empty());
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
            let current_status = run(&world, minute(now)).await;
            let is_tried = now >= 48 && outage.contains(&now);
            assert_eq!(
                failed(&current_status),
                if is_tried { vec!["connect/acme"] } else { vec![] },
                "in minute {now}"
            );
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
async fn a_token_that_ends_before_the_next_run_could_renew_it_is_renewed_now_however_short_its_life() {
    // What is granted takes as long as it may; the shortest is the smallest lifetime for which that holds.
    const GRANTED_AFTER: Duration = Duration::from_secs(25);
    for (seconds, requests_in_two_hours) in [(90, 121), (150, 121), (151, 61), (300, 31), (450, 21), (600, 16)] {
        let (world, of) = (Tokens::valid_for(Duration::from_secs(seconds)), feed("connect"));
        let keeper = TokenKeeper::new(world.clone(), world.clone(), vec![of.clone()]);
        world.now().takes = [(of.clone(), GRANTED_AFTER)].into();
        for now in 0..=120 {
            world.now().clock = minute(now).plus(GRANTED_AFTER);
            assert!(now == 0 || world.accepts_stored(&of), "{seconds} s: in minute {now}, until a new one is granted");
            world.now().clock = minute(now);
            let current_status = renewed(&keeper, world.clock()).await.expect("the store is up");
            assert!(current_status.failures.is_empty() && world.accepts_stored(&of), "{seconds} s: in minute {now}");
        }
        assert_eq!(world.requests(), requests_in_two_hours, "{seconds} s");
    }
}

#[tokio::test]
async fn in_a_slow_run_each_lease_and_each_token_counts_from_when_it_was_taken() {
    const SLOW: Duration = Duration::from_secs(50);
    for now in 0..2 {
        let world = Tokens::valid_for(HOUR);
        world.now().clock = minute(now);
        world.now().takes = feeds().into_iter().map(|feed| (feed, SLOW)).collect();
        let current_status = renewed(&world.keeper(), world.clock()).await.expect("the store is up");
        let requests = world.now().requests.clone();
        let (first, second) = (&requests[0], &requests[1]);
        let stored = world.now().stored.clone();
        assert_eq!((stored[first].issued_at, stored[second].issued_at), (minute(now), minute(now).plus(SLOW)));
        assert_eq!(current_status.left[first], HOUR - SLOW * 2, "it is told by the clock of then");

        // The lease of the one that is not granted is not over before it would be.
        world.now().clock = minute(60);
        world.now().unanswered = feeds().into_iter().collect();
        renewed(&world.keeper(), world.clock()).await.expect("the store is up");
        let last = world.now().requests[3].clone();
        let leased_until = world.now().leased_until.clone();
        assert_eq!(leased_until[&last], minute(60).plus(SLOW + Duration::from_secs(55)));
        let rival = renewed_at(&world.keeper(), minute(60).plus(SLOW * 2)).await.expect("the store is up");
        assert_eq!((failed(&rival).len(), world.requests()), (1, 5), "only of the first it is over");
    }
}

/// A provider that answers nobody before all organizations have asked.
struct Together(Tokens, Barrier);

impl RequestToken for Together {
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        self.0.feeds().await
    }

    async fn request(&self, feed: &Feed) -> Result<GrantedToken, PortError> {
        self.1.wait().await;
        self.0.request(feed).await
    }
}

#[tokio::test]
async fn all_tokens_that_are_due_are_requested_side_by_side_and_stored_at_once() {
    let world = Tokens::valid_for(HOUR);
    let keeper = TokenKeeper::new(world.clone(), Together(world.clone(), Barrier::new(2)), feeds());
    let current_status = renewed_at(&keeper, minute(0));
    let current_status =
        timeout(Duration::from_secs(5), current_status).await.expect("none waits for another's answer");
    assert_eq!(failed(&current_status.expect("the store is up")).len(), 0);
    assert!(feeds().iter().all(|feed| world.accepts_stored(feed)));
    assert_eq!(world.now().stores, 1);
}

#[tokio::test]
async fn tokens_that_fell_out_of_step_come_together_again_and_the_store_is_written_once_for_all() {
    let (world, of) = (Tokens::valid_for(HOUR), feed("connect/acme"));
    world.now().unanswered.insert(of.clone());
    for now in 0..2 {
        run(&world, minute(now)).await;
    }
    world.now().unanswered.clear();
    for now in 2..24 * 60 {
        run(&world, minute(now)).await;
        assert!(world.accepts_stored(&of), "in minute {now}");
    }
    // The first and the late one, and from then on one in 48 minutes.
    let stores = world.now().stores;
    assert_eq!(stores, 2 + (24 * 60 - 1) / 48);
    // Neither is renewed for the sake of the other before three quarters of its time.
    assert_eq!(world.requests(), 2 + 2 + 2 * ((24 * 60 - 1) / 48));
}

/// The minutes in which the token of [`FEEDS`]`[0]` is requested while the provider answers 429 with this `Retry-After`.
async fn asked_in(expires_in: Duration, retry_after: Option<u64>, minutes: std::ops::Range<i64>) -> Vec<i64> {
    let (world, of) = (Tokens::valid_for(expires_in), feed("connect"));
    run(&world, minute(0)).await;
    world.now().unanswered.insert(of.clone());
    world.now().retry_after = retry_after.map(Duration::from_secs);
    let mut asked = Vec::new();
    for now in minutes {
        let before = world.requests();
        run(&world, minute(now)).await;
        let requests = world.now().requests.clone();
        asked.extend(requests[before..].iter().filter(|asked| **asked == of).map(|_| now));
    }
    asked
}

#[tokio::test]
async fn a_provider_that_asks_to_be_left_alone_is_for_as_long_as_the_token_is_valid_and_an_hour_at_most() {
    let each = |from: i64, to: i64| (from..to).collect::<Vec<_>>();
    // At minute 48 a token of an hour has 12 minutes left.
    for (retry_after, asked) in [
        (None, each(48, 65)),
        (Some(0), each(48, 65)),
        (Some(30), each(48, 65)),
        (Some(150), [48, 51, 54, 57].into_iter().chain(each(60, 65)).collect()),
        (Some(600), [48, 58].into_iter().chain(each(60, 65)).collect()),
        (Some(3600), [48].into_iter().chain(each(60, 65)).collect()),
        (Some(u64::MAX), [48].into_iter().chain(each(60, 65)).collect()),
    ] {
        assert_eq!(asked_in(HOUR, retry_after, 1..65).await, asked, "{retry_after:?}");
    }
    // One of a day has 288 minutes left at minute 1152.
    for (retry_after, asked) in [(3600, [1152, 1212, 1272]), (86_400, [1152, 1212, 1272]), (1800, [1152, 1182, 1212])] {
        assert_eq!(asked_in(DAY, Some(retry_after), 1150..1300).await[..3], asked, "{retry_after}");
    }
}

#[tokio::test]
async fn while_a_provider_is_left_alone_nobody_asks_it_and_the_other_organizations_are_not_kept_waiting() {
    let (world, of) = (Tokens::valid_for(DAY), feed("connect"));
    run(&world, minute(0)).await;
    world.now().unanswered.insert(of.clone());
    world.now().retry_after = Some(HOUR);
    assert_eq!(failed(&run(&world, minute(1152)).await), ["connect"]);
    let (requests, refused) = (world.requests(), world.revoke_stored(&of));
    for now in 1153..1212 {
        let told = world.keeper().other_than(&refused, &of, || minute(now)).await.expect_err("nobody may ask");
        assert!(matches!(told, TokenError::BeingRenewed(_)), "{told:?}");
    }
    assert_eq!(world.requests(), requests);
    world.revoke_stored(&feed("connect/acme"));
    assert!(world.keeper().other_than(&refused, &feed("connect/acme"), || minute(1153)).await.is_ok());
    // That it could not be noted is no reason not to tell what failed.
    world.now().on_back_off = Fail::Always;
    assert_eq!(failed(&run(&world, minute(1212)).await), ["connect"]);
}

#[tokio::test]
async fn a_token_that_could_not_be_stored_is_used_by_who_asked_for_it_and_that_is_told() {
    let (world, of) = (Tokens::valid_for(HOUR), feed("connect"));
    world.now().on_store = Fail::Always;
    let lines = crate::logs::logged(async {
        let had = world.keeper().token(&of, || minute(0)).await.expect("it was granted");
        assert!(world.accepts(&of, &had.access_token) && had.is_new);
        assert!(!format!("{had:?}").contains(SECRET_PART));
    })
    .await;
    assert!(lines.contains("ERROR") && lines.contains("could not store the access tokens: it is down"), "{lines}");
    assert!(!lines.contains(SECRET_PART), "{lines}");
}

#[tokio::test]
async fn while_tokens_cannot_be_stored_the_refresher_fails_and_has_no_other_ones_granted() {
    let world = Tokens::valid_for(HOUR);
    let keeper = world.keeper();
    world.now().on_store = Fail::Always;
    for now in 0..40 {
        world.now().clock = minute(now);
        let current_status = renewed_at(&keeper, minute(now)).await.expect("the tokens are read");
        assert_eq!((failed(&current_status).len(), world.requests()), (2, 2), "in minute {now}");
        assert!(
            current_status.left.values().all(Duration::is_zero),
            "in minute {now}: what is not stored is not told as valid"
        );
    }
    world.now().on_store = Fail::Never;
    renewed_at(&keeper, minute(40)).await.expect("the store is up");
    let stored = world.now().stored.clone();
    assert!(stored.values().all(|token| token.issued_at == minute(0)) && stored.len() == 2);
    assert_eq!(world.requests(), 2, "what was granted then is stored now");

    // One that could not be stored until it was due itself is not worth storing.
    let world = Tokens::valid_for(HOUR);
    let keeper = world.keeper();
    world.now().on_store = Fail::Always;
    for now in [0, 48] {
        renewed_at(&keeper, minute(now)).await.expect("the tokens are read");
    }
    assert_eq!(world.requests(), 4);
}

#[tokio::test]
async fn a_store_that_is_away_is_an_error_and_the_next_run_makes_good() {
    for (down, is_whole) in [("load", true), ("feeds", true), ("lease", false), ("store", false)] {
        let world = Tokens::valid_for(HOUR);
        run(&world, minute(0)).await;
        world.set(down, Fail::Always);
        world.now().clock = minute(48);
        let told = renewed_at(&world.keeper(), minute(48)).await;
        let is_told = told.as_ref().map_or(is_whole, |current_status| !is_whole && failed(current_status) == FEEDS);
        assert!(is_told, "{down}: {told:?}");
        assert!(feeds().iter().all(|feed| world.accepts_stored(feed)), "{down}");
        world.set(down, Fail::Never);
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
    for (until_seconds, is_free) in [
        (0, true),
        (1, false),
        (LEASE_SECONDS, false),
        (LEASE_SECONDS + 300, false),
        (LEASE_SECONDS + 301, true),
        (5 * 3600, true),
    ] {
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
            let current_status =
                renewed_at(&world.keeper(), at(START + 60 * now + error)).await.expect("the store is up");
            assert!(current_status.failures.is_empty(), "seed {seed}, minute {now}");
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
            renewed_at(&keeper, shown).await.expect("the store is up");
            let is_served = match keeper.token(&of, || shown).await {
                Ok(token) if world.accepts(&of, &token.access_token) => true,
                Ok(refused) => match keeper.other_than(&refused.access_token, &of, || shown).await {
                    Ok(other) => world.accepts(&of, &other.access_token),
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
        let token = keeper.token(&of, || minute(now)).await.expect("one is had");
        assert!(world.accepts(&of, &token.access_token), "at minute {now}");
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
        let current_status = run(&world, minute(now)).await;
        assert!(current_status.failures.is_empty(), "it is no failure");
        assert_eq!(current_status.left.into_keys().collect::<Vec<_>>(), [feed("connect")]);
    }
    assert_eq!(world.now().requests, [feed("connect"), feed("connect"), feed("connect")]);
    assert_eq!(world.keeper().feeds().await.expect("known"), [feed("connect")]);

    let leases = world.now().leases;
    let none = world.keeper().token(&acme, || minute(100)).await.expect_err("there are no credentials");
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
        let current_status = run(&world, minute(0)).await;
        world.now().unanswered = feeds().into_iter().collect();
        let failing = run(&world, minute(48)).await;
        let token = world.revoke_stored(&feed("connect"));
        let refused = world.keeper().other_than(&token, &feed("connect"), || minute(49)).await.expect_err("it is away");
        let stored: Vec<StoredToken> = world.now().stored.values().cloned().collect();
        assert!(stored.iter().all(|stored| stored.access_token.expose_secret().contains(SECRET_PART)));
        let shown = format!("{current_status:?} {failing:?} {token:?} {refused:?} {} {stored:?}", chain(&refused));
        assert!(!shown.contains(SECRET_PART), "{shown}");
    })
    .await;
    assert!(lines.contains("access token renewed"), "{lines}");
    assert!(!lines.contains(SECRET_PART), "{lines}");
}
