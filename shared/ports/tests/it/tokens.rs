//! The table of access tokens and the provider that grants them.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_ports::fakes::{Clock, Fail, Fake, TokenService};
use fundhook_ports::{AccessTokens, RequestToken, StoredToken};

use crate::{at, feed};

const HOUR: Duration = Duration::from_secs(3600);
const LEASE: Duration = Duration::from_secs(55);

fn service() -> Fake<TokenService> {
    Fake::new(TokenService::new(Clock::at(at(0)), HOUR, ["connect", "connect/acme"].map(feed)))
}

#[tokio::test]
async fn a_lease_is_held_by_one_at_a_time_and_given_back_only_by_its_holder() {
    let (tokens, of) = (service(), feed("connect"));
    let lease = async |seconds| tokens.lease(&of, at(seconds), LEASE).await.expect("the table is up");
    assert!(lease(0).await && !lease(54).await && lease(55).await);
    assert!(
        tokens.lease(&feed("connect/acme"), at(55), LEASE).await.expect("the table is up"),
        "each feed has its own"
    );
    // The first lease is over; giving it back does not end the second one.
    tokens.release(&of, at(0), LEASE).await.expect("the table is up");
    assert!(!lease(60).await);
    tokens.release(&of, at(55), LEASE).await.expect("the table is up");
    assert!(lease(60).await);
}

#[tokio::test]
async fn during_a_back_off_nobody_gets_the_lease_unless_it_ends_too_far_ahead_to_be_believed() {
    for (until, is_given) in [(0, true), (1, false), (3900, false), (3901, true)] {
        let (tokens, of) = (service(), feed("connect"));
        tokens.back_off_until(&of, at(until)).await.expect("the table is up");
        assert_eq!(tokens.lease(&of, at(0), LEASE).await.expect("the table is up"), is_given, "until {until} s");
    }
}

#[tokio::test]
async fn the_provider_accepts_a_token_for_its_feed_until_it_expires_or_is_revoked() {
    let (tokens, of) = (service(), feed("connect"));
    let granted = tokens.request(&of).await.expect("it is answered").access_token;
    assert!(tokens.accepts(&of, &granted) && !tokens.accepts(&feed("connect/acme"), &granted));
    tokens.now().clock.set(at(3600));
    assert!(!tokens.accepts(&of, &granted), "expired");

    let stored = tokens.store_granted(&of, at(3600));
    assert!(tokens.accepts_stored(&of));
    tokens.revoke_stored(&of);
    assert!(!tokens.accepts(&of, &stored) && !tokens.accepts_stored(&of));
}

#[tokio::test]
async fn a_request_that_is_not_answered_takes_its_time_and_says_when_to_retry() {
    let (tokens, of) = (service(), feed("connect"));
    tokens.now().unanswered.insert(of.clone());
    tokens.now().retry_after = Some(HOUR);
    tokens.now().takes = BTreeMap::from([(of.clone(), LEASE)]);
    let failed = tokens.request(&of).await.expect_err("it is not answered");
    assert_eq!((failed.retry_after(), tokens.now().clock.now()), (Some(HOUR), at(55)));
    tokens.request(&feed("connect/bolt")).await.expect_err("it has no credentials");
    assert_eq!(tokens.requests(), 2);
}

#[tokio::test]
async fn tokens_are_stored_beside_those_of_other_feeds() {
    let tokens = service();
    let token = |text: &str| StoredToken { access_token: text.into(), issued_at: at(0), expires_at: at(3600) };
    for name in ["connect", "connect/acme"] {
        tokens.store(&BTreeMap::from([(feed(name), token(name))])).await.expect("the table is up");
    }
    tokens.now().on_store = Fail::Always;
    tokens.store(&BTreeMap::from([(feed("connect/bolt"), token("bolt"))])).await.expect_err("it is down");
    let stored = tokens.load().await.expect("the table is up");
    assert_eq!(stored.into_keys().collect::<Vec<_>>(), ["connect", "connect/acme"].map(feed));
    let service = tokens.now();
    assert_eq!((service.stores, service.loads), (3, 1));
}
