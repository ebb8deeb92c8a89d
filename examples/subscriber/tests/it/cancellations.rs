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
use subscriber::{ATTEMPTS_MAX, CreditOutcome, DynamoLedger, Ledger as _, LedgerError};
use tokio::net::TcpListener;

use crate::support::{NOW, confirmed, credit};

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

fn cancelled(entry: Value, balance: Value) -> (u16, Value) {
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    (400, json!({ "__type": kind, "Message": "Transaction cancelled", "CancellationReasons": [entry, balance] }))
}

fn because(code: &str) -> Value {
    json!({ "Code": code, "Message": "as the code says" })
}

fn done() -> (u16, Value) {
    (200, json!({}))
}

#[tokio::test]
async fn a_credit_that_collides_is_retried_until_it_succeeds() {
    let collisions = [
        cancelled(because("TransactionConflict"), because("None")),
        cancelled(because("None"), because("TransactionConflict")),
    ];
    for number in 0..ATTEMPTS_MAX as usize {
        let answers = collisions.iter().cycle().take(number).cloned().chain([done()]);
        let (ledger, left) = ledger(answers).await;
        let outcome = ledger.credit(&credit(&confirmed("a")), NOW).await;
        assert_eq!(outcome.expect("it is done"), CreditOutcome::Credited);
        assert!(left.lock().expect("no panic while locked").is_empty());
    }
    let (ledger, left) = ledger(collisions.iter().cycle().take(10).cloned()).await;
    let outcome = ledger.credit(&credit(&confirmed("a")), NOW).await;
    assert!(matches!(outcome, Err(LedgerError::Unavailable(_))), "{outcome:?}");
    assert_eq!(left.lock().expect("no panic while locked").len(), 10 - ATTEMPTS_MAX as usize);
}

#[tokio::test]
async fn an_existing_entry_decides_whatever_the_other_reasons() {
    let credit = credit(&confirmed("a"));
    let mut entry: Value =
        credit.terms().into_iter().map(|(name, value)| (name.to_owned(), json!({ "S": value }))).collect();
    entry["state"] = json!({ "S": "credited" });
    let exists =
        json!({ "Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": entry });
    for other in ["None", "TransactionConflict", "ValidationError", "ThrottlingError"] {
        let (ledger, _) = ledger([cancelled(exists.clone(), because(other))]).await;
        let outcome = ledger.credit(&credit, NOW).await.expect("an answer");
        assert_eq!(outcome, CreditOutcome::AlreadyCredited, "{other}");
    }
}

#[tokio::test]
async fn every_other_cancellation_is_an_error_that_is_transient_or_not() {
    for (entry, balance, is_transient, shown) in [
        ("None", "ValidationError", false, "the balance would be rounded"),
        ("ValidationError", "None", false, "rejected the request"),
        ("None", "ThrottlingError", true, "not available"),
        ("None", "ProvisionedThroughputExceeded", true, "not available"),
        ("None", "None", true, "not available"),
        // Without the existing entry.
        ("ConditionalCheckFailed", "None", false, "no valid state"),
    ] {
        let (ledger, _) = ledger([cancelled(because(entry), because(balance))]).await;
        let error = ledger.credit(&credit(&confirmed("a")), NOW).await.expect_err("an error");
        assert_eq!(error.is_transient(), is_transient, "{error:?}");
        assert!(error.to_string().contains(shown), "{error}");
    }
}

#[tokio::test]
async fn no_error_contains_customer_data() {
    let entry = json!({ "Code": "ThrottlingError", "Item": { "account": { "S": "USER01" } } });
    let (ledger, _) = ledger([cancelled(entry, because("None"))]).await;
    let error = ledger.credit(&credit(&confirmed("a")), NOW).await.expect_err("an error");
    assert!(!format!("{error:?}").contains("USER01"), "{error:?}");
}
