//! What the headers of a request are, and what its signature covers.

use std::time::Duration;

use fundhook_zerohash_api::{
    AbsentBody, Brackets, ClientAuthTokenRequest, DepositsQuery, FundRfqRequest, FundTransactionsQuery, Settings,
    TimeWindow,
};

use crate::support::{API_KEY, Answer, PASSPHRASE, Provider, client, credentials, now, settings};

const PAGE: &str = r#"{"message":[],"page":1,"page_size":50,"total_pages":0}"#;

#[tokio::test]
async fn a_list_is_requested_with_the_four_headers_a_request_id_and_the_signature_of_the_rule() {
    let provider = Provider::saying(PAGE).await;
    let query = FundTransactionsQuery::default();
    provider.client().fund_transactions(&credentials(), &query, now()).await.expect("a page");
    let asked = provider.asked_once();
    assert_eq!(asked.path_and_query, "/fund/transactions?page=1&page_size=50");
    assert_eq!(asked.header("x-scx-api-key"), API_KEY);
    assert_eq!(asked.header("x-scx-passphrase"), PASSPHRASE);
    assert_eq!(asked.header("x-scx-timestamp"), "1767225600");
    assert_eq!(asked.header("x-scx-signed"), "+CMMlwRBngxzXNJb/XCeN4Hr4XjMYTnHuzpFP53p8f0=");
    let id = asked.header("x-request-id");
    assert_eq!((id.len(), &id[14..15], id.split('-').count()), (36, "4", 5), "a UUID, version 4: {id}");
    assert!(asked.body.is_empty(), "the braces are signed and not sent");
}

#[tokio::test]
async fn the_body_of_a_post_is_signed_byte_for_byte_as_it_is_sent() {
    let provider = Provider::saying(r#"{"message":{"deposit_address":"0xbb02"}}"#).await;
    let quote = provider.client().fund_rfq(&credentials(), &FundRfqRequest::new("CUST01", "USDC.BASE"), now()).await;
    assert_eq!(quote.expect("a quote").deposit_address, "0xbb02");
    let asked = provider.asked_once();
    assert_eq!((asked.method.as_str(), asked.path_and_query.as_str()), ("POST", "/fund/rfq"));
    assert_eq!(asked.body, r#"{"participant_code":"CUST01","fund_asset":"USDC.BASE"}"#);
    assert_eq!(asked.header("x-scx-signed"), "Kor78rdEqsRiuY5/COEaLA+4qkjfsmXSZhw+IcNlge0=");
    assert_eq!(asked.header("content-type"), "application/json");
}

/// The signature of a window of deposits with these settings.
async fn signature(change: impl FnOnce(&mut Settings)) -> String {
    let provider = Provider::saying(PAGE).await;
    let mut settings = settings(&provider.url);
    change(&mut settings);
    let query = DepositsQuery { settled: TimeWindow { from: Some(now()), ..Default::default() }, ..Default::default() };
    client(settings).deposits(&credentials(), &query, now()).await.expect("a page");
    let asked = provider.asked_once();
    assert_eq!(asked.path_and_query, "/deposits?page=1&settle_timestamp%5Bgte%5D=1767225600000");
    asked.header("x-scx-signed").to_owned()
}

#[tokio::test]
async fn brackets_and_absent_bodies_are_signed_as_the_settings_say_and_sent_the_same() {
    let signatures = [
        signature(|_| ()).await,
        signature(|settings| settings.brackets_signed = Brackets::Raw).await,
        signature(|settings| settings.get_body_signed = AbsentBody::Nothing).await,
    ];
    assert_ne!(signatures[0], signatures[1]);
    assert_ne!(signatures[0], signatures[2]);
    assert_eq!(signatures[0], signature(|settings| settings.post_body_signed = AbsentBody::Nothing).await);
}

#[tokio::test]
async fn each_attempt_is_signed_at_its_own_time_and_keeps_the_request_id() {
    let wait = Answer::json(429, "").with("retry-after", "1");
    let token = Answer::json(201, r#"{"message":{"token":"t"}}"#);
    let provider = Provider::answering([wait, token]).await;
    let mut settings = settings(&provider.url);
    settings.retries.wait_max = Duration::from_secs(5);
    let request = ClientAuthTokenRequest::funding("CUST01");
    client(settings).client_auth_token(&credentials(), &request, now()).await.expect("a token");
    let asked = provider.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].header("x-request-id"), asked[1].header("x-request-id"));
    assert_eq!(asked[0].header("x-scx-timestamp"), "1767225600");
    let second: u64 = asked[1].header("x-scx-timestamp").parse().expect("seconds");
    assert!(second > 1_767_225_600, "{second}");
    assert_ne!(asked[0].header("x-scx-signed"), asked[1].header("x-scx-signed"));
}

#[tokio::test]
async fn the_clock_is_read_without_credentials() {
    let provider =
        Provider::saying(r#"{"message":{"epoch":1767225600123,"epoch_units":"ms","iso_8601":"2026-01-01T00:00:00Z"}}"#)
            .await;
    let time = provider.client().time().await.expect("the time");
    assert_eq!(time.now.to_string(), "2026-01-01T00:00:00.123Z");
    assert!(!time.skew(now()).is_rejected());
    let asked = provider.asked_once();
    assert_eq!(asked.path_and_query, "/time");
    assert!(["x-scx-api-key", "x-scx-signed"].iter().all(|name| asked.header(name).is_empty()));
}
