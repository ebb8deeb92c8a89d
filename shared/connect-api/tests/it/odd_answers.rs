//! Unusable responses, and which requests are repeated.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use fundhook_connect_api::{ApiError, NewUser, Settings, TransactionsPage, TransactionsQuery};
use fundhook_ports::chain;

use crate::support::{
    Answer, Provider, assert_shows_no_secret, caller, client, closed_port, hanging_up_after, settings,
};

const PAGE: &str = r#"{"message":[],"page":1,"page_size":50,"total_pages":0}"#;
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 54\r\n\r\n{\"message\":[";
/// A response without a length, which ends with the connection: only its JSON shows that it is incomplete.
const HALF_WITHOUT_LENGTH: &str = "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{\"message\":[";

async fn listed(settings: Settings) -> Result<TransactionsPage, ApiError> {
    client(settings).transactions(&caller(), &TransactionsQuery::default()).await
}

/// The error of a list when every response is `answer`, and the number of requests.
async fn refused(answer: Answer) -> (ApiError, usize) {
    let provider = Provider::answering([answer]).await;
    let error = listed(settings(&provider.url)).await.map(|_| ()).expect_err("no page");
    assert_shows_no_secret(&error);
    (error, provider.asked().len())
}

/// The error of a new user when every response is `answer`, and the number of requests.
async fn refused_user(answer: Answer) -> (ApiError, usize) {
    let provider = Provider::answering([answer]).await;
    let error = provider.client().create_user(&caller(), &NewUser::default()).await.map(|_| ()).expect_err("no user");
    (error, provider.asked().len())
}

#[tokio::test]
async fn a_list_that_fails_twice_succeeds_at_the_third_attempt() {
    for status in [429, 500, 502, 503, 504] {
        let failed = Answer::new(status, "text/html", "<html>");
        let provider = Provider::answering([failed.clone(), failed, Answer::json(200, PAGE)]).await;
        listed(settings(&provider.url)).await.expect("a page");
        assert_eq!(provider.asked().len(), 3, "{status}");
    }
}

#[tokio::test]
async fn the_number_of_attempts_is_limited() {
    let (error, attempts) = refused(Answer::json(500, r#"{"error":"internal","code":7}"#)).await;
    assert_eq!(attempts, 3);
    assert!(error.to_string().ends_with("/transactions: status 500, expected 2xx: internal"), "{error}");
    assert!(error.is_transient() && !error.is_unauthorized());
}

#[tokio::test]
async fn a_request_that_failed_permanently_is_not_repeated() {
    for (status, is_transient) in
        [(307, false), (400, false), (403, false), (404, false), (408, true), (422, false), (501, false)]
    {
        let (error, attempts) = refused(Answer::json(status, "").with("location", "http://127.0.0.1:1/canary")).await;
        assert_eq!((attempts, error.is_transient()), (1, is_transient), "{error}");
        assert!(matches!(error, ApiError::Status { status: reported, .. } if reported == status), "{error}");
    }
}

#[tokio::test]
async fn a_401_is_unauthorized_and_has_the_providers_message() {
    let body = r#"{"error":"invalid_token","error_description":"canary-token-eyJz93a has expired","message":["x"]}"#;
    let (error, attempts) = refused(Answer::json(401, body)).await;
    assert_eq!(attempts, 1);
    assert!(error.is_unauthorized() && !error.is_transient());
    assert!(error.to_string().ends_with("status 401: invalid_token: [hidden] has expired"), "{error}");
    assert!(!refused(Answer::json(403, body)).await.0.is_unauthorized());
}

#[tokio::test]
async fn a_retry_after_is_waited_for() {
    let provider = Provider::answering([Answer::json(429, "").with("retry-after", "1"), Answer::json(200, PAGE)]).await;
    let mut settings = settings(&provider.url);
    settings.retries.wait_max = Duration::from_secs(5);
    let began = Instant::now();
    listed(settings).await.expect("a page");
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn a_retry_after_that_is_too_long_ends_the_call_at_once_and_is_reported() {
    let date = "Tue, 07 Oct 2025 19:44:50 GMT";
    let seconds = Answer::json(429, r#"{"message":"slow down"}"#).with("retry-after", "3600");
    let dated = Answer::json(503, "").with("date", date).with("retry-after", "Tue, 07 Oct 2025 20:44:50 GMT");
    for answer in [seconds, dated] {
        let began = Instant::now();
        let (error, attempts) = refused(answer).await;
        assert!(began.elapsed() < Duration::from_secs(60));
        assert_eq!((attempts, error.retry_after()), (1, Some(Duration::from_secs(3600))));
        assert!(error.is_transient() && error.to_string().contains("retry after 3600 s"), "{error}");
    }
}

#[tokio::test]
async fn a_retry_after_in_the_past_needs_no_wait() {
    let dated = Answer::json(503, "").with("retry-after", "Tue, 07 Oct 2025 19:44:50 GMT");
    let provider = Provider::answering([dated, Answer::json(200, PAGE)]).await;
    listed(settings(&provider.url)).await.expect("a page");
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn a_response_that_is_not_json_is_reported_with_its_type_and_not_repeated() {
    for (content_type, body, reported) in [
        ("text/html; charset=utf-8", "<html>canary</html>", "text/html"),
        ("text/plain", "canary", "text/plain"),
        ("", "<canary/>", "none"),
        ("application/json", "{canary}", "application/json"),
    ] {
        let (error, attempts) = refused(Answer::new(200, content_type, body)).await;
        assert_eq!((attempts, error.is_transient()), (1, false), "{error}");
        assert!(matches!(&error, ApiError::NotJson { content_type, .. } if content_type == reported), "{error}");
        assert!(error.to_string().ends_with(reported), "{error}");
    }
    let (error, _) = refused(Answer::new(403, "text/html", "<html>canary</html>")).await;
    assert!(error.to_string().ends_with("the response is not JSON, content type text/html"), "{error}");
}

#[tokio::test]
async fn json_is_accepted_with_any_content_type() {
    let provider = Provider::answering([Answer::new(200, "text/plain", PAGE)]).await;
    listed(settings(&provider.url)).await.expect("a page");
}

#[tokio::test]
async fn an_empty_response_is_an_error_of_its_own() {
    for answer in [Answer::json(200, ""), Answer::json(204, ""), Answer::json(200, " \n")] {
        let (error, attempts) = refused(answer).await;
        assert!(matches!(error, ApiError::EmptyBody { .. }), "{error}");
        assert_eq!((attempts, error.is_transient()), (1, false));
    }
}

#[tokio::test]
async fn json_of_an_unexpected_shape_is_reported_with_the_expected_one_and_without_values() {
    let (error, attempts) = refused(Answer::json(200, r#"{"message":"canary"}"#)).await;
    assert!(matches!(error, ApiError::UnexpectedShape { .. }), "{error}");
    assert!(error.to_string().contains("expected {message: […], page, page_size, total_pages}"), "{error}");
    assert_eq!((attempts, error.is_transient()), (1, false));
}

#[tokio::test]
async fn a_response_is_read_up_to_4_mib() {
    let (error, attempts) = refused(Answer::json(200, " ".repeat(4 * 1024 * 1024 + 1))).await;
    assert!(matches!(error, ApiError::TooLarge { bytes_max: 4_194_304, .. }), "{error}");
    assert_eq!((attempts, error.is_transient()), (1, false));
    let padded = " ".repeat(4 * 1024 * 1024 - PAGE.len()) + PAGE;
    let provider = Provider::answering([Answer::json(200, padded)]).await;
    listed(settings(&provider.url)).await.expect("4 MiB are within the limit");
    let (error, _) = refused(Answer::json(401, " ".repeat(4 * 1024 * 1024 + 1))).await;
    assert!(error.is_unauthorized(), "the status counts even when the body cannot be read: {error}");
}

#[tokio::test]
async fn a_slow_response_times_out_and_a_list_is_requested_again() {
    let slow = Answer::json(200, PAGE).after(Duration::from_secs(60));
    let provider = Provider::answering([slow.clone(), slow.clone(), Answer::json(200, PAGE)]).await;
    let mut settings = settings(&provider.url);
    settings.timeouts.attempt = Duration::from_millis(500);
    settings.timeouts.connect = Duration::from_millis(500);
    let client = client(settings);
    client.transactions(&caller(), &TransactionsQuery::default()).await.expect("a page");
    assert_eq!(provider.asked().len(), 3);

    let provider = Provider::answering([slow]).await;
    let mut settings = crate::support::settings(&provider.url);
    settings.timeouts.attempt = Duration::from_millis(500);
    settings.timeouts.connect = Duration::from_millis(500);
    let client = crate::support::client(settings);
    let error = client.create_user(&caller(), &NewUser::default()).await.map(|_| ()).expect_err("slow");
    assert!(error.to_string().ends_with("/users: no complete response within 500 ms"), "{error}");
    assert!(matches!(error, ApiError::TimedOut { .. }) && error.is_transient());
    provider.asked_once();
}

#[tokio::test]
async fn a_truncated_response_is_an_error_and_a_list_is_requested_again() {
    for half in [HALF, HALF_WITHOUT_LENGTH] {
        let (url, count) = hanging_up_after(half).await;
        let error = listed(settings(&url)).await.map(|_| ()).expect_err("half a page");
        assert!(matches!(error, ApiError::TruncatedBody { status: 200, bytes: 12, .. }), "{error:?}");
        assert!(error.is_transient());
        assert_eq!(*count.lock().unwrap_or_else(PoisonError::into_inner), 3);

        let (url, count) = hanging_up_after(half).await;
        let created = client(settings(&url)).create_user(&caller(), &NewUser::default()).await;
        assert!(matches!(created, Err(ApiError::TruncatedBody { .. })));
        assert_eq!(*count.lock().unwrap_or_else(PoisonError::into_inner), 1, "the user has been created");
    }
}

#[tokio::test]
async fn a_connection_that_closes_before_a_response_is_an_error_and_a_list_is_requested_again() {
    let (url, count) = hanging_up_after("").await;
    let error = listed(settings(&url)).await.map(|_| ()).expect_err("no answer");
    assert!(matches!(error, ApiError::Disconnected { .. }) && error.is_transient(), "{error:?}");
    assert_eq!(*count.lock().unwrap_or_else(PoisonError::into_inner), 3);

    let (url, count) = hanging_up_after("").await;
    let created = client(settings(&url)).create_user(&caller(), &NewUser::default()).await;
    assert!(matches!(created, Err(ApiError::Disconnected { .. })));
    assert_eq!(*count.lock().unwrap_or_else(PoisonError::into_inner), 1, "the user may have been created");
}

#[tokio::test]
async fn a_closed_port_is_a_failed_connection() {
    let (url, _socket) = closed_port();
    let error = client(settings(&url))
        .create_user(&caller(), &NewUser::default())
        .await
        .map(|_| ())
        .expect_err("no connection");
    assert_eq!(error.to_string(), format!("POST {url}/users: no connection"));
    assert!(matches!(error, ApiError::ConnectFailed { .. }) && error.is_transient());
    assert!(chain(&error).len() > error.to_string().len(), "the cause is in the chain: {}", chain(&error));
    assert_shows_no_secret(&error);
}

#[tokio::test]
async fn a_new_user_is_sent_again_only_if_it_cannot_have_been_created() {
    for (answer, attempts) in [
        (Answer::json(429, ""), 3),
        (Answer::json(503, "").with("retry-after", "0"), 3),
        (Answer::json(503, ""), 1),
        (Answer::json(500, ""), 1),
        (Answer::json(500, "").with("retry-after", "0"), 1),
        (Answer::json(502, ""), 1),
        (Answer::json(504, ""), 1),
        (Answer::json(200, ""), 1),
        (Answer::json(409, ""), 1),
    ] {
        let (error, sent) = refused_user(answer).await;
        assert_eq!(sent, attempts, "{error}");
    }
}

#[tokio::test]
async fn one_client_serves_many_tasks_concurrently() {
    let provider = Provider::saying(PAGE).await;
    let client = std::sync::Arc::new(provider.client());
    let calls = (0..8).map(|_| {
        let client = std::sync::Arc::clone(&client);
        tokio::spawn(async move { client.transactions(&caller(), &TransactionsQuery::default()).await.is_ok() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.expect("a task"));
    }
}
