//! Access tokens and key sets: a failure of one does not stop the renewal of the other, failures are returned, and metrics say
//! for how long each token is still valid.

use std::error::Error;
use std::time::Duration;

use fundhook_credentials::TokenError;
use fundhook_ports::chain;
use fundhook_ports::fakes::{Fail, Fake, KeySetApi, KeySetTable};
use refresher::{RefreshError, Tokens};
use secrecy::ExposeSecret as _;

use crate::support::tokens::{FEEDS, SECRET_PART, Tokens as World, TokensOfFeeds as _, feeds};
use crate::support::{JWKS, Told, by_feed, feed, minute, telling, told, with_tokens, world};

const HOUR: Duration = Duration::from_secs(3600);

async fn refreshed(
    table: &Fake<KeySetTable>,
    api: &Fake<KeySetApi>,
    tokens: &World,
    now: i64,
) -> Result<(), RefreshError> {
    tokens.now().clock.set(minute(now));
    with_tokens(table, api.clone(), &["connect"], Tokens::Kept(tokens.keeper()), &by_feed())
        .handle(|| minute(now))
        .await
}

#[tokio::test]
async fn each_run_renews_the_tokens_and_key_sets_that_are_due() {
    let ((table, api), tokens) = (world(Some(JWKS)), World::valid_for(HOUR));
    for now in 0..480 {
        refreshed(&table, &api, &tokens, now).await.expect("all is up");
        assert!(feeds().iter().all(|feed| tokens.accepts_stored(feed)), "in minute {now}");
    }
    assert_eq!((tokens.requests(), api.now().fetches), (2 * 10, 96), "every 48 minutes, and every five");
}

#[tokio::test]
async fn tokens_are_renewed_when_key_sets_fail_and_key_sets_when_tokens_fail() {
    let ((table, api), tokens) = (world(None), World::valid_for(HOUR));
    let failed = refreshed(&table, &api, &tokens, 0).await.expect_err("the provider of the key set is down");
    assert!(matches!(failed, RefreshError::KeySet(_)), "{failed:?}");
    assert!(feeds().iter().all(|feed| tokens.accepts_stored(feed)));

    let ((table, api), tokens) = (world(Some(JWKS)), World::valid_for(HOUR));
    let of_one = "could not renew an access token: no access token for connect";
    let of_all = "could not read the access tokens or the API credentials";
    for (down, attempted, which) in [
        ("load", "load the access tokens", of_all),
        ("feeds", "read the credentials", of_all),
        ("lease", "take the lease", of_one),
    ] {
        tokens.take_down(down);
        let failed = refreshed(&table, &api, &tokens, 0).await.expect_err(down);
        assert_eq!(chain(&failed), format!("{which}: could not {attempted}: it is down"));
    }
    assert_eq!(api.now().fetches, 1);
}

#[tokio::test]
async fn the_failure_of_one_organizations_token_is_returned_and_the_other_one_is_renewed() {
    for failing in FEEDS.map(feed) {
        let ((table, api), tokens) = (world(Some(JWKS)), World::valid_for(HOUR));
        tokens.now().unanswered.insert(failing.clone());
        let failed = refreshed(&table, &api, &tokens, 0).await.expect_err("one request fails");
        assert!(matches!(&failed, RefreshError::Token(TokenError::Port(of, _)) if *of == failing), "{failed:?}");
        let why = "could not request an access token: status 503";
        assert_eq!(chain(&failed), format!("could not renew an access token: no access token for {failing}: {why}"));
        for of in feeds() {
            assert_eq!(tokens.accepts_stored(&of), of != failing, "{of}");
        }
    }
}

#[tokio::test]
async fn no_error_shows_a_token() {
    let ((table, api), tokens) = (world(Some(JWKS)), World::valid_for(HOUR));
    refreshed(&table, &api, &tokens, 0).await.expect("all is up");
    assert!(tokens.now().stored[&feed("connect")].access_token.expose_secret().contains(SECRET_PART));
    for down in ["load", "store", "lease", "feeds"] {
        tokens.take_down(down);
        let failed = refreshed(&table, &api, &tokens, 50).await.expect_err(down);
        assert!(!format!("{failed:?} {}", chain(&failed)).contains(SECRET_PART), "{failed:?}");
    }
}

#[tokio::test]
async fn invalid_settings_of_the_api_are_an_error_in_each_run_and_do_not_stop_key_sets() {
    let (table, api) = world(Some(JWKS));
    let invalid = Tokens::of(Err::<Option<_>, Box<dyn Error + Send + Sync>>("not a JSON object".into()));
    let refresher = with_tokens(&table, api.clone(), &["connect"], invalid, &by_feed());
    for (now, fetches) in [(0, 1), (1, 1), (4, 1), (5, 2)] {
        let failed = refresher.handle(|| minute(now)).await.expect_err("the settings are invalid");
        let why = "access tokens are not renewed because the settings of Connect's API are invalid: not a JSON object";
        assert_eq!(chain(&failed), why);
        assert_eq!(api.now().fetches, fetches, "in minute {now}");
    }
}

#[tokio::test]
async fn without_the_api_no_token_is_requested() {
    let (table, api) = world(Some(JWKS));
    let refresher = with_tokens(&table, api.clone(), &["connect"], Tokens::Unused, &by_feed());
    refresher.handle(|| minute(0)).await.expect("only a key set");
    assert_eq!(api.now().fetches, 1);
}

/// What is changed before a run.
type Prepare = fn(&World);

#[tokio::test]
async fn each_run_reports_for_how_long_each_token_is_valid() {
    let granted: Prepare = |tokens| {
        tokens.store_granted(&feed("connect/acme"), minute(0));
        acme_fails(tokens);
    };
    let all = |default: &[u64], acme: &[u64], worst: &[u64]| -> Told {
        telling([("default", default), ("acme", acme), ("worst", worst)])
    };
    // Before any renewal, and again after a renewal.
    let runs: [(&str, i64, Prepare, Told); 8] = [
        ("it renews all", 0, |_| (), all(&[0, 3600], &[0, 3600], &[0, 3600])),
        (
            "none is due",
            30,
            |tokens| {
                for feed in feeds() {
                    tokens.store_granted(&feed, minute(0));
                }
            },
            all(&[1800], &[1800], &[1800]),
        ),
        ("one request fails", 50, granted, all(&[0, 3600], &[600, 600], &[0, 600])),
        ("one has expired", 500, granted, all(&[0, 3600], &[0, 0], &[0, 0])),
        ("one was never granted", 0, acme_fails, all(&[0, 3600], &[0, 0], &[0, 0])),
        (
            "one has no credentials",
            0,
            |tokens| tokens.now().known.retain(|of| *of == feed("connect")),
            telling([("default", &[0, 3600]), ("worst", &[0, 3600])]),
        ),
        ("the tokens cannot be read", 0, |tokens| tokens.now().on_load = Fail::Always, Told::new()),
        (
            "the credentials cannot be read",
            50,
            |tokens| {
                tokens.store_granted(&feed("connect/acme"), minute(0));
                tokens.now().on_feeds = Fail::Always;
            },
            telling([("acme", &[600]), ("worst", &[600])]),
        ),
    ];
    for (run, now, prepare, left) in runs {
        let ((table, api), tokens, metrics) = (world(Some(JWKS)), World::valid_for(HOUR), by_feed());
        prepare(&tokens);
        tokens.now().clock.set(minute(now));
        let refresher = with_tokens(&table, api.clone(), &["connect"], Tokens::Kept(tokens.keeper()), &metrics);
        refresher.handle(|| minute(now)).await.ok();
        assert_eq!(told(&metrics, "TokenSecondsLeft"), left, "{run}");
    }
}

fn acme_fails(tokens: &World) {
    tokens.now().unanswered.insert(feed("connect/acme"));
}
