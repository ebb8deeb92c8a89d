//! The provider's list of transactions.

use fundhook_ports::fakes::{Fail, Fake, ListedTransaction, TransactionApi};
use fundhook_ports::{ListError, ListQuery, ListTransactions};
use secrecy::SecretString;

use crate::{at, feed};

fn row(seconds: i64, id: &str) -> ListedTransaction {
    ListedTransaction { at: at(seconds), id: id.to_owned(), json: format!("{{\"fund_id\":\"{id}\"}}") }
}

/// A list of five rows in pages of two.
fn api() -> Fake<TransactionApi> {
    let api = Fake::<TransactionApi>::empty(2, "good");
    for (seconds, id) in [(0, "a"), (10, "b"), (20, "c"), (30, "d"), (40, "e"), (20, "c")] {
        api.list_row(&feed("connect"), row(seconds, id));
    }
    api
}

#[tokio::test]
async fn pages_are_newest_first_and_hold_the_dates_that_were_asked_for() {
    let api = api();
    for (page, expected) in [(1, &["d", "c"][..]), (2, &["b"]), (3, &[])] {
        let query = ListQuery::Dated { from: at(10), before: at(40), page };
        let listed = api.list(&feed("connect"), &"good".into(), &query).await.expect("it is up");
        let rows: Vec<String> = expected.iter().map(|id| row(0, id).json).collect();
        assert_eq!((listed.rows, listed.pages), (rows, 2), "page {page}");
    }
    let one = api.list(&feed("connect"), &"good".into(), &ListQuery::Id("a".to_owned())).await.expect("it is up");
    assert_eq!((one.rows, one.pages), (vec![row(0, "a").json], 1));
    let others = api.list(&feed("connect/acme"), &"good".into(), &ListQuery::Id("a".to_owned())).await;
    assert!(others.expect("it is up").rows.is_empty(), "each feed has its own list");
    assert_eq!(api.now().calls.len(), 5);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_told_apart_from_a_failure() {
    let (api, query) = (api(), ListQuery::Id("a".to_owned()));
    let list = async |token: SecretString| api.list(&feed("connect"), &token, &query).await;
    assert!(matches!(list("bad".into()).await, Err(ListError::Unauthorized(_))));
    api.now().on_list = Fail::Next(1);
    assert!(matches!(list("good".into()).await, Err(ListError::Port(_))));
    assert!(list("good".into()).await.is_ok());
}
