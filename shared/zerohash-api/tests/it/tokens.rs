//! Tokens for the SDK: what is sent, what is accepted, and what no error shows.

use fundhook_zerohash_api::{ApiError, ClientAuthTokenRequest, DepositDetails, Permission, WithdrawalDetails};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::{Answer, Provider, TOKEN, assert_shows_no_secret, credentials, now};

async fn sent(request: &ClientAuthTokenRequest) -> String {
    let answer = json!({"message": {"token": TOKEN}}).to_string();
    let provider = Provider::answering([Answer::json(201, answer)]).await;
    provider.client().client_auth_token(&credentials(), request, now()).await.expect("a token");
    let asked = provider.asked_once();
    assert_eq!((asked.method.as_str(), asked.path_and_query.as_str()), ("POST", "/client_auth_token"));
    String::from_utf8(asked.body.to_vec()).expect("text")
}

#[tokio::test]
async fn a_token_is_requested_as_the_documents_show_it() {
    let details = WithdrawalDetails {
        quoted_asset: "USD".to_owned(),
        withdrawal_request_amount: "200".to_owned(),
        external_account_id: None,
        account_label: None,
    };
    let mut funding = ClientAuthTokenRequest::funding("CUST01");
    funding.deposit_details = Some(DepositDetails { deposit_amount: Some("5".to_owned()), ..Default::default() });
    funding.others.insert("client_device_info".to_owned(), json!({"ip_address": "198.51.100.7"}));
    for (request, body) in [
        (
            ClientAuthTokenRequest::funding("CUST01").with_reference_id("abc123"),
            r#"{"participant_code":"CUST01","permissions":["fwc"],"reference_id":"abc123"}"#,
        ),
        (
            ClientAuthTokenRequest::recovery("CUST01"),
            r#"{"participant_code":"CUST01","permissions":["auth"],"recovery":"true"}"#,
        ),
        (
            ClientAuthTokenRequest::withdrawal("CUST01", details),
            r#"{"participant_code":"CUST01","permissions":["crypto-withdrawals"],"withdrawal_details":{"quoted_asset":"USD","withdrawal_request_amount":"200"}}"#,
        ),
        (
            funding,
            r#"{"participant_code":"CUST01","permissions":["fwc"],"deposit_details":{"deposit_amount":"5"},"client_device_info":{"ip_address":"198.51.100.7"}}"#,
        ),
        (
            ClientAuthTokenRequest::new("CUST01", vec!["csp-recovery".parse().expect("a permission")]),
            r#"{"participant_code":"CUST01","permissions":["csp-recovery"]}"#,
        ),
    ] {
        assert_eq!(sent(&request).await, body);
    }
    assert!("two words".parse::<Permission>().is_err() && "".parse::<Permission>().is_err());
}

#[tokio::test]
async fn the_ids_of_a_token_are_returned_and_the_token_is_not_shown() {
    let answer = json!({"message": {"token": TOKEN, "deposit_intent_id": "d-1", "payment_id": null, "more": {}}});
    let provider = Provider::answering([Answer::json(201, answer.to_string())]).await;
    let request = ClientAuthTokenRequest::funding("CUST01");
    let token = provider.client().client_auth_token(&credentials(), &request, now()).await.expect("a token");
    assert_eq!(token.token.expose_secret(), TOKEN);
    assert_eq!((token.deposit_intent_id.as_deref(), token.payment_id), (Some("d-1"), None));
    assert!(!format!("{:?} {:?}", token.token, credentials()).contains("canary"));
}

#[tokio::test]
async fn a_request_that_cannot_be_valid_is_not_sent() {
    let provider = Provider::saying("{}").await;
    let mut repeated = ClientAuthTokenRequest::funding("CUST01");
    repeated.others.insert("recovery".to_owned(), json!("true"));
    for (request, problem) in [
        (ClientAuthTokenRequest::funding(" "), "participant_code is empty"),
        (ClientAuthTokenRequest::new("CUST01", Vec::new()), "permissions is empty"),
        (
            ClientAuthTokenRequest::funding("CUST01").with_reference_id(&"x".repeat(51)),
            "reference_id has 51 characters",
        ),
        (ClientAuthTokenRequest::funding("CUST01").with_reference_id(""), "reference_id has 0 characters"),
        (repeated, "others contains recovery"),
    ] {
        let error = provider.client().client_auth_token(&credentials(), &request, now()).await.expect_err(problem);
        assert!(matches!(&error, ApiError::InvalidRequest(said) if said.starts_with(problem)), "{error}");
    }
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn no_error_shows_the_user_the_reference_or_the_credentials() {
    let body = json!({"error": true, "message": "canary-code and CANARY-order with canary-key-7Qh, canary-phrase-9"});
    let provider = Provider::answering([Answer::json(403, body.to_string())]).await;
    let request = ClientAuthTokenRequest::funding("canary-code").with_reference_id("canary-order");
    let error = provider.client().client_auth_token(&credentials(), &request, now()).await.expect_err("403");
    assert_shows_no_secret(&error);
    assert!(error.to_string().ends_with("[hidden] and [hidden] with [hidden], [hidden]"), "{error}");

    for (answer, expected) in [
        (r#"{"token":"canary"}"#, "expected {message: {token, …}}"),
        (r#"{"message":{"token":""}}"#, "expected a token that is not empty"),
        (r#"{"message":{"token":null}}"#, "expected"),
    ] {
        let provider = Provider::answering([Answer::json(201, answer)]).await;
        let error = provider.client().client_auth_token(&credentials(), &request, now()).await.expect_err(answer);
        assert!(matches!(error, ApiError::UnexpectedShape { .. }) && error.to_string().contains(expected), "{error}");
        assert_shows_no_secret(&error);
        provider.asked_once();
    }
}

#[tokio::test]
async fn a_token_is_revoked_by_a_response_without_content() {
    let provider = Provider::answering([Answer::json(204, "")]).await;
    provider.client().revoke_auth_token(&credentials(), &TOKEN.to_owned().into(), now()).await.expect("revoked");
    let asked = provider.asked_once();
    assert_eq!(asked.path_and_query, "/revoke_auth_token");
    assert_eq!(asked.json(), json!({ "token": TOKEN }));

    let provider =
        Provider::answering([Answer::json(404, json!({ "error": format!("no {TOKEN}") }).to_string())]).await;
    let revoked = provider.client().revoke_auth_token(&credentials(), &TOKEN.to_owned().into(), now()).await;
    let error = revoked.expect_err("404");
    assert!(error.to_string().ends_with("status 404, expected 2xx: no [hidden]"), "{error}");
}
