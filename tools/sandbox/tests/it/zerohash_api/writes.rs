//! Tokens for the SDK, and quotes.

use fundhook_zerohash_api::{
    ApiError, ClientAuthTokenRequest, FundRfqRequest, FundTransactionsQuery, Payment, Permission, WithdrawalDetails,
};

use super::{Zerohash, fund};

#[tokio::test]
async fn the_deposits_of_a_funding_token_are_listed_by_its_intent() {
    let zerohash = Zerohash::start().await;
    zerohash.sign("zerohash", &fund(1)).await;
    let request = ClientAuthTokenRequest::funding("CUST01").with_reference_id("abc123");
    let now = fundhook_runtime::now();
    let token = zerohash.client.client_auth_token(&zerohash.credentials, &request, now).await.expect("a token");
    assert_eq!(token.payment_id, None);
    let by_intent = FundTransactionsQuery { deposit_intent_id: token.deposit_intent_id, ..Default::default() };
    assert!(by_intent.deposit_intent_id.is_some());
    assert!(zerohash.fund_ids(&by_intent).await.is_empty(), "it came before the token");
    zerohash.sign("zerohash", &fund(2)).await;
    assert_eq!(zerohash.fund_ids(&by_intent).await, ["f-002"]);
}

#[tokio::test]
async fn a_withdrawal_token_creates_a_payment() {
    let zerohash = Zerohash::start().await;
    let details = WithdrawalDetails {
        quoted_asset: "USD".to_owned(),
        withdrawal_request_amount: "200".to_owned(),
        external_account_id: None,
        account_label: None,
    };
    let request = ClientAuthTokenRequest::withdrawal("CUST01", details);
    let now = fundhook_runtime::now();
    let token = zerohash.client.client_auth_token(&zerohash.credentials, &request, now).await.expect("a token");
    let payment_id = token.payment_id.expect("a payment");
    let raw = zerohash.client.payment(&zerohash.credentials, &payment_id, now).await.expect("an answer");
    let payment: Payment = serde_json::from_str(raw.expect("a payment").get()).expect("typed");
    assert_eq!((payment.status.as_deref(), payment.total.as_deref()), (Some("initialized"), Some("200")));
}

#[tokio::test]
async fn a_recovery_token_is_granted_and_revoked_once() {
    let zerohash = Zerohash::start().await;
    let now = fundhook_runtime::now();
    let request = ClientAuthTokenRequest::recovery("CUST01");
    let token = zerohash.client.client_auth_token(&zerohash.credentials, &request, now).await.expect("a token");
    assert_eq!((token.deposit_intent_id, token.payment_id), (None, None));
    zerohash.client.revoke_auth_token(&zerohash.credentials, &token.token, now).await.expect("revoked");
    let again = zerohash.client.revoke_auth_token(&zerohash.credentials, &token.token, now).await.expect_err("gone");
    assert!(again.to_string().ends_with("token not found"), "{again}");
}

#[tokio::test]
async fn an_invalid_token_request_is_refused_with_every_reason() {
    let zerohash = Zerohash::start().await;
    let permissions = vec![Permission::FUNDING, "everything".parse().expect("a permission")];
    let request = ClientAuthTokenRequest::new("CUST01", permissions);
    let granted = zerohash.client.client_auth_token(&zerohash.credentials, &request, fundhook_runtime::now()).await;
    let error = granted.expect_err("refused");
    assert!(matches!(error, ApiError::Status { status: 400, .. }), "{error}");
    assert!(error.to_string().ends_with("unknown permission everything"), "{error}");
}

#[tokio::test]
async fn a_quote_has_one_address_for_a_user_and_asset() {
    let zerohash = Zerohash::start().await;
    let mut request = FundRfqRequest::new("CUST01", "USDC.BASE");
    request.client_fund_id = Some("order-31".to_owned());
    let quote = async |request: &FundRfqRequest| {
        zerohash.client.fund_rfq(&zerohash.credentials, request, fundhook_runtime::now()).await.expect("a quote")
    };
    let (one, again) = (quote(&request).await, quote(&request).await);
    assert_eq!((one.reference_id.as_deref(), one.deposit_fee_bps.as_deref()), (Some("order-31"), Some("0")));
    assert_eq!(one.deposit_address, again.deposit_address);
    assert_ne!(one.request_id, again.request_id);
    assert_ne!(quote(&FundRfqRequest::new("CUST01", "BTC")).await.deposit_address, one.deposit_address);
}
