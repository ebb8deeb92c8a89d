//! Each way of paging reaches every row once, and unknown parameters are refused.

use std::collections::BTreeSet;

use fundhook_sandbox::{ApiPath, Fault};
use fundhook_zerohash_api::{
    ApiError, CryptoDepositsQuery, DepositsQuery, FundTransactionsQuery, PaymentsQuery, Position,
};
use serde_json::json;

use super::{Zerohash, client, raw, settings};

#[tokio::test]
async fn a_list_with_page_numbers_has_each_row_once() {
    let zerohash = Zerohash::start().await;
    zerohash.funds(103).await;
    let mut query = FundTransactionsQuery::default();
    let mut seen = Vec::new();
    loop {
        let page = zerohash.listed(&query).await.expect("a page");
        seen.push((page.rows.len(), page.next.clone()));
        let Some(next) = page.next else { break };
        query.position = Some(next);
    }
    assert_eq!(seen, [(50, Some(Position::Page(2))), (50, Some(Position::Page(3))), (3, None)]);
    query.position = Some(Position::Page(9));
    let beyond = zerohash.listed(&query).await.expect("a page");
    assert_eq!((beyond.rows.len(), beyond.next), (0, None));
    let counts = zerohash.sandbox.zerohash_counts().await.expect("it counts");
    assert_eq!(counts.answered.get(&ApiPath::FundTransactions), Some(&4));
}

#[tokio::test]
async fn a_list_without_a_number_of_pages_ends_with_a_short_page() {
    let zerohash = Zerohash::start().await;
    for number in 0..25 {
        let body = json!({
            "payment_id": format!("p-{number:02}"), "payment_type": "payout", "status": "submitted",
            "created_at": format!("2025-10-03T21:20:{number:02}Z"),
        });
        zerohash.sign("zerohash", &body).await;
    }
    let mut settings = settings(&zerohash.url);
    settings.page_sizes.payments = 10;
    let client = client(settings);
    let mut query = PaymentsQuery::default();
    let mut sizes = Vec::new();
    let mut ids = BTreeSet::new();
    loop {
        let page = client.payments(&zerohash.credentials, &query, fundhook_runtime::now()).await.expect("a page");
        sizes.push(page.rows.len());
        ids.extend(raw(&page).into_iter().map(|row| row["payment_id"].to_string()));
        query.position = page.next;
        if query.position.is_none() {
            break;
        }
    }
    assert_eq!((sizes, ids.len()), (vec![10, 10, 5], 25));
}

#[tokio::test]
async fn a_cursor_goes_on_where_it_was_although_rows_arrive() {
    let zerohash = Zerohash::start().await;
    for number in 0..7 {
        let body = json!({
            "deposit_id": format!("d-{number}"), "state": "confirmed", "amount": "1", "timestamp": 1_750_752_011 + number,
        });
        zerohash.sign("zerohash", &body).await;
    }
    let mut settings = settings(&zerohash.url);
    settings.page_sizes.crypto_deposits = 3;
    let client = client(settings);
    let mut query = CryptoDepositsQuery::default();
    let mut ids = Vec::new();
    loop {
        let page =
            client.crypto_deposits(&zerohash.credentials, &query, fundhook_runtime::now()).await.expect("a page");
        ids.extend(page.typed().into_iter().map(|row| row.expect("a row").deposit_id));
        zerohash.fault(ApiPath::CryptoDeposits, Fault::Shift { rows: 2 }, 1).await;
        query.position = page.next;
        if query.position.is_none() {
            break;
        }
    }
    assert_eq!(ids, ["d-6", "d-5", "d-4", "d-3", "d-2", "d-1", "d-0"]);
}

#[tokio::test]
async fn an_unknown_parameter_is_refused() {
    let zerohash = Zerohash::start().await;
    let mut settings = settings(&zerohash.url);
    // The list of deposits documents no size of a page.
    settings.page_sizes.deposits = Some(50);
    let deposits =
        client(settings).deposits(&zerohash.credentials, &DepositsQuery::default(), fundhook_runtime::now()).await;
    let error = deposits.expect_err("refused");
    assert!(matches!(error, ApiError::Status { status: 400, .. }), "{error}");
    assert!(error.to_string().ends_with("unknown parameter page_size"), "{error}");
}
