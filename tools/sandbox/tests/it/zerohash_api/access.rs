//! Who may read the API, and what a stranger is told.

use fundhook_sandbox::{ApiPath, loopback_client};
use fundhook_zerohash_api::{
    AccountsQuery, ApiError, Brackets, Credentials, DepositsQuery, FundTransactionsQuery, Refusal, TimeWindow,
};
use serde_json::{Value, json};

use super::{Zerohash, client, credentials_of, feed, fund, settings};

#[tokio::test]
async fn each_organization_has_its_own_stable_credentials_and_lists() {
    let zerohash = Zerohash::start().await;
    let feeds = ["zerohash", "zerohash/acme", "connect/bolt"].map(feed);
    let secret = zerohash.sandbox.zerohash_api_secret(&feeds).await.expect("it has credentials");
    let organizations: Vec<&String> = secret.as_object().expect("an object").keys().collect();
    assert_eq!(organizations, ["acme", "default"]);
    assert_ne!(secret["acme"], secret["default"]);
    assert_eq!(zerohash.sandbox.zerohash_api_secret(&feeds).await.expect("again"), secret);

    zerohash.sign("zerohash", &fund(1)).await;
    zerohash.sign("zerohash/acme", &fund(2)).await;
    let acme = credentials_of(&zerohash.sandbox, "zerohash/acme").await;
    for (credentials, expected) in [(&zerohash.credentials, "f-001"), (&acme, "f-002")] {
        let query = FundTransactionsQuery::default();
        let page = zerohash.client.fund_transactions(credentials, &query, fundhook_runtime::now()).await;
        let typed = page.expect("a page").typed();
        assert_eq!(typed.len(), 1);
        assert_eq!(typed[0].as_ref().expect("a row").fund_id, expected);
    }
}

/// What the API says to these credentials.
async fn refused(zerohash: &Zerohash, credentials: &Credentials) -> String {
    let query = AccountsQuery::default();
    let error = zerohash.client.accounts(credentials, &query, fundhook_runtime::now()).await.expect_err("refused");
    assert_eq!(zerohash.client.refusal(&error), Some(Refusal::Credentials), "{error}");
    assert!(matches!(error, ApiError::Status { status: 403, .. }), "{error}");
    error.to_string().rsplit(": ").next().expect("a message").to_owned()
}

#[tokio::test]
async fn a_wrong_key_passphrase_or_secret_is_refused_and_counted() {
    let zerohash = Zerohash::start().await;
    let (own, acme) = (zerohash.credentials.clone(), credentials_of(&zerohash.sandbox, "zerohash/acme").await);
    for (credentials, message) in [
        (Credentials { api_key: "unknown".to_owned().into(), ..own.clone() }, "Invalid API key"),
        (Credentials { passphrase: acme.passphrase.clone(), ..own.clone() }, "Invalid passphrase"),
        (Credentials { secret: acme.secret.clone(), ..own.clone() }, "Invalid signature"),
    ] {
        assert_eq!(refused(&zerohash, &credentials).await, message);
    }
    let unsigned = loopback_client().get(format!("{}/accounts", zerohash.url)).send().await.expect("it answers");
    assert_eq!(unsigned.status().as_u16(), 403);
    let body: Value = unsigned.json().await.expect("JSON");
    assert_eq!(body, json!({ "error": true, "message": "Invalid API key" }));
    let counts = zerohash.sandbox.zerohash_counts().await.expect("it counts");
    assert_eq!((counts.refused.get(&ApiPath::Accounts), counts.answered.len()), (Some(&4), 0));
}

#[tokio::test]
async fn the_signature_covers_the_query_as_it_is_sent() {
    let zerohash = Zerohash::start().await;
    let window = TimeWindow { from: Some(fundhook_runtime::now()), ..Default::default() };
    let query = DepositsQuery { settled: window, ..Default::default() };
    let now = fundhook_runtime::now();
    zerohash.client.deposits(&zerohash.credentials, &query, now).await.expect("a page");
    let mut other = settings(&zerohash.url);
    other.brackets_signed = Brackets::Raw;
    let error =
        client(other).deposits(&zerohash.credentials, &query, now).await.expect_err("another string was signed");
    assert!(error.to_string().ends_with("Invalid signature"), "{error}");
}

#[tokio::test]
async fn a_signature_is_valid_for_a_minute_of_the_providers_clock_in_either_direction() {
    let zerohash = Zerohash::start().await;
    for (ahead, is_valid) in [(0, true), (55, true), (-55, true), (65, false), (-65, false)] {
        zerohash.sandbox.zerohash_clock_ahead(ahead).await.expect("the clock is set");
        let now = fundhook_runtime::now();
        let page = zerohash.client.accounts(&zerohash.credentials, &AccountsQuery::default(), now).await;
        assert_eq!(page.is_ok(), is_valid, "{ahead}");
        let skew = zerohash.client.time().await.expect("the time").skew(now);
        assert_eq!(skew.is_rejected(), !is_valid, "{ahead}: {skew:?}");
    }
}

#[tokio::test]
async fn a_request_id_is_echoed() {
    let zerohash = Zerohash::start().await;
    let request = loopback_client().get(format!("{}/time", zerohash.url)).header("X-Request-Id", "r-1");
    let answer = request.send().await.expect("it answers");
    assert_eq!(answer.headers().get("x-request-id").and_then(|id| id.to_str().ok()), Some("r-1"));
}
