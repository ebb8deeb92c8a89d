//! Faults on request, as the client reports them.

use std::time::{Duration, Instant};

use fundhook_sandbox::{ApiPath, Fault};
use fundhook_zerohash_api::{
    AccountsQuery, ApiError, CryptoDepositsQuery, DepositsQuery, ExternalAccountsQuery, FundTransactionsQuery,
    MovementsQuery, ParticipantsQuery, PaymentStatusesQuery, PaymentsQuery, Refusal,
};

use super::Zerohash;

/// The error of a list whose next answers have this fault.
async fn failed(zerohash: &Zerohash, fault: Fault) -> ApiError {
    zerohash.fault(ApiPath::FundTransactions, fault, 2).await;
    zerohash.listed(&FundTransactionsQuery::default()).await.map(|_| ()).expect_err("a fault")
}

#[tokio::test]
async fn an_error_has_the_form_that_is_documented_for_its_status() {
    let zerohash = Zerohash::start().await;
    for status in [400, 403, 404, 500, 503] {
        zerohash.fault(ApiPath::FundTransactions, Fault::Status { status, retry_after: None }, 0).await;
        let error = failed(&zerohash, Fault::Status { status, retry_after: None }).await;
        assert!(error.to_string().ends_with("the sandbox was told to return this status"), "{error}");
        let allows = matches!(error, ApiError::Status { allows_retry: true, .. });
        assert_eq!(allows, status == 503, "{error}");
    }
    zerohash.fault(ApiPath::FundTransactions, Fault::Html, 0).await;
    let error = failed(&zerohash, Fault::Status { status: 429, retry_after: Some(17) }).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
}

#[tokio::test]
async fn an_answer_can_be_cut_delayed_a_web_page_or_another_page() {
    let zerohash = Zerohash::start().await;
    assert!(matches!(failed(&zerohash, Fault::HalfBody).await, ApiError::TruncatedBody { .. }));
    assert!(matches!(failed(&zerohash, Fault::TruncatedJson).await, ApiError::TruncatedBody { .. }));
    assert!(matches!(failed(&zerohash, Fault::Html).await, ApiError::NotJson { .. }));
    zerohash.fault(ApiPath::FundTransactions, Fault::Html, 0).await;
    let error = failed(&zerohash, Fault::WrongPage).await;
    assert!(error.to_string().ends_with("the response is page 2, expected page 1"), "{error}");

    zerohash.fault(ApiPath::FundTransactions, Fault::WrongPage, 0).await;
    zerohash.fault(ApiPath::FundTransactions, Fault::Slow { ms: 300 }, 1).await;
    let began = Instant::now();
    zerohash.listed(&FundTransactionsQuery::default()).await.expect("a page");
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_refused_address_is_told_apart_from_refused_credentials() {
    let zerohash = Zerohash::start().await;
    let error = failed(&zerohash, Fault::RefuseAddress).await;
    assert_eq!(zerohash.client.refusal(&error), Some(Refusal::Address), "{error}");
    zerohash.fault(ApiPath::Time, Fault::RefuseAddress, 1).await;
    let error = zerohash.client.time().await.expect_err("refused");
    assert_eq!(zerohash.client.refusal(&error), Some(Refusal::Address), "{error}");
    zerohash.fault(ApiPath::Time, Fault::Status { status: 403, retry_after: None }, 1).await;
    let error = zerohash.client.time().await.expect_err("refused");
    assert_eq!(zerohash.client.refusal(&error), Some(Refusal::Address), "the clock needs no credentials: {error}");
}

#[tokio::test]
async fn a_late_row_is_missing_until_it_is_old_enough() {
    let zerohash = Zerohash::start().await;
    let now = fundhook_runtime::now();
    zerohash.sign_at("zerohash", &super::fund(1), now.minus(Duration::from_secs(600))).await;
    zerohash.sign_at("zerohash", &super::fund(2), now.minus(Duration::from_secs(60))).await;
    zerohash.fault(ApiPath::FundTransactions, Fault::Late { seconds: 300 }, 1).await;
    let all = FundTransactionsQuery::default();
    assert_eq!(zerohash.fund_ids(&all).await, ["f-001"]);
    assert_eq!(zerohash.fund_ids(&all).await, ["f-002", "f-001"]);
}

#[tokio::test]
async fn a_backdated_row_is_below_the_newest_and_stays_listed() {
    let zerohash = Zerohash::start().await;
    let mut newest = super::fund(1);
    newest["deposit_timestamp"] = serde_json::json!(fundhook_runtime::now().unix_seconds());
    zerohash.sign("zerohash", &newest).await;
    zerohash.fault(ApiPath::FundTransactions, Fault::Backdated { seconds: 3600 }, 1).await;
    for _ in 0..2 {
        let ids = zerohash.fund_ids(&FundTransactionsQuery::default()).await;
        assert_eq!((ids.len(), ids[0].as_str()), (2, "f-001"));
    }
}

#[tokio::test]
async fn a_shift_moves_rows_to_later_pages_of_every_list() {
    let zerohash = Zerohash::start().await;
    zerohash.funds(50).await;
    zerohash.fault(ApiPath::FundTransactions, Fault::Shift { rows: 3 }, 1).await;
    let ids = zerohash.fund_ids(&FundTransactionsQuery::default()).await;
    assert_eq!((ids.len(), ids[3].as_str(), ids[49].as_str()), (50, "f-049", "f-003"));

    let (client, credentials, now) = (&zerohash.client, &zerohash.credentials, fundhook_runtime::now());
    for path in [
        ApiPath::Deposits,
        ApiPath::CryptoDeposits,
        ApiPath::Payments,
        ApiPath::PaymentStatuses,
        ApiPath::Movements,
        ApiPath::Participants,
        ApiPath::ExternalAccounts,
        ApiPath::Accounts,
    ] {
        zerohash.fault(path, Fault::Shift { rows: 2 }, 1).await;
    }
    // A newcomer enters every list that its webhook is about, so a list may have those of others too.
    for (list, rows) in [
        ("deposits", client.deposits(credentials, &DepositsQuery::default(), now).await.expect("a page").rows.len()),
        (
            "crypto deposits",
            client.crypto_deposits(credentials, &CryptoDepositsQuery::default(), now).await.expect("a page").rows.len(),
        ),
        ("payments", client.payments(credentials, &PaymentsQuery::default(), now).await.expect("a page").rows.len()),
        (
            "payments in fiat money",
            client
                .payment_statuses(credentials, &PaymentStatusesQuery::default(), now)
                .await
                .expect("a page")
                .rows
                .len(),
        ),
        ("movements", client.movements(credentials, &MovementsQuery::default(), now).await.expect("a page").rows.len()),
        (
            "participants",
            client.participants(credentials, &ParticipantsQuery::default(), now).await.expect("a page").rows.len(),
        ),
        (
            "external accounts",
            client
                .external_accounts(credentials, &ExternalAccountsQuery::default(), now)
                .await
                .expect("a page")
                .rows
                .len(),
        ),
        ("accounts", client.accounts(credentials, &AccountsQuery::default(), now).await.expect("a page").rows.len()),
    ] {
        assert!(rows >= 2, "{list}: {rows}");
    }
}

#[tokio::test]
async fn a_fault_that_a_path_cannot_have_is_refused() {
    let zerohash = Zerohash::start().await;
    for (path, fault) in [
        (ApiPath::CryptoDeposits, Fault::WrongPage),
        (ApiPath::Time, Fault::Shift { rows: 1 }),
        (ApiPath::AccountMovements, Fault::Shift { rows: 1 }),
        (ApiPath::Payment, Fault::Late { seconds: 1 }),
        (ApiPath::Transactions, Fault::Backdated { seconds: 1 }),
        (ApiPath::Transactions, Fault::RefuseAddress),
        (ApiPath::FundTransactions, Fault::EmptyKeySet),
    ] {
        assert!(zerohash.sandbox.fault(path, fault.clone(), 1).await.is_err(), "{path:?} {fault:?}");
    }
}

#[tokio::test]
async fn a_post_that_failed_is_not_repeated_unless_the_provider_allows_it() {
    let zerohash = Zerohash::start().await;
    let request = fundhook_zerohash_api::ClientAuthTokenRequest::funding("CUST01");
    let now = fundhook_runtime::now();
    // A 503 of the API has `zh-allow-retry: true`.
    zerohash.fault(ApiPath::ClientAuthToken, Fault::Status { status: 503, retry_after: None }, 1).await;
    let client = &zerohash.client;
    client.client_auth_token(&zerohash.credentials, &request, now).await.expect("the second attempt succeeds");
    for fault in [Fault::Status { status: 500, retry_after: None }, Fault::HalfBody] {
        zerohash.fault(ApiPath::ClientAuthToken, fault, 1).await;
        assert!(client.client_auth_token(&zerohash.credentials, &request, now).await.is_err());
    }
}
