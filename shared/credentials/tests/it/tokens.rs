//! When access tokens are renewed, and that a valid one is stored at all times while the provider grants them. Time is an
//! argument, so weeks pass without waiting.

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

/// A scheduled run at this time, with a correct clock.
async fn run(world: &Tokens, now: Timestamp) -> CurrentStatus {
    world.now().clock.set(now);
    renewed_at(&world.keeper(), now).await.expect("the store is up")
}

/// The feeds whose tokens a run failed to renew.
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
async fn a_token_is_renewed_when_80_percent_of_its_lifetime_has_passed_and_not_before() {
    for (expires_in_seconds, due_after_milliseconds) in
        [(86_400, 69_120_000), (3600, 2_880_000), (7199, 5_759_200), (451, 360_800), (450, 360_000)]
    {
        let world = Tokens::valid_for(Duration::from_secs(expires_in_seconds));
        run(&world, at(START)).await;
        assert_eq!(world.requests(), 2, "without a stored token, one is requested at once");
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
async fn over_two_weeks_a_valid_token_is_always_stored_and_no_unnecessary_one_is_requested() {
    // 80% of an hour is 48 minutes, and of a day 1152.
    for (expires_in, minutes_apart) in [(HOUR, 48), (DAY, 1152)] {
        let world = Tokens::valid_for(expires_in);
        for now in 0..MINUTES_OF_TWO_WEEKS {
            let current_status = run(&world, minute(now)).await;
            assert!(current_status.failures.is_empty());
            // Also until just before the next run.
            world.now().clock.set(minute(now + 1).minus(Duration::from_nanos(1)));
            assert!(feeds().iter().all(|feed| world.accepts_stored(feed)), "in minute {now}");
        }
        let renewals = usize::try_from((MINUTES_OF_TWO_WEEKS + minutes_apart - 1) / minutes_apart).expect("few");
        let of_each = FEEDS.map(|name| world.now().requests.iter().filter(|of| **of == feed(name)).count());
        assert_eq!(of_each, [renewals; 2]);
        assert_eq!(world.now().leases, 2 * renewals, "no lease is taken while no token is due");
        assert_eq!(world.now().credentials_read, renewals);
    }
}

#[tokio::test]
async fn a_run_reports_for_how_long_each_token_is_valid() {
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
async fn during_an_outage_each_run_requests_the_token_and_the_first_run_after_it_gets_one() {
    // The minutes of an outage, the minutes without a valid stored token, and the minute of the next token.
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
            assert!(world.accepts_stored(&feed("connect")), "the other organization's token is renewed in time");
        }
        let stored = world.now().stored.clone();
        assert_eq!(stored[&acme].issued_at, minute(renewed), "{outage:?}");
        let others = world.now().requests.iter().filter(|of| **of == feed("connect")).count();
        let expected = usize::try_from((renewed + 48 + 47) / 48).expect("few");
        assert_eq!(others, expected, "the other organization's token is not requested more often");
    }
}

#[tokio::test]
async fn a_token_that_expires_before_the_next_run_could_renew_it_is_renewed_now_however_short_its_lifetime() {
    // Each request takes as long as it may. The shortest lifetime is the smallest one for which this holds.
    const GRANTED_AFTER: Duration = Duration::from_secs(25);
    for (seconds, requests_in_two_hours) in [(90, 121), (150, 121), (151, 61), (300, 31), (450, 21), (600, 16)] {
        let (world, of) = (Tokens::valid_for(Duration::from_secs(seconds)), feed("connect"));
        let keeper = TokenKeeper::new(world.clone(), world.clone(), vec![of.clone()]);
        world.now().takes = [(of.clone(), GRANTED_AFTER)].into();
        for now in 0..=120 {
            world.now().clock.set(minute(now).plus(GRANTED_AFTER));
            assert!(now == 0 || world.accepts_stored(&of), "{seconds} s: in minute {now}, until a new one is granted");
            world.now().clock.set(minute(now));
            let current_status = renewed(&keeper, world.clock()).await.expect("the store is up");
            assert!(current_status.failures.is_empty() && world.accepts_stored(&of), "{seconds} s: in minute {now}");
        }
        assert_eq!(world.requests(), requests_in_two_hours, "{seconds} s");
    }
}

#[tokio::test]
async fn in_a_slow_run_each_lease_and_token_has_its_own_time() {
    const SLOW: Duration = Duration::from_secs(50);
    for now in 0..2 {
        let world = Tokens::valid_for(HOUR);
        world.now().clock.set(minute(now));
        world.now().takes = feeds().into_iter().map(|feed| (feed, SLOW)).collect();
        let current_status = renewed(&world.keeper(), world.clock()).await.expect("the store is up");
        let requests = world.now().requests.clone();
        let (first, second) = (&requests[0], &requests[1]);
        let stored = world.now().stored.clone();
        assert_eq!((stored[first].issued_at, stored[second].issued_at), (minute(now), minute(now).plus(SLOW)));
        assert_eq!(current_status.left[first], HOUR - SLOW * 2, "reported by the clock at that time");

        // The lease of the token that is not granted lasts for its whole duration.
        world.now().clock.set(minute(60));
        world.now().unanswered = feeds().into_iter().collect();
        renewed(&world.keeper(), world.clock()).await.expect("the store is up");
        let last = world.now().requests[3].clone();
        let leased_until = world.now().leased_until.clone();
        assert_eq!(leased_until[&last], minute(60).plus(SLOW + Duration::from_secs(55)));
        let rival = renewed_at(&world.keeper(), minute(60).plus(SLOW * 2)).await.expect("the store is up");
        assert_eq!((failed(&rival).len(), world.requests()), (1, 5), "only the lease of the first token has ended");
    }
}

/// A provider that responds only when all organizations have sent their request.
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
async fn all_due_tokens_are_requested_concurrently_and_stored_together() {
    let world = Tokens::valid_for(HOUR);
    let keeper = TokenKeeper::new(world.clone(), Together(world.clone(), Barrier::new(2)), feeds());
    let current_status = renewed_at(&keeper, minute(0));
    let current_status = timeout(Duration::from_secs(5), current_status)
        .await
        .expect("no request waits for the response to another one");
    assert_eq!(failed(&current_status.expect("the store is up")).len(), 0);
    assert!(feeds().iter().all(|feed| world.accepts_stored(feed)));
    assert_eq!(world.now().stores, 1);
}

#[tokio::test]
async fn tokens_that_fell_out_of_step_are_renewed_together_again_in_one_write() {
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
    // The first write and the late one, and from then on one every 48 minutes.
    let stores = world.now().stores;
    assert_eq!(stores, 2 + (24 * 60 - 1) / 48);
    // Neither token is renewed together with the other before three quarters of its lifetime.
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
async fn a_retry_after_is_respected_while_the_token_is_valid_and_for_at_most_an_hour() {
    let each = |from: i64, to: i64| (from..to).collect::<Vec<_>>();
    // A token with a lifetime of an hour has 12 minutes left in minute 48.
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
    // A token with a lifetime of a day has 288 minutes left in minute 1152.
    for (retry_after, asked) in [(3600, [1152, 1212, 1272]), (86_400, [1152, 1212, 1272]), (1800, [1152, 1182, 1212])] {
        assert_eq!(asked_in(DAY, Some(retry_after), 1150..1300).await[..3], asked, "{retry_after}");
    }
}

#[tokio::test]
async fn backing_off_for_one_organization_does_not_affect_the_others() {
    let (world, of) = (Tokens::valid_for(DAY), feed("connect"));
    run(&world, minute(0)).await;
    world.now().unanswered.insert(of.clone());
    world.now().retry_after = Some(HOUR);
    assert_eq!(failed(&run(&world, minute(1152)).await), ["connect"]);
    let (requests, refused) = (world.requests(), world.revoke_stored(&of));
    for now in 1153..1212 {
        let rejected =
            world.keeper().other_than(&refused, &of, || minute(now)).await.expect_err("no request is allowed");
        assert!(matches!(rejected, TokenError::BeingRenewed(_)), "{rejected:?}");
    }
    assert_eq!(world.requests(), requests);
    world.revoke_stored(&feed("connect/acme"));
    assert!(world.keeper().other_than(&refused, &feed("connect/acme"), || minute(1153)).await.is_ok());
    // The failed request is reported even if the back-off time cannot be stored.
    world.now().on_back_off = Fail::Always;
    assert_eq!(failed(&run(&world, minute(1212)).await), ["connect"]);
}

#[tokio::test]
async fn a_token_that_could_not_be_stored_is_used_and_the_failure_is_logged() {
    let (world, of) = (Tokens::valid_for(HOUR), feed("connect"));
    world.now().on_store = Fail::Always;
    let lines = crate::support::logs::logged(async {
        let token = world.keeper().token(&of, || minute(0)).await.expect("it was granted");
        assert!(world.accepts(&of, &token.access_token) && token.is_new);
        assert!(!format!("{token:?}").contains(SECRET_PART));
    })
    .await;
    assert!(lines.contains("ERROR") && lines.contains("could not store the access tokens: it is down"), "{lines}");
    assert!(!lines.contains(SECRET_PART), "{lines}");
}

#[tokio::test]
async fn while_tokens_cannot_be_stored_each_run_fails_and_requests_no_others() {
    let world = Tokens::valid_for(HOUR);
    let keeper = world.keeper();
    world.now().on_store = Fail::Always;
    for now in 0..40 {
        world.now().clock.set(minute(now));
        let current_status = renewed_at(&keeper, minute(now)).await.expect("the tokens are read");
        assert_eq!((failed(&current_status).len(), world.requests()), (2, 2), "in minute {now}");
        assert!(
            current_status.left.values().all(Duration::is_zero),
            "in minute {now}: a token that is not stored is not reported as valid"
        );
    }
    world.now().on_store = Fail::Never;
    renewed_at(&keeper, minute(40)).await.expect("the store is up");
    let stored = world.now().stored.clone();
    assert!(stored.values().all(|token| token.issued_at == minute(0)) && stored.len() == 2);
    assert_eq!(world.requests(), 2, "the token from minute 0 is stored");

    // A token that could not be stored before it was due is replaced.
    let world = Tokens::valid_for(HOUR);
    let keeper = world.keeper();
    world.now().on_store = Fail::Always;
    for now in [0, 48] {
        renewed_at(&keeper, minute(now)).await.expect("the tokens are read");
    }
    assert_eq!(world.requests(), 4);
}

#[tokio::test]
async fn a_store_that_is_down_is_an_error_and_the_next_run_recovers() {
    for (down, fails_whole_run) in [("load", true), ("feeds", true), ("lease", false), ("store", false)] {
        let world = Tokens::valid_for(HOUR);
        run(&world, minute(0)).await;
        world.set(down, Fail::Always);
        world.now().clock.set(minute(48));
        let result = renewed_at(&world.keeper(), minute(48)).await;
        let is_reported = result
            .as_ref()
            .map_or(fails_whole_run, |current_status| !fails_whole_run && failed(current_status) == FEEDS);
        assert!(is_reported, "{down}: {result:?}");
        assert!(feeds().iter().all(|feed| world.accepts_stored(feed)), "{down}");
        world.set(down, Fail::Never);
        assert!(run(&world, minute(49)).await.failures.is_empty());
        let stored = world.now().stored.clone();
        assert!(stored.values().all(|token| token.issued_at == minute(49)), "{down}");
    }
}

#[tokio::test]
async fn a_token_from_a_wrong_clock_is_renewed_if_its_times_are_implausible() {
    // The error of the first clock in seconds, and whether the next run renews the token with a lifetime of an hour.
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
        assert_eq!(world.requests(), if is_renewed { 2 } else { 0 }, "clock error {error} s");
        let stored = world.now().stored.clone();
        assert!(stored.values().all(|token| token.issued_at == at(START)) == (is_renewed || error == 0));
    }
}

#[tokio::test]
async fn a_lease_from_a_clock_that_is_hours_ahead_is_ignored() {
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

/// Two days with a clock whose error changes now and then: its error in each minute, and the number of changes.
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
async fn with_a_clock_that_is_wrong_by_minutes_or_hours_the_provider_accepts_the_stored_tokens() {
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (errors, jumps) =
            clock_errors(&mut rng, |rng| [0, rng.i64(-290..290), 7200 * rng.i64(-5..=5)][rng.usize(0..3)]);
        let world = Tokens::valid_for(HOUR);
        for (now, error) in (0..).zip(errors) {
            world.now().clock.set(minute(now));
            let current_status =
                renewed_at(&world.keeper(), at(START + 60 * now + error)).await.expect("the store is up");
            assert!(current_status.failures.is_empty(), "seed {seed}, minute {now}");
            let accepted = feeds().iter().all(|feed| world.accepts_stored(feed));
            assert!(accepted, "seed {seed}, minute {now}, clock error {error} s");
        }
        let renewals = world.requests() / 2;
        assert!(renewals <= 2 * 24 * 60 / 48 + 1 + jumps, "seed {seed}: {renewals} renewals, {jumps} jumps");
    }
}

#[tokio::test]
async fn with_any_clock_a_rejected_caller_gets_an_accepted_token_within_two_runs() {
    // A clock that was set back by half a lifetime makes a token look younger than it is: only the provider's rejection shows it.
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (errors, _) = clock_errors(&mut rng, |rng| rng.i64(-36_000..36_000));
        let (world, of) = (Tokens::valid_for(HOUR), feed("connect"));
        let mut without = 0;
        for (now, error) in (0..).zip(errors) {
            world.now().clock.set(minute(now));
            let (keeper, shown) = (world.keeper(), at(START + 60 * now + error));
            renewed_at(&keeper, shown).await.expect("the store is up");
            let is_served = match keeper.token(&of, || shown).await {
                Ok(token) if world.accepts(&of, &token.access_token) => true,
                Ok(rejected) => match keeper.other_than(&rejected.access_token, &of, || shown).await {
                    Ok(other) => world.accepts(&of, &other.access_token),
                    Err(_) => false,
                },
                Err(_) => false,
            };
            without = if is_served { 0 } else { without + 1 };
            assert!(without < 2, "seed {seed}, minute {now}, clock error {error} s");
        }
    }
}

#[tokio::test]
async fn a_stored_token_is_used_while_it_is_valid_and_otherwise_a_new_one_is_requested() {
    let world = Tokens::valid_for(HOUR);
    let (keeper, of) = (world.keeper(), feed("connect"));
    for (now, requests) in [(0, 1), (1, 1), (48, 1), (59, 1), (60, 2), (119, 2), (500, 3)] {
        world.now().clock.set(minute(now));
        let token = keeper.token(&of, || minute(now)).await.expect("a token");
        assert!(world.accepts(&of, &token.access_token), "at minute {now}");
        assert_eq!(world.requests(), requests, "at minute {now}");
        assert!(world.accepts_stored(&of), "the token is stored");
    }
}

#[tokio::test]
async fn for_an_organization_without_credentials_no_token_is_requested() {
    let world = Tokens::valid_for(HOUR);
    let acme = feed("connect/acme");
    world.now().known.remove(&acme);
    for now in 0..100 {
        let current_status = run(&world, minute(now)).await;
        assert!(current_status.failures.is_empty(), "this is not a failure");
        assert_eq!(current_status.left.into_keys().collect::<Vec<_>>(), [feed("connect")]);
    }
    assert_eq!(world.now().requests, [feed("connect"), feed("connect"), feed("connect")]);
    assert_eq!(world.keeper().feeds().await.expect("known"), [feed("connect")]);

    let leases = world.now().leases;
    let none = world.keeper().token(&acme, || minute(100)).await.expect_err("there are no credentials");
    assert_eq!(chain(&none), "no credentials for connect/acme; add them to the secret ConnectApiSecret");
    assert_eq!(world.now().leases, leases, "no lease is taken");
    // Credentials that are added later are found without a deployment.
    world.now().known.insert(acme.clone());
    run(&world, minute(101)).await;
    assert!(world.accepts_stored(&acme));
}

#[tokio::test]
async fn neither_debug_nor_logs_nor_errors_show_a_token() {
    let world = Tokens::valid_for(HOUR);
    let lines = crate::support::logs::logged(async {
        let current_status = run(&world, minute(0)).await;
        world.now().unanswered = feeds().into_iter().collect();
        let failing = run(&world, minute(48)).await;
        let token = world.revoke_stored(&feed("connect"));
        let refused =
            world.keeper().other_than(&token, &feed("connect"), || minute(49)).await.expect_err("the provider is down");
        let stored: Vec<StoredToken> = world.now().stored.values().cloned().collect();
        assert!(stored.iter().all(|stored| stored.access_token.expose_secret().contains(SECRET_PART)));
        let shown = format!("{current_status:?} {failing:?} {token:?} {refused:?} {} {stored:?}", chain(&refused));
        assert!(!shown.contains(SECRET_PART), "{shown}");
    })
    .await;
    assert!(lines.contains("renewed the access token of connect"), "{lines}");
    assert!(!lines.contains(SECRET_PART), "{lines}");
}
