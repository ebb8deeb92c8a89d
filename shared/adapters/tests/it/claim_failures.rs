//! Claims that cannot be written or read: nothing is stored, and no coin looks unclaimed.

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_adapters::{Aws, ReconciliationTable, ResourceTable, WriteMethod};
use fundhook_domain::ResourceId;
use fundhook_domain::WebhookFamily::ConnectDeposits;
use fundhook_ports::{Claims, Disposition, Resources, Write, WriteOutcome, chain};
use serde_json::json;

use crate::support::coins::{HASH, OTHER_HASH, claim_on, confirmed, first_claim, recorded};
use crate::support::server::{Answer, Server};
use crate::support::{TABLE, deposit, first_write, read_one, statement, table, with, write_one};

fn claiming() -> Write {
    first_claim(confirmed(ConnectDeposits, "a", HASH))
}

fn plain(native: &str) -> Write {
    first_write(statement(&deposit(native), "pending", 0, "pending"))
}

/// The item of the claim on the coins of [`HASH`].
fn claim_item() -> String {
    format!("claim#{}", claim_on(HASH))
}

#[tokio::test]
async fn a_claim_fails_permanently_where_a_plain_write_does() {
    let unreachable = Aws::local("http://127.0.0.1:9", "test").expect("a local connection");
    let (local, here) = table(WriteMethod::default()).await;
    let away = ResourceTable::new(&unreachable, TABLE.to_owned());
    let missing = ResourceTable::new(&local.aws, "another".to_owned());
    let large = first_claim(with(confirmed(ConnectDeposits, "a", HASH), |details| {
        // A DynamoDB item has at most 400 KB.
        details.session.metadata = Some("x".repeat(410_000).into());
    }));
    for (what, table, write, disposition) in [
        ("a table that does not answer", &away, claiming(), Disposition::Retry),
        ("a table that does not exist", &missing, claiming(), Disposition::DeadLetter),
        ("a deposit that is too large", &here, large, Disposition::DeadLetter),
    ] {
        let outcome = write_one(table, write).await;
        assert!(
            matches!(&outcome, WriteOutcome::Failed(error) if error.disposition() == disposition),
            "{what}: {outcome:?}"
        );
    }
    assert!(local.item(&claim_item()).await.is_none(), "nothing of a failed write is left behind");
}

/// DynamoDB's quota for a transaction.
const ITEMS_MAX: usize = 100;

async fn a_write_of_more_items_than_a_transaction_takes_fails_permanently(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    // The deposit and its claim, and other resources.
    let of_items = |count: usize| {
        let others = (2..count).flat_map(|number| plain(&number.to_string()).resources);
        let mut write = claiming();
        write.resources.extend(others);
        write
    };
    let large = of_items(ITEMS_MAX + 1);
    let ids: Vec<ResourceId> = large.resources.iter().map(|resource| resource.item.id().clone()).collect();
    let outcome = write_one(&table, large).await;
    let WriteOutcome::Failed(error) = outcome else { unreachable!("it is too large: {outcome:?}") };
    assert_eq!(error.disposition(), Disposition::DeadLetter);
    let told = chain(&error);
    assert!(told.contains("101 items change together, and a transaction takes 100"), "{told}");
    let stored = table.read(&ids).await.expect("the table answers");
    assert!(stored.iter().all(|resource| resource.version() == 0), "nothing of it is stored");
    assert!(local.item(&claim_item()).await.is_none());

    let outcome = write_one(&table, of_items(ITEMS_MAX)).await;
    assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
}

/// A DynamoDB in which another transaction is always writing the same items.
async fn in_conflict() -> Server {
    Server::answering(|asked| {
        let target = asked.header("x-amz-target").expect("a target");
        let error = |name: &str| format!("com.amazonaws.dynamodb.v20120810#{name}");
        let (status, body) = match target.rsplit('.').next() {
            Some("TransactWriteItems") => {
                let reasons = json!([{ "Code": "None" }, { "Code": "TransactionConflict" }]);
                (400, json!({ "__type": error("TransactionCanceledException"), "CancellationReasons": reasons }))
            }
            Some("PutItem") => (400, json!({ "__type": error("TransactionConflictException") })),
            Some("BatchExecuteStatement") => {
                (200, json!({ "Responses": [{ "Error": { "Code": "TransactionConflict" } }] }))
            }
            _ => unreachable!("no other operation is needed: {target}"),
        };
        Answer::new(status, "application/x-amz-json-1.0", body.to_string())
    })
    .await
}

async fn a_write_that_conflicts_with_another_transaction_loses(writes: WriteMethod) {
    let server = in_conflict().await;
    let aws = Aws::local(&server.url, "test").expect("a local connection");
    let table = ResourceTable::new(&aws, TABLE.to_owned()).writing_by(writes);
    for write in [claiming(), plain("a")] {
        let outcome = write_one(&table, write).await;
        assert!(matches!(outcome, WriteOutcome::Lost(None)), "{outcome:?}");
    }
    assert_eq!(server.asked().len(), 2, "each is sent once: the state updater decides about another attempt");
}

#[tokio::test]
async fn an_unreadable_claim_is_an_error_and_never_looks_unclaimed() {
    let (local, table) = table(WriteMethod::default()).await;
    let reconciliation = ReconciliationTable::new(&local.aws, TABLE.to_owned());
    let readable = recorded(&table, confirmed(ConnectDeposits, "readable", OTHER_HASH)).await;
    assert!(matches!(write_one(&table, readable).await, WriteOutcome::Written));
    let text = |text: &str| [("claim", AttributeValue::S(text.to_owned()))];
    let unreadable: [&[(&str, AttributeValue)]; 6] = [
        &[],
        &[("claim", AttributeValue::N("4711".to_owned()))],
        &text(""),
        &text(r#"{"canary""#),
        &text(r#"{"canary":1}"#),
        &text(r#"{"key":"canary","version":1,"entries":{"canary":{}}}"#),
    ];
    for attributes in unreadable {
        local.put(&claim_item(), attributes).await;
        for keys in [vec![claim_on(HASH)], vec![claim_on(OTHER_HASH), claim_on(HASH)]] {
            for read in [table.claims(&keys).await, reconciliation.claims(&keys).await] {
                let error = read.expect_err("the claim is unreadable");
                assert_eq!(error.disposition(), Disposition::DeadLetter);
                let told = chain(&error);
                assert!(told.contains("read the claims on coins: the item"), "{told}");
                assert!(!told.contains("canary") && !told.contains("4711"), "{told}");
            }
        }
        // A write for which it was not read does not replace it.
        let stored = local.item(&claim_item()).await;
        let outcome = write_one(&table, claiming()).await;
        assert!(matches!(outcome, WriteOutcome::Lost(None)), "{outcome:?}");
        assert_eq!(local.item(&claim_item()).await, stored);
        assert_eq!(read_one(&table, &deposit("a")).await.version(), 0);
    }
}

crate::support::by_statements_and_by_puts! {
    a_write_of_more_items_than_a_transaction_takes_fails_permanently,
    a_write_that_conflicts_with_another_transaction_loses,
}
