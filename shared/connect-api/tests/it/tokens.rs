//! Access tokens.

use std::time::Duration;

use fundhook_connect_api::ApiError;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::{Answer, Provider, SECRET, TOKEN, assert_shows_no_secret, client, credentials, settings};

fn granted(expires_in: &str) -> String {
    format!(r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":{expires_in},"scope":"new"}}"#)
}

#[tokio::test]
async fn a_token_request_has_the_three_fields_of_the_guide_and_no_others() {
    let provider = Provider::saying(&granted("86400")).await;
    let token = provider.client().request_token(&credentials()).await.expect("a token");
    assert_eq!(token.access_token.expose_secret(), TOKEN);
    assert_eq!((token.token_type.as_str(), token.expires_in), ("Bearer", Duration::from_secs(86_400)));
    let asked = provider.asked_once();
    assert_eq!((asked.method.as_str(), asked.path_and_query.as_str()), ("POST", "/oauth/token"));
    assert_eq!(asked.header("content-type"), "application/json");
    assert_eq!((asked.header("authorization"), asked.header("client-id")), ("", ""));
    let sent = json!({
        "client_id": "30da17fb-15b2-4723-a63c-0488356e1ed0",
        "client_secret": SECRET,
        "organization_id": "4242f55a-37af-47da-afaa-915de877405d",
    });
    assert_eq!(asked.json(), sent);
}

#[tokio::test]
async fn settings_select_the_form_of_the_published_openapi() {
    let provider = Provider::saying(&granted("3600")).await;
    let mut settings = settings(&provider.url);
    settings.path_prefix = "/api/v1".to_owned();
    settings.token_fields.insert("grant_type".to_owned(), "client_credentials".to_owned());
    client(settings).request_token(&credentials()).await.expect("a token");
    let asked = provider.asked_once();
    assert_eq!(asked.path_and_query, "/api/v1/oauth/token");
    assert_eq!(asked.json()["grant_type"], "client_credentials");
    assert_eq!(asked.json()["client_secret"], SECRET);
}

#[tokio::test]
async fn a_lifetime_of_zero_or_more_than_a_year_is_an_error() {
    for (seconds, is_valid) in
        [("1", true), ("\"3600\"", true), ("31536000", true), ("0", false), ("31536001", false), ("86400000", false)]
    {
        let provider = Provider::saying(&granted(seconds)).await;
        let token = provider.client().request_token(&credentials()).await;
        assert_eq!(token.is_ok(), is_valid, "{seconds}");
        if let Err(error) = token {
            assert!(matches!(error, ApiError::UnusableReply { .. }), "{error}");
            assert!(!error.is_transient());
        }
    }
}

#[tokio::test]
async fn an_invalid_grant_is_an_error_that_names_what_is_wrong() {
    for (answer, expected) in [
        (granted("-1"), "a whole number"),
        (granted("1.5"), "a whole number"),
        (granted("null"), "not empty"),
        (granted("1e9"), "a whole number"),
        (r#"{"access_token":"","token_type":"Bearer","expires_in":60}"#.to_owned(), "a token that is not empty"),
        (format!(r#"{{"access_token":{{"a":"{TOKEN}"}},"token_type":"Bearer"}}"#), "a string"),
        (format!(r#"{{"access_token":"{TOKEN}","token_type":"Bearer"}}"#), "missing field `expires_in`"),
        (format!(r#"{{"access_token":"{TOKEN}","token_type":"mac","expires_in":60}}"#), "type is not Bearer"),
        (format!(r#""{TOKEN}""#), "an unexpected shape"),
    ] {
        let provider = Provider::saying(&answer).await;
        let error = provider.client().request_token(&credentials()).await.map(|_| ()).expect_err(&answer);
        assert!(error.to_string().contains(expected), "{answer}: {error}");
        assert_shows_no_secret(&error);
    }
}

#[tokio::test]
async fn rejected_credentials_are_reported_with_the_providers_message_but_without_the_secret() {
    let body = json!({
        "error": "invalid_client",
        "error_description": format!("no client has the secret {SECRET}\nsorry"),
    });
    let provider = Provider::answering([Answer::json(401, body.to_string())]).await;
    let error = provider.client().request_token(&credentials()).await.map(|_| ()).expect_err("401");
    let expected = format!(
        "POST {}/oauth/token: unauthorized, status 401: invalid_client: no client has the secret [hidden] sorry",
        provider.url
    );
    assert_eq!(error.to_string(), expected);
    assert!(error.is_unauthorized() && !error.is_transient());
    assert_shows_no_secret(&error);
    provider.asked_once();
}

#[tokio::test]
async fn a_failed_token_request_is_repeated() {
    let provider = Provider::answering([Answer::json(500, ""), Answer::json(200, granted("60"))]).await;
    provider.client().request_token(&credentials()).await.expect("a token");
    let asked = provider.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].body, asked[1].body);
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let provider = Provider::saying(&granted("60")).await;
    let client = provider.client();
    let token = client.request_token(&credentials()).await.expect("a token");
    let shown = format!("{:?} {:?} {token:?} {client:?}", credentials(), credentials().caller(&token));
    assert!(shown.contains("4242f55a") && !shown.contains("canary"), "{shown}");
}
