//! The ledger on DynamoDB: every test makes real SDK calls to dynoxide, an embedded engine that is checked against
//! recordings of DynamoDB.

use std::collections::HashMap;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Config, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_smithy_http_client::Builder as HttpClient;
use dynoxide::Database;
use serde_json::{Value, json};
use subscriber::{CreditOutcome, DynamoLedger, HoldOutcome, Ledger, LedgerError, Subscriber};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::{
    MemoryLedger, NOW, batch, confirmed, conflicting, converted, credit, deposit, duplicate, failed, hold, pending,
    restated, sequences, submitted, with, without,
};

const TABLE: &str = "ledger";

/// A DynamoDB that ends with the test's runtime.
struct Local {
    client: Client,
    ledger: DynamoLedger,
}

impl Local {
    /// A DynamoDB with an empty ledger.
    async fn start() -> Self {
        let local = Self::without_table().await;
        let attribute = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
        let create = local.client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
        let create = create.attribute_definitions(attribute.build().expect("an attribute"));
        create.key_schema(key.build().expect("a key")).send().await.expect("the table is created");
        local
    }

    async fn without_table() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(dynoxide::server::serve_on(listener, Database::memory().expect("an empty database")));
        let config = Config::builder()
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(HttpClient::new().build_http())
            .endpoint_url(endpoint);
        let client = Client::from_conf(config.build());
        Self { ledger: DynamoLedger::new(client.clone(), TABLE.to_owned()), client }
    }

    async fn item(&self, pk: &str) -> Option<HashMap<String, AttributeValue>> {
        let get = self.client.get_item().table_name(TABLE).key("pk", AttributeValue::S(pk.to_owned()));
        get.consistent_read(true).send().await.expect("the table answers").item
    }

    /// The item as name = value, sorted.
    async fn shown(&self, pk: &str) -> Vec<String> {
        let shown = |(name, value): (String, AttributeValue)| match (value.as_s(), value.as_n()) {
            (Ok(text), _) => format!("{name} = {text}"),
            (_, Ok(number)) => format!("{name} = {number} (a number)"),
            _ => unreachable!("{value:?} is not in a ledger"),
        };
        let mut attributes: Vec<String> = self.item(pk).await.unwrap_or_default().into_iter().map(shown).collect();
        attributes.sort();
        attributes
    }

    /// The stored total of a balance.
    async fn total(&self, balance: &str) -> Option<String> {
        let item = self.item(&format!("balance#{balance}")).await?;
        Some(item["total"].as_n().expect("a number").clone())
    }
}

fn of_account(event: Value, account: &str) -> Value {
    with(event, "/account", json!(account))
}

fn of_value(event: Value, value: &str) -> Value {
    with(event, "/credit/net/value", json!(value))
}

#[tokio::test]
async fn the_entry_has_the_terms_of_the_credit_and_the_balance_has_the_sum() {
    let local = Local::start().await;
    for (native, value) in [("a", "0.013"), ("b", "119.078888888888888887"), ("c", "21000000")] {
        let outcome = local.ledger.credit(&credit(&of_value(confirmed(native), value)), NOW).await;
        assert_eq!(outcome.expect("the ledger answers"), CreditOutcome::Credited);
    }
    assert_eq!(
        local.shown("credit#deposit#connect#b").await,
        [
            "account = USER01",
            "asset = BTC",
            "credited_at = 2025-10-07T19:44:50Z",
            "event_id = deposit#connect#b#3",
            "network = bitcoin",
            "pk = credit#deposit#connect#b",
            "state = credited",
            "tenant = -",
            "value = 119.078888888888888887",
        ]
    );
    assert_eq!(
        local.shown("balance#-#USER01#BTC#bitcoin").await,
        ["pk = balance#-#USER01#BTC#bitcoin", "total = 21000119.091888888888888887 (a number)"]
    );
}

#[tokio::test]
async fn a_balance_without_a_network_is_separate() {
    let local = Local::start().await;
    for event in
        [confirmed("a"), without(confirmed("b"), "/amount/network"), without(confirmed("c"), "/amount/network")]
    {
        let outcome = local.ledger.credit(&credit(&event), NOW).await;
        assert_eq!(outcome.expect("the ledger answers"), CreditOutcome::Credited);
    }
    assert_eq!(local.total("-#USER01#BTC#bitcoin").await.as_deref(), Some("0.013"));
    assert_eq!(local.total("-#USER01#BTC#-").await.as_deref(), Some("0.026"));
    let entry = local.item("credit#deposit#connect#b").await.expect("an entry");
    assert_eq!(entry["network"].as_s().map(String::as_str), Ok("-"));
}

#[tokio::test]
async fn a_hold_records_its_reason_and_a_disputed_credit_keeps_its_terms() {
    let local = Local::start().await;
    assert_eq!(local.ledger.hold(&hold(&duplicate("a")), NOW).await.expect("an answer"), HoldOutcome::Held);
    assert_eq!(
        local.shown("credit#deposit#connect#a").await,
        [
            "objected_at = 2025-10-07T19:44:50Z",
            "objection = duplicate of deposit#zerohash#1",
            "objection_event_id = deposit#connect#a#3",
            "pk = credit#deposit#connect#a",
            "state = held",
        ]
    );
    local.ledger.credit(&credit(&confirmed("b")), NOW).await.expect("an answer");
    assert_eq!(local.ledger.hold(&hold(&conflicting("b")), NOW).await.expect("an answer"), HoldOutcome::Disputed);
    assert_eq!(
        local.shown("credit#deposit#connect#b").await,
        [
            "account = USER01",
            "asset = BTC",
            "credited_at = 2025-10-07T19:44:50Z",
            "event_id = deposit#connect#b#3",
            "network = bitcoin",
            "objected_at = 2025-10-07T19:44:50Z",
            "objection = conflicting: confirmed, failed",
            "objection_event_id = deposit#connect#b#4",
            "pk = credit#deposit#connect#b",
            "state = disputed",
            "tenant = -",
            "value = 0.013",
        ]
    );
    assert_eq!(local.total("-#USER01#BTC#bitcoin").await.as_deref(), Some("0.013"), "the balance is unchanged");
    local.ledger.credit(&credit(&converted("c")), NOW).await.expect("an answer");
    assert_eq!(local.ledger.hold(&hold(&restated("c")), NOW).await.expect("an answer"), HoldOutcome::Disputed);
    let entry = local.item("credit#deposit#connect#c").await.expect("an entry");
    let shown =
        ["state", "objection", "value", "asset", "network"].map(|name| entry[name].as_s().expect("a text").as_str());
    assert_eq!(shown, ["disputed", "restated: fee_bearer_unknown", "495", "USD", "-"]);
    assert_eq!(local.total("-#USER01#USD#-").await.as_deref(), Some("495"), "a person takes the credit back");
}

#[tokio::test]
async fn a_second_confirmation_with_another_credit_changes_neither_entry_nor_balance() {
    let local = Local::start().await;
    let other = of_value(converted("a"), "500");
    local.ledger.credit(&credit(&converted("a")), NOW).await.expect("an answer");
    let entry = local.shown("credit#deposit#connect#a").await;
    for _ in 0..2 {
        let outcome = local.ledger.credit(&credit(&other), NOW).await;
        assert_eq!(outcome.expect("an answer"), CreditOutcome::CreditedDifferently(vec!["value"]));
    }
    assert_eq!(local.shown("credit#deposit#connect#a").await, entry);
    assert_eq!(local.total("-#USER01#USD#-").await.as_deref(), Some("495"));
}

/// The other tests rely on the ledger in memory.
#[tokio::test]
async fn the_ledgers_in_memory_and_on_dynamodb_give_the_same_answers_to_every_sequence() {
    let local = Local::start().await;
    for (number, sequence) in sequences(4, 4).into_iter().enumerate() {
        let native = number.to_string();
        let memory = MemoryLedger::default();
        for choice in &sequence {
            let (in_memory, on_dynamodb) = match choice {
                0 | 1 => {
                    let event = of_value(confirmed(&native), if *choice == 0 { "1" } else { "2" });
                    let credit = credit(&event);
                    let answers = (memory.credit(&credit, NOW).await, local.ledger.credit(&credit, NOW).await);
                    (answers.0.map(|outcome| format!("{outcome:?}")), answers.1.map(|outcome| format!("{outcome:?}")))
                }
                _ => {
                    let hold = hold(&if *choice == 2 { conflicting(&native) } else { duplicate(&native) });
                    let answers = (memory.hold(&hold, NOW).await, local.ledger.hold(&hold, NOW).await);
                    (answers.0.map(|outcome| format!("{outcome:?}")), answers.1.map(|outcome| format!("{outcome:?}")))
                }
            };
            let in_memory = in_memory.expect("memory answers");
            assert_eq!(on_dynamodb.expect("the ledger answers"), in_memory, "{sequence:?}");
        }
    }
}

#[tokio::test]
async fn every_order_and_repetition_of_a_deposits_events_credits_its_balance_once() {
    let local = Local::start().await;
    let subscriber = Subscriber::new(local.ledger.clone());
    for (number, sequence) in sequences(3, 4).into_iter().enumerate() {
        let native = number.to_string();
        let life = [pending(&native), submitted(&native), confirmed(&native)];
        let events: Vec<Value> = sequence.iter().map(|choice| of_account(life[*choice].clone(), &native)).collect();
        assert!(failed(&subscriber.handle(batch(&events), NOW).await).is_empty(), "{sequence:?}");
        let expected = sequence.contains(&2).then_some("0.013");
        assert_eq!(local.total(&format!("-#{native}#BTC#bitcoin")).await.as_deref(), expected, "{sequence:?}");
    }
}

#[tokio::test]
async fn concurrent_subscribers_credit_each_deposit_once_and_lose_no_sum() {
    let local = Local::start().await;
    let mut subscribers = JoinSet::new();
    // Ten deposits of one account, delivered to six subscribers in different orders.
    for number in 0..6 {
        let subscriber = Subscriber::new(local.ledger.clone());
        let mut events: Vec<Value> = (0..10).map(|native| confirmed(&native.to_string())).collect();
        events.rotate_left(number);
        subscribers.spawn(async move {
            // Unfinished messages are delivered again.
            while !failed(&subscriber.handle(batch(&events), NOW).await).is_empty() {}
        });
    }
    subscribers.join_all().await;
    assert_eq!(local.total("-#USER01#BTC#bitcoin").await.as_deref(), Some("0.13"));
}

#[tokio::test]
async fn a_concurrent_contradiction_and_confirmation_end_held_or_disputed_and_never_only_credited() {
    let local = Arc::new(Local::start().await);
    for number in 0..20 {
        let native = number.to_string();
        let (credit, hold) = (credit(&of_account(confirmed(&native), &native)), hold(&conflicting(&native)));
        let one = {
            let local = local.clone();
            tokio::spawn(async move { local.ledger.credit(&credit, NOW).await })
        };
        let other = {
            let local = local.clone();
            tokio::spawn(async move { local.ledger.hold(&hold, NOW).await })
        };
        let outcomes =
            (one.await.expect("no panic").expect("an answer"), other.await.expect("no panic").expect("an answer"));
        let total = local.total(&format!("-#{native}#BTC#bitcoin")).await;
        let entry = local.item(&format!("credit#{}", deposit(&native))).await.expect("an entry");
        let ended = (outcomes.0, outcomes.1, entry["state"].as_s().expect("a text").as_str(), total.as_deref());
        let allowed = [
            (CreditOutcome::Held, HoldOutcome::Held, "held", None),
            (CreditOutcome::Credited, HoldOutcome::Disputed, "disputed", Some("0.013")),
        ];
        assert!(allowed.contains(&ended), "{ended:?}");
    }
}

#[tokio::test]
async fn a_sum_that_would_be_rounded_is_rejected_and_nothing_is_written() {
    let local = Local::start().await;
    let nines = "9".repeat(38);
    local.ledger.credit(&credit(&of_value(confirmed("a"), &nines)), NOW).await.expect("it fits");
    for value in ["0.1", &format!("0.{}1", "0".repeat(37)), "2"] {
        let refused = local.ledger.credit(&credit(&of_value(confirmed("b"), value)), NOW).await;
        assert!(matches!(refused, Err(LedgerError::BalanceRefused(_))), "{value}: {refused:?}");
        assert_eq!(local.item("credit#deposit#connect#b").await, None, "{value}");
    }
    assert_eq!(local.total("-#USER01#BTC#bitcoin").await, Some(nines));
}

#[tokio::test]
async fn a_corrupt_entry_is_an_error_and_not_a_credit() {
    let local = Local::start().await;
    let put =
        local.client.put_item().table_name(TABLE).item("pk", AttributeValue::S("credit#deposit#connect#a".to_owned()));
    put.send().await.expect("the table answers");
    let credited = local.ledger.credit(&credit(&confirmed("a")), NOW).await;
    assert!(matches!(credited, Err(LedgerError::Unreadable("state"))), "{credited:?}");
    let held = local.ledger.hold(&hold(&conflicting("a")), NOW).await;
    assert!(matches!(held, Err(LedgerError::Unreadable("state"))), "{held:?}");
}

#[tokio::test]
async fn without_its_table_the_ledger_fails_and_the_messages_are_delivered_again() {
    let local = Local::without_table().await;
    let credited = local.ledger.credit(&credit(&confirmed("a")), NOW).await;
    assert!(matches!(credited, Err(LedgerError::Refused(_))), "{credited:?}");
    let events = [confirmed("a"), pending("a"), conflicting("b")];
    let response = Subscriber::new(local.ledger).handle(batch(&events), NOW).await;
    assert_eq!(failed(&response), ["message-0", "message-2"]);
}
