//! Deposits that may be one coin: what is remembered of them is written with the deposit, on the version that was read.

use fundhook_adapters::{ResourceTable, WriteMethod};
use fundhook_domain::{
    DepositStatus, NewFact, Quantity, SeveralFamiliesCredit, SimilarDeposits, SimilarKey, Statement, Status, Stored,
    WebhookFamily,
};
use fundhook_ports::{Claims, Resources, Write, WriteOutcome};

use crate::support::coins::{HASH, confirmed};
use crate::support::{read_one, table, with, write_one};

/// 100 USDC for one customer, confirmed; zerohash's fund transaction does not name the on-chain transaction.
fn report(family: WebhookFamily, native: &str) -> Statement {
    with(confirmed(family, native, HASH), |details| {
        details.quantity = Some(Quantity::major("100".parse().expect("a number")));
        details.account = Some("CUST01".to_owned());
        if family == WebhookFamily::ZerohashFund {
            details.transaction.hash = None;
        }
    })
}

fn key() -> SimilarKey {
    let id = report(WebhookFamily::ZerohashFund, "a").resource;
    SimilarKey::new(id.feed(), "CUST01", "USDC", &"100".parse().expect("a number"))
}

/// The write of a report on what is stored, as an updater makes it which remembers similar deposits.
async fn due(table: &ResourceTable, said: Statement) -> Write {
    let mut stored = Stored::remembering(SeveralFamiliesCredit::of([None]));
    for resource in table.read(std::slice::from_ref(&said.resource)).await.expect("the table answers") {
        stored.know(resource);
    }
    for similar in table.similar(&[key()]).await.expect("the table answers") {
        stored.know_similar(similar);
    }
    stored.record(&[NewFact::from(said)]).expect("an owner").expect("something new")
}

async fn of_two_that_may_be_one_coin_the_second_is_held_although_both_were_read_before(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let (named, unnamed) =
        (report(WebhookFamily::ZerohashDepositStatus, "a"), report(WebhookFamily::ZerohashFund, "b"));
    let (first, second) = (due(&table, named).await, due(&table, unnamed.clone()).await);
    assert!(matches!(write_one(&table, first).await, WriteOutcome::Written));
    // It found nothing when it read, and loses.
    let lost = write_one(&table, second).await;
    assert!(matches!(lost, WriteOutcome::Lost(_)), "{lost:?}");
    assert_eq!(read_one(&table, &unnamed.resource).await.version(), 0, "nothing of it is stored");
    assert!(matches!(write_one(&table, due(&table, unnamed.clone()).await).await, WriteOutcome::Written));
    let view = read_one(&table, &unnamed.resource).await.view().expect("a view");
    assert_eq!(view.status, Some(Status::Deposit(DepositStatus::Held)));
    assert_eq!(local.keys_in("open", "deposit.review").await, [unnamed.resource.to_string()], "it needs review");

    let item = local.item(&format!("similar#{}", key())).await.expect("the item");
    assert_eq!(item.get("version"), None, "the publisher's filter passes what has a version");
    let stored: Vec<SimilarDeposits> = table.similar(&[key()]).await.expect("the table answers");
    assert_eq!(stored.iter().map(SimilarDeposits::version).collect::<Vec<_>>(), [2]);
}

crate::support::by_statements_and_by_puts! {
    of_two_that_may_be_one_coin_the_second_is_held_although_both_were_read_before,
}
