//! Access tokens in Secrets Manager, one entry for each organization, and the leases on renewing them in the table.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_adapters::{Aws, KeySetTable, TokenStore, TokenStoreNames};
use fundhook_domain::{Feed, Provider, Timestamp};
use fundhook_ports::{AccessTokens, Disposition, KeySets, Lease, PortError, StoredToken, chain};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::server::{Answer, Server};
use crate::support::vault::{SECRET_ID, Vault};
use crate::support::{Local, TABLE, at};

const LEASE: Duration = Duration::from_secs(45);

fn feed() -> Feed {
    Provider::Connect.into()
}

fn tenant(name: &str) -> Feed {
    format!("connect/{name}").parse().expect("a feed")
}

fn names(secret_id: &str) -> TokenStoreNames {
    TokenStoreNames { secret_id: secret_id.to_owned(), table: TABLE.to_owned() }
}

fn store(aws: &Aws) -> TokenStore {
    TokenStore::new(aws, names(SECRET_ID))
}

/// The token `name`, granted at this time for an hour.
fn token(name: &str, seconds: i64) -> StoredToken {
    let access_token = format!("canary-{name}").into();
    StoredToken { access_token, issued_at: at(seconds), expires_at: at(seconds + 3600) }
}

fn one(feed: &Feed, token: &StoredToken) -> BTreeMap<Feed, StoredToken> {
    BTreeMap::from([(feed.clone(), token.clone())])
}

/// The entry of the secret for `token`.
fn entry(token: &StoredToken) -> Value {
    let StoredToken { access_token, issued_at, expires_at } = token;
    json!({ "access_token": access_token.expose_secret(), "issued_at": issued_at, "expires_at": expires_at })
}

/// The stored tokens with their exposed texts.
async fn loaded(store: &TokenStore) -> BTreeMap<Feed, (String, Timestamp, Timestamp)> {
    let tokens = store.load().await.expect("the secret is read");
    assert!(!format!("{tokens:?} {store:?}").contains("canary"), "Debug does not show them");
    tokens.into_iter().map(|(feed, token)| (feed, exposed(&token))).collect()
}

fn exposed(token: &StoredToken) -> (String, Timestamp, Timestamp) {
    (token.access_token.expose_secret().to_owned(), token.issued_at, token.expires_at)
}

#[tokio::test]
async fn tokens_of_several_organizations_are_stored_in_one_write() {
    let vault = Vault::holding("{}").await;
    let store = store(&vault.aws);
    let tokens = BTreeMap::from([(feed(), token("a", 0)), (tenant("acme"), token("b", 10))]);
    store.store(&tokens).await.expect("stored");
    assert_eq!(vault.asked(), ["GetSecretValue", "PutSecretValue"]);
    let expected = tokens.iter().map(|(feed, token)| (feed.clone(), exposed(token))).collect();
    assert_eq!(loaded(&store).await, expected);
}

#[tokio::test]
async fn a_stored_token_does_not_affect_those_of_other_organizations() {
    let vault = Vault::holding("{}").await;
    let store = store(&vault.aws);
    assert_eq!(loaded(&store).await, BTreeMap::new());
    let mut expected = BTreeMap::new();
    for (feed, token) in [
        (feed(), token("a", 0)),
        (tenant("acme"), token("b", 10)),
        // A renewed token replaces the previous one.
        (feed(), token("c", 2880)),
        (tenant("bolt"), token("d", 2900)),
    ] {
        store.store(&one(&feed, &token)).await.expect("stored");
        expected.insert(feed, exposed(&token));
        assert_eq!(loaded(&store).await, expected);
    }
    let held: Value = serde_json::from_str(&vault.held()).expect("JSON");
    let of = |name, seconds| entry(&token(name, seconds));
    assert_eq!(held, json!({ "default": of("c", 2880), "acme": of("b", 10), "bolt": of("d", 2900) }));
}

#[tokio::test]
async fn an_entry_that_names_no_organization_is_ignored_and_kept() {
    let odd = json!({ "Not A Tenant": entry(&token("odd", 0)), "acme": entry(&token("a", 0)) });
    let vault = Vault::holding(odd.to_string()).await;
    let store = store(&vault.aws);
    assert_eq!(loaded(&store).await.into_keys().collect::<Vec<_>>(), [tenant("acme")]);
    store.store(&one(&feed(), &token("b", 10))).await.expect("stored");
    let held: Value = serde_json::from_str(&vault.held()).expect("JSON");
    assert_eq!((&held["Not A Tenant"], &held["acme"]), (&odd["Not A Tenant"], &odd["acme"]));
    assert_eq!(loaded(&store).await.into_keys().collect::<Vec<_>>(), [feed(), tenant("acme")]);
}

#[tokio::test]
async fn an_unreadable_secret_has_no_tokens_and_is_replaced() {
    for unreadable in [
        "",
        "canary",
        "[]",
        r#"{"default":"canary"}"#,
        r#"{"default":{"access_token":"canary"}}"#,
        r#"{"default":{"access_token":"canary","issued_at":"canary","expires_at":"2025-10-07T19:44:50Z"}}"#,
    ] {
        let vault = Vault::holding(unreadable).await;
        let store = store(&vault.aws);
        assert_eq!(loaded(&store).await, BTreeMap::new(), "{unreadable}");
        let new = token("a", 0);
        store.store(&one(&feed(), &new)).await.expect("stored");
        assert_eq!(loaded(&store).await, BTreeMap::from([(feed(), exposed(&new))]), "{unreadable}");
        assert_eq!(vault.asked(), ["GetSecretValue", "GetSecretValue", "PutSecretValue", "GetSecretValue"]);
    }
}

fn assert_shows_no_token(error: &PortError) {
    for told in [chain(error), format!("{error:?}")] {
        assert!(!told.contains("canary"), "{told}");
    }
    assert_eq!(error.disposition(), Disposition::Retry, "the next run tries again");
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_an_error_and_is_not_written() {
    let vault = Vault::holding("{}").await;
    let store = TokenStore::new(&vault.aws, names("another"));
    let unread = store.load().await.map(|_| ()).expect_err("the secret does not exist");
    // A secret that cannot be read may have the tokens of others, so it is not overwritten.
    let unstored = store.store(&one(&feed(), &token("a", 0))).await.expect_err("the secret does not exist");
    for error in [&unread, &unstored] {
        assert_shows_no_token(error);
        assert!(chain(error).contains("ResourceNotFoundException"), "{}", chain(error));
    }
    assert_eq!((vault.held().as_str(), vault.asked()), ("{}", vec!["GetSecretValue".to_owned(); 2]));
}

#[tokio::test]
async fn no_error_shows_a_token_even_if_the_response_repeats_it() {
    // Responses to the write: an error, and an unreadable one.
    let refused = json!({ "__type": "LimitExceededException", "Message": "too many versions" }).to_string();
    let (form, stored) = ("application/x-amz-json-1.1", json!({ "SecretString": "{}" }).to_string());
    for (status, garbage) in [(400, Some(refused)), (200, None)] {
        let stored = stored.clone();
        let server = Server::answering(move |asked| {
            let is_read = asked.header("x-amz-target").is_some_and(|target| target.ends_with("GetSecretValue"));
            let garbage = || garbage.clone().unwrap_or_else(|| format!("<{}>", asked.body));
            if is_read { Answer::new(200, form, stored.clone()) } else { Answer::new(status, form, garbage()) }
        });
        let server = server.await;
        let store = store(&Aws::local(&server.url, "test").expect("a local connection"));
        let error = store.store(&one(&feed(), &token("a", 0))).await.expect_err("the write fails");
        assert!(server.asked().iter().any(|asked| asked.body.contains("canary-a")), "the token was sent");
        assert_shows_no_token(&error);
    }
    // A response to the reading.
    let server = Server::always(Answer::new(200, form, r#"{"SecretString":"canary"#)).await;
    let store = store(&Aws::local(&server.url, "test").expect("a local connection"));
    assert_shows_no_token(&store.load().await.map(|_| ()).expect_err("the reading fails"));
}

/// How many of 20 concurrent callers got the lease.
async fn ask(store: &TokenStore, seconds: i64) -> usize {
    let mut askers = JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        askers.spawn(async move { store.lease(&feed(), at(seconds), LEASE).await.expect("an answer") });
    }
    askers.join_all().await.into_iter().filter(|won| *won).count()
}

#[tokio::test]
async fn of_twenty_concurrent_refreshers_one_gets_the_lease() {
    let local = Local::start().await;
    let store = store(&local.aws);
    for (seconds, winners) in [(0, 1), (1, 0), (44, 0), (45, 1), (46, 0), (89, 0), (90, 1)] {
        assert_eq!(ask(&store, seconds).await, winners, "after {seconds} s");
    }
    let item = local.item("token#connect").await.expect("the lease");
    assert!(!item.contains_key("version"), "the publisher must ignore it");
    assert!(!format!("{item:?}").contains("canary"));
}

#[tokio::test]
async fn a_lease_from_a_clock_far_ahead_is_ignored() {
    for (ahead, winners) in [(1, 0), (300, 0), (301, 1), (100_000_000, 1)] {
        let local = Local::start().await;
        let store = store(&local.aws);
        assert_eq!(ask(&store, ahead).await, 1);
        assert_eq!(ask(&store, 0).await, winners, "{ahead} s ahead");
    }
}

#[tokio::test]
async fn while_backing_off_no_caller_gets_the_lease_of_that_organization() {
    for (until, winners) in [(0, 1), (1, 0), (3600, 0), (3900, 0), (3901, 1)] {
        let local = Local::start().await;
        let store = store(&local.aws);
        store.back_off_until(&feed(), at(until)).await.expect("noted");
        assert_eq!(ask(&store, 0).await, winners, "until {until} s from now");
        assert!(store.lease(&tenant("acme"), at(0), LEASE).await.expect("an answer"));
        assert_eq!(ask(&store, until + 60).await, 1, "until {until} s from now: it has ended");
    }
}

#[tokio::test]
async fn releasing_a_lease_does_not_end_the_back_off() {
    let local = Local::start().await;
    let store = store(&local.aws);
    assert_eq!(ask(&store, 0).await, 1);
    store.back_off_until(&feed(), at(600)).await.expect("noted");
    store.release(&feed(), at(0), LEASE).await.expect("given back");
    assert_eq!((ask(&store, 599).await, ask(&store, 600).await), (0, 1));
}

#[tokio::test]
async fn the_lease_on_keys_does_not_affect_that_on_tokens() {
    let local = Local::start().await;
    let keys = KeySetTable::new(&local.aws, TABLE.to_owned());
    assert_eq!(keys.lease(&feed(), at(0), LEASE).await.expect("an answer"), Lease::Won);
    assert_eq!(ask(&store(&local.aws), 0).await, 1);
}

#[tokio::test]
async fn an_unreachable_table_is_an_error_to_be_retried() {
    let unreachable = Aws::local("http://127.0.0.1:9", "test").expect("a local connection");
    let error = store(&unreachable).lease(&feed(), at(0), LEASE).await.expect_err("the table is unreachable");
    assert_eq!(error.disposition(), Disposition::Retry);
}
