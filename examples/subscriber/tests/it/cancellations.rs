//! How the ledger handles DynamoDB's cancellations of a transaction, as the API reference describes them. A local engine
//! neither collides nor throttles, so a server returns DynamoDB's responses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{Config, Region};
use aws_smithy_http_client::Builder as HttpClient;
use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};
use subscriber::{ATTEMPTS_MAX, BookOutcome, DynamoLedger, Ledger as _, LedgerError};
use tokio::net::TcpListener;

use crate::support::{NOW, entry, life};

/// The remaining responses.
type Answers = Arc<Mutex<VecDeque<(u16, Value)>>>;

/// A ledger on a DynamoDB that returns these responses in order.
async fn ledger(answers: impl IntoIterator<Item = (u16, Value)>) -> (DynamoLedger, Answers) {
    let answers: Answers = Arc::new(Mutex::new(answers.into_iter().collect()));
    let left = answers.clone();
    let answer = move || {
        let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let (status, body) = next.expect("an answer for each request");
        std::future::ready((StatusCode::from_u16(status).expect("a status"), body.to_string()))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let config = Config::builder()
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(HttpClient::new().build_http())
        .retry_config(RetryConfig::disabled())
        .endpoint_url(endpoint);
    (DynamoLedger::new(Client::from_conf(config.build()), "ledger".to_owned()), answers)
}

/// A cancelled transaction of an event with two accounts: the reasons for the event, and for the other four writes.
fn cancelled(event: &str, others: [&str; 4]) -> (u16, Value) {
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let reasons: Vec<Value> =
        [event].into_iter().chain(others).map(|code| json!({ "Code": code, "Message": "as the code says" })).collect();
    (400, json!({ "__type": kind, "Message": "Transaction cancelled", "CancellationReasons": reasons }))
}

const NONE: [&str; 4] = ["None"; 4];

async fn booked(answers: impl IntoIterator<Item = (u16, Value)>) -> (Result<BookOutcome, LedgerError>, usize) {
    let (ledger, left) = ledger(answers).await;
    let outcome = ledger.book(&entry(&life()[1]), NOW).await;
    let left = left.lock().unwrap_or_else(PoisonError::into_inner).len();
    (outcome, left)
}

#[tokio::test]
async fn an_entry_that_collides_is_retried_until_it_succeeds() {
    let collisions = [
        cancelled("TransactionConflict", NONE),
        cancelled("None", ["None", "TransactionConflict", "None", "None"]),
        cancelled("TransactionConflict", ["TransactionConflict"; 4]),
        (200, json!({})),
    ];
    let (outcome, left) = booked(collisions).await;
    assert!(matches!(outcome, Ok(BookOutcome::Booked)), "{outcome:?}");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_entry_that_always_collides_returns_to_the_queue() {
    let collisions = (0..ATTEMPTS_MAX).map(|_| cancelled("TransactionConflict", NONE));
    let (outcome, left) = booked(collisions).await;
    assert!(outcome.as_ref().is_err_and(LedgerError::is_transient), "{outcome:?}");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_event_that_is_there_was_booked_before_whatever_else_is_wrong() {
    for others in [NONE, ["TransactionConflict"; 4], ["ValidationError"; 4]] {
        let (outcome, _) = booked([cancelled("ConditionalCheckFailed", others)]).await;
        assert!(matches!(outcome, Ok(BookOutcome::AlreadyBooked)), "{others:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_cancellation_says_whether_the_same_request_may_succeed_later() {
    for (reasons, is_transient) in [
        (["None", "None", "ThrottlingError", "None"], true),
        (["None", "ProvisionedThroughputExceeded", "None", "None"], true),
        (["None", "None", "ValidationError", "None"], false),
    ] {
        let (outcome, _) = booked([cancelled("None", reasons)]).await;
        let error = outcome.expect_err("it was cancelled");
        assert_eq!(error.is_transient(), is_transient, "{reasons:?}: {error}");
    }
}

#[tokio::test]
async fn a_request_that_dynamodb_rejects_fails_each_time_and_an_outage_does_not() {
    for (status, kind, is_transient) in [
        (400, "ResourceNotFoundException", false),
        (400, "AccessDeniedException", false),
        (400, "ValidationException", false),
        (400, "ThrottlingException", true),
        (500, "InternalServerError", true),
    ] {
        let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "no" });
        let (outcome, _) = booked([(status, body)]).await;
        assert_eq!(outcome.expect_err("it fails").is_transient(), is_transient, "{kind}");
    }
}
