//! Which requests are repeated, and unusable responses.

use std::sync::PoisonError;
use std::time::Duration;

use fundhook_zerohash_api::{ApiError, ClientAuthTokenRequest, FundRfqRequest, PaymentsQuery};

use crate::support::{Answer, Provider, assert_shows_no_secret, client, credentials, hanging_up_after, now, settings};

const PAGE: &str = r#"{"message":[],"total":0}"#;
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 54\r\n\r\n{\"message\":[";

/// The error of a list when every response is `answer`, and the number of requests.
async fn refused_list(answer: Answer) -> (ApiError, usize) {
    let provider = Provider::answering([answer]).await;
    let error =
        provider.client().payments(&credentials(), &PaymentsQuery::default(), now()).await.expect_err("no page");
    assert_shows_no_secret(&error);
    (error, provider.asked().len())
}

/// The numbers of requests for a token, for a quote and to revoke a token, when every response is `answer`.
async fn posts(answer: Answer) -> [usize; 3] {
    let mut sent = [0; 3];
    for (which, sent) in sent.iter_mut().enumerate() {
        let provider = Provider::answering([answer.clone()]).await;
        let client = provider.client();
        let failed = match which {
            0 => client.client_auth_token(&credentials(), &ClientAuthTokenRequest::funding("C"), now()).await.is_err(),
            1 => client.fund_rfq(&credentials(), &FundRfqRequest::new("C", "BTC"), now()).await.is_err(),
            _ => client.revoke_auth_token(&credentials(), &"token".to_owned().into(), now()).await.is_err(),
        };
        assert!(failed);
        *sent = provider.asked().len();
    }
    sent
}

#[tokio::test]
async fn a_list_that_fails_twice_succeeds_at_the_third_attempt() {
    for status in [429, 500, 502, 503, 504] {
        let failed = Answer::json(status, r#"{"error":"try again"}"#).with("retry-after", "0");
        let provider = Provider::answering([failed.clone(), failed, Answer::json(200, PAGE)]).await;
        provider.client().payments(&credentials(), &PaymentsQuery::default(), now()).await.expect("a page");
        assert_eq!(provider.asked().len(), 3, "{status}");
    }
}

#[tokio::test]
async fn a_list_is_not_repeated_endlessly_nor_after_a_permanent_failure() {
    for (status, attempts) in [(500, 3), (400, 1), (401, 1), (403, 1), (404, 1), (409, 1), (422, 1), (501, 1)] {
        assert_eq!(refused_list(Answer::json(status, r#"{"error":"no"}"#)).await.1, attempts, "{status}");
    }
}

#[tokio::test]
async fn a_post_is_repeated_only_where_the_provider_cannot_have_acted() {
    for (answer, attempts) in [
        (Answer::json(429, "").with("retry-after", "0"), 3),
        (Answer::json(503, "").with("retry-after", "0"), 3),
        (Answer::json(503, r#"{"error":"busy"}"#).with("zh-allow-retry", "true"), 3),
        (Answer::json(503, r#"{"error":"busy"}"#).with("zh-allow-retry", "false"), 1),
        (Answer::json(503, ""), 1),
        (Answer::json(500, "").with("zh-allow-retry", "true"), 1),
        (Answer::json(502, "").with("zh-allow-retry", "true"), 1),
        (Answer::json(504, ""), 1),
        (Answer::json(409, r#"{"error":"no","missing_requirements":["fund_auto_convert"]}"#), 1),
    ] {
        assert_eq!(posts(answer).await, [attempts; 3]);
    }
    let (url, count) = hanging_up_after(HALF).await;
    let request = ClientAuthTokenRequest::funding("CUST01");
    let error = client(settings(&url)).client_auth_token(&credentials(), &request, now()).await.expect_err("half");
    assert!(matches!(error, ApiError::TruncatedBody { .. }), "{error}");
    assert_eq!(*count.lock().unwrap_or_else(PoisonError::into_inner), 1, "the payment may have been created");
}

#[tokio::test]
async fn what_is_missing_of_a_request_is_in_the_error() {
    let body = r#"{"error":"participant not eligible","missing_requirements":["fund_auto_convert"]}"#;
    let (error, _) = refused_list(Answer::json(422, body)).await;
    let expected = "status 422, expected 2xx: participant not eligible: missing fund_auto_convert";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[tokio::test]
async fn an_unusable_response_is_an_error_that_says_what_is_wrong() {
    for (answer, said, attempts) in [
        (Answer::json(200, r#"{"data":[]}"#), "missing field `message`", 1),
        (Answer::json(200, r#"{"message":{"canary":1}}"#), "unexpected shape", 1),
        (Answer::json(200, r#"{"message":[],"page":7}"#), "the response is page 7, expected page 1", 1),
        (Answer::json(200, ""), "is empty, expected {message: […]}", 1),
        (Answer::new(200, "text/html", "<html>canary</html>"), "is not JSON, content type text/html", 1),
        (Answer::new(502, "text/html", "<html>canary</html>"), "status 502", 3),
        (Answer::json(200, r#"{"message":[{"payment_id":"canary"#), "broke off", 3),
    ] {
        let (error, sent) = refused_list(answer).await;
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(sent, attempts, "{error}");
    }
}

#[tokio::test]
async fn after_a_429_the_limit_lasts_ten_seconds_unless_the_provider_says_otherwise() {
    let (error, attempts) = refused_list(Answer::json(429, r#"{"error":"too many requests"}"#)).await;
    assert_eq!((attempts, error.retry_after()), (1, Some(Duration::from_secs(10))), "more than the call may wait");
}

#[tokio::test]
async fn a_retry_after_that_is_too_long_ends_the_call_at_once_and_is_reported() {
    let (error, attempts) =
        refused_list(Answer::json(429, r#"{"error":"slow down"}"#).with("retry-after", "3600")).await;
    assert_eq!((attempts, error.retry_after()), (1, Some(Duration::from_secs(3600))));
}
