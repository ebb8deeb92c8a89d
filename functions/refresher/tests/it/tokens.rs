//! Access tokens beside key sets: neither keeps the other from being renewed, failures are told, and metrics say how long each
//! token still has.

use std::error::Error;
use std::time::Duration;

use fundhook_credentials::TokenError;
use fundhook_ports::chain;
use fundhook_ports::fakes::{Fail, Fake, KeySetApi, KeySetTable};
use refresher::{RefreshError, Tokens};
use secrecy::ExposeSecret as _;

use crate::support::tokens::{FEEDS, SECRET_PART, Tokens as World, TokensOfFeeds as _, feeds};
use crate::support::{JWKS, Told, feed, metrics_of, minute, told, with_tokens, world};

const HOUR: Duration = Duration::from_secs(3600);

/// One run over all of these.
async fn refreshed(
    table: &Fake<KeySetTable>,
    api: &Fake<KeySetApi>,
    tokens: &World,
    now: i64,
) -> Result<(), RefreshError> {
    tokens.now().clock = minute(now);
    with_tokens(table, api.clone(), &["connect"], Tokens::Kept(tokens.keeper())).handle(|| minute(now)).await
}

#[tokio::test]
async fn each_run_renews_the_tokens_that_are_due_and_the_key_sets_that_are() {
    let ((table, api), tokens) = (world(Some(JWKS)), World::valid_for(HOUR));
    for now in 0..480 {
        refreshed(&table, &api, &tokens, now).await.expect("all is up");
        assert!(feeds().iter().all(|feed| tokens.accepts_stored(feed)), "in minute {now}");
    }
    assert_eq!((tokens.requests(), api.now().fetches), (2 * 10, 96), "every 48 minutes, and every five");
}

#[tokio::test]
async fn tokens_are_renewed_though_no_key_set_is_and_key_sets_though_no_token_is() {
    let ((table, api), tokens) = (world(None), World::valid_for(HOUR));
    let failed = refreshed(&table, &api, &tokens, 0).await.expect_err("the provider of the key set is away");
    assert!(matches!(failed, RefreshError::KeySet(_)), "{failed:?}");
    assert!(feeds().iter().all(|feed| tokens.accepts_stored(feed)));

    let ((table, api), tokens) = (world(Some(JWKS)), World::valid_for(HOUR));
    let of_one = "an access token was not renewed: there is no access token for connect";
    let of_all = "the access tokens were not looked at";
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
async fn the_failure_of_one_organizations_token_is_returned_and_the_others_is_renewed() {
    for failing in FEEDS.map(feed) {
        let ((table, api), tokens) = (world(Some(JWKS)), World::valid_for(HOUR));
        tokens.now().unanswered.insert(failing.clone());
        let failed = refreshed(&table, &api, &tokens, 0).await.expect_err("one is not answered");
        assert!(matches!(&failed, RefreshError::Token(TokenError::Port(of, _)) if *of == failing), "{failed:?}");
        let why = "could not request an access token: status 503";
        assert_eq!(
            chain(&failed),
            format!("an access token was not renewed: there is no access token for {failing}: {why}")
        );
        for of in feeds() {
            assert_eq!(tokens.accepts_stored(&of), of != failing, "{of}");
        }
    }
}

#[tokio::test]
async fn no_failure_shows_a_token() {
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
async fn unfit_settings_of_the_api_are_told_in_each_run_and_keep_no_key_set_from_being_refreshed() {
    let (table, api) = world(Some(JWKS));
    let invalid = Tokens::of(Err::<Option<_>, Box<dyn Error + Send + Sync>>("no JSON object".into()));
    let refresher = with_tokens(&table, api.clone(), &["connect"], invalid);
    for (now, fetches) in [(0, 1), (1, 1), (4, 1), (5, 2)] {
        let failed = refresher.handle(|| minute(now)).await.expect_err("the settings are unfit");
        let why = "no access token is renewed, since the settings of the provider's API are unfit: no JSON object";
        assert_eq!(chain(&failed), why);
        assert_eq!(api.now().fetches, fetches, "in minute {now}");
    }
}

#[tokio::test]
async fn without_an_api_no_token_is_asked_for() {
    let (table, api) = world(Some(JWKS));
    let refresher = with_tokens(&table, api.clone(), &["connect"], Tokens::Unused);
    refresher.handle(|| minute(0)).await.expect("there is a key set, and nothing else");
    assert_eq!(api.now().fetches, 1);
}

#[test]
fn how_long_each_token_still_has_is_reported_in_each_run_whether_it_was_renewed_or_not() {
    let of =
        |default: &[u64], acme: &[u64]| -> Told { [(None, default.to_vec()), (Some("acme"), acme.to_vec())].into() };
    // Before any is renewed, and once more of each that was.
    for (run, left) in [
        ("a_run_that_renews_all", of(&[0, 3600], &[0, 3600])),
        ("a_run_in_which_none_is_due", of(&[1800], &[1800])),
        ("a_run_in_which_one_is_not_answered", of(&[0, 3600], &[600])),
        ("a_run_after_one_has_ended", of(&[0, 3600], &[0])),
        ("a_run_in_which_one_was_never_had", of(&[0, 3600], &[0])),
        ("a_run_of_one_without_credentials", [(None, vec![0, 3600])].into()),
        ("a_run_in_which_it_is_not_known_who_has_credentials", [(Some("acme"), vec![600])].into()),
        ("a_run_that_cannot_read_the_tokens", Told::new()),
    ] {
        assert_eq!(told(&metrics_of(&format!("tokens::{run}")), "TokenSecondsLeft"), left, "{run}");
    }
}

/// One run in that minute, after `change`, whatever comes of it.
async fn run(now: i64, change: impl Fn(&World)) {
    let ((table, api), tokens) = (world(Some(JWKS)), World::valid_for(HOUR));
    change(&tokens);
    refreshed(&table, &api, &tokens, now).await.ok();
}

fn away(tokens: &World) {
    tokens.now().unanswered.insert(feed("connect/acme"));
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_run_that_renews_all() {
    run(0, |_| ()).await;
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_run_in_which_none_is_due() {
    run(30, |tokens| {
        for feed in feeds() {
            tokens.store_granted(&feed, minute(0));
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_run_in_which_one_is_not_answered() {
    run(50, |tokens| {
        tokens.store_granted(&feed("connect/acme"), minute(0));
        away(tokens);
    })
    .await;
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_run_after_one_has_ended() {
    run(500, |tokens| {
        tokens.store_granted(&feed("connect/acme"), minute(0));
        away(tokens);
    })
    .await;
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_run_in_which_one_was_never_had() {
    run(0, away).await;
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_run_of_one_without_credentials() {
    run(0, |tokens| tokens.now().known.retain(|of| *of == feed("connect"))).await;
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_run_that_cannot_read_the_tokens() {
    run(0, |tokens| tokens.now().on_load = Fail::Always).await;
}

#[tokio::test]
#[ignore = "started by the test of what it prints"]
async fn a_run_in_which_it_is_not_known_who_has_credentials() {
    run(50, |tokens| {
        tokens.store_granted(&feed("connect/acme"), minute(0));
        tokens.now().on_feeds = Fail::Always;
    })
    .await;
}
