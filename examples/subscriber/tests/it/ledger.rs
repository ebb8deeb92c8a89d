//! The ledger on DynamoDB: every test makes real SDK calls to dynoxide, an embedded engine that is checked against
//! recordings of DynamoDB.

use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Config, Region};
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_smithy_http_client::Builder as HttpClient;
use dynoxide::Database;
use serde_json::{Value, json};
use subscriber::{
    BookOutcome, DynamoLedger, Ledger as _, LedgerError, Subscriber, ledger_account, trial_balance_lines,
};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::{NOW, batch, converted, entry, event, life, orders, with};

const TABLE: &str = "ledger";

/// An empty ledger on a DynamoDB that ends with the test's runtime.
async fn empty() -> DynamoLedger {
    let (client, ledger) = without_table().await;
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key");
    let mut create = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        create = create.attribute_definitions(attribute.build().expect("an attribute")).key_schema(key(name, kind));
    }
    create.send().await.expect("the table is created");
    ledger
}

async fn without_table() -> (Client, DynamoLedger) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(dynoxide::server::serve_on(listener, Database::memory().expect("an empty database")));
    let config = Config::builder()
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(HttpClient::new().build_http())
        .endpoint_url(endpoint);
    let client = Client::from_conf(config.build());
    (client.clone(), DynamoLedger::new(client, TABLE.to_owned()))
}

async fn book(ledger: &DynamoLedger, event: &Value) -> BookOutcome {
    ledger.book(&entry(event), NOW).await.expect("the table answers")
}

/// The balances of an account: `-0.013 BTC`.
async fn balances(ledger: &DynamoLedger, account: &str) -> Vec<String> {
    let statement = ledger.statement(None, account).await.expect("the table answers");
    let balances = statement.balances.into_iter();
    balances.map(|(asset, total)| format!("{} {asset}", total.to_plain_string())).collect()
}

#[tokio::test]
async fn an_event_is_booked_once_in_any_order_with_the_others() {
    for order in orders(4).into_iter().step_by(5) {
        let ledger = empty().await;
        let events: Vec<Value> = order.iter().map(|at| life()[at + 1].clone()).collect();
        for event in &events {
            assert_eq!(book(&ledger, event).await, BookOutcome::Booked, "{order:?}");
            assert_eq!(book(&ledger, event).await, BookOutcome::AlreadyBooked, "{order:?}");
        }
        assert_eq!(balances(&ledger, "customer:USER01").await, ["-0.013 BTC"], "{order:?}");
        assert_eq!(balances(&ledger, "held:connect").await, ["0 BTC"], "{order:?}");
    }
}

#[tokio::test]
async fn concurrent_deliveries_book_each_event_once() {
    let ledger = Arc::new(empty().await);
    let mut tasks = JoinSet::new();
    for number in 0..40 {
        let ledger = ledger.clone();
        tasks.spawn(async move {
            let lines = ["debit provider:connect 0.1 BTC", "credit customer:USER01 0.1 BTC"];
            // Each event is delivered four times.
            let event = event(&format!("deposit#connect#{}", number % 10), 1, "confirmed", &lines);
            let response = Subscriber::new(DynamoLedger::clone(&ledger)).handle(batch(&[event]), NOW).await;
            response.batch_item_failures.len()
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<usize>(), 0);
    assert_eq!(balances(&ledger, "customer:USER01").await, ["-1 BTC"]);
}

#[tokio::test]
async fn a_statement_lists_the_entries_by_date_with_the_balance_after_each() {
    let ledger = empty().await;
    for at in [4, 2, 1, 3] {
        book(&ledger, &life()[at]).await;
    }
    book(&ledger, &converted()).await;
    let statement = ledger.statement(None, &ledger_account("USER01")).await.expect("the table answers");
    assert_eq!(
        statement.lines(),
        [
            "customer:USER01",
            "time                            event                resource            asset  debit  credit       balance",
            "2025-10-07T19:44:51.000000000Z  deposit.confirmed    deposit#zerohash#b  USD              495    495 credit",
            "2025-10-07T19:44:53.000000000Z  deposit.confirmed    deposit#connect#a   BTC            0.013  0.013 credit",
            "2025-10-07T19:44:54.000000000Z  deposit.conflicting  deposit#connect#a   BTC    0.013                     0",
            "2025-10-07T19:44:55.000000000Z  deposit.confirmed    deposit#connect#a   BTC            0.013  0.013 credit",
            "balance: 0.013 credit BTC",
            "balance: 495 credit USD",
        ]
    );
    assert_eq!(
        ledger.statement(None, "customer:UNKNOWN").await.expect("an answer").lines(),
        ["customer:UNKNOWN", "no entries"]
    );
    assert_eq!(ledger_account("held:connect"), "held:connect");
}

#[tokio::test]
async fn the_trial_balance_is_zero_after_each_event_and_tenants_are_apart() {
    let ledger = empty().await;
    let of_tenant = with(with(converted(), "/data/tenant", json!("acme")), "/id", json!("deposit#zerohash/acme#b#1"));
    for event in [&life()[3], &converted(), &of_tenant, &life()[1]] {
        book(&ledger, event).await;
        let sums = ledger.trial_balance().await.expect("the table answers");
        assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
    }
    let (lines, is_zero) = trial_balance_lines(&ledger.trial_balance().await.expect("the table answers"));
    assert_eq!(lines, ["BTC: 0", "USD: 0", "USDC: 0", "acme USD: 0", "acme USDC: 0", "the trial balance is zero"]);
    assert!(is_zero);
    let of_acme = ledger.statement(Some("acme"), "customer:USER01").await.expect("the table answers");
    assert_eq!(of_acme.entries.len(), 1);
}

#[tokio::test]
async fn every_digit_is_kept_and_a_sum_that_would_be_rounded_is_refused() {
    let ledger = empty().await;
    let of = |number: u32, value: &str| {
        let lines = [format!("debit provider:connect {value} ETH"), format!("credit customer:USER01 {value} ETH")];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        event(&format!("deposit#connect#{number}"), 1, "confirmed", &lines)
    };
    let (most, least) = ("9".repeat(38), format!("0.{}1", "0".repeat(37)));
    book(&ledger, &of(1, &most)).await;
    assert_eq!(balances(&ledger, "provider:connect").await, [format!("{most} ETH")]);
    let refused = ledger.book(&entry(&of(2, &least)), NOW).await;
    assert!(matches!(refused, Err(LedgerError::BalanceRefused(_))), "{refused:?}");
    assert_eq!(balances(&ledger, "provider:connect").await, [format!("{most} ETH")], "nothing was booked");
}

#[tokio::test]
async fn a_missing_table_is_an_error_that_fails_each_time() {
    let (_, ledger) = without_table().await;
    let error = ledger.book(&entry(&life()[1]), NOW).await.expect_err("no table");
    assert!(!error.is_transient(), "{error}");
    assert!(!ledger.trial_balance().await.expect_err("no table").is_transient());
}
