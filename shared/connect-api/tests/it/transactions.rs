//! Transactions: pages, verbatim rows, and typed rows.

use fundhook_connect_api::{ApiError, TransactionsPage, TransactionsQuery};
use fundhook_domain::Timestamp;

use crate::support::{Answer, Provider, assert_shows_no_secret, caller, client, settings};

/// The row of [connect-guide §7], with an unknown field, an unusual layout, and numbers that a float would change.
const ROW: &str = r#"{ "participant_code": "USER01", "fund_asset":"USDC.ETH","deposited_asset": "USDC.ETH",
  "rate": 1.000000000000000000001, "quoted_currency": "USD", "quantity": "100", "notional": 119078888888888888887.10,
  "fund_id": "29e6d7b8-d604-4212-86ee-998fef35505e", "fund_timestamp": 1708631671631, "deposit_timestamp": "1708631681",
  "transaction_id": "ec963207", "account_label": "general", "success": "true", "status_reason": "succ\u00e8s",
  "reference_id": "ba97133e", "raw_fee_bps": "1.5", "deposit_fee_notional": "", "new": {"a": [1e400]},
  "source": {"type": "CUSTODIAL", "integration": "coinbase", "new": 1} }"#;

fn page_of(rows: &str) -> String {
    format!(r#"{{"message":{rows},"page":1,"page_size":50,"total_pages":3,"new":true}}"#)
}

async fn listed(answer: &str) -> Result<TransactionsPage, ApiError> {
    Provider::saying(answer).await.client().transactions(&caller(), &TransactionsQuery::default()).await
}

#[tokio::test]
async fn rows_are_kept_byte_for_byte_and_in_order() {
    let odd = r#"{"fund_id" : 007}"#.replace("007", "70e-1");
    let page = listed(&page_of(&format!("[\n {ROW} , {odd},null]"))).await.expect("a page");
    let rows: Vec<&str> = page.transactions.iter().map(|row| row.get()).collect();
    assert_eq!(rows, [ROW, &odd, "null"]);
    assert_eq!((page.page, page.page_size, page.total_pages), (1, 50, 3));
}

#[tokio::test]
async fn typed_rows_are_exact_and_an_invalid_row_does_not_affect_the_others() {
    let rows = format!(r#"[{ROW},{{"fund_id":"1"}},{{"fund_id":12345678901234567890123,"success":false}}]"#);
    let page = listed(&page_of(&rows)).await.expect("a page");
    let mut typed = page.typed().into_iter();
    let row = typed.next().expect("a row").expect("the guide's row");
    assert_eq!(row.fund_id, "29e6d7b8-d604-4212-86ee-998fef35505e");
    assert_eq!(row.rate.as_deref(), Some("1.000000000000000000001"));
    assert_eq!(row.notional.as_deref(), Some("119078888888888888887.10"));
    assert_eq!((row.quantity.as_deref(), row.success), (Some("100"), true));
    assert_eq!(row.status_reason.as_deref(), Some("succès"));
    assert_eq!(row.deposit_fee_notional.as_deref(), Some(""));
    assert_eq!(row.deposit_address, None);
    assert_eq!(row.fund_timestamp.map(|at| at.to_string()).as_deref(), Some("2024-02-22T19:54:31.631Z"));
    assert_eq!(row.deposit_timestamp.map(|at| at.to_string()).as_deref(), Some("2024-02-22T19:54:41Z"));
    let source = row.source.expect("a source");
    assert_eq!((source.kind.as_deref(), source.integration.as_deref()), (Some("CUSTODIAL"), Some("coinbase")));
    assert!(typed.next().expect("a row").is_err(), "`success` is missing");
    let numbered = typed.next().expect("a row").expect("a row");
    assert_eq!((numbered.fund_id.as_str(), numbered.success), ("12345678901234567890123", false));
}

#[tokio::test]
async fn an_empty_list_is_a_page_and_a_missing_list_is_an_error() {
    for rows in ["[]", "null"] {
        assert!(listed(&page_of(rows)).await.is_ok_and(|page| page.transactions.is_empty()), "{rows}");
    }
    for answer in [
        page_of("{}"),
        page_of("\"canary\""),
        r#"{"page":1,"page_size":50,"total_pages":1}"#.to_owned(),
        r#"{"message":[],"page":1,"page_size":50}"#.to_owned(),
        r#"{"message":[],"page":-1,"page_size":50,"total_pages":1}"#.to_owned(),
        "[]".to_owned(),
    ] {
        let error = listed(&answer).await.map(|_| ()).expect_err(&answer);
        assert!(matches!(error, ApiError::UnexpectedShape { .. }), "{answer}: {error}");
    }
}

#[tokio::test]
async fn a_query_is_sent_with_the_parameter_names_of_the_settings() {
    let at = |text: &str| text.parse::<Timestamp>().ok();
    let query = TransactionsQuery {
        page: 2,
        page_size: 10,
        deposited_from: at("2025-10-07T19:44:50.999999999Z"),
        deposited_before: at("2025-10-08T00:00:00.5Z"),
        fund_id: Some("a/b".to_owned()),
        participant_code: Some("USER 01".to_owned()),
        reference_id: Some("é".to_owned()),
    };
    let provider = Provider::saying(&page_of("[]")).await;
    provider.client().transactions(&caller(), &query).await.expect("a page");
    let asked = provider.asked_once();
    let sent = "/transactions?page=2&page_size=10&deposit_timestamp_gte=1759866290000&deposit_timestamp_lt=1759881600000\
        &fund_id=a%2Fb&participant_code=USER+01&reference_id=%C3%A9";
    assert_eq!((asked.method.as_str(), asked.path_and_query.as_str()), ("GET", sent));
    assert_eq!(asked.header("client-id"), caller().organization_id);
    assert_eq!(asked.header("authorization"), format!("Bearer {}", crate::support::TOKEN));
    assert!(asked.body.is_empty());

    let provider = Provider::saying(&page_of("[]")).await;
    let mut settings = settings(&provider.url);
    settings.paths.transactions = "/fund/transactions".to_owned();
    settings.parameters.deposited_from = Some("from".to_owned());
    settings.parameters.deposited_before = None;
    settings.parameters.page = "seite".to_owned();
    let query = TransactionsQuery { fund_id: None, participant_code: None, reference_id: None, ..query };
    client(settings).transactions(&caller(), &query).await.expect("a page");
    assert_eq!(provider.asked_once().path_and_query, "/fund/transactions?seite=2&page_size=10&from=1759866290000");
}

#[tokio::test]
async fn the_default_query_is_the_first_page_of_all_transactions() {
    let provider = Provider::saying(&page_of("[]")).await;
    let client = provider.client();
    client.transactions(&caller(), &TransactionsQuery::default()).await.expect("a page");
    assert_eq!(provider.asked_once().path_and_query, "/transactions?page=1&page_size=50");
    assert_eq!(client.transactions_url(), format!("{}/transactions", provider.url));
}

#[tokio::test]
async fn an_invalid_page_is_not_requested() {
    let provider = Provider::saying(&page_of("[]")).await;
    for (page, page_size) in [(0, 50), (1, 0), (1, 51)] {
        let query = TransactionsQuery { page, page_size, ..TransactionsQuery::default() };
        let asked = provider.client().transactions(&caller(), &query).await;
        assert!(matches!(asked, Err(ApiError::InvalidRequest(_))), "{page} {page_size}");
    }
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn an_error_shows_the_requested_transaction_but_not_the_user_or_the_session() {
    let body = r#"{"message":"neither canary-user nor canary-reference has c55481bf"}"#;
    let provider = Provider::answering([Answer::json(404, body)]).await;
    let query = TransactionsQuery {
        fund_id: Some("c55481bf".to_owned()),
        participant_code: Some("canary-user".to_owned()),
        reference_id: Some("canary-reference".to_owned()),
        ..TransactionsQuery::default()
    };
    let error = provider.client().transactions(&caller(), &query).await.map(|_| ()).expect_err("404");
    assert!(error.to_string().ends_with("neither [hidden] nor [hidden] has c55481bf"), "{error}");
    assert_shows_no_secret(&error);
}
