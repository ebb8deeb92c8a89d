//! Wherever a refresher crashes, fails, or is overtaken by another one, the state after the next run is the same as without it.
//!
//! There is a step before and a step after each call to a port, so before and after the effect of the call. The list of steps
//! is recorded from a run.

use std::collections::BTreeMap;

use fundhook_credentials::{RUN_INTERVAL, rotate_by_run};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::StoredKeySet;
use fundhook_ports::fakes::{ByFeed, KeySetApi, KeySetTable, Run, Stepped, Steps};
use refresher::{RefreshError, Refresher};

use crate::support::tokens::{Tokens, TokensOfFeeds as _, feeds};
use crate::support::{JWKS, LAST_GOOD_MAX, NEXT_JWKS, START, at, by_feed, feed, fingerprint, minute, stored};

/// Feeds whose key set has changed, has not changed, and was never fetched.
const FEEDS: [&str; 3] = ["connect", "connect/acme", "connect/bolt"];

/// The minute of the disturbed run: everything stored is due.
const RUN: i64 = 48;

type SteppedRefresher =
    Refresher<Stepped<ByFeed<KeySetTable>>, Stepped<ByFeed<KeySetApi>>, Stepped<Tokens>, Stepped<Tokens>>;

/// What all refreshers share.
#[derive(Debug)]
struct World {
    tables: ByFeed<KeySetTable>,
    apis: ByFeed<KeySetApi>,
    tokens: Tokens,
}

/// What must be the same at the end: key sets without their times, and tokens without their text.
#[derive(Debug, PartialEq)]
struct End {
    sets: BTreeMap<Feed, (String, Vec<String>, Option<String>, u64)>,
    tokens: BTreeMap<Feed, (bool, u64)>,
}

impl World {
    fn new() -> Self {
        let (tables, apis) = (ByFeed::<KeySetTable>::new(FEEDS.map(feed)), ByFeed::<KeySetApi>::new(FEEDS.map(feed)));
        let tokens = Tokens::valid_for(std::time::Duration::from_secs(3600));
        for (name, held, served, etag) in [
            ("connect", Some(JWKS), NEXT_JWKS, Some("\"v2\"")),
            ("connect/acme", Some(JWKS), JWKS, Some("\"v1\"")),
            ("connect/bolt", None, NEXT_JWKS, None),
        ] {
            let held = held.map(|jwks| StoredKeySet { etag: Some("\"v1\"".to_owned()), ..stored(jwks, START) });
            tables.of(&feed(name)).now().stored = held;
            apis.of(&feed(name)).now().serves = Some(served.to_owned());
            apis.of(&feed(name)).now().etag = etag.map(str::to_owned);
        }
        for feed in feeds() {
            tokens.store_granted(&feed, at(START));
        }
        tokens.now().clock.set(minute(RUN));
        Self { tables, apis, tokens }
    }

    fn refresher(&self, steps: &Steps) -> SteppedRefresher {
        let tokens = || Stepped(self.tokens.clone(), steps.clone());
        let keeper = fundhook_credentials::TokenKeeper::new(tokens(), tokens(), feeds());
        let (tables, apis) = (Stepped(self.tables.clone(), steps.clone()), Stepped(self.apis.clone(), steps.clone()));
        Refresher::new(
            tables,
            apis,
            FEEDS.map(feed).to_vec(),
            LAST_GOOD_MAX,
            refresher::Tokens::Kept(keeper),
            by_feed(),
        )
    }

    /// The run after the disturbed one.
    fn next_run(&self) {
        self.tokens.now().clock.set(minute(RUN + 1));
        whole_run(self, minute(RUN + 1)).expect("this run is not disturbed");
    }

    fn end(&self) -> End {
        let sets = self.tables.0.iter().map(|(feed, table)| {
            let set = table.now().stored.clone().expect("one is stored");
            assert_eq!(set.fingerprint, fingerprint(&set.jwks));
            let held_seconds = set.fresh_until.since(set.fetched_at).as_secs();
            assert!(set.fetched_at >= minute(RUN), "it was refreshed");
            (feed.clone(), (set.jwks, set.thumbprints, set.etag, held_seconds))
        });
        let sets = sets.collect();
        let stored = self.tokens.now().stored.clone();
        let tokens = stored.iter().map(|(feed, token)| {
            assert!(token.issued_at >= minute(RUN), "it was renewed");
            let lifetime = token.expires_at.since(token.issued_at).as_secs();
            (feed.clone(), (self.tokens.accepts_stored(feed), lifetime))
        });
        End { sets, tokens: tokens.collect() }
    }
}

/// An undisturbed run.
fn whole_run(world: &World, now: Timestamp) -> Result<(), RefreshError> {
    let steps = Steps::default();
    let refresher = world.refresher(&steps);
    Run::of(&steps, refresher.handle(|| now)).finish()
}

/// The state after an undisturbed run, and its steps.
fn undisturbed() -> (End, Vec<String>) {
    let (world, steps) = (World::new(), Steps::default());
    let refresher = world.refresher(&steps);
    Run::of(&steps, refresher.handle(|| minute(RUN))).finish().expect("all is up");
    (world.end(), steps.reached())
}

#[test]
fn a_run_has_these_steps() {
    let renewing = |name| ["reading", "fetching", "storing"].map(|call| format!("{call} the set of {name}"));
    let (mut calls, mut sets) = (Vec::<String>::new(), FEEDS);
    rotate_by_run(&mut sets, minute(RUN), RUN_INTERVAL);
    calls.extend(sets.map(|name| format!("reading the set of {name}")));
    calls.extend(sets.into_iter().flat_map(renewing));
    calls.extend(["reading the tokens", "reading the credentials"].map(str::to_owned));
    let own = |call: &str, name: &str| format!("{call} the token of {name}");
    let granting = |name: &str| [own("leasing", name), "reading the tokens".to_owned(), own("granting", name)];
    calls.extend([FEEDS[0], FEEDS[1]].into_iter().flat_map(granting));
    calls.push("storing the tokens".to_owned());
    calls.extend([FEEDS[0], FEEDS[1]].map(|name| own("releasing", name)));
    let steps: Vec<String> =
        calls.iter().flat_map(|call| [format!("before {call}"), format!("after {call}")]).collect();
    assert_eq!(undisturbed().1, steps);
}

#[test]
fn wherever_a_run_crashes_the_state_after_the_next_run_is_the_same() {
    let (expected, steps) = undisturbed();
    for (step, name) in steps.iter().enumerate() {
        let (world, stepping) = (World::new(), Steps::default());
        let refresher = world.refresher(&stepping);
        let mut run = Run::of(&stepping, refresher.handle(|| minute(RUN)));
        assert!(run.pass(step).is_none(), "it crashes {name}");
        drop(run);
        let lost = if world.tokens.now().stores == 0 { world.tokens.requests() } else { 0 };
        assert!(feeds().iter().all(|feed| world.tokens.accepts_stored(feed)), "{name}: a valid token is stored");
        world.next_run();
        assert_eq!(world.end(), expected, "crashed {name}");
        // Tokens that were granted and not stored are lost and requested again. Nothing else is requested twice.
        assert_eq!(world.tokens.requests(), 2 + lost, "crashed {name}");
        let fetches: usize = world.apis.0.values().map(|api| api.now().fetches).sum();
        let lost = name.starts_with("after fetching") || name.contains("before storing the set");
        assert_eq!(fetches, 3 + usize::from(lost), "crashed {name}");
    }
}

#[test]
fn wherever_a_call_fails_the_run_fails_and_the_state_after_the_next_run_is_the_same() {
    let (expected, steps) = undisturbed();
    for (step, name) in steps.iter().enumerate() {
        let (world, stepping) = (World::new(), Steps::failing_at(step));
        let refresher = world.refresher(&stepping);
        let outcome = Run::of(&stepping, refresher.handle(|| minute(RUN))).finish();
        // A lease that cannot be released ends by itself.
        assert_eq!(outcome.is_ok(), name.contains("releasing"), "failed {name}: {outcome:?}");
        world.next_run();
        assert_eq!(world.end(), expected, "failed {name}");
    }
}

#[test]
fn a_failure_of_one_key_set_or_token_does_not_stop_the_others_in_the_same_run() {
    let (_, steps) = undisturbed();
    // A lease that cannot be released ends by itself.
    let is_released = |name: &String| name.contains("releasing");
    let of_one = |name: &&String| (name.contains("the set of") || name.contains("the token of")) && !is_released(name);
    for name in steps.iter().filter(of_one) {
        let step = steps.iter().position(|each| each == name).expect("it is one of them");
        let (world, stepping) = (World::new(), Steps::failing_at(step));
        let refresher = world.refresher(&stepping);
        let outcome = Run::of(&stepping, refresher.handle(|| minute(RUN))).finish();
        assert!(outcome.is_err(), "failed {name}");
        let fresh_sets = world.tables.0.values().filter(|table| {
            let set = table.now().stored.clone();
            set.is_some_and(|set| set.fetched_at == minute(RUN))
        });
        let (sets, stored) = (fresh_sets.count(), world.tokens.now().stored.clone());
        let tokens = stored.values().filter(|token| token.issued_at == minute(RUN)).count();
        let (of_set, is_stored) = (name.contains("the set of"), name.starts_with("after storing"));
        let lacking = usize::from(!is_stored);
        let expected = if of_set { (3 - lacking, 2) } else { (3, 2 - lacking) };
        assert_eq!((sets, tokens), expected, "failed {name}");
    }
}

#[test]
fn however_two_refreshers_interleave_the_state_is_as_after_one() {
    let (expected, steps) = undisturbed();
    for first_stops in 0..=steps.len() {
        for second_stops in 0..=steps.len() {
            let world = World::new();
            let (of_first, of_second) = (Steps::default(), Steps::default());
            let (first, second) = (world.refresher(&of_first), world.refresher(&of_second));
            let mut first = Run::of(&of_first, first.handle(|| minute(RUN)));
            let mut second = Run::of(&of_second, second.handle(|| minute(RUN)));
            let first_outcome = first.pass(first_stops);
            let second_outcome = second.pass(second_stops);
            let outcomes =
                [first_outcome.unwrap_or_else(|| first.finish()), second_outcome.unwrap_or_else(|| second.finish())];
            let why = format!("the first stood at step {first_stops}, the second at {second_stops}");
            assert!(outcomes.iter().all(Result::is_ok), "{why}: {outcomes:?}");
            assert_eq!(world.end(), expected, "{why}");
            assert_eq!(world.tokens.requests(), 2, "{why}: both together request each token once");
        }
    }
}

#[test]
fn a_crash_during_another_refreshers_run_is_recovered_by_the_next_run() {
    let (expected, steps) = undisturbed();
    for first_crashes in 0..=steps.len() {
        for second_stops in (0..=steps.len()).step_by(3) {
            let world = World::new();
            let (of_first, of_second) = (Steps::default(), Steps::default());
            let (first, second) = (world.refresher(&of_first), world.refresher(&of_second));
            let mut first = Run::of(&of_first, first.handle(|| minute(RUN)));
            let mut second = Run::of(&of_second, second.handle(|| minute(RUN)));
            let outcome = second.pass(second_stops);
            first.pass(first_crashes);
            drop(first);
            let outcome = outcome.unwrap_or_else(|| second.finish());
            let why = format!("the first crashed at step {first_crashes} while the second stood at {second_stops}");
            assert!(outcome.is_ok(), "{why}: {outcome:?}");
            world.next_run();
            assert_eq!(world.end(), expected, "{why}");
        }
    }
}
