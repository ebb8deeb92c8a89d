//! Sessions: what is signed, what is sent, and which responses are accepted.

use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use fundhook_connect_api::{ApiError, Caller, Scope, SessionRequest, SessionToken, Settings, SignedPart, SigningKey};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::{
    Answer, Asked, JWT, Provider, assert_shows_no_secret, caller, client, now, settings, signing_key,
};

const PUBLIC_KEY: &str = include_str!("../../../providers/tests/keys/test-key-rsa-2048.pub.pem");

fn flat() -> String {
    json!({"jwt": JWT, "expires_in": 3600}).to_string()
}

async fn open(settings: Settings, request: &SessionRequest) -> Result<SessionToken, ApiError> {
    client(settings).open_session(&caller(), &signing_key(), request, now()).await
}

/// Whether the header `signature` of `asked` is the organization's signature over `message`.
fn is_signed(asked: &Asked, signature: &str, message: &[u8]) -> bool {
    let signature = BASE64_STANDARD.decode(asked.header(signature)).expect("standard base64");
    assert_eq!(signature.len(), 256);
    let key = DecodingKey::from_rsa_pem(PUBLIC_KEY.as_bytes()).expect("a public key");
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
    crypto::verify(&signature, message, &key, Algorithm::RS256).expect("a signature")
}

#[tokio::test]
async fn a_session_is_requested_as_in_the_guide_and_signed_as_the_provider_signs_webhooks() {
    let provider = Provider::saying(&flat()).await;
    let metadata = json!({"order": "ä-1", "exact": 119_078_888_888_888_888_887_u128});
    let request = SessionRequest::deposits("USER01").with_metadata(metadata.as_object().cloned().unwrap_or_default());
    let session = open(settings(&provider.url), &request).await.expect("a session");
    assert_eq!(session.jwt.expose_secret(), JWT);
    assert_eq!(session.expires_in, Duration::from_secs(3600));

    let asked = provider.asked_once();
    assert_eq!((asked.method.as_str(), asked.path_and_query.as_str()), ("POST", "/sessions"));
    assert_eq!(asked.header("client-id"), caller().organization_id);
    assert_eq!(asked.header("authorization"), format!("Bearer {}", crate::support::TOKEN));
    assert_eq!(asked.header("timestamp"), "1760484866");
    assert_eq!(asked.header("content-type"), "application/json");
    let body = json!({
        "account": {"reference_id": "USER01"},
        "session": {"metadata": metadata},
        "scopes": ["user:deposit:send"],
    });
    assert_eq!(asked.json(), body);
    let signed = [format!("1760484866POST{}/sessions", provider.url).as_bytes(), &asked.body].concat();
    assert!(is_signed(&asked, "signature", &signed));
    assert!(!is_signed(&asked, "signature", b"anything else"));
}

#[tokio::test]
async fn headers_paths_and_the_string_to_sign_are_settings() {
    let provider = Provider::saying(&flat()).await;
    let mut settings = settings(&provider.url);
    settings.path_prefix = "/api/v1".to_owned();
    settings.headers.client_id = "x-connect-client-id".to_owned();
    settings.headers.signature = "X-Signature".to_owned();
    settings.headers.timestamp = "X-Timestamp".to_owned();
    settings.string_to_sign = vec![SignedPart::Body, SignedPart::Path, SignedPart::Method, SignedPart::Timestamp];
    open(settings, &SessionRequest::deposits("USER01")).await.expect("a session");
    let asked = provider.asked_once();
    assert_eq!(asked.header("x-connect-client-id"), caller().organization_id);
    assert_eq!((asked.header("client-id"), asked.header("signature"), asked.header("timestamp")), ("", "", ""));
    let signed = [&asked.body[..], b"/api/v1/sessionsPOST1760484866"].concat();
    assert!(is_signed(&asked, "x-signature", &signed));
}

#[tokio::test]
async fn a_session_for_withdrawals_only_has_its_own_path() {
    let both = SessionRequest {
        scopes: vec![Scope::DEPOSIT_SEND, Scope::WITHDRAWAL_SEND],
        ..SessionRequest::deposits("USER01")
    };
    let new: Scope = "user:new:scope".parse().expect("the set is open");
    let unknown = SessionRequest { scopes: vec![new], ..SessionRequest::deposits("USER01") };
    for (request, path, scopes) in [
        (SessionRequest::withdrawals("USER01"), "/v1/sessions", json!(["user:withdrawal:send"])),
        (both, "/sessions", json!(["user:deposit:send", "user:withdrawal:send"])),
        (unknown, "/sessions", json!(["user:new:scope"])),
        (SessionRequest::recovery("USER01"), "/sessions", json!(["user:recovery:send"])),
    ] {
        let provider = Provider::saying(&flat()).await;
        open(settings(&provider.url), &request).await.expect("a session");
        let asked = provider.asked_once();
        assert_eq!((asked.path_and_query.as_str(), &asked.json()["scopes"]), (path, &scopes));
        let signed = [format!("1760484866POST{}{path}", provider.url).as_bytes(), &asked.body].concat();
        assert!(is_signed(&asked, "signature", &signed));
    }
}

#[tokio::test]
async fn both_responses_of_the_guide_are_accepted_with_unknown_fields() {
    for answer in [
        json!({"jwt": JWT, "expires_in": 60, "session": {"id": "1"}}),
        json!({"jwt": JWT, "expires_in": "60", "token": null}),
        json!({"token": {"jwt": JWT, "expires_in": 60, "kind": "new"}, "more": []}),
        json!({"token": {"jwt": JWT, "expires_in": "60"}, "jwt": null}),
    ] {
        let provider = Provider::answering([Answer::json(201, answer.to_string())]).await;
        let session = open(settings(&provider.url), &SessionRequest::deposits("USER01")).await.expect("a session");
        assert_eq!((session.jwt.expose_secret(), session.expires_in), (JWT, Duration::from_secs(60)), "{answer}");
        assert!(!format!("{session:?}").contains("canary"), "Debug shows no secret");
    }
}

#[tokio::test]
async fn an_unexpected_response_is_an_error_and_the_request_is_not_repeated() {
    for answer in [
        json!({"jwt": JWT}),
        json!({"jwt": "", "expires_in": 60}),
        json!({"jwt": [JWT], "expires_in": 60}),
        json!({"jwt": JWT, "expires_in": JWT}),
        json!({"token": JWT, "expires_in": 60}),
        json!({"token": {"expires_in": 60}}),
        json!([JWT]),
        json!(null),
    ] {
        let provider = Provider::saying(&answer.to_string()).await;
        let opened = open(settings(&provider.url), &SessionRequest::deposits("USER01")).await;
        let error = opened.map(|_| ()).expect_err("no session");
        assert!(matches!(error, ApiError::UnexpectedShape { .. }), "{answer}: {error}");
        assert!(error.to_string().contains("expected {jwt, expires_in} or {token: {jwt, expires_in}}"), "{error}");
        assert_shows_no_secret(&error);
        provider.asked_once();
    }
    let provider = Provider::saying(&json!({"jwt": JWT, "expires_in": 0}).to_string()).await;
    let opened = open(settings(&provider.url), &SessionRequest::deposits("USER01")).await;
    assert!(matches!(opened, Err(ApiError::UnusableReply { .. })));
}

#[tokio::test]
async fn a_repeated_attempt_is_signed_again() {
    let too_many = Answer::json(429, "").with("retry-after", "1");
    let provider = Provider::answering([too_many, Answer::json(200, flat())]).await;
    let mut settings = settings(&provider.url);
    settings.retries.wait_max = Duration::from_secs(5);
    open(settings, &SessionRequest::deposits("USER01")).await.expect("a session");
    let asked = provider.asked();
    assert_eq!((asked.len(), asked[0].header("timestamp")), (2, "1760484866"));
    assert_eq!(asked[0].body, asked[1].body);
    let again = asked[1].header("timestamp");
    assert!(again.parse::<i64>().is_ok_and(|again| again > 1_760_484_866), "{again}");
    let signed = [format!("{again}POST{}/sessions", provider.url).as_bytes(), &asked[1].body].concat();
    assert!(is_signed(&asked[1], "signature", &signed));
}

#[tokio::test]
async fn an_invalid_request_is_not_sent() {
    let provider = Provider::saying(&flat()).await;
    let no_scope = SessionRequest { scopes: Vec::new(), ..SessionRequest::deposits("USER01") };
    for request in [SessionRequest::deposits(" "), no_scope] {
        let error = open(settings(&provider.url), &request).await.map(|_| ()).expect_err("invalid");
        assert!(matches!(error, ApiError::InvalidRequest(_)), "{error}");
    }
    let invalid = Caller { token: "canary\n".to_owned().into(), ..caller() };
    let request = SessionRequest::deposits("USER01");
    let opened = provider.client().open_session(&invalid, &signing_key(), &request, now()).await;
    let error = opened.map(|_| ()).expect_err("a line break in a header");
    assert!(error.to_string().contains("authorization") && !error.is_transient(), "{error}");
    assert_shows_no_secret(&error);
    assert!(provider.asked().is_empty());
}

#[test]
fn only_a_private_rsa_key_is_accepted_and_debug_does_not_show_it() {
    assert_eq!(format!("{:?}", signing_key()), "SigningKey { .. }");
    let curve = include_str!("../../../providers/tests/keys/test-key-p256.pem");
    let malformed = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----";
    for pem in ["", "canary", PUBLIC_KEY, curve, malformed] {
        let error = SigningKey::from_pem(pem).map(|_| ()).expect_err(pem);
        assert!(error.to_string().contains("PKCS#8"), "{error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn a_scope_is_a_name_without_spaces() {
    for text in ["", "a b", "ä", "a\n"] {
        assert!(text.parse::<Scope>().is_err(), "{text:?}");
    }
    for scope in [Scope::DEPOSIT_SEND, Scope::WITHDRAWAL_SEND, Scope::WITHDRAWAL_REQUEST, Scope::RECOVERY_SEND] {
        assert_eq!(scope.to_string().parse(), Ok(scope));
    }
}

#[tokio::test]
async fn no_error_shows_the_user_or_the_metadata_of_a_session() {
    let body =
        json!({"error": "invalid", "message": "canary-user, canary-order of 4711 and canary-nested: no such deposit"});
    let provider = Provider::answering([Answer::json(422, body.to_string())]).await;
    let metadata = json!({"order": "canary-order", "shop": 4711, "more": [{"deep": "canary-nested"}], "paid": false});
    let request =
        SessionRequest::deposits("canary-user").with_metadata(metadata.as_object().cloned().unwrap_or_default());
    let error = open(settings(&provider.url), &request).await.map(|_| ()).expect_err("422");
    let expected = "invalid: [hidden], [hidden] of [hidden] and [hidden]: no such deposit";
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_shows_no_secret(&error);
}
